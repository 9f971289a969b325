//! The dispute over a trace: what each party says, from an execution of its own. Values come in and go out as
//! [`Published`], which is what the chain shows.
//!
//! ```text
//! digests of round 0 ─► selection ─► … ─► record of the step ─► disprove, or
//!     access ─► nodes of round 0 ─► selection ─► … ─► sibling ─► disprove
//! ```
//!
//! [`Answers`] is the prover: true values, whatever was selected. [`Challenges`] is the challenger. It keeps the left end of what is left true and the right
//! one false, so in the end it has one step that goes from a true state to a false one, and some leaf shows why; and the like for the levels of
//! a Merkle path ([`Challenges::select_level`]). Against a false claim it always ends at a leaf that it can spend. [`TraceDispute`] is both, as the engines
//! ask for them.

mod answers;
mod challenges;
mod dispute;
mod liar;
mod opening;
mod random;

use tapcourt_compiler::riscv::{Court, Group, Published, PublishedError, Search, SelectionError};

pub use self::answers::Answers;
pub use self::challenges::{Challenges, Verdict};
pub use self::dispute::TraceDispute;
pub use self::liar::{Liar, Lie, LieError, LieKind};
pub use self::random::RandomSelections;

/// The step that the search over the trace ended at.
fn step(court: &Court, published: &Published) -> Result<u64, PublishedError> {
    end(court.search(), Group::Selection, published)
}

/// The level that the search over a path ended at.
fn path_level(court: &Court, published: &Published) -> Result<u64, PublishedError> {
    end(court.paths().search(), Group::PathSelection, published)
}

/// Where a search ended.
fn end(
    search: &Search,
    group: fn(u32) -> Group,
    published: &Published,
) -> Result<u64, PublishedError> {
    let left = search.left_after(&selected(group, search.rounds(), published)?);
    Ok(left.map_err(of_no_part(group))?.0)
}

/// The borders of the parts into which a round splits what is left, both ends included.
fn borders(
    search: &Search,
    group: fn(u32) -> Group,
    round: u32,
    published: &Published,
) -> Result<Vec<u64>, PublishedError> {
    let borders = search.borders(&selected(group, round, published)?);
    borders.map_err(of_no_part(group))
}

/// Those of [`borders`] that are revealed in the round.
fn inside(borders: &[u64]) -> &[u64] {
    &borders[1..borders.len() - 1]
}

/// What was selected in the first rounds of a search.
fn selected(
    group: fn(u32) -> Group,
    rounds: u32,
    published: &Published,
) -> Result<Vec<u32>, PublishedError> {
    (0..rounds)
        .map(|round| published.word(group(round)))
        .collect()
}

/// For `map_err`: names the group whose selection is of no part.
fn of_no_part(group: fn(u32) -> Group) -> impl Fn(SelectionError) -> PublishedError {
    move |error| PublishedError::Selection {
        group: group(error.round),
        selection: error.selection,
        arity: error.arity,
    }
}
