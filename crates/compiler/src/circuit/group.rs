//! Groups of bits that share a one-time key.

use tapcourt_commitment::{OpenOrder, Parameters, Size};

use crate::circuit::cells::Operand;

/// What a group's bits are to the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Input wires: published with the claim, checked by nobody.
    Input,
    /// Output wires: published with the claim.
    Output,
    /// Values in between: published when the claim is challenged.
    Intermediate,
    /// Output wires that the contract fixes: published by nobody, checked against constants.
    Accepted,
}

/// Bits that are committed to, published and opened together.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name, unique in the program.
    pub(crate) label: String,
    pub(crate) role: Role,
    /// Shape of the one-time key; none for fixed outputs.
    pub(crate) parameters: Option<Parameters>,
    /// Sizes of opening the key to bits, in their natural order.
    pub(crate) open_size: Option<Size>,
    pub(crate) slots: Vec<Slot>,
}

/// One bit of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) source: SlotSource,
    pub(crate) expected: Expected,
}

/// What the honest bit is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SlotSource {
    Value(Operand),
    Constant(bool),
}

/// What a slot's value is held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    Published,
    Constant(bool),
}

impl Group {
    /// Name, unique in the program.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What the bits are to the program.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Number of bits.
    pub fn bits(&self) -> usize {
        self.slots.len()
    }

    /// Shape of the one-time key; none for outputs that the contract fixes.
    pub fn parameters(&self) -> Option<&Parameters> {
        self.parameters.as_ref()
    }

    /// Sizes of opening the key to bits in some order, on which they depend where digits differ in width.
    pub(crate) fn open_size_in(&self, order: &OpenOrder) -> Size {
        let parameters = self.parameters.as_ref().expect("what is opened has a key");
        match self.open_size {
            Some(size) if parameters.message_digits().windows(2).all(|d| d[0] == d[1]) => size,
            _ => parameters.open_bits_size_in(order),
        }
    }

    pub(crate) fn is_committed(&self) -> bool {
        self.parameters.is_some()
    }
}
