//! What is printed of a game.

use std::fmt;

use bitcoin::Transaction;
use bitcoin::consensus::encode::serialize_hex;
use serde::Serialize;
use tapcourt_program::riscv::{Engine, Stop, StopReason};
use tapcourt_protocol::{Party, Role, TransactionKind};
use tapcourt_verifier::{Claim, Contract, Source, TranscriptReport};

use super::game::Rules;
use crate::contract::Loaded;
use crate::error::{CliError, CliResult};
use crate::input::Input;
use crate::output::{Table, thousands};
use crate::progress::Progress;
use crate::riscv::StopRow;

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

impl Outcome {
    fn of(settled_by: TransactionKind) -> Self {
        match settled_by {
            TransactionKind::Payout => Self::Payout,
            TransactionKind::PayoutDisputed(_) => Self::PayoutDisputed,
            TransactionKind::Disprove(_) => Self::Disproved,
            _ => Self::Timeout,
        }
    }
}

/// The transaction that a party never sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stall {
    pub(super) kind: TransactionKind,
    /// Whether it was ever due.
    pub(super) came_up: bool,
}

#[derive(Serialize)]
struct StallRow {
    transaction: String,
    /// Whether it was ever due; else the game went on as without the stall.
    came_up: bool,
}

/// Who was late, so that the other party could end the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Late {
    party: String,
    /// What it did not send.
    transaction: String,
    /// How many blocks it had for that.
    blocks: u16,
}

impl Late {
    /// `None` unless what ended the contract is what follows from the stall.
    fn new(stall: Stall, rules: &Rules, settled_by: TransactionKind) -> Option<Self> {
        let is_cause = stall.came_up && stall.kind.timeout() == Some(settled_by);
        Some(Self {
            party: stall.kind.mover().filter(|_| is_cause)?.to_string(),
            transaction: stall.kind.to_string(),
            blocks: rules.blocks_for(stall.kind).to_blocks(),
        })
    }
}

/// `the challenger was late: it did not send disprove within 12 blocks`.
impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the {} was late: it did not send {} within {} blocks",
            self.party, self.transaction, self.blocks
        )
    }
}

/// What a claim came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ClaimWas {
    True,
    False,
    /// The prover did not publish all of it.
    Incomplete,
}

impl From<Claim> for ClaimWas {
    fn from(claim: Claim) -> Self {
        match claim {
            Claim::True => Self::True,
            Claim::False => Self::False,
            Claim::Incomplete => Self::Incomplete,
        }
    }
}

impl fmt::Display for ClaimWas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "the claim is true",
            Self::False => "the claim is false",
            Self::Incomplete => "the claim was never completed",
        })
    }
}

/// A party of the contract.
#[derive(Serialize)]
struct PartyRow {
    /// Its share of the aggregate key, which signs the contract's transactions.
    key: String,
    /// Where it is paid, as a script in hexadecimal.
    payout_script: String,
}

impl From<&Party> for PartyRow {
    fn from(party: &Party) -> Self {
        Self {
            key: party.key.to_string(),
            payout_script: party.payout_script.to_hex_string(),
        }
    }
}

/// What a RISC-V program does with the claimed input, when it is executed for as many steps as a
/// claim is about.
#[derive(Serialize)]
pub(super) struct Execution {
    accepted: bool,
    /// Steps that changed something.
    steps: u64,
    /// Why it stays where it is; nothing if it accepted, or had not stopped.
    stop: Option<StopRow>,
}

impl Execution {
    /// Executes. `None` for a netlist.
    pub(super) fn of(loaded: &Loaded, input: &Input) -> CliResult<Option<Self>> {
        let Source::Trace(court) = loaded.program.source() else {
            return Ok(None);
        };
        let options = court.steps().options();
        let mut words = options.fixed.clone();
        words.extend(input.words()?);
        words.resize(options.words() as usize, 0); // cast ok: at most 2^16
        let _progress = Progress::spinner("executing the program");
        let mut engine = Engine::new(court.program(), &words);
        let stop = engine.run(court.steps_claimed());
        let reason = match stop {
            Stop::InPlace => StopReason::of(court.program(), &words, engine.state()),
            Stop::Accepted | Stop::Reached => None,
        };
        Ok(Some(Self {
            accepted: stop == Stop::Accepted,
            steps: engine.state().steps,
            stop: reason.map(StopRow::from),
        }))
    }
}

/// `the program stops after 318 steps: it exits with code 1`.
impl fmt::Display for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = thousands(self.steps);
        match &self.stop {
            _ if self.accepted => write!(f, "the program accepts after {steps} steps"),
            Some(stop) => write!(f, "the program stops after {steps} steps: {}", stop.why),
            None => write!(f, "the program still runs after {steps} steps"),
        }
    }
}

/// A game that was played to its end.
#[derive(Serialize)]
pub(super) struct Played {
    contract: String,
    instance: String,
    program_digest: String,
    prover: PartyRow,
    challenger: PartyRow,
    outcome: Outcome,
    /// Whom the end pays; nobody if the stakes went back.
    winner: Option<String>,
    claim: ClaimWas,
    /// Whether the end pays whom the published values favour. It does not where the challenger was
    /// late, or selected at random.
    is_just: bool,
    /// Who lost to the clock.
    late: Option<Late>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stall: Option<StallRow>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<Execution>,
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
        contract: &Contract<'_>,
        chain: &'static str,
        rules: &Rules,
        stall: Option<Stall>,
        judgement: TranscriptReport,
        sent: Vec<Broadcast>,
    ) -> CliResult<Self> {
        let settled_by = judgement
            .settled_by
            .ok_or_else(|| CliError::new("the contract is not settled"))?;
        let late = stall.and_then(|stall| Late::new(stall, rules, settled_by));
        if !judgement.is_just() && late.is_none() && !rules.selects_at_random {
            return Err(CliError::new(format!("the wrong party won: {judgement}")));
        }
        let transactions: Vec<Row> = sent.into_iter().map(Row::from).collect();
        let total = |of: fn(&Row) -> u64| transactions.iter().map(of).sum();
        let own = || transactions.iter().filter(|row| !row.is_child);
        let terms = contract.graph().terms();
        Ok(Self {
            contract: contract.graph().id().to_string(),
            instance: terms.instance.to_string(),
            program_digest: hex::encode(terms.program_digest),
            prover: PartyRow::from(&terms.prover),
            challenger: PartyRow::from(&terms.challenger),
            outcome: Outcome::of(settled_by),
            winner: judgement.winner.map(|role| role.to_string()),
            claim: judgement.claim.into(),
            is_just: judgement.is_just(),
            reason: reason(settled_by, late.as_ref(), rules, &judgement),
            late,
            execution: None,
            stall: stall.map(|stall| StallRow {
                transaction: stall.kind.to_string(),
                came_up: stall.came_up,
            }),
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

    /// Adds what the program does with the claimed input.
    pub(super) fn set_execution(&mut self, execution: Option<Execution>) {
        self.execution = execution;
    }

    /// Whether the prover got what it claimed.
    pub(super) fn is_paid(&self) -> bool {
        self.winner.as_deref() == Some("prover")
    }

    /// All transactions in the order in which they confirmed, one in hexadecimal a line, as `verify
    /// --transcript` reads them.
    pub(super) fn transcript(&self) -> String {
        let lines = self.transactions.iter();
        lines.map(|row| format!("{}\n", row.hex)).collect()
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
    late: Option<&Late>,
    rules: &Rules,
    judgement: &TranscriptReport,
) -> String {
    let claim = ClaimWas::from(judgement.claim);
    let lies = match first_of(&judgement.false_groups) {
        lies if lies.is_empty() => lies,
        lies => format!("; published falsely: {lies}"),
    };
    let delta = rules.parameters.delta;
    if let Some(late) = late {
        return match judgement.winner {
            None => format!("{late}, each stake went back"),
            // The clock beats the truth: who is right has to say so in time.
            Some(Role::Prover) if judgement.claim == Claim::False => {
                format!("{claim}{lies}; but {late}, so the prover is paid for a false claim")
            }
            Some(Role::Prover) if !judgement.is_just() => {
                format!("{claim}{lies}; but {late}, so the prover is paid all the same")
            }
            Some(Role::Prover) => format!("{claim}{lies}, and {late}"),
            Some(Role::Challenger) => late.to_string(),
        };
    }
    match settled_by {
        TransactionKind::Payout => format!("{claim}, and nobody objected within {delta}"),
        TransactionKind::PayoutDisputed(_) if judgement.is_just() => format!(
            "{claim}: the challenger found no leaf to spend within {delta}, and loses its bond"
        ),
        TransactionKind::PayoutDisputed(_) => format!(
            "{claim}{lies}; but the challenger selected at random and found no leaf to spend within {delta}, so the prover is paid, and \
             the challenger loses its bond"
        ),
        TransactionKind::Disprove(_) => {
            let fired = judgement.fired.as_ref();
            let leaf = fired.map_or_else(String::new, |fired| {
                format!("; leaf {} shows it ({})", fired.leaf, fired.name)
            });
            format!("{claim}{lies}{leaf}")
        }
        // Nobody is late without a stall.
        settled_by => format!("{claim}, and {settled_by} ended the contract"),
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
        writeln!(f, "{winner}: {}", self.reason)?;
        // What is accepted needs no explanation.
        if let Some(execution) = self.execution.as_ref().filter(|one| !one.accepted) {
            writeln!(f, "{execution}")?;
        }
        match &self.stall {
            Some(stall) if !stall.came_up => writeln!(
                f,
                "{} was never due, so nothing was stalled",
                stall.transaction
            ),
            _ => Ok(()),
        }
    }
}
