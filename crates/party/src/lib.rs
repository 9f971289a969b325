//! A party of contracts: everything between what the chain shows and what is broadcast.
//!
//! [`Driver`] is one party of one contract. It tells the engine what the chain shows, finishes what the engine wants done, and pays
//! for it: more as the deadline comes nearer ([`fees`]), within a budget, and again whenever what pays for it has dropped out of
//! the mempool. [`Desk`] is a party that is watched over many blocks, whatever fails; [`find_start`] finds from which block on.
//!
//! **Invariant**: nothing outside this crate and the engine decides when something is broadcast. There is no clock and no
//! thread here, and no I/O but through [`Link`](tapcourt_chain::Link) and the store.

mod desk;
mod driver;
mod error;
pub mod fees;
mod outbox;
mod start;

pub use desk::{Desk, FINAL_BLOCKS, Round};
pub use driver::{Deed, Driver, KICKOFF_MARGIN_BLOCKS, Seat, Sent, Step, Unfunded};
pub use error::PartyError;
pub use fees::FeePolicy;
pub use outbox::{Entry, Outbox};
pub use start::find_start;
