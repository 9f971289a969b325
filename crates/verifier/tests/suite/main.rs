//! Setups, transactions and transcripts: honest ones are accepted, and everything else is refused by name.

mod parties;
mod setup;
mod transcript;
