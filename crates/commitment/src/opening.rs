//! Openings: what a signature reveals.

use crate::parameters::Parameters;
use crate::verifier::{self, Item};
use crate::{Element, OpenDigits, OpenOrder, PICK_BITS};

/// A value under a one-time key, with the chain elements that prove it.
///
/// Well-formed by construction, but whether it verifies is for [`PublicKey::verify`](crate::PublicKey::verify) to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Opening {
    parameters: Parameters,
    /// Value of each digit, message then checksum.
    values: Vec<u8>,
    /// The element revealed for each digit.
    elements: Vec<Element>,
}

impl Opening {
    /// Callers give one value and one element a digit, and values within their digits.
    pub(crate) fn new(parameters: Parameters, values: Vec<u8>, elements: Vec<Element>) -> Self {
        debug_assert_eq!(
            (values.len(), elements.len()),
            (parameters.digits(), parameters.digits())
        );
        debug_assert!(
            parameters
                .all_digits()
                .all(|digit| u32::from(values[digit.index]) <= digit.maximum())
        );
        Self {
            parameters,
            values,
            elements,
        }
    }

    /// An opening of a message under no key, its elements all zeros: of the size that a real one has.
    ///
    /// # Panics
    /// If the message does not have the shape's number of bits.
    pub fn placeholder(parameters: &Parameters, message: &[bool]) -> Self {
        let elements = vec![Element::default(); parameters.digits()];
        Self::new(parameters.clone(), parameters.values(message), elements)
    }

    /// The shape of the key.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The message that the opening claims, bit 0 first.
    pub fn message(&self) -> Vec<bool> {
        self.parameters.message_of(&self.values)
    }

    /// The witness items that [`PublicKey::publish_script`](crate::PublicKey::publish_script) consumes, bottom of the stack first.
    pub fn witness_for_publish(&self) -> Vec<Vec<u8>> {
        let ends = verifier::blank_ends(&self.parameters);
        self.witness(&verifier::publish(&self.parameters, &ends).items)
    }

    /// The witness items that [`PublicKey::open_bits`](crate::PublicKey::open_bits) consumes, bottom of the stack first.
    ///
    /// # Panics
    /// If the order was made for other parameters.
    pub fn witness_for_open(&self, order: &OpenOrder) -> Vec<Vec<u8>> {
        let ends = verifier::blank_ends(&self.parameters);
        self.witness(&verifier::open_bits(&self.parameters, &ends, order).items)
    }

    /// The witness items that [`PublicKey::open_digits`](crate::PublicKey::open_digits) consumes, bottom of the stack first.
    ///
    /// # Panics
    /// If `digits` was made for other parameters.
    pub fn witness_for_digits(&self, digits: &OpenDigits) -> Vec<Vec<u8>> {
        let ends = verifier::blank_ends(&self.parameters);
        self.witness(&verifier::open_digits(&self.parameters, &ends, digits).items)
    }

    /// The value of each message digit, the lowest bits' first.
    pub fn message_digits(&self) -> &[u8] {
        &self.values[..self.parameters.message_digits().len()]
    }

    fn witness(&self, items: &[Item]) -> Vec<Vec<u8>> {
        let bytes = |item: &Item| match *item {
            Item::Flag { digit, bit } if self.values[digit] >> bit & 1 == 1 => vec![1],
            Item::Flag { .. } => Vec::new(),
            Item::Pick { digit, bit } => vec![(1 << PICK_BITS) - (self.values[digit] >> bit)],
            Item::Element { digit } => self.elements[digit].to_vec(),
        };
        items.iter().map(bytes).collect()
    }

    /// Value of each digit, message then checksum.
    pub(crate) fn values(&self) -> &[u8] {
        &self.values
    }

    /// The element revealed for each digit.
    pub(crate) fn elements(&self) -> &[Element] {
        &self.elements
    }
}
