//! Stateless checks of setups, transactions and transcripts.
