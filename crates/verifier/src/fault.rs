//! Refusals, and the part they are about.

use std::fmt;

use bitcoin::{Amount, Txid};
use tapcourt_protocol::{RecoverError, TransactionKind};
use tapcourt_script::interpreter::SpendError;
use thiserror::Error;

/// A part of a setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The netlist, and what the contract accepts of its outputs.
    Program,
    /// The prover's offer.
    Offer,
    /// The one-time keys in the offer.
    OneTimeKeys,
    /// The arrangement of groups in transactions.
    Layout,
    /// The challenger's acceptance.
    Acceptance,
    /// The transactions that follow from offer and acceptance.
    Graph,
    /// The prover's nonces and partial signatures.
    ProverPartials,
    /// The challenger's partial signatures.
    ChallengerPartials,
    /// The finished signatures.
    Signatures,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "program",
            Self::Offer => "offer",
            Self::OneTimeKeys => "one-time keys",
            Self::Layout => "layout",
            Self::Acceptance => "acceptance",
            Self::Graph => "graph",
            Self::ProverPartials => "prover's answer",
            Self::ChallengerPartials => "challenger's answer",
            Self::Signatures => "signatures",
        })
    }
}

/// Why a setup is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{part}: {reason}")]
pub struct SetupFault {
    /// The part that is wrong.
    pub part: Part,
    /// What is wrong with it.
    pub reason: String,
}

impl SetupFault {
    pub(crate) fn new(part: Part, reason: impl fmt::Display) -> Self {
        Self {
            part,
            reason: reason.to_string(),
        }
    }

    /// For `map_err`.
    pub(crate) fn of<E: fmt::Display>(part: Part) -> impl Fn(E) -> Self {
        move |error| Self::new(part, error)
    }
}

/// Why a transaction is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransactionFault {
    /// Not a transaction of this contract.
    #[error("transaction {txid} is none of the contract's")]
    Foreign {
        /// Its txid.
        txid: Txid,
    },
    /// A spend of the outcome along with other coins, whose scripts are not known here.
    #[error("the disprove transaction {txid} has {inputs} inputs, of which one is the contract's")]
    OtherInputs {
        /// Its txid.
        txid: Txid,
        /// How many inputs it has.
        inputs: usize,
    },
    /// A spend of the outcome without outputs, or with more in them than it spends.
    #[error(
        "the disprove transaction {txid} pays out more than the {available} it spends, or nothing"
    )]
    Outputs {
        /// Its txid.
        txid: Txid,
        /// What it spends.
        available: Amount,
    },
    /// A witness that consensus refuses.
    #[error("input {vin} of {kind}: {error}")]
    Witness {
        /// The transaction.
        kind: TransactionKind,
        /// The input.
        vin: usize,
        /// What the interpreter says.
        error: Box<SpendError>,
    },
    /// Openings that do not verify.
    #[error(transparent)]
    Openings(#[from] RecoverError),
    /// A disprove by a leaf that is not the contract's.
    #[error("the script that spends the outcome is no disprove leaf")]
    NoLeaf,
}

/// Why a list of transactions is no transcript of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TranscriptFault {
    /// A transaction that is wrong in itself.
    #[error("transaction {index}: {fault}")]
    Transaction {
        /// Its place in the list.
        index: usize,
        /// What is wrong.
        fault: TransactionFault,
    },
    /// A transaction that spends what is not there.
    #[error(
        "transaction {index}, {kind}, spends an output of {source_kind} that is not there or is spent"
    )]
    Spends {
        /// Its place in the list.
        index: usize,
        /// The transaction.
        kind: TransactionKind,
        /// The transaction whose output it spends.
        source_kind: TransactionKind,
    },
    /// A transaction that is none of the contract's, and spends an output which only the contract's
    /// can spend.
    #[error(
        "transaction {index}, {txid}, is none of the contract's, but spends an output of its {source_kind}"
    )]
    SpendsConnector {
        /// Its place in the list.
        index: usize,
        /// Its txid.
        txid: Txid,
        /// The transaction whose output it spends.
        source_kind: TransactionKind,
    },
    /// Transactions none of which is the contract's.
    #[error("none of these {transactions} transactions is the contract's")]
    NoneOfTheContract {
        /// How many there are.
        transactions: usize,
    },
    /// One transaction twice.
    #[error("transaction {index}, {kind}, is there twice")]
    Twice {
        /// Its second place in the list.
        index: usize,
        /// The transaction.
        kind: TransactionKind,
    },
}

impl TranscriptFault {
    /// The same fault, of a list in which the transactions have these places.
    pub(crate) fn with_places(mut self, places: &[usize]) -> Self {
        match &mut self {
            Self::Transaction { index, .. }
            | Self::Spends { index, .. }
            | Self::SpendsConnector { index, .. }
            | Self::Twice { index, .. } => *index = places[*index],
            Self::NoneOfTheContract { .. } => {}
        }
        self
    }
}
