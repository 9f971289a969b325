//! What a confirmed transaction published: openings and values, recovered from its witness.

use bitcoin::Transaction;
use tapcourt_commitment::Opening;
use thiserror::Error;

use crate::graph::Graph;
use crate::moves::Publication;
use crate::transactions::{PresignedInput, TransactionKind};

/// A value group as it was published.
#[derive(Debug)]
pub struct Published {
    /// The group's number.
    pub group: usize,
    /// Its opening, good for the witness of a disprove leaf.
    pub opening: Opening,
    /// Its value; bit `i` is the group's wire `i`.
    pub value: Vec<bool>,
}

/// The first byte of an annex (BIP-0341).
const ANNEX_TAG: u8 = tapcourt_script::limits::ANNEX_TAG;

/// Recovers what a transaction published, in the order of inputs and scripts.
///
/// Verifies every opening, so its result can be relied on even if the transaction's witness was not checked by a node. The
/// presigned signatures are not looked at.
///
/// # Errors
///
/// When the transaction is none of the contract's, or its witness does not open what its leaves ask for.
pub fn recover_published(
    graph: &Graph,
    transaction: &Transaction,
) -> Result<Vec<Published>, RecoverError> {
    let txid = transaction.compute_txid();
    let presigned = graph
        .presigned()
        .iter()
        .find(|presigned| presigned.txid() == txid);
    let presigned = presigned.ok_or(RecoverError::Foreign { txid })?;
    let mut published = Vec::new();
    for (vin, input) in presigned.inputs.iter().enumerate() {
        recover_input(
            graph,
            presigned.kind,
            vin,
            input,
            transaction,
            &mut published,
        )?;
    }
    Ok(published)
}

fn recover_input(
    graph: &Graph,
    kind: TransactionKind,
    vin: usize,
    input: &PresignedInput,
    transaction: &Transaction,
    published: &mut Vec<Published>,
) -> Result<(), RecoverError> {
    let witness = &transaction.input[vin].witness; // in range: the txid, hence the number of inputs, is the graph's
    let mut items: Vec<Vec<u8>> = witness.iter().map(<[u8]>::to_vec).collect();
    if items.len() >= 2
        && items
            .last()
            .is_some_and(|last| last.first() == Some(&ANNEX_TAG))
    {
        items.pop();
    }
    let _control_block = items.pop();
    if items.pop().as_deref() != Some(input.script.as_bytes()) {
        return Err(RecoverError::OtherLeaf { kind, vin });
    }
    let size = |publication: &Publication| graph.sizes().publication(publication).items;
    let signatures = 1 + usize::from(input.cosigner.is_some());
    let expected = signatures + input.publications.iter().map(size).sum::<usize>();
    if items.len() != expected {
        return Err(RecoverError::ItemCount {
            kind,
            vin,
            got: items.len(),
            expected,
        });
    }
    let keys = &graph.terms().one_time_keys;
    for publication in &input.publications {
        let own = items.split_off(items.len() - size(publication));
        let group = publication.group();
        let malformed = |reason: String| RecoverError::Opening {
            kind,
            group,
            reason,
        };
        let opening = match *publication {
            Publication::Value(group) => keys[group].recover(&own),
            Publication::Choice { group, options } => keys[group].recover_choice(&own, options),
            Publication::Agreement { theirs, own: group } => keys[group]
                .recover_agreement(&keys[theirs], &own)
                .map(|(own, _)| own),
        };
        let opening = opening.map_err(|error| malformed(error.to_string()))?;
        let value = keys[group]
            .verify(&opening)
            .map_err(|error| malformed(error.to_string()))?;
        published.push(Published {
            group,
            opening,
            value,
        });
    }
    Ok(())
}

/// Why nothing can be recovered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// Not a presigned transaction of the contract.
    #[error("transaction {txid} is none of the contract's")]
    Foreign {
        /// Its txid.
        txid: bitcoin::Txid,
    },
    /// The witness spends another leaf, or has no script.
    #[error("input {vin} of {kind} does not spend its leaf")]
    OtherLeaf {
        /// The transaction.
        kind: TransactionKind,
        /// The input.
        vin: usize,
    },
    /// The witness has too many items or too few.
    #[error("input {vin} of {kind} has {got} witness items, its leaf takes {expected}")]
    ItemCount {
        /// The transaction.
        kind: TransactionKind,
        /// The input.
        vin: usize,
        /// How many there are.
        got: usize,
        /// How many the leaf takes.
        expected: usize,
    },
    /// An opening that does not verify.
    #[error("{kind} does not open group {group}: {reason}")]
    Opening {
        /// The transaction.
        kind: TransactionKind,
        /// The group.
        group: usize,
        /// What the commitment says.
        reason: String,
    },
}
