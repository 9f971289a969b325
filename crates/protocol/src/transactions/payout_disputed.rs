//! `payout_disputed`: nobody disproved, or had anything opened, for Δ after the last move, so the prover takes pot and bond.

use super::{Coin, Draft, Presigned, Stage, TransactionKind};
use crate::connectors::outcome::{OutcomeConnector, OutcomeSpend};
use crate::role::Role;
use crate::terms::Terms;

/// The pot and the bond, paid to the prover.
pub const PROVER_VOUT: u32 = 0;

pub(crate) fn build(
    terms: &Terms,
    stage: Stage,
    outcome: &Coin<'_, OutcomeConnector>,
) -> Presigned {
    Draft::new(TransactionKind::PayoutDisputed(stage))
        .spend(outcome, OutcomeSpend::Payout)
        .pay(Role::Prover, &terms.prover.payout_script, outcome.value)
        .finish()
}
