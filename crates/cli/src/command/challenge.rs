//! `challenge`: the challenger executes a claim again, and disputes it if it is false.

use clap::Args;
use tapcourt_protocol::{Role, TransactionKind};
use tapcourt_prover::{Duty, Phase};

use crate::error::{CliError, CliResult, Verdict};
use crate::output::Output;
use crate::play::seat::{self, Acts, SeatArgs, sit};

/// Arguments of `challenge`.
#[derive(Debug, Args)]
pub(crate) struct ChallengeArgs {
    #[command(flatten)]
    seat: SeatArgs,
    /// Dispute even a true claim: the bond is lost then.
    #[arg(long)]
    anyway: bool,
}

/// Disputes; rejects a false claim.
pub(crate) fn run(args: &ChallengeArgs, output: &Output) -> CliResult<Verdict> {
    let policy = args.seat.policy();
    let (facts, verdict) = sit(&args.seat, |party, kept, _, chain| {
        seat::check_role(kept, Role::Challenger, "challenge")?;
        let outlook = party.look(chain)?;
        let is_false = match outlook.phase {
            Phase::Unfunded => {
                return Err(CliError::new("the contract is not on the chain"));
            }
            Phase::Claiming { .. } => None,
            _ => party.judge()?,
        };
        let mut duties: Vec<Duty> = outlook
            .duties
            .iter()
            .filter(|duty| duty.kind == TransactionKind::Challenge)
            .cloned()
            .collect();
        if args.anyway && duties.is_empty() {
            duties.extend(party.engine().challenge(party.state()));
        }
        let deeds = party.act(chain, &duties, &policy);
        let facts = Acts::new(party, chain, &outlook, deeds)?
            .facts(Role::Challenger, &outlook)?
            .with("claim_is_true", is_false.map(|is_false| !is_false));
        Ok((facts, Verdict::accept_if(is_false != Some(true))))
    })?;
    output.print(&facts)?;
    Ok(verdict)
}
