//! `verify`: everything that a counterparty sent, recomputed from the program.

use std::path::{Path, PathBuf};

use bitcoin::Transaction;
use bitcoin::consensus::encode::deserialize_hex;
use clap::Args;
use tapcourt_protocol::Stage;
use tapcourt_verifier::{Contract, Messages, PassedOver, SetupFault, TranscriptReport};

use crate::args::{PatternArgs, SearchArgs};
use crate::contract::Loaded;
use crate::error::{CliError, CliResult, Verdict};
use crate::files::{self, read_message};
use crate::output::{Facts, Output};
use crate::play::home::{Home, Kept};
use crate::play::setup;
use crate::program::ProgramFile;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Verify what is in a party's directory, in place of single files.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["netlist", "offer", "acceptance", "prover_answer", "challenger_answer", "signatures"])]
    dir: Option<PathBuf>,
    /// The program: a netlist or an ELF file.
    #[arg(value_name = "PROGRAM", required_unless_present = "dir")]
    netlist: Option<PathBuf>,
    #[command(flatten)]
    accept: PatternArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// The prover's offer.
    #[arg(long, value_name = "FILE", required_unless_present = "dir")]
    offer: Option<PathBuf>,
    /// The challenger's acceptance.
    #[arg(long, value_name = "FILE")]
    acceptance: Option<PathBuf>,
    /// The prover's answer.
    #[arg(long, value_name = "FILE", requires = "acceptance")]
    prover_answer: Option<PathBuf>,
    /// The challenger's answer.
    #[arg(long, value_name = "FILE", requires = "prover_answer")]
    challenger_answer: Option<PathBuf>,
    /// The finished signatures; they follow from both answers.
    #[arg(long, value_name = "FILE", requires = "acceptance")]
    signatures: Option<PathBuf>,
    /// Transactions in the order in which they confirmed, one in hexadecimal a line: those of the
    /// contract are judged, and others, such as the rest of their blocks, are passed over and
    /// named.
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// A single transaction of the contract, in hexadecimal, to be checked by itself.
    #[arg(long, value_name = "HEX", conflicts_with = "transcript")]
    transaction: Option<String>,
}

/// What is to be judged besides the setup.
enum Played {
    Nothing,
    Transaction(Box<Transaction>),
    Transcript(Vec<Transaction>),
}

impl VerifyArgs {
    fn played(&self) -> CliResult<Played> {
        Ok(match (&self.transaction, &self.transcript) {
            (Some(hex), _) => {
                let transaction = deserialize_hex(hex.trim());
                Played::Transaction(Box::new(transaction.map_err(|error| {
                    CliError::new(format!("--transaction: not a transaction: {error}"))
                })?))
            }
            (None, Some(path)) => Played::Transcript(read_transcript(path)?),
            (None, None) => Played::Nothing,
        })
    }
}

/// What there is to verify.
struct Evidence {
    loaded: Loaded,
    offer: Vec<u8>,
    acceptance: Option<Vec<u8>>,
    prover_answer: Option<Vec<u8>>,
    challenger_answer: Option<Vec<u8>>,
    signatures: Option<Vec<u8>>,
}

/// Verifies; rejects with the name of the part that is wrong.
pub(crate) fn run(args: &VerifyArgs, output: &Output) -> CliResult<Verdict> {
    let evidence = match &args.dir {
        Some(dir) => from_directory(dir)?,
        None => from_files(args)?,
    };
    let (facts, verdict) = match evidence.verify(&args.played()?) {
        Ok(verified) => verified,
        Err(Refusal::Fault(fault)) => (rejected(fault.part, &fault.reason), Verdict::Reject),
        Err(Refusal::Part(part, reason)) => (rejected(part, &reason), Verdict::Reject),
        Err(Refusal::Unfinished(error)) => return Err(error),
    };
    output.print(&facts)?;
    Ok(verdict)
}

fn rejected(part: impl std::fmt::Display, reason: &str) -> Facts {
    Facts::new()
        .with("valid", false)
        .with_text("part", part)
        .with("reason", reason)
}

enum Refusal {
    /// A part of the setup is wrong.
    Fault(SetupFault),
    /// Another part is wrong.
    Part(&'static str, String),
    /// What was asked for cannot be done.
    Unfinished(CliError),
}

impl From<SetupFault> for Refusal {
    fn from(fault: SetupFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<CliError> for Refusal {
    fn from(error: CliError) -> Self {
        Self::Unfinished(error)
    }
}

impl Evidence {
    fn verify(&self, played: &Played) -> Result<(Facts, Verdict), Refusal> {
        let program = &self.loaded.program;
        let offer = program.verify_offer(&self.offer)?;
        let facts = Facts::new()
            .with("valid", true)
            .with_text("instance", offer.instance)
            .with("program_digest", hex::encode(offer.program_digest))
            .with("groups", offer.one_time_keys.len())
            .with(
                "leaves",
                program.leaf_count(Stage::Dispute) + program.leaf_count(Stage::Opening),
            );
        let Some(acceptance) = &self.acceptance else {
            return unfinished(facts, "offer", played);
        };
        let (graph, _) = program.verify_graph(&self.offer, acceptance)?;
        let facts = facts
            .with_text("contract", graph.id())
            .with("presigned_transactions", graph.presigned().len());
        let answers = self
            .prover_answer
            .as_deref()
            .zip(self.challenger_answer.as_deref());
        let completed;
        let signatures = match (&self.signatures, answers) {
            (Some(signatures), _) => signatures,
            (None, Some((answer, partials))) => {
                completed = setup::finish(program, &self.offer, acceptance, answer, partials)
                    .map_err(|error| match error {
                        CliError::Message(reason) => Refusal::Part("answers", reason),
                        other => Refusal::Unfinished(other),
                    })?;
                &completed
            }
            (None, None) => return unfinished(facts, "acceptance", played),
        };
        let contract = program.verify_setup(&Messages {
            offer: &self.offer,
            acceptance,
            partials: answers,
            signatures,
        })?;
        let facts = facts
            .with("signatures", contract.report().signatures)
            .with("verified_up_to", "signatures");
        match played {
            Played::Nothing => Ok((facts, Verdict::Accept)),
            Played::Transaction(transaction) => check_move(&contract, transaction, facts),
            Played::Transcript(transactions) => judge(&contract, transactions, facts),
        }
    }
}

/// What was sent so far is right, but there is no contract yet.
fn unfinished(
    facts: Facts,
    up_to: &'static str,
    played: &Played,
) -> Result<(Facts, Verdict), Refusal> {
    match played {
        Played::Nothing => Ok((facts.with("verified_up_to", up_to), Verdict::Accept)),
        _ => Err(Refusal::Unfinished(CliError::new(
            "transactions can only be judged with all messages of the setup",
        ))),
    }
}

/// Checks one transaction by itself: which it is, its witness, what it publishes, and the leaf that it spends.
fn check_move(
    contract: &Contract<'_>,
    transaction: &Transaction,
    facts: Facts,
) -> Result<(Facts, Verdict), Refusal> {
    let report = contract
        .verify_transaction(transaction)
        .map_err(|fault| Refusal::Part("transaction", fault.to_string()))?;
    let facts = facts
        .with("transaction", report.kind.to_string())
        .with("weight", transaction.weight().to_wu())
        .with(
            "fired",
            report.fired.as_ref().map(|fired| fired.name.clone()),
        )
        .with("judgement", report.to_string().lines().collect::<Vec<_>>());
    Ok((facts, Verdict::Accept))
}

/// Judges a transcript; rejects one in which the wrong party won.
fn judge(
    contract: &Contract<'_>,
    transactions: &[Transaction],
    facts: Facts,
) -> Result<(Facts, Verdict), Refusal> {
    let (report, passed_over): (TranscriptReport, _) = contract
        .verify_history(transactions)
        .map_err(|fault| Refusal::Part("transcript", fault.to_string()))?;
    let passed_over = passed_over.iter().map(PassedOver::to_string);
    let facts = facts
        .with("settled_by", report.settled_by.map(|kind| kind.to_string()))
        .with("winner", report.winner.map(|role| role.to_string()))
        .with("rightful", report.rightful.map(|role| role.to_string()))
        .with("missed", report.missed.map(|kind| kind.to_string()))
        .with("passed_over", passed_over.collect::<Vec<_>>())
        .with("judgement", report.to_string().lines().collect::<Vec<_>>());
    Ok((facts, Verdict::accept_if(report.is_just())))
}

fn from_directory(dir: &Path) -> CliResult<Evidence> {
    let home = Home::open(dir)?;
    let store = home.store()?;
    let kept = Kept::read(&home, &store)?;
    Ok(Evidence {
        loaded: kept.loaded,
        offer: kept.offer,
        acceptance: kept.acceptance,
        prover_answer: kept.answer,
        challenger_answer: kept.partials,
        signatures: kept.signatures,
    })
}

fn from_files(args: &VerifyArgs) -> CliResult<Evidence> {
    let required = || CliError::new("a program and an offer, or a directory, are needed");
    let netlist_path = args.netlist.as_deref().ok_or_else(required)?;
    let read = |path: &Option<PathBuf>| path.as_deref().map(read_message).transpose();
    let offer = read(&args.offer)?.ok_or_else(required)?;
    let program = ProgramFile::read(netlist_path)?;
    Ok(Evidence {
        offer,
        acceptance: read(&args.acceptance)?,
        prover_answer: read(&args.prover_answer)?,
        challenger_answer: read(&args.challenger_answer)?,
        signatures: read(&args.signatures)?,
        loaded: Loaded::new(program, &args.accept, &args.search, None)?,
    })
}

fn read_transcript(path: &Path) -> CliResult<Vec<Transaction>> {
    let text = files::read_text(path, files::MAX_SMALL_FILE_BYTES)?;
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| {
            deserialize_hex(line).map_err(|error| {
                CliError::file(
                    path,
                    format!("line {}: not a transaction: {error}", number + 1),
                )
            })
        })
        .collect()
}
