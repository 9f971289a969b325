//! Duties: what a party must do, and by when.

use std::collections::BTreeMap;
use std::fmt;

use bitcoin::Transaction;
use tapcourt_protocol::TransactionKind;

use super::Phase;

/// What the contract asks of a party at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Where the contract is.
    pub phase: Phase,
    /// The height of the last block that the engine has seen.
    pub tip: Option<u32>,
    /// What is to be broadcast now, and again whenever it drops out of the mempool.
    pub duties: Vec<Duty>,
    /// The height of the block after which a duty arises, if nothing else happens until then.
    pub wake: Option<u32>,
}

/// A transaction that must confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Which.
    pub kind: TransactionKind,
    /// What it takes to finish it.
    pub needs: Needs,
    /// The last height at which it can confirm without a race: from the next block on, the other party's
    /// [`Duty::rival`] can. Without a deadline: the sooner the better.
    pub deadline: Option<u32>,
    /// The transaction that wins if this one is late.
    pub rival: Option<TransactionKind>,
    /// Who pays its fee.
    pub fee: FeeSource,
}

impl Duty {
    /// Counts the blocks in which the transaction can still confirm without a race, the next one included.
    pub fn blocks_left(&self, tip: u32) -> Option<u32> {
        self.deadline.map(|deadline| deadline.saturating_sub(tip))
    }
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Needs::Leaf { leaf, .. } = self.needs {
            write!(f, " by leaf {leaf}")?;
        }
        match (self.deadline, self.rival) {
            (Some(deadline), Some(rival)) => write!(f, " by height {deadline}, before {rival}"),
            _ => Ok(()),
        }
    }
}

/// What it takes to finish a transaction besides the presigned signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The transaction as it was before a reorganisation.
    Rebroadcast(Transaction),
    /// Openings of these groups to these values.
    Openings(BTreeMap<usize, Vec<bool>>),
    /// The party's own signature.
    Cosignature,
    /// A disprove leaf with what it consumes, bottom first, and the party's own signature.
    Leaf {
        /// The leaf.
        leaf: usize,
        /// The witness without the signature.
        witness: Vec<Vec<u8>>,
    },
}

/// Who pays a transaction's fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeeSource {
    /// A child that spends its anchor, sent with it as a package.
    Child,
    /// The transaction itself.
    Own,
}
