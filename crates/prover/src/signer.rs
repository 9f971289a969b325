//! From a duty to a transaction: the one place where an engine's plan meets the party's secrets.

use std::collections::BTreeMap;

use bitcoin::{FeeRate, Transaction};
use tapcourt_protocol::presign::FinaliseError;
use tapcourt_protocol::transactions::disprove::{Disprove, DisproveError};
use tapcourt_protocol::{Graph, PresignedGraph, SigningKey};
use tapcourt_script::taptree::LeafSource;
use thiserror::Error;

use crate::engine::{Duty, EngineError, Needs, State};
use crate::keys::{OneTimeKeys, ReleaseError};
use crate::store::Store;

/// A party's secrets for one contract.
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Signer<'a> {
    /// The contract.
    pub graph: &'a Graph,
    /// Its presigned signatures.
    pub presigned: &'a PresignedGraph,
    /// Its disprove leaves.
    pub leaves: &'a dyn LeafSource,
    /// The party's key.
    pub key: &'a SigningKey,
    /// The prover's one-time keys and the store that guards them.
    pub one_time_keys: Option<(&'a OneTimeKeys, &'a Store)>,
}

impl Signer<'_> {
    /// Finishes the transaction of a duty. `state` is the engine's: what it shows to be published is entered in the store
    /// before anything else is opened. `feerate` is for a transaction that pays its own fee.
    ///
    /// # Errors
    ///
    /// When a one-time key has signed another value, or a secret is not there.
    pub fn finish(
        &self,
        state: &State,
        duty: &Duty,
        feerate: Option<FeeRate>,
    ) -> Result<Transaction, SignerError> {
        let finalise = |openings, cosigner| {
            Ok(self
                .presigned
                .finalise_with(self.graph, duty.kind, &openings, cosigner)?)
        };
        match &duty.needs {
            Needs::Rebroadcast(transaction) => Ok(transaction.clone()),
            Needs::Nothing => finalise(BTreeMap::new(), None),
            Needs::Cosignature => finalise(BTreeMap::new(), Some(self.key)),
            Needs::Openings(values) => {
                let (keys, store) = self.one_time_keys.ok_or(SignerError::NoOneTimeKeys)?;
                keys.observe(store, &state.published(self.graph)?)?;
                finalise(keys.release(store, values)?, None)
            }
            Needs::Leaf { leaf, witness } => {
                let disprove =
                    Disprove::new(self.graph, self.leaves, *leaf, witness.clone(), feerate)?;
                Ok(disprove.sign(self.key))
            }
        }
    }
}

/// Why a transaction cannot be finished.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The prover's keys are needed.
    #[error("the duty publishes values, and the one-time keys are not here")]
    NoOneTimeKeys,
    /// See [`ReleaseError`].
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// See [`EngineError`].
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// See [`FinaliseError`].
    #[error(transparent)]
    Finalise(#[from] FinaliseError),
    /// See [`DisproveError`].
    #[error(transparent)]
    Disprove(#[from] DisproveError),
}
