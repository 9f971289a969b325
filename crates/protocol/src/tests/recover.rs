use bitcoin::Witness;
use proptest::prelude::*;

use super::toy::Toy;
use crate::transactions::TransactionKind as Kind;
use crate::{RecoverError, Stage, recover_published};

#[test]
fn what_was_published_is_recovered() {
    let mut values = 0;
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let signed = toy.presign(&graph);
        for seed in 0..5 {
            let openings = toy.openings(seed);
            let mut seen = vec![false; toy.secrets.len()];
            for presigned in graph.presigned() {
                let transaction = signed
                    .finalise_with(&graph, presigned.kind, &openings, Some(&toy.challenger))
                    .unwrap();
                // Payouts and timeouts publish nothing, which is not an error.
                for published in recover_published(&graph, &transaction).unwrap() {
                    let opening = &openings[&published.group];
                    assert_eq!(&published.opening, opening);
                    assert_eq!(published.value, opening.message());
                    assert!(!std::mem::replace(&mut seen[published.group], true));
                    values += 1;
                }
            }
            assert!(seen.iter().all(|seen| *seen), "{}", toy.name);
        }
    }
    println!("covered: {values} values recovered");
}

#[test]
fn every_changed_or_missing_item_is_an_error_not_a_panic() {
    let toy = &Toy::shapes()[2];
    let graph = toy.graph();
    let signed = toy.presign(&graph);
    let openings = toy.openings(7);
    let mut checked = 0;
    for kind in [Kind::Kickoff(0), Kind::Assert(Stage::Dispute, 0)] {
        let original = signed.finalise_with(&graph, kind, &openings, None).unwrap();
        for vin in 0..original.input.len() {
            let items = original.input[vin].witness.to_vec();
            let recover = |items: &[Vec<u8>]| {
                let mut transaction = original.clone();
                transaction.input[vin].witness = Witness::from_slice(items);
                recover_published(&graph, &transaction)
            };
            assert!(recover(&items).is_ok());
            for removed in 0..items.len() {
                let mut fewer = items.clone();
                fewer.remove(removed);
                assert!(
                    recover(&fewer).is_err(),
                    "{kind}, input {vin}, without item {removed}"
                );
                assert!(recover(&items[..removed]).is_err());
                checked += 2;
            }
            // The signature (item 0) and the control block (the last) are for the node to check.
            for changed in 1..items.len() - 1 {
                let mut other = items.clone();
                other[changed].push(1);
                assert!(
                    recover(&other).is_err(),
                    "{kind}, input {vin}, longer item {changed}"
                );
                if let Some(byte) = items[changed].first() {
                    other = items.clone();
                    other[changed][0] = byte ^ 0x80;
                    assert!(
                        recover(&other).is_err(),
                        "{kind}, input {vin}, changed item {changed}"
                    );
                }
                checked += 2;
            }
        }
    }
    println!("covered: {checked} damaged witnesses");
}

#[test]
fn an_annex_is_ignored_as_by_consensus() {
    let toy = &Toy::shapes()[1];
    let graph = toy.graph();
    let mut kickoff = toy
        .presign(&graph)
        .finalise_with(&graph, Kind::Kickoff(0), &toy.openings(1), None)
        .unwrap();
    kickoff.input[0].witness.push([0x50, 1, 2]);
    assert!(recover_published(&graph, &kickoff).is_ok());
}

#[test]
fn a_foreign_transaction_is_named() {
    let shapes = Toy::shapes();
    let (graph, other) = (shapes[1].graph(), shapes[2].graph());
    let transaction = &other.transaction(Kind::Payout).unwrap().transaction;
    let error = recover_published(&graph, transaction).unwrap_err();
    assert_eq!(
        error,
        RecoverError::Foreign {
            txid: transaction.compute_txid()
        }
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_witnesses_never_panic(items in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40)) {
        let toy = &Toy::shapes()[0];
        let graph = toy.graph();
        let presigned = graph.transaction(Kind::Kickoff(0)).unwrap();
        let mut transaction = presigned.transaction.clone();
        transaction.input[0].witness = Witness::from_slice(&items);
        prop_assert!(recover_published(&graph, &transaction).is_err());
        let mut framed = items;
        framed.push(presigned.inputs[0].script.to_bytes());
        framed.push(presigned.inputs[0].control_block.serialize());
        transaction.input[0].witness = Witness::from_slice(&framed);
        prop_assert!(recover_published(&graph, &transaction).is_err());
    }
}
