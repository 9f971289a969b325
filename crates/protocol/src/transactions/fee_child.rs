//! The child that spends a presigned transaction's anchor and pays the fee of both, sent with it as one package.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, FeeRate, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Weight, Witness,
};
use tapcourt_script::limits::TRUC_CHILD_MAX_VSIZE_VB;
use thiserror::Error;

use crate::connectors::anchor::anchor_script;
use crate::terms::FundingInput;

/// The witness weight of a P2TR key-path spend under `SIGHASH_DEFAULT`: item count, length, 64-byte signature.
pub const KEY_PATH_WITNESS_WU: u64 = 66;

/// A wallet's coin and the weight of the witness that spends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletCoin {
    /// The coin, which must be confirmed: a version 3 child has one unconfirmed parent.
    pub coin: FundingInput,
    /// The weight of its witness, such as [`KEY_PATH_WITNESS_WU`].
    pub witness_wu: u64,
}

/// A fee-paying child; the wallet signs all inputs but the first, which is the anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeChild {
    /// The transaction without witnesses. The anchor's witness stays empty.
    pub transaction: Transaction,
    /// What its inputs spend.
    pub prevouts: Vec<TxOut>,
    /// The fee of the whole package.
    pub fee: Amount,
}

/// The anchor's place among the child's inputs.
pub const ANCHOR_VIN: usize = 0;

impl FeeChild {
    /// Builds the child of `parent`, which must carry its final witnesses. The package pays `feerate` on both together.
    ///
    /// # Errors
    ///
    /// When the parent has no anchor, the child would exceed 1,000 vB, or the coins do not cover fee and change.
    pub fn new(
        parent: &Transaction,
        coins: &[WalletCoin],
        change: &ScriptBuf,
        feerate: FeeRate,
    ) -> Result<Self, FeeChildError> {
        let anchor = anchor_script();
        let vout = parent
            .output
            .iter()
            .position(|output| output.script_pubkey == anchor);
        let vout = vout.ok_or(FeeChildError::NoAnchor)? as u32; // cast ok, a transaction has < 2^32 outputs
        let anchor_outpoint = OutPoint {
            txid: parent.compute_txid(),
            vout,
        };
        let outpoints =
            std::iter::once(anchor_outpoint).chain(coins.iter().map(|coin| coin.coin.outpoint));
        let input = |previous_output| TxIn {
            previous_output,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        };
        let mut transaction = Transaction {
            version: Version(3),
            lock_time: LockTime::ZERO,
            input: outpoints.map(input).collect(),
            output: vec![TxOut {
                value: Amount::ZERO,
                script_pubkey: change.clone(),
            }],
        };
        // Marker and flag, and the anchor's empty witness.
        let witness_wu = 2 + 1 + coins.iter().map(|coin| coin.witness_wu).sum::<u64>();
        let weight = Weight::from_wu(4 * transaction.base_size() as u64 + witness_wu);
        if weight.to_vbytes_ceil() > TRUC_CHILD_MAX_VSIZE_VB {
            return Err(FeeChildError::TooLarge {
                vbytes: weight.to_vbytes_ceil(),
                limit: TRUC_CHILD_MAX_VSIZE_VB,
            });
        }
        let package_vb = weight.to_vbytes_ceil() + parent.weight().to_vbytes_ceil();
        let available = coins.iter().try_fold(Amount::ZERO, |total, coin| {
            total.checked_add(coin.coin.prevout.value)
        });
        let available = available.unwrap_or(Amount::ZERO);
        let fee = feerate
            .fee_vb(package_vb)
            .ok_or(FeeChildError::Insufficient {
                available,
                fee: Amount::MAX_MONEY,
            })?;
        let left = available
            .checked_sub(fee)
            .filter(|left| *left >= change.minimal_non_dust());
        transaction.output[0].value = left.ok_or(FeeChildError::Insufficient { available, fee })?;
        let prevouts = std::iter::once(parent.output[vout as usize].clone())
            .chain(coins.iter().map(|coin| coin.coin.prevout.clone()))
            .collect();
        Ok(Self {
            transaction,
            prevouts,
            fee,
        })
    }
}

/// Why no fee-paying child can be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeeChildError {
    /// The parent pays its own fee.
    #[error("the parent has no anchor output")]
    NoAnchor,
    /// A version 3 child has a limit of its own.
    #[error("the child would have {vbytes} vB, {limit} relay")]
    TooLarge {
        /// Its size.
        vbytes: u64,
        /// The most that relays.
        limit: u64,
    },
    /// The coins do not cover the fee and a change output above the dust limit.
    #[error("the coins come to {available}, the fee is {fee}")]
    Insufficient {
        /// What the coins come to.
        available: Amount,
        /// The fee.
        fee: Amount,
    },
}
