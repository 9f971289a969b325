//! `simulate`: a whole contract with both parties on a fresh regtest.

mod game;
mod lie;
mod report;

use std::str::FromStr;

use bitcoin::{Amount, FeeRate};
use clap::Args;
use tapcourt_protocol::{ExpiryPolicy, Parameters, RelativeBlocks};
use tapcourt_script::limits::Profile;

use self::game::Rules;
use self::lie::Lie;
use crate::args::{ChainName, FeerateArgs, InputArgs, ProgramArgs};
use crate::error::{CliResult, Verdict};
use crate::output::Output;
use crate::program::{Loaded, parse_input};

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Let the prover lie: `chunk:N[:BIT]` computes a bit of what leaf N checks wrongly (the first unless BIT is given) and
    /// goes on with it; `output[:BIT]` claims a wrong output.
    #[arg(long, value_name = "WHERE", value_parser = Lie::from_str)]
    lie: Option<Lie>,
    /// Let the challenger dispute whatever the prover claims.
    #[arg(long)]
    challenge_anyway: bool,
    /// Let the prover never send this transaction: `kickoff`, or `assert_N`, which needs a dispute.
    #[arg(long, value_name = "TRANSACTION")]
    stall: Option<String>,
    /// Which chain to play on.
    #[arg(long, value_enum, default_value = "embedded")]
    chain: ChainName,
    #[command(flatten)]
    feerate: FeerateArgs,
    /// Blocks that each party has for a move (Δ).
    #[arg(long, value_name = "BLOCKS", default_value = "12", value_parser = clap::value_parser!(u16).range(1..=2016))]
    delta: u16,
}

/// What each party puts into the pot. A regtest's coins are worth nothing, so there is enough for any fee.
const STAKE: Amount = Amount::from_sat(100_000_000);

/// What the challenger forfeits with a false challenge.
const BOND: Amount = Amount::from_sat(50_000_000);

/// Plays, and accepts if the claim was paid.
pub(crate) fn run(args: &SimulateArgs, output: &Output) -> CliResult<Verdict> {
    let loaded = Loaded::new(&args.program)?;
    let input = parse_input(&args.input.input, &loaded.circuit)?;
    let stalled = args
        .stall
        .as_deref()
        .map(|name| game::parse_stall(name, &loaded.program))
        .transpose()?;
    let values = match &args.lie {
        None => loaded.compiled().values(&input)?,
        Some(lie) => lie.values(loaded.compiled(), &input)?,
    };
    let rules = Rules {
        parameters: parameters(args.delta, args.feerate.feerate)?,
        feerate: args.feerate.feerate,
        // A lie that does not show in the claim is disputed too: the simulation is about what becomes of it.
        challenge_anyway: args.challenge_anyway || args.lie.is_some(),
        stalled,
    };
    let played = game::play(&loaded, values, args.chain, &rules)?;
    output.print(&played)?;
    Ok(Verdict::accept_if(played.is_paid()))
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
