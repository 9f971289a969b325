//! Keys: the parties' signing keys, their `MuSig2` aggregate, and internal keys that nobody can sign for.
//!
//! `bitcoin` 0.32 carries `secp256k1` 0.29, the `MuSig2` module is in 0.33: values cross between them as bytes, here and in
//! [`crate::presign`] only.

use std::sync::LazyLock;

use bitcoin::XOnlyPublicKey;
use bitcoin::secp256k1::{PublicKey, Secp256k1, VerifyOnly};
use secp256k1::musig::KeyAggCache;
use secp256k1::{Keypair, Scalar};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::hash::tagged_hash;
use crate::terms::ContractId;

/// The x coordinate of BIP-0341's point `H`, whose discrete logarithm nobody knows.
///
/// <https://github.com/bitcoin/bips/blob/master/bip-0341.mediawiki#constructing-and-spending-taproot-outputs>
pub const NUMS_POINT: [u8; 32] = [
    0x50, 0x92, 0x9b, 0x74, 0xc1, 0xa0, 0x49, 0x54, 0xb7, 0x8b, 0x4b, 0x60, 0x35, 0xe9, 0x7a,
    0x5e, //
    0x07, 0x8a, 0x5a, 0x0f, 0x28, 0xec, 0x96, 0xd5, 0x47, 0xbf, 0xee, 0x9a, 0xce, 0x80, 0x3a, 0xc0,
];

/// What tweaks and checks output keys. Making one takes longer than using it.
pub(crate) static SECP: LazyLock<Secp256k1<VerifyOnly>> =
    LazyLock::new(Secp256k1::verification_only);

/// Calculates the internal key of every connector of a contract: `H + t·G`, `t` a tagged hash of the contract id.
///
/// Anyone can recompute it from the contract id, which shows that nobody knows its discrete logarithm.
#[expect(
    clippy::missing_panics_doc,
    reason = "cannot fail, as the message says"
)]
pub fn internal_key(contract: ContractId) -> XOnlyPublicKey {
    let tweak = tagged_hash("tapcourt/internal-key", &[contract.as_bytes()]);
    let tweak = Scalar::from_be_bytes(tweak)
        .expect("a hash exceeds the group order with probability 2^-128");
    let point = secp256k1::XOnlyPublicKey::from_byte_array(NUMS_POINT)
        .expect("BIP-0341's H is on the curve");
    let (key, _) = point
        .add_tweak(&tweak)
        .expect("the sum is infinity only if t is minus the logarithm of H");
    to_bitcoin_x_only(key)
}

/// The `MuSig2` aggregate of the prover's and the challenger's key, in this order.
#[derive(Debug, Clone)]
pub struct AggregateKey {
    cache: KeyAggCache,
    key: XOnlyPublicKey,
}

impl AggregateKey {
    /// Aggregates the two keys as BIP-0327 does.
    pub fn new(prover: PublicKey, challenger: PublicKey) -> Self {
        let cache = KeyAggCache::new(&[&to_musig_key(prover), &to_musig_key(challenger)]);
        Self {
            key: to_bitcoin_x_only(cache.agg_pk()),
            cache,
        }
    }

    /// Returns the key under which the presigned signatures verify.
    pub fn x_only(&self) -> XOnlyPublicKey {
        self.key
    }

    pub(crate) fn cache(&self) -> &KeyAggCache {
        &self.cache
    }
}

/// A party's secret key. Zeroed when dropped.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// Takes a secret key.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidSecret`] for zero or a value beyond the group order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(bytes);
        let mut keypair =
            Keypair::from_secret_bytes(*bytes).map_err(|_| KeyError::InvalidSecret)?;
        keypair.non_secure_erase();
        Ok(Self(bytes))
    }

    /// Returns the public key.
    #[expect(
        clippy::missing_panics_doc,
        reason = "cannot fail, as the message says"
    )]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_slice(&self.keypair().public_key().serialize())
            .expect("both versions share one encoding")
    }

    /// Signs a sighash under the key alone, as BIP-0340 does, without auxiliary randomness.
    pub fn sign(&self, sighash: &[u8; 32]) -> [u8; 64] {
        let mut keypair = self.keypair();
        let signature = keypair.sign_schnorr_no_aux_rand(sighash).to_byte_array();
        keypair.non_secure_erase();
        signature
    }

    pub(crate) fn keypair(&self) -> Keypair {
        Keypair::from_secret_bytes(*self.0).expect("checked when the key was taken")
    }

    pub(crate) fn secret_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Why a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Zero, or beyond the group order.
    #[error("the secret key is not a number between 1 and the group order")]
    InvalidSecret,
}

pub(crate) fn to_musig_key(key: PublicKey) -> secp256k1::PublicKey {
    secp256k1::PublicKey::from_slice(&key.serialize()).expect("both versions share one encoding")
}

fn to_bitcoin_x_only(key: secp256k1::XOnlyPublicKey) -> XOnlyPublicKey {
    XOnlyPublicKey::from_slice(&key.to_byte_array()).expect("both versions share one encoding")
}

/// Verifies a BIP-0340 signature.
pub fn verify_signature(key: XOnlyPublicKey, sighash: &[u8; 32], signature: &[u8; 64]) -> bool {
    let signature = secp256k1::schnorr::Signature::from_byte_array(*signature);
    secp256k1::XOnlyPublicKey::from_byte_array(key.serialize())
        .is_ok_and(|key| key.verify(sighash, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signing_key(byte: u8) -> SigningKey {
        SigningKey::from_bytes([byte; 32]).unwrap()
    }

    #[test]
    fn internal_keys_differ_between_contracts_and_from_h() {
        let one = internal_key(ContractId::from_bytes([1; 32]));
        let two = internal_key(ContractId::from_bytes([2; 32]));
        assert_ne!(one, two);
        assert_ne!(one.serialize(), NUMS_POINT);
        assert_eq!(one, internal_key(ContractId::from_bytes([1; 32])));
    }

    #[test]
    fn aggregation_depends_on_both_keys_and_on_their_order() {
        let (a, b) = (signing_key(1).public_key(), signing_key(2).public_key());
        let ab = AggregateKey::new(a, b).x_only();
        assert_ne!(ab, AggregateKey::new(b, a).x_only());
        assert_ne!(ab, AggregateKey::new(a, a).x_only());
    }

    #[test]
    fn a_signature_verifies_under_its_key_and_message_only() {
        let key = signing_key(7);
        let signature = key.sign(&[9; 32]);
        let public = key.public_key().x_only_public_key().0;
        assert!(verify_signature(public, &[9; 32], &signature));
        assert!(!verify_signature(public, &[8; 32], &signature));
        assert!(!verify_signature(
            signing_key(8).public_key().x_only_public_key().0,
            &[9; 32],
            &signature
        ));
    }

    #[test]
    fn zero_is_not_a_secret_key() {
        assert_eq!(
            SigningKey::from_bytes([0; 32]).err(),
            Some(KeyError::InvalidSecret)
        );
        assert_eq!(
            SigningKey::from_bytes([0xff; 32]).err(),
            Some(KeyError::InvalidSecret)
        );
    }
}
