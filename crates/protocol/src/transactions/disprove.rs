//! `disprove`: a leaf that only a lie makes spendable. Not presigned: the challenger builds and signs it, and it pays its own fee.
//!
//! It spends a confirmed outcome, so that its version may differ from its parent's: version 3 when it fits
//! [`Profile::Truc`], else version 2.

use bitcoin::absolute::LockTime;
use bitcoin::sighash::SighashCache;
use bitcoin::taproot::{ControlBlock, LeafVersion, TapLeafHash};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, FeeRate, ScriptBuf, Sequence, TapNodeHash, Transaction, TxIn, TxOut, Weight, Witness,
    XOnlyPublicKey,
};
use tapcourt_script::limits::{MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE, Profile};
use tapcourt_script::taptree::LeafSource;
use thiserror::Error;

use super::{Stage, leaf_sighash, weight_wu};
use crate::connectors::Connector;
use crate::graph::Graph;
use crate::keys::SigningKey;

/// The pot and the bond less the fee, paid to the challenger.
pub const CHALLENGER_VOUT: usize = 0;

/// A disprove transaction that lacks only the challenger's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disprove {
    transaction: Transaction,
    prevout: TxOut,
    witness: Vec<Vec<u8>>,
    script: ScriptBuf,
    control_block: ControlBlock,
    fee: Amount,
    profile: Profile,
}

impl Disprove {
    /// Builds the transaction for one of `leaves`, those of the stage. `witness` is what the leaf consumes, bottom first, without the challenger's
    /// signature, which is the top item; `feerate` defaults to the contract's.
    ///
    /// The leaf is not executed: a witness that does not satisfy it makes an invalid transaction.
    ///
    /// # Errors
    ///
    /// When the leaf is not the contract's, when no allowed profile holds the transaction, or when the fee eats the pot.
    pub fn new(
        graph: &Graph,
        stage: Stage,
        leaves: &dyn LeafSource,
        leaf: usize,
        witness: Vec<Vec<u8>>,
        feerate: Option<FeeRate>,
    ) -> Result<Self, DisproveError> {
        let outcome = graph.outcome(stage).zip(graph.outcome_output(stage));
        let (outcome, (outpoint, prevout)) = outcome.ok_or(DisproveError::NoSuchStage { stage })?;
        let count = outcome.disprove_leaves();
        let control_block =
            outcome
                .disprove_control_block(leaf)
                .ok_or(DisproveError::NoSuchLeaf {
                    leaf,
                    leaves: count,
                })?;
        if leaves.len() != count {
            return Err(DisproveError::ForeignLeaf { leaf });
        }
        let script = leaves.script(leaf);
        if root_from(&script, &control_block) != outcome.merkle_root() {
            return Err(DisproveError::ForeignLeaf { leaf });
        }
        if !begins_with_key(&script, graph.connector_keys().challenger) {
            return Err(DisproveError::NotTheChallengers { leaf });
        }
        let payout_script = graph.terms().challenger.payout_script.clone();
        let mut disprove = Self {
            transaction: Transaction {
                version: Version(3),
                lock_time: LockTime::ZERO,
                input: vec![TxIn {
                    previous_output: outpoint,
                    script_sig: ScriptBuf::new(),
                    sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                    witness: Witness::new(),
                }],
                output: vec![TxOut {
                    value: prevout.value,
                    script_pubkey: payout_script,
                }],
            },
            prevout,
            witness,
            script,
            control_block,
            fee: Amount::ZERO,
            profile: Profile::Truc,
        };
        disprove.choose_profile(graph.terms().parameters.profile)?;
        disprove.pay_fee(feerate.unwrap_or(graph.terms().parameters.disprove_feerate))?;
        Ok(disprove)
    }

    fn choose_profile(&mut self, agreed: Profile) -> Result<(), DisproveError> {
        let weight_wu = self.weight_wu();
        let allowed = if agreed == Profile::Consensus {
            Profile::Consensus
        } else {
            Profile::Standard
        };
        let fits = |profile: &&Profile| weight_wu <= profile.max_weight_wu();
        let limit_wu = allowed.max_weight_wu();
        let profile = Profile::ALL
            .iter()
            .find(fits)
            .filter(|profile| profile.max_weight_wu() <= limit_wu);
        self.profile = *profile.ok_or(DisproveError::TooHeavy {
            weight_wu,
            limit_wu,
        })?;
        self.transaction.version = if self.profile == Profile::Truc {
            Version(3)
        } else {
            Version::TWO
        };
        let limit = MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE;
        match self.witness.iter().position(|item| item.len() > limit) {
            Some(item) if self.profile != Profile::Consensus => Err(DisproveError::ItemTooLong {
                item,
                bytes: self.witness[item].len(),
                limit,
            }),
            _ => Ok(()),
        }
    }

    fn pay_fee(&mut self, feerate: FeeRate) -> Result<(), DisproveError> {
        let available = self.prevout.value;
        let too_high = DisproveError::FeeTooHigh { feerate, available };
        let fee = feerate
            .fee_wu(Weight::from_wu(self.weight_wu()))
            .ok_or_else(|| too_high.clone())?;
        let output = &mut self.transaction.output[CHALLENGER_VOUT];
        let left = available
            .checked_sub(fee)
            .filter(|left| *left >= output.script_pubkey.minimal_non_dust());
        output.value = left.ok_or(too_high)?;
        self.fee = fee;
        Ok(())
    }

    /// Returns the weight with the signature, exact.
    pub fn weight_wu(&self) -> u64 {
        weight_wu(&self.with_signature(&[0; 64]))
    }

    /// Returns the fee.
    pub fn fee(&self) -> Amount {
        self.fee
    }

    /// Returns the smallest profile that holds the transaction.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Returns the output it spends.
    pub fn prevout(&self) -> &TxOut {
        &self.prevout
    }

    /// Calculates what the challenger signs.
    pub fn sighash(&self) -> [u8; 32] {
        let leaf = TapLeafHash::from_script(&self.script, LeafVersion::TapScript);
        leaf_sighash(
            &mut SighashCache::new(&self.transaction),
            0,
            std::slice::from_ref(&self.prevout),
            leaf,
        )
    }

    /// Puts a signature in, made over [`Disprove::sighash`] with the challenger's key.
    pub fn with_signature(&self, signature: &[u8; 64]) -> Transaction {
        let mut witness = Witness::from_slice(&self.witness);
        witness.push(signature);
        witness.push(self.script.as_bytes());
        witness.push(self.control_block.serialize());
        let mut transaction = self.transaction.clone();
        transaction.input[0].witness = witness;
        transaction
    }

    /// Signs and returns the finished transaction.
    pub fn sign(&self, challenger: &SigningKey) -> Transaction {
        self.with_signature(&challenger.sign(&self.sighash()))
    }
}

/// Calculates the merkle root that a leaf and its control block lead to.
fn root_from(script: &ScriptBuf, control_block: &ControlBlock) -> TapNodeHash {
    let leaf = TapNodeHash::from(TapLeafHash::from_script(script, control_block.leaf_version));
    control_block
        .merkle_branch
        .iter()
        .fold(leaf, |node, sibling| {
            TapNodeHash::from_node_hashes(node, *sibling)
        })
}

/// Says whether a leaf begins with `<key> OP_CHECKSIGVERIFY`, so that nobody else can use its witness.
pub(crate) fn begins_with_key(script: &ScriptBuf, key: XOnlyPublicKey) -> bool {
    let prefix = tapcourt_script::script! { { key } OP_CHECKSIGVERIFY };
    script.as_bytes().starts_with(prefix.as_bytes())
}

/// Why no disprove transaction can be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DisproveError {
    /// The contract has no opening.
    #[error("the contract has no leaves after {stage:?}")]
    NoSuchStage {
        /// The stage.
        stage: Stage,
    },
    /// A leaf number out of range.
    #[error("there is no disprove leaf {leaf}: the contract has {leaves}")]
    NoSuchLeaf {
        /// The leaf.
        leaf: usize,
        /// How many there are.
        leaves: usize,
    },
    /// The leaf's script is not what the contract commits to.
    #[error("leaf {leaf} is not the one the contract commits to")]
    ForeignLeaf {
        /// The leaf.
        leaf: usize,
    },
    /// Anybody could take the leaf's witness from the mempool.
    #[error("leaf {leaf} does not begin with the challenger's key")]
    NotTheChallengers {
        /// The leaf.
        leaf: usize,
    },
    /// Beyond the profile.
    #[error("the transaction weighs {weight_wu} WU, the profile allows {limit_wu}")]
    TooHeavy {
        /// The weight.
        weight_wu: u64,
        /// The most that is allowed.
        limit_wu: u64,
    },
    /// A witness item that does not relay.
    #[error("witness item {item} has {bytes} bytes, {limit} relay")]
    ItemTooLong {
        /// Which, from the bottom.
        item: usize,
        /// Its length.
        bytes: usize,
        /// The most that relays.
        limit: usize,
    },
    /// The fee leaves less than the dust limit.
    #[error("a fee of {feerate} sat/kwu leaves less than the dust limit of {available}")]
    FeeTooHigh {
        /// The feerate.
        feerate: FeeRate,
        /// The pot.
        available: Amount,
    },
}
