//! The message hashes to the digest.

use tapcourt_guest::Inputs;

use crate::sha256::{Digest, Sha256};

/// Accepts if the SHA-256 digest of the message is the one given.
///
/// Inputs: the digest (32 bytes), the length of the message in bytes, the message.
pub fn main() -> bool {
    let mut inputs = Inputs::new();
    let digest: Digest = inputs.bytes();
    let message_bytes = inputs.word();
    let mut hash = Sha256::default();
    hash.update_from_inputs(&mut inputs, message_bytes);
    hash.finish() == digest
}
