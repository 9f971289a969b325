//! The finished signatures, and the transactions they complete.

use std::collections::BTreeMap;

use bitcoin::{Transaction, Witness};
use tapcourt_commitment::{Opening, PublicKey as OneTimeKey};
use thiserror::Error;

use super::PresignError;
use crate::graph::Graph;
use crate::keys::{SigningKey, verify_signature};
use crate::messages::Signatures;
use crate::moves::Publication;
use crate::role::Role;
use crate::terms::ContractId;
use crate::transactions::{Presigned, PresignedInput, TransactionKind};

/// One verified 64-byte signature for each slot of a graph. Both parties end up with the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedGraph {
    id: ContractId,
    signatures: Vec<[u8; 64]>,
}

impl PresignedGraph {
    /// Takes signatures, one for each of [`Graph::slots`], and verifies them all.
    ///
    /// # Errors
    ///
    /// The first that does not verify, or a wrong count.
    pub fn new(graph: &Graph, signatures: Vec<[u8; 64]>) -> Result<Self, PresignError> {
        let slots = graph.slots();
        if signatures.len() != slots.len() {
            return Err(PresignError::Count {
                what: "signatures",
                got: signatures.len(),
                expected: slots.len(),
            });
        }
        let key = graph.aggregate_key().x_only();
        let invalid = slots
            .iter()
            .zip(&signatures)
            .find(|(slot, signature)| !verify_signature(key, &slot.sighash, signature));
        match invalid {
            Some((slot, _)) => Err(PresignError::Invalid {
                transaction: slot.transaction,
                vin: slot.vin,
            }),
            None => Ok(Self {
                id: graph.id(),
                signatures,
            }),
        }
    }

    /// Verifies signatures from a file.
    ///
    /// # Errors
    ///
    /// As [`PresignedGraph::new`], or when the file is another contract's.
    pub fn from_message(
        graph: &Graph,
        id: [u8; 32],
        message: &Signatures,
    ) -> Result<Self, PresignError> {
        let got = ContractId::from_bytes(id);
        if got != graph.id() {
            return Err(PresignError::OtherContract {
                got,
                expected: graph.id(),
            });
        }
        Self::new(graph, message.signatures.iter().copied().collect())
    }

    /// Returns the signatures as a message.
    pub fn to_message(&self) -> Signatures {
        Signatures {
            signatures: self.signatures.iter().copied().collect(),
        }
    }

    /// Returns the contract id.
    pub fn id(&self) -> ContractId {
        self.id
    }

    /// Returns the signatures, one for each of [`Graph::slots`].
    pub fn signatures(&self) -> &[[u8; 64]] {
        &self.signatures
    }

    /// Finishes a transaction that publishes nothing and needs no further signature: a payout, a timeout, the expiry.
    ///
    /// # Errors
    ///
    /// When the transaction needs more.
    pub fn finalise(
        &self,
        graph: &Graph,
        kind: TransactionKind,
    ) -> Result<Transaction, FinaliseError> {
        self.finalise_with(graph, kind, &BTreeMap::new(), None)
    }

    /// Finishes a transaction. `openings` are by group number, those of choices that it repeats included, and may be more than it
    /// needs; `cosigner` is the key of the party whose own signature it needs.
    ///
    /// # Errors
    ///
    /// When something is missing, or belongs to another contract. Of openings only the shape is checked.
    pub fn finalise_with(
        &self,
        graph: &Graph,
        kind: TransactionKind,
        openings: &BTreeMap<usize, Opening>,
        cosigner: Option<&SigningKey>,
    ) -> Result<Transaction, FinaliseError> {
        if graph.id() != self.id {
            return Err(FinaliseError::OtherContract {
                got: graph.id(),
                expected: self.id,
            });
        }
        let presigned = graph
            .transaction(kind)
            .ok_or(FinaliseError::NoSuchTransaction { kind })?;
        let first = graph
            .slots()
            .iter()
            .position(|slot| slot.transaction == kind)
            .unwrap_or_default();
        let mut transaction = presigned.transaction.clone();
        for (vin, input) in presigned.inputs.iter().enumerate() {
            let mut items = vec![self.signatures[first + vin].to_vec()];
            if let Some(role) = input.cosigner {
                items.push(cosign(
                    graph,
                    presigned,
                    role,
                    cosigner,
                    &graph.slots()[first + vin].sighash,
                )?);
            }
            let keys = &graph.terms().one_time_keys;
            items.extend(opening_items(keys, presigned, input, openings)?);
            transaction.input[vin].witness = leaf_witness(&items, input);
        }
        Ok(transaction)
    }
}

/// A presigned transaction with these openings, its signatures all zeros.
pub(crate) fn transaction_without_signatures(
    graph: &Graph,
    kind: TransactionKind,
    openings: &BTreeMap<usize, Opening>,
) -> Result<Transaction, FinaliseError> {
    let presigned = graph
        .transaction(kind)
        .ok_or(FinaliseError::NoSuchTransaction { kind })?;
    let mut transaction = presigned.transaction.clone();
    for (vin, input) in presigned.inputs.iter().enumerate() {
        let signatures = 1 + usize::from(input.cosigner.is_some());
        let mut items = vec![vec![0; 64]; signatures];
        let keys = &graph.terms().one_time_keys;
        items.extend(opening_items(keys, presigned, input, openings)?);
        transaction.input[vin].witness = leaf_witness(&items, input);
    }
    Ok(transaction)
}

/// The items of an input's publications: the last one's at the bottom, since the script consumes from the top.
fn opening_items(
    keys: &[OneTimeKey],
    presigned: &Presigned,
    input: &PresignedInput,
    openings: &BTreeMap<usize, Opening>,
) -> Result<Vec<Vec<u8>>, FinaliseError> {
    let mut items = Vec::new();
    let kind = presigned.kind;
    let opening = |group: usize| {
        let opening = openings.get(&group);
        let opening = opening.ok_or(FinaliseError::NoOpening { kind, group })?;
        if opening.parameters() == keys[group].parameters() {
            Ok(opening)
        } else {
            Err(FinaliseError::OtherShape { kind, group })
        }
    };
    for publication in input.publications.iter().rev() {
        items.extend(match *publication {
            Publication::Value(group) => opening(group)?.witness_for_publish(),
            Publication::Choice { group, options } => opening(group)?.witness_for_choice(options),
            Publication::Agreement { theirs, own } => {
                let (theirs, repeated) = (opening(theirs)?, opening(own)?);
                if theirs.message() != repeated.message() {
                    return Err(FinaliseError::Disagreement { kind, group: own });
                }
                repeated.witness_for_agreement(theirs)
            }
        });
    }
    Ok(items)
}

fn cosign(
    graph: &Graph,
    presigned: &Presigned,
    role: Role,
    key: Option<&SigningKey>,
    sighash: &[u8; 32],
) -> Result<Vec<u8>, FinaliseError> {
    let key = key.filter(|key| key.public_key() == graph.terms().party(role).key);
    let key = key.ok_or(FinaliseError::NoCosigner {
        kind: presigned.kind,
        role,
    })?;
    Ok(key.sign(sighash).to_vec())
}

fn leaf_witness(items: &[Vec<u8>], input: &PresignedInput) -> Witness {
    let mut witness = Witness::from_slice(items);
    witness.push(input.script.as_bytes());
    witness.push(input.control_block.serialize());
    witness
}

/// Why a transaction cannot be finished.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FinaliseError {
    /// The graph is another contract's.
    #[error("the graph is of contract {got}, the signatures of {expected}")]
    OtherContract {
        /// The graph's.
        got: ContractId,
        /// The signatures'.
        expected: ContractId,
    },
    /// The graph has no such presigned transaction.
    #[error("the contract has no presigned {kind}")]
    NoSuchTransaction {
        /// Which.
        kind: TransactionKind,
    },
    /// An opening is missing.
    #[error("{kind} publishes group {group}, which has no opening")]
    NoOpening {
        /// The transaction.
        kind: TransactionKind,
        /// The group.
        group: usize,
    },
    /// An opening under a key of another shape than the group's.
    #[error("{kind} takes group {group}, whose opening is of another shape")]
    OtherShape {
        /// The transaction.
        kind: TransactionKind,
        /// The group.
        group: usize,
    },
    /// A choice is repeated as another one.
    #[error("{kind} repeats a choice in group {group}, with another value")]
    Disagreement {
        /// The transaction.
        kind: TransactionKind,
        /// The group that repeats it.
        group: usize,
    },
    /// A party's own signature is needed.
    #[error("{kind} needs the {role}'s own signature")]
    NoCosigner {
        /// The transaction.
        kind: TransactionKind,
        /// Whose.
        role: Role,
    },
}
