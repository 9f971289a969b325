//! A BIP-0340 signature.

use k256::schnorr::{Signature, VerifyingKey};
use tapcourt_guest::Inputs;

/// Accepts if the signature is valid for the message and the public key.
///
/// Inputs: the public key (32 bytes), the signature (64 bytes), the message (32 bytes).
pub fn main() -> bool {
    let mut inputs = Inputs::new();
    let (key, signature, message): ([u8; 32], [u8; 64], [u8; 32]) =
        (inputs.bytes(), inputs.bytes(), inputs.bytes());
    let (Ok(key), Ok(signature)) = (
        VerifyingKey::from_bytes(&key.into()),
        Signature::try_from(signature.as_slice()),
    ) else {
        return false;
    };
    key.verify_raw(&message, &signature).is_ok()
}
