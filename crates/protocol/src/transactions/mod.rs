//! Transactions: one file a kind, each with its outputs as named constants.
//!
//! All but the contract and `disprove` are presigned: version 3, no fee, one pay-to-anchor output, every input a leaf that
//! asks for the aggregate key under `SIGHASH_DEFAULT`.

pub mod challenge;
pub mod contract;
pub mod disprove;
mod draft;
pub mod expire;
pub mod fee_child;
pub mod payout;
pub mod payout_disputed;
pub mod publish;
pub mod timeout;

use std::fmt;

use bitcoin::hashes::Hash;
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::taproot::{ControlBlock, LeafVersion, TapLeafHash, TapNodeHash};
use bitcoin::{
    Amount, ScriptBuf, TapSighashType, Transaction, TxOut, Txid, Weight, XOnlyPublicKey,
};
use serde::{Deserialize, Serialize};

use crate::moves::Publication;
use crate::parameters::RelativeBlocks;
use crate::role::Role;
use crate::size::{InputSize, PredictedWeight, Sizes, predict};

pub(crate) use draft::{Coin, Draft};

/// What follows a claim: the dispute, and the opening that the challenger may go on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// After the challenge.
    Dispute,
    /// After the challenger has had something opened.
    Opening,
}

/// Which transaction of a contract. Indices count from zero; [`fmt::Display`] counts from one, as the protocol does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TransactionKind {
    /// Funds the contract.
    Contract,
    /// Ends a contract that was never kicked off.
    Expire,
    /// A move of the claim; the first is `kickoff`.
    Kickoff(usize),
    /// Ends a claim whose later move (index ≥ 1) is late.
    KickoffTimeout(usize),
    /// Pays an undisputed claim.
    Payout,
    /// Disputes the claim.
    Challenge,
    /// A move of the prover's after the challenge.
    Assert(Stage, usize),
    /// Ends a dispute in which the prover is late.
    AssertTimeout(Stage, usize),
    /// A move of the challenger's after the challenge. The first one of an opening is `open`.
    Select(Stage, usize),
    /// Ends a dispute in which the challenger is late.
    SelectTimeout(Stage, usize),
    /// Pays a disputed claim that nobody disproved, nor had anything opened of.
    PayoutDisputed(Stage),
    /// Ends a dispute by a leaf that only a lie makes spendable.
    Disprove(Stage),
}

impl TransactionKind {
    /// The challenger's move that has something opened, in place of a leaf that disproves.
    pub const OPEN: Self = Self::Select(Stage::Opening, 0);

    /// The transaction that ends the contract if this move is late. `None` for what is not a move.
    pub fn timeout(self) -> Option<Self> {
        match self {
            Self::Kickoff(0) => Some(Self::Expire),
            Self::Kickoff(index) => Some(Self::KickoffTimeout(index)),
            Self::Challenge => Some(Self::Payout),
            Self::OPEN => Some(Self::PayoutDisputed(Stage::Dispute)),
            Self::Assert(stage, index) => Some(Self::AssertTimeout(stage, index)),
            Self::Select(stage, index) => Some(Self::SelectTimeout(stage, index)),
            Self::Disprove(stage) => Some(Self::PayoutDisputed(stage)),
            _ => None,
        }
    }

    /// Who makes it, if it is a move.
    pub fn mover(self) -> Option<Role> {
        match self {
            Self::Kickoff(_) | Self::Assert(..) => Some(Role::Prover),
            Self::Challenge | Self::Select(..) | Self::Disprove(_) => Some(Role::Challenger),
            _ => None,
        }
    }

    /// Whether it is a move that publishes.
    pub fn publishes(self) -> bool {
        matches!(self, Self::Kickoff(_) | Self::Assert(..) | Self::Select(..))
    }

    /// Whether nothing follows it.
    pub fn is_final(self) -> bool {
        match self {
            Self::Expire
            | Self::KickoffTimeout(_)
            | Self::Payout
            | Self::AssertTimeout(..)
            | Self::SelectTimeout(..)
            | Self::PayoutDisputed(_)
            | Self::Disprove(_) => true,
            Self::Contract
            | Self::Kickoff(_)
            | Self::Challenge
            | Self::Assert(..)
            | Self::Select(..) => false,
        }
    }
}

/// What tells the names of an opening's transactions from those of the dispute before it.
fn prefix(stage: Stage) -> &'static str {
    match stage {
        Stage::Dispute => "",
        Stage::Opening => "open_",
    }
}

impl fmt::Display for TransactionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Contract => f.write_str("contract"),
            Self::Expire => f.write_str("expire"),
            Self::Kickoff(0) => f.write_str("kickoff"),
            Self::Kickoff(index) => write!(f, "kickoff_{}", index + 1),
            Self::KickoffTimeout(index) => write!(f, "kickoff_{}_timeout", index + 1),
            Self::Payout => f.write_str("payout"),
            Self::Challenge => f.write_str("challenge"),
            Self::Assert(stage, index) => write!(f, "{}assert_{}", prefix(stage), index + 1),
            Self::AssertTimeout(stage, index) => {
                write!(f, "{}assert_{}_timeout", prefix(stage), index + 1)
            }
            Self::OPEN => f.write_str("open"),
            // The first move of an opening has a name of its own.
            Self::Select(Stage::Opening, index) => write!(f, "open_select_{index}"),
            Self::Select(Stage::Dispute, index) => write!(f, "select_{}", index + 1),
            Self::SelectTimeout(Stage::Opening, index) => {
                write!(f, "open_select_{index}_timeout")
            }
            Self::SelectTimeout(Stage::Dispute, index) => {
                write!(f, "select_{}_timeout", index + 1)
            }
            Self::PayoutDisputed(stage) => write!(f, "{}payout_disputed", prefix(stage)),
            Self::Disprove(stage) => write!(f, "{}disprove", prefix(stage)),
        }
    }
}

/// What an output of a contract's transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OutputKind {
    /// The stakes (in the contract), or the claimed pot (in the last transaction of the claim).
    Pot,
    /// The challenger's bond.
    Bond,
    /// A further connector of the next move; the first one carries the pot.
    Connector(usize),
    /// The pot after the last move of a stage.
    Outcome,
    /// Paid to a party: nothing more to wait for.
    Paid(Role),
    /// A party's change.
    Change(Role, usize),
    /// The pay-to-anchor output.
    Anchor,
}

impl fmt::Display for OutputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pot => f.write_str("pot"),
            Self::Bond => f.write_str("bond"),
            Self::Connector(index) => write!(f, "connector {index}"),
            Self::Outcome => f.write_str("outcome"),
            Self::Paid(role) => write!(f, "payment to the {role}"),
            Self::Change(role, index) => write!(f, "change {index} of the {role}"),
            Self::Anchor => f.write_str("anchor"),
        }
    }
}

/// An output with what is needed to say who can spend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What it is for.
    pub kind: OutputKind,
    /// Internal key and merkle root, for connectors.
    pub taproot: Option<(XOnlyPublicKey, TapNodeHash)>,
}

/// An output of a transaction of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputRef {
    /// The transaction.
    pub transaction: TransactionKind,
    /// The output's number.
    pub vout: u32,
}

impl fmt::Display for OutputRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transaction, self.vout)
    }
}

/// An input of a presigned transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedInput {
    /// The output it spends, by name.
    pub source: OutputRef,
    /// The output it spends.
    pub prevout: TxOut,
    /// The leaf script.
    pub script: ScriptBuf,
    /// The leaf's control block.
    pub control_block: ControlBlock,
    /// The relative timelock, if there is one.
    pub timelock: Option<RelativeBlocks>,
    /// What it publishes, in the order of the script.
    pub publications: Vec<Publication>,
    /// Whose own signature it needs besides the presigned one.
    pub cosigner: Option<Role>,
}

impl PresignedInput {
    /// Returns the leaf's hash.
    pub fn leaf_hash(&self) -> TapLeafHash {
        TapLeafHash::from_script(&self.script, LeafVersion::TapScript)
    }

    /// The groups it publishes.
    pub fn groups(&self) -> impl Iterator<Item = usize> {
        self.publications.iter().map(Publication::group)
    }

    /// Predicts the size of the witness; `sizes` are those of all groups.
    pub fn size(&self, sizes: &Sizes) -> InputSize {
        if self.publications.is_empty() {
            let signatures = 1 + usize::from(self.cosigner.is_some());
            InputSize::signatures(signatures, self.script.len(), self.control_block.size())
        } else {
            InputSize {
                control_block_bytes: self.control_block.size(),
                ..sizes.batch(&self.publications)
            }
        }
    }
}

/// A presigned transaction before it has witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// Which it is.
    pub kind: TransactionKind,
    /// The transaction without witnesses. Witnesses do not change its txid.
    pub transaction: Transaction,
    /// One for each of the transaction's inputs.
    pub inputs: Vec<PresignedInput>,
    /// One for each of the transaction's outputs.
    pub outputs: Vec<Output>,
}

impl Presigned {
    /// Returns the txid, which is final.
    pub fn txid(&self) -> Txid {
        self.transaction.compute_txid()
    }

    /// Returns the number of the output of a kind.
    pub fn vout(&self, kind: OutputKind) -> Option<u32> {
        vout_of(&self.outputs, kind)
    }

    /// Returns the outputs that the inputs spend, in their order.
    pub fn prevouts(&self) -> Vec<TxOut> {
        self.inputs
            .iter()
            .map(|input| input.prevout.clone())
            .collect()
    }

    /// Calculates the message of every input's signature: BIP-0341's under `SIGHASH_DEFAULT`.
    pub fn sighashes(&self) -> Vec<[u8; 32]> {
        let prevouts = self.prevouts();
        let mut cache = SighashCache::new(&self.transaction);
        let inputs = self.inputs.iter().enumerate();
        inputs
            .map(|(index, input)| leaf_sighash(&mut cache, index, &prevouts, input.leaf_hash()))
            .collect()
    }

    /// Predicts the weight; `sizes` are those of all groups.
    pub fn predicted_weight(&self, sizes: &Sizes) -> PredictedWeight {
        let inputs: Vec<InputSize> = self.inputs.iter().map(|input| input.size(sizes)).collect();
        predict(&self.transaction, &inputs)
    }

    /// Returns the longest relative timelock among the inputs.
    pub fn timelock(&self) -> Option<RelativeBlocks> {
        self.inputs.iter().filter_map(|input| input.timelock).max()
    }

    /// Returns the fee: zero, since children pay for presigned transactions.
    pub fn fee(&self) -> Amount {
        let paid = self
            .inputs
            .iter()
            .map(|input| input.prevout.value)
            .sum::<Amount>();
        paid - self
            .transaction
            .output
            .iter()
            .map(|output| output.value)
            .sum::<Amount>()
    }
}

/// Finds an output by kind.
pub(crate) fn vout_of(outputs: &[Output], kind: OutputKind) -> Option<u32> {
    outputs
        .iter()
        .position(|output| output.kind == kind)
        .map(|vout| vout as u32) // cast ok, a transaction has < 2^32 outputs
}

/// Calculates BIP-0341's message of one input that spends a leaf under `SIGHASH_DEFAULT`.
pub(crate) fn leaf_sighash(
    cache: &mut SighashCache<&Transaction>,
    index: usize,
    prevouts: &[TxOut],
    leaf: TapLeafHash,
) -> [u8; 32] {
    cache
        .taproot_script_spend_signature_hash(
            index,
            &Prevouts::All(prevouts),
            leaf,
            TapSighashType::Default,
        )
        .expect("the index and the prevouts are the transaction's own")
        .to_byte_array()
}

/// Returns the weight of a transaction in weight units.
pub(crate) fn weight_wu(transaction: &Transaction) -> u64 {
    Weight::to_wu(transaction.weight())
}
