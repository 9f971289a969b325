//! What the engines ask of a program.

use std::collections::BTreeMap;

use tapcourt_commitment::Opening;
use thiserror::Error;

/// A program whose execution can be disputed by the groups of values that a prover publishes.
pub trait Disputable {
    /// Returns the true value of every group, by group number, for the input that a claim has published.
    ///
    /// # Errors
    ///
    /// [`NotAClaim`] if a group of the input is missing or has another number of bits.
    fn true_values(&self, claim: &BTreeMap<usize, Vec<bool>>) -> Result<Vec<Vec<bool>>, NotAClaim>;

    /// Finds a disprove leaf that the published values make spendable: there is one exactly if some value is false.
    fn find_fault(&self, published: &[Vec<bool>]) -> Option<usize>;

    /// Returns what the leaf consumes, bottom first, without the challenger's signature; `openings` are those of all groups.
    fn leaf_witness(&self, leaf: usize, openings: &[Opening]) -> Vec<Vec<u8>>;
}

/// Why a claim has no execution.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("group {group} of the input is not in the claim as the program reads it")]
pub struct NotAClaim {
    /// The group.
    pub group: usize,
}
