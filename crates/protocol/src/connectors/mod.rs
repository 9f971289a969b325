//! Connectors: the outputs that wait for a move, one file a kind.
//!
//! Each is a taproot output whose internal key nobody can sign for ([`crate::keys::internal_key`]), so leaves are the only
//! way to spend it, and each leaf asks for the aggregate key, so only presigned transactions do (but for the disprove leaves).

pub mod anchor;
pub mod bond;
pub mod claimed;
pub mod outcome;
pub mod publish;

use std::fmt;

use bitcoin::taproot::{ControlBlock, LeafVersion, TapNodeHash, TaprootBuilder, TaprootSpendInfo};
use bitcoin::{ScriptBuf, Sequence, XOnlyPublicKey};
use tapcourt_script::script;

use crate::keys::SECP;
use crate::moves::Publication;
use crate::parameters::RelativeBlocks;
use crate::role::Role;

/// An output that waits for a move.
pub trait Connector {
    /// The named ways to spend it by a presigned transaction.
    type SpendPath: Copy + fmt::Debug;

    /// Returns the internal key.
    fn internal_key(&self) -> XOnlyPublicKey;

    /// Returns the root of the taptree.
    fn merkle_root(&self) -> TapNodeHash;

    /// Returns what an input needs to spend it along a path.
    fn spend(&self, path: Self::SpendPath) -> Spend;

    /// Returns the output's script.
    fn script_pubkey(&self) -> ScriptBuf;
}

/// What an input needs to spend a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// The leaf script.
    pub script: ScriptBuf,
    /// Its control block.
    pub control_block: ControlBlock,
    /// The relative timelock, or a sequence without one.
    pub timelock: Option<RelativeBlocks>,
    /// What the leaf publishes, in the order of the script.
    pub publications: Vec<Publication>,
    /// Whose signature the leaf asks for besides the aggregate's.
    pub cosigner: Option<Role>,
}

impl Spend {
    /// Returns the input's `nSequence`.
    pub fn sequence(&self) -> Sequence {
        self.timelock.map_or(
            Sequence::ENABLE_RBF_NO_LOCKTIME,
            RelativeBlocks::to_sequence,
        )
    }
}

/// The keys every connector needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectorKeys {
    /// Nobody's: [`crate::keys::internal_key`].
    pub internal: XOnlyPublicKey,
    /// The 2-of-2.
    pub aggregate: XOnlyPublicKey,
    /// The challenger's own.
    pub challenger: XOnlyPublicKey,
}

/// `<key> OP_CHECKSIG`
pub(crate) fn signed_leaf(key: XOnlyPublicKey) -> ScriptBuf {
    script! { { key } OP_CHECKSIG }
}

/// `<blocks> OP_CSV OP_DROP <key> OP_CHECKSIG`
pub(crate) fn timelocked_leaf(key: XOnlyPublicKey, timelock: RelativeBlocks) -> ScriptBuf {
    script! { { i64::from(timelock.to_blocks()) } OP_CHECKSEQUENCEVERIFY OP_DROP { key } OP_CHECKSIG }
}

/// `<cosigner> OP_CHECKSIGVERIFY <key> OP_CHECKSIG`
pub(crate) fn cosigned_leaf(key: XOnlyPublicKey, cosigner: XOnlyPublicKey) -> ScriptBuf {
    script! { { cosigner } OP_CHECKSIGVERIFY { key } OP_CHECKSIG }
}

/// The tree of a connector with one leaf or two.
#[derive(Debug, Clone)]
pub(crate) struct SmallTree(TaprootSpendInfo);

impl SmallTree {
    pub(crate) fn new(internal_key: XOnlyPublicKey, leaves: &[&ScriptBuf]) -> Self {
        debug_assert!((1..=2).contains(&leaves.len()));
        let depth = u8::from(leaves.len() == 2);
        let builder = leaves.iter().fold(TaprootBuilder::new(), |builder, leaf| {
            builder
                .add_leaf(depth, (*leaf).clone())
                .expect("one leaf at depth 0 or two at depth 1 make a tree")
        });
        let info = builder.finalize(&SECP, internal_key);
        Self(info.expect("one leaf at depth 0 or two at depth 1 make a tree"))
    }

    pub(crate) fn merkle_root(&self) -> TapNodeHash {
        self.0.merkle_root().expect("the tree has a leaf")
    }

    pub(crate) fn internal_key(&self) -> XOnlyPublicKey {
        self.0.internal_key()
    }

    pub(crate) fn script_pubkey(&self) -> ScriptBuf {
        ScriptBuf::new_p2tr_tweaked(self.0.output_key())
    }

    pub(crate) fn control_block(&self, leaf: &ScriptBuf) -> ControlBlock {
        self.0
            .control_block(&(leaf.clone(), LeafVersion::TapScript))
            .expect("the leaf is in the tree")
    }
}
