//! Every transaction of every toy contract, finished and run through the interpreter under policy rules.

use std::collections::BTreeMap;

use bitcoin::{FeeRate, Transaction, TxOut};
use tapcourt_commitment::Opening;
use tapcourt_script::interpreter::{Rules, verify_script_path};

use super::toy::Toy;
use crate::presign::FinaliseError;
use crate::transactions::TransactionKind as Kind;
use crate::transactions::disprove::{Disprove, DisproveError};
use crate::{Publication, Role, Stage};

/// Runs all inputs and returns the stack's highest point of each.
fn run(transaction: &Transaction, prevouts: &[TxOut], what: &str) -> Vec<usize> {
    (0..transaction.input.len())
        .map(
            |vin| match verify_script_path(transaction, vin, prevouts, Rules::Policy) {
                Ok(execution) if execution.succeeded() => execution.max_stack,
                other => panic!("{what}, input {vin}: {other:?}"),
            },
        )
        .collect()
}

#[test]
fn every_presigned_transaction_is_valid_and_keeps_its_txid() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let signed = toy.presign(&graph);
        let openings = toy.openings(1);
        for presigned in graph.presigned() {
            let kind = presigned.kind;
            let transaction = signed
                .finalise_with(&graph, kind, &openings, Some(&toy.challenger))
                .unwrap();
            assert_eq!(transaction.compute_txid(), presigned.txid(), "{kind}");
            let peaks = run(
                &transaction,
                &presigned.prevouts(),
                &format!("{}: {kind}", toy.name),
            );
            for (input, peak) in presigned.inputs.iter().zip(peaks) {
                assert_eq!(
                    peak,
                    input.size(graph.sizes()).peak_stack,
                    "{kind}: predicted stack"
                );
            }
        }
        println!(
            "covered: {} presigned transactions run; {}",
            graph.presigned().len(),
            toy.name
        );
    }
}

/// The items by which a publication is opened.
fn items(publication: &Publication, openings: &BTreeMap<usize, Opening>) -> Vec<Vec<u8>> {
    let opening = &openings[&publication.group()];
    match *publication {
        Publication::Value(_) => opening.witness_for_publish(),
        Publication::Choice { options, .. } => opening.witness_for_choice(options),
        Publication::Agreement { theirs, .. } => opening.witness_for_agreement(&openings[&theirs]),
    }
}

#[test]
fn weights_are_predicted_to_the_unit() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let signed = toy.presign(&graph);
        let mut sums: BTreeMap<Kind, u64> = BTreeMap::new();
        const ROUNDS: u64 = 60;
        for round in 0..ROUNDS {
            let openings = toy.openings(round);
            for presigned in graph.presigned() {
                let kind = presigned.kind;
                let actual = signed
                    .finalise_with(&graph, kind, &openings, Some(&toy.challenger))
                    .unwrap()
                    .weight();
                let predicted = graph.predicted_weight(kind).unwrap();
                // The longest opening less what this opening is shorter by.
                let shorter: usize = presigned
                    .inputs
                    .iter()
                    .flat_map(|input| &input.publications)
                    .map(|publication| {
                        let items = items(publication, &openings);
                        let bytes: usize = items.iter().map(|item| 1 + item.len()).sum();
                        graph.sizes().publication(publication).witness_bytes_max - bytes
                    })
                    .sum();
                assert_eq!(
                    actual.to_wu(),
                    predicted.max_wu - shorter as u64,
                    "{}: {kind}",
                    toy.name
                );
                *sums.entry(kind).or_default() += actual.to_wu();
            }
        }
        for (kind, sum) in sums {
            let (mean, predicted) = (
                sum as f64 / ROUNDS as f64,
                graph.predicted_weight(kind).unwrap(),
            );
            println!(
                "{}: {kind}: mean {mean:.1} of {:.1}, at most {} WU",
                toy.name, predicted.mean_wu, predicted.max_wu
            );
            assert!(
                (mean - predicted.mean_wu).abs() <= 0.01 * predicted.mean_wu,
                "{kind}"
            );
            assert!(mean <= predicted.max_wu as f64);
        }
    }
}

#[test]
fn every_disprove_leaf_is_spendable_by_the_challenger_only() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let openings = toy.openings(2);
        for stage in graph.stages() {
            let groups = toy.leaf_groups(stage);
            let leaves = match stage {
                Stage::Dispute => &toy.leaves,
                Stage::Opening => toy.opening_leaves.as_ref().unwrap(),
            };
            for (leaf, group) in groups.iter().enumerate() {
                let witness = openings[group].witness_for_publish();
                let disprove = Disprove::new(&graph, stage, leaves, leaf, witness, None).unwrap();
                let prevouts = std::slice::from_ref(disprove.prevout());
                let transaction = disprove.sign(&toy.challenger);
                run(&transaction, prevouts, "disprove");
                assert_eq!(transaction.weight().to_wu(), disprove.weight_wu());
                assert_eq!(transaction.version.0, 3);
                assert_eq!(
                    disprove.fee().to_sat(),
                    disprove.weight_wu().div_ceil(2),
                    "2 sat/vB are 0.5 sat/WU"
                );
                let theft = disprove.sign(&toy.prover);
                let stolen = verify_script_path(&theft, 0, prevouts, Rules::Consensus);
                assert!(!stolen.is_ok_and(|execution| execution.succeeded()));
            }
            println!(
                "covered: {} disproves run; {}, {stage:?}",
                leaves.len(),
                toy.name
            );
        }
    }
}

#[test]
fn disprove_chooses_version_and_refuses_what_does_not_relay() {
    let toy = &Toy::shapes()[0];
    let graph = toy.graph();
    let items = |count: usize, bytes: usize| vec![vec![7; bytes]; count];
    let build = |witness| {
        Disprove::new(
            &graph,
            Stage::Dispute,
            &toy.leaves,
            0,
            witness,
            Some(FeeRate::from_sat_per_vb(1).unwrap()),
        )
    };
    assert_eq!(
        build(items(400, 80))
            .unwrap()
            .with_signature(&[0; 64])
            .version
            .0,
        3
    );
    assert_eq!(
        build(items(500, 80))
            .unwrap()
            .with_signature(&[0; 64])
            .version
            .0,
        2
    );
    assert!(matches!(
        build(items(5_000, 80)),
        Err(DisproveError::TooHeavy {
            limit_wu: 400_000,
            ..
        })
    ));
    assert!(matches!(
        build(items(1, 81)),
        Err(DisproveError::ItemTooLong {
            bytes: 81,
            limit: 80,
            ..
        })
    ));
    let feerate = FeeRate::from_sat_per_vb(2_000).unwrap();
    let result = Disprove::new(
        &graph,
        Stage::Dispute,
        &toy.leaves,
        0,
        Vec::new(),
        Some(feerate),
    );
    assert!(matches!(result, Err(DisproveError::FeeTooHigh { .. })));
}

#[test]
fn finalising_asks_for_what_is_missing() {
    let toy = &Toy::shapes()[1];
    let graph = toy.graph();
    let signed = toy.presign(&graph);
    assert!(signed.finalise(&graph, Kind::Payout).is_ok());
    assert_eq!(
        signed.finalise(&graph, Kind::Kickoff(0)).unwrap_err(),
        FinaliseError::NoOpening {
            kind: Kind::Kickoff(0),
            group: toy.terms.layout.claim[0].batches[0].publications[1].group()
        }
    );
    for wrong in [None, Some(&toy.prover)] {
        let result = signed.finalise_with(&graph, Kind::Challenge, &BTreeMap::new(), wrong);
        assert_eq!(
            result.unwrap_err(),
            FinaliseError::NoCosigner {
                kind: Kind::Challenge,
                role: Role::Challenger
            }
        );
    }
    assert_eq!(
        signed
            .finalise(&graph, Kind::Assert(Stage::Dispute, 9))
            .unwrap_err(),
        FinaliseError::NoSuchTransaction {
            kind: Kind::Assert(Stage::Dispute, 9)
        }
    );
    let other = Toy::shapes()[2].graph();
    assert!(matches!(
        signed.finalise(&other, Kind::Payout),
        Err(FinaliseError::OtherContract { .. })
    ));
}

#[test]
fn a_challenge_needs_the_challengers_own_signature() {
    let toy = &Toy::shapes()[0];
    let graph = toy.graph();
    let signed = toy.presign(&graph);
    let mut challenge = signed
        .finalise_with(
            &graph,
            Kind::Challenge,
            &BTreeMap::new(),
            Some(&toy.challenger),
        )
        .unwrap();
    let prevouts = graph.transaction(Kind::Challenge).unwrap().prevouts();
    run(&challenge, &prevouts, "challenge");
    let mut items = challenge.input[0].witness.to_vec();
    items[1] = toy
        .prover
        .sign(
            &graph
                .slots()
                .iter()
                .find(|slot| slot.transaction == Kind::Challenge)
                .unwrap()
                .sighash,
        )
        .to_vec();
    challenge.input[0].witness = bitcoin::Witness::from_slice(&items);
    let result = verify_script_path(&challenge, 0, &prevouts, Rules::Consensus);
    assert!(!result.is_ok_and(|execution| execution.succeeded()));
}
