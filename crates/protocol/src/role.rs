//! The two parties of a contract.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A party of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// The party that claims an execution and commits to it.
    Prover,
    /// The party that executes again and disputes.
    Challenger,
}

impl Role {
    /// Returns the other party.
    pub fn other(self) -> Self {
        match self {
            Self::Prover => Self::Challenger,
            Self::Challenger => Self::Prover,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prover => "prover",
            Self::Challenger => "challenger",
        })
    }
}
