//! The moves that publish: `kickoff`, every `assert` and every `select`. Each spends all connectors of the transaction before it and makes
//! those of the transaction after it.

use bitcoin::Amount;

use super::contract::CONNECTOR_VALUE;
use super::{Coin, Draft, OutputKind, Presigned, TransactionKind};
use crate::connectors::claimed::ClaimedConnector;
use crate::connectors::outcome::{OutcomeConnector, OutcomeSpend};
use crate::connectors::publish::{PublishConnector, PublishSpend};
use crate::graph::GraphError;

/// The output that carries the value: the pot, the first connector of the next move, or the outcome.
pub const VALUE_VOUT: u32 = 0;

/// What waits after a move.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Next<'a> {
    /// The connectors of another move.
    Move(&'a [PublishConnector]),
    /// The claimed pot.
    Claimed(&'a ClaimedConnector),
    /// The end of a stage.
    Outcome(&'a OutcomeConnector),
}

impl Next<'_> {
    /// Adds the outputs that wait, which share everything the inputs bring.
    pub(crate) fn add_to(self, draft: Draft) -> Result<Draft, GraphError> {
        let value = draft.available()?;
        match self {
            Next::Claimed(connector) => Ok(draft.connector(OutputKind::Pot, connector, value)),
            Next::Outcome(connector) => Ok(draft.connector(OutputKind::Outcome, connector, value)),
            Next::Move(connectors) => {
                let further = CONNECTOR_VALUE * (connectors.len() as u64 - 1); // cast ok; no move is empty
                let first = value
                    .checked_sub(further)
                    .filter(|first| *first >= CONNECTOR_VALUE)
                    .ok_or(GraphError::PotTooSmall {
                        available: value,
                        connectors: connectors.len(),
                    })?;
                let amount =
                    |index: usize| -> Amount { if index == 0 { first } else { CONNECTOR_VALUE } };
                Ok(connectors
                    .iter()
                    .enumerate()
                    .fold(draft, |draft, (index, connector)| {
                        draft.connector(OutputKind::Connector(index), connector, amount(index))
                    }))
            }
        }
    }
}

/// Builds a move that spends `coins`, the first of which carries the value.
pub(crate) fn build(
    kind: TransactionKind,
    coins: &[Coin<'_, PublishConnector>],
    next: Next<'_>,
) -> Result<Presigned, GraphError> {
    let draft = coins.iter().fold(Draft::new(kind), |draft, coin| {
        draft.spend(coin, PublishSpend::Publish)
    });
    Ok(next.add_to(draft)?.finish())
}

/// Builds the challenger's move that opens, in place of a disprove leaf.
pub(crate) fn open(
    outcome: &Coin<'_, OutcomeConnector>,
    next: Next<'_>,
) -> Result<Presigned, GraphError> {
    let draft = Draft::new(TransactionKind::OPEN).spend(outcome, OutcomeSpend::Open);
    Ok(next.add_to(draft)?.finish())
}
