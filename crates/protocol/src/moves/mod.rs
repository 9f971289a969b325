//! Moves: which transaction publishes which value groups, and in what order the parties make them.
//!
//! A move is one transaction. It spends every connector of the transaction before it, and each of its inputs publishes one
//! batch. A contract has up to three sequences of them ([`Layout`]): the claim, what follows a challenge, and what follows
//! once the challenger has had something opened. A search is a sequence in which the parties take turns.

mod error;
mod pack;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tapcourt_commitment::Parameters as Shape;

pub use self::error::LayoutError;
pub use self::pack::{PackLimits, Turn, pack_batches, pack_turns};

use crate::role::Role;
use crate::transactions::{Stage, TransactionKind};

/// Something that an input publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Publication {
    /// A group of the prover's, by its number.
    Value(usize),
    /// A choice of the challenger's: a number below `options`, which the script checks.
    Choice {
        /// The challenger's group.
        group: usize,
        /// How many options there are.
        options: u32,
    },
    /// The prover repeats a choice under a key of its own, which the script checks to be of the same value. From then on neither
    /// party can say that another was chosen.
    Agreement {
        /// The challenger's group, opened a second time.
        theirs: usize,
        /// The prover's group.
        own: usize,
    },
}

impl Publication {
    /// The group that it publishes: numbers are indices into [`crate::Terms::one_time_keys`].
    pub fn group(&self) -> usize {
        match *self {
            Self::Value(group)
            | Self::Choice { group, .. }
            | Self::Agreement { own: group, .. } => group,
        }
    }
}

/// What one input publishes, in the order of its script.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Batch {
    /// In the order of the script.
    pub publications: Vec<Publication>,
}

impl Batch {
    /// A batch of the prover's groups.
    pub fn of_values(groups: impl IntoIterator<Item = usize>) -> Self {
        Self {
            publications: groups.into_iter().map(Publication::Value).collect(),
        }
    }

    /// The groups that it publishes.
    pub fn groups(&self) -> impl Iterator<Item = usize> {
        self.publications.iter().map(Publication::group)
    }
}

/// One transaction that publishes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Move {
    /// Who publishes; the other party takes everything if this one is late.
    pub mover: Role,
    /// One batch per input.
    pub batches: Vec<Batch>,
}

impl Move {
    /// What it publishes, over all of its inputs.
    pub fn publications(&self) -> impl Iterator<Item = &Publication> {
        self.batches.iter().flat_map(|batch| &batch.publications)
    }
}

/// All moves of a contract, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Layout {
    /// What is published before anybody can object: the kickoff first, and more transactions only if one cannot hold the claim.
    pub claim: Vec<Move>,
    /// What is published after a challenge. May be empty. Its last move is the prover's; then a leaf may disprove.
    pub dispute: Vec<Move>,
    /// What is published if the challenger, in place of a leaf, has something opened: its own move first, whose only input
    /// spends the outcome of the dispute. Its last move is the prover's; then a leaf may disprove. Empty if there is no such thing.
    pub opening: Vec<Move>,
}

impl Layout {
    /// The moves of a stage.
    pub fn stage(&self, stage: Stage) -> &[Move] {
        match stage {
            Stage::Dispute => &self.dispute,
            Stage::Opening => &self.opening,
        }
    }

    /// The stages that it has.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        let opening = (!self.opening.is_empty()).then_some(Stage::Opening);
        std::iter::once(Stage::Dispute).chain(opening)
    }

    /// The moves of a stage with the names of their transactions.
    pub fn kinds(&self, stage: Stage) -> impl Iterator<Item = (TransactionKind, &Move)> {
        let mut made = [0; 2];
        self.stage(stage).iter().map(move |step| {
            let kind = match step.mover {
                Role::Prover => TransactionKind::Assert(stage, made[0]),
                Role::Challenger => TransactionKind::Select(stage, made[1]),
            };
            made[usize::from(step.mover == Role::Challenger)] += 1;
            (kind, step)
        })
    }

    /// All moves in order, the claim's first, with the names of their transactions.
    pub fn all_kinds(&self) -> impl Iterator<Item = (TransactionKind, &Move)> {
        let claim = self.claim.iter().enumerate();
        claim
            .map(|(index, step)| (TransactionKind::Kickoff(index), step))
            .chain(self.kinds(Stage::Dispute))
            .chain(self.kinds(Stage::Opening))
    }

    /// Whose each group is, by group number: that of who publishes it.
    ///
    /// A layout that [`Layout::check`] refuses may leave groups at the prover's.
    pub fn owners(&self, groups: usize) -> Vec<Role> {
        let mut owners = vec![Role::Prover; groups];
        for (_, step) in self.all_kinds() {
            for publication in step.publications() {
                if let Some(owner) = owners.get_mut(publication.group()) {
                    *owner = step.mover;
                }
            }
        }
        owners
    }

    /// Checks the whole against the groups' shapes: a kickoff by the prover, no empty move or batch, stages that end with the
    /// prover and an opening that begins with the challenger, each group published exactly once, by its owner and in its
    /// owner's way, and each choice repeated by the prover afterwards, exactly once and before the leaves of its stage.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check(&self, shapes: &[&Shape]) -> Result<(), LayoutError> {
        if self.claim.is_empty() {
            return Err(LayoutError::NoKickoff);
        }
        for (transaction, step) in self.all_kinds() {
            let is_empty = |batch: &Batch| batch.publications.is_empty();
            if step.batches.is_empty() || step.batches.iter().any(is_empty) {
                return Err(LayoutError::Empty { transaction });
            }
        }
        for index in 0..self.claim.len() {
            if self.claim[index].mover != Role::Prover {
                let transaction = TransactionKind::Kickoff(index);
                return Err(LayoutError::Turn { transaction });
            }
        }
        self.check_turns()?;
        self.check_publications(shapes)
    }

    fn check_turns(&self) -> Result<(), LayoutError> {
        for stage in [Stage::Dispute, Stage::Opening] {
            if let Some((transaction, step)) = self.kinds(stage).last()
                && step.mover != Role::Prover
            {
                return Err(LayoutError::Turn { transaction });
            }
        }
        match self.kinds(Stage::Opening).next() {
            Some((transaction, step)) if step.mover != Role::Challenger => {
                Err(LayoutError::Turn { transaction })
            }
            Some((transaction, step)) if step.batches.len() != 1 => {
                let inputs = step.batches.len();
                Err(LayoutError::OpenInputs {
                    transaction,
                    inputs,
                })
            }
            _ => Ok(()),
        }
    }

    fn check_publications(&self, shapes: &[&Shape]) -> Result<(), LayoutError> {
        let groups = shapes.len();
        let mut published = vec![false; groups];
        // Choices that the prover has yet to repeat.
        let mut open = BTreeMap::new();
        for (transaction, step) in self.all_kinds() {
            if transaction == TransactionKind::OPEN {
                all_repeated(&open)?;
            }
            for publication in step.publications() {
                let group = publication.group();
                let shape = *shapes
                    .get(group)
                    .ok_or(LayoutError::UnknownGroup { group, groups })?;
                if std::mem::replace(&mut published[group], true) {
                    return Err(LayoutError::PublishedTwice { group });
                }
                match (*publication, step.mover) {
                    (Publication::Value(_), Role::Prover) => {}
                    (Publication::Choice { options, .. }, Role::Challenger) => {
                        if !shape.is_choice_of(options) {
                            return Err(LayoutError::NotAChoice { group });
                        }
                        open.insert(group, options);
                    }
                    (Publication::Agreement { theirs, .. }, Role::Prover) => {
                        let options = open
                            .remove(&theirs)
                            .ok_or(LayoutError::NothingToRepeat { theirs, own: group })?;
                        if !shape.is_choice_of(options) {
                            return Err(LayoutError::NotAChoice { group });
                        }
                    }
                    (_, mover) => {
                        return Err(LayoutError::NotTheMovers {
                            transaction,
                            group,
                            mover,
                        });
                    }
                }
            }
        }
        all_repeated(&open)?;
        match published.iter().position(|seen| !seen) {
            Some(group) => Err(LayoutError::NeverPublished { group }),
            None => Ok(()),
        }
    }
}

/// Checks that no choice is left to repeat when a leaf may disprove.
fn all_repeated(open: &BTreeMap<usize, u32>) -> Result<(), LayoutError> {
    match open.first_key_value() {
        Some((&group, _)) => Err(LayoutError::NeverRepeated { group }),
        None => Ok(()),
    }
}
