//! The leaves that check one level of a Merkle path.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bitcoin::{Script, ScriptBuf, TapLeafHash, XOnlyPublicKey};
use tapcourt_commitment::{Opening, Parameters, PublicKey};
use tapcourt_program::riscv::{AddressSpace, Cell};
use tapcourt_script::script_items;
use tapcourt_script::taptree::{LeafSource, leaf_hash};

use super::Group;
use super::boundary::{Selected, open_selections, require_selections};
use super::group::{NODE_DIGITS, WORD_DIGITS, WORDS_A, WORDS_B, WORDS_M, WORDS_W};
use super::leaf::{Leaf, SharedHash};
use super::opening::Openings;
use super::published::{Published, PublishedError};
use super::search::{Border, Search};
use super::steps::CompileError;
use super::tail::Tail;
use crate::LeafSize;

/// Which path is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathAccess {
    /// That of the first register read.
    A,
    /// That of the second register read.
    B,
    /// That of the memory word read.
    Memory,
    /// That of the cell written, before the step.
    Old,
    /// That of the cell written, after the step.
    New,
}

impl PathAccess {
    /// All.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::Memory, Self::Old, Self::New];

    /// How many accesses can be opened, numbered from 0.
    pub const NUMBERS: u32 = 4;

    /// What [`Group::Access`] says of it: the two paths of a write are opened together.
    pub const fn number(self) -> u32 {
        match self {
            Self::A => 0,
            Self::B => 1,
            Self::Memory => 2,
            Self::Old | Self::New => 3,
        }
    }

    /// Where its word lies: the group, the place among its words, and how many words the group has.
    fn word(self) -> (Group, usize, usize) {
        match self {
            Self::A => (Group::Words, WORDS_A, 4),
            Self::B => (Group::Words, WORDS_B, 4),
            Self::Memory => (Group::Words, WORDS_M, 4),
            Self::Old => (Group::Replaced, 0, 1),
            Self::New => (Group::Words, WORDS_W, 4),
        }
    }

    fn root(self) -> Group {
        match self {
            Self::New => Group::NextRoot,
            _ => Group::Root,
        }
    }

    /// The bit that says whether the child is the right one: group and bit. `None` if it is always the left one.
    fn address_bit(self, level: u32) -> Option<(Group, u32)> {
        match self {
            // Registers have the indices 0 to 31.
            Self::A => (level < 5).then_some((Group::Sources, level)),
            Self::B => (level < 5).then_some((Group::Sources, 5 + level)),
            Self::Memory => Some((Group::Memory, Cell::label_bit(level))),
            Self::Old | Self::New => Some((Group::Target, Cell::label_bit(level))),
        }
    }
}

/// The leaf that checks one level of one path: whether the node at `level + 1` is the hash of that at `level` and its sibling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathLeaf {
    /// Which path.
    pub access: PathAccess,
    /// The level of the child, from 0, the word itself, to the one below the root.
    pub level: u32,
}

/// `path(a, 3)`, `path(new, 0)` …
impl fmt::Display for PathLeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            PathAccess::A => "a",
            PathAccess::B => "b",
            PathAccess::Memory => "memory",
            PathAccess::Old => "old",
            PathAccess::New => "new",
        };
        write!(f, "path({access}, {})", self.level)
    }
}

/// The leaves that check a Merkle path, without keys.
#[derive(Debug)]
pub struct Paths {
    levels: u32,
    search: Search,
    leaves: Vec<(PathLeaf, Leaf)>,
    hash: &'static SharedHash,
    /// Of all leaves, once they are measured.
    sizes: OnceLock<Vec<LeafSize>>,
}

impl Paths {
    /// Most intervals of the search: twice as many as a path needs, rounded up.
    pub const MAX_SEARCH_COUNT: u64 = 64;

    /// Compiles the leaves for a search over the levels of a path in a program's tree: one interval
    /// each, from the word's to the one below the root.
    ///
    /// A search with more intervals, up to 64, will do. Borders beyond the levels are the root,
    /// whatever is revealed there: no leaf looks at it. A challenger selects no interval between
    /// two of them, since it needs a false node and a true one, and both ends are the same.
    ///
    /// # Errors
    /// If the search has too few intervals or too many, or a script does not fit the stack.
    pub fn compile(space: AddressSpace, search: Search) -> Result<Self, CompileError> {
        let levels = space.levels();
        if !(u64::from(levels)..=Self::MAX_SEARCH_COUNT).contains(&search.count()) {
            return Err(CompileError::PathSearch {
                count: search.count(),
                levels,
            });
        }
        let hash = SharedHash::of_node()?;
        let leaves = PathAccess::ALL.into_iter().flat_map(|access| {
            let search = &search;
            (0..levels).map(move |level| {
                let which = PathLeaf { access, level };
                (which, leaf(levels, search, hash, which))
            })
        });
        Ok(Self {
            levels,
            leaves: leaves.collect(),
            hash,
            search,
            sizes: OnceLock::new(),
        })
    }

    /// How many levels a path has, which is the level of the root.
    pub fn levels(&self) -> u32 {
        self.levels
    }

    /// The search over levels.
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// The leaves, in the order of the tree.
    pub fn leaves(&self) -> impl Iterator<Item = PathLeaf> {
        self.leaves.iter().map(|&(which, _)| which)
    }

    /// How many leaves there are.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Script bytes of the hash alone.
    pub fn hash_script_bytes(&self) -> usize {
        self.hash.script().len()
    }

    /// The groups that a leaf opens.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn opened_groups(&self, index: usize) -> impl Iterator<Item = Group> {
        self.leaves[index].1.openings.groups()
    }

    /// The shape of a group's one-time key.
    ///
    /// # Panics
    /// If it is a selection in a round that there is not, a selection of a step, or a block of input.
    pub fn parameters(&self, group: Group) -> Parameters {
        let bits = match group {
            Group::PathSelection(round) => self.search.selection_bits(round),
            _ => 0,
        };
        group.parameters(bits.into())
    }

    /// Exact sizes of a leaf, for any keys.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn leaf_size(&self, index: usize) -> LeafSize {
        self.leaves[index].1.size(self.len())
    }

    /// The sizes of all leaves, as [`Self::leaf_size`] has them. They are measured once.
    pub fn leaf_sizes(&self) -> &[LeafSize] {
        self.sizes.get_or_init(|| {
            let leaves = 0..self.len();
            leaves.map(|index| self.leaf_size(index)).collect()
        })
    }

    /// The script of a leaf after its openings, the same for all keys.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn body(&self, index: usize) -> &Script {
        &self.leaves[index].1.body
    }

    /// What lies on the altstack when a leaf's [`body`](Self::body) begins, given what was published: the opened digits, the one on top first.
    ///
    /// # Errors
    /// If something that it opens was not published.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn delivered(
        &self,
        index: usize,
        published: &Published,
    ) -> Result<Vec<i64>, PublishedError> {
        self.leaves[index].1.openings.numbers(published)
    }

    /// Where a leaf is, if there is one.
    pub fn index(&self, leaf: PathLeaf) -> Option<usize> {
        self.leaves.iter().position(|&(which, _)| which == leaf)
    }

    /// The groups of the search and of what is revealed in it, besides [`Group::RECORD`].
    pub fn groups(&self) -> Vec<Group> {
        let selections = (0..self.search.rounds()).map(Group::PathSelection);
        let nodes = self.search.revealed().flat_map(|(round, index)| {
            [false, true].map(|new| Group::PathNode { round, index, new })
        });
        [Group::Access, Group::Sibling]
            .into_iter()
            .chain(selections)
            .chain(nodes)
            .collect()
    }

    /// Where the node at a level of a path is revealed; those of the word and the root are known.
    pub fn node_group(&self, access: PathAccess, level: u32) -> Option<Group> {
        (1..self.levels)
            .contains(&level)
            .then(|| node(&self.search, access, level))
    }

    /// Whether a leaf is spendable, given what was published.
    ///
    /// # Errors
    /// If something that it opens was not published.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn is_spendable(
        &self,
        index: usize,
        published: &Published,
    ) -> Result<bool, PublishedError> {
        let PathLeaf { access, level } = self.leaves[index].0;
        for (round, selection) in selected(&self.search, level) {
            if published.word(Group::PathSelection(round))? != selection {
                return Ok(false);
            }
        }
        if published.word(Group::Access)? != access.number() {
            return Ok(false);
        }
        let child = match child(&self.search, access, level) {
            Child::Word => {
                let word = match access.word() {
                    (Group::Words, place, _) => published.one_of_words(place)?,
                    (group, ..) => published.word(group)?,
                };
                let mut node = [0; 20];
                node[..4].copy_from_slice(&word.to_le_bytes());
                node
            }
            Child::Node(group) => published.node(group)?,
        };
        let sibling = published.node(Group::Sibling)?;
        let right = match access.address_bit(level) {
            Some((group, bit)) => published.word(group)? >> bit & 1 == 1,
            None => false,
        };
        let pair = if right {
            [sibling, child]
        } else {
            [child, sibling]
        };
        let hash = ::blake3::hash(&pair.concat());
        let parent = parent(self.levels, &self.search, access, level);
        Ok(hash.as_bytes()[..20] != published.node(parent)?)
    }

    /// The witness of a leaf without the challenger's signature, which goes on top. Bottom first. `None` if an opening is missing.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn witness(
        &self,
        index: usize,
        openings: &BTreeMap<Group, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.leaves[index].1.openings.witness(openings)
    }

    /// The leaves for given keys.
    pub fn leaf_source<'a>(
        &'a self,
        keys: BTreeMap<Group, PublicKey>,
        challenger: XOnlyPublicKey,
    ) -> PathLeaves<'a> {
        PathLeaves {
            paths: self,
            keys,
            challenger,
        }
    }
}

/// The leaves of [`Paths`] for given keys; made on demand.
#[derive(Clone, Debug)]
pub struct PathLeaves<'a> {
    paths: &'a Paths,
    keys: BTreeMap<Group, PublicKey>,
    challenger: XOnlyPublicKey,
}

impl LeafSource for PathLeaves<'_> {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn script(&self, index: usize) -> ScriptBuf {
        let (_, leaf) = &self.paths.leaves[index];
        leaf.script(&leaf.openings.script(self.challenger, &self.keys))
    }

    fn leaf_hash(&self, index: usize) -> TapLeafHash {
        leaf_hash(&self.script(index))
    }
}

/// The child of a level.
enum Child {
    /// The word itself, padded with zeros.
    Word,
    Node(Group),
}

/// Where the node at a level is revealed, if it is neither the word nor the root.
fn node(search: &Search, access: PathAccess, level: u32) -> Group {
    match search.border(level.into()) {
        Border::Revealed { round, index } => Group::PathNode {
            round,
            index,
            new: access == PathAccess::New,
        },
        Border::End => unreachable!("there are at least as many intervals as levels"),
    }
}

fn child(search: &Search, access: PathAccess, level: u32) -> Child {
    match level {
        0 => Child::Word,
        _ => Child::Node(node(search, access, level)),
    }
}

fn parent(levels: u32, search: &Search, access: PathAccess, level: u32) -> Group {
    if level + 1 == levels {
        access.root()
    } else {
        node(search, access, level + 1)
    }
}

fn selected(search: &Search, level: u32) -> Selected {
    (0..).zip(search.selections(level.into())).collect()
}

fn leaf(levels: u32, search: &Search, hash: &SharedHash, which: PathLeaf) -> Leaf {
    let PathLeaf { access, level } = which;
    let selected = selected(search, level);
    let child = child(search, access, level);
    let parent = parent(levels, search, access, level);
    let bit = access.address_bit(level);
    let mut openings =
        open_selections(Openings::default(), Group::PathSelection, search, &selected)
            .then_natural(Group::Access, false, 0)
            // The last byte comes first, so that the first one ends on top.
            .then_reversed(Group::Sibling, false, 0);
    openings = match child {
        Child::Node(group) => openings.then_reversed(group, false, 0),
        Child::Word => {
            let (group, place, words) = access.word();
            let own = WORD_DIGITS * place..WORD_DIGITS * (place + 1);
            let others = (0..WORD_DIGITS * words).filter(|digit| !own.contains(digit));
            openings.then(group, own.clone().rev().chain(others), false, 0)
        }
    };
    if let Some((group, bit)) = bit {
        // The digit with the bit comes first.
        let first = (bit / 4) as usize; // cast ok: an index
        let others = digits_of(group).filter(|&digit| digit != first);
        openings = openings.then(group, std::iter::once(first).chain(others), false, 0);
    }
    openings = openings.then_natural(parent, false, 0);

    let digits = openings.digits();
    let mut tail = Tail::new(&digits);
    require_selections(&mut tail, Group::PathSelection, &selected);
    tail.require(Group::Access, 1, |_| access.number() as u8); // cast ok: less than 4
    tail.bring(Group::Sibling, NODE_DIGITS);
    match child {
        Child::Node(group) => {
            tail.bring(group, NODE_DIGITS);
        }
        Child::Word => {
            let (group, _, words) = access.word();
            let writer = tail.writer();
            script_items!(writer; for _ in 0..NODE_DIGITS - WORD_DIGITS { OP_0 });
            tail.bring(group, WORD_DIGITS);
            tail.skip(group, WORD_DIGITS * (words - 1));
        }
    }
    if let Some((group, bit)) = bit {
        tail.bring(group, 1);
        let writer = tail.writer();
        // Higher bits of the digit are taken away.
        for higher in (bit % 4 + 1..4).rev() {
            let weight = 1i64 << higher;
            script_items!(writer; OP_DUP { weight } OP_GREATERTHANOREQUAL OP_IF { weight } OP_SUB OP_ENDIF);
        }
        let weight = 1i64 << (bit % 4);
        let below = 2 * NODE_DIGITS as i64 - 1; // cast ok: small
        script_items!(writer;
            { weight } OP_GREATERTHANOREQUAL
            OP_IF for _ in 0..NODE_DIGITS { { below } OP_ROLL } OP_ENDIF
        );
        tail.skip(group, digits_of(group).len() - 1);
    }
    tail.hash(hash);
    tail.compare_with_brought(parent, NODE_DIGITS);
    Leaf {
        hashed: tail.hashed(),
        body: tail.finish(),
        hints: 0,
        body_max_stack: (hash.max_stack() + NODE_DIGITS).max(digits.len() + NODE_DIGITS + 4),
        openings: Arc::new(openings),
    }
}

fn digits_of(group: Group) -> std::ops::Range<usize> {
    0..group.parameters(0).message_digits().len()
}
