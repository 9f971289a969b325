//! A memory access that is opened: the nodes on the path of its cell.

use tapcourt_compiler::riscv::{Border, Group, PathAccess, Published, PublishedError, Search};
use tapcourt_program::riscv::{Cell, Execution, Node, Path, StepRecord};

/// Nodes on a path, from the word at level 0 to the root.
type Nodes = Vec<Node>;

/// An access of a published record, against the true state before the step.
pub(super) struct Opening {
    pub(super) access: PathAccess,
    /// The cell that the record names, in the true state.
    path: Path,
    /// The nodes under the true word.
    old: Nodes,
    /// For a write, the nodes under the word that the record writes, with the same siblings.
    new: Option<Nodes>,
}

/// The access that a number stands for; [`PathAccess::Old`] for both paths of a write.
pub(super) fn access_of(number: u32) -> PathAccess {
    match number {
        0 => PathAccess::A,
        1 => PathAccess::B,
        2 => PathAccess::Memory,
        _ => PathAccess::Old,
    }
}

/// The cell of an access, what the record says was in it, and what it says is in it afterwards.
pub(super) fn access_in(record: &StepRecord, access: PathAccess) -> (Cell, u32, u32) {
    match access {
        PathAccess::A => (record.a.cell, record.a.value, record.a.value),
        PathAccess::B => (record.b.cell, record.b.value, record.b.value),
        PathAccess::Memory => (record.m.cell, record.m.value, record.m.value),
        PathAccess::Old | PathAccess::New => (record.w.cell, record.w.old, record.w.value),
    }
}

impl Opening {
    pub(super) fn new(
        execution: &mut Execution<'_>,
        step: u64,
        record: &StepRecord,
        access: PathAccess,
    ) -> Self {
        let (cell, _, written) = access_in(record, access);
        let (word, path) = execution.path_at(step, cell);
        let is_write = matches!(access, PathAccess::Old | PathAccess::New);
        Self {
            access,
            old: path.nodes(word),
            new: is_write.then(|| path.nodes(written)),
            path,
        }
    }

    /// The true node that is revealed in a place, if `new` is for a write the one after it. Above the root there is only the root.
    pub(super) fn node(&self, position: u64, new: bool) -> Node {
        let nodes = match &self.new {
            Some(nodes) if new => nodes,
            _ => &self.old,
        };
        nodes[self.level(position)]
    }

    /// The siblings on the path, which are true of both states.
    pub(super) fn siblings(&self) -> &[Node] {
        self.path.siblings()
    }

    /// The level of the root.
    pub(super) fn levels(&self) -> usize {
        self.path.levels()
    }

    /// Places above the root are the root's.
    fn level(&self, position: u64) -> usize {
        let root = self.levels();
        usize::try_from(position).map_or(root, |position| position.min(root))
    }

    /// The sibling of the node at a level below the root.
    pub(super) fn sibling(&self, level: usize) -> Option<Node> {
        self.path.siblings().get(level).copied()
    }

    /// Whether what was published of a place is true: the old node, and the new one.
    fn truth(
        &self,
        search: &Search,
        published: &Published,
        position: u64,
    ) -> Result<[bool; 2], PublishedError> {
        let said = |new: bool| -> Result<Node, PublishedError> {
            if self.level(position) == self.levels() {
                let root = if new { Group::NextRoot } else { Group::Root };
                return published.node(root).map(Node::from_bytes);
            }
            match search.border(position) {
                Border::Revealed { round, index } => {
                    let group = Group::PathNode { round, index, new };
                    published.node(group).map(Node::from_bytes)
                }
                Border::End => {
                    let record = published.record()?.unwrap_or_default();
                    let (_, old, written) = access_in(&record, self.access);
                    Ok(Node::leaf(if new { written } else { old }))
                }
            }
        };
        let old = said(false)? == self.node(position, false);
        let new = self.new.is_none() || said(true)? == self.node(position, true);
        Ok([old, new])
    }

    /// Whether the challenger can win between two places: (A) the old node is false at the lower and true at the upper one, or (B), for a write, old
    /// nodes are true at both, and the new one is true at the lower and false at the upper one.
    pub(super) fn can_win(
        &self,
        search: &Search,
        published: &Published,
        low: u64,
        high: u64,
    ) -> Result<bool, PublishedError> {
        let [old_low, new_low] = self.truth(search, published, low)?;
        let [old_high, new_high] = self.truth(search, published, high)?;
        let a = !old_low && old_high;
        let b = self.new.is_some() && old_low && old_high && new_low && !new_high;
        Ok(a || b)
    }
}
