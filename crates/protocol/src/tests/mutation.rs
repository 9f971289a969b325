//! The signatures cover everything: any change of a presigned transaction, or of what it spends, invalidates it.

use bitcoin::absolute::LockTime;
use bitcoin::{Amount, ScriptBuf, Sequence, Transaction, TxOut};
use tapcourt_script::interpreter::{Rules, verify_script_path};

use super::toy::Toy;

fn valid(transaction: &Transaction, vin: usize, prevouts: &[TxOut]) -> bool {
    verify_script_path(transaction, vin, prevouts, Rules::Consensus)
        .is_ok_and(|execution| execution.succeeded())
}

type Mutation = (String, Transaction, Vec<TxOut>);

/// Every single-field change. Changes of an input's own outpoint count too: a signature is good for one coin.
fn mutations(original: &Transaction, prevouts: &[TxOut]) -> Vec<Mutation> {
    let mut all: Vec<Mutation> = Vec::new();
    let mut add = |name: String, change: &dyn Fn(&mut Transaction, &mut Vec<TxOut>)| {
        let (mut transaction, mut prevouts) = (original.clone(), prevouts.to_vec());
        change(&mut transaction, &mut prevouts);
        assert!(
            transaction != *original || name.starts_with("prevout"),
            "{name} changes something"
        );
        all.push((name, transaction, prevouts));
    };
    add("version".into(), &|tx, _| tx.version.0 ^= 1);
    add("lock time".into(), &|tx, _| {
        tx.lock_time = LockTime::from_consensus(1)
    });
    for vin in 0..original.input.len() {
        add(format!("txid of input {vin}"), &|tx, _| {
            tx.input[vin].previous_output.txid = bitcoin::hashes::Hash::from_byte_array([9; 32]);
        });
        add(format!("vout of input {vin}"), &|tx, _| {
            tx.input[vin].previous_output.vout ^= 1
        });
        add(format!("sequence of input {vin}"), &|tx, _| {
            tx.input[vin].sequence = Sequence(tx.input[vin].sequence.0 ^ 2)
        });
        add(format!("prevout value {vin}"), &|_, prevouts| {
            prevouts[vin].value += Amount::from_sat(1)
        });
    }
    for vout in 0..original.output.len() {
        add(format!("value {vout}"), &|tx, _| {
            tx.output[vout].value += Amount::from_sat(1)
        });
        add(format!("script {vout}"), &|tx, _| {
            tx.output[vout]
                .script_pubkey
                .push_opcode(bitcoin::opcodes::OP_TRUE)
        });
        add(format!("no output {vout}"), &|tx, _| {
            tx.output.remove(vout);
        });
    }
    add("another output".into(), &|tx, _| {
        tx.output.push(TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::new(),
        });
    });
    add("another input".into(), &|tx, prevouts| {
        tx.input.push(tx.input[0].clone());
        tx.input.last_mut().unwrap().previous_output.vout ^= 0x100;
        prevouts.push(prevouts[0].clone());
    });
    if original.output.len() > 1 {
        add("outputs swapped".into(), &|tx, _| tx.output.swap(0, 1));
    }
    all
}

#[test]
fn every_change_of_a_presigned_transaction_breaks_every_signature() {
    let mut checked = 0;
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let signed = toy.presign(&graph);
        let openings = toy.openings(3);
        for presigned in graph.presigned() {
            let kind = presigned.kind;
            let transaction = signed
                .finalise_with(&graph, kind, &openings, Some(&toy.challenger))
                .unwrap();
            let prevouts = presigned.prevouts();
            for (name, mutated, prevouts) in mutations(&transaction, &prevouts) {
                for vin in 0..transaction.input.len() {
                    assert!(
                        !valid(&mutated, vin, &prevouts),
                        "{kind}: {name} leaves input {vin} valid"
                    );
                    checked += 1;
                }
            }
        }
    }
    println!("covered: {checked} mutated inputs");
}

#[test]
fn a_signature_is_good_for_one_leaf_of_one_input() {
    let toy = &Toy::shapes()[2];
    let graph = toy.graph();
    let signed = toy.presign(&graph);
    let openings = toy.openings(3);
    let mut checked = 0;
    for presigned in graph.presigned() {
        let transaction = signed
            .finalise_with(&graph, presigned.kind, &openings, Some(&toy.challenger))
            .unwrap();
        let first = graph
            .slots()
            .iter()
            .position(|slot| slot.transaction == presigned.kind)
            .unwrap();
        for vin in 0..transaction.input.len() {
            for (slot, signature) in signed.signatures().iter().enumerate() {
                let mut swapped = transaction.clone();
                let mut items = swapped.input[vin].witness.to_vec();
                items[0] = signature.to_vec();
                swapped.input[vin].witness = bitcoin::Witness::from_slice(&items);
                assert_eq!(
                    valid(&swapped, vin, &presigned.prevouts()),
                    slot == first + vin,
                    "{}",
                    presigned.kind
                );
                checked += 1;
            }
        }
    }
    println!("covered: {checked} pairs of input and signature");
}
