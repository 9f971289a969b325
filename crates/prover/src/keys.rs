//! One-time keys of a contract, derived from one seed, and their release under the guard.

use std::collections::BTreeMap;

use tapcourt_commitment::{KeyPath, Opening, Parameters as Shape, PublicKey, SecretKey, Seed};
use tapcourt_protocol::messages::Offer;
use tapcourt_protocol::{InstanceId, Published, Role};
use thiserror::Error;

use crate::store::{KeyId, MessageHash, Store, StoreError};

/// What a party's one-time keys derive from besides its seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyContext {
    /// Whose keys.
    pub role: Role,
    /// The instance of the program.
    pub instance: InstanceId,
    /// What no other contract of this party has: for the prover the instance, which it draws itself, for the challenger
    /// [`Offer::digest`](tapcourt_protocol::messages::Offer::digest), since the instance is the other party's to choose.
    pub context: [u8; 32],
}

impl KeyContext {
    /// The context of a prover's keys.
    pub fn prover(instance: InstanceId) -> Self {
        Self {
            role: Role::Prover,
            instance,
            context: instance.to_bytes(),
        }
    }

    /// The context of the keys of a challenger that accepts an offer.
    pub fn challenger(offer: &Offer) -> Self {
        Self {
            role: Role::Challenger,
            instance: offer.instance,
            context: offer.digest(),
        }
    }
}

/// The one-time keys of all value groups of one party in one contract.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct OneTimeKeys {
    seed: Seed,
    context: KeyContext,
    groups: BTreeMap<usize, (String, Shape)>,
}

impl OneTimeKeys {
    /// Takes the seed and, by group number, label and shape of every group of the party. Labels must differ.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::LabelTwice`] if two groups have one label, hence one key.
    pub fn new(
        seed: Seed,
        context: KeyContext,
        groups: BTreeMap<usize, (String, Shape)>,
    ) -> Result<Self, ReleaseError> {
        let mut labels: Vec<&String> = groups.values().map(|(label, _)| label).collect();
        labels.sort_unstable();
        match labels.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ReleaseError::LabelTwice {
                label: pair[0].clone(),
            }),
            None => Ok(Self {
                seed,
                context,
                groups,
            }),
        }
    }

    /// Computes the public keys of the party's groups, by group number.
    pub fn public_keys(&self) -> Vec<PublicKey> {
        self.groups
            .values()
            .map(|(label, shape)| self.derive(label, shape).public_key())
            .collect()
    }

    /// Opens groups to values, after the store has it on disk that these keys sign these values.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeySpent`] if a key has signed another value: then nothing is opened. Also when a group does not exist or
    /// a value does not have its number of bits.
    pub fn release(
        &self,
        store: &Store,
        values: &BTreeMap<usize, Vec<bool>>,
    ) -> Result<BTreeMap<usize, Opening>, ReleaseError> {
        let mut entries = Vec::with_capacity(values.len());
        for (&group, value) in values {
            let (_, shape) = self.group(group)?;
            if value.len() != shape.message_bits() {
                return Err(ReleaseError::Bits {
                    group,
                    got: value.len(),
                    expected: shape.message_bits(),
                });
            }
            entries.push((self.key_id(group)?, MessageHash::of(value)));
        }
        store.spend_keys(&entries)?;
        let open = |(&group, value): (&usize, &Vec<bool>)| {
            let (label, shape) = self.group(group)?;
            Ok((group, self.derive(label, shape).sign(value)))
        };
        values.iter().map(open).collect()
    }

    /// Enters in the store what the chain shows to be signed by this party, for a store that was restored from an old copy.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeySpent`] if the store knows another value than the chain shows: both may be public then, and this
    /// contract's values can no longer be relied on.
    pub fn observe(&self, store: &Store, published: &[Published]) -> Result<(), ReleaseError> {
        let entry = |published: &Published| {
            Ok((
                self.key_id(published.group)?,
                MessageHash::of(&published.value),
            ))
        };
        let own = published
            .iter()
            .filter(|published| self.groups.contains_key(&published.group));
        let entries = own.map(entry).collect::<Result<Vec<_>, ReleaseError>>()?;
        store.spend_keys(&entries)?;
        Ok(())
    }

    /// Returns the name of a group's key.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::NotOwned`].
    pub fn key_id(&self, group: usize) -> Result<KeyId, ReleaseError> {
        let (label, _) = self.group(group)?;
        Ok(KeyId {
            instance: self.context.instance,
            role: self.context.role,
            label: label.clone(),
        })
    }

    fn group(&self, group: usize) -> Result<&(String, Shape), ReleaseError> {
        let role = self.context.role;
        self.groups
            .get(&group)
            .ok_or(ReleaseError::NotOwned { group, role })
    }

    fn derive(&self, label: &str, shape: &Shape) -> SecretKey {
        let path = KeyPath {
            contract: self.context.context,
            role: match self.context.role {
                Role::Prover => "prover",
                Role::Challenger => "challenger",
            },
            label,
        };
        SecretKey::derive(&self.seed, &path, shape)
    }
}

/// Why openings are not released.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// Two groups would have one key.
    #[error("two groups have the label {label}")]
    LabelTwice {
        /// The label.
        label: String,
    },
    /// A number that is no group of this party.
    #[error("group {group} is not the {role}'s")]
    NotOwned {
        /// The group.
        group: usize,
        /// Whose keys these are.
        role: Role,
    },
    /// A value that the key cannot sign.
    #[error("group {group} has a value of {got} bits, its key signs {expected}")]
    Bits {
        /// The group.
        group: usize,
        /// The value's bits.
        got: usize,
        /// The key's.
        expected: usize,
    },
    /// The guard's refusal, or the store's failure.
    #[error(transparent)]
    Store(#[from] StoreError),
}
