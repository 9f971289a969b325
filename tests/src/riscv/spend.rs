//! Leaves of RISC-V steps in the interpreter and in Bitcoin Core's code.

use std::collections::BTreeMap;

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::key::Keypair;
use bitcoin::secp256k1::{All, Message, Secp256k1};
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, Script, ScriptBuf, Sequence, TapSighashType, Transaction, TxIn, TxOut, Txid,
    Witness, XOnlyPublicKey,
};
use tapcourt_chain::core_verify;
use tapcourt_commitment::{KeyPath, Opening, Parameters, PublicKey, SecretKey, Seed};
use tapcourt_compiler::LeafSize;
use tapcourt_compiler::riscv::{Group, Published};
use tapcourt_script::interpreter::{FailureReason, Rules, SpendError, execute, verify_script_path};
use tapcourt_script::taptree::Taptree;
use tapcourt_script::{encode_number, instructions, script};

use crate::leaf::is_accepted;

/// Whether the body of a leaf succeeds, its hints on the stack and these numbers, the first on top, on the altstack: in the interpreter, and, if asked, in
/// Bitcoin Core's code as well. The pushes onto the altstack stand for the openings.
///
/// # Panics
/// If the two disagree, or the body fails anywhere but at its end or at one of the comparisons that it begins with.
pub fn body_verdict(body: &Script, hints: &[Vec<u8>], numbers: &[i64], with_core: bool) -> bool {
    let leaf = script! { for _ in 0..numbers.len() { OP_TOALTSTACK } { body } };
    let mut stack = hints.to_vec();
    // The first to go to the altstack ends lowest there.
    stack.extend(numbers.iter().map(|&number| encode_number(number)));
    let execution = execute(&leaf, stack.clone(), None, Rules::Policy);
    if let Err(failure) = &execution.result {
        let required = numbers.len() + required_bytes(body);
        let at_end = failure.reason == FailureReason::EvalFalse && failure.position == leaf.len();
        assert!(
            at_end || failure.position < required,
            "{failure}, of {} bytes",
            leaf.len()
        );
    }
    let succeeds = execution.result.is_ok();
    if with_core {
        assert_eq!(is_accepted(&leaf, &stack), succeeds, "in core's code");
    }
    succeeds
}

/// Bytes of the comparisons that a body begins with, which make it fail at once.
fn required_bytes(body: &Script) -> usize {
    let mut end = 0;
    let mut position = 0;
    for (place, instruction) in instructions(body).enumerate() {
        let instruction = instruction.expect("bodies are whole");
        // `FROMALTSTACK <n> NUMEQUALVERIFY`, again and again.
        if place % 3 == 2 {
            if instruction.opcode != bitcoin::opcodes::all::OP_NUMEQUALVERIFY {
                break;
            }
            end = instruction.position + 1;
        }
        position = instruction.position;
    }
    end.min(position + 1)
}

/// One-time keys of all groups, and the challenger's key.
#[expect(
    missing_debug_implementations,
    reason = "secret keys must not be printed"
)]
pub struct StepKeys {
    secrets: BTreeMap<Group, SecretKey>,
    /// The public halves.
    pub public: BTreeMap<Group, PublicKey>,
    challenger: Keypair,
    secp: Secp256k1<All>,
}

impl StepKeys {
    /// Derives keys for these groups from a number.
    ///
    /// # Panics
    /// Never.
    pub fn new(groups: impl IntoIterator<Item = (Group, Parameters)>, number: u8) -> Self {
        let seed = Seed::new([number; 32]);
        let secrets: BTreeMap<Group, SecretKey> = groups
            .into_iter()
            .map(|(group, parameters)| {
                let path = KeyPath {
                    contract: [number; 32],
                    role: "prover",
                    label: &group.to_string(),
                };
                (group, SecretKey::derive(&seed, &path, &parameters))
            })
            .collect();
        let public = secrets
            .iter()
            .map(|(&group, secret)| (group, secret.public_key()))
            .collect();
        let secp = Secp256k1::new();
        let challenger =
            Keypair::from_seckey_slice(&secp, &[number.max(1); 32]).expect("a secret key");
        Self {
            secrets,
            public,
            challenger,
            secp,
        }
    }

    /// The challenger's public key.
    pub fn challenger(&self) -> XOnlyPublicKey {
        self.challenger.x_only_public_key().0
    }

    /// Signs what is published of these groups.
    ///
    /// # Panics
    /// If something of it was not published.
    pub fn open(
        &self,
        published: &Published,
        groups: impl IntoIterator<Item = Group>,
    ) -> BTreeMap<Group, Opening> {
        groups
            .into_iter()
            .map(|group| {
                (
                    group,
                    self.secrets[&group].sign(published.bits(group).expect("published")),
                )
            })
            .collect()
    }

    /// Whether a leaf, alone in its tree, can be spent with this witness, which lacks the challenger's signature: in the interpreter under
    /// relay policy, and in Bitcoin Core's code.
    ///
    /// # Panics
    /// If the two disagree, the sizes are not those that the compiler says, or the openings fail.
    pub fn spends(
        &self,
        name: &str,
        script: &ScriptBuf,
        witness: Vec<Vec<u8>>,
        size: &LeafSize,
        opened_bytes: usize,
    ) -> bool {
        let internal_key = self.challenger();
        let tree = Taptree::build(&vec![script.clone()]).expect("there is a leaf");
        let prevouts = [TxOut {
            value: Amount::from_sat(1_000_000),
            script_pubkey: tree.script_pubkey(internal_key),
        }];
        let mut tx = Transaction {
            version: Version(3),
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::new(Txid::from_byte_array([7; 32]), 0),
                sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                ..TxIn::default()
            }],
            output: vec![TxOut {
                value: Amount::from_sat(900_000),
                script_pubkey: script! { { 1 } { internal_key } },
            }],
        };
        let sighash = SighashCache::new(&tx)
            .taproot_script_spend_signature_hash(
                0,
                &Prevouts::All(&prevouts),
                tree.leaf_hash(0),
                TapSighashType::Default,
            )
            .expect("the one input has its output");
        let signature = self
            .secp
            .sign_schnorr_no_aux_rand(&Message::from(sighash), &self.challenger);
        let mut stack = Witness::from_slice(&witness);
        stack.push(signature.as_ref());
        assert_eq!(stack.len(), size.items, "{name}: items");
        let witness_bytes: usize = stack.iter().map(|item| 1 + item.len()).sum();
        assert!(
            witness_bytes <= size.witness_bytes_max,
            "{name}: {witness_bytes} witness bytes, said {}",
            size.witness_bytes_max
        );
        stack.push(script);
        stack.push(tree.control_block(0, internal_key).serialize());
        tx.input[0].witness = stack;

        let (execution, spent) = match verify_script_path(&tx, 0, &prevouts, Rules::Policy) {
            Ok(execution) => (execution, true),
            Err(SpendError::Leaf(execution)) => (*execution, false),
            Err(error) => panic!("{name}: {error}"),
        };
        let core = core_verify(&tx, 0, &prevouts);
        assert_eq!(
            core.is_ok(),
            spent,
            "{name}: core says {core:?}, the interpreter {:?}",
            execution.result
        );
        assert_eq!(script.len(), size.script_bytes, "{name}: script bytes");
        assert_eq!(execution.script_opcodes, size.opcodes, "{name}: opcodes");
        assert!(
            execution.max_stack <= size.max_stack,
            "{name}: {} items, said {}",
            execution.max_stack,
            size.max_stack
        );
        if let Err(failure) = &execution.result {
            assert!(
                failure.position >= opened_bytes,
                "{name}: the openings failed: {failure}"
            );
        }
        spent
    }
}
