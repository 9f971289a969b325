//! Stateless checks of setups, transactions and transcripts.
//!
//! Everything is recomputed from public data: the program, and the messages that the parties have sent each other. No secret is
//! needed, and no engine or store.
//!
//! 1. [`Program`] is a compiled circuit or RISC-V program, with who publishes what and when.
//! 2. [`Program::verify_offer`] says whether a prover's offer fits it, before anybody signs.
//! 3. [`Program::verify_setup`] rebuilds the whole graph from offer and acceptance, lints it, and verifies every presigned
//!    signature. Its result is a [`Contract`].
//! 4. [`Contract::verify_transaction`] and [`Contract::verify_transcript`] judge what is on the chain.
//!
//! **Invariant**: no bytes make this crate panic; a refusal names the part that is wrong.

mod fault;
mod judge;
mod program;
mod quote;
mod setup;
mod transaction;
mod transcript;

pub use fault::{Part, SetupFault, TransactionFault, TranscriptFault};
pub use program::{GroupInfo, Leaves, Program, Source};
pub use quote::Quote;
pub use setup::{Contract, Messages, SetupReport, verify_presigning};
pub use transaction::{FiredLeaf, PublishedValue, TransactionReport};
pub use transcript::{Claim, PassedOver, Relation, TranscriptReport};
