//! Bitcoin Core's script verification, without a chain.

use bitcoin::consensus::encode::serialize;
use bitcoin::{Transaction, TxOut};
use bitcoinkernel::{
    KernelError, PrecomputedTransactionData, ScriptPubkey, ScriptVerifyError, VERIFY_ALL,
};

/// Why Bitcoin Core's script verification did not accept an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreVerifyError {
    /// The script, its witness or a signature is wrong. Core's library does not say which.
    #[error("script verification of input {input_index} failed")]
    Refused {
        /// The input.
        input_index: usize,
    },
    /// The transaction has no such input.
    #[error("input {input_index} of a transaction with {inputs} inputs")]
    InputIndex {
        /// The input asked for.
        input_index: usize,
        /// Inputs of the transaction.
        inputs: usize,
    },
    /// Not one spent output for each input was given.
    #[error("{prevouts} spent outputs for {inputs} inputs")]
    PrevoutCount {
        /// Spent outputs given.
        prevouts: usize,
        /// Inputs of the transaction.
        inputs: usize,
    },
    /// Core's library cannot read the transaction or a script.
    #[error("not readable by bitcoin core: {reason}")]
    Unreadable {
        /// What the library said.
        reason: String,
    },
}

/// A transaction prepared for verification of its inputs, so that several of them share the decoding and the hashes.
pub struct CoreVerifier {
    transaction: bitcoinkernel::Transaction,
    outputs: Vec<bitcoinkernel::TxOut>,
    hashes: PrecomputedTransactionData,
}

impl std::fmt::Debug for CoreVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CoreVerifier")
            .field("inputs", &self.outputs.len())
            .finish_non_exhaustive()
    }
}

impl CoreVerifier {
    /// Prepares a transaction that spends `prevouts`, one for each input in order.
    ///
    /// # Errors
    /// [`CoreVerifyError::PrevoutCount`], or [`CoreVerifyError::Unreadable`] for what no network message could carry,
    /// such as a transaction without inputs.
    pub fn new(transaction: &Transaction, prevouts: &[TxOut]) -> Result<Self, CoreVerifyError> {
        let unreadable = |error: KernelError| CoreVerifyError::Unreadable {
            reason: error.to_string(),
        };
        if prevouts.len() != transaction.input.len() {
            return Err(CoreVerifyError::PrevoutCount {
                prevouts: prevouts.len(),
                inputs: transaction.input.len(),
            });
        }
        if prevouts.is_empty() {
            return Err(CoreVerifyError::Unreadable {
                reason: "no inputs".into(),
            });
        }
        let outputs = prevouts
            .iter()
            .map(|output| {
                let script = ScriptPubkey::new(output.script_pubkey.as_bytes())?;
                // An amount above i64::MAX is no amount in Core either; it then reads as a negative one.
                Ok(bitcoinkernel::TxOut::new(
                    &script,
                    output.value.to_sat().cast_signed(),
                ))
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        let transaction =
            bitcoinkernel::Transaction::new(&serialize(transaction)).map_err(unreadable)?;
        let hashes = PrecomputedTransactionData::new(&transaction, &outputs).map_err(unreadable)?;
        Ok(Self {
            transaction,
            outputs,
            hashes,
        })
    }

    /// Verifies one input under every consensus rule: P2SH, DERSIG, NULLDUMMY, CLTV, CSV, segwit and taproot.
    ///
    /// # Errors
    /// [`CoreVerifyError::Refused`] if Core refuses it.
    pub fn verify(&self, input_index: usize) -> Result<(), CoreVerifyError> {
        use bitcoinkernel::prelude::*;
        let output = self
            .outputs
            .get(input_index)
            .ok_or(CoreVerifyError::InputIndex {
                input_index,
                inputs: self.outputs.len(),
            })?;
        bitcoinkernel::verify(
            &output.script_pubkey(),
            Some(output.value()),
            &self.transaction,
            input_index,
            Some(VERIFY_ALL),
            &self.hashes,
        )
        .map_err(|error| match error {
            KernelError::ScriptVerify(ScriptVerifyError::Invalid) => {
                CoreVerifyError::Refused { input_index }
            }
            other => CoreVerifyError::Unreadable {
                reason: other.to_string(),
            },
        })
    }

    /// Verifies every input, in order.
    ///
    /// # Errors
    /// As [`CoreVerifier::verify`], for the first input that Core refuses.
    pub fn verify_all(&self) -> Result<(), CoreVerifyError> {
        (0..self.outputs.len()).try_for_each(|input_index| self.verify(input_index))
    }
}

/// Runs Bitcoin Core's script verification on one input of a transaction, under every consensus rule including taproot.
///
/// `prevouts` are the spent outputs, one for each input in order. For several inputs of one transaction use
/// [`CoreVerifier`], which prepares the transaction once.
///
/// # Errors
/// [`CoreVerifyError::Refused`] if Core refuses the input; the other variants if the arguments do not fit together.
pub fn core_verify(
    transaction: &Transaction,
    input_index: usize,
    prevouts: &[TxOut],
) -> Result<(), CoreVerifyError> {
    CoreVerifier::new(transaction, prevouts)?.verify(input_index)
}
