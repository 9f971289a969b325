use proptest::prelude::*;
use tapcourt_commitment::Parameters as Shape;

use crate::size::{GroupSize, InputSize, presigned_weight_wu};
use crate::{Batch, Layout, LayoutError, Move, PackLimits, Role, pack_batches};

fn shapes(bits: &[usize]) -> Vec<Shape> {
    bits.iter()
        .map(|&bits| Shape::winternitz(bits, 4).unwrap())
        .collect()
}

fn keeps_to(layout: &Layout, shapes: &[Shape], limits: &PackLimits) {
    let sizes: Vec<GroupSize> = shapes.iter().map(GroupSize::of).collect();
    for moves in [&layout.claim, &layout.asserts] {
        for (index, step) in moves.iter().enumerate() {
            let inputs: Vec<InputSize> = step
                .batches
                .iter()
                .map(|batch| InputSize::publish(batch.groups.iter().map(|&group| &sizes[group])))
                .collect();
            for input in &inputs {
                assert!(
                    input.peak_stack <= limits.stack_items,
                    "{}: {} items",
                    step.name,
                    input.peak_stack
                );
            }
            let connectors = moves.get(index + 1).map_or(1, |next| next.batches.len());
            let weight = presigned_weight_wu(connectors, &inputs);
            assert!(weight <= limits.weight_wu, "{}: {weight} WU", step.name);
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
        layout.asserts.len()
    );
    assert!(layout.asserts.len() <= least + 1);
    assert_eq!(layout.claim[0].name, "kickoff");
    assert_eq!(layout.asserts[0].name, "assert_1");
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
        layout.asserts.len(),
        start.elapsed()
    );
    keeps_to(&layout, &shapes, &PackLimits::default());
}

#[test]
fn a_claim_too_large_for_one_transaction_takes_several() {
    let shapes = shapes(&[200; 16]);
    let claim: Vec<usize> = (0..16).collect();
    let layout = pack_batches(&shapes, &claim, &[], &PackLimits::default()).unwrap();
    let names: Vec<&str> = layout.claim.iter().map(|step| step.name.as_str()).collect();
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
fn wrong_layouts_are_refused() {
    let step = |name: &str, mover, batches: &[&[usize]]| Move {
        name: name.to_owned(),
        mover,
        batches: batches
            .iter()
            .map(|groups| Batch {
                groups: groups.to_vec(),
            })
            .collect(),
    };
    let kickoff = || step("kickoff", Role::Prover, &[&[0]]);
    let check =
        |claim: Vec<Move>, asserts: Vec<Move>, groups| Layout { claim, asserts }.check(groups);
    assert_eq!(check(vec![kickoff()], vec![], 1), Ok(()));
    assert_eq!(check(vec![], vec![], 0), Err(LayoutError::NoKickoff));
    let name = || "assert_1".to_owned();
    let empty = vec![step("assert_1", Role::Prover, &[])];
    assert_eq!(
        check(vec![kickoff()], empty, 1),
        Err(LayoutError::Empty { name: name() })
    );
    let empty = vec![step("assert_1", Role::Prover, &[&[1], &[]])];
    assert_eq!(
        check(vec![kickoff()], empty, 2),
        Err(LayoutError::Empty { name: name() })
    );
    let twice = vec![step("assert_1", Role::Prover, &[&[1, 0]])];
    assert_eq!(
        check(vec![kickoff()], twice, 2),
        Err(LayoutError::PublishedTwice { group: 0 })
    );
    assert_eq!(
        check(vec![kickoff()], vec![], 2),
        Err(LayoutError::NeverPublished { group: 1 })
    );
    let unknown = vec![step("assert_1", Role::Prover, &[&[7]])];
    assert_eq!(
        check(vec![kickoff()], unknown, 1),
        Err(LayoutError::UnknownGroup {
            group: 7,
            groups: 1
        })
    );
    let challengers = vec![step("kickoff", Role::Challenger, &[&[0]])];
    assert_eq!(
        check(challengers, vec![], 1),
        Err(LayoutError::ClaimByChallenger {
            name: "kickoff".to_owned()
        })
    );
    let unknown = pack_batches(&shapes(&[8]), &[0], &[1], &PackLimits::default());
    assert_eq!(
        unknown,
        Err(LayoutError::UnknownGroup {
            group: 1,
            groups: 1
        })
    );
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
        prop_assert_eq!(layout.check(shapes.len()), Ok(()));
        keeps_to(&layout, &shapes, &limits);
        prop_assert_eq!(pack_batches(&shapes, &claim, &asserts, &limits).unwrap(), layout);
    }
}
