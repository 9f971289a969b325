//! `prove`: the prover claims that the program gives what it gives.

use clap::Args;
use tapcourt_program::circuit::format_bits;
use tapcourt_protocol::Role;
use tapcourt_prover::Phase;

use crate::args::InputArgs;
use crate::error::{CliError, CliResult, Verdict};
use crate::output::{Facts, Output};
use crate::play::seat::{self, SeatArgs, sit};
use crate::program::parse_input;

/// Arguments of `prove`.
#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    #[command(flatten)]
    seat: SeatArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Claim even if the contract does not accept what the program gives: such a claim can be disproved.
    #[arg(long)]
    anyway: bool,
}

/// Claims; rejects an input whose output the contract does not accept.
pub(crate) fn run(args: &ProveArgs, output: &Output) -> CliResult<Verdict> {
    let (facts, verdict) = sit(&args.seat, |player, kept, chain| {
        seat::check_role(kept, Role::Prover, "prove")?;
        let compiled = kept.loaded.compiled();
        let input = parse_input(&args.input.input, &kept.loaded.circuit)?;
        let outlook = player.sync(chain)?;
        let result = format_bits(&compiled.output(&input)?);
        let values = compiled.values(&input)?;
        if compiled.find_fault(&values).is_some() && !args.anyway {
            let facts = Facts::new()
                .with("accepted", false)
                .with("output", result)
                .with_text("phase", outlook.phase);
            return Ok((facts, Verdict::Reject));
        }
        match outlook.phase {
            Phase::Unfunded => {
                return Err(CliError::new(
                    "the contract is not on the chain: 'tapcourt setup fund' puts it there",
                ));
            }
            Phase::Claiming { .. } => player.claim(values)?,
            _ => {}
        }
        let outlook = player.sync(chain)?;
        let sent = seat::perform(player, chain, &outlook.duties, &args.seat)?;
        let facts = seat::facts(Role::Prover, &outlook, &sent).with("output", result);
        Ok((facts, Verdict::Accept))
    })?;
    output.print(&facts)?;
    Ok(verdict)
}
