//! How the connectors and transactions of a graph hang together.

use crate::connectors::ConnectorKeys;
use crate::connectors::bond::BondConnector;
use crate::connectors::claimed::ClaimedConnector;
use crate::connectors::outcome::OutcomeConnector;
use crate::connectors::publish::PublishConnector;
use crate::graph::GraphError;
use crate::moves::Move;
use crate::parameters::{Parameters, RelativeBlocks};
use crate::terms::Terms;
use crate::transactions::contract::{self, Contract};
use crate::transactions::publish::Next;
use crate::transactions::{
    Coin, Presigned, TransactionKind, challenge, expire, payout, payout_disputed, publish, timeout,
};

/// All connectors but the anchors.
pub(crate) struct Connectors<'a> {
    claim: Vec<Vec<PublishConnector>>,
    asserts: Vec<Vec<PublishConnector>>,
    bond: BondConnector,
    claimed: ClaimedConnector,
    outcome: &'a OutcomeConnector,
}

impl<'a> Connectors<'a> {
    pub(crate) fn new(terms: &Terms, keys: &ConnectorKeys, outcome: &'a OutcomeConnector) -> Self {
        let of = |step: &Move, timelock: RelativeBlocks| -> Vec<PublishConnector> {
            let batches = step.batches.iter();
            batches
                .map(|batch| PublishConnector::new(keys, &terms.one_time_keys, batch, timelock))
                .collect()
        };
        let Parameters { delta, expiry, .. } = terms.parameters;
        let claim = terms.layout.claim.iter().enumerate();
        Self {
            claim: claim
                .map(|(index, step)| of(step, if index == 0 { expiry } else { delta }))
                .collect(),
            asserts: terms
                .layout
                .asserts
                .iter()
                .map(|step| of(step, delta))
                .collect(),
            bond: BondConnector::new(keys),
            claimed: ClaimedConnector::new(keys, delta),
            outcome,
        }
    }

    /// What waits after a move of the claim.
    fn after_claim(&self, index: usize) -> Next<'_> {
        self.claim
            .get(index + 1)
            .map_or(Next::Claimed(&self.claimed), |connectors| {
                Next::Move(connectors)
            })
    }

    /// What waits after `asserts` asserts (none: after the challenge).
    fn after_asserts(&self, asserts: usize) -> Next<'_> {
        self.asserts
            .get(asserts)
            .map_or(Next::Outcome(self.outcome), |connectors| {
                Next::Move(connectors)
            })
    }

    pub(crate) fn transactions(
        &self,
        terms: &Terms,
    ) -> Result<(Contract, Vec<Presigned>), GraphError> {
        let contract = Contract::new(terms, &self.claim[0], &self.bond)?;
        let funding = &contract.transaction;
        let bond = Coin::of(
            TransactionKind::Contract,
            funding,
            contract::BOND_VOUT,
            &self.bond,
        );
        let mut presigned = Vec::new();

        let mut coins: Vec<Coin<'_, PublishConnector>> = self.claim[0]
            .iter()
            .enumerate()
            .map(|(index, connector)| {
                let vout = match index as u32 {
                    // cast ok, a transaction has < 2^32 outputs
                    0 => contract::POT_VOUT,
                    further => contract::FIRST_CLAIM_VOUT + further - 1,
                };
                Coin::of(TransactionKind::Contract, funding, vout, connector)
            })
            .collect();
        presigned.push(expire::build(terms, &coins, &bond)?);
        for (index, step) in terms.layout.claim.iter().enumerate() {
            if index > 0 {
                let kind = TransactionKind::KickoffTimeout(index);
                presigned.push(timeout::build(
                    terms,
                    kind,
                    step.mover,
                    &coins,
                    Some(&bond),
                )?);
            }
            let kickoff = publish::build(
                TransactionKind::Kickoff(index),
                &coins,
                self.after_claim(index),
            )?;
            coins = move_coins(&kickoff, self.claim.get(index + 1));
            presigned.push(kickoff);
        }

        let kickoff = presigned.last().expect("the claim has a move");
        let pot = Coin::of(
            kickoff.kind,
            &kickoff.transaction,
            publish::VALUE_VOUT,
            &self.claimed,
        );
        let payout = payout::build(terms, &pot, &bond);
        let challenge = challenge::build(&pot, &bond, self.after_asserts(0))?;
        presigned.extend([payout, challenge]);

        for (index, step) in terms.layout.asserts.iter().enumerate() {
            let parent = presigned.last().expect("the challenge is there");
            let coins = move_coins(parent, self.asserts.get(index));
            let late = timeout::build(
                terms,
                TransactionKind::AssertTimeout(index),
                step.mover,
                &coins,
                None,
            )?;
            let assert = publish::build(
                TransactionKind::Assert(index),
                &coins,
                self.after_asserts(index + 1),
            )?;
            presigned.extend([late, assert]);
        }
        let last = presigned.last().expect("the challenge is there");
        let outcome = Coin::of(
            last.kind,
            &last.transaction,
            publish::VALUE_VOUT,
            self.outcome,
        );
        presigned.push(payout_disputed::build(terms, &outcome));
        Ok((contract, presigned))
    }
}

/// Returns the coins of the next move's connectors: the first outputs of its parent, or none when no move follows.
fn move_coins<'a>(
    parent: &Presigned,
    connectors: Option<&'a Vec<PublishConnector>>,
) -> Vec<Coin<'a, PublishConnector>> {
    let connectors = connectors
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .enumerate();
    // cast ok, a transaction has < 2^32 outputs
    connectors
        .map(|(vout, connector)| Coin::of(parent.kind, &parent.transaction, vout as u32, connector))
        .collect()
}
