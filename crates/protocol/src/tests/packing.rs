use proptest::prelude::*;
use tapcourt_commitment::Parameters as Shape;

use crate::size::{GroupSize, InputSize, Sizes, presigned_weight_wu};
use crate::transactions::TransactionKind as Kind;
use crate::{
    Layout, LayoutError, PackLimits, Publication, Role, Stage, Turn, pack_batches, pack_turns,
};

fn shapes(bits: &[usize]) -> Vec<Shape> {
    bits.iter()
        .map(|&bits| Shape::winternitz(bits, 4).unwrap())
        .collect()
}

fn keeps_to(layout: &Layout, shapes: &[Shape], limits: &PackLimits) {
    let sizes = Sizes::new(shapes.to_vec());
    for moves in [&layout.claim, &layout.dispute, &layout.opening] {
        for (index, step) in moves.iter().enumerate() {
            let inputs: Vec<InputSize> = step
                .batches
                .iter()
                .map(|batch| sizes.batch(&batch.publications))
                .collect();
            for input in &inputs {
                assert!(
                    input.peak_stack <= limits.stack_items,
                    "move {index} of the {}: {} items",
                    step.mover,
                    input.peak_stack
                );
            }
            let connectors = moves.get(index + 1).map_or(1, |next| next.batches.len());
            let weight = presigned_weight_wu(connectors, &inputs);
            assert!(
                weight <= limits.weight_wu,
                "move {index} of the {}: {weight} WU",
                step.mover
            );
        }
    }
}

#[test]
fn a_large_program_is_packed_tightly() {
    let shapes = shapes(&[&[256; 4][..], &[32; 300]].concat());
    let asserts: Vec<usize> = (4..shapes.len()).collect();
    let limits = PackLimits::default();
    let layout = pack_batches(&shapes, &[0, 1, 2, 3], &asserts, &limits).unwrap();
    keeps_to(&layout, &shapes, &limits);
    let total: u64 = asserts
        .iter()
        .map(|&group| GroupSize::of(&shapes[group]).weight_wu())
        .sum();
    let least = total.div_ceil(limits.weight_wu) as usize;
    println!(
        "{} groups, {total} WU: {} asserts, no fewer than {least}",
        asserts.len(),
        layout.dispute.len()
    );
    assert!(layout.dispute.len() <= least + 1);
    let names: Vec<String> = layout
        .all_kinds()
        .map(|(kind, _)| kind.to_string())
        .collect();
    assert_eq!(names[..2], ["kickoff", "assert_1"]);
}

#[test]
fn thousands_of_groups_are_packed_at_once() {
    let shapes = vec![Shape::lamport(1).unwrap(); 5_000];
    let asserts: Vec<usize> = (1..shapes.len()).collect();
    let start = std::time::Instant::now();
    let layout = pack_batches(&shapes, &[0], &asserts, &PackLimits::default()).unwrap();
    println!(
        "{} groups in {} asserts: {:?}",
        asserts.len(),
        layout.dispute.len(),
        start.elapsed()
    );
    keeps_to(&layout, &shapes, &PackLimits::default());
}

#[test]
fn a_claim_too_large_for_one_transaction_takes_several() {
    let shapes = shapes(&[200; 16]);
    let claim: Vec<usize> = (0..16).collect();
    let layout = pack_batches(&shapes, &claim, &[], &PackLimits::default()).unwrap();
    let names: Vec<String> = layout
        .all_kinds()
        .map(|(kind, _)| kind.to_string())
        .collect();
    assert_eq!(names, ["kickoff", "kickoff_2", "kickoff_3"]);
}

#[test]
fn a_group_that_fits_nowhere_is_named_with_the_limit_that_binds() {
    let shapes = shapes(&[8, 256]);
    let heavy = PackLimits {
        stack_items: 990,
        weight_wu: 3_000,
    };
    let error = pack_batches(&shapes, &[0], &[1], &heavy).unwrap_err();
    assert!(
        matches!(
            error,
            LayoutError::GroupTooLarge {
                group: 1,
                limit: 3_000,
                unit: "WU",
                ..
            }
        ),
        "{error}"
    );
    let shallow = PackLimits {
        stack_items: 40,
        weight_wu: 40_000,
    };
    let error = pack_batches(&shapes, &[0], &[1], &shallow).unwrap_err();
    assert!(
        matches!(
            error,
            LayoutError::GroupTooLarge {
                group: 1,
                limit: 40,
                unit: "stack items",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn an_unknown_group_is_not_packed() {
    let shapes = shapes(&[8]);
    let unknown = LayoutError::UnknownGroup {
        group: 1,
        groups: 1,
    };
    let limits = PackLimits::default();
    assert_eq!(
        pack_batches(&shapes, &[0], &[1], &limits),
        Err(unknown.clone())
    );
    assert_eq!(
        pack_batches(&shapes, &[1], &[0], &limits),
        Err(unknown.clone())
    );
    for publication in [
        Publication::Choice {
            group: 1,
            options: 2,
        },
        Publication::Agreement { theirs: 1, own: 0 },
        Publication::Agreement { theirs: 0, own: 1 },
    ] {
        let turn = Turn {
            mover: Role::Prover,
            publications: vec![publication],
        };
        let packed = pack_turns(&shapes, &[0], &[], &[turn], &limits);
        assert_eq!(packed, Err(unknown.clone()), "{publication:?}");
    }
}

/// Turns from a script: for each, how many choices or values, and of how many options or bits.
struct Search {
    shapes: Vec<Shape>,
    dispute: Vec<Turn>,
    opening: Vec<Turn>,
}

impl Search {
    /// Rounds of choices and values; after the dispute's first `dispute` rounds come those of the opening.
    fn new(first: &[usize], rounds: &[(Vec<u32>, Vec<usize>)], dispute: usize) -> Self {
        let mut search = Self {
            shapes: vec![Shape::winternitz(8, 4).unwrap()],
            dispute: Vec::new(),
            opening: Vec::new(),
        };
        let values = search.values(first);
        if !values.is_empty() {
            search.dispute.push(provers(values));
        }
        for (round, (choices, values)) in rounds.iter().enumerate() {
            let (mut chosen, mut repeated) = (Vec::new(), Vec::new());
            for &options in choices {
                let theirs = search.add(Shape::choice(options).unwrap());
                chosen.push(Publication::Choice {
                    group: theirs,
                    options,
                });
                let own = search.add(Shape::choice(options).unwrap());
                repeated.push(Publication::Agreement { theirs, own });
            }
            repeated.extend(search.values(values));
            let select = Turn {
                mover: Role::Challenger,
                publications: chosen,
            };
            let turns = if round < dispute {
                &mut search.dispute
            } else {
                &mut search.opening
            };
            turns.extend([select, provers(repeated)]);
        }
        search
    }

    fn add(&mut self, shape: Shape) -> usize {
        self.shapes.push(shape);
        self.shapes.len() - 1
    }

    fn values(&mut self, widths: &[usize]) -> Vec<Publication> {
        widths
            .iter()
            .map(|&bits| Publication::Value(self.add(Shape::winternitz(bits, 4).unwrap())))
            .collect()
    }

    fn pack(&self, limits: &PackLimits) -> Result<Layout, LayoutError> {
        pack_turns(&self.shapes, &[0], &self.dispute, &self.opening, limits)
    }
}

fn provers(publications: Vec<Publication>) -> Turn {
    Turn {
        mover: Role::Prover,
        publications,
    }
}

/// Checks that the moves of a stage are the turns in their order, each cut into moves of its party that publish all of it.
fn keeps_order(layout: &Layout, stage: Stage, turns: &[Turn]) {
    let mut moves = layout.stage(stage).iter();
    for turn in turns {
        let mut left: Vec<Publication> = turn.publications.clone();
        while !left.is_empty() {
            let step = moves.next().expect("a move for what is left");
            assert_eq!(step.mover, turn.mover);
            for publication in step.publications() {
                let place = left.iter().position(|one| one == publication);
                left.swap_remove(place.expect("a publication of this turn"));
            }
        }
    }
    assert_eq!(moves.next(), None);
}

#[test]
fn what_one_turn_of_the_challenger_can_hold_is_limited() {
    let rounds = [(vec![4; 8], vec![8])];
    let limits = PackLimits {
        stack_items: 20,
        weight_wu: 2_600,
    };
    let search = Search::new(&[8], &rounds, 1);
    let packed = search.pack(&limits).unwrap();
    keeps_to(&packed, &search.shapes, &limits);
    let select = &packed.dispute[1];
    assert_eq!(select.mover, Role::Challenger);
    assert!(select.batches.len() > 1, "several inputs are allowed");

    let tight = PackLimits {
        weight_wu: 1_500,
        ..limits
    };
    let error = search.pack(&tight).unwrap_err();
    println!("{error}");
    assert!(matches!(error, LayoutError::TurnTooLarge { moves } if moves > 1));

    // The move that opens has one input.
    let error = Search::new(&[8], &rounds, 0).pack(&limits).unwrap_err();
    println!("{error}");
    assert!(
        matches!(error, LayoutError::OpenInputs { transaction: Kind::OPEN, inputs } if inputs > 1)
    );

    let shallow = PackLimits {
        stack_items: 4,
        ..PackLimits::default()
    };
    let (shapes, choice) = (
        [Shape::lamport(1).unwrap(), Shape::choice(16).unwrap()],
        Publication::Choice {
            group: 1,
            options: 16,
        },
    );
    let turn = Turn {
        mover: Role::Challenger,
        publications: vec![choice],
    };
    let error = pack_turns(&shapes, &[0], &[turn], &[], &shallow).unwrap_err();
    println!("{error}");
    assert!(matches!(
        error,
        LayoutError::GroupTooLarge {
            group: 1,
            limit: 4,
            unit: "stack items",
            ..
        }
    ));
}

#[test]
fn shapes_that_are_no_choice_are_not_packed() {
    let mut search = Search::new(&[8], &[(vec![4], vec![])], 1);
    let [theirs, own] = [2, 3];
    let limits = PackLimits::default();
    assert!(search.pack(&limits).is_ok());
    for (group, shape) in [
        (theirs, Shape::choice(5).unwrap()),
        (theirs, Shape::lamport(2).unwrap()),
        (own, Shape::choice(5).unwrap()),
        (own, Shape::winternitz(8, 4).unwrap()),
    ] {
        let sound = std::mem::replace(&mut search.shapes[group], shape);
        assert_eq!(search.pack(&limits), Err(LayoutError::NotAChoice { group }));
        search.shapes[group] = sound;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_packing_keeps_its_limits_and_is_deterministic(
        bits in prop::collection::vec(1_usize..100, 1..40),
        claims in 1_usize..5,
        stack_items in 150_usize..400,
        weight_wu in 4_000_u64..10_000,
    ) {
        let shapes = shapes(&bits);
        let claims = claims.min(shapes.len());
        let claim: Vec<usize> = (0..claims).collect();
        let asserts: Vec<usize> = (claims..shapes.len()).collect();
        let limits = PackLimits { stack_items, weight_wu };
        let layout = pack_batches(&shapes, &claim, &asserts, &limits).unwrap();
        prop_assert_eq!(layout.check(&shapes.iter().collect::<Vec<_>>()), Ok(()));
        keeps_to(&layout, &shapes, &limits);
        prop_assert_eq!(pack_batches(&shapes, &claim, &asserts, &limits).unwrap(), layout);
    }

    #[test]
    fn every_packing_of_turns_keeps_limits_and_order(
        first in prop::collection::vec(1_usize..40, 0..8),
        rounds in prop::collection::vec(
            (prop::collection::vec(2_u32..=16, 1..4), prop::collection::vec(1_usize..40, 0..8)),
            0..6,
        ),
        dispute in 0_usize..6,
        stack_items in 70_usize..200,
        weight_wu in 2_600_u64..8_000,
    ) {
        let search = Search::new(&first, &rounds, dispute);
        let limits = PackLimits { stack_items, weight_wu };
        let layout = search.pack(&limits).unwrap();
        keeps_to(&layout, &search.shapes, &limits);
        keeps_order(&layout, Stage::Dispute, &search.dispute);
        keeps_order(&layout, Stage::Opening, &search.opening);
        prop_assert_eq!(layout.check(&search.shapes.iter().collect::<Vec<_>>()), Ok(()));
        prop_assert_eq!(&search.pack(&limits).unwrap(), &layout);
        // The order within a turn does not matter.
        let mut reversed = search;
        for turn in reversed.dispute.iter_mut().chain(&mut reversed.opening) {
            turn.publications.reverse();
        }
        prop_assert_eq!(reversed.pack(&limits).unwrap(), layout);
    }

    #[test]
    fn what_cannot_be_packed_is_an_error(
        rounds in prop::collection::vec(
            (prop::collection::vec(2_u32..=16, 0..12), prop::collection::vec(1_usize..200, 0..8)),
            0..4,
        ),
        dispute in 0_usize..4,
        stack_items in 0_usize..60,
        weight_wu in 0_u64..4_000,
    ) {
        let search = Search::new(&[8], &rounds, dispute);
        let limits = PackLimits { stack_items, weight_wu };
        match search.pack(&limits) {
            Ok(layout) => keeps_to(&layout, &search.shapes, &limits),
            Err(
                LayoutError::GroupTooLarge { .. }
                | LayoutError::TurnTooLarge { .. }
                | LayoutError::OpenInputs { .. }
                | LayoutError::Turn { .. },
            ) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
