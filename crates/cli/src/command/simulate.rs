//! `simulate`: a whole contract with both parties on a fresh regtest.

mod game;
mod lie;
mod report;

use std::str::FromStr;

use bitcoin::{Amount, FeeRate};
use clap::{Args, ValueEnum};
use tapcourt_protocol::{ExpiryPolicy, Parameters, RelativeBlocks};
use tapcourt_prover::trace::{self, TraceDispute};
use tapcourt_script::limits::Profile;
use tapcourt_verifier::Source;

use self::game::{Parties, Rules};
use self::lie::Lie;
use crate::args::{ChainName, FeerateArgs, InputArgs, ProgramArgs, SearchArgs};
use crate::contract::{Disputant, Loaded};
use crate::error::{CliError, CliResult, Verdict};
use crate::output::Output;
use crate::program::{parse_input, read_circuit};
use crate::riscv::{is_elf, parse_input as parse_words};

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Let the prover lie. About a circuit: `chunk:N[:BIT]` computes a bit of what leaf N checks wrongly (the first unless BIT is given) and
    /// goes on with it; `output[:BIT]` claims a wrong output. About a trace: `KIND@STEP[:FIELD]` says something false of one step, and is
    /// consistent otherwise; a wrong KIND lists them all.
    #[arg(long, value_name = "WHERE")]
    lie: Option<String>,
    /// Let the challenger dispute whatever the prover claims.
    #[arg(long)]
    challenge_anyway: bool,
    /// Let this transaction never be sent: such as `kickoff`, `assert_1`, `select_2`, `open`; a wrong name lists them all.
    #[arg(long, value_name = "TRANSACTION")]
    stall: Option<String>,
    /// How the challenger selects in a dispute about a trace: in search of what is false, or anything, from a seed.
    #[arg(long, value_name = "HOW", value_enum, default_value = "search")]
    select: Select,
    /// The seed of random selections.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Which chain to play on.
    #[arg(long, value_enum, default_value = "embedded")]
    chain: ChainName,
    #[command(flatten)]
    feerate: FeerateArgs,
    /// Blocks that each party has for a move (Δ).
    #[arg(long, value_name = "BLOCKS", default_value = "12", value_parser = clap::value_parser!(u16).range(1..=2016))]
    delta: u16,
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
    let inputs = if is_elf(&args.program.netlist)? {
        // A claim publishes at least one word. Cast ok: a file of at most 64 MiB.
        Some(parse_words(&args.input.input)?.len().max(1) as u32)
    } else {
        None
    };
    let loaded = Loaded::new(&args.program, &args.search, inputs)?;
    let stalled = args
        .stall
        .as_deref()
        .map(|name| game::parse_stall(name, &loaded.program))
        .transpose()?;
    let rules = Rules {
        parameters: parameters(args.delta, args.feerate.feerate)?,
        feerate: args.feerate.feerate,
        // A lie that does not show in the claim is disputed too: the simulation is about what becomes of it.
        challenge_anyway: args.challenge_anyway
            || args.lie.is_some()
            || args.select == Select::Random,
        stalled,
    };
    let challenger = loaded.disputant();
    let mut claim = loaded.claim(&challenger, &args.input.input)?.values;
    let honest = loaded.disputant();
    let liar;
    let mut prover = honest.as_dyn();
    if let Some(lie) = &args.lie {
        match loaded.program.source() {
            Source::Circuit(compiled) => {
                let lie: Lie = parse_lie(lie)?;
                let circuit = read_circuit(&args.program.netlist)?;
                claim = lie.values(compiled, &parse_input(&args.input.input, &circuit)?)?;
            }
            Source::Trace(court) => {
                let lie: trace::Lie = parse_lie(lie)?;
                if lie.step >= court.steps_claimed() {
                    let steps = court.steps_claimed();
                    return Err(CliError::new(format!(
                        "--lie: there is no step {}, a claim is about {steps}",
                        lie.step
                    )));
                }
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
    let played = game::play(&loaded.program, parties, args.chain, &rules)?;
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
