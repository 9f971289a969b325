//! Signature and lock time checks against the spending transaction.

use std::sync::LazyLock;

use bitcoin::key::XOnlyPublicKey;
use bitcoin::secp256k1::schnorr::Signature;
use bitcoin::secp256k1::{Message, Secp256k1, VerifyOnly};
use bitcoin::sighash::{Annex, Prevouts, SighashCache};
use bitcoin::{TapLeafHash, TapSighashType, Transaction, TxOut};

use super::FailureReason;
use crate::limits::{LOCKTIME_THRESHOLD, VALIDATION_WEIGHT_OFFSET};

pub(crate) static SECP: LazyLock<Secp256k1<VerifyOnly>> =
    LazyLock::new(Secp256k1::verification_only);

/// Bit of a sequence number, or of the operand of `OP_CHECKSEQUENCEVERIFY`, that turns relative lock time off (BIP-0068).
pub(super) const SEQUENCE_LOCKTIME_DISABLE_FLAG: i64 = 1 << 31;
/// Bit that makes a relative lock time count units of 512 seconds instead of blocks (BIP-0068).
const SEQUENCE_LOCKTIME_TYPE_FLAG: i64 = 1 << 22;
/// Bits of a sequence number that hold the relative lock time (BIP-0068).
const SEQUENCE_LOCKTIME_MASK: i64 = 0xffff;
/// Sequence number of an input that ignores lock times.
const SEQUENCE_FINAL: u32 = 0xffff_ffff;

/// The spend that a leaf is executed for: what signatures commit to and lock times are compared with.
#[derive(Clone, Copy, Debug)]
pub struct TxContext<'a> {
    /// The spending transaction.
    pub tx: &'a Transaction,
    /// The input that spends the leaf.
    pub input_index: usize,
    /// The outputs that all inputs spend, in order.
    pub prevouts: &'a [TxOut],
    /// The leaf's hash.
    pub leaf_hash: TapLeafHash,
    /// The annex with its tag byte, if the witness has one.
    pub annex: Option<&'a [u8]>,
    /// Validation weight, in WU, that signature checks may use up (BIP-0342); `None` if they are not to be counted.
    pub validation_weight_wu: Option<i64>,
}

impl<'a> TxContext<'a> {
    /// The context of an input without annex. Its validation weight is that of the input's witness, or uncounted as long
    /// as that witness is empty.
    ///
    /// # Panics
    /// If the transaction has no such input.
    pub fn new(
        tx: &'a Transaction,
        input_index: usize,
        prevouts: &'a [TxOut],
        leaf_hash: TapLeafHash,
    ) -> Self {
        let witness = &tx.input[input_index].witness;
        let validation_weight_wu =
            (!witness.is_empty()).then(|| validation_weight_wu(witness.size()));
        Self {
            tx,
            input_index,
            prevouts,
            leaf_hash,
            annex: None,
            validation_weight_wu,
        }
    }

    /// BIP-0065: whether the transaction's lock time has reached `required`.
    pub(super) fn check_locktime(&self, required: i64) -> bool {
        let locktime = i64::from(self.tx.lock_time.to_consensus_u32());
        let same_unit = (locktime < LOCKTIME_THRESHOLD) == (required < LOCKTIME_THRESHOLD);
        same_unit && required <= locktime && self.sequence() != SEQUENCE_FINAL
    }

    /// BIP-0112: whether the input's relative lock time is at least `required`, whose disable bit is not set.
    pub(super) fn check_sequence(&self, required: i64) -> bool {
        let sequence = i64::from(self.sequence());
        // cast ok: BIP-0068 compares the version as unsigned
        if (self.tx.version.0 as u32) < 2 || sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG != 0 {
            return false;
        }
        let mask = SEQUENCE_LOCKTIME_TYPE_FLAG | SEQUENCE_LOCKTIME_MASK;
        let (sequence, required) = (sequence & mask, required & mask);
        let same_unit =
            (sequence < SEQUENCE_LOCKTIME_TYPE_FLAG) == (required < SEQUENCE_LOCKTIME_TYPE_FLAG);
        same_unit && required <= sequence
    }

    fn sequence(&self) -> u32 {
        self.tx
            .input
            .get(self.input_index)
            .map_or(SEQUENCE_FINAL, |input| input.sequence.to_consensus_u32())
    }
}

/// The validation weight of an input with a witness of this serialized size (BIP-0342).
pub(super) fn validation_weight_wu(witness_bytes: usize) -> i64 {
    // A witness beyond i64::MAX bytes cannot exist in memory.
    i64::try_from(witness_bytes).expect("sizes fit i64") + VALIDATION_WEIGHT_OFFSET
}

/// Checks a BIP-0340 signature over the transaction, as Bitcoin Core's `CheckSchnorrSignature` does. `leaf` is the leaf
/// hash and code separator position of a script path spend, or none for the key path.
pub(super) fn check_signature(
    cache: &mut SighashCache<&Transaction>,
    input_index: usize,
    prevouts: &[TxOut],
    annex: Option<&[u8]>,
    leaf: Option<(TapLeafHash, u32)>,
    signature: &[u8],
    public_key: &[u8; 32],
) -> Result<(), FailureReason> {
    let (signature, hash_type) = match signature.len() {
        64 => (signature, 0),
        65 if signature[64] == 0 => return Err(FailureReason::SchnorrHashType { hash_type: 0 }),
        65 => (&signature[..64], signature[64]),
        bytes => return Err(FailureReason::SchnorrSignatureSize { bytes }),
    };
    let invalid_type = FailureReason::SchnorrHashType { hash_type };
    let annex = annex
        .map(Annex::new)
        .transpose()
        .map_err(|_| invalid_type.clone())?;
    let sighash_type =
        TapSighashType::from_consensus_u8(hash_type).map_err(|_| invalid_type.clone())?;
    let sighash = cache
        .taproot_signature_hash(
            input_index,
            &Prevouts::All(prevouts),
            annex,
            leaf,
            sighash_type,
        )
        .map_err(|_| invalid_type)?;
    let signature =
        Signature::from_slice(signature).map_err(|_| FailureReason::SchnorrSignature)?;
    let key =
        XOnlyPublicKey::from_slice(public_key).map_err(|_| FailureReason::SchnorrSignature)?;
    SECP.verify_schnorr(&signature, &Message::from(sighash), &key)
        .map_err(|_| FailureReason::SchnorrSignature)
}
