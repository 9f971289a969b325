//! The public shape of a commitment: how a message is cut into digits, and the checksum over them.

use serde::{Deserialize, Serialize};

use crate::choice::MAX_OPTIONS;
use crate::cost::{self, Objective, Size};
use crate::{OpenDigits, OpenOrder, verifier};

/// Most message bits under one key.
pub const MAX_MESSAGE_BITS: usize = 2048;

/// Widest digit in bits: a chain of 255 hashes.
pub const MAX_DIGIT_BITS: u8 = 8;

/// Bits that a published digit may show as a number from 1 to 8, which picks one of eight successive hashes, in place of one
/// flag each. See [`Parameters::with_picks`].
pub const PICK_BITS: u8 = 3;

/// How a commitment works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// One hash chain a digit, and a checksum over all of them.
    Winternitz,
    /// Two hashes a bit, of which the opening reveals one preimage. No checksum.
    Lamport,
}

/// The public shape of a commitment: everything about a key but the key.
///
/// A Winternitz message is cut into digits of 1 to 8 bits, lowest bits first; the element that the opening reveals for a digit
/// of value `d` is `d` hashes from the public end of its chain. Hashing a published element only ever *lowers* a digit. So the
/// opening also signs the checksum `maximum − Σ digits`, in positional notation over chains of its own: lowering any digit
/// raises the checksum, which raises at least one of its digits, and that takes a preimage.
///
/// ```
/// use tapcourt_commitment::{Objective, Parameters};
///
/// let parameters = Parameters::cheapest(160, &Objective::default())?;
/// assert_eq!(parameters.message_bits(), 160);
/// assert!(parameters.publish_size().weight_wu_mean() < 24.0 * 160.0);
/// # Ok::<(), tapcourt_commitment::ParametersError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Encoded", into = "Encoded")]
pub struct Parameters {
    scheme: Scheme,
    /// Width of each message digit in bits, lowest bits first.
    message: Box<[u8]>,
    /// Width of each checksum digit in bits, lowest first. Empty for Lamport.
    checksum: Box<[u8]>,
    /// How many message digits, from the first, are published by [`PICK_BITS`] bits as a number.
    picks: usize,
}

/// Why there are no such [`Parameters`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// A message has no bits, or too many.
    #[error("a message of {bits} bits: one key commits to 1 to {MAX_MESSAGE_BITS} bits")]
    MessageBits {
        /// Bits asked for.
        bits: usize,
    },
    /// A digit has no bits, or too many.
    #[error("a digit of {width} bits: digits have 1 to {MAX_DIGIT_BITS} bits")]
    DigitBits {
        /// Width asked for.
        width: u8,
    },
    /// The checksum's digits do not have exactly the bits that the largest checksum needs.
    #[error(
        "checksum digits of {actual} bits in all, where a checksum of at most {maximum} takes {expected}"
    )]
    ChecksumBits {
        /// Bits of the digits given.
        actual: u32,
        /// Bits needed.
        expected: u32,
        /// Largest checksum.
        maximum: u32,
    },
    /// More digits are to be published by numbers than can be.
    #[error("{asked} digits published by numbers, where {possible} are wide enough")]
    Picks {
        /// Digits asked for.
        asked: usize,
        /// Digits at the start of the message that have at least [`PICK_BITS`] bits.
        possible: usize,
    },
    /// A digit does not select from so few or so many options.
    #[error("{options} options: one digit selects from 2 to {MAX_OPTIONS}")]
    Options {
        /// Options asked for.
        options: u32,
    },
    /// No shape meets the objective's bounds on stack, script or witness.
    #[error("no shape for {bits} bits stays within the bounds on stack, script and witness")]
    Bounds {
        /// Message bits.
        bits: usize,
    },
    /// No shape meets the objective's bound on witness items.
    #[error("{bits} bits take at least {least} witness items, more than the {limit} allowed")]
    Items {
        /// Message bits.
        bits: usize,
        /// Fewest items of any shape.
        least: usize,
        /// The objective's bound.
        limit: usize,
    },
}

/// One hash chain's digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digit {
    /// Index of the chain; message digits come first.
    pub(crate) index: usize,
    /// Bits of the digit.
    pub(crate) width: u8,
    /// Weight of the digit's lowest bit within its number, as a power of two: the first message bit for a message digit,
    /// the place value for a checksum digit.
    pub(crate) offset: usize,
    /// Whether the digit's highest [`PICK_BITS`] bits are published as a number.
    pub(crate) picked: bool,
}

impl Digit {
    /// Bits that are published as flags, the lowest ones.
    pub(crate) fn flag_bits(&self) -> u8 {
        if self.picked {
            self.width - PICK_BITS
        } else {
            self.width
        }
    }

    /// Largest value, which is also the length of the chain in hashes.
    pub(crate) fn maximum(&self) -> u32 {
        (1 << self.width) - 1
    }
}

impl Parameters {
    /// Winternitz in base `2^log2_base`, the last digit narrower if the bits do not divide evenly; the checksum is laid out as
    /// is cheapest to publish.
    ///
    /// # Errors
    /// If there are no bits, more than [`MAX_MESSAGE_BITS`], or `log2_base` is not in `1..=8`.
    pub fn winternitz(bits: usize, log2_base: u8) -> Result<Self, ParametersError> {
        check_message_bits(bits)?;
        check_digit_bits(log2_base)?;
        let base_bits = usize::from(log2_base);
        let mut widths = vec![log2_base; bits / base_bits];
        if !bits.is_multiple_of(base_bits) {
            widths.push((bits % base_bits) as u8); // cast ok: below log2_base
        }
        Ok(cost::cheapest_checksum(&widths))
    }

    /// Winternitz with digits of the given widths in bits, message and checksum, each from the lowest bits up.
    ///
    /// # Errors
    /// If a width is not in `1..=8`, the message has no bits or too many, or the checksum's digits do not have exactly
    /// [`checksum_bits`] bits.
    pub fn with_digits(message: &[u8], checksum: &[u8]) -> Result<Self, ParametersError> {
        message
            .iter()
            .chain(checksum)
            .try_for_each(|&width| check_digit_bits(width))?;
        check_message_bits(message.iter().map(|&width| usize::from(width)).sum())?;
        let maximum = largest_sum(message);
        let expected = bit_length(maximum);
        let actual = checksum
            .iter()
            .fold(0u32, |sum, &width| sum.saturating_add(width.into()));
        if actual != expected {
            return Err(ParametersError::ChecksumBits {
                actual,
                expected,
                maximum,
            });
        }
        Ok(Self {
            scheme: Scheme::Winternitz,
            message: message.into(),
            checksum: checksum.into(),
            picks: 0,
        })
    }

    /// The same shape, with the highest three bits of its first `digits` message digits published as one number each.
    ///
    /// Such a digit takes two witness items less to publish, and some bytes more: for messages whose flags would not fit the
    /// stack. It changes neither the key nor what [`PublicKey::open_bits`](crate::PublicKey::open_bits) and
    /// [`PublicKey::open_digits`](crate::PublicKey::open_digits) take.
    ///
    /// # Errors
    /// If one of these digits does not exist, has less than [`PICK_BITS`] bits, or is Lamport's.
    pub fn with_picks(&self, digits: usize) -> Result<Self, ParametersError> {
        let possible = self.possible_picks();
        if digits > possible {
            return Err(ParametersError::Picks {
                asked: digits,
                possible,
            });
        }
        Ok(Self {
            picks: digits,
            ..self.clone()
        })
    }

    /// Message digits, from the first, that may be published by a number.
    pub(crate) fn possible_picks(&self) -> usize {
        match self.scheme {
            Scheme::Winternitz => self
                .message
                .iter()
                .take_while(|&&width| width >= PICK_BITS)
                .count(),
            Scheme::Lamport => 0,
        }
    }

    /// Lamport: two hashes a bit.
    ///
    /// # Errors
    /// If there are no bits or more than [`MAX_MESSAGE_BITS`].
    pub fn lamport(bits: usize) -> Result<Self, ParametersError> {
        check_message_bits(bits)?;
        Ok(Self {
            scheme: Scheme::Lamport,
            message: vec![1; bits].into(),
            checksum: [].into(),
            picks: 0,
        })
    }

    /// Finds the cheapest shape for `bits` bits, over both schemes, all bases and all checksum layouts.
    ///
    /// # Errors
    /// If there are no bits or more than [`MAX_MESSAGE_BITS`], or no shape has as few items as the objective wants.
    pub fn cheapest(bits: usize, objective: &Objective) -> Result<Self, ParametersError> {
        check_message_bits(bits)?;
        cost::cheapest(bits, objective)
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Bits of the message.
    pub fn message_bits(&self) -> usize {
        self.message.iter().map(|&width| usize::from(width)).sum()
    }

    /// Width in bits of each message digit, lowest bits first. A Lamport digit is one bit.
    pub fn message_digits(&self) -> &[u8] {
        &self.message
    }

    /// Width in bits of each checksum digit, lowest first.
    pub fn checksum_digits(&self) -> &[u8] {
        &self.checksum
    }

    /// Message digits, from the first, that are published by a number. See [`Self::with_picks`].
    pub fn picks(&self) -> usize {
        self.picks
    }

    /// Hash chains, checksum included; two a bit for Lamport.
    pub fn chains(&self) -> usize {
        match self.scheme {
            Scheme::Winternitz => self.digits(),
            Scheme::Lamport => 2 * self.digits(),
        }
    }

    /// Witness items of an opening when it is published; the same for every message.
    pub fn signature_items(&self) -> usize {
        match self.scheme {
            Scheme::Winternitz => self
                .all_digits()
                .map(|digit| 1 + usize::from(digit.flag_bits()) + usize::from(digit.picked))
                .sum(),
            Scheme::Lamport => self.digits(),
        }
    }

    /// Witness items of an opening when it is opened to bits or digits; the same for every message.
    pub fn open_items(&self) -> usize {
        match self.scheme {
            Scheme::Winternitz => self
                .all_digits()
                .map(|digit| 1 + usize::from(digit.width))
                .sum(),
            Scheme::Lamport => self.digits(),
        }
    }

    /// Size of a public key: the ends of the chains.
    pub fn public_key_bytes(&self) -> usize {
        self.chains() * crate::ELEMENT_BYTES
    }

    /// Sizes of the script that publishes a value, and of its witness.
    pub fn publish_size(&self) -> Size {
        cost::size(self, &verifier::publish(self, &verifier::blank_ends(self)))
    }

    /// Returns a message whose opening has the longest witness, bit 0 first: [`Size::witness_bytes_max`] bytes.
    ///
    /// ```
    /// use tapcourt_commitment::{Opening, Parameters};
    ///
    /// let shape = Parameters::winternitz(32, 4)?;
    /// let witness = Opening::placeholder(&shape, &shape.heaviest_message()).witness_for_publish();
    /// let bytes: usize = witness.iter().map(|item| 1 + item.len()).sum();
    /// assert_eq!(bytes, shape.publish_size().witness_bytes_max);
    /// # Ok::<(), tapcourt_commitment::ParametersError>(())
    /// ```
    pub fn heaviest_message(&self) -> Vec<bool> {
        cost::heaviest_message(self)
    }

    /// Sizes of the script that opens a value to its bits in their natural order, and of its witness.
    ///
    /// If all message digits have the same width, every order has these sizes.
    pub fn open_bits_size(&self) -> Size {
        self.open_bits_size_in(&OpenOrder::natural(self))
    }

    /// Sizes of the script that opens a value to its bits in this order. Where digits of different widths alternate, it is
    /// longer by some bytes.
    ///
    /// # Panics
    /// If the order was made for other parameters.
    pub fn open_bits_size_in(&self, order: &OpenOrder) -> Size {
        cost::size(
            self,
            &verifier::open_bits(self, &verifier::blank_ends(self), order),
        )
    }

    /// Sizes of the script that opens a value to its digits in this way, and of its witness.
    ///
    /// # Panics
    /// If `digits` was made for other parameters.
    pub fn open_digits_size(&self, digits: &OpenDigits) -> Size {
        cost::size(
            self,
            &verifier::open_digits(self, &verifier::blank_ends(self), digits),
        )
    }

    /// Message and checksum digits.
    pub(crate) fn digits(&self) -> usize {
        self.message.len() + self.checksum.len()
    }

    /// The message digits, lowest bits first.
    pub(crate) fn message(&self) -> impl DoubleEndedIterator<Item = Digit> + Clone + '_ {
        positional(&self.message, 0, self.picks)
    }

    /// The checksum digits, lowest first.
    pub(crate) fn checksum(&self) -> impl DoubleEndedIterator<Item = Digit> + Clone + '_ {
        positional(&self.checksum, self.message.len(), 0)
    }

    /// Message digits, then checksum digits.
    pub(crate) fn all_digits(&self) -> impl Iterator<Item = Digit> + Clone + '_ {
        self.message().chain(self.checksum())
    }

    /// What message digits and checksum add up to: the largest sum of message digits.
    pub(crate) fn total(&self) -> u32 {
        largest_sum(&self.message)
    }

    /// Cuts a message into the values of its digits and appends the checksum's.
    ///
    /// # Panics
    /// If the message does not have [`Self::message_bits`] bits.
    pub(crate) fn values(&self, message: &[bool]) -> Vec<u8> {
        assert_eq!(
            message.len(),
            self.message_bits(),
            "the message has the key's number of bits"
        );
        let mut values: Vec<u8> = self
            .message()
            .map(|digit| {
                let bits = &message[digit.offset..][..usize::from(digit.width)];
                bits.iter()
                    .rev()
                    .fold(0, |value, &bit| value << 1 | u8::from(bit))
            })
            .collect();
        if self.scheme == Scheme::Winternitz {
            let checksum = self.total() - values.iter().map(|&value| u32::from(value)).sum::<u32>();
            values.extend(
                self.checksum()
                    .map(|digit| (checksum >> digit.offset & digit.maximum()) as u8),
            ); // cast ok: masked to 8 bits
        }
        values
    }

    /// The message whose digits have these values.
    pub(crate) fn message_of(&self, values: &[u8]) -> Vec<bool> {
        self.message()
            .flat_map(|digit| {
                let value = values[digit.index];
                (0..digit.width).map(move |bit| value >> bit & 1 == 1)
            })
            .collect()
    }
}

/// Bits of the checksum over message digits of these widths: as many as its largest value, the largest sum of digits, has.
///
/// ```
/// // 40 digits in base 16 add up to at most 600, and 2^9 <= 600 < 2^10.
/// assert_eq!(tapcourt_commitment::checksum_bits(&[4; 40]), 10);
/// ```
pub fn checksum_bits(message: &[u8]) -> u32 {
    bit_length(largest_sum(message))
}

fn largest_sum(widths: &[u8]) -> u32 {
    widths.iter().map(|&width| (1u32 << width) - 1).sum()
}

fn bit_length(value: u32) -> u32 {
    u32::BITS - value.leading_zeros()
}

fn positional(
    widths: &[u8],
    first_index: usize,
    picks: usize,
) -> impl DoubleEndedIterator<Item = Digit> + Clone + '_ {
    let mut offset = 0;
    let offsets: Vec<usize> = widths
        .iter()
        .map(|&width| {
            let start = offset;
            offset += usize::from(width);
            start
        })
        .collect();
    widths
        .iter()
        .enumerate()
        .zip(offsets)
        .map(move |((position, &width), offset)| Digit {
            index: first_index + position,
            width,
            offset,
            picked: position < picks,
        })
}

fn check_message_bits(bits: usize) -> Result<(), ParametersError> {
    match bits {
        1..=MAX_MESSAGE_BITS => Ok(()),
        _ => Err(ParametersError::MessageBits { bits }),
    }
}

fn check_digit_bits(width: u8) -> Result<(), ParametersError> {
    match width {
        1..=MAX_DIGIT_BITS => Ok(()),
        _ => Err(ParametersError::DigitBits { width }),
    }
}

/// The serialised form, validated when read.
#[derive(Serialize, Deserialize)]
enum Encoded {
    Winternitz {
        message: Vec<u8>,
        checksum: Vec<u8>,
    },
    Lamport {
        bits: u32,
    },
    /// Winternitz of which some digits are published by numbers: zero of them is the variant above.
    Picked {
        message: Vec<u8>,
        checksum: Vec<u8>,
        picks: u32,
    },
}

impl TryFrom<Encoded> for Parameters {
    type Error = ParametersError;

    fn try_from(encoded: Encoded) -> Result<Self, ParametersError> {
        match encoded {
            Encoded::Winternitz { message, checksum } => Self::with_digits(&message, &checksum),
            Encoded::Lamport { bits } => Self::lamport(bits as usize), // cast ok: usize has at least 32 bits here
            Encoded::Picked {
                message,
                checksum,
                picks,
            } => {
                let shape = Self::with_digits(&message, &checksum)?;
                match picks {
                    // One encoding a shape.
                    0 => Err(ParametersError::Picks {
                        asked: 0,
                        possible: shape.possible_picks(),
                    }),
                    _ => shape.with_picks(picks as usize), // cast ok: as above
                }
            }
        }
    }
}

impl From<Parameters> for Encoded {
    fn from(parameters: Parameters) -> Self {
        match parameters.scheme {
            Scheme::Winternitz if parameters.picks > 0 => Self::Picked {
                message: parameters.message.into(),
                checksum: parameters.checksum.into(),
                picks: parameters.picks as u32, // cast ok: at most MAX_MESSAGE_BITS
            },
            Scheme::Winternitz => Self::Winternitz {
                message: parameters.message.into(),
                checksum: parameters.checksum.into(),
            },
            Scheme::Lamport => Self::Lamport {
                bits: parameters.message.len() as u32,
            }, // cast ok: at most MAX_MESSAGE_BITS
        }
    }
}
