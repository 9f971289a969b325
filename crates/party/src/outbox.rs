//! What a party has sent and not yet seen confirmed, as its store keeps it.

use std::collections::BTreeMap;

use bitcoin::{Amount, Txid};
use serde::{Deserialize, Serialize};
use tapcourt_protocol::TransactionKind;

/// A contract's outbox: for each duty since when it is open, and what was paid for it.
///
/// It is on disk before anything of it is broadcast, so that a party that starts again goes on with the same curve and the same
/// budget.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outbox {
    entries: BTreeMap<TransactionKind, Entry>,
}

/// What was sent for one duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The height of the last block when the duty arose.
    pub since: u32,
    /// The transactions that paid for it, each in place of the one before, with their fees. At most one of them confirms.
    pub paid: Vec<(Txid, Amount)>,
}

impl Outbox {
    /// Returns what was sent for a duty.
    pub fn entry(&self, kind: TransactionKind) -> Option<&Entry> {
        self.entries.get(&kind)
    }

    /// Opens a duty, unless it is open.
    pub(crate) fn open(&mut self, kind: TransactionKind, tip: u32) {
        let entry = self.entries.entry(kind).or_insert(Entry {
            since: tip,
            paid: Vec::new(),
        });
        // A reorganisation can bring it to before it arose.
        entry.since = entry.since.min(tip);
    }

    /// Enters what pays for a duty from now on.
    pub(crate) fn pay(&mut self, kind: TransactionKind, txid: Txid, fee: Amount) {
        if let Some(entry) = self.entries.get_mut(&kind) {
            entry.paid.retain(|(paid, _)| *paid != txid);
            entry.paid.push((txid, fee));
        }
    }

    /// Adds up what was paid for the other duties, the dearest payment of each: one of them has confirmed, or may still.
    pub fn spent_besides(&self, kind: TransactionKind) -> Amount {
        let others = self.entries.iter().filter(|(other, _)| **other != kind);
        others.map(|(_, entry)| entry.dearest()).sum()
    }

    /// Adds up what was paid at most.
    pub fn spent(&self) -> Amount {
        self.entries.values().map(Entry::dearest).sum()
    }
}

impl Entry {
    fn dearest(&self) -> Amount {
        let fees = self.paid.iter().map(|(_, fee)| *fee);
        fees.max().unwrap_or(Amount::ZERO)
    }
}
