//! Layouts changed at random: each is refused, or makes a graph without findings.

use proptest::prelude::*;
use proptest::sample::Index;
use tapcourt_script::taptree::LeafSource;

use super::toy::Toy;
use crate::lint::{Finding, lint};
use crate::{Batch, DisproveLeaves, Graph, Layout, Move, Publication};

/// A small change of a layout.
#[derive(Debug, Clone)]
enum Change {
    Swap(Index, Index),
    Move(Index, Index),
    Remove(Index),
    Repeat(Index),
    Mover(Index),
    Kind(Index, Index),
    Stages,
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        (index(), index()).prop_map(|(one, other)| Change::Swap(one, other)),
        (index(), index()).prop_map(|(from, to)| Change::Move(from, to)),
        index().prop_map(Change::Remove),
        index().prop_map(Change::Repeat),
        index().prop_map(Change::Mover),
        (index(), index()).prop_map(|(one, other)| Change::Kind(one, other)),
        Just(Change::Stages),
    ]
}

fn moves(layout: &mut Layout) -> Vec<&mut Move> {
    let stages = layout.dispute.iter_mut().chain(&mut layout.opening);
    layout.claim.iter_mut().chain(stages).collect()
}

fn batches(layout: &mut Layout) -> Vec<&mut Batch> {
    let moves = moves(layout).into_iter();
    moves.flat_map(|step| &mut step.batches).collect()
}

fn apply(layout: &mut Layout, change: &Change, groups: usize) {
    let places: Vec<(usize, usize)> = {
        let batches = batches(layout).into_iter().enumerate();
        let places = |(batch, of): (usize, &mut Batch)| {
            (0..of.publications.len()).map(move |place| (batch, place))
        };
        batches.flat_map(places).collect()
    };
    if places.is_empty() {
        return;
    }
    let at = |index: &Index| *index.get(&places);
    let mut batches = batches(layout);
    match change {
        Change::Swap(one, other) => {
            let (one, other) = (at(one), at(other));
            let moved = batches[one.0].publications[one.1];
            let back = std::mem::replace(&mut batches[other.0].publications[other.1], moved);
            batches[one.0].publications[one.1] = back;
        }
        Change::Move(from, to) => {
            let moved = batches[at(from).0].publications.remove(at(from).1);
            batches[at(to).0].publications.push(moved);
        }
        Change::Remove(place) => {
            batches[at(place).0].publications.remove(at(place).1);
        }
        Change::Repeat(place) => {
            let one = batches[at(place).0].publications[at(place).1];
            batches[at(place).0].publications.push(one);
        }
        Change::Mover(place) => {
            let mut moves = moves(layout);
            let count = moves.len();
            let step = &mut moves[place.index(count)];
            step.mover = step.mover.other();
        }
        Change::Kind(place, other) => {
            let one = &mut batches[at(place).0].publications[at(place).1];
            let (group, number) = (one.group(), other.index(groups + 1));
            *one = match number % 3 {
                0 => Publication::Value(group),
                1 => Publication::Choice {
                    group,
                    options: number as u32,
                },
                _ => Publication::Agreement {
                    theirs: number,
                    own: group,
                },
            };
        }
        Change::Stages => std::mem::swap(&mut layout.dispute, &mut layout.opening),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_changed_layout_is_refused_or_makes_a_sound_graph(
        search in 0_usize..4,
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let toy = Toy::searches().swap_remove(search);
        let mut terms = toy.terms.clone();
        for change in &changes {
            apply(&mut terms.layout, change, toy.secrets.len());
        }
        let empty = Vec::new();
        let opening = toy.opening_leaves.as_ref().unwrap_or(&empty);
        let leaves = DisproveLeaves {
            dispute: &empty,
            opening: (!terms.layout.opening.is_empty()).then_some(opening as &dyn LeafSource),
        };
        if let Ok(graph) = Graph::new(terms.clone(), &leaves) {
            let found = lint(&graph, &leaves);
            // The leaves are those of the layout before.
            let others: Vec<&Finding> = found
                .iter()
                .filter(|finding| !matches!(finding, Finding::NotOpen { .. }))
                .collect();
            prop_assert!(others.is_empty(), "{others:?}");
        }
        // Whatever the layout is, lints do not panic on it.
        let mut broken = toy.graph();
        broken.terms = terms;
        let _ = lint(&broken, &toy.disprove_leaves());
    }
}
