//! Sizes of transactions before they exist: weights with the longest and the mean witness, and the stack at its highest.

use bitcoin::{Transaction, VarInt};
use serde::Serialize;
use tapcourt_commitment::{Parameters as Shape, Size};

use crate::moves::Publication;

/// A transaction's weight, predicted from shapes alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PredictedWeight {
    /// The weight with the longest witness the scripts accept.
    pub max_wu: u64,
    /// The mean weight over uniformly random messages.
    pub mean_wu: f64,
}

/// The size of one group's opening in a publish leaf, or of a choice, or of an agreement with one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupSize {
    /// Script bytes.
    pub script_bytes: usize,
    /// Witness items.
    pub items: usize,
    /// Bytes of the longest accepted opening, the length prefix of each item included.
    pub witness_bytes_max: usize,
    /// Mean bytes of an opening, the length prefix of each item included.
    pub witness_bytes_mean: f64,
    /// Stack and altstack items at the highest, the opening's own included.
    pub max_stack: usize,
}

impl GroupSize {
    /// Looks up the size of a shape's opening.
    pub fn of(shape: &Shape) -> Self {
        Self::from_size(&shape.publish_size())
    }

    fn from_size(size: &Size) -> Self {
        Self {
            script_bytes: size.script_bytes,
            items: size.items,
            witness_bytes_max: size.witness_bytes_max,
            witness_bytes_mean: size.witness_bytes_mean,
            max_stack: size.max_stack,
        }
    }

    /// Returns script and longest witness together: a byte of witness is one weight unit.
    pub(crate) fn weight_wu(&self) -> u64 {
        (self.script_bytes + self.witness_bytes_max) as u64
    }
}

/// The sizes of everything that a contract's groups can be published as.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizes {
    shapes: Vec<Shape>,
    values: Vec<GroupSize>,
}

impl Sizes {
    /// Looks up the sizes of groups of these shapes, by group number.
    pub fn new(shapes: Vec<Shape>) -> Self {
        // Most groups share a few shapes.
        let mut known = std::collections::HashMap::new();
        let values = shapes
            .iter()
            .map(|shape| *known.entry(shape).or_insert_with(|| GroupSize::of(shape)))
            .collect();
        Self { shapes, values }
    }

    /// Returns the size of a publication.
    ///
    /// # Panics
    ///
    /// When there is no such group, or a choice is not under a key of its shape.
    pub fn publication(&self, publication: &Publication) -> GroupSize {
        match *publication {
            Publication::Value(group) => self.values[group],
            Publication::Choice { group, options } => {
                GroupSize::from_size(&self.shapes[group].choose_size(options))
            }
            Publication::Agreement { own, .. } => {
                GroupSize::from_size(&self.shapes[own].agree_size())
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn value_mut(&mut self, group: usize) -> &mut GroupSize {
        &mut self.values[group]
    }

    /// Returns the size of an input that publishes these.
    ///
    /// # Panics
    ///
    /// As [`Sizes::publication`].
    pub fn batch(&self, publications: &[Publication]) -> InputSize {
        let sizes: Vec<GroupSize> = publications
            .iter()
            .map(|publication| self.publication(publication))
            .collect();
        InputSize::publish(&sizes)
    }
}

/// The size of the witness of one input that spends a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputSize {
    /// Witness items before script and control block.
    pub items: usize,
    /// Bytes of these items at most, the length prefix of each included.
    pub items_bytes_max: usize,
    /// Mean bytes of these items.
    pub items_bytes_mean: f64,
    /// Script bytes.
    pub script_bytes: usize,
    /// Control block bytes: 33 and 32 for each level.
    pub control_block_bytes: usize,
    /// Stack and altstack items at the highest.
    pub peak_stack: usize,
}

/// A 64-byte signature and its length prefix.
pub(crate) const SIGNATURE_ITEM_BYTES: usize = 65;
/// Push of a 32-byte key and `OP_CHECKSIG`.
pub(crate) const CHECKSIG_SCRIPT_BYTES: usize = 34;
/// The control block of a leaf at depth 1.
const TWO_LEAF_CONTROL_BLOCK_BYTES: usize = 65;

impl InputSize {
    /// Calculates the size of a publishing input: a move's leaf next to its timeout leaf.
    pub fn publish<'a>(groups: impl IntoIterator<Item = &'a GroupSize>) -> Self {
        let groups: Vec<&GroupSize> = groups.into_iter().collect();
        let mut below = 1 + groups.iter().map(|group| group.items).sum::<usize>();
        let mut peak = below;
        for group in &groups {
            below -= group.items;
            peak = peak.max(below + group.max_stack);
        }
        Self {
            items: 1 + groups.iter().map(|group| group.items).sum::<usize>(),
            items_bytes_max: SIGNATURE_ITEM_BYTES
                + groups
                    .iter()
                    .map(|group| group.witness_bytes_max)
                    .sum::<usize>(),
            items_bytes_mean: SIGNATURE_ITEM_BYTES as f64
                + groups
                    .iter()
                    .map(|group| group.witness_bytes_mean)
                    .sum::<f64>(),
            script_bytes: CHECKSIG_SCRIPT_BYTES
                + groups.iter().map(|group| group.script_bytes).sum::<usize>(),
            control_block_bytes: TWO_LEAF_CONTROL_BLOCK_BYTES,
            peak_stack: peak.max(2),
        }
    }

    /// Calculates the size of an input whose witness is `signatures` signatures.
    pub(crate) fn signatures(
        signatures: usize,
        script_bytes: usize,
        control_block_bytes: usize,
    ) -> Self {
        Self {
            items: signatures,
            items_bytes_max: signatures * SIGNATURE_ITEM_BYTES,
            items_bytes_mean: (signatures * SIGNATURE_ITEM_BYTES) as f64,
            script_bytes,
            control_block_bytes,
            peak_stack: signatures + 1,
        }
    }

    /// Returns the witness bytes apart from the items: counts, script, control block.
    fn frame_bytes(&self) -> usize {
        let prefixed = |bytes: usize| VarInt::from(bytes).size() + bytes;
        VarInt::from(self.items + 2).size()
            + prefixed(self.script_bytes)
            + prefixed(self.control_block_bytes)
    }

    /// Returns the witness' weight at most.
    pub fn max_wu(&self) -> u64 {
        (self.frame_bytes() + self.items_bytes_max) as u64
    }

    /// Returns the witness' mean weight.
    pub fn mean_wu(&self) -> f64 {
        self.frame_bytes() as f64 + self.items_bytes_mean
    }
}

/// Segwit's marker and flag, once a transaction.
const MARKER_WU: u64 = 2;

/// Calculates the weight of a presigned move with `connectors` taproot outputs and the anchor.
pub(crate) fn presigned_weight_wu(connectors: usize, inputs: &[InputSize]) -> u64 {
    let counts = VarInt::from(inputs.len()).size() + VarInt::from(connectors + 1).size();
    // Version, lock time; outpoint, empty scriptSig, sequence; value, length, script of P2TR and of P2A.
    let base = 4 + 4 + counts + inputs.len() * 41 + connectors * 43 + 13;
    4 * base as u64 + MARKER_WU + inputs.iter().map(InputSize::max_wu).sum::<u64>()
}

/// Calculates the weight of a transaction from its unsigned form and the sizes of its witnesses.
pub(crate) fn predict(unsigned: &Transaction, inputs: &[InputSize]) -> PredictedWeight {
    let base = 4 * unsigned.base_size() as u64 + MARKER_WU;
    PredictedWeight {
        max_wu: base + inputs.iter().map(InputSize::max_wu).sum::<u64>(),
        mean_wu: base as f64 + inputs.iter().map(InputSize::mean_wu).sum::<f64>(),
    }
}
