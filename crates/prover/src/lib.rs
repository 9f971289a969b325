//! The engines of both parties, one-time keys and their store.
//!
//! | part | what it is |
//! |---|---|
//! | [`Engine`] | pure: what the chain shows → what to do, and by when |
//! | [`Signer`] | turns a duty into a transaction, with the party's secrets and under the store's guard |
//! | [`OneTimeKeys`] | the one-time keys of a contract, derived from one seed |
//! | [`Store`] | what must survive a crash: spent keys, signing sessions, artefacts, engine state |
//! | [`presign`] | presigning with the store's records in the right order |
//! | [`Disputable`] | what the engines ask of a program |
//! | [`trace`] | a [`Disputable`] for RISC-V programs: what both parties say in a dispute over a trace |
//!
//! **Invariant**: an opening leaves this crate only after the store has it on disk that the key signs this value and no other,
//! and a partial signature only after the store has its session bound to one message.

mod disputable;
pub mod engine;
mod keys;
pub mod presign;
mod signer;
pub mod store;
pub mod trace;

pub use disputable::{Disputable, NotAClaim, Values, Verdict};
pub use engine::{Duty, Engine, EngineError, Event, FeeSource, Needs, Outlook, Phase, State};
pub use keys::{KeyContext, OneTimeKeys, ReleaseError};
pub use signer::{Signer, SignerError};
pub use store::{Artefact, KeyId, MessageHash, Spent, Store, StoreError};
