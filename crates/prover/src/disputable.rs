//! What the engines ask of a program, and the circuits' answers.

use std::collections::BTreeMap;

use tapcourt_commitment::Opening;
use tapcourt_compiler::circuit::{Compiled, Role};
use thiserror::Error;

/// A program whose execution can be disputed by the groups of values that a prover publishes.
pub trait Disputable {
    /// Returns the true value of every committed group, by group number, for the input that a claim has published.
    ///
    /// # Errors
    ///
    /// [`NotAClaim`] if a group of the input is missing or has another number of bits.
    fn true_values(&self, claim: &BTreeMap<usize, Vec<bool>>) -> Result<Vec<Vec<bool>>, NotAClaim>;

    /// Finds a disprove leaf that the values of all groups make spendable. There is one exactly if some value is false, or
    /// the output is not what the contract accepts.
    fn find_fault(&self, published: &[Vec<bool>]) -> Option<usize>;

    /// Returns what the leaf consumes, bottom first, without the challenger's signature, or `None` if an opening is missing.
    fn leaf_witness(
        &self,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>>;
}

impl Disputable for Compiled {
    fn true_values(&self, claim: &BTreeMap<usize, Vec<bool>>) -> Result<Vec<Vec<bool>>, NotAClaim> {
        let groups = self.committed_groups();
        let mut published = Vec::with_capacity(groups.len());
        for (number, group) in groups.iter().enumerate() {
            let value = claim.get(&number).cloned().unwrap_or_default();
            if group.role() == Role::Input && value.len() != group.bits() {
                return Err(NotAClaim { group: number });
            }
            published.push(value);
        }
        let input = self.published_input(&published);
        Ok(self
            .values(&input)
            .expect("the published input has one bit for each input wire"))
    }

    fn find_fault(&self, published: &[Vec<bool>]) -> Option<usize> {
        Self::find_fault(self, published)
    }

    fn leaf_witness(
        &self,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        Self::leaf_witness(self, leaf, openings)
    }
}

/// Why a claim has no execution.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("group {group} of the input is not in the claim as the program reads it")]
pub struct NotAClaim {
    /// The group.
    pub group: usize,
}
