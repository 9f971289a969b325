//! The rules of layouts, each broken by itself, and the names of transactions.

use std::collections::BTreeSet;

use tapcourt_commitment::Parameters as Shape;

use super::toy::Toy;
use crate::Role::{Challenger, Prover};
use crate::transactions::TransactionKind as Kind;
use crate::{Batch, Layout, LayoutError, Move, Publication, Role, Stage};

fn step(mover: Role, batches: &[&[Publication]]) -> Move {
    Move {
        mover,
        batches: batches
            .iter()
            .map(|publications| Batch {
                publications: publications.to_vec(),
            })
            .collect(),
    }
}

/// Moves that publish values.
fn values(mover: Role, batches: &[&[usize]]) -> Move {
    Move {
        mover,
        batches: batches
            .iter()
            .map(|groups| Batch::of_values(groups.iter().copied()))
            .collect(),
    }
}

fn value(group: usize) -> Publication {
    Publication::Value(group)
}

fn choice(group: usize, options: u32) -> Publication {
    Publication::Choice { group, options }
}

fn agreement(theirs: usize, own: usize) -> Publication {
    Publication::Agreement { theirs, own }
}

/// Checks a layout whose groups are all of one bit.
fn check(claim: Vec<Move>, dispute: Vec<Move>, groups: usize) -> Result<(), LayoutError> {
    let shape = Shape::lamport(1).unwrap();
    let layout = Layout {
        claim,
        dispute,
        opening: vec![],
    };
    layout.check(&vec![&shape; groups])
}

#[test]
fn wrong_layouts_are_refused() {
    let kickoff = || values(Prover, &[&[0]]);
    assert_eq!(check(vec![kickoff()], vec![], 1), Ok(()));
    assert_eq!(check(vec![], vec![], 0), Err(LayoutError::NoKickoff));
    let transaction = Kind::Assert(Stage::Dispute, 0);
    let empty = vec![values(Prover, &[])];
    assert_eq!(
        check(vec![kickoff()], empty, 1),
        Err(LayoutError::Empty { transaction })
    );
    let empty = vec![values(Prover, &[&[1], &[]])];
    assert_eq!(
        check(vec![kickoff()], empty, 2),
        Err(LayoutError::Empty { transaction })
    );
    let twice = vec![values(Prover, &[&[1, 0]])];
    assert_eq!(
        check(vec![kickoff()], twice, 2),
        Err(LayoutError::PublishedTwice { group: 0 })
    );
    assert_eq!(
        check(vec![kickoff()], vec![], 2),
        Err(LayoutError::NeverPublished { group: 1 })
    );
    let unknown = vec![values(Prover, &[&[7]])];
    assert_eq!(
        check(vec![kickoff()], unknown, 1),
        Err(LayoutError::UnknownGroup {
            group: 7,
            groups: 1
        })
    );
    let challengers = vec![values(Challenger, &[&[0]])];
    assert_eq!(
        check(challengers, vec![], 1),
        Err(LayoutError::Turn {
            transaction: Kind::Kickoff(0)
        })
    );
    let second = vec![kickoff(), values(Challenger, &[&[1]])];
    assert_eq!(
        check(second, vec![], 2),
        Err(LayoutError::Turn {
            transaction: Kind::Kickoff(1)
        })
    );
}

/// A search with a round, an opening and a round in it. Groups: 0 claim; 1 value, 2 and 3 choice and agreement (of 3), 4 value;
/// 5 and 6 choice and agreement (of 4), 7 value, 8 and 9 choice and agreement (of 2).
fn search() -> (Layout, Vec<Shape>) {
    let layout = Layout {
        claim: vec![values(Prover, &[&[0]])],
        dispute: vec![
            values(Prover, &[&[1]]),
            step(Challenger, &[&[choice(2, 3)]]),
            step(Prover, &[&[agreement(2, 3)], &[value(4)]]),
        ],
        opening: vec![
            step(Challenger, &[&[choice(5, 4)]]),
            step(Prover, &[&[agreement(5, 6), value(7)]]),
            step(Challenger, &[&[choice(8, 2)]]),
            step(Prover, &[&[agreement(8, 9)]]),
        ],
    };
    let value = || Shape::winternitz(8, 4).unwrap();
    let choice = |options| Shape::choice(options).unwrap();
    let shapes = vec![
        value(),
        value(),
        choice(3),
        choice(3),
        value(),
        choice(4),
        choice(4),
        value(),
        choice(2),
        choice(2),
    ];
    (layout, shapes)
}

/// What the check says after a change.
fn after(change: impl FnOnce(&mut Layout, &mut Vec<Shape>)) -> Result<(), LayoutError> {
    let (mut layout, mut shapes) = search();
    change(&mut layout, &mut shapes);
    layout.check(&shapes.iter().collect::<Vec<_>>())
}

fn turn(stage: Stage, kind: impl Fn(Stage, usize) -> Kind, index: usize) -> LayoutError {
    LayoutError::Turn {
        transaction: kind(stage, index),
    }
}

#[test]
fn a_search_is_a_layout() {
    assert_eq!(after(|_, _| {}), Ok(()));
    for toy in Toy::shapes() {
        let keys = &toy.terms.one_time_keys;
        let shapes: Vec<&Shape> = keys.iter().map(|key| key.parameters()).collect();
        assert_eq!(toy.terms.layout.check(&shapes), Ok(()), "{}", toy.name);
    }
}

#[test]
fn stages_end_with_the_prover_and_an_opening_begins_with_the_challenger() {
    let select = step(Challenger, &[&[choice(10, 2)]]);
    let add = |shapes: &mut Vec<Shape>| shapes.push(Shape::choice(2).unwrap());
    let dispute = after(|layout, shapes| {
        layout.dispute.push(select.clone());
        add(shapes);
    });
    assert_eq!(dispute, Err(turn(Stage::Dispute, Kind::Select, 1)));
    let opening = after(|layout, shapes| {
        layout.opening.push(select.clone());
        add(shapes);
    });
    assert_eq!(opening, Err(turn(Stage::Opening, Kind::Select, 2)));
    let by_prover = after(|layout, shapes| {
        layout.opening.insert(0, values(Prover, &[&[10]]));
        add(shapes);
    });
    assert_eq!(by_prover, Err(turn(Stage::Opening, Kind::Assert, 0)));
    let only_challenger = after(|layout, shapes| {
        layout.opening.truncate(1);
        shapes.truncate(6);
    });
    assert_eq!(only_challenger, Err(turn(Stage::Opening, Kind::Select, 0)));
}

#[test]
fn the_move_that_opens_has_one_input() {
    let two = after(|layout, shapes| {
        layout.opening[0].batches.push(Batch {
            publications: vec![choice(10, 2)],
        });
        layout.opening[1].batches[0]
            .publications
            .push(agreement(10, 11));
        shapes.extend([Shape::choice(2).unwrap(), Shape::choice(2).unwrap()]);
    });
    let inputs = LayoutError::OpenInputs {
        transaction: Kind::OPEN,
        inputs: 2,
    };
    assert_eq!(two, Err(inputs));
    // Any other select may have several, and the one that opens may publish several choices.
    let both = after(|layout, shapes| {
        layout.opening[0].batches[0]
            .publications
            .push(choice(10, 2));
        layout.opening[2].batches.push(Batch {
            publications: vec![choice(11, 2)],
        });
        layout.opening[3].batches[0]
            .publications
            .extend([agreement(10, 12), agreement(11, 13)]);
        shapes.extend(vec![Shape::choice(2).unwrap(); 4]);
    });
    assert_eq!(both, Ok(()));
}

#[test]
fn each_party_publishes_in_its_own_way() {
    let refused = |transaction, group, mover| {
        Err(LayoutError::NotTheMovers {
            transaction,
            group,
            mover,
        })
    };
    let chosen_by_prover = after(|layout, _| {
        layout.dispute[0].batches[0].publications[0] = choice(2, 3);
        layout.dispute[1].batches[0].publications[0] = value(1);
    });
    let kind = Kind::Assert(Stage::Dispute, 0);
    assert_eq!(chosen_by_prover, refused(kind, 2, Prover));
    let value_by_challenger = after(|layout, _| {
        layout.dispute[0].batches[0].publications[0] = value(4);
        layout.dispute[2].batches[1].publications[0] = value(1);
        layout.dispute[1].batches[0].publications.push(value(1));
        layout.dispute[2].batches.pop();
    });
    let kind = Kind::Select(Stage::Dispute, 0);
    assert_eq!(value_by_challenger, refused(kind, 1, Challenger));
    let repeated_by_challenger = after(|layout, _| {
        let repeated = layout.opening[3].batches[0].publications.pop().unwrap();
        layout.opening[2].batches[0].publications.push(repeated);
        let value = layout.opening[1].batches[0].publications.pop().unwrap();
        layout.opening[3].batches[0].publications.push(value);
    });
    let kind = Kind::Select(Stage::Opening, 1);
    assert_eq!(repeated_by_challenger, refused(kind, 9, Challenger));
    let in_the_claim = after(|layout, _| {
        layout.claim[0].batches[0].publications.push(choice(2, 3));
        layout.dispute[1].batches[0].publications[0] = value(1);
        layout.dispute.remove(0);
    });
    assert_eq!(in_the_claim, refused(Kind::Kickoff(0), 2, Prover));
}

#[test]
fn choices_are_under_keys_of_their_shape() {
    let choice = |options| Shape::choice(options).unwrap();
    for (group, shape) in [
        (2, choice(2)),
        (2, choice(5)),
        (3, choice(2)),
        (3, choice(5)),
        (2, Shape::lamport(2).unwrap()),
        (3, Shape::lamport(2).unwrap()),
        (2, Shape::winternitz(4, 2).unwrap()),
        (3, Shape::winternitz(4, 2).unwrap()),
        (5, Shape::with_digits(&[1, 1], &[2]).unwrap()),
        (6, Shape::with_digits(&[1, 1], &[2]).unwrap()),
        (8, Shape::lamport(1).unwrap()),
        (9, choice(16)),
    ] {
        assert_eq!(
            after(|_, shapes| shapes[group] = shape.clone()),
            Err(LayoutError::NotAChoice { group }),
            "{shape:?}"
        );
    }
    for options in [0, 1, 2, 5, 17, u32::MAX] {
        let other = after(|layout, _| {
            layout.dispute[1].batches[0].publications[0] = self::choice(2, options);
        });
        assert_eq!(
            other,
            Err(LayoutError::NotAChoice { group: 2 }),
            "{options} options"
        );
    }
    let four = after(|layout, _| layout.dispute[1].batches[0].publications[0] = self::choice(2, 4));
    assert_eq!(four, Ok(()), "three and four options have one shape");
}

#[test]
fn the_prover_repeats_each_choice_once_and_afterwards() {
    let nothing = |theirs, own| Err(LayoutError::NothingToRepeat { theirs, own });
    let before = after(|layout, _| layout.dispute.swap(1, 2));
    assert_eq!(before, Err(turn(Stage::Dispute, Kind::Select, 0)));
    let before = after(|layout, shapes| {
        let repeated = layout.dispute[2].batches.remove(0);
        layout.dispute[0].batches.push(repeated);
        shapes.truncate(10);
    });
    assert_eq!(before, nothing(2, 3));
    let in_the_claim = after(|layout, _| {
        let repeated = layout.dispute[2].batches.remove(0);
        layout.claim[0].batches.push(repeated);
    });
    assert_eq!(in_the_claim, nothing(2, 3));
    let unknown = after(|layout, _| {
        layout.dispute[2].batches[0].publications[0] = agreement(99, 3);
    });
    assert_eq!(unknown, nothing(99, 3));
    let a_value = after(|layout, _| {
        layout.dispute[2].batches[0].publications[0] = agreement(1, 3);
    });
    assert_eq!(a_value, nothing(1, 3));
    let itself = after(|layout, _| {
        layout.dispute[2].batches[0].publications[0] = agreement(3, 3);
    });
    assert_eq!(itself, nothing(3, 3));
    let twice = after(|layout, shapes| {
        layout.dispute[2].batches[0]
            .publications
            .push(agreement(2, 10));
        shapes.push(Shape::choice(3).unwrap());
    });
    assert_eq!(twice, nothing(2, 10));
    let twice_later = after(|layout, shapes| {
        layout.opening[1].batches[0]
            .publications
            .push(agreement(2, 10));
        shapes.push(Shape::choice(3).unwrap());
    });
    assert_eq!(twice_later, nothing(2, 10));
    let own_key_twice = after(|layout, _| {
        layout.opening[3].batches[0].publications[0] = agreement(8, 3);
    });
    assert_eq!(own_key_twice, Err(LayoutError::PublishedTwice { group: 3 }));
    let never = after(|layout, _| layout.opening[3].batches[0].publications[0] = value(9));
    assert_eq!(never, Err(LayoutError::NeverRepeated { group: 8 }));
    let never = after(|layout, _| layout.dispute[2].batches[0].publications[0] = value(3));
    assert_eq!(never, Err(LayoutError::NeverRepeated { group: 2 }));
}

#[test]
fn a_choice_of_the_dispute_is_repeated_before_the_disputes_leaves() {
    let late = after(|layout, _| {
        let repeated = layout.dispute[2].batches.remove(0);
        layout.opening[1].batches.push(repeated);
    });
    assert_eq!(late, Err(LayoutError::NeverRepeated { group: 2 }));
    // A later turn of the same stage is early enough.
    let later = after(|layout, _| {
        let repeated = layout.opening[1].batches[0].publications.remove(0);
        layout.opening[3].batches[0].publications.push(repeated);
    });
    assert_eq!(later, Ok(()));
}

#[test]
fn groups_belong_to_who_publishes_them() {
    let (layout, shapes) = search();
    let owners = layout.owners(shapes.len());
    let challengers: Vec<usize> = (0..shapes.len())
        .filter(|&group| owners[group] == Challenger)
        .collect();
    assert_eq!(challengers, [2, 5, 8]);
    // Not even of a layout that names groups which do not exist.
    assert_eq!(layout.owners(3), [Prover, Prover, Challenger]);
    assert_eq!(layout.owners(0), []);
}

#[test]
fn transactions_have_the_protocols_names() {
    let names = [
        (Kind::Kickoff(1), "kickoff_2"),
        (Kind::Assert(Stage::Dispute, 0), "assert_1"),
        (Kind::AssertTimeout(Stage::Dispute, 1), "assert_2_timeout"),
        (Kind::Select(Stage::Dispute, 0), "select_1"),
        (Kind::SelectTimeout(Stage::Dispute, 1), "select_2_timeout"),
        (Kind::OPEN, "open"),
        (Kind::Assert(Stage::Opening, 0), "open_assert_1"),
        (
            Kind::AssertTimeout(Stage::Opening, 0),
            "open_assert_1_timeout",
        ),
        (Kind::Select(Stage::Opening, 1), "open_select_1"),
        (
            Kind::SelectTimeout(Stage::Opening, 1),
            "open_select_1_timeout",
        ),
        (Kind::PayoutDisputed(Stage::Dispute), "payout_disputed"),
        (Kind::PayoutDisputed(Stage::Opening), "open_payout_disputed"),
        (Kind::Disprove(Stage::Dispute), "disprove"),
        (Kind::Disprove(Stage::Opening), "open_disprove"),
    ];
    for (kind, name) in names {
        assert_eq!(kind.to_string(), name);
    }
    let (layout, _) = search();
    let names: Vec<String> = layout
        .all_kinds()
        .map(|(kind, _)| kind.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "kickoff",
            "assert_1",
            "select_1",
            "assert_2",
            "open",
            "open_assert_1",
            "open_select_1",
            "open_assert_2"
        ]
    );
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let mut names = BTreeSet::from(["contract".to_owned()]);
        for presigned in graph.presigned() {
            let name = presigned.kind.to_string();
            assert!(names.insert(name.clone()), "{}: {name} twice", toy.name);
        }
        for stage in graph.stages() {
            assert!(names.insert(Kind::Disprove(stage).to_string()));
        }
    }
}
