//! Setups, transactions and transcripts: honest ones are accepted, and everything else is refused by name.

mod circuits;
mod machine;
mod mutations;
mod parties;
mod quote;
mod said;
mod setup;
mod trace_setup;
mod trace_transcript;
mod traces;
mod transcript;
