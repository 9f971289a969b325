//! How a presigned transaction is put together.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Witness};

use super::{Output, OutputKind, OutputRef, Presigned, PresignedInput, TransactionKind};
use crate::connectors::Connector;
use crate::connectors::anchor::anchor_output;
use crate::parameters::{ParametersError, sum};
use crate::role::Role;

/// An unspent connector of a transaction that has been built.
#[derive(Debug, Clone)]
pub(crate) struct Coin<'a, C> {
    pub(crate) source: OutputRef,
    pub(crate) outpoint: OutPoint,
    pub(crate) value: Amount,
    pub(crate) connector: &'a C,
}

impl<'a, C> Coin<'a, C> {
    pub(crate) fn of(
        kind: TransactionKind,
        transaction: &Transaction,
        vout: u32,
        connector: &'a C,
    ) -> Self {
        Self {
            source: OutputRef {
                transaction: kind,
                vout,
            },
            outpoint: OutPoint {
                txid: transaction.compute_txid(),
                vout,
            },
            value: transaction.output[vout as usize].value,
            connector,
        }
    }
}

/// Assembles a presigned transaction.
pub(crate) struct Draft {
    kind: TransactionKind,
    tx_inputs: Vec<TxIn>,
    inputs: Vec<PresignedInput>,
    tx_outputs: Vec<TxOut>,
    outputs: Vec<Output>,
}

impl Draft {
    pub(crate) fn new(kind: TransactionKind) -> Self {
        Self {
            kind,
            tx_inputs: Vec::new(),
            inputs: Vec::new(),
            tx_outputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    pub(crate) fn spend<C: Connector>(mut self, coin: &Coin<'_, C>, path: C::SpendPath) -> Self {
        let spend = coin.connector.spend(path);
        self.tx_inputs.push(TxIn {
            previous_output: coin.outpoint,
            script_sig: ScriptBuf::new(),
            sequence: spend.sequence(),
            witness: Witness::new(),
        });
        self.inputs.push(PresignedInput {
            source: coin.source,
            prevout: TxOut {
                value: coin.value,
                script_pubkey: coin.connector.script_pubkey(),
            },
            script: spend.script,
            control_block: spend.control_block,
            timelock: spend.timelock,
            publications: spend.publications,
            cosigner: spend.cosigner,
        });
        self
    }

    /// Returns the value of all inputs so far.
    pub(crate) fn available(&self) -> Result<Amount, ParametersError> {
        sum(&self
            .inputs
            .iter()
            .map(|input| input.prevout.value)
            .collect::<Vec<_>>())
    }

    pub(crate) fn connector<C: Connector>(
        mut self,
        kind: OutputKind,
        connector: &C,
        value: Amount,
    ) -> Self {
        self.tx_outputs.push(TxOut {
            value,
            script_pubkey: connector.script_pubkey(),
        });
        self.outputs.push(Output {
            kind,
            taproot: Some((connector.internal_key(), connector.merkle_root())),
        });
        self
    }

    pub(crate) fn pay(mut self, role: Role, script: &ScriptBuf, value: Amount) -> Self {
        self.tx_outputs.push(TxOut {
            value,
            script_pubkey: script.clone(),
        });
        self.outputs.push(Output {
            kind: OutputKind::Paid(role),
            taproot: None,
        });
        self
    }

    /// Adds the anchor and closes the transaction.
    pub(crate) fn finish(mut self) -> Presigned {
        self.tx_outputs.push(anchor_output());
        self.outputs.push(Output {
            kind: OutputKind::Anchor,
            taproot: None,
        });
        let transaction = Transaction {
            version: Version(3),
            lock_time: LockTime::ZERO,
            input: self.tx_inputs,
            output: self.tx_outputs,
        };
        Presigned {
            kind: self.kind,
            transaction,
            inputs: self.inputs,
            outputs: self.outputs,
        }
    }
}
