//! One leaf as a whole taproot spend, judged by the interpreter and by Bitcoin Core's code.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::key::Keypair;
use bitcoin::secp256k1::Secp256k1;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, XOnlyPublicKey,
};
use tapcourt_chain::core_verify;
use tapcourt_script::interpreter::{Rules, verify_input};
use tapcourt_script::script;
use tapcourt_script::taptree::Taptree;

/// An internal key for tests.
///
/// # Panics
/// Never.
pub fn internal_key() -> XOnlyPublicKey {
    Keypair::from_seckey_slice(&Secp256k1::new(), &[9; 32])
        .expect("a small number is a secret key")
        .x_only_public_key()
        .0
}

/// Whether a spend of the only leaf of an output is valid by consensus.
///
/// # Panics
/// If the interpreter and Bitcoin Core's code disagree.
pub fn is_accepted(leaf: &ScriptBuf, stack: &[Vec<u8>]) -> bool {
    let internal_key = internal_key();
    let tree = Taptree::build(&vec![leaf.clone()]).expect("there is a leaf");
    let prevouts = [TxOut {
        value: Amount::from_sat(10_000),
        script_pubkey: tree.script_pubkey(internal_key),
    }];
    let mut witness = Witness::from_slice(stack);
    witness.push(leaf);
    witness.push(tree.control_block(0, internal_key).serialize());
    let tx = Transaction {
        version: Version(3),
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array([3; 32]), 1),
            sequence: Sequence::MAX,
            witness,
            ..TxIn::default()
        }],
        output: vec![TxOut {
            value: Amount::from_sat(9_000),
            script_pubkey: script! { OP_RETURN },
        }],
    };
    let ours = verify_input(&tx, 0, &prevouts, Rules::Consensus);
    let core = core_verify(&tx, 0, &prevouts);
    assert_eq!(
        ours.is_ok(),
        core.is_ok(),
        "core says {core:?}, the interpreter {ours:?}, stack {stack:x?}"
    );
    ours.is_ok()
}
