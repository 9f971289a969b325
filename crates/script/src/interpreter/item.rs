//! Stack items: short ones without allocation.

use std::fmt;

use crate::limits::MAX_NUMBER_BYTES;
use crate::number::{self, NumberError};

/// Longest item that is stored inline: with it an item is 24 bytes, as a `Vec` would be, and hashes of 20 bytes fit.
const INLINE_BYTES: usize = 22;

/// One item of the stack or altstack.
#[derive(Clone)]
pub struct Item(Storage);

#[derive(Clone)]
enum Storage {
    Inline { len: u8, bytes: [u8; INLINE_BYTES] },
    Heap(Box<[u8]>),
}

impl Item {
    /// Copies a byte string.
    #[inline]
    pub fn new(data: &[u8]) -> Self {
        if data.len() <= INLINE_BYTES {
            let mut bytes = [0; INLINE_BYTES];
            bytes[..data.len()].copy_from_slice(data);
            Self(Storage::Inline {
                len: data.len() as u8,
                bytes,
            }) // cast ok: at most INLINE_BYTES
        } else {
            Self(Storage::Heap(data.into()))
        }
    }

    /// The minimal encoding of a number.
    #[inline]
    pub(super) fn number(value: i64) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        let magnitude = value.unsigned_abs();
        if magnitude < 0x80 {
            // cast ok: below 0x80; the sign is the top bit
            bytes[0] = magnitude as u8 | if value < 0 { 0x80 } else { 0 };
            return Self(Storage::Inline {
                len: u8::from(value != 0),
                bytes,
            });
        }
        let (encoded, len) = number::encode(value);
        bytes[..9].copy_from_slice(&encoded);
        Self(Storage::Inline {
            len: len as u8,
            bytes,
        }) // cast ok: at most 9
    }

    /// The item of a truth value: 0x01 or empty.
    #[inline]
    pub(super) fn boolean(value: bool) -> Self {
        Self::number(i64::from(value))
    }

    /// The item's bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Storage::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Storage::Heap(bytes) => bytes,
        }
    }

    /// Bytes of the item.
    #[inline]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the item is the empty byte string.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the item is true as a condition.
    #[inline]
    pub fn is_true(&self) -> bool {
        number::is_true(self.as_bytes())
    }

    /// The item as an operand of at most 4 bytes.
    #[inline]
    pub(super) fn to_number(&self, minimal: bool) -> Result<i64, NumberError> {
        match &self.0 {
            Storage::Inline { len: 0, .. } => Ok(0),
            // One byte that is neither zero nor negative zero: the common case.
            Storage::Inline { len: 1, bytes } if bytes[0] & 0x7f != 0 => {
                let magnitude = i64::from(bytes[0] & 0x7f);
                Ok(if bytes[0] & 0x80 != 0 {
                    -magnitude
                } else {
                    magnitude
                })
            }
            _ => number::decode(self.as_bytes(), MAX_NUMBER_BYTES, minimal),
        }
    }

    /// The item as a byte vector.
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Storage::Inline { len, bytes } => bytes[..usize::from(len)].to_vec(),
            Storage::Heap(bytes) => bytes.into_vec(),
        }
    }
}

impl AsRef<[u8]> for Item {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Item {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Item {}

impl fmt::Debug for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<")?;
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))?;
        formatter.write_str(">")
    }
}
