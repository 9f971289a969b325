//! `respond`: a party does whatever the contract asks of it now.

use clap::Args;
use tapcourt_party::Driver;

use crate::error::{CliResult, Verdict};
use crate::output::Output;
use crate::play::seat::{Acts, SeatArgs, sit};

/// Arguments of `respond`.
#[derive(Debug, Args)]
pub(crate) struct RespondArgs {
    #[command(flatten)]
    seat: SeatArgs,
}

/// Does what is due, and pays better for what waits; rejects if a fault was found in the other party's claim.
pub(crate) fn run(args: &RespondArgs, output: &Output) -> CliResult<Verdict> {
    let policy = args.seat.policy();
    let (facts, verdict) = sit(&args.seat, |party: &mut Driver<'_>, kept, _, chain| {
        let outlook = party.look(chain)?;
        let deeds = party.act(chain, &outlook.duties, &policy);
        let acts = Acts::new(party, chain, &outlook, deeds)?;
        let verdict = Verdict::accept_if(!acts.is_fault());
        Ok((acts.facts(kept.role, &outlook)?, verdict))
    })?;
    output.print(&facts)?;
    Ok(verdict)
}
