//! `simulate`: a whole contract with both parties on a fresh regtest.

mod game;
mod lie;
mod report;

use std::path::PathBuf;
use std::str::FromStr;

use bitcoin::{Amount, FeeRate};
use clap::{Args, ValueEnum};
use tapcourt_protocol::{ExpiryPolicy, Parameters, RelativeBlocks};
use tapcourt_prover::trace::{self, TraceDispute};
use tapcourt_script::limits::Profile;
use tapcourt_verifier::Source;

use self::game::{Parties, Rules};
use self::lie::Lie;
use self::report::Execution;
use crate::args::{ChainName, FeerateArgs, InputArgs, ProgramArgs, SearchArgs};
use crate::contract::{Disputant, Loaded};
use crate::count::count;
use crate::error::{CliError, CliResult, Verdict};
use crate::files;
use crate::output::Output;

/// Lists the lies and the transactions that can be stalled. Ends with the exit codes.
fn help() -> String {
    let lies = trace::LieKind::ALL.map(|(kind, name)| (name, kind.description()));
    let list = |rows: &[(&str, &str)]| -> String {
        let rows = rows.iter();
        rows.map(|(name, text)| format!("  {name:<16} {text}\n"))
            .collect()
    };
    format!(
        "\
Lies about a circuit:
{}
Lies about a trace, KIND@STEP or KIND@STEP:FIELD. Everything before the step is true, and everything that is said of later states is \
false. FIELD is the bit of the value that is false, and up to which level nodes of an opened path are; 0 unless given. KIND is one of:
{}
Transactions that can be stalled, as far as the contract has them (N counts from 1):
{}
A party that does not send what is due loses to the clock, whatever the truth is. A transaction that is never due stalls nothing.

Exit code: 0 if the prover was paid, rightly or not; 1 if it was not; 2 if nothing was played.",
        list(&[
            (
                "chunk:N[:BIT]",
                "bit BIT (else 0) of what leaf N checks is false, the rest consistent"
            ),
            ("output[:BIT]", "bit BIT (else 0) of the claimed outputs is false"),
        ]),
        list(&lies),
        list(&[
            ("kickoff", "the prover does not claim; each stake goes back"),
            (
                "kickoff_N",
                "the prover does not complete its claim; the challenger wins"
            ),
            (
                "challenge",
                "the challenger does not object; the prover is paid"
            ),
            (
                "assert_N",
                "the prover does not answer; the challenger wins"
            ),
            (
                "select_N",
                "the challenger does not select; the prover is paid"
            ),
            (
                "disprove",
                "the challenger does not spend the leaf it could; the prover is paid"
            ),
            (
                "open",
                "the challenger has no Merkle path opened; the prover is paid"
            ),
            ("open_assert_N", "as assert_N, after open"),
            ("open_select_N", "as select_N, after open"),
            ("open_disprove", "as disprove, after open"),
        ])
    )
}

/// Arguments of `simulate`.
#[derive(Debug, Args)]
#[command(after_help = help())]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Let the prover lie, about a circuit (`chunk:N[:BIT]`, `output[:BIT]`) or a step of a trace
    /// (`KIND@STEP[:FIELD]`); all lies are listed below.
    #[arg(long, value_name = "WHAT")]
    lie: Option<String>,
    /// Let the challenger dispute whatever the prover claims.
    #[arg(long)]
    challenge_anyway: bool,
    /// Let this transaction never be sent, such as `kickoff`, `assert_1`, `select_2` or `open`; all
    /// are listed below.
    #[arg(long, value_name = "TRANSACTION")]
    stall: Option<String>,
    /// How the challenger selects in a dispute about a trace: in search of what is false, or anything, from a seed.
    #[arg(long, value_name = "HOW", value_enum, default_value = "search")]
    select: Select,
    /// The seed of random selections.
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = count::<u64>("seeds", 0..=u64::MAX))]
    seed: u64,
    /// Which chain to play on.
    #[arg(long, value_enum, default_value = "embedded")]
    chain: ChainName,
    #[command(flatten)]
    feerate: FeerateArgs,
    /// Blocks that each party has for a move (Δ).
    #[arg(long, value_name = "BLOCKS", default_value = "12", value_parser = count::<u16>("blocks", 1..=2016))]
    delta: u16,
    /// Write all transactions to this file in the order in which they confirmed, one in hexadecimal
    /// a line, as `verify --transcript` reads them.
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Write the messages of the setup into this directory, as `verify` reads them.
    #[arg(long, value_name = "DIR")]
    messages: Option<PathBuf>,
}

/// How a challenger selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Select {
    /// In search of what is false.
    Search,
    /// Anything.
    Random,
}

/// What each party puts into the pot. A regtest's coins are worth nothing, so there is enough for any fee.
const STAKE: Amount = Amount::from_sat(100_000_000);

/// What the challenger forfeits with a false challenge.
const BOND: Amount = Amount::from_sat(50_000_000);

/// Plays, and accepts if the claim was paid.
pub(crate) fn run(args: &SimulateArgs, output: &Output) -> CliResult<Verdict> {
    let file = args.program.read()?;
    let input = args.input.read()?;
    let inputs = if file.is_elf() {
        // A claim publishes at least one word. Cast ok: a file of at most 64 MiB.
        Some(input.words()?.len().max(1) as u32)
    } else {
        None
    };
    let loaded = Loaded::new(file, &args.program.accept, &args.search, inputs)?;
    let stalled = args
        .stall
        .as_deref()
        .map(|name| game::parse_stall(name, &loaded.program))
        .transpose()?;
    let execution = Execution::of(&loaded, &input)?;
    let rules = Rules {
        parameters: parameters(args.delta, args.feerate.feerate)?,
        feerate: args.feerate.feerate,
        // A lie that does not show in the claim is disputed too: the simulation is about what becomes of it.
        challenge_anyway: args.challenge_anyway
            || args.lie.is_some()
            || args.select == Select::Random,
        stalled,
        selects_at_random: args.select == Select::Random,
    };
    let challenger = loaded.disputant();
    let mut claim = loaded.claim(&challenger, &input)?.values;
    let honest = loaded.disputant();
    let liar;
    let mut prover = honest.as_dyn();
    if let Some(lie) = &args.lie {
        match (loaded.program.source(), &loaded.circuit) {
            (Source::Circuit(compiled), Some(circuit)) => {
                let lie: Lie = parse_lie(lie)?;
                claim = lie.values(compiled, &input.bits(circuit)?)?;
            }
            (Source::Circuit(_), None) => {
                return Err(CliError::new("a circuit was loaded without its netlist"));
            }
            (Source::Trace(court), _) => {
                let lie: trace::Lie = parse_lie(lie)?;
                lie.check(court)
                    .map_err(|error| CliError::new(format!("--lie: {error}")))?;
                liar = trace::Liar::new(TraceDispute::new(court), lie);
                prover = &liar;
            }
        }
    }
    let random;
    let challenger = match (args.select, &challenger) {
        (Select::Search, challenger) => challenger.as_dyn(),
        (Select::Random, Disputant::Trace(dispute)) => {
            random = trace::RandomSelections::new(dispute, args.seed);
            &random
        }
        (Select::Random, Disputant::Circuit(_)) => {
            return Err(CliError::new(
                "--select: nothing is selected in a dispute about a circuit",
            ));
        }
    };
    let parties = Parties {
        prover,
        challenger,
        claim,
    };
    let (mut played, setup) = game::play(&loaded.program, parties, args.chain, &rules)?;
    played.set_execution(execution);
    if let Some(path) = &args.transcript {
        files::write(path, played.transcript().as_bytes())?;
    }
    if let Some(directory) = &args.messages {
        setup.write(directory)?;
    }
    output.print(&played)?;
    Ok(Verdict::accept_if(played.is_paid()))
}

fn parse_lie<T: FromStr<Err = String>>(text: &str) -> CliResult<T> {
    text.parse()
        .map_err(|reason| CliError::new(format!("--lie: {reason}")))
}

fn parameters(delta: u16, feerate: FeeRate) -> CliResult<Parameters> {
    Ok(Parameters {
        delta: RelativeBlocks::new(delta)?,
        expiry: RelativeBlocks::new(delta.saturating_mul(2))?,
        expiry_policy: ExpiryPolicy::Refund,
        prover_stake: STAKE,
        challenger_stake: STAKE,
        bond: BOND,
        profile: Profile::Standard,
        disprove_feerate: feerate,
    })
}
