//! Transcripts of contracts about circuits.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Witness};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tapcourt_protocol::{
    ExpiryPolicy, OutputKind, Parameters, Role, Stage, TransactionKind as Kind,
};
use tapcourt_verifier::{
    Claim, Contract, Relation, TransactionFault, TranscriptFault, TranscriptReport,
};

use crate::circuits::{adder_source, list};
use crate::parties::{Parties, flip, parameters};

fn number(value: u64, bits: usize) -> impl Iterator<Item = bool> {
    (0..bits).map(move |bit| value >> bit & 1 == 1)
}

/// Two operands, as input bits.
fn input(a: u64, b: u64, bits: usize) -> Vec<bool> {
    number(a, bits).chain(number(b, bits)).collect()
}

fn judge(contract: &Contract<'_>, moves: &[Transaction]) -> TranscriptReport {
    let report = contract.verify_transcript(moves).unwrap();
    println!("{report}\n");
    report
}

#[test]
fn undisputed_and_disputed_true_claims_are_the_provers() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let values = parties.values(&input(0xdead_beef, 0x1234_5678, 32));
    let mut moves = vec![
        parties.contract(),
        parties.finish(Kind::Kickoff(0), &values),
    ];
    let open = judge(&contract, &moves);
    assert_eq!(
        (open.claim, open.settled_by, open.rightful),
        (Claim::True, None, Some(Role::Prover))
    );
    moves.push(parties.finish(Kind::Payout, &values));
    let paid = judge(&contract, &moves);
    assert_eq!((paid.winner, paid.is_just()), (Some(Role::Prover), true));

    let mut moves = parties.disputed(&values);
    moves.push(parties.finish(Kind::PayoutDisputed(Stage::Dispute), &values));
    let disputed = judge(&contract, &moves);
    assert_eq!(
        (
            disputed.winner,
            disputed.is_just(),
            disputed.spendable.len()
        ),
        (Some(Role::Prover), true, 0)
    );
}

#[test]
fn no_leaf_disproves_a_true_claim() {
    for (parties, input) in [
        (Parties::adder(), input(u64::MAX, 1, 64)),
        (Parties::compare(), input(3, 4, 64)),
    ] {
        let contract = parties.program.verify_setup(&parties.messages()).unwrap();
        let values = parties.values(&input);
        assert_eq!(
            judge(&contract, &parties.disputed(&values)).rightful,
            Some(Role::Prover)
        );
        let leaves = parties.compiled().leaves().len();
        for leaf in 0..leaves {
            let fault = contract
                .verify_transaction(&parties.disprove(Stage::Dispute, leaf, &values).unwrap())
                .unwrap_err();
            assert!(
                matches!(
                    fault,
                    TransactionFault::Witness {
                        kind: Kind::Disprove(Stage::Dispute),
                        vin: 0,
                        ..
                    }
                ),
                "{fault}"
            );
        }
        println!("covered: {leaves} leaves against the truth");
    }
}

#[test]
fn every_false_group_can_be_disproved_and_the_verifier_agrees() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    for (parties, input) in [
        (Parties::adder(), input(rng.r#gen(), rng.r#gen(), 64)),
        (Parties::multiplier(), input(rng.r#gen(), rng.r#gen(), 32)),
    ] {
        let contract = parties.program.verify_setup(&parties.messages()).unwrap();
        let truth = parties.values(&input);
        let compiled = parties.compiled();
        let mut lies = 0;
        for group in 0..truth.len() {
            if compiled.committed_groups()[group].role() == tapcourt_compiler::circuit::Role::Input
            {
                continue;
            }
            let mut values = truth.clone();
            let bit = rng.gen_range(0..values[&group].len());
            flip(&mut values, group, bit);
            let leaf = compiled
                .find_fault(&list(&values))
                .expect("a value is false");
            let mut moves = parties.disputed(&values);
            let open = contract.verify_transcript(&moves).unwrap();
            assert_eq!((open.winner, open.rightful), (None, Some(Role::Challenger)));
            moves.push(parties.disprove(Stage::Dispute, leaf, &values).unwrap());
            let report = contract.verify_transcript(&moves).unwrap();
            assert_eq!(report.fired.as_ref().map(|fired| fired.leaf), Some(leaf));
            assert!(report.spendable.contains(&(Stage::Dispute, leaf)));
            assert_eq!(
                report.false_groups,
                [compiled.committed_groups()[group].label()]
            );
            assert_eq!(
                (report.winner, report.is_just()),
                (Some(Role::Challenger), true)
            );
            // A challenger who sleeps loses, and the verifier says that it should not have.
            moves.pop();
            moves.push(parties.finish(Kind::PayoutDisputed(Stage::Dispute), &values));
            let missed = contract.verify_transcript(&moves).unwrap();
            assert_eq!(
                (missed.winner, missed.is_just()),
                (Some(Role::Prover), false)
            );
            assert_eq!(missed.missed, Some(Kind::Disprove(Stage::Dispute)));
            assert_eq!(report.missed, None);
            lies += 1;
        }
        println!("covered: {lies} false groups disproved");
    }
}

#[test]
fn an_output_that_the_contract_does_not_accept_is_false() {
    let parties = Parties::compare();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let values = parties.values(&input(4, 3, 64));
    let mut moves = parties.disputed(&values);
    let leaf = parties.compiled().find_fault(&list(&values)).unwrap();
    assert_eq!(judge(&contract, &moves).claim, Claim::False);
    moves.push(parties.disprove(Stage::Dispute, leaf, &values).unwrap());
    assert_eq!(judge(&contract, &moves).winner, Some(Role::Challenger));
}

#[test]
fn timeouts_and_expiry_are_judged() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let values = parties.values(&input(6, 7, 32));
    let expired = judge(
        &contract,
        &[parties.contract(), parties.finish(Kind::Expire, &values)],
    );
    assert_eq!(
        (expired.settled_by, expired.winner, expired.is_just()),
        (Some(Kind::Expire), None, true)
    );
    let forfeiting = Parameters {
        expiry_policy: ExpiryPolicy::PotToChallenger,
        ..parameters()
    };
    let forfeit = Parties::of_circuit(adder_source(), forfeiting);
    let moves = [
        forfeit.contract(),
        forfeit.finish(Kind::Expire, &forfeit.values(&input(6, 7, 64))),
    ];
    let forfeit = judge(
        &forfeit.program.verify_setup(&forfeit.messages()).unwrap(),
        &moves,
    );
    assert_eq!(
        (forfeit.winner, forfeit.is_just()),
        (Some(Role::Challenger), true)
    );
    let mut moves = parties.disputed(&values);
    let asserts = parties.graph.terms().layout.dispute.len();
    assert!(asserts > 0);
    moves.truncate(moves.len() - asserts);
    moves.push(parties.finish(Kind::AssertTimeout(Stage::Dispute, 0), &values));
    let late = judge(&contract, &moves);
    assert_eq!(
        (late.claim, late.winner, late.is_just()),
        (Claim::True, Some(Role::Challenger), true)
    );
}

#[test]
fn transactions_out_of_order_twice_or_foreign_are_refused() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let values = parties.values(&input(6, 7, 32));
    let moves = parties.disputed(&values);
    let missing = contract.verify_transcript(&moves[1..]).unwrap_err();
    assert!(
        matches!(
            missing,
            TranscriptFault::Spends {
                index: 0,
                source_kind: Kind::Contract,
                ..
            }
        ),
        "{missing}"
    );
    let twice = contract
        .verify_transcript(&[moves[0].clone(), moves[1].clone(), moves[1].clone()])
        .unwrap_err();
    assert_eq!(
        twice,
        TranscriptFault::Twice {
            index: 2,
            kind: Kind::Kickoff(0)
        }
    );
    let mut both = moves[..3].to_vec();
    both.push(parties.finish(Kind::Payout, &values));
    let both = contract.verify_transcript(&both).unwrap_err();
    assert!(
        matches!(
            both,
            TranscriptFault::Spends {
                index: 3,
                kind: Kind::Payout,
                ..
            }
        ),
        "{both}"
    );
    let foreign = Parties::adder().contract();
    let fault = contract.verify_transaction(&foreign).unwrap_err();
    assert_eq!(
        fault,
        TransactionFault::Foreign {
            txid: foreign.compute_txid()
        }
    );
}

/// A transaction that spends these outputs and is none of the contract's.
fn spending(outpoints: &[OutPoint]) -> Transaction {
    let input = |outpoint: &OutPoint| TxIn {
        previous_output: *outpoint,
        ..TxIn::default()
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: outpoints.iter().map(input).collect(),
        output: vec![TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::new(),
        }],
    }
}

/// Blocks hold other transactions too: they are passed over by name, unless they spend what only
/// the contract's can spend.
#[test]
fn a_history_is_judged_among_other_transactions() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let graph = contract.graph();
    let values = parties.values(&input(6, 7, 32));
    let moves = parties.disputed(&values);
    let strict = contract.verify_transcript(&moves).unwrap();

    let outpoint = |kind: Kind, output: OutputKind| {
        let vout = graph.output(kind, output).unwrap().vout;
        let txid = graph.outputs(kind).unwrap().0.compute_txid();
        OutPoint { txid, vout }
    };
    let unrelated = OutPoint {
        txid: Parties::adder().contract().compute_txid(),
        vout: 0,
    };
    let child = spending(&[outpoint(Kind::Kickoff(0), OutputKind::Anchor), unrelated]);
    let change = spending(&[outpoint(
        Kind::Contract,
        OutputKind::Change(Role::Prover, 0),
    )]);
    let other = spending(&[unrelated]);
    let mut history = vec![
        other.clone(),
        moves[0].clone(),
        change,
        moves[1].clone(),
        child,
    ];
    history.extend_from_slice(&moves[2..]);
    let (report, passed_over) = contract.verify_history(&history).unwrap();
    assert_eq!(report, strict);
    let relations: Vec<(usize, Relation)> = passed_over
        .iter()
        .map(|one| (one.index, one.relation))
        .collect();
    assert_eq!(
        relations,
        [
            (0, Relation::None),
            (2, Relation::Spends(Kind::Contract)),
            (4, Relation::FeeChild(Kind::Kickoff(0))),
        ]
    );
    assert!(
        passed_over[2]
            .to_string()
            .ends_with("pays the fee of kickoff")
    );

    // Connectors are spent by the contract's transactions alone, whatever else is spent with them.
    let mut connectors = 0;
    for kind in [Kind::Contract, Kind::Kickoff(0), Kind::Challenge] {
        let (transaction, outputs) = graph.outputs(kind).unwrap();
        let txid = transaction.compute_txid();
        let waiting = (0..)
            .zip(outputs)
            .filter(|(_, output)| output.taproot.is_some());
        for (vout, _) in waiting {
            for thief in [
                spending(&[OutPoint { txid, vout }]),
                spending(&[unrelated, OutPoint { txid, vout }]),
            ] {
                let mut stolen = history.clone();
                stolen.insert(1, thief.clone());
                assert_eq!(
                    contract.verify_history(&stolen).unwrap_err(),
                    TranscriptFault::SpendsConnector {
                        index: 1,
                        txid: thief.compute_txid(),
                        source_kind: kind,
                    }
                );
                connectors += 1;
            }
        }
    }
    println!("{connectors} false spends of connectors refused");
    assert!(connectors >= 6);

    // Places are those in the list given, and a list without the contract is none.
    let twice = [&history[..], &[moves[1].clone()]].concat();
    assert_eq!(
        contract.verify_history(&twice).unwrap_err(),
        TranscriptFault::Twice {
            index: history.len(),
            kind: Kind::Kickoff(0),
        }
    );
    assert_eq!(
        contract
            .verify_history(&[other.clone(), other])
            .unwrap_err(),
        TranscriptFault::NoneOfTheContract { transactions: 2 }
    );
}

#[test]
fn a_changed_witness_is_refused() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let mut values = parties.values(&input(6, 7, 32));
    let last = values.len() - 1;
    flip(&mut values, last, 0);
    let mut moves = parties.disputed(&values);
    let leaf = parties.compiled().find_fault(&list(&values)).unwrap();
    moves.push(parties.disprove(Stage::Dispute, leaf, &values).unwrap());
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut mutations = 0;
    for transaction in &moves {
        for _ in 0..25 {
            let mut changed = transaction.clone();
            let vin = rng.gen_range(0..changed.input.len());
            let mut items = changed.input[vin].witness.to_vec();
            let place = rng.gen_range(0..items.len());
            match rng.gen_range(0..4) {
                0 => drop(items.remove(place)),
                1 => items.insert(place, vec![rng.r#gen()]),
                _ if items[place].is_empty() => items[place] = vec![1],
                _ => {
                    let byte = rng.gen_range(0..items[place].len());
                    items[place][byte] ^= 1 << rng.gen_range(0..8);
                }
            }
            changed.input[vin].witness = Witness::from_slice(&items);
            if let Ok(report) = contract.verify_transaction(&changed) {
                panic!(
                    "{} is still valid: item {place} of input {vin}",
                    report.kind
                );
            }
            mutations += 1;
        }
    }
    println!(
        "covered: {mutations} changed witnesses; in {} transactions",
        moves.len()
    );
}
