//! What is printed of a game.

use std::fmt;

use bitcoin::Transaction;
use bitcoin::consensus::encode::serialize_hex;
use serde::Serialize;
use tapcourt_protocol::{RelativeBlocks, Role, TransactionKind};
use tapcourt_verifier::{Claim, TranscriptReport};

use crate::error::{CliError, CliResult};
use crate::output::{Table, thousands};

/// A transaction that was broadcast.
pub(super) struct Broadcast {
    pub(super) name: String,
    pub(super) transaction: Transaction,
    pub(super) fee_sat: u64,
    pub(super) block: Option<u32>,
    /// Whether it pays the fee of the one before it.
    pub(super) is_child: bool,
}

#[derive(Serialize)]
struct Row {
    name: String,
    txid: String,
    version: i32,
    /// In weight units.
    weight: u64,
    /// In virtual bytes.
    vsize: u64,
    fee_sat: u64,
    block: Option<u32>,
    /// Whether it pays the fee of the one before it.
    is_child: bool,
    hex: String,
}

impl From<Broadcast> for Row {
    fn from(broadcast: Broadcast) -> Self {
        let transaction = &broadcast.transaction;
        Self {
            txid: transaction.compute_txid().to_string(),
            version: transaction.version.0,
            weight: transaction.weight().to_wu(),
            vsize: transaction.vsize() as u64, // cast ok, usize is at most 64 bits
            hex: serialize_hex(transaction),
            fee_sat: broadcast.fee_sat,
            block: broadcast.block,
            is_child: broadcast.is_child,
            name: broadcast.name,
        }
    }
}

/// How a contract ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// The claim was paid without a dispute.
    Payout,
    /// The claim was disputed and paid.
    PayoutDisputed,
    /// A leaf was spent that only a lie makes spendable.
    Disproved,
    /// A party was late.
    Timeout,
}

/// A game that was played to its end.
#[derive(Serialize)]
pub(super) struct Played {
    outcome: Outcome,
    /// Whom the end pays; nobody if the stakes went back.
    winner: Option<String>,
    reason: String,
    /// The disprove leaf that was spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf: Option<usize>,
    chain: &'static str,
    transactions: Vec<Row>,
    total_weight: u64,
    total_vsize: u64,
    total_fee_sat: u64,
    /// How many of the transactions are the contract's, fee children not counted, and their virtual bytes.
    contract_transactions: usize,
    contract_vsize: u64,
}

impl Played {
    pub(super) fn new(
        chain: &'static str,
        delta: RelativeBlocks,
        judgement: TranscriptReport,
        sent: Vec<Broadcast>,
    ) -> CliResult<Self> {
        let settled_by = judgement
            .settled_by
            .ok_or_else(|| CliError::new("the contract is not settled"))?;
        if !judgement.is_just() {
            return Err(CliError::new(format!("the wrong party won: {judgement}")));
        }
        let transactions: Vec<Row> = sent.into_iter().map(Row::from).collect();
        let total = |of: fn(&Row) -> u64| transactions.iter().map(of).sum();
        let own = || transactions.iter().filter(|row| !row.is_child);
        Ok(Self {
            outcome: match settled_by {
                TransactionKind::Payout => Outcome::Payout,
                TransactionKind::PayoutDisputed(_) => Outcome::PayoutDisputed,
                TransactionKind::Disprove(_) => Outcome::Disproved,
                _ => Outcome::Timeout,
            },
            winner: judgement.winner.map(|role| role.to_string()),
            reason: reason(settled_by, delta, &judgement),
            leaf: judgement.fired.as_ref().map(|fired| fired.leaf),
            chain,
            total_weight: total(|row| row.weight),
            total_vsize: total(|row| row.vsize),
            total_fee_sat: total(|row| row.fee_sat),
            contract_transactions: own().count(),
            contract_vsize: own().map(|row| row.vsize).sum(),
            transactions,
        })
    }

    /// Whether the prover got what it claimed.
    pub(super) fn is_paid(&self) -> bool {
        matches!(self.outcome, Outcome::Payout | Outcome::PayoutDisputed)
    }
}

/// Lists the first few names: one lie makes everything that is computed from it false.
fn first_of(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

/// Says why it ended as it did.
fn reason(
    settled_by: TransactionKind,
    delta: RelativeBlocks,
    judgement: &TranscriptReport,
) -> String {
    let claim = match judgement.claim {
        Claim::True => "the claim is true",
        Claim::False => "the claim is false",
        Claim::Incomplete => "the claim was never completed",
    };
    match settled_by {
        TransactionKind::Payout => format!("{claim}, and nobody objected within {delta}"),
        TransactionKind::PayoutDisputed(_) => format!(
            "{claim}: the challenger found no leaf to spend within {delta}, and loses its bond"
        ),
        TransactionKind::Disprove(_) => {
            let lies = first_of(&judgement.false_groups);
            let fired = judgement.fired.as_ref();
            let leaf = fired.map_or_else(String::new, |fired| {
                format!("; leaf {} shows it ({})", fired.leaf, fired.name)
            });
            if lies.is_empty() {
                format!("{claim}{leaf}")
            } else {
                format!("{claim}; published falsely: {lies}{leaf}")
            }
        }
        TransactionKind::Expire => {
            "the prover claimed nothing in time, each stake went back".to_owned()
        }
        TransactionKind::SelectTimeout(..) => {
            format!("{claim}, but the {} was late by {delta}", Role::Challenger)
        }
        _ => format!("the {} was late by {delta}", Role::Prover),
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["transaction", "version", "WU", "vB", "fee sat", "block"]);
        for row in &self.transactions {
            table.row([
                row.name.clone(),
                row.version.to_string(),
                thousands(row.weight),
                thousands(row.vsize),
                thousands(row.fee_sat),
                row.block
                    .map_or_else(String::new, |block| block.to_string()),
            ]);
        }
        table.row([
            "total".to_owned(),
            String::new(),
            thousands(self.total_weight),
            thousands(self.total_vsize),
            thousands(self.total_fee_sat),
            String::new(),
        ]);
        table.fmt(f)?;
        writeln!(f)?;
        writeln!(
            f,
            "{} transactions of the contract, {} vB, and {} children that pay fees",
            self.contract_transactions,
            thousands(self.contract_vsize),
            self.transactions.len() - self.contract_transactions
        )?;
        let winner = match &self.winner {
            Some(winner) => format!("the {winner} won"),
            None => "nobody won".to_owned(),
        };
        writeln!(f, "{winner}: {}", self.reason)
    }
}
