//! The chains that the tests run on.

use std::path::{Path, PathBuf};
use std::process::Command;

use tapcourt_chain::{Chain, Embedded, Node};

/// The daemon to test with: what `scripts/bitcoind --find` finds, which starts with `BITCOIND_EXE`.
fn bitcoind() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/bitcoind");
    let found = Command::new(script).arg("--find").output().ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    found.status.success().then(|| PathBuf::from(path.trim()))
}

/// Starts an embedded chain.
///
/// # Panics
/// If it does not start.
pub fn embedded() -> Box<dyn Chain> {
    Box::new(Embedded::new().expect("the embedded chain starts"))
}

/// Starts a node, if there is a daemon; says so if there is none.
///
/// # Panics
/// If the daemon does not start.
pub fn node() -> Option<Box<dyn Chain>> {
    let Some(executable) = bitcoind() else {
        println!("skipped on a node: scripts/bitcoind builds one");
        return None;
    };
    Some(Box::new(Node::spawn(&executable).expect("the node starts")))
}
