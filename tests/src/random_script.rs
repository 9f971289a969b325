//! Random tapscript spends from a seed, for comparing implementations.
//!
//! About half of the spends succeed. The others fail anywhere: in an opcode, at a limit, in a signature, at the end. The
//! same seed gives the same spend on every machine.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::key::Keypair;
use bitcoin::secp256k1::{Message, Secp256k1};
use bitcoin::sighash::{Annex, Prevouts, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, TapSighashType, Transaction, TxIn, TxOut, Txid, Witness,
};
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_script::interpreter::{FailureReason, Rules, TxContext, execute};
use tapcourt_script::opcodes;
use tapcourt_script::taptree::{Taptree, leaf_hash};
use tapcourt_script::{ScriptWriter, encode_number, script};

/// A transaction, one input of which spends a random tapscript leaf.
#[derive(Clone, Debug)]
pub struct RandomSpend {
    /// The transaction with its witnesses.
    pub tx: Transaction,
    /// The outputs that its inputs spend, in order.
    pub prevouts: Vec<TxOut>,
    /// The input that spends the leaf.
    pub input_index: usize,
    /// The leaf.
    pub leaf: ScriptBuf,
}

impl RandomSpend {
    /// Makes the spend that belongs to a seed.
    ///
    /// # Panics
    /// Never for want of a valid seed: all are.
    pub fn from_seed(seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let secp = Secp256k1::new();
        let keys = Keypair::from_seckey_slice(&secp, &[1 + (seed % 200) as u8; 32])
            .expect("a small non-zero number is a secret key");
        let internal_key = keys.x_only_public_key().0;
        let signed = rng.gen_bool(0.5);

        // The transaction; the tree it spends follows once the leaf is known.
        let inputs = rng.gen_range(1..4);
        let input_index = rng.gen_range(0..inputs);
        let mut tx = Transaction {
            version: Version(*[1, 2, 3].choose(rng).expect("three versions")),
            lock_time: LockTime::from_consensus(
                *[0, 100, 500_000_100].choose(rng).expect("three times"),
            ),
            input: (0..inputs)
                .map(|_| TxIn {
                    previous_output: OutPoint::new(
                        Txid::from_byte_array(rng.r#gen()),
                        rng.gen_range(0..3),
                    ),
                    sequence: Sequence(
                        *[0, 10, 0x40_000a, 0xffff_fffe, 0xffff_ffff]
                            .choose(rng)
                            .expect("five"),
                    ),
                    ..TxIn::default()
                })
                .collect(),
            output: (0..rng.gen_range(1..4))
                .map(|_| random_output(rng))
                .collect(),
        };
        let mut prevouts: Vec<TxOut> = (0..inputs).map(|_| random_output(rng)).collect();

        let mut stack: Vec<Vec<u8>> = (0..rng.gen_range(0..8)).map(|_| random_item(rng)).collect();
        let mut body = ScriptWriter::new();
        if signed {
            body.push(&internal_key).op(opcodes::OP_CHECKSIGVERIFY);
        }
        let signature_end = body.len();
        for _ in 0..rng.gen_range(0..60) {
            random_opcodes(rng, &mut body, 0);
        }
        let separator = if signed && rng.gen_bool(0.3) {
            Some(0)
        } else {
            None
        };
        let start = separator.map_or_else(ScriptBuf::new, |_| script! { OP_CODESEPARATOR });
        let without_signature =
            ScriptBuf::from_bytes(body.as_script().as_bytes()[signature_end..].to_vec());
        let end = tidy_end(rng, &without_signature, &stack, &tx, input_index, &prevouts);
        let leaf = script! { { start } { body } { end } };

        let leaves: Vec<ScriptBuf> = std::iter::once(leaf.clone())
            .chain((0..rng.gen_range(0..5u8)).map(|n| script! { { n } }))
            .collect();
        let tree = Taptree::build(&leaves).expect("there is a leaf");
        prevouts[input_index].script_pubkey = tree.script_pubkey(internal_key);

        let annex = rng.gen_bool(0.05).then(|| vec![0x50, 0xaa, 0xbb]);
        if signed {
            let hash_type = *[
                TapSighashType::Default,
                TapSighashType::All,
                TapSighashType::None,
                TapSighashType::AllPlusAnyoneCanPay,
                TapSighashType::NonePlusAnyoneCanPay,
            ]
            .choose(rng)
            .expect("five types");
            let sighash = SighashCache::new(&tx)
                .taproot_signature_hash(
                    input_index,
                    &Prevouts::All(&prevouts),
                    annex
                        .as_deref()
                        .map(|annex| Annex::new(annex).expect("it starts with 0x50")),
                    Some((tree.leaf_hash(0), separator.unwrap_or(u32::MAX))),
                    hash_type,
                )
                .expect("every input has its output");
            let mut signature = secp
                .sign_schnorr_no_aux_rand(&Message::from(sighash), &keys)
                .as_ref()
                .to_vec();
            if hash_type != TapSighashType::Default {
                signature.push(hash_type as u8);
            }
            if rng.gen_bool(0.1) {
                let byte = rng.gen_range(0..signature.len());
                signature[byte] ^= 1 << rng.gen_range(0..8);
            }
            stack.push(signature);
        }
        let mut control = tree.control_block(0, internal_key).serialize();
        if rng.gen_bool(0.03) {
            let byte = rng.gen_range(0..control.len());
            control[byte] ^= 1 << rng.gen_range(0..8);
        }
        let mut witness = Witness::from_slice(&stack);
        witness.push(&leaf);
        witness.push(control);
        if let Some(annex) = annex {
            witness.push(annex);
        }
        tx.input[input_index].witness = witness;
        Self {
            tx,
            prevouts,
            input_index,
            leaf,
        }
    }
}

/// What to append so that the script usually ends with one true item: drops and a one, as the interpreter sees the stack
/// after the body. Where the body fails, nothing helps and nothing is appended.
fn tidy_end(
    rng: &mut ChaCha8Rng,
    body: &ScriptBuf,
    stack: &[Vec<u8>],
    tx: &Transaction,
    input_index: usize,
    prevouts: &[TxOut],
) -> ScriptBuf {
    let context = TxContext::new(tx, input_index, prevouts, leaf_hash(body));
    let execution = execute(body, stack.to_vec(), Some(&context), Rules::Consensus);
    let ended = match &execution.result {
        Ok(()) => true,
        Err(failure) => {
            matches!(
                failure.reason,
                FailureReason::CleanStack { .. } | FailureReason::EvalFalse
            )
        }
    };
    if !ended || rng.gen_bool(0.1) {
        return ScriptBuf::new();
    }
    script! { for _ in 0..execution.stack.len() { OP_DROP } { 1 } }
}

fn random_output(rng: &mut ChaCha8Rng) -> TxOut {
    TxOut {
        value: Amount::from_sat(rng.gen_range(1_000..1_000_000)),
        script_pubkey: script! { { 1 } { rng.r#gen::<[u8; 32]>().to_vec() } },
    }
}

/// A stack item: mostly numbers around the edges, and some byte strings.
fn random_item(rng: &mut ChaCha8Rng) -> Vec<u8> {
    match rng.gen_range(0..12) {
        0..=3 => encode_number(rng.gen_range(-2..4)),
        4 => encode_number(rng.gen_range(-300..300)),
        5 => encode_number(rng.gen_range(-0x7fff_ffff..=0x7fff_ffff)),
        6 => {
            let edges: [&[u8]; 10] = [
                &[0x80],
                &[0x00],
                &[0x01, 0x00],
                &[0x01, 0x80],
                &[0x7f],
                &[0xff, 0x7f],
                &[0xff, 0xff, 0xff, 0x7f],
                &[0xff, 0xff, 0xff, 0xff],
                &[0x00, 0x00, 0x00, 0x80],
                &[0x00, 0x00, 0x00, 0x00, 0x01],
            ];
            edges.choose(rng).expect("ten edges").to_vec()
        }
        7 => vec![
            0xab;
            *[20, 21, 22, 23, 32, 33, 64, 75, 76, 80]
                .choose(rng)
                .expect("ten lengths")
        ],
        8 if rng.gen_bool(0.2) => {
            vec![0xcd; *[255, 256, 519, 520, 521].choose(rng).expect("five lengths")]
        }
        _ => vec![rng.r#gen(); rng.gen_range(0..6)],
    }
}

/// Appends one opcode with operands that it is likely to accept, a condition, or sometimes anything at all.
fn random_opcodes(rng: &mut ChaCha8Rng, writer: &mut ScriptWriter, nesting: u32) {
    use opcodes::*;
    const STACK: [Opcode; 16] = [
        OP_DUP, OP_2DUP, OP_3DUP, OP_OVER, OP_2OVER, OP_SWAP, OP_2SWAP, OP_ROT, OP_2ROT, OP_TUCK,
        OP_NIP, OP_DROP, OP_2DROP, OP_IFDUP, OP_DEPTH, OP_SIZE,
    ];
    const UNARY: [Opcode; 6] = [OP_1ADD, OP_1SUB, OP_NEGATE, OP_ABS, OP_NOT, OP_0NOTEQUAL];
    const BINARY: [Opcode; 12] = [
        OP_ADD,
        OP_SUB,
        OP_BOOLAND,
        OP_BOOLOR,
        OP_NUMEQUAL,
        OP_NUMNOTEQUAL,
        OP_LESSTHAN,
        OP_GREATERTHAN,
        OP_LESSTHANOREQUAL,
        OP_GREATERTHANOREQUAL,
        OP_MIN,
        OP_MAX,
    ];
    const HASHES: [Opcode; 5] = [OP_RIPEMD160, OP_SHA1, OP_SHA256, OP_HASH160, OP_HASH256];
    let pick =
        |rng: &mut ChaCha8Rng, from: &[Opcode]| *from.choose(rng).expect("tables are not empty");
    match rng.gen_range(0..100) {
        0..=24 => {
            writer.push(&random_item(rng));
        }
        25..=39 => {
            for _ in 0..rng.gen_range(0..3) {
                writer.int(rng.gen_range(-1..5));
            }
            writer.op(pick(rng, &STACK));
        }
        40..=49 => {
            writer.int(rng.gen_range(-3..200)).op(pick(rng, &UNARY));
        }
        50..=64 => {
            writer
                .int(rng.gen_range(-3..200))
                .push(&random_small(rng))
                .op(pick(rng, &BINARY));
        }
        65..=67 => {
            writer
                .int(rng.gen_range(0..9))
                .int(rng.gen_range(0..5))
                .int(rng.gen_range(0..9))
                .op(OP_WITHIN);
        }
        68..=72 => {
            writer.push(&random_item(rng)).op(pick(rng, &HASHES));
        }
        73..=78 => {
            writer
                .int(7)
                .int(8)
                .int(9)
                .int(rng.gen_range(0..3))
                .op(pick(rng, &[OP_PICK, OP_ROLL]));
        }
        79..=82 => {
            writer.int(rng.gen_range(0..9)).op(OP_TOALTSTACK);
            if rng.gen_bool(0.7) {
                writer.op(OP_FROMALTSTACK);
            }
        }
        83..=91 if nesting < 4 => {
            writer
                .int(rng.gen_range(0..2))
                .op(pick(rng, &[OP_IF, OP_NOTIF]));
            for _ in 0..rng.gen_range(0..5) {
                random_opcodes(rng, writer, nesting + 1);
            }
            for _ in 0..rng.gen_range(0..3) {
                writer.op(OP_ELSE);
                for _ in 0..rng.gen_range(0..5) {
                    random_opcodes(rng, writer, nesting + 1);
                }
            }
            writer.op(OP_ENDIF);
        }
        92..=93 => {
            writer
                .push(&random_item(rng))
                .op(OP_DUP)
                .op(pick(rng, &[OP_EQUAL, OP_EQUALVERIFY]));
        }
        94 => {
            let operand = *[0, 10, 100, 0x40_000a, 500_000_000, 0x8000_0000]
                .choose(rng)
                .expect("six operands");
            writer
                .int(operand)
                .op(pick(rng, &[OP_CHECKLOCKTIMEVERIFY, OP_CHECKSEQUENCEVERIFY]))
                .op(OP_DROP);
        }
        95 => {
            // Empty signatures, and any signature under a key of unknown length.
            let (signature, key) = if rng.gen_bool(0.5) {
                (vec![], vec![2; 32])
            } else {
                (vec![1], vec![2; 33])
            };
            writer.push(&signature).int(5).push(&key).op(OP_CHECKSIGADD);
        }
        96..=98 => {
            writer.op(pick(rng, &[OP_NOP, OP_CODESEPARATOR, OP_NOP1, OP_NOP10]));
        }
        _ if rng.gen_bool(0.3) => {
            writer.op(Opcode::from(rng.r#gen::<u8>()));
        }
        _ => {}
    }
}

/// A number that is sometimes not minimal.
fn random_small(rng: &mut ChaCha8Rng) -> Vec<u8> {
    match rng.gen_range(0..10) {
        0 => vec![rng.gen_range(0..3), 0x00],
        1 => vec![0x80],
        _ => encode_number(rng.gen_range(-3..200)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tapcourt_script::interpreter::{SpendError, verify_input};

    use super::*;

    #[test]
    fn seeds_give_both_kinds_of_spends_and_many_failures() {
        let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
        let seeds = 3000;
        for seed in 0..seeds {
            let spend = RandomSpend::from_seed(seed);
            let outcome = match verify_input(
                &spend.tx,
                spend.input_index,
                &spend.prevouts,
                Rules::Consensus,
            ) {
                Ok(_) => "ok".to_owned(),
                Err(SpendError::Leaf(execution)) => {
                    let failure = execution.result.expect_err("the leaf failed");
                    // The variant's name without its fields.
                    let debug = format!("{:?}", failure.reason);
                    debug
                        .split([' ', '{', '('])
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                }
                Err(error) => format!("{error}"),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
        println!("{outcomes:#?}");
        let succeeded = outcomes.remove("ok").unwrap_or(0) as u64;
        assert!(
            (seeds / 4..=seeds * 3 / 4).contains(&succeeded),
            "{succeeded} of {seeds} succeed"
        );
        assert!(outcomes.len() >= 10, "{} kinds of failure", outcomes.len());
    }

    #[test]
    fn a_seed_always_gives_the_same_spend() {
        for seed in [0, 1, u64::MAX] {
            assert_eq!(
                RandomSpend::from_seed(seed).tx,
                RandomSpend::from_seed(seed).tx
            );
        }
    }
}
