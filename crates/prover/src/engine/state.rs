//! What an engine remembers: the contract's transactions on the chain, the first words of both parties, and the prover's decision.

use std::collections::BTreeMap;

use bitcoin::Transaction;
use serde::{Deserialize, Serialize};
use tapcourt_protocol::{Graph, Published, TransactionKind, recover_published};

use super::EngineError;
use crate::Values;

/// A transaction of the contract in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The block's height.
    pub height: u32,
    /// Which transaction it is.
    pub kind: TransactionKind,
    /// The transaction, with its witness.
    pub transaction: Transaction,
}

/// What happens to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The prover decides to claim and to publish these values: those of the claim's groups, and of others as far as they are decided
    /// upon already. The program answers for the rest.
    Claim {
        /// The values.
        values: Values,
    },
    /// A block follows the last one. Transactions that are not the contract's are passed over.
    BlockConnected {
        /// Its height.
        height: u32,
        /// Its transactions, or those that spend an output which the engine watches, and the contract.
        transactions: Vec<Transaction>,
    },
    /// The last block is no longer part of the chain.
    BlockDisconnected {
        /// Its height.
        height: u32,
    },
    /// The whole chain as it is now, in place of everything seen before.
    Synced {
        /// The height of the last block.
        tip: u32,
        /// Transactions with the heights of their blocks, in any order.
        transactions: Vec<(u32, Transaction)>,
    },
    /// Nothing: asks for the duties again.
    Tick,
}

/// All that an engine remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    tip: Option<u32>,
    confirmed: Vec<Confirmed>,
    /// The contract's transaction, which stays known when its block is dropped: only both parties together can sign it.
    contract: Option<Transaction>,
    /// Of each move that publishes the transaction that counts, even if its block is dropped ([`State::hear`]).
    heard: BTreeMap<TransactionKind, Transaction>,
    /// Whether the claim that was heard has been found false: then it is the one that counts.
    is_claim_fixed: bool,
    values: Option<Values>,
}

impl State {
    /// Returns the height of the last block.
    pub fn tip(&self) -> Option<u32> {
        self.tip
    }

    /// Returns the confirmed transactions of the contract.
    pub fn confirmed(&self) -> &[Confirmed] {
        &self.confirmed
    }

    /// Returns the values that the prover has decided to publish.
    pub fn values(&self) -> Option<&Values> {
        self.values.as_ref()
    }

    /// Returns the contract's transaction if it was ever seen in a block.
    pub fn contract(&self) -> Option<&Transaction> {
        self.contract.as_ref()
    }

    /// Recovers what was published by the moves that are confirmed, in the words that were heard first.
    pub(crate) fn published(&self, graph: &Graph) -> Result<Vec<Published>, EngineError> {
        let publishing = self
            .confirmed
            .iter()
            .filter(|confirmed| confirmed.kind.publishes());
        let mut published = Vec::new();
        for confirmed in publishing {
            let heard = self.heard.get(&confirmed.kind);
            let transaction = heard.unwrap_or(&confirmed.transaction);
            published.extend(recover_published(graph, transaction)?);
        }
        Ok(published)
    }

    /// Takes each party at its first word. A witness does not change a txid, so one who signs two values with one key can replace
    /// the first, on which the other party's answer depends, in a reorganisation. That answer is signed by one-time keys and cannot
    /// change; and it need not, because the first opening is as good as the second in whatever follows. A claim can change until it
    /// is challenged: nothing is signed before that. The challenger holds the prover to a claim from when it has found it false, since
    /// its challenge, once sent, can confirm upon any other.
    fn hear(&mut self) {
        for confirmed in &self.confirmed {
            let (kind, transaction) = (confirmed.kind, &confirmed.transaction);
            let is_open = matches!(kind, TransactionKind::Kickoff(_))
                && !self.is_claim_fixed
                && !self.heard.contains_key(&TransactionKind::Challenge);
            if is_open {
                self.heard.insert(kind, transaction.clone());
            } else if kind.publishes() || kind == TransactionKind::Challenge {
                let first = self.heard.entry(kind);
                first.or_insert_with(|| transaction.clone());
            }
        }
    }

    /// The part of a claim that was found false and is no longer in a block.
    pub(super) fn dropped_lie(&self, next: usize) -> Option<&Transaction> {
        let heard = self.heard.get(&TransactionKind::Kickoff(next));
        heard.filter(|_| self.is_claim_fixed)
    }

    /// Holds the prover to the claim that was heard.
    pub(super) fn fix_claim(&mut self) {
        self.is_claim_fixed = true;
    }

    pub(super) fn after(&self, graph: &Graph, event: &Event) -> Result<Self, EngineError> {
        let mut next = self.clone();
        match event {
            Event::Claim { values } => match &self.values {
                Some(before) if before != values => return Err(EngineError::AlreadyDecided),
                _ => next.values = Some(values.clone()),
            },
            Event::BlockConnected {
                height,
                transactions,
            } => {
                if self
                    .tip
                    .is_some_and(|tip| tip.checked_add(1) != Some(*height))
                {
                    return Err(EngineError::OutOfOrder {
                        got: *height,
                        tip: self.tip,
                    });
                }
                next.tip = Some(*height);
                transactions
                    .iter()
                    .for_each(|transaction| next.confirm(graph, *height, transaction));
                next.hear();
            }
            Event::BlockDisconnected { height } => {
                if self.tip != Some(*height) {
                    return Err(EngineError::OutOfOrder {
                        got: *height,
                        tip: self.tip,
                    });
                }
                next.tip = height.checked_sub(1);
                next.confirmed
                    .retain(|confirmed| confirmed.height < *height);
            }
            Event::Synced { tip, transactions } => {
                if let Some((got, _)) = transactions.iter().find(|(height, _)| height > tip) {
                    return Err(EngineError::OutOfOrder {
                        got: *got,
                        tip: Some(*tip),
                    });
                }
                next.tip = Some(*tip);
                next.confirmed.clear();
                transactions
                    .iter()
                    .for_each(|(height, transaction)| next.confirm(graph, *height, transaction));
                next.hear();
            }
            Event::Tick => {}
        }
        Ok(next)
    }

    /// Enters a transaction if it is the contract's.
    fn confirm(&mut self, graph: &Graph, height: u32, transaction: &Transaction) {
        let Some(kind) = kind_of(graph, transaction) else {
            return;
        };
        if kind == TransactionKind::Contract {
            self.contract = Some(transaction.clone());
        }
        if self
            .confirmed
            .iter()
            .all(|confirmed| confirmed.kind != kind)
        {
            self.confirmed.push(Confirmed {
                height,
                kind,
                transaction: transaction.clone(),
            });
            self.confirmed
                .sort_by_key(|confirmed| (confirmed.height, place(graph, confirmed.kind)));
        }
    }
}

/// The place of a transaction among those that can be in one block, as after a reorganisation: each spends one before it.
fn place(graph: &Graph, kind: TransactionKind) -> (u8, Option<usize>) {
    let part = match kind {
        TransactionKind::Contract => 0,
        TransactionKind::Kickoff(_) => 1,
        TransactionKind::Challenge => 2,
        _ if kind.is_final() => 4,
        _ => 3,
    };
    let mut moves = graph.terms().layout.all_kinds();
    (part, moves.position(|(other, _)| other == kind))
}

/// Finds which transaction of the contract this is. A spend of the outcome that is not presigned is a disprove.
fn kind_of(graph: &Graph, transaction: &Transaction) -> Option<TransactionKind> {
    let presigned = graph.find(transaction.compute_txid());
    presigned.or_else(|| {
        transaction
            .input
            .iter()
            .find_map(|input| graph.stage_of_outcome(input.previous_output))
            .map(TransactionKind::Disprove)
    })
}
