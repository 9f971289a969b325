//! The graph: every transaction of a contract but `disprove`, a pure function of the terms and of the disprove leaves.

use bitcoin::{Amount, OutPoint, Transaction, TxOut, Txid};
use tapcourt_commitment::{Parameters as Shape, PublicKey as OneTimeKey};
use tapcourt_script::taptree::{LeafSource, TaptreeError};
use thiserror::Error;

use crate::connectors::ConnectorKeys;
use crate::connectors::outcome::OutcomeConnector;
use crate::keys::{AggregateKey, internal_key};
use crate::moves::LayoutError;
use crate::parameters::ParametersError;
use crate::role::Role;
use crate::size::{PredictedWeight, Sizes};
use crate::terms::{ContractId, Terms, TermsError};
use crate::transactions::contract::Contract;
use crate::transactions::{
    Output, OutputKind, OutputRef, Presigned, Stage, TransactionKind, publish, vout_of,
};
use crate::wiring::Connectors;

/// One signature to make: an input of a presigned transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The transaction.
    pub transaction: TransactionKind,
    /// The input.
    pub vin: usize,
    /// The message: BIP-0341's under `SIGHASH_DEFAULT`.
    pub sighash: [u8; 32],
}

/// The leaves by which the challenger may disprove, each of which begins with its key.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds leaves of any type")]
pub struct DisproveLeaves<'a> {
    /// After the dispute.
    pub dispute: &'a dyn LeafSource,
    /// After the opening, if the layout has one.
    pub opening: Option<&'a dyn LeafSource>,
}

impl<'a> DisproveLeaves<'a> {
    /// The leaves of a contract that has no opening.
    pub fn of_dispute(dispute: &'a dyn LeafSource) -> Self {
        Self {
            dispute,
            opening: None,
        }
    }

    /// The leaves after a stage.
    pub fn stage(&self, stage: Stage) -> Option<&'a dyn LeafSource> {
        match stage {
            Stage::Dispute => Some(self.dispute),
            Stage::Opening => self.opening,
        }
    }
}

/// The connectors that the disprove leaves hang from.
#[derive(Debug)]
pub(crate) struct Outcomes {
    pub(crate) dispute: OutcomeConnector,
    pub(crate) opening: Option<OutcomeConnector>,
}

impl Outcomes {
    fn new(
        terms: &Terms,
        keys: &ConnectorKeys,
        leaves: &DisproveLeaves<'_>,
    ) -> Result<Self, GraphError> {
        let has_opening = !terms.layout.opening.is_empty();
        if has_opening != leaves.opening.is_some() {
            return Err(GraphError::OpeningLeaves { has_opening });
        }
        let delta = terms.parameters.delta;
        let open = terms.layout.opening.first();
        let open = open.and_then(|step| step.batches.first());
        let one_time_keys = &terms.one_time_keys;
        let dispute = OutcomeConnector::new(keys, delta, leaves.dispute, one_time_keys, open)?;
        let opening = leaves
            .opening
            .map(|leaves| OutcomeConnector::new(keys, delta, leaves, one_time_keys, None));
        Ok(Self {
            dispute,
            opening: opening.transpose()?,
        })
    }
}

/// All transactions of a contract, unsigned.
#[derive(Debug)]
pub struct Graph {
    pub(crate) terms: Terms,
    pub(crate) id: ContractId,
    pub(crate) aggregate: AggregateKey,
    pub(crate) keys: ConnectorKeys,
    pub(crate) contract: Contract,
    pub(crate) presigned: Vec<Presigned>,
    pub(crate) outcomes: Outcomes,
    pub(crate) sizes: Sizes,
    pub(crate) slots: Vec<Slot>,
}

impl Graph {
    /// Builds the graph.
    ///
    /// Both parties call it with equal arguments and get byte-identical transactions.
    ///
    /// # Errors
    ///
    /// What is wrong with the terms, their layout, the amounts, or the leaves.
    pub fn new(terms: Terms, leaves: &DisproveLeaves<'_>) -> Result<Self, GraphError> {
        terms.check()?;
        let shapes: Vec<&Shape> = terms
            .one_time_keys
            .iter()
            .map(OneTimeKey::parameters)
            .collect();
        terms.layout.check(&shapes)?;
        let sizes = Sizes::new(shapes.into_iter().cloned().collect());
        let id = terms.contract_id();
        let aggregate = AggregateKey::new(terms.prover.key, terms.challenger.key);
        let keys = ConnectorKeys {
            internal: internal_key(id),
            aggregate: aggregate.x_only(),
            challenger: terms.challenger.x_only_key(),
        };
        let outcomes = Outcomes::new(&terms, &keys, leaves)?;
        let (contract, presigned) =
            Connectors::new(&terms, &keys, &outcomes).transactions(&terms)?;
        let slots = slots(&presigned);
        Ok(Self {
            terms,
            id,
            aggregate,
            keys,
            contract,
            presigned,
            outcomes,
            sizes,
            slots,
        })
    }

    /// Returns the terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Returns the contract id.
    pub fn id(&self) -> ContractId {
        self.id
    }

    /// Returns the key of the presigned signatures.
    pub fn aggregate_key(&self) -> &AggregateKey {
        &self.aggregate
    }

    /// Returns the keys of the connectors.
    pub fn connector_keys(&self) -> &ConnectorKeys {
        &self.keys
    }

    /// Returns the funding transaction.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Returns the presigned transactions, in the order in which they are signed.
    pub fn presigned(&self) -> &[Presigned] {
        &self.presigned
    }

    /// Returns a presigned transaction, or `None` when the contract has none of this kind.
    pub fn transaction(&self, kind: TransactionKind) -> Option<&Presigned> {
        self.presigned
            .iter()
            .find(|transaction| transaction.kind == kind)
    }

    /// Finds which transaction has this txid.
    pub fn find(&self, txid: Txid) -> Option<TransactionKind> {
        if self.contract.txid() == txid {
            return Some(TransactionKind::Contract);
        }
        self.presigned
            .iter()
            .find(|transaction| transaction.txid() == txid)
            .map(|transaction| transaction.kind)
    }

    /// Returns the stages that may end with a disprove leaf.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        self.terms.layout.stages()
    }

    /// Returns the connector that the disprove leaves of a stage hang from, or `None` when there is no such stage.
    pub fn outcome(&self, stage: Stage) -> Option<&OutcomeConnector> {
        match stage {
            Stage::Dispute => Some(&self.outcomes.dispute),
            Stage::Opening => self.outcomes.opening.as_ref(),
        }
    }

    /// Returns the outcome output of a stage: where it is and what it holds. `None` when there is no such stage.
    pub fn outcome_output(&self, stage: Stage) -> Option<(OutPoint, TxOut)> {
        let parent = self.outcome_parent(stage)?;
        let (txid, output) = (
            parent.txid(),
            &parent.transaction.output[publish::VALUE_VOUT as usize],
        );
        Some((
            OutPoint {
                txid,
                vout: publish::VALUE_VOUT,
            },
            output.clone(),
        ))
    }

    /// Returns the transaction whose output is the outcome of a stage: its last move, or the challenge when there is none. `None` when
    /// there is no such stage.
    pub fn outcome_parent(&self, stage: Stage) -> Option<&Presigned> {
        let last = self.terms.layout.kinds(stage).last().map(|(kind, _)| kind);
        let kind = match stage {
            Stage::Dispute => last.unwrap_or(TransactionKind::Challenge),
            Stage::Opening => last?,
        };
        self.transaction(kind)
    }

    /// Finds the stage whose outcome is this output.
    pub fn stage_of_outcome(&self, outpoint: OutPoint) -> Option<Stage> {
        self.stages().find(|&stage| {
            self.outcome_output(stage)
                .is_some_and(|(outcome, _)| outcome == outpoint)
        })
    }

    /// Returns one slot per signature, in the order of [`Graph::presigned`] and its inputs.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns the sizes of everything that the groups are published as.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// Predicts the weight of a presigned transaction.
    pub fn predicted_weight(&self, kind: TransactionKind) -> Option<PredictedWeight> {
        self.transaction(kind)
            .map(|transaction| transaction.predicted_weight(&self.sizes))
    }

    /// Returns the outputs of a transaction of the graph, the contract included.
    pub fn outputs(&self, kind: TransactionKind) -> Option<(&Transaction, &[Output])> {
        if kind == TransactionKind::Contract {
            return Some((&self.contract.transaction, &self.contract.outputs));
        }
        self.transaction(kind)
            .map(|presigned| (&presigned.transaction, presigned.outputs.as_slice()))
    }

    /// Finds an output by transaction and kind.
    pub fn output(&self, transaction: TransactionKind, kind: OutputKind) -> Option<OutputRef> {
        let (_, outputs) = self.outputs(transaction)?;
        vout_of(outputs, kind).map(|vout| OutputRef { transaction, vout })
    }

    /// Returns the presigned transactions that spend an output.
    pub fn spenders(&self, output: OutputRef) -> impl Iterator<Item = &Presigned> {
        self.presigned.iter().filter(move |transaction| {
            transaction
                .inputs
                .iter()
                .any(|input| input.source == output)
        })
    }
}

fn slots(presigned: &[Presigned]) -> Vec<Slot> {
    let of = |transaction: &Presigned| {
        let kind = transaction.kind;
        let sighashes = transaction.sighashes().into_iter().enumerate();
        sighashes
            .map(move |(vin, sighash)| Slot {
                transaction: kind,
                vin,
                sighash,
            })
            .collect::<Vec<_>>()
    };
    presigned.iter().flat_map(of).collect()
}

/// Why no graph can be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// See [`TermsError`].
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// See [`ParametersError`].
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    /// See [`LayoutError`].
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The tree of the disprove leaves.
    #[error("disprove leaves: {0}")]
    Leaves(#[from] TaptreeError),
    /// An opening without leaves, or leaves without an opening.
    #[error(
        "{}",
        if *.has_opening { "the layout has an opening, and there are no leaves for it" } else { "there are leaves for an opening that the layout does not have" }
    )]
    OpeningLeaves {
        /// Whether the layout has an opening.
        has_opening: bool,
    },
    /// A party's coins do not cover what it owes.
    #[error("the {role} brings {available} and owes {required}")]
    Underfunded {
        /// Whose.
        role: Role,
        /// What its inputs less its change come to.
        available: Amount,
        /// What it owes: stake and bond, or stake and claim connectors.
        required: Amount,
    },
    /// The pot cannot pay for the connectors of a move.
    #[error("{available} does not cover the {connectors} connectors of the next move")]
    PotTooSmall {
        /// What the inputs bring.
        available: Amount,
        /// How many connectors there are.
        connectors: usize,
    },
    /// A list of funding witnesses has the wrong length.
    #[error("{got} witnesses for the {role}'s {expected} funding inputs")]
    FundingWitnesses {
        /// Whose.
        role: Role,
        /// How many were given.
        got: usize,
        /// How many inputs there are.
        expected: usize,
    },
}
