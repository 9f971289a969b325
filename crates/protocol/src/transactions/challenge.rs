//! `challenge`: the challenger puts its bond at stake and asks the prover to publish the rest.

use super::publish::Next;
use super::{Coin, Draft, Presigned, TransactionKind};
use crate::connectors::bond::{BondConnector, BondSpend};
use crate::connectors::claimed::{ClaimedConnector, ClaimedSpend};
use crate::graph::GraphError;

/// The output that carries the value: the first connector of the first assert, or the outcome when there is none.
pub const VALUE_VOUT: u32 = 0;
/// The input that needs the challenger's own signature.
pub const POT_VIN: usize = 0;

pub(crate) fn build(
    pot: &Coin<'_, ClaimedConnector>,
    bond: &Coin<'_, BondConnector>,
    next: Next<'_>,
) -> Result<Presigned, GraphError> {
    let draft = Draft::new(TransactionKind::Challenge)
        .spend(pot, ClaimedSpend::Challenge)
        .spend(bond, BondSpend::Presigned);
    Ok(next.add_to(draft)?.finish())
}
