//! Secret nonces as a function of a small secret, so that a session's state is 32 bytes.

use secp256k1::SecretKey;
use secp256k1::musig::{PublicNonce, SecretNonce, SessionSecretRand, new_nonce_pair};
use zeroize::Zeroizing;

use crate::graph::{Graph, Slot};
use crate::hash::tagged_hash;
use crate::keys::SigningKey;

/// 32 fresh random bytes from which a session's nonces derive. Never use one for two sessions. Zeroed when dropped.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct SessionSecret(Zeroizing<[u8; 32]>);

impl SessionSecret {
    /// Takes 32 bytes from a secure generator.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

/// Derives the nonce pair of one slot. `binding` is what the nonce may depend on besides the graph.
pub(super) fn nonce_pair(
    graph: &Graph,
    key: &SigningKey,
    secret: &SessionSecret,
    binding: &[u8; 32],
    index: usize,
    slot: &Slot,
) -> (SecretNonce, PublicNonce) {
    let index = (index as u64).to_le_bytes(); // cast ok, usize is at most 64 bits
    let contract = graph.id();
    let parts: [&[u8]; 5] = [
        &*secret.0,
        contract.as_bytes(),
        binding,
        &index,
        &slot.sighash,
    ];
    let random = Zeroizing::new(tagged_hash("tapcourt/musig-nonce/1", &parts));
    let secret_key =
        SecretKey::from_secret_bytes(*key.secret_bytes()).expect("checked when the key was taken");
    new_nonce_pair(
        SessionSecretRand::assume_uniformly_random(*random),
        Some(graph.aggregate_key().cache()),
        Some(secret_key),
        secp256k1::PublicKey::from_secret_key(&secret_key),
        Some(&slot.sighash),
        Some(graph.id().to_bytes()),
    )
}
