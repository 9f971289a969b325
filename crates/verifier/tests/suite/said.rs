//! What parties of a dispute over a trace say, when the challenger selects a given step and level.

use tapcourt_compiler::riscv::{Court, Group, PathAccess, Published, Search};
use tapcourt_program::riscv::{DisputedStep, Execution};

use crate::parties::Values;

/// The borders that each round reveals on the way to an interval, and what is selected.
fn rounds(search: &Search, interval: u64) -> Vec<(Vec<u64>, u32)> {
    let selections = search.selections(interval);
    let round = |round: usize| {
        let (first, count) = search.left_after(&selections[..round]).unwrap();
        let parts = u64::from(search.arities()[round]);
        let borders = (1..parts).map(|border| first + border * (count / parts));
        (borders.collect(), selections[round])
    };
    (0..selections.len()).map(round).collect()
}

/// Claims an input, and goes on to the record of a step: the digest after each number of steps is `digest`'s.
pub(crate) fn up_to_step(
    court: &Court,
    input: &[u32],
    step: u64,
    said: &DisputedStep,
    mut digest: impl FnMut(u64) -> [u8; 20],
) -> Published {
    let search = court.search();
    let mut published = Published::new();
    published.set_inputs(input);
    for (round, (borders, selection)) in (0..).zip(rounds(search, step)) {
        for (index, border) in (0..).zip(borders) {
            published.set_node(Group::Digest { round, index }, &digest(border));
        }
        let bits = search.selection_bits(round).into();
        published.set_word(Group::Selection(round), selection, bits);
    }
    let roots = (said.root.to_bytes(), said.next_root.to_bytes());
    published.set_step(&said.record, &roots.0, &roots.1);
    published
}

/// The same of a prover that says what its execution gives.
pub(crate) fn up_to_step_of(
    court: &Court,
    input: &[u32],
    step: u64,
    execution: &mut Execution<'_>,
) -> Published {
    let said = execution.step_at(step);
    up_to_step(court, input, step, &said, |border| {
        execution.digest_at(border).to_bytes()
    })
}

/// Opens an access, and goes on to the sibling at a level, with the true nodes of the cell that was said to be accessed.
pub(crate) fn up_to_sibling(
    court: &Court,
    published: &mut Published,
    step: u64,
    execution: &mut Execution<'_>,
    access: PathAccess,
    level: u64,
) {
    let record = published.record().unwrap().unwrap();
    let (cell, written) = match access {
        PathAccess::A => (record.a.cell, None),
        PathAccess::B => (record.b.cell, None),
        PathAccess::Memory => (record.m.cell, None),
        PathAccess::Old | PathAccess::New => (record.w.cell, Some(record.w.value)),
    };
    let (word, path) = execution.path_at(step, cell);
    let nodes = [path.nodes(word), path.nodes(written.unwrap_or(word))];
    let at = |place: u64| path.levels().min(place as usize); // cast ok: few levels
    let search = court.paths().search();
    published.set_word(Group::Access, access.number(), 2);
    for (round, (borders, selection)) in (0..).zip(rounds(search, level)) {
        for (index, border) in (0..).zip(borders) {
            for new in [false, true] {
                let group = Group::PathNode { round, index, new };
                let node = nodes[usize::from(new)][at(border)];
                published.set_node(group, &node.to_bytes());
            }
        }
        let bits = search.selection_bits(round).into();
        published.set_word(Group::PathSelection(round), selection, bits);
    }
    let sibling = path.siblings().get(at(level));
    let bytes = sibling.map_or([0; 20], |sibling| sibling.to_bytes());
    published.set_node(Group::Sibling, &bytes);
}

/// What both parties publish: the prover repeats what the challenger says.
pub(crate) fn values(court: &Court, published: &Published) -> Values {
    let entries = court.entries().iter().enumerate();
    entries
        .filter_map(|(number, entry)| Some((number, published.bits(entry.group).ok()?.to_vec())))
        .collect()
}
