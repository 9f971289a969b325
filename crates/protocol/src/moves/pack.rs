//! The packer, which makes moves few.

use tapcourt_commitment::Parameters as Shape;
use tapcourt_script::limits::Profile;

use super::{Batch, Layout, LayoutError, Move, Publication};
use crate::role::Role;
use crate::size::{InputSize, Sizes, presigned_weight_wu};

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

/// What one party publishes before the other's turn. The prover's may take several transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whose turn it is.
    pub mover: Role,
    /// What it publishes, in any order.
    pub publications: Vec<Publication>,
}

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
    let dispute = Turn {
        mover: Role::Prover,
        publications: asserts.iter().copied().map(Publication::Value).collect(),
    };
    let turns = [dispute];
    let dispute = if asserts.is_empty() { &[][..] } else { &turns };
    pack_turns(shapes, claim, dispute, &[], limits)
}

/// Arranges the turns of a dispute and of an opening likewise, each into as few moves as possible.
///
/// # Errors
///
/// [`LayoutError::GroupTooLarge`], [`LayoutError::TurnTooLarge`], or what [`Layout::check`] says of the result.
pub fn pack_turns(
    shapes: &[Shape],
    claim: &[usize],
    dispute: &[Turn],
    opening: &[Turn],
    limits: &PackLimits,
) -> Result<Layout, LayoutError> {
    let claim = Turn {
        mover: Role::Prover,
        publications: claim.iter().copied().map(Publication::Value).collect(),
    };
    let groups = shapes.len();
    let all = std::iter::once(&claim).chain(dispute).chain(opening);
    for publication in all.flat_map(|turn| &turn.publications) {
        let theirs = match *publication {
            Publication::Agreement { theirs, .. } => theirs,
            _ => 0,
        };
        let group = publication.group().max(theirs);
        if group >= groups {
            return Err(LayoutError::UnknownGroup { group, groups });
        }
        // Sizes of what is no choice do not exist.
        let is_choice = match *publication {
            Publication::Value(_) => true,
            Publication::Choice { group, options } => shapes[group].is_choice_of(options),
            Publication::Agreement { own, .. } => shapes[own].is_choice(),
        };
        if !is_choice {
            let group = publication.group();
            return Err(LayoutError::NotAChoice { group });
        }
    }
    let packer = Packer {
        sizes: Sizes::new(shapes.to_vec()),
        limits,
    };
    let layout = Layout {
        claim: packer.pack(std::slice::from_ref(&claim))?,
        dispute: packer.pack(dispute)?,
        opening: packer.pack(opening)?,
    };
    layout.check(&shapes.iter().collect::<Vec<_>>())?;
    Ok(layout)
}

struct Packer<'a> {
    sizes: Sizes,
    limits: &'a PackLimits,
}

impl Packer<'_> {
    /// Packs one sequence of turns; the last move of it has a single connector as its output.
    fn pack(&self, turns: &[Turn]) -> Result<Vec<Move>, LayoutError> {
        let mut moves: Vec<Move> = Vec::new();
        let mut connectors = 1;
        for turn in turns.iter().rev() {
            let first = moves.len();
            let mut remaining = turn.publications.clone();
            remaining.sort_by_cached_key(|publication| {
                let weight = self.sizes.publication(publication).weight_wu();
                (std::cmp::Reverse(weight), publication.group())
            });
            while let Some(largest) = remaining.first().copied() {
                let mut open = OpenMove {
                    packer: self,
                    connectors,
                    batches: Vec::new(),
                };
                remaining.retain(|publication| !open.try_add(*publication));
                if open.batches.is_empty() {
                    return Err(open.too_large(largest));
                }
                connectors = open.batches.len();
                moves.push(Move {
                    mover: turn.mover,
                    batches: open.batches,
                });
            }
            let taken = moves.len() - first;
            if turn.mover == Role::Challenger && taken > 1 {
                return Err(LayoutError::TurnTooLarge { moves: taken });
            }
        }
        moves.reverse();
        Ok(moves)
    }
}

/// A move being filled.
struct OpenMove<'a> {
    packer: &'a Packer<'a>,
    connectors: usize,
    batches: Vec<Batch>,
}

impl OpenMove<'_> {
    fn try_add(&mut self, publication: Publication) -> bool {
        let limits = self.packer.limits;
        for index in 0..=self.batches.len() {
            let mut candidate = self.batches.clone();
            if index == candidate.len() {
                candidate.push(Batch::default());
            }
            candidate[index].publications.push(publication);
            let input = self.input(&candidate[index]);
            if input.peak_stack <= limits.stack_items
                && self.weight_wu(&candidate) <= limits.weight_wu
            {
                self.batches = candidate;
                return true;
            }
        }
        false
    }

    fn input(&self, batch: &Batch) -> InputSize {
        self.packer.sizes.batch(&batch.publications)
    }

    fn weight_wu(&self, batches: &[Batch]) -> u64 {
        let inputs: Vec<InputSize> = batches.iter().map(|batch| self.input(batch)).collect();
        presigned_weight_wu(self.connectors, &inputs)
    }

    fn too_large(&self, publication: Publication) -> LayoutError {
        let group = publication.group();
        let batch = Batch {
            publications: vec![publication],
        };
        let peak = self.input(&batch).peak_stack;
        let limits = self.packer.limits;
        if peak > limits.stack_items {
            let (needed, limit) = (peak as u64, limits.stack_items as u64);
            return LayoutError::GroupTooLarge {
                group,
                needed,
                limit,
                unit: "stack items",
            };
        }
        let (needed, limit) = (self.weight_wu(&[batch]), limits.weight_wu);
        LayoutError::GroupTooLarge {
            group,
            needed,
            limit,
            unit: "WU",
        }
    }
}
