//! From a cell to the root.

use super::Node;
use crate::riscv::{Cell, Write};

/// The Merkle path of a cell: the sibling of its leaf, and of each node above it but the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    cell: Cell,
    siblings: [Node; Self::LEVELS],
}

impl Path {
    /// How many siblings a path has.
    pub const LEVELS: usize = Cell::LEVELS as usize; // cast ok: usize has at least 32 bits here

    /// The path of `cell` with these siblings, that of the leaf first.
    pub const fn new(cell: Cell, siblings: [Node; Self::LEVELS]) -> Self {
        Self { cell, siblings }
    }

    /// The cell.
    pub const fn cell(&self) -> Cell {
        self.cell
    }

    /// The siblings, that of the leaf first.
    pub const fn siblings(&self) -> &[Node; Self::LEVELS] {
        &self.siblings
    }

    /// The nodes from the leaf, at level 0, to the root, at level 31, if `word` is in the cell.
    pub fn nodes(&self, word: u32) -> [Node; Self::LEVELS + 1] {
        let mut nodes = [Node::leaf(word); Self::LEVELS + 1];
        for (level, &sibling) in self.siblings.iter().enumerate() {
            let node = nodes[level];
            nodes[level + 1] = if self.cell.index() >> level & 1 == 0 {
                Node::parent(node, sibling)
            } else {
                Node::parent(sibling, node)
            };
        }
        nodes
    }

    /// The root of a tree in which the cell has these siblings, if `word` is in it.
    pub fn root(&self, word: u32) -> Node {
        self.nodes(word)[Self::LEVELS]
    }

    /// Old and new nodes on the path of a cell that is written, from level 0 to level 31. It is the same path before and after, since a step writes
    /// no other cell. `None` if this is the path of another.
    pub fn pairs(&self, write: &Write) -> Option<[(Node, Node); Self::LEVELS + 1]> {
        let (old, new) = (self.nodes(write.old), self.nodes(write.value));
        (write.cell == self.cell).then(|| std::array::from_fn(|level| (old[level], new[level])))
    }
}
