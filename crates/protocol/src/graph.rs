//! The graph: every transaction of a contract but `disprove`, a pure function of the terms and of the disprove leaves.

use bitcoin::{Amount, OutPoint, Transaction, TxOut, Txid};
use tapcourt_script::taptree::{LeafSource, TaptreeError};
use thiserror::Error;

use crate::connectors::ConnectorKeys;
use crate::connectors::outcome::OutcomeConnector;
use crate::keys::{AggregateKey, internal_key};
use crate::moves::LayoutError;
use crate::parameters::ParametersError;
use crate::role::Role;
use crate::size::{GroupSize, PredictedWeight};
use crate::terms::{ContractId, Terms, TermsError};
use crate::transactions::contract::Contract;
use crate::transactions::{
    Output, OutputKind, OutputRef, Presigned, TransactionKind, publish, vout_of,
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

/// All transactions of a contract, unsigned.
#[derive(Debug)]
pub struct Graph {
    pub(crate) terms: Terms,
    pub(crate) id: ContractId,
    pub(crate) aggregate: AggregateKey,
    pub(crate) keys: ConnectorKeys,
    pub(crate) contract: Contract,
    pub(crate) presigned: Vec<Presigned>,
    pub(crate) outcome: OutcomeConnector,
    pub(crate) sizes: Vec<GroupSize>,
    pub(crate) slots: Vec<Slot>,
}

impl Graph {
    /// Builds the graph. `leaves` are the disprove leaves, each of which begins with the challenger's key.
    ///
    /// Both parties call it with equal arguments and get byte-identical transactions.
    ///
    /// # Errors
    ///
    /// What is wrong with the terms, their layout, the amounts, or the leaves.
    pub fn new(terms: Terms, leaves: &dyn LeafSource) -> Result<Self, GraphError> {
        terms.check()?;
        terms.layout.check(terms.one_time_keys.len())?;
        let id = terms.contract_id();
        let aggregate = AggregateKey::new(terms.prover.key, terms.challenger.key);
        let keys = ConnectorKeys {
            internal: internal_key(id),
            aggregate: aggregate.x_only(),
            challenger: terms.challenger.x_only_key(),
        };
        let outcome = OutcomeConnector::new(&keys, terms.parameters.delta, leaves)?;
        let (contract, presigned) =
            Connectors::new(&terms, &keys, &outcome).transactions(&terms)?;
        let sizes: Vec<GroupSize> = terms
            .one_time_keys
            .iter()
            .map(|key| GroupSize::of(key.parameters()))
            .collect();
        let slots = slots(&presigned);
        Ok(Self {
            terms,
            id,
            aggregate,
            keys,
            contract,
            presigned,
            outcome,
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

    /// Returns the connector that the disprove leaves hang from.
    pub fn outcome(&self) -> &OutcomeConnector {
        &self.outcome
    }

    /// Returns the outcome output: where it is and what it holds.
    pub fn outcome_output(&self) -> (OutPoint, TxOut) {
        let parent = self.outcome_parent();
        let (txid, output) = (
            parent.txid(),
            &parent.transaction.output[publish::VALUE_VOUT as usize],
        );
        (
            OutPoint {
                txid,
                vout: publish::VALUE_VOUT,
            },
            output.clone(),
        )
    }

    /// Returns the transaction whose output is the outcome: the last assert, or the challenge when there is none.
    #[expect(
        clippy::missing_panics_doc,
        reason = "cannot fail, as the message says"
    )]
    pub fn outcome_parent(&self) -> &Presigned {
        let kind = match self.terms.layout.asserts.len() {
            0 => TransactionKind::Challenge,
            asserts => TransactionKind::Assert(asserts - 1),
        };
        self.transaction(kind)
            .expect("every graph has a challenge and all of its asserts")
    }

    /// Returns one slot per signature, in the order of [`Graph::presigned`] and its inputs.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns the sizes of the groups' openings.
    pub fn group_sizes(&self) -> &[GroupSize] {
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
