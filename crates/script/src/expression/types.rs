//! Types, handles and data.

use std::fmt;

use super::ValueId;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// 0 or 1; one stack item, as it is.
    Bit,
    /// 0 to 15; one stack item, as twice its value.
    Nibble,
    /// 32 bits; eight nibbles.
    Word,
    /// 160 bits; 40 nibbles.
    Hash160,
    /// 256 bits; 64 nibbles.
    Hash256,
}

impl Type {
    /// Stack items of a value.
    pub fn items(self) -> usize {
        match self {
            Self::Bit | Self::Nibble => 1,
            Self::Word => 8,
            Self::Hash160 => 40,
            Self::Hash256 => 64,
        }
    }

    /// A value made from a number: its lowest bits, repeated where the type has more than 64.
    pub fn datum(self, number: u64) -> Datum {
        let byte = |index: usize| number.to_le_bytes()[index % 8];
        match self {
            Self::Bit => Datum::Bit(number & 1 == 1),
            Self::Nibble => Datum::Nibble(byte(0) & 15),
            Self::Word => Datum::Word(number as u32), // cast ok: its lowest bits
            Self::Hash160 => Datum::Hash160(std::array::from_fn(byte)),
            Self::Hash256 => Datum::Hash256(std::array::from_fn(byte)),
        }
    }

    /// The logical number on the stack for a digit: a bit as it is, a nibble doubled.
    pub(crate) fn logical(self, digit: u8) -> i64 {
        match self {
            Self::Bit => i64::from(digit),
            _ => 2 * i64::from(digit),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bit => "bit",
            Self::Nibble => "nibble",
            Self::Word => "word",
            Self::Hash160 => "hash of 160 bits",
            Self::Hash256 => "hash of 256 bits",
        })
    }
}

/// A handle with a type.
pub trait Typed: Copy {
    /// The type of the value.
    const TYPE: Type;
    /// The value.
    fn id(self) -> ValueId;
    /// The handle for a value of this type.
    fn from_id(id: ValueId) -> Self;
}

/// A handle of a hash.
pub trait Hash: Typed {
    /// Words of the hash.
    const WORDS: usize;
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub struct $name(pub(super) ValueId);

            impl Typed for $name {
                const TYPE: Type = Type::$name;

                fn id(self) -> ValueId {
                    self.0
                }

                fn from_id(id: ValueId) -> Self {
                    Self(id)
                }
            }
        )*
    };
}

handles! {
    /// A bit of an [`Expression`](super::Expression).
    Bit,
    /// A nibble of an [`Expression`](super::Expression).
    Nibble,
    /// A 32-bit word of an [`Expression`](super::Expression).
    Word,
    /// A hash of 160 bits, which an [`Expression`](super::Expression) takes as five words, each in little-endian byte order.
    Hash160,
    /// A hash of 256 bits, which an [`Expression`](super::Expression) takes as eight words, each in little-endian byte order.
    Hash256,
}

impl Hash for Hash160 {
    const WORDS: usize = 5;
}

impl Hash for Hash256 {
    const WORDS: usize = 8;
}

/// A value as it is known to the prover.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Datum {
    /// A bit.
    Bit(bool),
    /// A nibble, below 16.
    Nibble(u8),
    /// A word.
    Word(u32),
    /// A hash of 160 bits.
    Hash160([u8; 20]),
    /// A hash of 256 bits.
    Hash256([u8; 32]),
}

impl Datum {
    /// Its type.
    pub fn value_type(&self) -> Type {
        match self {
            Self::Bit(_) => Type::Bit,
            Self::Nibble(_) => Type::Nibble,
            Self::Word(_) => Type::Word,
            Self::Hash160(_) => Type::Hash160,
            Self::Hash256(_) => Type::Hash256,
        }
    }

    /// Its digits, the lowest first.
    pub(crate) fn digits(&self) -> Vec<u8> {
        let of_bytes = |bytes: &[u8]| {
            bytes
                .iter()
                .flat_map(|byte| [byte & 15, byte >> 4])
                .collect()
        };
        match self {
            Self::Bit(bit) => vec![u8::from(*bit)],
            Self::Nibble(nibble) => vec![*nibble],
            Self::Word(word) => of_bytes(&word.to_le_bytes()),
            Self::Hash160(hash) => of_bytes(hash),
            Self::Hash256(hash) => of_bytes(hash),
        }
    }

    /// The value with these digits, the lowest first; `None` if they do not fit the type.
    pub(crate) fn from_digits(of: Type, digits: &[u8]) -> Option<Self> {
        let largest = if of == Type::Bit { 1 } else { 15 };
        if digits.len() != of.items() || digits.iter().any(|&digit| digit > largest) {
            return None;
        }
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair[0] | pair[1] << 4)
            .collect();
        Some(match of {
            Type::Bit => Self::Bit(digits[0] == 1),
            Type::Nibble => Self::Nibble(digits[0]),
            Type::Word => Self::Word(u32::from_le_bytes(bytes.try_into().ok()?)),
            Type::Hash160 => Self::Hash160(bytes.try_into().ok()?),
            Type::Hash256 => Self::Hash256(bytes.try_into().ok()?),
        })
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = |bytes: &[u8]| {
            bytes
                .iter()
                .try_for_each(|byte| write!(formatter, "{byte:02x}"))
        };
        match self {
            Self::Hash160(hash) => hex(hash),
            Self::Hash256(hash) => hex(hash),
            Self::Bit(bit) => write!(formatter, "{}", u8::from(*bit)),
            Self::Nibble(nibble) => write!(formatter, "{nibble:#x}"),
            Self::Word(word) => write!(formatter, "{word:#010x}"),
        }
    }
}

impl From<u32> for Datum {
    fn from(word: u32) -> Self {
        Self::Word(word)
    }
}

impl From<bool> for Datum {
    fn from(bit: bool) -> Self {
        Self::Bit(bit)
    }
}

impl From<[u8; 20]> for Datum {
    fn from(hash: [u8; 20]) -> Self {
        Self::Hash160(hash)
    }
}

impl From<[u8; 32]> for Datum {
    fn from(hash: [u8; 32]) -> Self {
        Self::Hash256(hash)
    }
}
