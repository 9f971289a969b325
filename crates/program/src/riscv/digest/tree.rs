//! The Merkle tree of a state.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::hash::Row;
use super::{Node, Path};
use crate::riscv::{AddressSpace, Cell, Memory, State};

/// The words of one page.
type Words = [u32; Memory::PAGE_WORDS];

/// Levels of the tree above a page's words.
const PAGE_LEVEL: u32 = 10;

/// The page whose first words are the registers, and which is no memory.
const REGISTER_PAGE: u32 = 0;

/// Levels above the words of a block, the least of which a page keeps a node.
const BLOCK_LEVEL: u32 = 5;

/// Words of a block.
const BLOCK_WORDS: usize = 1 << BLOCK_LEVEL;

/// A state's cells, and those nodes of its Merkle tree that somebody has asked for.
///
/// It cannot be changed in what it shares: a clone takes constant time, and after that pages are copied only as they are
/// [set](Self::set_pages). Nodes are hashed when first asked for, on the threads of the [`rayon`] pool of the caller, and are kept; a page that
/// is set keeps the nodes above words that stay. So memory and time are proportional to the pages that differ, wherever they are.
///
/// ```
/// use tapcourt_program::riscv::{AddressSpace, Cell, Node, Tree};
///
/// let mut tree = Tree::new(AddressSpace::DEFAULT);
/// assert_eq!(tree.root(), Node::empty(24));
/// let before = tree.clone();
/// tree.set_word(Cell::memory(0x0200_0004), 7);
/// let path = tree.path(Cell::memory(0x0200_0004));
/// assert_eq!(path.root(7), tree.root());
/// assert_eq!(path.root(0), before.root());
/// ```
#[derive(Clone)]
pub struct Tree {
    space: AddressSpace,
    registers: [u32; 32],
    /// All cells: the first page begins with the registers, and the others are memory.
    cells: Subtree,
}

#[derive(Clone, Default)]
enum Subtree {
    /// All words are zero.
    #[default]
    Empty,
    /// Above level 10: not both are empty.
    Inner(Arc<Inner>),
    /// At level 10: not all words are zero.
    Page(Arc<Page>),
}

struct Inner {
    children: [Subtree; 2],
    node: OnceLock<Node>,
}

struct Page {
    words: Words,
    /// Nodes of the page that was here before, for blocks that did not change.
    kept: Option<Box<Kept>>,
    nodes: OnceLock<Box<PageNodes>>,
}

/// Blocks of a page.
const BLOCKS: usize = Memory::PAGE_WORDS / BLOCK_WORDS;

/// At `2^k + i` the node number `i` of a page at level `10 - k`: 1 is the page's, 2 and 3 are below it, the last 32 are the blocks'.
type PageNodes = [Node; 2 * BLOCKS];

struct Kept {
    /// By block, whether its node is known.
    known: [bool; BLOCKS],
    blocks: [Node; BLOCKS],
}

impl Tree {
    /// The tree of a state in which all cells are zero.
    pub fn new(space: AddressSpace) -> Self {
        Self {
            space,
            registers: [0; 32],
            cells: Subtree::Empty,
        }
    }

    /// The tree of a state.
    pub fn of_state(state: &State) -> Self {
        let mut tree = Self::new(state.memory.space());
        tree.set_registers(&state.registers);
        let pages = state.memory.pages();
        let words = pages
            .iter()
            .map(|&number| (number, state.memory.page(number)));
        tree.set_pages(words);
        tree
    }

    /// Bytes that are held for a page, the nodes in it included.
    pub const PAGE_BYTES: usize = size_of::<Page>() + size_of::<PageNodes>();

    /// The most bytes that are held for a page in a tree of many: nodes of the page before it as
    /// well, and its share of the nodes above.
    pub(crate) const MOST_PAGE_BYTES: usize =
        Self::PAGE_BYTES + size_of::<Kept>() + 2 * (size_of::<Inner>() + 2 * size_of::<usize>());

    /// Which addresses are memory.
    pub fn space(&self) -> AddressSpace {
        self.space
    }

    /// The level of the root.
    pub fn levels(&self) -> u32 {
        self.space.levels()
    }

    /// Sets all registers; `x0` has to be zero.
    pub fn set_registers(&mut self, registers: &[u32; 32]) {
        self.registers = *registers;
        let mut words = [0; Memory::PAGE_WORDS];
        words[..registers.len()].copy_from_slice(registers);
        let pages = [(REGISTER_PAGE, Some(&words))];
        self.cells = self.cells.with_pages(self.levels(), &pages);
    }

    /// Sets the words of pages by their number, which is the address of a page's first byte divided
    /// by 4,096. `None` are zeros. If a number is there twice, the last one counts. Numbers of
    /// pages that are no memory are passed over.
    pub fn set_pages<'p>(&mut self, pages: impl IntoIterator<Item = (u32, Option<&'p Words>)>) {
        let memory = REGISTER_PAGE + 1..self.space.pages();
        let pages: BTreeMap<u32, Option<&Words>> = pages
            .into_iter()
            .filter(|(number, _)| memory.contains(number))
            .collect();
        let pages: Vec<(u32, Option<&Words>)> = pages.into_iter().collect();
        self.cells = self.cells.with_pages(self.levels(), &pages);
    }

    /// Sets one cell. Cells in no state's use stay zero.
    pub fn set_word(&mut self, cell: Cell, value: u32) {
        if let Some(address) = cell.address() {
            let number = address >> 12;
            let mut words = self
                .page(number)
                .copied()
                .unwrap_or([0; Memory::PAGE_WORDS]);
            words[word_in_page(address)] = value;
            self.set_pages([(number, Some(&words))]);
        } else if let Some(register) = cell.as_register() {
            let mut registers = self.registers;
            registers[usize::from(register.number())] = value;
            self.set_registers(&registers);
        }
    }

    /// The registers.
    pub fn registers(&self) -> &[u32; 32] {
        &self.registers
    }

    /// The words of a page of memory; `None` if all are zero or there is no such page.
    pub fn page(&self, number: u32) -> Option<&Words> {
        if number == REGISTER_PAGE {
            return None;
        }
        match self.cells.at(self.levels(), PAGE_LEVEL, number)? {
            Subtree::Page(page) => Some(&page.words),
            Subtree::Inner(_) | Subtree::Empty => None,
        }
    }

    /// The cell that a path to `cell` leads to, which a claim may place outside the address space:
    /// as many bits of the index count as there are levels.
    fn reached(&self, cell: Cell) -> Cell {
        let index = cell.index() & ((1 << self.levels()) - 1);
        Cell::from_index(index).unwrap_or_default()
    }

    /// A cell's word. Of a cell that no tree of this size has, only the lowest bits of the index
    /// count, as in a [`path`](Self::path).
    pub fn word(&self, cell: Cell) -> u32 {
        let cell = self.reached(cell);
        match (cell.address(), cell.as_register()) {
            (Some(address), _) => self
                .page(address >> 12)
                .map_or(0, |words| words[word_in_page(address)]),
            (None, Some(register)) => self.registers[usize::from(register.number())],
            (None, None) => 0,
        }
    }

    /// The root over all cells.
    pub fn root(&self) -> Node {
        self.cells.node(self.levels())
    }

    /// The node number `position` of all at `level`, 0 for leaves and [`levels`](Self::levels) for
    /// the root.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn node(&self, level: u32, position: u32) -> Node {
        let levels = self.levels();
        assert!(
            level <= levels && position >> (levels - level) == 0,
            "no node {position} at level {level} of {levels}"
        );
        if level >= PAGE_LEVEL {
            let subtree = self.cells.at(levels, level, position);
            return subtree.map_or_else(|| Node::empty(level), |subtree| subtree.node(level));
        }
        let in_page = PAGE_LEVEL - level;
        match self.cells.at(levels, PAGE_LEVEL, position >> in_page) {
            Some(Subtree::Page(page)) => {
                // Casts ok: usize has at least 32 bits here.
                page.node_at(level, position as usize & ((1 << in_page) - 1))
            }
            _ => Node::empty(level),
        }
    }

    /// The path from a cell to the root. If no tree of this size has the cell, it is that of the
    /// cell with the same lowest bits, which is where the bits of its label lead.
    pub fn path(&self, cell: Cell) -> Path {
        let index = self.reached(cell).index();
        let siblings = (0..self.levels()).map(|level| self.node(level, index >> level ^ 1));
        Path::new(cell, siblings.collect())
    }

    /// Numbers of all pages of memory with words other than in `other`, ascending, and perhaps of
    /// some that have the same words.
    pub fn changed_pages(&self, other: &Self) -> Vec<u32> {
        let mut pages = Vec::new();
        self.cells
            .changed_pages(&other.cells, self.levels(), 0, &mut pages);
        pages.retain(|&number| number != REGISTER_PAGE);
        pages
    }

    /// Bytes that this tree needs if `other` is there anyhow, but for a constant.
    pub fn bytes_beyond(&self, other: &Self) -> usize {
        self.cells.bytes_beyond(&other.cells)
    }
}

impl Subtree {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether both are the same place in memory, or empty.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) => true,
            (Self::Inner(a), Self::Inner(b)) => Arc::ptr_eq(a, b),
            (Self::Page(a), Self::Page(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// The children; two empty ones if there are none.
    fn children(&self) -> &[Self; 2] {
        const NONE: &[Subtree; 2] = &[Subtree::Empty, Subtree::Empty];
        match self {
            Self::Inner(inner) => &inner.children,
            Self::Empty | Self::Page(_) => NONE,
        }
    }

    /// The subtree number `position` of those at `to`, if this one is at level `from`.
    fn at(&self, from: u32, to: u32, position: u32) -> Option<&Self> {
        if position >> (from - to) != 0 {
            return None;
        }
        let mut subtree = self;
        for level in (0..from - to).rev() {
            subtree = &subtree.children()[(position >> level & 1) as usize]; // cast ok: a bit
        }
        Some(subtree)
    }

    fn with_pages(&self, level: u32, pages: &[(u32, Option<&Words>)]) -> Self {
        let Some(&(_, words)) = pages.first() else {
            return self.clone();
        };
        if level == PAGE_LEVEL {
            return words.map_or(Self::Empty, |words| self.with_words(words));
        }
        let bit = level - 1 - PAGE_LEVEL;
        let middle = pages.partition_point(|&(number, _)| number >> bit & 1 == 0);
        let [left, right] = self.children();
        let children = [
            left.with_pages(level - 1, &pages[..middle]),
            right.with_pages(level - 1, &pages[middle..]),
        ];
        if children.iter().all(Self::is_empty) {
            return Self::Empty;
        }
        if left.is(&children[0]) && right.is(&children[1]) {
            return self.clone();
        }
        Self::Inner(Arc::new(Inner {
            children,
            node: OnceLock::new(),
        }))
    }

    /// A page of these words, with the nodes of the one that is here as far as nothing below them changes.
    fn with_words(&self, words: &Words) -> Self {
        let old = match self {
            Self::Page(page) if page.words == *words => return self.clone(),
            Self::Page(page) => Some(page),
            Self::Inner(_) | Self::Empty => None,
        };
        if words.iter().all(|&word| word == 0) {
            return Self::Empty;
        }
        Self::Page(Arc::new(Page {
            words: *words,
            kept: old.and_then(|old| Kept::new(old, words)).map(Box::new),
            nodes: OnceLock::new(),
        }))
    }

    fn is_hashed(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Inner(inner) => inner.node.get().is_some(),
            Self::Page(page) => page.nodes.get().is_some(),
        }
    }

    fn node(&self, level: u32) -> Node {
        let inner = match self {
            Self::Empty => return Node::empty(level),
            Self::Page(page) => return page.nodes()[1],
            Self::Inner(inner) => inner,
        };
        // Not `get_or_init`: a thread that waits for others in `join` could be given this very node to hash, and would wait for itself.
        if let Some(&node) = inner.node.get() {
            return node;
        }
        let [left, right] = &inner.children;
        let below = level - 1;
        let (left, right) = if left.is_hashed() || right.is_hashed() {
            (left.node(below), right.node(below))
        } else {
            rayon::join(|| left.node(below), || right.node(below))
        };
        *inner.node.get_or_init(|| Node::parent(left, right))
    }

    fn changed_pages(&self, other: &Self, level: u32, position: u32, pages: &mut Vec<u32>) {
        if self.is(other) {
            return;
        }
        if level == PAGE_LEVEL {
            pages.push(position);
            return;
        }
        let children = self.children().iter().zip(other.children());
        for (bit, (ours, theirs)) in (0..).zip(children) {
            ours.changed_pages(theirs, level - 1, position << 1 | bit, pages);
        }
    }

    fn bytes_beyond(&self, other: &Self) -> usize {
        /// The two counts of an [`Arc`].
        const COUNTS: usize = 2 * size_of::<usize>();
        match self {
            _ if self.is(other) => 0,
            Self::Empty => 0,
            Self::Page(_) => COUNTS + Tree::PAGE_BYTES,
            Self::Inner(inner) => {
                let children = inner.children.iter().zip(other.children());
                let below: usize = children.map(|(a, b)| a.bytes_beyond(b)).sum();
                below + COUNTS + size_of::<Inner>()
            }
        }
    }
}

impl Page {
    fn nodes(&self) -> &PageNodes {
        self.nodes.get_or_init(|| Box::new(self.hash()))
    }

    fn hash(&self) -> PageNodes {
        let [row, above] = &mut [const { Row::new() }; 2];
        let (mut row, mut above) = (row, above);
        let kept = self.kept.as_ref();
        match kept {
            None => row.set_above_words(&self.words),
            Some(kept) => {
                let blocks = self.words.as_chunks::<BLOCK_WORDS>().0.iter();
                let unknown = blocks.zip(&kept.known).filter(|&(_, &known)| !known);
                let words: Vec<u32> = unknown.flat_map(|(&block, _)| block).collect();
                row.set_above_words(&words);
            }
        }
        for _ in 1..BLOCK_LEVEL {
            above.set_above(row);
            std::mem::swap(&mut row, &mut above);
        }
        if let Some(kept) = kept {
            above.clear();
            let mut hashed = row.iter();
            for (&known, &node) in kept.known.iter().zip(&kept.blocks) {
                let node = if known { Some(node) } else { hashed.next() };
                above.push(node.expect("the others were hashed"));
            }
            drop(hashed);
            std::mem::swap(&mut row, &mut above);
        }
        let mut nodes = [Node::default(); 2 * BLOCKS];
        let mut first = BLOCKS;
        loop {
            for (node, hashed) in nodes[first..2 * first].iter_mut().zip(row.iter()) {
                *node = hashed;
            }
            if first == 1 {
                return nodes;
            }
            first /= 2;
            above.set_above(row);
            std::mem::swap(&mut row, &mut above);
        }
    }

    /// The node number `position` of the page at `level`.
    fn node_at(&self, level: u32, position: usize) -> Node {
        if level < BLOCK_LEVEL {
            node_of_words(&self.words[position << level..(position + 1) << level])
        } else {
            self.nodes()[(1 << (PAGE_LEVEL - level)) + position]
        }
    }
}

impl Kept {
    /// Which nodes of `old` are those of a page of these words too, if it is hashed and some are.
    fn new(old: &Page, words: &Words) -> Option<Self> {
        let nodes = old.nodes.get()?;
        let [before, after] = [&old.words, words].map(|words| words.as_chunks::<BLOCK_WORDS>().0);
        let known = std::array::from_fn(|block| before[block] == after[block]);
        known.contains(&true).then(|| Self {
            known,
            blocks: std::array::from_fn(|block| nodes[BLOCKS + block]),
        })
    }
}

fn parent(level: u32, left: Node, right: Node) -> Node {
    let empty = Node::empty(level);
    if left == empty && right == empty {
        Node::empty(level + 1)
    } else {
        Node::parent(left, right)
    }
}

/// The node above at most 32 words, whose number is a power of two.
fn node_of_words(words: &[u32]) -> Node {
    let mut nodes = [Node::default(); BLOCK_WORDS];
    for (node, &word) in nodes.iter_mut().zip(words) {
        *node = Node::leaf(word);
    }
    let mut count = words.len().min(BLOCK_WORDS);
    for level in 0..count.ilog2() {
        count /= 2;
        for i in 0..count {
            nodes[i] = parent(level, nodes[2 * i], nodes[2 * i + 1]);
        }
    }
    nodes[0]
}

fn word_in_page(address: u32) -> usize {
    (address >> 2) as usize % Memory::PAGE_WORDS // cast ok: usize has at least 32 bits here
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("registers", &self.registers)
            .field("pages", &self.changed_pages(&Self::new(self.space)))
            .finish_non_exhaustive()
    }
}
