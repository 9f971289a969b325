//! A whole transcript: who did what, who won, and who should have.

use std::collections::BTreeMap;
use std::fmt;

use bitcoin::{OutPoint, Transaction};
use tapcourt_compiler::circuit::Role as GroupRole;
use tapcourt_protocol::{ExpiryPolicy, Role, TransactionKind};

use crate::fault::TranscriptFault;
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

/// The judgement of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptReport {
    /// The transactions, in the order given.
    pub moves: Vec<TransactionReport>,
    /// What the claim comes to when the program is executed again.
    pub claim: Claim,
    /// Labels of the published groups whose values are false.
    pub false_groups: Vec<String>,
    /// Disprove leaves that the published values make spendable; empty until all are published.
    pub spendable: Vec<usize>,
    /// The leaf that was spent, if one was.
    pub fired: Option<FiredLeaf>,
    /// The transaction that ended the contract, if it has ended.
    pub settled_by: Option<TransactionKind>,
    /// Whom the end pays; nobody if the contract was undone, or has not ended.
    pub winner: Option<Role>,
    /// Whom the rules favour, given what was published and who was late; nobody while that is open.
    pub rightful: Option<Role>,
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
            let rightly = if self.spendable.contains(&fired.leaf) {
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
            Some(rightful) if !self.is_just() => write!(f, ", but the {rightful} should have"),
            Some(_) if self.winner.is_some() => write!(f, ", as it should be"),
            Some(rightful) => write!(f, ", the {rightful} is in the right"),
            None => Ok(()),
        }
    }
}

impl Contract<'_> {
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
        let published: BTreeMap<usize, &Vec<bool>> = moves
            .iter()
            .flat_map(|report| &report.published)
            .map(|value| (value.group, &value.value))
            .collect();
        let truth = self.truth(&published);
        let groups = self.program().compiled().committed_groups();
        let is_false = |group: usize| {
            let value = published.get(&group);
            truth
                .as_ref()
                .zip(value)
                .is_some_and(|(truth, value)| truth.get(group) != Some(*value))
        };
        let false_groups: Vec<usize> = (0..groups.len()).filter(|&group| is_false(group)).collect();
        let claim = match &truth {
            None => Claim::Incomplete,
            Some(truth) => {
                let refuted = false_groups
                    .iter()
                    .any(|&group| groups[group].role() != GroupRole::Intermediate)
                    || self.program().compiled().find_fault(truth).is_some();
                if refuted { Claim::False } else { Claim::True }
            }
        };
        let all: Option<Vec<Vec<bool>>> = (0..groups.len())
            .map(|group| published.get(&group).map(|value| (*value).clone()))
            .collect();
        let spendable = all
            .map(|all| self.program().compiled().spendable_leaves(&all))
            .unwrap_or_default();
        let settled_by = moves
            .iter()
            .map(|report| report.kind)
            .find(|kind| self.winner(*kind).is_some());
        let disputed = moves
            .iter()
            .any(|report| report.kind == TransactionKind::Challenge);
        let rightful = match (settled_by, claim) {
            (Some(TransactionKind::KickoffTimeout(_) | TransactionKind::AssertTimeout(_)), _) => {
                Some(Role::Challenger)
            }
            (Some(TransactionKind::Expire), _) => self.winner(TransactionKind::Expire).flatten(),
            (_, Claim::Incomplete) => None,
            (Some(TransactionKind::Disprove), _) => Some(Role::Challenger),
            _ if claim == Claim::False || !spendable.is_empty() => Some(Role::Challenger),
            (None, Claim::True)
                if disputed && moves.iter().all(|report| report.kind != self.last_move()) =>
            {
                None
            }
            _ => Some(Role::Prover),
        };
        Ok(TranscriptReport {
            claim,
            false_groups: false_groups
                .into_iter()
                .map(|group| groups[group].label().to_owned())
                .collect(),
            spendable,
            fired: moves.iter().find_map(|report| report.fired.clone()),
            settled_by,
            winner: settled_by.and_then(|kind| self.winner(kind)).flatten(),
            rightful,
            moves,
        })
    }

    fn last_move(&self) -> TransactionKind {
        self.graph().outcome_parent().kind
    }

    /// The true value of every group, if all of the claim is published.
    fn truth(&self, published: &BTreeMap<usize, &Vec<bool>>) -> Option<Vec<Vec<bool>>> {
        let compiled = self.program().compiled();
        let groups = compiled.committed_groups().iter().enumerate();
        let values = groups.map(|(number, group)| match published.get(&number) {
            Some(value) => Some((*value).clone()),
            None => (group.role() == GroupRole::Intermediate).then(Vec::new),
        });
        let input = compiled.published_input(&values.collect::<Option<Vec<_>>>()?);
        compiled.values(&input).ok()
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
            | TransactionKind::AssertTimeout(_)
            | TransactionKind::Disprove => Some(Some(Role::Challenger)),
            TransactionKind::Payout | TransactionKind::PayoutDisputed => Some(Some(Role::Prover)),
            TransactionKind::Contract
            | TransactionKind::Kickoff(_)
            | TransactionKind::Challenge
            | TransactionKind::Assert(_) => None,
        }
    }
}
