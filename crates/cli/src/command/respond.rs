//! `respond`: a party does whatever the contract asks of it now.

use std::time::Duration;

use clap::Args;
use tapcourt_prover::Phase;

use crate::count::count;
use crate::error::{CliResult, Verdict};
use crate::output::{Output, comment};
use crate::play::seat::{self, SeatArgs, sit};

/// Arguments of `respond`.
#[derive(Debug, Args)]
pub(crate) struct RespondArgs {
    #[command(flatten)]
    seat: SeatArgs,
    /// Go on until the contract is settled, looking at the chain every so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = count::<u64>("seconds", 1..=86_400))]
    watch: Option<u64>,
}

/// Does what is due; rejects if a fault was found in the other party's claim.
pub(crate) fn run(args: &RespondArgs, output: &Output) -> CliResult<Verdict> {
    sit(&args.seat, |player, kept, _, chain| {
        let mut verdict = Verdict::Accept;
        loop {
            let outlook = player.sync(chain)?;
            let sent = seat::perform(player, chain, &outlook.duties, &args.seat)?;
            if seat::is_fault(&sent) {
                verdict = Verdict::Reject;
            }
            let settled = matches!(outlook.phase, Phase::Settled { .. });
            if !sent.is_empty() || settled || args.watch.is_none() {
                let printed = output.print(&seat::facts(kept.role, &outlook, &sent));
                if args.watch.is_some() {
                    // Whoever stops watching loses the contract, whether anybody reads along or
                    // not.
                    printed.unwrap_or_else(|error| comment(format!("tapcourt: {error}")));
                } else {
                    printed?;
                }
            }
            match args.watch {
                Some(seconds) if !settled => std::thread::sleep(Duration::from_secs(seconds)),
                _ => return Ok(verdict),
            }
        }
    })
}
