//! One-time keys: derive, sign, verify, recover.

use serde::{Deserialize, Serialize};
use tapcourt_script::{Fragment, StackEffect};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::chain::{advance, step};
use crate::parameters::{Parameters, Scheme};
use crate::verifier::{self, Item};
use crate::{Destination, Element, KeyPath, OpenDigits, OpenOrder, Opening, PICK_BITS, Seed};

/// The secret half of a one-time key: the starts of its chains.
///
/// It must sign one value only: two openings under one key reveal chain elements from which a third party can put together others.
/// Deliberately neither `Debug`, `Clone` nor serialisable; overwritten when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
#[expect(missing_debug_implementations, reason = "a secret must not be printed")]
pub struct SecretKey {
    #[zeroize(skip)]
    parameters: Parameters,
    starts: Vec<Element>,
}

impl SecretKey {
    /// Derives the key of a path.
    pub fn derive(seed: &Seed, path: &KeyPath<'_>, parameters: &Parameters) -> Self {
        let chains = parameters.chains() as u32; // cast ok: at most 2 · MAX_MESSAGE_BITS
        let starts = (0..chains)
            .map(|index| seed.chain_start(path, index))
            .collect();
        Self {
            parameters: parameters.clone(),
            starts,
        }
    }

    /// The shape of the key.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Computes the public half.
    pub fn public_key(&self) -> PublicKey {
        let ends = match self.parameters.scheme() {
            Scheme::Winternitz => self
                .parameters
                .all_digits()
                .map(|digit| advance(&self.starts[digit.index], digit.maximum()))
                .collect(),
            Scheme::Lamport => self.starts.iter().map(|start| step(start)).collect(),
        };
        PublicKey {
            parameters: self.parameters.clone(),
            ends,
        }
    }

    /// Opens the commitment to `message`, bit 0 first.
    ///
    /// Whoever calls this must have recorded durably that the key is spent.
    ///
    /// # Panics
    /// If the message does not have the key's number of bits.
    pub fn sign(&self, message: &[bool]) -> Opening {
        let values = self.parameters.values(message);
        let elements = match self.parameters.scheme() {
            Scheme::Winternitz => self
                .parameters
                .all_digits()
                .map(|digit| {
                    advance(
                        &self.starts[digit.index],
                        digit.maximum() - u32::from(values[digit.index]),
                    )
                })
                .collect(),
            Scheme::Lamport => values
                .iter()
                .enumerate()
                .map(|(index, &bit)| self.starts[2 * index + usize::from(bit)])
                .collect(),
        };
        Opening::new(self.parameters.clone(), values, elements)
    }
}

/// The public half of a one-time key: its shape and the ends of its chains.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "EncodedKey")]
pub struct PublicKey {
    parameters: Parameters,
    ends: Vec<Element>,
}

/// Why these are not the ends of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{actual} chain ends where the key has {expected} chains")]
pub struct WrongEnds {
    /// Ends given.
    pub actual: usize,
    /// Chains of the key.
    pub expected: usize,
}

/// Why an opening does not verify under a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The opening is of another shape.
    #[error("the opening was made for a key of another shape")]
    OtherParameters,
    /// The element does not lead to the end of its chain.
    #[error("the element of digit {digit} is not {value} hashes from its chain's end")]
    WrongElement {
        /// Index of the digit; message digits come first.
        digit: usize,
        /// Its claimed value.
        value: u8,
    },
    /// The digits and the checksum do not add up.
    #[error("digits and checksum add up to {actual} instead of {expected}")]
    WrongChecksum {
        /// Their sum.
        actual: u32,
        /// What every honest opening adds up to.
        expected: u32,
    },
}

/// Why witness items are not an opening.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// Another number of items.
    #[error("{actual} witness items where an opening has {expected}")]
    ItemCount {
        /// Items given.
        actual: usize,
        /// Items of every opening under this key.
        expected: usize,
    },
    /// A flag that is neither empty nor the byte 1.
    #[error("witness item {position} ({bytes} bytes) is not a flag: flags are empty or the byte 1")]
    NotAFlag {
        /// Index of the item, from the bottom of the stack.
        position: usize,
        /// Its size in bytes.
        bytes: usize,
    },
    /// A number that is not 1 to 8 in one byte.
    #[error("witness item {position} ({bytes} bytes) is not a number from 1 to 8 in one byte")]
    NotAPick {
        /// Index of the item, from the bottom of the stack.
        position: usize,
        /// Its size in bytes.
        bytes: usize,
    },
    /// A chain element of the wrong size.
    #[error("witness item {position} has {bytes} bytes; a chain element has 20")]
    NotAnElement {
        /// Index of the item, from the bottom of the stack.
        position: usize,
        /// Its size in bytes.
        bytes: usize,
    },
    /// A selected value that is none of the options.
    #[error("option {value} selected, where there are {options}, from 0")]
    NotAnOption {
        /// The value.
        value: u32,
        /// How many options there are.
        options: u32,
    },
    /// The items are well-formed, but no opening under this key.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl PublicKey {
    /// Takes a key received from elsewhere.
    ///
    /// # Errors
    /// If the number of ends is not [`Parameters::chains`].
    pub fn new(parameters: Parameters, ends: Vec<Element>) -> Result<Self, WrongEnds> {
        let (actual, expected) = (ends.len(), parameters.chains());
        if actual != expected {
            return Err(WrongEnds { actual, expected });
        }
        Ok(Self { parameters, ends })
    }

    /// The shape of the key.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The ends of the chains; for Lamport, of each bit first the hash for 0 and then the one for 1.
    pub fn ends(&self) -> &[Element] {
        &self.ends
    }

    /// Verifies an opening off chain and returns its message. Accepts what the scripts accept, and nothing else.
    ///
    /// # Errors
    /// If the opening has another shape, an element does not lead to its end, or the checksum is wrong.
    pub fn verify(&self, opening: &Opening) -> Result<Vec<bool>, VerifyError> {
        if *opening.parameters() != self.parameters {
            return Err(VerifyError::OtherParameters);
        }
        for (digit, (&value, element)) in
            opening.values().iter().zip(opening.elements()).enumerate()
        {
            let leads_to_end = match self.parameters.scheme() {
                Scheme::Winternitz => advance(element, value.into()) == self.ends[digit],
                Scheme::Lamport => step(element) == self.ends[2 * digit + usize::from(value)],
            };
            if !leads_to_end {
                return Err(VerifyError::WrongElement { digit, value });
            }
        }
        if self.parameters.scheme() == Scheme::Winternitz {
            let expected = self.parameters.total();
            let actual = self
                .parameters
                .all_digits()
                .map(|digit| {
                    u32::from(opening.values()[digit.index])
                        << digit_place(&self.parameters, &digit)
                })
                .sum();
            if actual != expected {
                return Err(VerifyError::WrongChecksum { actual, expected });
            }
        }
        Ok(self.parameters.message_of(opening.values()))
    }

    /// Reads and verifies the opening in the witness items that a publishing script consumed, bottom of the stack first.
    ///
    /// # Errors
    /// If the script would refuse the items.
    pub fn recover(&self, witness: &[Vec<u8>]) -> Result<Opening, RecoverError> {
        self.recover_items(
            &verifier::publish(&self.parameters, &self.ends).items,
            witness,
        )
    }

    /// Reads and verifies the opening in the witness items that an opening script consumed, bottom of the stack first.
    ///
    /// # Errors
    /// If the script would refuse the items.
    pub fn recover_open(
        &self,
        order: &OpenOrder,
        witness: &[Vec<u8>],
    ) -> Result<Opening, RecoverError> {
        self.recover_items(
            &verifier::open_bits(&self.parameters, &self.ends, order).items,
            witness,
        )
    }

    /// Reads and verifies the opening in the witness items that a script opening digits consumed, bottom of the stack first.
    ///
    /// # Errors
    /// If the script would refuse the items.
    pub fn recover_digits(
        &self,
        digits: &OpenDigits,
        witness: &[Vec<u8>],
    ) -> Result<Opening, RecoverError> {
        self.recover_items(
            &verifier::open_digits(&self.parameters, &self.ends, digits).items,
            witness,
        )
    }

    pub(crate) fn recover_items(
        &self,
        items: &[Item],
        witness: &[Vec<u8>],
    ) -> Result<Opening, RecoverError> {
        if witness.len() != items.len() {
            return Err(RecoverError::ItemCount {
                actual: witness.len(),
                expected: items.len(),
            });
        }
        let mut values = vec![0u8; self.parameters.digits()];
        let mut elements = vec![Element::default(); self.parameters.digits()];
        for (position, (item, bytes)) in items.iter().zip(witness).enumerate() {
            match *item {
                Item::Flag { digit, bit } => match bytes.as_slice() {
                    [] => {}
                    [1] => values[digit] |= 1 << bit,
                    _ => {
                        return Err(RecoverError::NotAFlag {
                            position,
                            bytes: bytes.len(),
                        });
                    }
                },
                Item::Pick { digit, bit } => match bytes.as_slice() {
                    &[number @ 1..=8] => values[digit] |= ((1 << PICK_BITS) - number) << bit,
                    _ => {
                        return Err(RecoverError::NotAPick {
                            position,
                            bytes: bytes.len(),
                        });
                    }
                },
                Item::Element { digit } => {
                    elements[digit] =
                        bytes
                            .as_slice()
                            .try_into()
                            .map_err(|_| RecoverError::NotAnElement {
                                position,
                                bytes: bytes.len(),
                            })?;
                    if self.parameters.scheme() == Scheme::Lamport {
                        values[digit] =
                            u8::from(step(&elements[digit]) == self.ends[2 * digit + 1]);
                    }
                }
            }
        }
        let opening = Opening::new(self.parameters.clone(), values, elements);
        self.verify(&opening)?;
        Ok(opening)
    }

    /// The script that publishes a value: consumes the items of [`Opening::witness_for_publish`] from the top of the stack and
    /// leaves nothing.
    pub fn publish_script(&self) -> Fragment {
        let script = verifier::publish(&self.parameters, &self.ends).script;
        let items = self.parameters.signature_items() as u32; // cast ok: at most a few times MAX_MESSAGE_BITS
        Fragment::new(script, StackEffect::new(items, 0))
    }

    /// The script that opens a value to its bits: consumes the items of [`Opening::witness_for_open`] from the top of the
    /// stack, and leaves every message bit on the altstack, empty or the byte 1, in the order given.
    ///
    /// # Panics
    /// If the order was made for other parameters.
    pub fn open_bits(&self, order: &OpenOrder) -> Fragment {
        let script = verifier::open_bits(&self.parameters, &self.ends, order).script;
        let bits = self.parameters.message_bits() as u32; // cast ok: at most MAX_MESSAGE_BITS
        Fragment::new(
            script,
            StackEffect::new(self.open_items(), 0).with_alt(0, bits),
        )
    }

    /// The script that opens a value to its digits as numbers: consumes the items of [`Opening::witness_for_digits`] from the
    /// top of the stack, and leaves one number a message digit, minimally encoded, in the order and place that `digits` says.
    ///
    /// # Panics
    /// If `digits` was made for other parameters.
    pub fn open_digits(&self, digits: &OpenDigits) -> Fragment {
        let script = verifier::open_digits(&self.parameters, &self.ends, digits).script;
        let numbers = self.parameters.message_digits().len() as u32; // cast ok: at most MAX_MESSAGE_BITS
        let effect = match digits.destination() {
            Destination::Altstack => StackEffect::new(self.open_items(), 0).with_alt(0, numbers),
            Destination::Stack => StackEffect::new(self.open_items(), numbers),
        };
        Fragment::new(script, effect)
    }

    fn open_items(&self) -> u32 {
        self.parameters.open_items() as u32 // cast ok: at most a few times MAX_MESSAGE_BITS
    }
}

/// Place value of a digit in the sum, as a power of two: message digits count as they are, checksum digits by position.
fn digit_place(parameters: &Parameters, digit: &crate::parameters::Digit) -> usize {
    if digit.index < parameters.message_digits().len() {
        0
    } else {
        digit.offset
    }
}

/// The serialised form, validated when read.
#[derive(Deserialize)]
struct EncodedKey {
    parameters: Parameters,
    ends: Vec<Element>,
}

impl TryFrom<EncodedKey> for PublicKey {
    type Error = WrongEnds;

    fn try_from(encoded: EncodedKey) -> Result<Self, WrongEnds> {
        Self::new(encoded.parameters, encoded.ends)
    }
}
