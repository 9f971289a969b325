//! Presigning: both parties sign every input of every presigned transaction with `MuSig2` (BIP-0327), by messages.
//!
//! 1. The prover sends an [`Offer`](crate::messages::Offer).
//! 2. The challenger builds the graph, opens a [`ChallengerSession`], sends an [`Acceptance`](crate::messages::Acceptance) with
//!    its public nonces.
//! 3. The prover builds the same graph, answers with its nonces and partial signatures: [`prover_sign`].
//! 4. The challenger completes and verifies every signature, and sends its partial signatures: [`ChallengerSession::sign`].
//! 5. The prover completes and verifies every signature: [`complete`].
//!
//! Only then does either sign for its coins in the contract.
//!
//! # Nonces
//!
//! Signing two messages, or one message under two aggregate nonces, with one secret nonce reveals the secret key.
//!
//! - The prover's nonces are derived from its session secret *and the whole acceptance*, so another acceptance makes other
//!   nonces and repeating the call repeats the answer: it needs no state.
//! - The challenger's nonces are out before it sees the prover's. Its session is consumed by signing, but a program that
//!   restarts can open it again from the same secret: the store must record the prover's message (or its hash) durably
//!   *before* the answer to it is released, and refuse any other for this session.

mod nonce;
mod session;
mod signatures;

use thiserror::Error;

pub use nonce::SessionSecret;
pub use session::{ChallengerSession, complete, prover_sign, verify_partials};
pub(crate) use signatures::transaction_without_signatures;
pub use signatures::{FinaliseError, PresignedGraph};

use crate::role::Role;
use crate::terms::ContractId;
use crate::transactions::TransactionKind;

/// Why presigning fails.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PresignError {
    /// The key is not the party's.
    #[error("the signing key is not the {role}'s of this contract")]
    WrongKey {
        /// Whose it should be.
        role: Role,
    },
    /// The message belongs to another contract.
    #[error("the message is about contract {got}, not {expected}")]
    OtherContract {
        /// What the message says.
        got: ContractId,
        /// The graph's.
        expected: ContractId,
    },
    /// The parties' terms differ.
    #[error("the acceptance's challenger, or a one-time key of it, is not the one in the terms")]
    OtherChallenger,
    /// A list that does not have one entry for each signature.
    #[error("{got} {what} for {expected} signatures")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Bytes that are no point or no scalar.
    #[error("the {role}'s {what} for input {vin} of {transaction} is malformed")]
    Malformed {
        /// Whose.
        role: Role,
        /// A nonce or a partial signature.
        what: &'static str,
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
    },
    /// A partial signature that is not its party's: for another key, nonce or message.
    #[error("the {role}'s partial signature for input {vin} of {transaction} does not verify")]
    Partial {
        /// Whose.
        role: Role,
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
    },
    /// The aggregate signature does not verify: a nonce, a partial signature, or the other party's graph is not what it should be.
    #[error("the signature for input {vin} of {transaction} does not verify")]
    Invalid {
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
    },
}
