//! The challenger's part: to find what is false, and select it.

use tapcourt_compiler::riscv::{
    Border, Court, Group, PathAccess, PathLeaf, Published, PublishedError, Side, StepLeaf,
};
use tapcourt_program::riscv::Execution;

use super::opening::{Opening, access_in, access_of};
use super::{borders, inside, path_level, step};

/// What the challenger does about a published record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It spends this leaf.
    Disprove(StepLeaf),
    /// It has this access opened: [`Group::Access`] gets [`PathAccess::number`].
    Open(PathAccess),
    /// Nothing is false.
    Concede,
}

/// What the challenger selects.
#[derive(Debug)]
pub struct Challenges<'e, 'p> {
    court: &'e Court,
    execution: &'e mut Execution<'p>,
}

impl<'e, 'p> Challenges<'e, 'p> {
    /// The selections of one who has executed the program on the claimed input.
    pub fn new(court: &'e Court, execution: &'e mut Execution<'p>) -> Self {
        Self { court, execution }
    }

    /// Whether a claim is false: the program does not accept within the steps that it is about.
    pub fn must_challenge(&mut self) -> bool {
        !self.execution.accepts_within(self.court.steps_claimed())
    }

    /// Selects a part whose left end is true and whose right end is false, the last one's being false if all digests are true: then what is false is
    /// further on, in the end that the program has accepted.
    ///
    /// # Errors
    /// If a digest or an earlier selection was not published, or a selection is of no part.
    pub fn select(&mut self, round: u32, published: &Published) -> Result<u32, PublishedError> {
        let search = self.court.search();
        let steps = borders(search, Group::Selection, round, published)?;
        for (index, digest) in (0..).zip(self.execution.digests(inside(&steps))) {
            if published.node(Group::Digest { round, index })? != digest.to_bytes() {
                return Ok(index);
            }
        }
        Ok(search.arity(round) - 1)
    }

    /// Judges the record of the step that the search ended at, in the order of the design: the left end, the step by itself, what it read, the right
    /// end, what it wrote.
    ///
    /// # Errors
    /// If anything of it was not published, or a selection is of no part.
    pub fn judge(&mut self, published: &Published) -> Result<Verdict, PublishedError> {
        let steps = self.court.steps();
        let search = self.court.search();
        let step = step(self.court, published)?;
        let ends = [
            match search.border(step) {
                Border::End => StepLeaf::Start,
                Border::Revealed { round, index } => StepLeaf::Digest {
                    round,
                    index,
                    side: Side::Left,
                },
            },
            match search.border(step + 1) {
                Border::End => StepLeaf::Accept,
                Border::Revealed { round, index } => StepLeaf::Digest {
                    round,
                    index,
                    side: Side::Right,
                },
            },
        ];
        let spendable = |leaf: StepLeaf| -> Result<bool, PublishedError> {
            match steps.index(leaf) {
                Some(index) => steps.is_spendable(index, published),
                None => Ok(false),
            }
        };
        let pc = published.word(Group::Pc)?;
        let instruction = [StepLeaf::Semantics { pc }, StepLeaf::Stop { pc }];
        let inputs = (0..steps.options().words()).map(|word| StepLeaf::Input { pc, word });
        for leaf in [
            ends[0],
            instruction[0],
            instruction[1],
            StepLeaf::OutsideRom,
        ]
        .into_iter()
        .chain(inputs)
        {
            if spendable(leaf)? {
                return Ok(Verdict::Disprove(leaf));
            }
        }
        // The record is what its own words give; a label of no cell would have been refuted above.
        let record = published.record()?.unwrap_or_default();
        let tree = self.execution.tree_at(step);
        for access in [PathAccess::A, PathAccess::B, PathAccess::Memory] {
            let (cell, said, _) = access_in(&record, access);
            if said != tree.word(cell) {
                return Ok(Verdict::Open(access));
            }
        }
        let replaced = tree.word(record.w.cell);
        if spendable(ends[1])? {
            return Ok(Verdict::Disprove(ends[1]));
        }
        let next_root = self.execution.step_at(step).next_root.to_bytes();
        if record.w.old != replaced || published.node(Group::NextRoot)? != next_root {
            return Ok(Verdict::Open(PathAccess::Old));
        }
        Ok(Verdict::Concede)
    }

    /// Selects a part of the opened path between whose ends it can win. If there is none, which is only if nothing is false, the first.
    ///
    /// # Errors
    /// If a node, the access or a selection was not published, or a selection is of no part.
    pub fn select_level(
        &mut self,
        round: u32,
        published: &Published,
    ) -> Result<u32, PublishedError> {
        let search = self.court.paths().search();
        let opening = self.opening(published)?;
        let levels = borders(search, Group::PathSelection, round, published)?;
        for (selection, ends) in (0..).zip(levels.windows(2)) {
            if opening.can_win(search, published, ends[0], ends[1])? {
                return Ok(selection);
            }
        }
        Ok(0)
    }

    /// The leaf that is spendable at the level that the search over the path ended at, if one is.
    ///
    /// # Errors
    /// If anything that a leaf opens was not published, or a selection is of no part.
    pub fn path_leaf(&mut self, published: &Published) -> Result<Option<PathLeaf>, PublishedError> {
        let paths = self.court.paths();
        let level = path_level(self.court, published)?;
        let accesses = match access_of(published.word(Group::Access)?) {
            PathAccess::Old | PathAccess::New => vec![PathAccess::Old, PathAccess::New],
            access => vec![access],
        };
        for access in accesses {
            let leaf = PathLeaf {
                access,
                level: level as u32, // cast ok: at most 64
            };
            if let Some(index) = paths.index(leaf)
                && paths.is_spendable(index, published)?
            {
                return Ok(Some(leaf));
            }
        }
        Ok(None)
    }

    /// The access that was selected, of the published record, against the true state.
    fn opening(&mut self, published: &Published) -> Result<Opening, PublishedError> {
        let step = step(self.court, published)?;
        let access = access_of(published.word(Group::Access)?);
        let record = published.record()?.unwrap_or_default();
        Ok(Opening::new(self.execution, step, &record, access))
    }
}
