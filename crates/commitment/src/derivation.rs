//! From one seed to the secrets of every one-time key.

use std::sync::LazyLock;

use sha2::digest::Update;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::chain::{ELEMENT_BYTES, Element};

/// Tag of the hash that derives one-time secrets, in the manner of BIP-0340.
const TAG: &[u8] = b"tapcourt/onetime/v1";

/// The secret from which a party derives all its one-time keys.
///
/// Deliberately neither `Debug`, `Clone` nor serialisable; overwritten when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
#[expect(missing_debug_implementations, reason = "a secret must not be printed")]
pub struct Seed([u8; 32]);

impl Seed {
    /// Takes 32 bytes of good randomness.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Derives the secret start of one chain.
    ///
    /// `SHA256(SHA256(tag) ‖ SHA256(tag) ‖ seed ‖ contract ‖ len(role) ‖ role ‖ len(label) ‖ label ‖ index)`, cut to 20
    /// bytes; lengths are 8 bytes and the index 4 bytes, little-endian. The parts of fixed size and the length prefixes make the
    /// encoding injective: two different paths never hash the same bytes.
    pub(crate) fn chain_start(&self, path: &KeyPath<'_>, index: u32) -> Element {
        let mut digest: [u8; 32] = tagged_engine()
            .chain(self.0)
            .chain(path.contract)
            .chain((path.role.len() as u64).to_le_bytes()) // cast ok: a length in memory fits 64 bits
            .chain(path.role)
            .chain((path.label.len() as u64).to_le_bytes()) // cast ok: as above
            .chain(path.label)
            .chain(index.to_le_bytes())
            .finalize()
            .into();
        let mut start = [0; ELEMENT_BYTES];
        start.copy_from_slice(&digest[..ELEMENT_BYTES]);
        digest.zeroize();
        start
    }
}

/// SHA-256 having absorbed the tag's hash twice, which is exactly one block.
fn tagged_engine() -> Sha256 {
    static ENGINE: LazyLock<Sha256> = LazyLock::new(|| {
        let tag = Sha256::digest(TAG);
        Sha256::new().chain(tag).chain(tag)
    });
    ENGINE.clone()
}

/// The name of a one-time key: which contract, whose, and for which value.
///
/// A path names one key with one [`Parameters`](crate::Parameters), which signs one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyPath<'a> {
    /// Identifier of the contract, so that no key is ever used in two of them.
    pub contract: [u8; 32],
    /// The party or purpose, such as `prover`.
    pub role: &'a str,
    /// The committed value, such as `output/3`.
    pub label: &'a str,
}
