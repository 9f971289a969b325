//! The memory opening, played: a prover who reveals path nodes as it likes, and the challenger's rule for selecting among them.

use rand::prelude::*;
use tapcourt_compiler::riscv::{Group, PathAccess, PathLeaf, Paths, Published};
use tapcourt_program::riscv::{Cell, Node, Path, StepRecord};

use super::Random;

/// How a prover answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Always the true nodes and siblings.
    Honest,
    /// What follows from its own word with the true siblings, up to a level; true nodes above.
    FollowsFromItsWord,
    /// Nodes that lead down from its own root, as far as it can: false ones from some level on.
    FollowsFromItsRoot,
    /// Each node true or at random.
    Random,
}

impl Strategy {
    /// All.
    pub const ALL: [Self; 4] = [
        Self::Honest,
        Self::FollowsFromItsWord,
        Self::FollowsFromItsRoot,
        Self::Random,
    ];
}

/// A node of any kind.
fn any_node(random: &mut Random) -> [u8; 20] {
    random.0.r#gen()
}

/// The two sequences of nodes along a path, by level: under the root before, and under the root after.
#[derive(Clone, Debug)]
pub struct Nodes {
    /// Under the root before.
    pub old: Vec<[u8; 20]>,
    /// Under the root after.
    pub new: Vec<[u8; 20]>,
}

/// What is opened: an access, the true path of its cell, the true words there before and after, and what the prover's record says.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    /// Which: [`PathAccess::Old`] stands for both paths of a write.
    pub access: PathAccess,
    /// The path of the cell that the record names, in the true state before.
    pub path: &'a Path,
    /// The true word in it.
    pub word: u32,
    /// The record.
    pub record: &'a StepRecord,
    /// Its roots.
    pub roots: [[u8; 20]; 2],
}

impl Opened<'_> {
    /// The words at level 0 that the record says.
    fn claimed(&self) -> [u32; 2] {
        match self.access {
            PathAccess::A => [self.record.a.value; 2],
            PathAccess::B => [self.record.b.value; 2],
            PathAccess::Memory => [self.record.m.value; 2],
            PathAccess::Old | PathAccess::New => [self.record.w.old, self.record.w.value],
        }
    }

    fn is_write(&self) -> bool {
        matches!(self.access, PathAccess::Old | PathAccess::New)
    }

    /// The true nodes: those of the state before, and those that the written word gives with the same siblings.
    fn truth(&self) -> Nodes {
        let bytes = |nodes: Vec<Node>| nodes.into_iter().map(Node::to_bytes).collect();
        let new = if self.is_write() {
            self.record.w.value
        } else {
            self.word
        };
        Nodes {
            old: bytes(self.path.nodes(self.word)),
            new: bytes(self.path.nodes(new)),
        }
    }

    /// What the prover would say of each level by its strategy.
    fn answers(&self, strategy: Strategy, random: &mut Random) -> Nodes {
        let truth = self.truth();
        let own = self.claimed().map(|word| {
            let nodes = self.path.nodes(word).into_iter();
            nodes.map(Node::to_bytes).collect::<Vec<_>>()
        });
        let levels = self.path.levels() + 1;
        let turn = random.below(levels);
        let mut pick = |truth: &[[u8; 20]], own: &[[u8; 20]]| {
            let levels = (0..levels).map(|level| match strategy {
                Strategy::Honest => truth[level],
                Strategy::FollowsFromItsWord if level <= turn => own[level],
                Strategy::FollowsFromItsWord => truth[level],
                Strategy::FollowsFromItsRoot if level >= turn => any_node(random),
                Strategy::FollowsFromItsRoot => truth[level],
                Strategy::Random if random.chance(128) => any_node(random),
                Strategy::Random => [truth, own][random.below(2)][level],
            });
            levels.collect()
        };
        Nodes {
            old: pick(&truth.old, &own[0]),
            new: pick(&truth.new, &own[1]),
        }
    }

    /// Plays the search against a strategy. Publishes the selections, the nodes revealed and the sibling; returns the leaf that the
    /// challenger takes, if its rule leads to one.
    ///
    /// The rule (design, "Opening memory"): keep the old node false at the lower end and true at the upper one; or, for a write, old nodes true at both
    /// ends, the new node true at the lower and false at the upper one.
    ///
    /// # Panics
    /// If no pair of neighbours keeps to the rule, which must not happen.
    pub fn play(
        &self,
        paths: &Paths,
        strategy: Strategy,
        published: &mut Published,
        random: &mut Random,
    ) -> Option<PathLeaf> {
        let truth = self.truth();
        let mut said = self.answers(strategy, random);
        // The ends are what the record says.
        let words = self.claimed().map(|word| Node::leaf(word).to_bytes());
        (said.old[0], said.new[0]) = (words[0], words[1]);
        let root = self.path.levels();
        (said.old[root], said.new[root]) = (self.roots[0], self.roots[1]);
        // The root stands for all levels above it.
        let level = |position: usize| position.min(root);
        let old_true = |position: usize| said.old[level(position)] == truth.old[level(position)];
        let new_true = |position: usize| said.new[level(position)] == truth.new[level(position)];
        let keeps_a = |low: usize, high: usize| !old_true(low) && old_true(high);
        let keeps_b = |low: usize, high: usize| {
            self.is_write() && old_true(low) && old_true(high) && new_true(low) && !new_true(high)
        };
        published.set_word(Group::Access, self.access.number(), 2);
        let (mut low, mut size) = (0usize, paths.search().count() as usize); // cast ok: at most 64
        if !keeps_a(0, size) && !keeps_b(0, size) {
            return None;
        }
        for round in 0..paths.search().rounds() {
            let parts = paths.search().arity(round) as usize; // cast ok: at most 16
            size /= parts;
            for index in 1..parts {
                let position = low + index * size;
                for new in [false, true] {
                    let nodes = if new { &said.new } else { &said.old };
                    let group = Group::PathNode {
                        round,
                        index: index as u32 - 1,
                        new,
                    }; // cast ok: at most 15
                    published.set_node(group, &nodes[level(position)]);
                }
            }
            let ends = |part: usize| (low + part * size, low + (part + 1) * size);
            let keeps = |part: &usize| {
                let (low, high) = ends(*part);
                keeps_a(low, high) || keeps_b(low, high)
            };
            let part = (0..parts)
                .find(keeps)
                .expect("a pair of neighbours keeps to the rule");
            let bits = paths.search().selection_bits(round);
            published.set_word(Group::PathSelection(round), part as u32, bits.into()); // cast ok: at most 15
            low += part * size;
        }
        assert!(low < root, "the root is no false node below itself");
        let sibling = match random.below(3) {
            0 => any_node(random),
            _ => self.path.siblings()[low].to_bytes(),
        };
        published.set_node(Group::Sibling, &sibling);
        let which = |access| PathLeaf {
            access,
            level: low as u32,
        }; // cast ok: at most 29
        if !self.is_write() {
            return Some(which(self.access));
        }
        // For a write, whichever of both is no hash.
        let candidates = [PathAccess::Old, PathAccess::New].map(which);
        candidates
            .into_iter()
            .find(|&leaf| {
                let index = paths.index(leaf).expect("31 levels");
                paths.is_spendable(index, published).expect("all published")
            })
            .or(Some(candidates[1]))
    }
}

/// The cell of an access in a record.
pub fn cell_of(record: &StepRecord, access: PathAccess) -> Cell {
    match access {
        PathAccess::A => record.a.cell,
        PathAccess::B => record.b.cell,
        PathAccess::Memory => record.m.cell,
        PathAccess::Old | PathAccess::New => record.w.cell,
    }
}
