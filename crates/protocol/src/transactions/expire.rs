//! `expire`: the prover never kicked off, so the contract is undone as [`ExpiryPolicy`] says. The bond always goes back.

use bitcoin::Amount;

use super::{Coin, Draft, Presigned, TransactionKind};
use crate::connectors::bond::{BondConnector, BondSpend};
use crate::connectors::publish::{PublishConnector, PublishSpend};
use crate::graph::GraphError;
use crate::parameters::{ExpiryPolicy, sum};
use crate::role::Role;
use crate::terms::Terms;

/// Builds the transaction; `kickoff` are the pot and the kickoff's further connectors, which the prover paid for.
///
/// A party that is due nothing has no output, and one that is due less than the dust limit leaves it to the other.
pub(crate) fn build(
    terms: &Terms,
    kickoff: &[Coin<'_, PublishConnector>],
    bond: &Coin<'_, BondConnector>,
) -> Result<Presigned, GraphError> {
    let draft = kickoff
        .iter()
        .fold(Draft::new(TransactionKind::Expire), |draft, coin| {
            draft.spend(coin, PublishSpend::Timeout)
        })
        .spend(bond, BondSpend::Presigned);
    let total = draft.available()?;
    let kept = match terms.parameters.expiry_policy {
        ExpiryPolicy::Refund => sum(&[terms.parameters.challenger_stake, bond.value])?,
        ExpiryPolicy::PotToChallenger => sum(&[terms.parameters.stakes()?, bond.value])?,
    };
    let refund = total - kept; // cannot underflow: the inputs are the stakes, the bond and the connectors
    let dust = terms.prover.payout_script.minimal_non_dust();
    let refund = if refund < dust { Amount::ZERO } else { refund };
    let draft = match refund {
        Amount::ZERO => draft,
        refund => draft.pay(Role::Prover, &terms.prover.payout_script, refund),
    };
    Ok(draft
        .pay(
            Role::Challenger,
            &terms.challenger.payout_script,
            total - refund,
        )
        .finish())
}
