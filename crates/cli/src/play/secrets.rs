//! A party's secrets, all derived from 32 bytes.

use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::SecretKey;
use rand::RngCore;
use tapcourt_chain::Wallet;
use tapcourt_commitment::Seed;
use tapcourt_protocol::SigningKey;
use tapcourt_prover::{KeyContext, OneTimeKeys};
use tapcourt_verifier::Program;
use zeroize::Zeroizing;

use crate::error::{CliError, CliResult};

/// The root of a party's secrets. Zeroed when dropped.
pub(crate) struct Secrets(Zeroizing<[u8; 32]>);

impl Secrets {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the hexadecimal form of [`Secrets::to_hex`].
    pub(crate) fn from_hex(text: &str) -> CliResult<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *bytes)
            .map_err(|_| CliError::new("a seed is 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }

    pub(crate) fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(*self.0))
    }

    /// The key that signs the contract's transactions.
    pub(crate) fn signing_key(&self) -> CliResult<SigningKey> {
        Ok(SigningKey::from_bytes(*self.derive("signing-key"))?)
    }

    /// The key whose coins fund the contract and pay fees, and to which it pays out.
    pub(crate) fn wallet(&self) -> CliResult<Wallet> {
        let mut key = SecretKey::from_slice(&*self.derive("wallet"))?;
        let wallet = Wallet::new(&key);
        key.non_secure_erase();
        Ok(wallet)
    }

    /// The one-time keys of a party's groups.
    pub(crate) fn one_time_keys(
        &self,
        program: &Program,
        context: KeyContext,
    ) -> CliResult<OneTimeKeys> {
        let groups = program.groups_of(context.role);
        let shapes = groups.map(|(group, info)| (group, (info.label.clone(), info.shape.clone())));
        let seed = Seed::new(*self.derive("one-time-keys"));
        Ok(OneTimeKeys::new(seed, context, shapes.collect())?)
    }

    /// A hash of the root and a label, tagged as in BIP-0340.
    fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let tag = sha256::Hash::hash(b"tapcourt/secrets/1");
        let mut engine = sha256::Hash::engine();
        engine.input(tag.as_byte_array());
        engine.input(tag.as_byte_array());
        engine.input(&*self.0);
        engine.input(label.as_bytes());
        Zeroizing::new(sha256::Hash::from_engine(engine).to_byte_array())
    }
}

/// 32 bytes from the operating system's generator.
pub(crate) fn fresh() -> CliResult<[u8; 32]> {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_root_differ() {
        let secrets = Secrets::from_bytes([7; 32]);
        let signing = secrets.signing_key().ok().unwrap().public_key();
        let wallet = secrets.wallet().ok().unwrap().public_key();
        assert_ne!(signing.x_only_public_key().0, wallet);
        assert_ne!(
            *secrets.derive("wallet"),
            *Secrets::from_bytes([8; 32]).derive("wallet")
        );
    }

    #[test]
    fn seeds_are_read_as_they_are_written() {
        let secrets = Secrets::from_bytes([7; 32]);
        let again = Secrets::from_hex(&secrets.to_hex()).ok().unwrap();
        assert_eq!(*again.0, [7; 32]);
        for wrong in ["", "00", "zz", &"0".repeat(63), &"0".repeat(66)] {
            assert!(Secrets::from_hex(wrong).is_err(), "{wrong:?}");
        }
    }
}
