//! `payout`: nobody objected for Δ, so the prover takes the pot and the bond goes back to the challenger.

use super::{Coin, Draft, Presigned, TransactionKind};
use crate::connectors::bond::{BondConnector, BondSpend};
use crate::connectors::claimed::{ClaimedConnector, ClaimedSpend};
use crate::role::Role;
use crate::terms::Terms;

/// The pot, paid to the prover.
pub const PROVER_VOUT: u32 = 0;
/// The bond, returned to the challenger.
pub const CHALLENGER_VOUT: u32 = 1;

pub(crate) fn build(
    terms: &Terms,
    pot: &Coin<'_, ClaimedConnector>,
    bond: &Coin<'_, BondConnector>,
) -> Presigned {
    Draft::new(TransactionKind::Payout)
        .spend(pot, ClaimedSpend::Payout)
        .spend(bond, BondSpend::Presigned)
        .pay(Role::Prover, &terms.prover.payout_script, pot.value)
        .pay(
            Role::Challenger,
            &terms.challenger.payout_script,
            bond.value,
        )
        .finish()
}
