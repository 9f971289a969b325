//! Parties that do not do what they should.

use std::collections::BTreeMap;

use tapcourt_commitment::Opening;
use tapcourt_compiler::riscv::{Court, Group, Party, PathAccess, Published};
use tapcourt_program::riscv::{DisputedStep, Execution, Node};
use tapcourt_protocol::Stage;
use tapcourt_prover::trace::TraceDispute;
use tapcourt_prover::{Disputable, NotAClaim, Values, Verdict};

/// A prover that answers with the execution of another input than it has claimed.
pub(crate) struct OtherInput<'a> {
    truth: TraceDispute<'a>,
    input: Values,
}

impl<'a> OtherInput<'a> {
    pub(crate) fn new(court: &'a Court, input: &[u32]) -> Self {
        let truth = TraceDispute::new(court);
        let input = truth.claim(input);
        Self { truth, input }
    }
}

/// A prover that is consistent but for one step: a word that it reads was another, or the root after it is any.
pub(crate) struct FalseStep<'a> {
    truth: TraceDispute<'a>,
    step: u64,
    said: DisputedStep,
}

impl<'a> FalseStep<'a> {
    /// Another word is read, and what follows from it is true; `None` if nothing that the step says depends on it.
    pub(crate) fn reads(
        court: &'a Court,
        input: &[u32],
        step: u64,
        access: PathAccess,
    ) -> Option<Self> {
        let mut execution = Execution::new(court.program(), input);
        let truth = execution.step_at(step);
        let mut record = truth.record;
        match access {
            PathAccess::A => record.a.value ^= 2,
            PathAccess::B => record.b.value ^= 2,
            _ => record.m.value ^= 2,
        }
        record = record.consequence(
            court.program().rom().get(record.pc),
            3,
            court.program().space(),
        );
        let (_, path) = execution.path_at(step, record.w.cell);
        let next_root = path.root(record.w.value);
        (record != truth.record).then(|| Self {
            truth: TraceDispute::new(court),
            step,
            said: DisputedStep {
                record,
                next_root,
                ..truth
            },
        })
    }

    /// The root after a step is false.
    pub(crate) fn next_root(court: &'a Court, input: &[u32], step: u64) -> Self {
        let truth = Execution::new(court.program(), input).step_at(step);
        Self {
            truth: TraceDispute::new(court),
            step,
            said: DisputedStep {
                next_root: Node::from_bytes([0xdd; 20]),
                ..truth
            },
        }
    }

    /// After how many steps the state is whose digest a group is.
    fn border(&self, round: u32, index: u32, published: &Published) -> u64 {
        let search = self.truth.court().search();
        let selections: Vec<u32> = (0..round)
            .map(|round| published.word(Group::Selection(round)).unwrap())
            .collect();
        let (first, count) = search.left_after(&selections).unwrap();
        first + u64::from(index + 1) * (count / u64::from(search.arity(round)))
    }
}

impl Disputable for FalseStep<'_> {
    fn answer(&self, groups: &[usize], published: &Values) -> Result<Values, NotAClaim> {
        let mut answer = self.truth.answer(groups, published)?;
        let mut all = published.clone();
        all.extend(answer.clone());
        let known = self.truth.published(&all);
        let roots = (self.said.root.to_bytes(), self.said.next_root.to_bytes());
        let mut said = Published::new();
        said.set_step(&self.said.record, &roots.0, &roots.1);
        for (&number, value) in &mut answer {
            let group = self.truth.court().entries()[number].group;
            if let Group::Digest { round, index } = group {
                let border = self.border(round, index, &known);
                if border == self.step + 1 {
                    said.set_node(group, &self.said.next_digest().to_bytes());
                } else if border > self.step {
                    said.set_node(group, &[0xee; 20]);
                }
            }
            if let Ok(bits) = said.bits(group) {
                *value = bits.to_vec();
            }
        }
        Ok(answer)
    }

    fn is_claim_false(&self, published: &Values) -> Result<bool, NotAClaim> {
        self.truth.is_claim_false(published)
    }

    fn judge(&self, stage: Stage, published: &Values) -> Result<Verdict, NotAClaim> {
        self.truth.judge(stage, published)
    }

    fn leaf_witness(
        &self,
        stage: Stage,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.truth.leaf_witness(stage, leaf, openings)
    }
}

impl Disputable for OtherInput<'_> {
    fn answer(&self, groups: &[usize], published: &Values) -> Result<Values, NotAClaim> {
        let mut replaced = published.clone();
        replaced.extend(self.input.clone());
        self.truth.answer(groups, &replaced)
    }

    fn is_claim_false(&self, published: &Values) -> Result<bool, NotAClaim> {
        self.truth.is_claim_false(published)
    }

    fn judge(&self, stage: Stage, published: &Values) -> Result<Verdict, NotAClaim> {
        self.truth.judge(stage, published)
    }

    fn leaf_witness(
        &self,
        stage: Stage,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.truth.leaf_witness(stage, leaf, openings)
    }
}

/// A challenger that disputes what is true, and selects what it likes.
pub(crate) struct Anyway<'a> {
    truth: TraceDispute<'a>,
    /// What it selects in every round, or the last part if there are not as many.
    pub(crate) selects: u32,
    /// Which access it has opened, if any.
    pub(crate) opens: Option<u32>,
}

impl<'a> Anyway<'a> {
    pub(crate) fn new(court: &'a Court, selects: u32, opens: Option<u32>) -> Self {
        Self {
            truth: TraceDispute::new(court),
            selects,
            opens,
        }
    }
}

impl Disputable for Anyway<'_> {
    fn answer(&self, groups: &[usize], published: &Values) -> Result<Values, NotAClaim> {
        let mut answer = self.truth.answer(groups, published)?;
        let court = self.truth.court();
        for (&number, value) in &mut answer {
            let entry = &court.entries()[number];
            if entry.party != Party::Challenger {
                continue;
            }
            let chosen = match entry.group {
                Group::Selection(round) => self.selects.min(court.search().arity(round) - 1),
                Group::PathSelection(round) => {
                    self.selects.min(court.paths().search().arity(round) - 1)
                }
                _ => self.opens.unwrap_or_default(),
            };
            *value = (0..value.len()).map(|bit| chosen >> bit & 1 == 1).collect();
        }
        Ok(answer)
    }

    fn is_claim_false(&self, _: &Values) -> Result<bool, NotAClaim> {
        Ok(true)
    }

    fn judge(&self, stage: Stage, published: &Values) -> Result<Verdict, NotAClaim> {
        match (stage, self.opens) {
            (Stage::Dispute, Some(_)) => Ok(Verdict::Open),
            _ => self.truth.judge(stage, published),
        }
    }

    fn leaf_witness(
        &self,
        stage: Stage,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.truth.leaf_witness(stage, leaf, openings)
    }
}
