//! Why a party could not do what it is to do.

use bitcoin::{Amount, FeeRate, Txid};
use tapcourt_chain::{ChainError, WalletError};
use tapcourt_protocol::TransactionKind;
use tapcourt_prover::{EngineError, ReleaseError, SignerError, StoreError};
use thiserror::Error;

/// Why a party could not look at the chain, or do a duty.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PartyError {
    /// The chain did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// What the chain shows is not what the contract allows.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed, or refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A transaction cannot be finished.
    #[error("{kind}: {error}")]
    Signer {
        /// The transaction.
        kind: TransactionKind,
        /// Why.
        error: SignerError,
    },
    /// The secrets do not give the party's keys.
    #[error("the party's keys: {0}")]
    Keys(String),
    /// The one-time keys do not fit the program.
    #[error(transparent)]
    OneTimeKeys(#[from] ReleaseError),
    /// The wallet cannot pay.
    #[error("the fee of {kind}: {error}")]
    Fee {
        /// What is to be paid for.
        kind: TransactionKind,
        /// Why.
        error: WalletError,
    },
    /// The mempool refuses.
    #[error("{kind}: {error}")]
    Refused {
        /// What was sent.
        kind: TransactionKind,
        /// Why.
        error: ChainError,
    },
    /// The budget is spent.
    #[error(
        "{kind} should pay {wanted} sat/kwu and the mempool takes nothing below {least}, but of the budget of {budget} for fees \
         only {left} are left: raise it with --max-fee"
    )]
    Budget {
        /// What is to be paid for.
        kind: TransactionKind,
        /// What it should pay.
        wanted: FeeRate,
        /// What it must pay at least.
        least: FeeRate,
        /// What the contract's fees may come to.
        budget: Amount,
        /// What is left of that.
        left: Amount,
    },
    /// A claim would open its input in a race that it may lose.
    #[error(
        "{kind} has only {left} blocks left, fewer than {margin}: it is not begun any more, since its input would be public and the \
         claim might still expire"
    )]
    TooLate {
        /// The claim's first transaction.
        kind: TransactionKind,
        /// Blocks in which it could still confirm.
        left: u32,
        /// Blocks that it should have.
        margin: u32,
    },
    /// The chain does not stand still.
    #[error("a block arrived each of the {0} times that the chain was read")]
    Restless(u32),
    /// The node has neither the contract nor what pays for it.
    #[error(
        "the node knows nothing of contract {contract}, neither its transaction nor an unspent coin that it spends: is it a node of the \
         right network, with all blocks?"
    )]
    UnknownContract {
        /// The txid of the contract's own transaction.
        contract: Txid,
    },
    /// What the store has of the outbox does not parse.
    #[error("the outbox in the store does not parse: {0}")]
    Outbox(String),
}
