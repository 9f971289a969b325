//! Connectors, transactions, presigning and sizes of a dispute. Sans-IO: nothing here reads a clock, a file or a network.
//!
//! A contract is a fixed graph of transactions. Two parties agree on [`Terms`], each builds the same [`Graph`] from them and
//! from the disprove leaves, and they presign all of it by [`messages`] before either puts a coin in:
//!
//! ```text
//! contract ─► kickoff ─(Δ, nobody objects)─► payout
//!    │           │ challenge
//!    │           ▼
//!    │        assert_1 ─► select_1 ─► … ─► assert_m ─► disprove (any leaf), or open ─► open_assert_1 ─► … ─► open_disprove
//!    │           │ each: after Δ               │ after Δ                            each: after Δ
//!    ▼           ▼                             ▼
//!  expire     its timeout                   payout_disputed
//! ```
//!
//! A one-shot dispute has asserts only and no opening. A search has rounds: the prover asserts, the challenger selects, and the next
//! assert repeats what was selected under a key of the prover's own.
//!
//! This crate never sees a program: it knows one-time public keys, arranged in moves ([`moves`]), and leaves, given as a
//! [`LeafSource`](tapcourt_script::taptree::LeafSource).

pub mod connectors;
pub mod cost;
pub mod graph;
mod hash;
pub mod keys;
pub mod lint;
pub mod messages;
pub mod moves;
pub mod parameters;
pub mod presign;
pub mod recover;
pub mod role;
pub mod size;
pub mod terms;
pub mod transactions;
mod wiring;

#[cfg(test)]
mod tests;

pub use cost::{Bill, Costs, DisproveSize, Ending, Line, PlaceholderLeaves, Witnesses};
pub use graph::{DisproveLeaves, Graph, GraphError, Slot};
pub use keys::{AggregateKey, SigningKey};
pub use lint::{Finding, lint};
pub use moves::{
    Batch, Layout, LayoutError, Move, PackLimits, Publication, Turn, pack_batches, pack_turns,
};
pub use parameters::{ExpiryPolicy, Parameters, ParametersError, RelativeBlocks};
pub use presign::{
    ChallengerSession, FinaliseError, PresignError, PresignedGraph, SessionSecret, complete,
    prover_sign, verify_partials,
};
pub use recover::{Published, RecoverError, recover_published};
pub use role::Role;
pub use terms::{ContractId, FundingInput, InstanceId, Party, Terms, TermsError};
pub use transactions::{OutputKind, OutputRef, Stage, TransactionKind};
