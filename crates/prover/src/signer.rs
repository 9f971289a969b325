//! From a duty to a transaction: the one place where an engine's plan meets the party's secrets.

use std::collections::BTreeMap;

use bitcoin::{FeeRate, Transaction};
use tapcourt_commitment::Opening;
use tapcourt_protocol::presign::FinaliseError;
use tapcourt_protocol::transactions::disprove::{Disprove, DisproveError};
use tapcourt_protocol::{DisproveLeaves, Graph, PresignedGraph, SigningKey, TransactionKind};
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
    pub leaves: DisproveLeaves<'a>,
    /// The party's key.
    pub key: &'a SigningKey,
    /// The party's one-time keys and the store that guards them, if it has any.
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
                let published = state.published(self.graph)?;
                keys.observe(store, &published)?;
                // A choice that is repeated is opened as the other party has opened it.
                let mut openings: BTreeMap<usize, Opening> = published
                    .into_iter()
                    .map(|published| (published.group, published.opening))
                    .collect();
                openings.extend(keys.release(store, values)?);
                finalise(openings, None)
            }
            Needs::Leaf { leaf, witness } => {
                let TransactionKind::Disprove(stage) = duty.kind else {
                    return Err(SignerError::NotADisprove { kind: duty.kind });
                };
                let leaves = self.leaves.stage(stage);
                let leaves = leaves.ok_or(DisproveError::NoSuchStage { stage })?;
                let witness = witness.clone();
                let disprove = Disprove::new(self.graph, stage, leaves, *leaf, witness, feerate)?;
                Ok(disprove.sign(self.key))
            }
        }
    }
}

/// Why a transaction cannot be finished.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The party's one-time keys are needed.
    #[error("the duty publishes values, and the one-time keys are not here")]
    NoOneTimeKeys,
    /// A leaf in another transaction than a disprove.
    #[error("{kind} spends no leaf")]
    NotADisprove {
        /// The transaction.
        kind: TransactionKind,
    },
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
