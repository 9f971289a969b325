//! From a cell to the root.

use super::Node;
use crate::riscv::{Cell, Write};

/// The Merkle path of a cell: the sibling of its leaf, and of each node above it but the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    cell: Cell,
    siblings: Vec<Node>,
}

impl Path {
    /// The path of `cell` with these siblings, that of the leaf first: one for each level of the
    /// tree.
    pub const fn new(cell: Cell, siblings: Vec<Node>) -> Self {
        Self { cell, siblings }
    }

    /// The cell.
    pub const fn cell(&self) -> Cell {
        self.cell
    }

    /// How many levels it has, which is the level of the root.
    pub const fn levels(&self) -> usize {
        self.siblings.len()
    }

    /// The siblings, that of the leaf first.
    pub fn siblings(&self) -> &[Node] {
        &self.siblings
    }

    /// The nodes from the leaf, at level 0, to the root, if `word` is in the cell.
    pub fn nodes(&self, word: u32) -> Vec<Node> {
        let mut node = Node::leaf(word);
        let mut nodes = vec![node];
        for (level, &sibling) in self.siblings.iter().enumerate() {
            node = if self.cell.index() >> level & 1 == 0 {
                Node::parent(node, sibling)
            } else {
                Node::parent(sibling, node)
            };
            nodes.push(node);
        }
        nodes
    }

    /// The root of a tree in which the cell has these siblings, if `word` is in it.
    pub fn root(&self, word: u32) -> Node {
        self.nodes(word)[self.levels()]
    }

    /// Old and new nodes on the path of a cell that is written, from level 0 to the root. It is the
    /// same path before and after, since a step writes no other cell. `None` if this is the path of
    /// another.
    pub fn pairs(&self, write: &Write) -> Option<Vec<(Node, Node)>> {
        let (old, new) = (self.nodes(write.old), self.nodes(write.value));
        (write.cell == self.cell).then(|| old.into_iter().zip(new).collect())
    }
}
