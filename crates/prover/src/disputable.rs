//! What the engines ask of a program, and the circuits' answers.

use std::collections::BTreeMap;

use tapcourt_commitment::Opening;
use tapcourt_compiler::circuit::{Compiled, Role};
use tapcourt_protocol::Stage;
use thiserror::Error;

/// Values of groups, by group number; bit 0 first.
pub type Values = BTreeMap<usize, Vec<bool>>;

/// What the challenger does when everything of a stage is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It spends this disprove leaf of the stage.
    Disprove {
        /// The leaf.
        leaf: usize,
    },
    /// It has something opened: which, [`Disputable::answer`] says.
    Open,
    /// Nothing is false.
    Concede,
}

/// A program whose execution can be disputed by the groups of values that the parties publish.
///
/// Every answer is a function of what was published before, so that a party that restarts says the same again.
pub trait Disputable {
    /// Returns what an honest party publishes in the groups of its next move. `published` is everything before that move, of both
    /// parties.
    ///
    /// # Errors
    ///
    /// [`NotAClaim`] if a group that the answer depends on is missing or has another number of bits.
    fn answer(&self, groups: &[usize], published: &Values) -> Result<Values, NotAClaim>;

    /// Says whether a claim is false.
    ///
    /// # Errors
    ///
    /// [`NotAClaim`] if a group of it is missing or has another number of bits.
    fn is_claim_false(&self, published: &Values) -> Result<bool, NotAClaim>;

    /// Judges what was published up to the end of a stage. Against a false claim, an honest challenger always finds something.
    ///
    /// # Errors
    ///
    /// [`NotAClaim`] if a group is missing or has another number of bits.
    fn judge(&self, stage: Stage, published: &Values) -> Result<Verdict, NotAClaim>;

    /// Returns what a leaf of a stage consumes, bottom first, without the challenger's signature, or `None` if an opening is missing.
    fn leaf_witness(
        &self,
        stage: Stage,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>>;
}

/// The true value of every committed group, for the input that was published.
fn true_values(compiled: &Compiled, published: &Values) -> Result<Vec<Vec<bool>>, NotAClaim> {
    let groups = compiled.committed_groups();
    let mut known = Vec::with_capacity(groups.len());
    for (number, group) in groups.iter().enumerate() {
        let value = published.get(&number).cloned().unwrap_or_default();
        if group.role() == Role::Input && value.len() != group.bits() {
            return Err(NotAClaim { group: number });
        }
        known.push(value);
    }
    let input = compiled.published_input(&known);
    Ok(compiled
        .values(&input)
        .expect("the published input has one bit for each input wire"))
}

impl Disputable for Compiled {
    fn answer(&self, groups: &[usize], published: &Values) -> Result<Values, NotAClaim> {
        let truth = true_values(self, published)?;
        let value = |&group: &usize| {
            let value = truth.get(group).ok_or(NotAClaim { group })?;
            Ok((group, value.clone()))
        };
        groups.iter().map(value).collect()
    }

    fn is_claim_false(&self, published: &Values) -> Result<bool, NotAClaim> {
        let truth = true_values(self, published)?;
        let differs = published
            .iter()
            .any(|(group, value)| truth.get(*group) != Some(value));
        Ok(differs || self.find_fault(&truth).is_some())
    }

    fn judge(&self, _stage: Stage, published: &Values) -> Result<Verdict, NotAClaim> {
        let groups = 0..self.committed_groups().len();
        let all = groups.map(|group| published.get(&group).cloned().ok_or(NotAClaim { group }));
        let fault = self.find_fault(&all.collect::<Result<Vec<_>, _>>()?);
        Ok(fault.map_or(Verdict::Concede, |leaf| Verdict::Disprove { leaf }))
    }

    fn leaf_witness(
        &self,
        _stage: Stage,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        Self::leaf_witness(self, leaf, openings)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("group {group} was not published as the program reads it")]
pub struct NotAClaim {
    /// The group.
    pub group: usize,
}
