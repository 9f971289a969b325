//! The chains that the tests run on, and transactions to try on them.

use std::path::{Path, PathBuf};
use std::process::Command;

use bitcoin::absolute::LockTime;
use bitcoin::key::Secp256k1;
use bitcoin::secp256k1::SecretKey;
use bitcoin::taproot::{LeafVersion, TaprootBuilder};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, XOnlyPublicKey,
};
use tapcourt_chain::{Chain, ChainView, Embedded, Node, Wallet};

/// The daemon to test with: what `scripts/bitcoind --find` finds, which starts with `BITCOIND_EXE`.
pub(crate) fn bitcoind() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/bitcoind");
    let found = Command::new(script).arg("--find").output().ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    found.status.success().then(|| PathBuf::from(path.trim()))
}

/// Runs a test on the embedded chain and, if there is a daemon, on a fresh node of its own.
pub(crate) fn on_every_chain(test: impl Fn(&mut dyn Chain)) {
    let mut embedded = Embedded::new().expect("the embedded chain starts");
    test(&mut embedded);
    println!("ran on the embedded chain, up to {:?}", embedded.tip());
    match bitcoind() {
        None => println!("skipped on a node: scripts/bitcoind builds one"),
        Some(executable) => {
            let mut node = Node::spawn(&executable).expect("the node starts");
            test(&mut node);
            println!("ran on a node, up to {:?}", node.tip());
        }
    }
}

pub(crate) fn wallet() -> Wallet {
    Wallet::new(&SecretKey::from_slice(&[7; 32]).expect("a small number is a secret key"))
}

/// A wallet with this many mature coins.
pub(crate) fn rich(chain: &mut dyn Chain, coins: u32) -> Wallet {
    let mut wallet = wallet();
    wallet.mine_coins(chain, coins).expect("a regtest mines");
    wallet
}

pub(crate) fn input(previous_output: OutPoint) -> TxIn {
    TxIn {
        previous_output,
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        ..TxIn::default()
    }
}

pub(crate) fn output(sat: u64, script_pubkey: ScriptBuf) -> TxOut {
    TxOut {
        value: Amount::from_sat(sat),
        script_pubkey,
    }
}

pub(crate) fn transaction(version: i32, input: Vec<TxIn>, output: Vec<TxOut>) -> Transaction {
    Transaction {
        version: Version(version),
        lock_time: LockTime::ZERO,
        input,
        output,
    }
}

/// An output that only one leaf can spend, and the two witness items that prove the leaf.
pub(crate) fn leaf_output(leaf: &[u8]) -> (ScriptBuf, [Vec<u8>; 2]) {
    let secp = Secp256k1::new();
    // The point without a known discrete logarithm of BIP-0341.
    let internal: XOnlyPublicKey =
        "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"
            .parse()
            .expect("the point is on the curve");
    let leaf = ScriptBuf::from_bytes(leaf.to_vec());
    let spend_info = TaprootBuilder::with_capacity(1)
        .add_leaf(0, leaf.clone())
        .expect("one leaf at depth 0 is a tree")
        .finalize(&secp, internal)
        .expect("the tree is complete");
    let control_block = spend_info
        .control_block(&(leaf.clone(), LeafVersion::TapScript))
        .expect("the leaf is in the tree")
        .serialize();
    (
        ScriptBuf::new_p2tr_tweaked(spend_info.output_key()),
        [leaf.into_bytes(), control_block],
    )
}

/// The witness of a leaf without signatures.
pub(crate) fn leaf_witness(arguments: &[Vec<u8>], proof: &[Vec<u8>; 2]) -> Witness {
    let items: Vec<&Vec<u8>> = arguments.iter().chain(proof).collect();
    Witness::from_slice(&items)
}
