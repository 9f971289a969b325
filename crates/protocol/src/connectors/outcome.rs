//! The pot after the last move: a disprove leaf, if the prover lied, or the prover's payout after Δ.

use bitcoin::taproot::{ControlBlock, TapLeafHash, TapNodeHash};
use bitcoin::{ScriptBuf, XOnlyPublicKey};
use tapcourt_script::taptree::{LeafSource, Taptree, TaptreeError};

use super::{Connector, ConnectorKeys, Spend, timelocked_leaf};
use crate::parameters::RelativeBlocks;

/// The pot after the last move.
#[derive(Debug)]
pub struct OutcomeConnector {
    internal_key: XOnlyPublicKey,
    payout: ScriptBuf,
    delta: RelativeBlocks,
    disprove_leaves: usize,
    tree: Taptree,
}

/// The presigned way to spend the outcome. Disprove leaves are not presigned: see [`OutcomeConnector::disprove_control_block`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeSpend {
    /// Nobody disproved for Δ.
    Payout,
}

impl OutcomeConnector {
    /// Makes the connector; the payout leaf follows the disprove leaves and is as likely as the likeliest of them.
    ///
    /// # Errors
    ///
    /// What hashing the tree says, such as too many leaves.
    pub fn new(
        keys: &ConnectorKeys,
        delta: RelativeBlocks,
        leaves: &dyn LeafSource,
    ) -> Result<Self, TaptreeError> {
        let payout = timelocked_leaf(keys.aggregate, delta);
        let tree = Taptree::build(&WithPayout::new(leaves, &payout))?;
        Ok(Self {
            internal_key: keys.internal,
            payout,
            delta,
            disprove_leaves: leaves.len(),
            tree,
        })
    }

    /// Returns the number of disprove leaves.
    pub fn disprove_leaves(&self) -> usize {
        self.disprove_leaves
    }

    /// Returns the control block of a disprove leaf, or `None` when there is no such leaf.
    pub fn disprove_control_block(&self, leaf: usize) -> Option<ControlBlock> {
        (leaf < self.disprove_leaves).then(|| self.tree.control_block(leaf, self.internal_key))
    }
}

impl Connector for OutcomeConnector {
    type SpendPath = OutcomeSpend;

    fn internal_key(&self) -> XOnlyPublicKey {
        self.internal_key
    }

    fn merkle_root(&self) -> TapNodeHash {
        self.tree.root()
    }

    fn spend(&self, OutcomeSpend::Payout: OutcomeSpend) -> Spend {
        Spend {
            script: self.payout.clone(),
            control_block: self
                .tree
                .control_block(self.disprove_leaves, self.internal_key),
            timelock: Some(self.delta),
            groups: Vec::new(),
            cosigner: None,
        }
    }
}

/// The disprove leaves, and the payout leaf after them.
struct WithPayout<'a> {
    leaves: &'a dyn LeafSource,
    payout: &'a ScriptBuf,
    likelihood: u64,
}

impl<'a> WithPayout<'a> {
    fn new(leaves: &'a dyn LeafSource, payout: &'a ScriptBuf) -> Self {
        let likelihood = (0..leaves.len())
            .map(|index| leaves.likelihood(index))
            .max()
            .unwrap_or(1);
        Self {
            leaves,
            payout,
            likelihood,
        }
    }
}

impl LeafSource for WithPayout<'_> {
    fn len(&self) -> usize {
        self.leaves.len() + 1
    }

    fn script(&self, index: usize) -> ScriptBuf {
        if index < self.leaves.len() {
            self.leaves.script(index)
        } else {
            self.payout.clone()
        }
    }

    fn likelihood(&self, index: usize) -> u64 {
        if index < self.leaves.len() {
            self.leaves.likelihood(index)
        } else {
            self.likelihood
        }
    }

    fn leaf_hash(&self, index: usize) -> TapLeafHash {
        if index < self.leaves.len() {
            self.leaves.leaf_hash(index)
        } else {
            TapLeafHash::from_script(self.payout, bitcoin::taproot::LeafVersion::TapScript)
        }
    }
}
