//! How an opened message is delivered as numbers, one a digit.

use crate::Parameters;
use crate::parameters::Digit;

/// Largest power of two by which opened digits are scaled: 2^8.
const MAX_LOG2_SCALE: u8 = 8;

/// Offsets are less than this, and more than its negative, so that no sum comes near the 32 bits of a script number.
const OFFSET_BOUND: i32 = 1 << 16;

/// Which stack opened digits are left on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// The altstack, like opened bits.
    Altstack,
    /// The main stack, for one byte more a digit.
    Stack,
}

/// The way in which `open_digits` delivers a message: for each digit of value `d` the number `scale · d + offset`.
///
/// The scale is a power of two, the same for all digits; each digit has an offset of its own. Both are built into the
/// constants that the script adds up anyway, so a consumer that wants, say, twice a nibble and the place of a table
/// gets it for the price of the nibble. Every number comes from a digit in range: the scripts accept no other.
///
/// ```
/// use tapcourt_commitment::{Objective, OpenDigits, Parameters};
///
/// let nibbles = Parameters::winternitz(160, 4)?;
/// let plain = nibbles.open_digits_size(&OpenDigits::natural(&nibbles));
/// let doubled = OpenDigits::natural(&nibbles).scaled(1)?.with_offsets(&[3; 40])?;
/// // A nibble's constants 16 + 3 and 2 take a byte more than 8 and 1 did; doubling the checksum takes two once.
/// assert_eq!(nibbles.open_digits_size(&doubled).script_bytes, plain.script_bytes + 2 * 40 + 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpenDigits {
    /// Message digits by index, the one on top first.
    order: Vec<u32>,
    /// By message digit.
    offsets: Vec<i32>,
    log2_scale: u8,
    destination: Destination,
}

/// Why digits cannot be delivered in some way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigitsError {
    /// The order does not name every digit once.
    #[error("the order of {length} is no permutation of the message's {digits} digits")]
    NotAPermutation {
        /// Places in the order.
        length: usize,
        /// Digits of the message.
        digits: usize,
    },
    /// The scale is too large.
    #[error("digits scaled by 2^{log2_scale}, more than 2^{MAX_LOG2_SCALE}")]
    Scale {
        /// Logarithm of the scale.
        log2_scale: u8,
    },
    /// Another number of offsets than digits.
    #[error("{offsets} offsets for {digits} digits")]
    Offsets {
        /// Offsets given.
        offsets: usize,
        /// Digits of the message.
        digits: usize,
    },
    /// An offset is too large.
    #[error("the offset {offset} is not between -{OFFSET_BOUND} and {OFFSET_BOUND}")]
    Offset {
        /// The offset.
        offset: i32,
    },
}

impl OpenDigits {
    /// Digit 0, the lowest bits of the message, on top, then digit 1, and so on, on the altstack and as they are.
    pub fn natural(parameters: &Parameters) -> Self {
        let digits = parameters.message_digits().len();
        Self {
            order: (0..digits as u32).collect(), // cast ok: at most MAX_MESSAGE_BITS
            offsets: vec![0; digits],
            log2_scale: 0,
            destination: Destination::Altstack,
        }
    }

    /// The same, with the digits in this order, `order[0]` on top.
    ///
    /// # Errors
    /// If this is not a permutation of the message's digits.
    pub fn ordered(self, order: Vec<u32>) -> Result<Self, DigitsError> {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        let digits = self.offsets.len();
        if sorted.iter().map(|&digit| digit as usize).ne(0..digits) {
            // cast ok: usize has at least 32 bits here
            return Err(DigitsError::NotAPermutation {
                length: order.len(),
                digits,
            });
        }
        Ok(Self { order, ..self })
    }

    /// The same, with each digit multiplied by `2^log2_scale`.
    ///
    /// # Errors
    /// If this is more than 2^8.
    pub fn scaled(self, log2_scale: u8) -> Result<Self, DigitsError> {
        if log2_scale > MAX_LOG2_SCALE {
            return Err(DigitsError::Scale { log2_scale });
        }
        Ok(Self { log2_scale, ..self })
    }

    /// The same, with these offsets added, by message digit and after scaling.
    ///
    /// # Errors
    /// If there is not one offset a digit, or one has more than 16 bits.
    pub fn with_offsets(self, offsets: &[i32]) -> Result<Self, DigitsError> {
        if offsets.len() != self.offsets.len() {
            return Err(DigitsError::Offsets {
                offsets: offsets.len(),
                digits: self.offsets.len(),
            });
        }
        let large = |offset: &&i32| offset.unsigned_abs() >= OFFSET_BOUND.unsigned_abs();
        if let Some(&offset) = offsets.iter().find(large) {
            return Err(DigitsError::Offset { offset });
        }
        Ok(Self {
            offsets: offsets.to_vec(),
            ..self
        })
    }

    /// The same, on this stack.
    #[must_use]
    pub fn onto(self, destination: Destination) -> Self {
        Self {
            destination,
            ..self
        }
    }

    /// Message digits by index, the one on top first.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The number delivered for this value of a message digit.
    ///
    /// # Panics
    /// If the message has no such digit.
    pub fn number(&self, digit: usize, value: u8) -> i64 {
        (i64::from(value) << self.log2_scale) + i64::from(self.offsets[digit])
    }

    /// Which stack the numbers are left on.
    pub fn destination(&self) -> Destination {
        self.destination
    }

    pub(crate) fn log2_scale(&self) -> u8 {
        self.log2_scale
    }

    /// What the scaled checksum and all numbers add up to.
    pub(crate) fn total(&self, parameters: &Parameters) -> i64 {
        let offsets: i64 = self.offsets.iter().copied().map(i64::from).sum();
        (i64::from(parameters.total()) << self.log2_scale) + offsets
    }

    /// The message digits in the order in which they are put on the altstack, each with its offset.
    ///
    /// # Panics
    /// If this was made for other parameters.
    pub(crate) fn processed(&self, parameters: &Parameters) -> Vec<(Digit, i64)> {
        let digits: Vec<Digit> = parameters.message().collect();
        assert_eq!(
            self.offsets.len(),
            digits.len(),
            "the delivery was made for these parameters"
        );
        let mut processed: Vec<_> = self
            .order
            .iter()
            .map(|&digit| digit as usize) // cast ok: usize has at least 32 bits here
            .map(|digit| (digits[digit], i64::from(self.offsets[digit])))
            .collect();
        // What goes to the altstack first ends below; moved to the stack, it ends on top.
        if self.destination == Destination::Altstack {
            processed.reverse();
        }
        processed
    }
}
