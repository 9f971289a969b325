//! A compiled program with one-time keys, and a challenger who spends its leaves.

use std::collections::BTreeMap;

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::key::Keypair;
use bitcoin::secp256k1::{All, Message, Secp256k1};
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, TapSighashType, Transaction, TxIn, TxOut, Txid, Witness,
};
use tapcourt_chain::core_verify;
use tapcourt_commitment::{KeyPath, Opening, SecretKey, Seed};
use tapcourt_compiler::circuit::{CompileError, Compiled, Options};
use tapcourt_program::circuit::Circuit;
use tapcourt_script::instructions;
use tapcourt_script::interpreter::{
    Execution, FailureReason, Rules, SpendError, verify_script_path,
};
use tapcourt_script::opcodes::{OP_2DROP, OP_DROP, OP_VERIFY};
use tapcourt_script::script;
use tapcourt_script::taptree::{LeafSource, Taptree};

/// A compiled program, the prover's keys and the challenger's.
#[expect(
    missing_debug_implementations,
    reason = "secret keys must not be printed"
)]
pub struct Trial {
    /// The program.
    pub compiled: Compiled,
    secrets: Vec<SecretKey>,
    /// The leaf scripts, in order.
    pub scripts: Vec<ScriptBuf>,
    tree: Option<Taptree>,
    challenger: Keypair,
    secp: Secp256k1<All>,
}

/// Values as the prover published them.
#[derive(Clone, Debug)]
pub struct Published {
    /// Bits of every committed group.
    pub values: Vec<Vec<bool>>,
    /// Their openings.
    pub openings: BTreeMap<usize, Opening>,
}

impl Trial {
    /// Compiles a circuit and derives keys from a number.
    ///
    /// # Errors
    /// If the circuit does not compile.
    ///
    /// # Panics
    /// If the leaves make no taptree.
    pub fn new(circuit: &Circuit, options: &Options, number: u64) -> Result<Self, CompileError> {
        let compiled = Compiled::new(circuit, options)?;
        let seed = Seed::new(number_bytes(number));
        let secrets: Vec<SecretKey> = compiled
            .committed_groups()
            .iter()
            .map(|group| {
                let path = KeyPath {
                    contract: compiled.program_digest(),
                    role: "prover",
                    label: group.label(),
                };
                let parameters = group.parameters().expect("committed groups have keys");
                SecretKey::derive(&seed, &path, parameters)
            })
            .collect();
        let keys: Vec<_> = secrets.iter().map(SecretKey::public_key).collect();
        let secp = Secp256k1::new();
        let challenger = Keypair::from_seckey_slice(&secp, &number_bytes(number))
            .expect("a small number that is not zero is a secret key");
        let leaves = compiled.leaf_source(&keys, challenger.x_only_public_key().0);
        let scripts: Vec<ScriptBuf> = (0..leaves.len()).map(|leaf| leaves.script(leaf)).collect();
        let tree =
            (!scripts.is_empty()).then(|| Taptree::build(&leaves).expect("there are leaves"));
        Ok(Self {
            compiled,
            secrets,
            scripts,
            tree,
            challenger,
            secp,
        })
    }

    /// Signs values, one list of bits for each committed group.
    pub fn publish(&self, values: Vec<Vec<bool>>) -> Published {
        let openings = self
            .secrets
            .iter()
            .zip(&values)
            .map(|(secret, bits)| secret.sign(bits))
            .enumerate()
            .collect();
        Published { values, openings }
    }

    /// Publishes other bits for one group, the rest as before.
    pub fn publish_group(&self, published: &Published, group: usize, bits: Vec<bool>) -> Published {
        let mut published = published.clone();
        let opening = self.secrets[group].sign(&bits);
        published.openings.insert(group, opening);
        published.values[group] = bits;
        published
    }

    /// The challenger's transaction that spends a leaf, and the output that it spends.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn spend(&self, leaf: usize, published: &Published) -> (Transaction, TxOut) {
        let tree = self.tree.as_ref().expect("there is such a leaf");
        let internal_key = self.challenger.x_only_public_key().0;
        let prevout = TxOut {
            value: Amount::from_sat(1_000_000),
            script_pubkey: tree.script_pubkey(internal_key),
        };
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
                &Prevouts::All(std::slice::from_ref(&prevout)),
                tree.leaf_hash(leaf),
                TapSighashType::Default,
            )
            .expect("the one input has its output");
        let signature = self
            .secp
            .sign_schnorr_no_aux_rand(&Message::from(sighash), &self.challenger);
        let stack = self
            .compiled
            .leaf_witness(leaf, &published.openings)
            .expect("every group is opened");
        let mut witness = Witness::from_slice(&stack);
        witness.push(signature.as_ref());
        witness.push(&self.scripts[leaf]);
        witness.push(tree.control_block(leaf, internal_key).serialize());
        tx.input[0].witness = witness;
        (tx, prevout)
    }

    /// Whether a leaf can be spent with what was published, by the interpreter under relay policy and by Bitcoin Core's code
    /// alike. Sizes are held against what the compiler says, and a leaf that cannot be spent must fail at its end.
    ///
    /// # Panics
    /// If anything of this does not hold.
    pub fn spends(&self, leaf: usize, published: &Published) -> bool {
        let name = self.compiled.leaves()[leaf].name();
        let (tx, prevout) = self.spend(leaf, published);
        let prevouts = [prevout];
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
        self.check_sizes(leaf, &tx, &execution);
        if let Err(failure) = &execution.result {
            let script = &self.scripts[leaf];
            let end = match failure.reason {
                FailureReason::EvalFalse => script.len(),
                FailureReason::Verify => self.clean_up(leaf).unwrap_or(usize::MAX),
                _ => usize::MAX,
            };
            assert_eq!(
                failure.position, end,
                "{name} failed before its end: {failure}"
            );
        }
        assert!(execution.altstack.is_empty(), "{name}: altstack");
        spent
    }

    /// Where a leaf's clean-up starts, if it has one: the last `OP_VERIFY`, if only drops come after it.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn clean_up(&self, leaf: usize) -> Option<usize> {
        let mut position = None;
        for instruction in instructions(&self.scripts[leaf]) {
            let instruction = instruction.expect("leaves are whole");
            if instruction.opcode == OP_VERIFY {
                position = Some(instruction.position);
            } else if instruction.opcode != OP_DROP && instruction.opcode != OP_2DROP {
                position = None;
            }
        }
        position
    }

    fn check_sizes(&self, leaf: usize, tx: &Transaction, execution: &Execution) {
        let name = self.compiled.leaves()[leaf].name();
        let size = self.compiled.leaf_size(leaf);
        let witness = &tx.input[0].witness;
        let items = witness.len() - 2;
        let witness_bytes: usize = witness.iter().take(items).map(|item| 1 + item.len()).sum();
        assert_eq!(
            self.scripts[leaf].len(),
            size.script_bytes,
            "{name}: script bytes"
        );
        assert_eq!(items, size.items, "{name}: items");
        assert_eq!(execution.script_opcodes, size.opcodes, "{name}: opcodes");
        assert!(
            witness_bytes <= size.witness_bytes_max,
            "{name}: {witness_bytes} witness bytes, said {}",
            size.witness_bytes_max
        );
        assert!(
            execution.max_stack <= size.max_stack,
            "{name}: {} items, said {}",
            execution.max_stack,
            size.max_stack
        );
        assert!(
            witness.size() <= size.weight_wu_max,
            "{name}: {} WU, said {}",
            witness.size(),
            size.weight_wu_max
        );
    }
}

fn number_bytes(number: u64) -> [u8; 32] {
    let mut bytes = [1; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    bytes
}
