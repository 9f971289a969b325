//! Moves: which transaction publishes which value groups, and the packer that makes them few.
//!
//! A move is one transaction. It spends every connector of the transaction before it, and each of its inputs publishes one
//! batch of value groups. Moves are generic in who makes them, so that rounds of assert and select are moves too.

use serde::{Deserialize, Serialize};
use tapcourt_commitment::Parameters as Shape;
use tapcourt_script::limits::Profile;
use thiserror::Error;

use crate::role::Role;
use crate::size::{GroupSize, InputSize, presigned_weight_wu};

/// The groups that one input publishes, in the order of its script.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Batch {
    /// Group numbers: indices into [`crate::Terms::one_time_keys`].
    pub groups: Vec<usize>,
}

/// One transaction that publishes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Move {
    /// The transaction's name, such as `assert_1`.
    pub name: String,
    /// Who publishes; the other party takes everything if this one is late.
    pub mover: Role,
    /// One batch per input.
    pub batches: Vec<Batch>,
}

/// All moves of a contract, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layout {
    /// What is published before anybody can object: the kickoff first, and more transactions only if one cannot hold the claim.
    pub claim: Vec<Move>,
    /// What is published after a challenge. May be empty.
    pub asserts: Vec<Move>,
}

impl Layout {
    /// Iterates over the batches of all moves.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.claim
            .iter()
            .chain(&self.asserts)
            .flat_map(|step| &step.batches)
    }

    /// Checks the shape: a kickoff by the prover, no empty move or batch, and each of `groups` groups published exactly once.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check(&self, groups: usize) -> Result<(), LayoutError> {
        if self.claim.is_empty() {
            return Err(LayoutError::NoKickoff);
        }
        for step in self.claim.iter().chain(&self.asserts) {
            if step.batches.is_empty() || step.batches.iter().any(|batch| batch.groups.is_empty()) {
                return Err(LayoutError::Empty {
                    name: step.name.clone(),
                });
            }
        }
        if let Some(step) = self.claim.iter().find(|step| step.mover != Role::Prover) {
            return Err(LayoutError::ClaimByChallenger {
                name: step.name.clone(),
            });
        }
        let mut published = vec![false; groups];
        for &group in self.batches().flat_map(|batch| &batch.groups) {
            let seen = published
                .get_mut(group)
                .ok_or(LayoutError::UnknownGroup { group, groups })?;
            if std::mem::replace(seen, true) {
                return Err(LayoutError::PublishedTwice { group });
            }
        }
        match published.iter().position(|seen| !seen) {
            Some(group) => Err(LayoutError::NeverPublished { group }),
            None => Ok(()),
        }
    }
}

/// Why a layout is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// No claim.
    #[error("there is no kickoff: the claim has no moves")]
    NoKickoff,
    /// A move or a batch without groups.
    #[error("{name} has an input that publishes nothing")]
    Empty {
        /// The move.
        name: String,
    },
    /// A claim is the prover's.
    #[error("{name} is part of the claim but made by the challenger")]
    ClaimByChallenger {
        /// The move.
        name: String,
    },
    /// A number beyond the list of one-time keys.
    #[error("group {group} does not exist: there are {groups}")]
    UnknownGroup {
        /// The group.
        group: usize,
        /// How many there are.
        groups: usize,
    },
    /// A one-time key used in two places could sign two values.
    #[error("group {group} is published twice")]
    PublishedTwice {
        /// The group.
        group: usize,
    },
    /// A key that is never used makes leaves that nobody can spend.
    #[error("group {group} is never published")]
    NeverPublished {
        /// The group.
        group: usize,
    },
    /// A group that no transaction can hold.
    #[error("group {group} alone needs {needed} {unit}, the limit is {limit}")]
    GroupTooLarge {
        /// The group.
        group: usize,
        /// What it needs.
        needed: u64,
        /// What there is.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
}

/// What the packer keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackLimits {
    /// The most items on stack and altstack together, at any moment.
    pub stack_items: usize,
    /// The most weight a transaction may have with the longest witness.
    pub weight_wu: u64,
}

impl Default for PackLimits {
    /// Consensus' 1,000 items less a margin of 10, and the weight of version 3 transactions.
    fn default() -> Self {
        Self {
            stack_items: tapcourt_script::limits::MAX_STACK_SIZE - STACK_MARGIN,
            weight_wu: Profile::Truc.max_weight_wu(),
        }
    }
}

/// Stack items the packer leaves unused.
const STACK_MARGIN: usize = 10;

/// Arranges groups into as few moves as first-fit decreasing finds: `claim` into the kickoff, `asserts` into the rest.
///
/// `shapes` are those of all groups. Deterministic: ties are broken by group number. A transaction's weight includes
/// one output for each input of its successor, so moves are packed from the last to the first.
///
/// # Errors
///
/// [`LayoutError::GroupTooLarge`], or what [`Layout::check`] says of the result.
pub fn pack_batches(
    shapes: &[Shape],
    claim: &[usize],
    asserts: &[usize],
    limits: &PackLimits,
) -> Result<Layout, LayoutError> {
    let sizes: Vec<GroupSize> = shapes.iter().map(GroupSize::of).collect();
    let known = |group: &usize| *group < sizes.len();
    if let Some(&group) = claim.iter().chain(asserts).find(|group| !known(group)) {
        return Err(LayoutError::UnknownGroup {
            group,
            groups: sizes.len(),
        });
    }
    let name = |prefix: &str, first_is_bare: bool| {
        let prefix = prefix.to_owned();
        move |(index, batches): (usize, Vec<Batch>)| Move {
            name: if index == 0 && first_is_bare {
                prefix.clone()
            } else {
                format!("{prefix}_{}", index + 1)
            },
            mover: Role::Prover,
            batches,
        }
    };
    let layout = Layout {
        claim: pack(&sizes, claim, limits)?
            .into_iter()
            .enumerate()
            .map(name("kickoff", true))
            .collect(),
        asserts: pack(&sizes, asserts, limits)?
            .into_iter()
            .enumerate()
            .map(name("assert", false))
            .collect(),
    };
    layout.check(sizes.len())?;
    Ok(layout)
}

/// Packs one sequence of moves; the last of them has a single connector as its output.
fn pack(
    sizes: &[GroupSize],
    groups: &[usize],
    limits: &PackLimits,
) -> Result<Vec<Vec<Batch>>, LayoutError> {
    let mut remaining = groups.to_vec();
    remaining.sort_by_key(|&group| (std::cmp::Reverse(sizes[group].weight_wu()), group));
    let mut moves = Vec::new();
    let mut connectors = 1;
    while let Some(&largest) = remaining.first() {
        let mut open = OpenMove {
            sizes,
            limits,
            connectors,
            batches: Vec::new(),
        };
        remaining.retain(|&group| !open.try_add(group));
        if open.batches.is_empty() {
            return Err(open.too_large(largest));
        }
        connectors = open.batches.len();
        moves.push(open.batches);
    }
    moves.reverse();
    Ok(moves)
}

/// A move being filled.
struct OpenMove<'a> {
    sizes: &'a [GroupSize],
    limits: &'a PackLimits,
    connectors: usize,
    batches: Vec<Batch>,
}

impl OpenMove<'_> {
    fn try_add(&mut self, group: usize) -> bool {
        for index in 0..=self.batches.len() {
            let mut candidate = self.batches.clone();
            if index == candidate.len() {
                candidate.push(Batch::default());
            }
            candidate[index].groups.push(group);
            let input = self.input(&candidate[index]);
            if input.peak_stack <= self.limits.stack_items
                && self.weight_wu(&candidate) <= self.limits.weight_wu
            {
                self.batches = candidate;
                return true;
            }
        }
        false
    }

    fn input(&self, batch: &Batch) -> InputSize {
        InputSize::publish(batch.groups.iter().map(|&group| &self.sizes[group]))
    }

    fn weight_wu(&self, batches: &[Batch]) -> u64 {
        let inputs: Vec<InputSize> = batches.iter().map(|batch| self.input(batch)).collect();
        presigned_weight_wu(self.connectors, &inputs)
    }

    fn too_large(&self, group: usize) -> LayoutError {
        let batch = Batch {
            groups: vec![group],
        };
        let peak = self.input(&batch).peak_stack;
        if peak > self.limits.stack_items {
            let (needed, limit) = (peak as u64, self.limits.stack_items as u64);
            return LayoutError::GroupTooLarge {
                group,
                needed,
                limit,
                unit: "stack items",
            };
        }
        let (needed, limit) = (self.weight_wu(&[batch]), self.limits.weight_wu);
        LayoutError::GroupTooLarge {
            group,
            needed,
            limit,
            unit: "WU",
        }
    }
}
