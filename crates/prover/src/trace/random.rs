//! A challenger that selects anything, for simulations and tests.

use std::collections::BTreeMap;

use tapcourt_commitment::Opening as KeyOpening;
use tapcourt_compiler::riscv::{Group, Party, PathAccess};
use tapcourt_protocol::Stage;

use super::TraceDispute;
use crate::disputable::{Disputable, NotAClaim, Values, Verdict};

/// Selects anything, and has any access opened; the same from the same seed. It disproves what can be disproved.
#[derive(Debug)]
pub struct RandomSelections<'d, 'a> {
    truth: &'d TraceDispute<'a>,
    seed: u64,
}

impl<'d, 'a> RandomSelections<'d, 'a> {
    /// Selections from a seed.
    pub fn new(truth: &'d TraceDispute<'a>, seed: u64) -> Self {
        Self { truth, seed }
    }

    /// One of so many options, from the seed and the label of what is selected.
    fn pick(&self, label: &str, options: u32) -> u32 {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.seed.to_le_bytes());
        hash.update(label.as_bytes());
        let [a, b, c, d, ..] = *hash.finalize().as_bytes();
        u32::from_le_bytes([a, b, c, d]) % options
    }
}

impl Disputable for RandomSelections<'_, '_> {
    fn answer(&self, groups: &[usize], _values: &Values) -> Result<Values, NotAClaim> {
        let court = self.truth.court();
        let mut answer = Values::new();
        for &number in groups {
            let entry = court.entries().get(number);
            let entry = entry.filter(|entry| entry.party == Party::Challenger);
            let entry = entry.ok_or(NotAClaim { group: number })?;
            let options = match entry.group {
                Group::Selection(round) => court.search().arity(round),
                Group::PathSelection(round) => court.paths().search().arity(round),
                _ => PathAccess::NUMBERS,
            };
            let chosen = self.pick(&entry.label, options);
            let bits = 0..entry.parameters.message_bits();
            answer.insert(number, bits.map(|bit| chosen >> bit & 1 == 1).collect());
        }
        Ok(answer)
    }

    fn is_claim_false(&self, values: &Values) -> Result<bool, NotAClaim> {
        self.truth.is_claim_false(values)
    }

    fn judge(&self, stage: Stage, values: &Values) -> Result<Verdict, NotAClaim> {
        match (self.truth.judge(stage, values)?, stage) {
            (Verdict::Concede, Stage::Dispute) => Ok(Verdict::Open),
            (verdict, _) => Ok(verdict),
        }
    }

    fn leaf_witness(
        &self,
        stage: Stage,
        leaf: usize,
        openings: &BTreeMap<usize, KeyOpening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.truth.leaf_witness(stage, leaf, openings)
    }
}
