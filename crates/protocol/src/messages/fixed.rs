//! Lists of byte strings of one length, encoded as one string: no length prefix per entry.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A byte string of a fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fixed<const N: usize>(pub [u8; N]);

/// A list of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FixedList<const N: usize>(Vec<Fixed<N>>);

impl<const N: usize> FixedList<N> {
    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns an entry.
    ///
    /// # Panics
    ///
    /// When there is no such entry.
    pub fn get(&self, index: usize) -> &Fixed<N> {
        &self.0[index]
    }

    /// Iterates over the entries.
    pub fn iter(&self) -> impl Iterator<Item = &[u8; N]> {
        self.0.iter().map(|entry| &entry.0)
    }
}

impl<const N: usize> FromIterator<[u8; N]> for FixedList<N> {
    fn from_iter<I: IntoIterator<Item = [u8; N]>>(entries: I) -> Self {
        Self(entries.into_iter().map(Fixed).collect())
    }
}

impl<const N: usize> Serialize for FixedList<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0.iter().flat_map(|entry| entry.0).collect::<Vec<u8>>())
    }
}

impl<'de, const N: usize> Deserialize<'de> for FixedList<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes<const N: usize>;

        impl<'de, const N: usize> Visitor<'de> for Bytes<N> {
            type Value = FixedList<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a multiple of {N} bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                let (entries, rest) = bytes.as_chunks::<N>();
                if rest.is_empty() {
                    Ok(entries.iter().copied().collect())
                } else {
                    Err(E::invalid_length(bytes.len(), &self))
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
                Err(A::Error::custom("expected bytes, not a sequence"))
            }
        }

        deserializer.deserialize_bytes(Bytes::<N>)
    }
}
