//! The steps of an expression.

use super::{Datum, Type, ValueId};
use crate::gadgets::u32::Product;

/// Where an input's stack items come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// From an opening, or whatever else vouches for them: bits as they are, nibbles `2n`.
    Opened,
    /// From whatever else vouches for them: bits and nibbles as they are.
    Plain,
    /// From the witness as they are: bits and nibbles `n`, which the script checks.
    Witness,
}

/// An operation on two nibbles, bit by bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bitwise {
    And,
    Or,
    Xor,
}

impl Bitwise {
    pub(crate) fn apply<T>(self, a: T, b: T) -> T
    where
        T: std::ops::BitAnd<Output = T>
            + std::ops::BitOr<Output = T>
            + std::ops::BitXor<Output = T>,
    {
        match self {
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
        }
    }
}

/// A way to shift a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shift {
    Left,
    Right,
    RightArithmetic,
    RotateRight,
}

impl Shift {
    pub(crate) fn apply(self, word: u32, bits: u32) -> u32 {
        match self {
            Self::Left => word << bits,
            Self::Right => word >> bits,
            Self::RightArithmetic => (word as i32 >> bits) as u32, // cast ok: the bits as they are
            Self::RotateRight => word.rotate_right(bits),
        }
    }
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HashFunction {
    Blake3,
    Sha256,
}

/// What a step does with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operation {
    Input {
        name: String,
        source: Source,
    },
    Constant(Datum),
    /// The sum of the first `plus` words less the others.
    Sum {
        plus: usize,
    },
    Bitwise(Bitwise),
    Not,
    Shift(Shift, u32),
    /// Shifted by this many bits, 1 or 2, where the second argument, a bit, is 1.
    ShiftIf(Shift, u32),
    /// Shifted by whole nibbles: one, two and four where the bits after the word are 1.
    ShiftNibbles(Shift),
    /// Whether the first word is below the second.
    LessThan,
    /// Whether the sum of all arguments, which are nibbles, is at least `low` and less than `high`.
    SumIsWithin {
        low: u32,
        high: u32,
    },
    /// Whether two values are equal, digit by digit.
    Equal,
    /// The second value where the first, a bit, is 1, else the third.
    Select,
    /// The negated word where the second argument, a bit, is 1.
    NegateIf,
    /// The low word of a product; of a full one, also the high word.
    Multiply(Product),
    /// Quotient and remainder.
    Divide,
    /// Some of the digits of all arguments, one after the other, from `start` on.
    Digits {
        start: usize,
    },
    /// The bits of a nibble, the lowest first.
    Split,
    /// The nibble of four bits, the lowest first.
    Join,
    /// The highest bit of a word.
    Sign,
    /// The operation on bits.
    BitLogic(Bitwise),
    /// A bit as a nibble.
    Widen,
    /// As many bytes of the digest as the result has, of the bytes of all arguments.
    Hash(HashFunction),
    /// Both are equal, or the script fails.
    AssertEqual,
    /// The bit is 1, or the script fails.
    AssertTrue,
}

/// A step: an operation, what it takes and what it makes.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) operation: Operation,
    pub(crate) arguments: Vec<ValueId>,
    pub(crate) results: Vec<ValueId>,
}

/// What is known of a value from its type alone.
#[derive(Clone, Debug)]
pub(crate) struct ValueInfo {
    pub(crate) value_type: Type,
    pub(crate) name: Option<String>,
}
