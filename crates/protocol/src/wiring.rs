//! How the connectors and transactions of a graph hang together.

use crate::connectors::ConnectorKeys;
use crate::connectors::bond::BondConnector;
use crate::connectors::claimed::ClaimedConnector;
use crate::connectors::outcome::OutcomeConnector;
use crate::connectors::publish::PublishConnector;
use crate::graph::{GraphError, Outcomes};
use crate::moves::Move;
use crate::parameters::{Parameters, RelativeBlocks};
use crate::terms::Terms;
use crate::transactions::contract::{self, Contract};
use crate::transactions::publish::Next;
use crate::transactions::{
    Coin, Presigned, Stage, TransactionKind, challenge, expire, payout, payout_disputed, publish,
    timeout,
};

/// The connectors of one move: as many as it has inputs.
type MoveConnectors = Vec<PublishConnector>;

/// All connectors but the anchors.
pub(crate) struct Connectors<'a> {
    claim: Vec<MoveConnectors>,
    dispute: Vec<MoveConnectors>,
    /// Those of the opening but the first move's, which is the outcome of the dispute.
    opening: Vec<MoveConnectors>,
    bond: BondConnector,
    claimed: ClaimedConnector,
    outcomes: &'a Outcomes,
}

impl<'a> Connectors<'a> {
    pub(crate) fn new(terms: &Terms, keys: &ConnectorKeys, outcomes: &'a Outcomes) -> Self {
        let of = |step: &Move, timelock: RelativeBlocks| -> MoveConnectors {
            let batches = step.batches.iter();
            batches
                .map(|batch| PublishConnector::new(keys, &terms.one_time_keys, batch, timelock))
                .collect()
        };
        let Parameters { delta, expiry, .. } = terms.parameters;
        let layout = &terms.layout;
        let claim = layout.claim.iter().enumerate();
        Self {
            claim: claim
                .map(|(index, step)| of(step, if index == 0 { expiry } else { delta }))
                .collect(),
            dispute: layout.dispute.iter().map(|step| of(step, delta)).collect(),
            opening: layout
                .opening
                .iter()
                .skip(1)
                .map(|step| of(step, delta))
                .collect(),
            bond: BondConnector::new(keys),
            claimed: ClaimedConnector::new(keys, delta),
            outcomes,
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

    pub(crate) fn transactions(
        &self,
        terms: &Terms,
    ) -> Result<(Contract, Vec<Presigned>), GraphError> {
        let contract = Contract::new(terms, &self.claim[0], &self.bond)?;
        let mut presigned = self.claim_transactions(terms, &contract)?;
        let layout = &terms.layout;

        let dispute = Chain {
            terms,
            connectors: &self.dispute,
            outcome: &self.outcomes.dispute,
        };
        let kinds: Vec<TransactionKind> =
            layout.kinds(Stage::Dispute).map(|(kind, _)| kind).collect();
        let kickoff = presigned.last().expect("the claim has a move");
        let bond = self.bond_coin(&contract);
        let pot = Coin::of(
            kickoff.kind,
            &kickoff.transaction,
            publish::VALUE_VOUT,
            &self.claimed,
        );
        let payout = payout::build(terms, &pot, &bond);
        let challenge = challenge::build(&pot, &bond, dispute.next(0))?;
        presigned.extend([payout, challenge]);
        dispute.extend(&kinds, &mut presigned)?;
        let outcome = dispute.outcome(&presigned);
        presigned.push(payout_disputed::build(terms, Stage::Dispute, &outcome));

        if let Some(opened) = &self.outcomes.opening {
            let opening = Chain {
                terms,
                connectors: &self.opening,
                outcome: opened,
            };
            let kinds: Vec<TransactionKind> = layout
                .kinds(Stage::Opening)
                .map(|(kind, _)| kind)
                .skip(1)
                .collect();
            presigned.push(publish::open(&outcome, opening.next(0))?);
            opening.extend(&kinds, &mut presigned)?;
            let outcome = opening.outcome(&presigned);
            presigned.push(payout_disputed::build(terms, Stage::Opening, &outcome));
        }
        Ok((contract, presigned))
    }

    fn bond_coin(&self, contract: &Contract) -> Coin<'_, BondConnector> {
        Coin::of(
            TransactionKind::Contract,
            &contract.transaction,
            contract::BOND_VOUT,
            &self.bond,
        )
    }

    /// `expire`, and the moves of the claim, each but the first after its timeout.
    fn claim_transactions(
        &self,
        terms: &Terms,
        contract: &Contract,
    ) -> Result<Vec<Presigned>, GraphError> {
        let bond = self.bond_coin(contract);
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
                Coin::of(
                    TransactionKind::Contract,
                    &contract.transaction,
                    vout,
                    connector,
                )
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
        Ok(presigned)
    }
}

/// The moves of a stage, each of which spends what the one before it made, up to its outcome.
struct Chain<'a> {
    terms: &'a Terms,
    connectors: &'a [MoveConnectors],
    outcome: &'a OutcomeConnector,
}

impl<'a> Chain<'a> {
    /// What waits after so many moves.
    fn next(&self, moves: usize) -> Next<'a> {
        self.connectors
            .get(moves)
            .map_or(Next::Outcome(self.outcome), |connectors| {
                Next::Move(connectors)
            })
    }

    /// Adds each move after its timeout. The first one spends the transaction that was added last.
    fn extend(
        &self,
        kinds: &[TransactionKind],
        presigned: &mut Vec<Presigned>,
    ) -> Result<(), GraphError> {
        for (index, &kind) in kinds.iter().enumerate() {
            let parent = presigned.last().expect("a stage follows a transaction");
            let coins = move_coins(parent, self.connectors.get(index));
            let late = kind.timeout().expect("a move has a timeout");
            let mover = kind.mover().expect("a move has a mover");
            let late = timeout::build(self.terms, late, mover, &coins, None)?;
            let step = publish::build(kind, &coins, self.next(index + 1))?;
            presigned.extend([late, step]);
        }
        Ok(())
    }

    /// The outcome, made by the transaction that was added last.
    fn outcome(&self, presigned: &[Presigned]) -> Coin<'a, OutcomeConnector> {
        let last = presigned.last().expect("a stage follows a transaction");
        Coin::of(
            last.kind,
            &last.transaction,
            publish::VALUE_VOUT,
            self.outcome,
        )
    }
}

/// Returns the coins of the next move's connectors: the first outputs of its parent, or none when no move follows.
fn move_coins<'a>(
    parent: &Presigned,
    connectors: Option<&'a MoveConnectors>,
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
