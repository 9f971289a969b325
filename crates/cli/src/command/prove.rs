//! `prove`: the prover claims that the program gives what it gives.

use clap::Args;
use tapcourt_protocol::Role;
use tapcourt_prover::Phase;

use crate::args::InputArgs;
use crate::error::{CliError, CliResult, Verdict};
use crate::output::{Facts, Output};
use crate::play::seat::{self, Acts, SeatArgs, sit};

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
    let input = args.input.read()?;
    let policy = args.seat.policy();
    let (facts, verdict) = sit(&args.seat, |party, kept, disputant, chain| {
        seat::check_role(kept, Role::Prover, "prove")?;
        let claim = kept.loaded.claim(disputant, &input)?;
        let outlook = party.look(chain)?;
        if !claim.is_accepted && !args.anyway {
            let facts = Facts::new()
                .with("accepted", false)
                .with("output", claim.output)
                .with_text("phase", outlook.phase);
            return Ok((facts, Verdict::Reject));
        }
        match outlook.phase {
            Phase::Unfunded => {
                return Err(CliError::new(
                    "the contract is not on the chain: 'tapcourt setup fund' puts it there",
                ));
            }
            Phase::Claiming { .. } => party.claim(claim.values)?,
            _ => {}
        }
        let outlook = party.look(chain)?;
        let deeds = party.act(chain, &outlook.duties, &policy);
        let facts = Acts::new(party, chain, &outlook, deeds)?
            .facts(Role::Prover, &outlook)?
            .with("output", claim.output);
        Ok((facts, Verdict::Accept))
    })?;
    output.print(&facts)?;
    Ok(verdict)
}
