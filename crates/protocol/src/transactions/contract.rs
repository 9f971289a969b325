//! `contract` funds the pot, the bond and the further connectors of the kickoff from the parties' coins.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, ScriptBuf, Sequence, TapSighashType, Transaction, TxIn, TxOut, Txid, Witness,
};

use super::{Output, OutputKind};
use crate::connectors::Connector;
use crate::connectors::bond::BondConnector;
use crate::connectors::publish::PublishConnector;
use crate::graph::GraphError;
use crate::parameters::sum;
use crate::role::Role;
use crate::terms::Terms;

/// The pot: both stakes.
pub const POT_VOUT: u32 = 0;
/// The challenger's bond.
pub const BOND_VOUT: u32 = 1;
/// The first of the kickoff's further connectors; the kickoff publishes one batch from the pot and one from each of these.
pub const FIRST_CLAIM_VOUT: u32 = 2;

/// The value of a connector that carries none of the stakes: the dust limit of a P2TR output.
///
/// <https://github.com/bitcoin/bitcoin/blob/v29.0/src/policy/policy.cpp#L27>
pub const CONNECTOR_VALUE: Amount = Amount::from_sat(330);

/// The funding transaction. Its inputs are the parties' own; each signs for them after presigning is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The transaction without witnesses: the prover's inputs first, then the challenger's.
    pub transaction: Transaction,
    /// What the inputs spend.
    pub prevouts: Vec<TxOut>,
    /// Whose inputs they are.
    pub owners: Vec<Role>,
    /// One for each of the transaction's outputs.
    pub outputs: Vec<Output>,
}

impl Contract {
    /// Builds the contract: `kickoff` are the connectors of the claim's first move.
    pub(crate) fn new(
        terms: &Terms,
        kickoff: &[PublishConnector],
        bond: &BondConnector,
    ) -> Result<Self, GraphError> {
        let parameters = &terms.parameters;
        let further = CONNECTOR_VALUE * (kickoff.len() as u64 - 1); // cast ok, usize is at most 64 bits; no move is empty
        let due = [
            (Role::Prover, sum(&[parameters.prover_stake, further])?),
            (
                Role::Challenger,
                sum(&[parameters.challenger_stake, parameters.bond])?,
            ),
        ];
        for (role, required) in due {
            let available = terms.party(role).contribution(role)?;
            if available < required {
                return Err(GraphError::Underfunded {
                    role,
                    available,
                    required,
                });
            }
        }
        let mut contract = Self {
            transaction: Transaction {
                version: Version(3),
                lock_time: LockTime::ZERO,
                input: Vec::new(),
                output: Vec::new(),
            },
            prevouts: Vec::new(),
            owners: Vec::new(),
            outputs: Vec::new(),
        };
        for role in [Role::Prover, Role::Challenger] {
            contract.add_inputs(terms, role);
        }
        let (pot, claims) = kickoff.split_first().expect("no move is empty");
        contract.add_connector(OutputKind::Pot, pot, parameters.stakes()?);
        contract.add_connector(OutputKind::Bond, bond, parameters.bond);
        for (index, claim) in claims.iter().enumerate() {
            contract.add_connector(OutputKind::Connector(index + 1), claim, CONNECTOR_VALUE);
        }
        for role in [Role::Prover, Role::Challenger] {
            for (index, output) in terms.party(role).change.iter().enumerate() {
                contract.transaction.output.push(output.clone());
                contract.outputs.push(Output {
                    kind: OutputKind::Change(role, index),
                    taproot: None,
                });
            }
        }
        Ok(contract)
    }

    fn add_inputs(&mut self, terms: &Terms, role: Role) {
        for input in &terms.party(role).inputs {
            self.transaction.input.push(TxIn {
                previous_output: input.outpoint,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                witness: Witness::new(),
            });
            self.prevouts.push(input.prevout.clone());
            self.owners.push(role);
        }
    }

    fn add_connector<C: Connector>(&mut self, kind: OutputKind, connector: &C, value: Amount) {
        self.transaction.output.push(TxOut {
            value,
            script_pubkey: connector.script_pubkey(),
        });
        self.outputs.push(Output {
            kind,
            taproot: Some((connector.internal_key(), connector.merkle_root())),
        });
    }

    /// Returns the txid, which is final: all inputs are segwit.
    pub fn txid(&self) -> Txid {
        self.transaction.compute_txid()
    }

    /// Returns the fee: the parties' contributions less what they owe.
    pub fn fee(&self) -> Amount {
        let paid = self
            .prevouts
            .iter()
            .map(|prevout| prevout.value)
            .sum::<Amount>();
        paid - self
            .transaction
            .output
            .iter()
            .map(|output| output.value)
            .sum::<Amount>()
    }

    /// Calculates what a party signs for its taproot coins by their key path: (input, message) pairs.
    #[expect(
        clippy::missing_panics_doc,
        reason = "cannot fail, as the message says"
    )]
    pub fn key_path_sighashes(&self, role: Role) -> Vec<(usize, [u8; 32])> {
        let mut cache = SighashCache::new(&self.transaction);
        let mine = self
            .owners
            .iter()
            .enumerate()
            .filter(|(_, owner)| **owner == role);
        mine.map(|(index, _)| {
            let message = cache
                .taproot_key_spend_signature_hash(
                    index,
                    &Prevouts::All(&self.prevouts),
                    TapSighashType::Default,
                )
                .expect("the index and the prevouts are the transaction's own");
            (index, message.to_byte_array())
        })
        .collect()
    }

    /// Puts the parties' witnesses in, each list in the order of its party's inputs.
    ///
    /// # Errors
    ///
    /// [`GraphError::FundingWitnesses`] when a list has the wrong length.
    pub fn finalise(
        &self,
        prover: &[Witness],
        challenger: &[Witness],
    ) -> Result<Transaction, GraphError> {
        for (role, witnesses) in [(Role::Prover, prover), (Role::Challenger, challenger)] {
            let expected = self.owners.iter().filter(|owner| **owner == role).count();
            if witnesses.len() != expected {
                return Err(GraphError::FundingWitnesses {
                    role,
                    got: witnesses.len(),
                    expected,
                });
            }
        }
        let mut transaction = self.transaction.clone();
        for (input, witness) in transaction
            .input
            .iter_mut()
            .zip(prover.iter().chain(challenger))
        {
            input.witness = witness.clone();
        }
        Ok(transaction)
    }
}
