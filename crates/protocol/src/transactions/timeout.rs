//! `…_timeout`: a mover was late by Δ, so the other party takes everything, the bond included.

use super::{Coin, Draft, Presigned, TransactionKind};
use crate::connectors::bond::{BondConnector, BondSpend};
use crate::connectors::publish::{PublishConnector, PublishSpend};
use crate::graph::GraphError;
use crate::role::Role;
use crate::terms::Terms;

/// The output with everything.
pub const WINNER_VOUT: u32 = 0;

/// Builds the transaction. `bond` is given while the bond is still an output of its own: before the challenge.
pub(crate) fn build(
    terms: &Terms,
    kind: TransactionKind,
    late: Role,
    coins: &[Coin<'_, PublishConnector>],
    bond: Option<&Coin<'_, BondConnector>>,
) -> Result<Presigned, GraphError> {
    let mut draft = coins.iter().fold(Draft::new(kind), |draft, coin| {
        draft.spend(coin, PublishSpend::Timeout)
    });
    if let Some(bond) = bond {
        draft = draft.spend(bond, BondSpend::Presigned);
    }
    let total = draft.available()?;
    let winner = late.other();
    Ok(draft
        .pay(winner, &terms.party(winner).payout_script, total)
        .finish())
}
