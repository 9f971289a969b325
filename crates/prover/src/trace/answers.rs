//! The prover's part: the truth about whatever was selected.

use tapcourt_compiler::riscv::{Court, Group, Published, PublishedError};
use tapcourt_program::riscv::Execution;

use super::opening::{Opening, access_of};
use super::{borders, inside, path_level, step};

/// What the prover publishes.
#[derive(Debug)]
pub struct Answers<'e, 'p> {
    court: &'e Court,
    execution: &'e mut Execution<'p>,
}

impl<'e, 'p> Answers<'e, 'p> {
    /// The answers of one who has executed the program on its input.
    pub fn new(court: &'e Court, execution: &'e mut Execution<'p>) -> Self {
        Self { court, execution }
    }

    /// Whether the program accepts within the steps that a claim is about: else it must not be claimed.
    pub fn may_claim(&mut self) -> bool {
        self.execution.accepts_within(self.court.steps_claimed())
    }

    /// The digests inside what is left before a round.
    ///
    /// # Errors
    /// If an earlier selection was not published, or is of no part.
    pub fn digests(&mut self, round: u32, published: &mut Published) -> Result<(), PublishedError> {
        let steps = borders(self.court.search(), Group::Selection, round, published)?;
        for (index, digest) in (0..).zip(self.execution.digests(inside(&steps))) {
            published.set_node(Group::Digest { round, index }, &digest.to_bytes());
        }
        Ok(())
    }

    /// The record of the step that the search ended at.
    ///
    /// # Errors
    /// If a selection was not published, or is of no part.
    pub fn step(&mut self, published: &mut Published) -> Result<(), PublishedError> {
        let step = step(self.court, published)?;
        let disputed = self.execution.step_at(step);
        published.set_step(
            &disputed.record,
            &disputed.root.to_bytes(),
            &disputed.next_root.to_bytes(),
        );
        Ok(())
    }

    /// The nodes inside what is left of the opened path before a round.
    ///
    /// # Errors
    /// If a selection or the access was not published, or a selection is of no part.
    pub fn nodes(&mut self, round: u32, published: &mut Published) -> Result<(), PublishedError> {
        let opening = self.opening(published)?;
        let search = self.court.paths().search();
        let levels = borders(search, Group::PathSelection, round, published)?;
        for (index, &position) in (0..).zip(inside(&levels)) {
            for new in [false, true] {
                let group = Group::PathNode { round, index, new };
                published.set_node(group, &opening.node(position, new).to_bytes());
            }
        }
        Ok(())
    }

    /// The sibling at the level that the search over the path ended at. Above the root, where no leaf is, there is none: zeros.
    ///
    /// # Errors
    /// If a selection or the access was not published, or a selection is of no part.
    pub fn sibling(&mut self, published: &mut Published) -> Result<(), PublishedError> {
        let opening = self.opening(published)?;
        let level = path_level(self.court, published)?;
        let sibling = opening.sibling(level as usize); // cast ok: at most 64
        let bytes = sibling.map_or([0; 20], |sibling| sibling.to_bytes());
        published.set_node(Group::Sibling, &bytes);
        Ok(())
    }

    /// The access that was selected, of the true record.
    fn opening(&mut self, published: &Published) -> Result<Opening, PublishedError> {
        let step = step(self.court, published)?;
        let access = access_of(published.word(Group::Access)?);
        let record = self.execution.record_at(step);
        Ok(Opening::new(self.execution, step, &record, access))
    }
}
