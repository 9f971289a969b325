//! The pot after the last move of a stage: a disprove leaf, if the prover lied, or the prover's payout after Δ. After the dispute there may
//! also be the move by which the challenger has something opened.

use bitcoin::taproot::{ControlBlock, LeafVersion, TapLeafHash, TapNodeHash};
use bitcoin::{ScriptBuf, XOnlyPublicKey};
use tapcourt_commitment::PublicKey as OneTimeKey;
use tapcourt_script::limits::control_block_bytes;
use tapcourt_script::taptree::{LeafSource, Taptree, TaptreeError};

use super::publish::publish_leaf;
use super::{Connector, ConnectorKeys, Spend, timelocked_leaf};
use crate::moves::Batch;
use crate::parameters::RelativeBlocks;

/// The pot after the last move.
#[derive(Debug)]
pub struct OutcomeConnector {
    internal_key: XOnlyPublicKey,
    payout: ScriptBuf,
    /// The leaf by which the challenger opens, and what it publishes.
    open: Option<(ScriptBuf, Batch)>,
    delta: RelativeBlocks,
    disprove_leaves: usize,
    tree: Taptree,
    script_pubkey: ScriptBuf,
}

/// The presigned ways to spend the outcome. Disprove leaves are not presigned: see [`OutcomeConnector::disprove_control_block`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeSpend {
    /// Nobody disproved for Δ.
    Payout,
    /// The challenger has something opened.
    Open,
}

impl OutcomeConnector {
    /// Makes the connector. The payout leaf, and with `open`, a batch of choices, the leaf that publishes it, follow the disprove
    /// leaves and are as likely as the likeliest of them. `one_time_keys` are all groups' keys.
    ///
    /// # Errors
    ///
    /// What hashing the tree says, such as too many leaves.
    pub fn new(
        keys: &ConnectorKeys,
        delta: RelativeBlocks,
        leaves: &dyn LeafSource,
        one_time_keys: &[OneTimeKey],
        open: Option<&Batch>,
    ) -> Result<Self, TaptreeError> {
        let payout = timelocked_leaf(keys.aggregate, delta);
        let open = open.map(|batch| {
            let leaf = publish_leaf(keys.aggregate, one_time_keys, &batch.publications);
            (leaf, batch.clone())
        });
        let presigned = std::iter::once(&payout).chain(open.iter().map(|(leaf, _)| leaf));
        let tree = Taptree::build(&WithPresigned::new(leaves, presigned.collect()))?;
        Ok(Self {
            internal_key: keys.internal,
            payout,
            open,
            delta,
            disprove_leaves: leaves.len(),
            script_pubkey: tree.script_pubkey(keys.internal),
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

    /// Returns the length of that control block: 33 bytes and 32 for each level.
    pub fn disprove_control_block_bytes(&self, leaf: usize) -> Option<usize> {
        (leaf < self.disprove_leaves).then(|| control_block_bytes(self.tree.depth(leaf)))
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

    fn script_pubkey(&self) -> ScriptBuf {
        self.script_pubkey.clone()
    }

    /// # Panics
    ///
    /// Without a leaf to open by, when asked for it.
    fn spend(&self, path: OutcomeSpend) -> Spend {
        let (leaf, script, timelock, publications) = match path {
            OutcomeSpend::Payout => {
                let leaf = self.disprove_leaves;
                (leaf, self.payout.clone(), Some(self.delta), Vec::new())
            }
            OutcomeSpend::Open => {
                let (script, batch) = self.open.clone().expect("the layout has an opening");
                (self.disprove_leaves + 1, script, None, batch.publications)
            }
        };
        Spend {
            script,
            control_block: self.tree.control_block(leaf, self.internal_key),
            timelock,
            publications,
            cosigner: None,
        }
    }
}

/// The disprove leaves, and the presigned leaves after them.
struct WithPresigned<'a> {
    leaves: &'a dyn LeafSource,
    presigned: Vec<&'a ScriptBuf>,
    likelihood: u64,
}

impl<'a> WithPresigned<'a> {
    fn new(leaves: &'a dyn LeafSource, presigned: Vec<&'a ScriptBuf>) -> Self {
        let likelihood = (0..leaves.len())
            .map(|index| leaves.likelihood(index))
            .max()
            .unwrap_or(1);
        Self {
            leaves,
            presigned,
            likelihood,
        }
    }

    /// A leaf after the disprove leaves, if it is one.
    fn presigned(&self, index: usize) -> Option<&'a ScriptBuf> {
        let place = index.checked_sub(self.leaves.len())?;
        Some(self.presigned[place])
    }
}

impl LeafSource for WithPresigned<'_> {
    fn len(&self) -> usize {
        self.leaves.len() + self.presigned.len()
    }

    fn script(&self, index: usize) -> ScriptBuf {
        match self.presigned(index) {
            Some(script) => script.clone(),
            None => self.leaves.script(index),
        }
    }

    fn likelihood(&self, index: usize) -> u64 {
        match self.presigned(index) {
            Some(_) => self.likelihood,
            None => self.leaves.likelihood(index),
        }
    }

    fn leaf_hash(&self, index: usize) -> TapLeafHash {
        match self.presigned(index) {
            Some(script) => TapLeafHash::from_script(script, LeafVersion::TapScript),
            None => self.leaves.leaf_hash(index),
        }
    }
}
