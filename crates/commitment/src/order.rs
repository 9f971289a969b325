//! The order in which an opened message lies on the altstack.

use std::collections::HashSet;

use crate::Parameters;

/// The order in which `open_bits` leaves the message bits on the altstack, the top first.
///
/// The bits of one digit are always next to each other, in any order; the digits are in any order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpenOrder {
    /// Message bits, the one on top of the altstack first.
    bits: Vec<u32>,
}

/// Why bits cannot be opened in some order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The order does not name every bit once.
    #[error(
        "the order names {named} different bits in {length} places, where the message has {bits} bits"
    )]
    NotAPermutation {
        /// Different valid bits named.
        named: usize,
        /// Places in the order.
        length: usize,
        /// Bits of the message.
        bits: usize,
    },
    /// The bits of a digit are apart.
    #[error("bit {bit} lies apart from the other bits of its digit {digit}")]
    SplitDigit {
        /// The bit that comes too late or too early.
        bit: u32,
        /// Its digit.
        digit: usize,
    },
}

impl OpenOrder {
    /// Opens the bits in this order, `bits[0]` on top of the altstack.
    ///
    /// # Errors
    /// If this is not a permutation of the message's bits, or it separates bits of one digit.
    pub fn new(parameters: &Parameters, bits: Vec<u32>) -> Result<Self, OrderError> {
        let message_bits = parameters.message_bits();
        let named: HashSet<u32> = bits
            .iter()
            .copied()
            .filter(|&bit| (bit as usize) < message_bits)
            .collect(); // cast ok: usize has at least 32 bits here
        if named.len() != message_bits || bits.len() != message_bits {
            return Err(OrderError::NotAPermutation {
                named: named.len(),
                length: bits.len(),
                bits: message_bits,
            });
        }
        let digit_of_bit = digit_of_bit(parameters);
        let mut rest = bits.as_slice();
        while let Some(&first) = rest.first() {
            let digit = digit_of_bit[first as usize];
            let width = usize::from(parameters.message_digits()[digit]);
            let (run, after) = rest.split_at(width.min(rest.len()));
            if let Some(&bit) = run.iter().find(|&&bit| digit_of_bit[bit as usize] != digit) {
                return Err(OrderError::SplitDigit {
                    bit,
                    digit: digit_of_bit[bit as usize],
                });
            }
            rest = after;
        }
        Ok(Self { bits })
    }

    /// Bit 0 on top, then bit 1, and so on.
    pub fn natural(parameters: &Parameters) -> Self {
        Self {
            bits: (0..parameters.message_bits() as u32).collect(),
        } // cast ok: at most MAX_MESSAGE_BITS
    }

    /// Orders digits by the first use of any of their bits, and bits within a digit by their own first use; what is never
    /// used comes last. `uses` names bits in the order of use, with repetitions; bits beyond the message are ignored.
    pub fn from_first_use(parameters: &Parameters, uses: impl IntoIterator<Item = u32>) -> Self {
        let bits = parameters.message_bits();
        let mut first_use = vec![usize::MAX; bits];
        for (time, bit) in uses.into_iter().enumerate() {
            if let Some(first) = first_use.get_mut(bit as usize) {
                *first = time.min(*first);
            }
        }
        let mut digits: Vec<Vec<u32>> = parameters
            .message()
            .map(|digit| {
                let start = digit.offset as u32; // cast ok: below MAX_MESSAGE_BITS
                let mut bits: Vec<u32> = (start..start + u32::from(digit.width)).collect();
                bits.sort_by_key(|&bit| (first_use[bit as usize], bit));
                bits
            })
            .collect();
        digits.sort_by_key(|bits| (first_use[bits[0] as usize], bits[0]));
        Self {
            bits: digits.concat(),
        }
    }

    /// The message bits, the one on top of the altstack first.
    pub fn bits(&self) -> &[u32] {
        &self.bits
    }

    /// The digits in the order in which they are processed, each with the weights of its bits (0 is the lowest) in the order in
    /// which they are pushed: the reverse of the order on the altstack.
    ///
    /// # Panics
    /// If the order was made for other parameters.
    pub(crate) fn pushes(
        &self,
        parameters: &Parameters,
    ) -> Vec<(crate::parameters::Digit, Vec<u8>)> {
        assert_eq!(
            self.bits.len(),
            parameters.message_bits(),
            "the order was made for these parameters"
        );
        let digits: Vec<_> = parameters.message().collect();
        let digit_of_bit = digit_of_bit(parameters);
        let mut pushes = Vec::with_capacity(digits.len());
        let mut rest = self.bits.as_slice();
        while let Some(&last) = rest.last() {
            let digit = digits[digit_of_bit[last as usize]];
            let (before, run) = rest.split_at(rest.len() - usize::from(digit.width));
            let weights = run.iter().rev().map(|&bit| {
                assert_eq!(
                    digit_of_bit[bit as usize], digit.index,
                    "the order was made for these parameters"
                );
                (bit as usize - digit.offset) as u8 // cast ok: below the digit's width
            });
            pushes.push((digit, weights.collect()));
            rest = before;
        }
        pushes
    }
}

/// The digit that each message bit belongs to.
fn digit_of_bit(parameters: &Parameters) -> Vec<usize> {
    parameters
        .message()
        .flat_map(|digit| std::iter::repeat_n(digit.index, digit.width.into()))
        .collect()
}
