//! Changed transactions.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;

/// Changes a transaction in one way; the others are of the same contract.
pub(super) type Change = fn(&mut ChaCha20Rng, &mut Transaction, &[Transaction]);

/// Ways to change a witness, by name. The txid stays.
pub(super) const WITNESS: [(&str, Change); 10] = [
    ("witness item: bit", |rng, transaction, _| {
        items(rng, transaction, |rng, items| {
            let item = items.choose_mut(rng).unwrap();
            match item.choose_mut(rng) {
                Some(byte) => *byte ^= 1 << rng.gen_range(0..8),
                None => item.push(1),
            }
        });
    }),
    ("witness item: length", |rng, transaction, _| {
        items(rng, transaction, |rng, items| {
            let item = items.choose_mut(rng).unwrap();
            match rng.gen_range(0..4) {
                0 => drop(item.pop()),
                1 => item.clear(),
                // Another encoding of the same number.
                2 => item.push(0),
                _ => item.push(rng.r#gen()),
            }
        });
    }),
    ("witness item: dropped", |rng, transaction, _| {
        items(rng, transaction, |rng, items| {
            drop(items.remove(rng.gen_range(0..items.len())));
        });
    }),
    ("witness item: added", |rng, transaction, _| {
        items(rng, transaction, |rng, items| {
            let other = items.choose(rng).unwrap().clone();
            let new = [vec![], vec![1], vec![rng.r#gen(); 20], other];
            let place = rng.gen_range(0..=items.len());
            items.insert(place, new.choose(rng).unwrap().clone());
        });
    }),
    ("witness items: swapped", |rng, transaction, _| {
        items(rng, transaction, |rng, items| {
            let (one, two) = (rng.gen_range(0..items.len()), rng.gen_range(0..items.len()));
            items.swap(one, two);
        });
    }),
    (
        "witness items: of another input",
        |rng, transaction, others| {
            let theirs = other_witness(rng, others);
            items(rng, transaction, |rng, items| {
                let start = rng.gen_range(0..items.len().min(theirs.len()));
                let end = (start + rng.gen_range(1..20))
                    .min(items.len())
                    .min(theirs.len());
                items[start..end].clone_from_slice(&theirs[start..end]);
            });
        },
    ),
    ("witness: of another input", |rng, transaction, others| {
        let theirs = other_witness(rng, others);
        items(rng, transaction, |_, items| *items = theirs.clone());
    }),
    ("script or control block", |rng, transaction, others| {
        let theirs = other_witness(rng, others);
        items(rng, transaction, |rng, items| {
            // The last but one and the last.
            let place = items.len() - 1 - rng.gen_range(0..2).min(items.len() - 1);
            match rng.gen_range(0..3) {
                0 => items[place] = theirs[place.min(theirs.len() - 1)].clone(),
                1 => items[place].extend([0x51; 32]),
                _ => match items[place].choose_mut(rng) {
                    Some(byte) => *byte = rng.r#gen(),
                    None => items[place].push(rng.r#gen()),
                },
            }
        });
    }),
    ("signature", |rng, transaction, others| {
        let theirs = other_witness(rng, others);
        let theirs = theirs.into_iter().find(|item| item.len() == 64);
        items(rng, transaction, |rng, items| {
            let mut signatures = items.iter_mut().filter(|item| item.len() == 64);
            let Some(signature) = signatures.next_back() else {
                return;
            };
            match (rng.gen_range(0..4), &theirs) {
                (0, Some(theirs)) => signature.clone_from(theirs),
                (1, _) => signature.push(*[0, 1, 2, 3, 0x81, 0x83].choose(rng).unwrap()),
                (2, _) => signature.clear(),
                _ => signature[rng.gen_range(0..64)] ^= 1 << rng.gen_range(0..8),
            }
        });
    }),
    ("annex", |rng, transaction, _| {
        items(rng, transaction, |rng, items| {
            let annex: Vec<u8> = (0..rng.gen_range(0..20)).map(|_| rng.r#gen()).collect();
            items.push([&[0x50][..], &annex].concat());
        });
    }),
];

/// Ways to change all else, by name.
pub(super) const BODY: [(&str, Change); 5] = [
    ("version or locktime", |rng, transaction, _| {
        if rng.r#gen() {
            transaction.version = Version(rng.gen_range(-1..5));
        } else {
            transaction.lock_time = LockTime::from_consensus(rng.r#gen());
        }
    }),
    ("sequence", |rng, transaction, _| {
        let input = transaction.input.choose_mut(rng).unwrap();
        let blocks = Sequence::from_height(rng.r#gen());
        let all = [Sequence::MAX, Sequence::ZERO, blocks, Sequence(rng.r#gen())];
        input.sequence = *all.choose(rng).unwrap();
    }),
    ("outputs", |rng, transaction, others| {
        let theirs = others
            .choose(rng)
            .unwrap()
            .output
            .choose(rng)
            .unwrap()
            .clone();
        let outputs = &mut transaction.output;
        let place = rng.gen_range(0..outputs.len());
        match rng.gen_range(0..6) {
            0 => outputs[place].value = Amount::from_sat(rng.gen_range(0..200_000)),
            1 => outputs[place].script_pubkey = theirs.script_pubkey,
            2 => outputs.push(theirs),
            3 => drop(outputs.remove(place)),
            4 => outputs.push(TxOut {
                value: Amount::from_sat(u64::MAX),
                script_pubkey: ScriptBuf::new(),
            }),
            _ => outputs.swap(place, 0),
        }
    }),
    ("inputs", |rng, transaction, others| {
        let theirs = others
            .choose(rng)
            .unwrap()
            .input
            .choose(rng)
            .unwrap()
            .clone();
        let inputs = &mut transaction.input;
        let place = rng.gen_range(0..inputs.len());
        match rng.gen_range(0..6) {
            0 => inputs[place].previous_output.vout ^= 1 << rng.gen_range(0..4),
            1 => inputs[place].previous_output = theirs.previous_output,
            2 => inputs.push(theirs),
            3 => drop(inputs.remove(place)),
            4 => inputs.push(TxIn {
                previous_output: OutPoint::null(),
                ..TxIn::default()
            }),
            _ => inputs.swap(place, 0),
        }
    }),
    ("input script", |rng, transaction, _| {
        let input = transaction.input.choose_mut(rng).unwrap();
        input.script_sig = ScriptBuf::from_bytes(vec![0x51; rng.gen_range(1..4)]);
    }),
];

/// Changes the witness of one input.
fn items(
    rng: &mut ChaCha20Rng,
    transaction: &mut Transaction,
    change: impl FnOnce(&mut ChaCha20Rng, &mut Vec<Vec<u8>>),
) {
    let input = transaction.input.choose_mut(rng).unwrap();
    let mut items = input.witness.to_vec();
    if !items.is_empty() {
        change(rng, &mut items);
        input.witness = Witness::from_slice(&items);
    }
}

fn other_witness(rng: &mut ChaCha20Rng, others: &[Transaction]) -> Vec<Vec<u8>> {
    let other = others.choose(rng).unwrap();
    other.input.choose(rng).unwrap().witness.to_vec()
}
