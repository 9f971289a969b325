//! A RISC-V program as the engines ask for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use tapcourt_commitment::Opening as KeyOpening;
use tapcourt_compiler::riscv::{Court, End, Entry, Group, Party, Published, PublishedError};
use tapcourt_program::riscv::{Execution, SnapshotLimits};
use tapcourt_protocol::Stage;

use super::{Answers, Challenges, Verdict};
use crate::disputable::{Disputable, NotAClaim, Values, Verdict as Judgement};

/// The dispute over the trace of a program, for either party.
///
/// It executes the program on the claimed input when something is first asked of it, and keeps snapshots, so that what is asked later costs a part
/// of that. Everything it says is a function of what was published.
#[derive(Debug)]
pub struct TraceDispute<'a> {
    court: &'a Court,
    limits: SnapshotLimits,
    run: Mutex<Option<(Vec<u32>, Execution<'a>)>>,
}

/// What is to be said, of which a move may hold a part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Digests(u32),
    Record,
    Nodes(u32),
    Sibling,
}

impl<'a> TraceDispute<'a> {
    /// A dispute in this court.
    pub fn new(court: &'a Court) -> Self {
        Self::with_limits(court, SnapshotLimits::default())
    }

    /// The same with other limits on snapshots.
    pub fn with_limits(court: &'a Court, limits: SnapshotLimits) -> Self {
        Self {
            court,
            limits,
            run: Mutex::new(None),
        }
    }

    /// The court.
    pub fn court(&self) -> &'a Court {
        self.court
    }

    /// What is published to claim that the program accepts this input; missing words are 0.
    pub fn claim(&self, input: &[u32]) -> Values {
        let mut published = Published::new();
        let words = self.court.steps().options().inputs as usize; // cast ok: at most 2^16
        let mut padded = input.to_vec();
        padded.resize(words, 0);
        published.set_inputs(&padded);
        let groups = self.court.claim().into_iter();
        groups
            .filter_map(|number| {
                let bits = published.bits(self.court.entries()[number].group).ok()?;
                Some((number, bits.to_vec()))
            })
            .collect()
    }

    /// Whether the program accepts this input within the steps that a claim is about: else it must not be claimed.
    ///
    /// # Errors
    ///
    /// [`NotAClaim`] if a part of it is missing.
    pub fn accepts(&self, claim: &Values) -> Result<bool, NotAClaim> {
        let steps = self.court.steps_claimed();
        self.with_execution(&self.published(claim), |execution| {
            execution.accepts_within(steps)
        })
    }

    /// What the prover has published, by what it is. What the challenger has chosen counts as said by the prover, who can say nothing else: where a
    /// turn takes several transactions, the repetition may come after what depends on it.
    pub fn published(&self, values: &Values) -> Published {
        let mut published = Published::new();
        for party in [Party::Challenger, Party::Prover] {
            for (&number, value) in values {
                if let Some(entry) = self.court.entries().get(number)
                    && entry.party == party
                {
                    published.set(entry.group, value.clone());
                }
            }
        }
        published
    }

    /// Asks an execution of the claimed input.
    ///
    /// # Errors
    ///
    /// [`NotAClaim`] if a part of the input is missing.
    pub fn with_execution<R>(
        &self,
        published: &Published,
        ask: impl FnOnce(&mut Execution<'a>) -> R,
    ) -> Result<R, NotAClaim> {
        let words = 0..self.court.steps().options().inputs;
        let inputs = words
            .map(|word| published.input(word))
            .collect::<Result<Vec<u32>, _>>()
            .map_err(|error| self.missing(error))?;
        // A panic while it is locked leaves an execution at some step, which is a valid one.
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let execution = match &mut *run {
            Some((known, execution)) if *known == inputs => execution,
            other => {
                let execution =
                    Execution::with_limits(self.court.program(), inputs.clone(), self.limits);
                &mut other.insert((inputs, execution)).1
            }
        };
        Ok(ask(execution))
    }

    fn missing(&self, error: PublishedError) -> NotAClaim {
        let number = self.court.number(Party::Prover, error.group());
        NotAClaim {
            group: number.unwrap_or(usize::MAX),
        }
    }

    fn entry(&self, number: usize) -> Result<&Entry, NotAClaim> {
        let entry = self.court.entries().get(number);
        entry.ok_or(NotAClaim { group: number })
    }

    /// What the challenger chooses.
    fn choice(&self, group: Group, published: &Published) -> Result<u32, NotAClaim> {
        let chosen = self.with_execution(published, |execution| {
            let mut challenges = Challenges::new(self.court, execution);
            match group {
                Group::Selection(round) => challenges.select(round, published),
                Group::PathSelection(round) => challenges.select_level(round, published),
                // A challenger that opens without a cause may as well open the first.
                _ => challenges.judge(published).map(|verdict| match verdict {
                    Verdict::Open(access) => access.number(),
                    Verdict::Disprove(_) | Verdict::Concede => 0,
                }),
            }
        })?;
        chosen.map_err(|error| self.missing(error))
    }

    /// What the prover says, besides what it repeats.
    fn say(&self, question: Question, published: &mut Published) -> Result<(), NotAClaim> {
        let known = published.clone();
        let said = self.with_execution(&known, |execution| {
            let mut answers = Answers::new(self.court, execution);
            match question {
                Question::Digests(round) => answers.digests(round, published),
                Question::Record => answers.step(published),
                Question::Nodes(round) => answers.nodes(round, published),
                Question::Sibling => answers.sibling(published),
            }
        })?;
        said.map_err(|error| self.missing(error))
    }
}

impl Disputable for TraceDispute<'_> {
    fn answer(&self, groups: &[usize], values: &Values) -> Result<Values, NotAClaim> {
        let mut published = self.published(values);
        let mut answer = Values::new();
        let mut questions = BTreeSet::new();
        for &number in groups {
            let entry = self.entry(number)?;
            let said_before = self.court.number(Party::Challenger, entry.group);
            match (entry.party, said_before) {
                (Party::Challenger, _) => {
                    let chosen = self.choice(entry.group, &published)?;
                    let bits = 0..entry.parameters.message_bits();
                    answer.insert(number, bits.map(|bit| chosen >> bit & 1 == 1).collect());
                }
                (Party::Prover, Some(theirs)) => {
                    let chosen = values.get(&theirs).ok_or(NotAClaim { group: theirs })?;
                    published.set(entry.group, chosen.clone());
                    answer.insert(number, chosen.clone());
                }
                (Party::Prover, None) => {
                    questions.insert(match entry.group {
                        Group::Digest { round, .. } => Question::Digests(round),
                        Group::PathNode { round, .. } => Question::Nodes(round),
                        Group::Sibling => Question::Sibling,
                        group if Group::RECORD.contains(&group) => Question::Record,
                        // The input is what the prover decides to claim.
                        _ => return Err(NotAClaim { group: number }),
                    });
                }
            }
        }
        for question in questions {
            self.say(question, &mut published)?;
        }
        for &number in groups {
            if let std::collections::btree_map::Entry::Vacant(place) = answer.entry(number) {
                let bits = published.bits(self.entry(number)?.group);
                place.insert(bits.map_err(|error| self.missing(error))?.to_vec());
            }
        }
        Ok(answer)
    }

    fn is_claim_false(&self, values: &Values) -> Result<bool, NotAClaim> {
        self.accepts(values).map(|accepts| !accepts)
    }

    fn judge(&self, stage: Stage, values: &Values) -> Result<Judgement, NotAClaim> {
        let published = self.published(values);
        let judgement = self.with_execution(&published, |execution| {
            let mut challenges = Challenges::new(self.court, execution);
            Ok(match stage {
                Stage::Dispute => match challenges.judge(&published)? {
                    Verdict::Disprove(leaf) => self.court.steps().index(leaf),
                    Verdict::Open(_) => return Ok(Judgement::Open),
                    Verdict::Concede => None,
                },
                Stage::Opening => {
                    let leaf = challenges.path_leaf(&published)?;
                    leaf.and_then(|leaf| self.court.paths().index(leaf))
                }
            }
            .map_or(Judgement::Concede, |leaf| Judgement::Disprove { leaf }))
        })?;
        judgement.map_err(|error| self.missing(error))
    }

    fn leaf_witness(
        &self,
        stage: Stage,
        leaf: usize,
        openings: &BTreeMap<usize, KeyOpening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.court.witness(end_of(stage), leaf, openings)
    }
}

/// Where a stage of the protocol ends.
fn end_of(stage: Stage) -> End {
    match stage {
        Stage::Dispute => End::Step,
        Stage::Opening => End::Path,
    }
}
