//! A whole transcript: who did what, who won, and who should have.

use std::fmt;

use bitcoin::{OutPoint, Transaction, Txid};
use tapcourt_protocol::{ExpiryPolicy, OutputKind, Role, Stage, TransactionKind};

use crate::fault::TranscriptFault;
use crate::judge::{Judgement, Values};
use crate::setup::Contract;
use crate::transaction::{FiredLeaf, TransactionReport};

/// What a claim comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// Not complete: the prover has not published all of it.
    Incomplete,
    /// The program gives what it says, and what the contract accepts.
    True,
    /// It does not.
    False,
}

/// A transaction that is none of the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedOver {
    /// Its place in the list.
    pub index: usize,
    /// Its txid.
    pub txid: Txid,
    /// What it has to do with the contract.
    pub relation: Relation,
}

/// What a transaction that is none of a contract's has to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It spends the anchor of this transaction, and so pays for it.
    FeeChild(TransactionKind),
    /// The contract spends an output of it.
    Funding,
    /// It spends what this transaction paid out or gave back.
    Spends(TransactionKind),
    /// Nothing.
    None,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transaction {}, {}, ", self.index, self.txid)?;
        match self.relation {
            Relation::FeeChild(kind) => write!(f, "pays the fee of {kind}"),
            Relation::Funding => f.write_str("brings coins for the contract"),
            Relation::Spends(kind) => write!(f, "spends what {kind} paid out"),
            Relation::None => f.write_str("has nothing to do with the contract"),
        }
    }
}

/// The judgement of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptReport {
    /// The transactions, in the order given.
    pub moves: Vec<TransactionReport>,
    /// What the claim comes to when the program is executed again.
    pub claim: Claim,
    /// Labels of the published groups whose values are false. Of a trace: digests, and the parts of the step's record.
    pub false_groups: Vec<String>,
    /// Disprove leaves that the published values make spendable, after each stage of which all are published.
    pub spendable: Vec<(Stage, usize)>,
    /// The leaf that was spent, if one was.
    pub fired: Option<FiredLeaf>,
    /// The transaction that ended the contract, if it has ended.
    pub settled_by: Option<TransactionKind>,
    /// Whom the end pays; nobody if the contract was undone, or has not ended.
    pub winner: Option<Role>,
    /// Whom the rules favour, given what was published and who was late; nobody while that is open.
    pub rightful: Option<Role>,
    /// The challenger's move that would have been possible in place of what ended the contract, if
    /// that end is unjust.
    pub missed: Option<TransactionKind>,
}

impl TranscriptReport {
    /// Says whether the one who won should have. A contract that has not ended, or was undone, is not unjust.
    pub fn is_just(&self) -> bool {
        self.winner.is_none() || self.winner == self.rightful
    }
}

impl fmt::Display for TranscriptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self
            .moves
            .iter()
            .map(|report| report.kind.to_string())
            .collect();
        writeln!(f, "moves: {}", names.join(", "))?;
        match self.claim {
            Claim::Incomplete => writeln!(f, "the claim is not complete")?,
            Claim::True => writeln!(f, "the claim is true")?,
            Claim::False => writeln!(f, "the claim is false")?,
        }
        if !self.false_groups.is_empty() {
            writeln!(f, "false values: {}", self.false_groups.join(", "))?;
        }
        if let Some(fired) = &self.fired {
            let rightly = if self.spendable.contains(&(fired.stage, fired.leaf)) {
                "as the published values allow"
            } else {
                "by openings other than the published ones"
            };
            writeln!(
                f,
                "leaf {} ({}) was spent, {rightly}",
                fired.leaf, fired.name
            )?;
        }
        match (self.settled_by, self.winner) {
            (None, _) => write!(f, "not settled"),
            (Some(by), None) => write!(f, "undone by {by}"),
            (Some(by), Some(winner)) => write!(f, "settled by {by}: the {winner} won"),
        }?;
        match self.rightful {
            Some(rightful) if !self.is_just() => {
                write!(f, ", but the {rightful} should have")?;
                match self.missed {
                    Some(missed) => write!(f, "; it did not send {missed} in time"),
                    None => Ok(()),
                }
            }
            Some(_) if self.winner.is_some() => write!(f, ", as it should be"),
            Some(rightful) => write!(f, ", the {rightful} is in the right"),
            None => Ok(()),
        }
    }
}

impl Contract<'_> {
    /// Picks the contract's transactions out of others, such as all of some blocks in the order of
    /// the chain, and judges them as [`Contract::verify_transcript`]. Returns the others, too.
    ///
    /// # Errors
    ///
    /// The first of the contract's transactions that is wrong in itself or spends what is not
    /// there; a transaction that spends an output which only the contract's can spend; a list with
    /// nothing of the contract in it. Places are those in the list given.
    pub fn verify_history(
        &self,
        transactions: &[Transaction],
    ) -> Result<(TranscriptReport, Vec<PassedOver>), TranscriptFault> {
        let mut places = Vec::new();
        let mut passed_over = Vec::new();
        for (index, transaction) in transactions.iter().enumerate() {
            match self.relation(index, transaction)? {
                None => places.push(index),
                Some(relation) => passed_over.push(PassedOver {
                    index,
                    txid: transaction.compute_txid(),
                    relation,
                }),
            }
        }
        if places.is_empty() && !transactions.is_empty() {
            return Err(TranscriptFault::NoneOfTheContract {
                transactions: transactions.len(),
            });
        }
        let own: Vec<Transaction> = places
            .iter()
            .map(|&index| transactions[index].clone())
            .collect();
        let report = self.verify_transcript(&own);
        let report = report.map_err(|fault| fault.with_places(&places))?;
        Ok((report, passed_over))
    }

    /// What a transaction has to do with the contract; `None` if it is the contract's.
    fn relation(
        &self,
        index: usize,
        transaction: &Transaction,
    ) -> Result<Option<Relation>, TranscriptFault> {
        let txid = transaction.compute_txid();
        let spent = || transaction.input.iter().map(|input| input.previous_output);
        let is_own = self.graph().find(txid).is_some()
            || spent().any(|outpoint| self.graph().stage_of_outcome(outpoint).is_some());
        if is_own {
            return Ok(None);
        }
        let mut relation = Relation::None;
        for outpoint in spent() {
            let Some(source_kind) = self.graph().find(outpoint.txid) else {
                continue;
            };
            let outputs = self.graph().outputs(source_kind);
            let output = outputs.and_then(|(_, outputs)| outputs.get(outpoint.vout as usize)); // cast ok: an index
            match output.map(|output| output.kind) {
                Some(OutputKind::Anchor) => relation = Relation::FeeChild(source_kind),
                Some(OutputKind::Paid(_) | OutputKind::Change(..)) => {
                    if relation == Relation::None {
                        relation = Relation::Spends(source_kind);
                    }
                }
                // A connector, or an output that does not exist.
                _ => {
                    return Err(TranscriptFault::SpendsConnector {
                        index,
                        txid,
                        source_kind,
                    });
                }
            }
        }
        let coins = &self.graph().contract().transaction.input;
        let funds = coins.iter().any(|input| input.previous_output.txid == txid);
        if relation == Relation::None && funds {
            relation = Relation::Funding;
        }
        Ok(Some(relation))
    }

    /// Checks the transactions of a contract in the order in which they confirmed, the contract's own first, and judges them.
    /// Heights are not given, so whether timelocks had passed is the chain's word.
    ///
    /// # Errors
    ///
    /// The first transaction that is wrong in itself or spends what is not there.
    pub fn verify_transcript(
        &self,
        transactions: &[Transaction],
    ) -> Result<TranscriptReport, TranscriptFault> {
        let moves = self.verify_moves(transactions)?;
        let published: Values<'_> = moves
            .iter()
            .flat_map(|report| &report.published)
            .map(|value| (value.group, &value.value))
            .collect();
        let Judgement {
            claim,
            false_groups,
            spendable,
        } = self.program().judge(&published);
        let settled_by = moves
            .iter()
            .map(|report| report.kind)
            .find(|kind| self.winner(*kind).is_some());
        let rightful = match (settled_by, claim) {
            (
                Some(
                    TransactionKind::KickoffTimeout(_)
                    | TransactionKind::AssertTimeout(..)
                    | TransactionKind::SelectTimeout(..)
                    | TransactionKind::Expire
                    | TransactionKind::Disprove(_),
                ),
                _,
            ) => settled_by.and_then(|kind| self.winner(kind)).flatten(),
            (_, Claim::Incomplete) => None,
            _ if claim == Claim::False || !spendable.is_empty() => Some(Role::Challenger),
            (None, Claim::True) if self.is_disputed(&moves) => None,
            _ => Some(Role::Prover),
        };
        let groups = self.program().groups();
        let winner = settled_by.and_then(|kind| self.winner(kind)).flatten();
        let missed = match settled_by {
            _ if winner.is_none() || winner == rightful => None,
            Some(TransactionKind::Payout) => Some(TransactionKind::Challenge),
            Some(TransactionKind::PayoutDisputed(stage)) => {
                let disproves = spendable.iter().any(|&(after, _)| after == stage);
                let has_opening = !self.graph().terms().layout.opening.is_empty();
                match stage {
                    Stage::Dispute if !disproves && has_opening => Some(TransactionKind::OPEN),
                    stage => disproves.then_some(TransactionKind::Disprove(stage)),
                }
            }
            Some(_) | None => None,
        };
        Ok(TranscriptReport {
            claim,
            false_groups: false_groups
                .into_iter()
                .map(|group| groups[group].label.clone())
                .collect(),
            spendable,
            fired: moves.iter().find_map(|report| report.fired.clone()),
            settled_by,
            winner,
            rightful,
            missed,
            moves,
        })
    }

    /// Whether there was a challenge, and not all of a stage is published.
    fn is_disputed(&self, moves: &[TransactionReport]) -> bool {
        let is_there = |kind: TransactionKind| moves.iter().any(|report| report.kind == kind);
        let stage = if is_there(TransactionKind::OPEN) {
            Stage::Opening
        } else {
            Stage::Dispute
        };
        let last = self.graph().outcome_parent(stage);
        is_there(TransactionKind::Challenge) && !last.is_some_and(|last| is_there(last.kind))
    }

    fn verify_moves(
        &self,
        transactions: &[Transaction],
    ) -> Result<Vec<TransactionReport>, TranscriptFault> {
        let mut moves: Vec<TransactionReport> = Vec::with_capacity(transactions.len());
        let mut unspent: Vec<OutPoint> = Vec::new();
        for (index, transaction) in transactions.iter().enumerate() {
            let report = self
                .verify_transaction(transaction)
                .map_err(|fault| TranscriptFault::Transaction { index, fault })?;
            let kind = report.kind;
            if moves.iter().any(|earlier| earlier.kind == kind) {
                return Err(TranscriptFault::Twice { index, kind });
            }
            if kind != TransactionKind::Contract {
                for input in &transaction.input {
                    let place = unspent
                        .iter()
                        .position(|outpoint| *outpoint == input.previous_output);
                    let source_kind = self
                        .graph()
                        .find(input.previous_output.txid)
                        .unwrap_or(TransactionKind::Contract);
                    unspent.swap_remove(place.ok_or(TranscriptFault::Spends {
                        index,
                        kind,
                        source_kind,
                    })?);
                }
            }
            let txid = transaction.compute_txid();
            // cast ok, a transaction has < 2^32 outputs
            unspent
                .extend((0..transaction.output.len() as u32).map(|vout| OutPoint { txid, vout }));
            moves.push(report);
        }
        Ok(moves)
    }

    /// Whom a final transaction pays: `Some(None)` if it undoes the contract, `None` if it is not final.
    fn winner(&self, kind: TransactionKind) -> Option<Option<Role>> {
        match kind {
            TransactionKind::Expire => Some(match self.graph().terms().parameters.expiry_policy {
                ExpiryPolicy::Refund => None,
                ExpiryPolicy::PotToChallenger => Some(Role::Challenger),
            }),
            TransactionKind::KickoffTimeout(_)
            | TransactionKind::AssertTimeout(..)
            | TransactionKind::Disprove(_) => Some(Some(Role::Challenger)),
            TransactionKind::Payout
            | TransactionKind::SelectTimeout(..)
            | TransactionKind::PayoutDisputed(_) => Some(Some(Role::Prover)),
            TransactionKind::Contract
            | TransactionKind::Kickoff(_)
            | TransactionKind::Challenge
            | TransactionKind::Assert(..)
            | TransactionKind::Select(..) => None,
        }
    }
}
