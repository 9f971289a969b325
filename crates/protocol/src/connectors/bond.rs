//! The challenger's bond: spent by the kickoff's payout, by the challenge, or when the prover is late with the claim.

use bitcoin::taproot::TapNodeHash;
use bitcoin::{ScriptBuf, XOnlyPublicKey};

use super::{Connector, ConnectorKeys, SmallTree, Spend, signed_leaf};

/// The bond. Its transactions' other inputs carry the timelocks; this one only asks for the aggregate key.
#[derive(Debug, Clone)]
pub struct BondConnector {
    leaf: ScriptBuf,
    tree: SmallTree,
}

/// The way to spend the bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BondSpend {
    /// By any of the presigned transactions.
    Presigned,
}

impl BondConnector {
    /// Makes the connector.
    pub fn new(keys: &ConnectorKeys) -> Self {
        let leaf = signed_leaf(keys.aggregate);
        Self {
            tree: SmallTree::new(keys.internal, &[&leaf]),
            leaf,
        }
    }
}

impl Connector for BondConnector {
    type SpendPath = BondSpend;

    fn internal_key(&self) -> XOnlyPublicKey {
        self.tree.internal_key()
    }

    fn merkle_root(&self) -> TapNodeHash {
        self.tree.merkle_root()
    }

    fn script_pubkey(&self) -> ScriptBuf {
        self.tree.script_pubkey()
    }

    fn spend(&self, BondSpend::Presigned: BondSpend) -> Spend {
        Spend {
            script: self.leaf.clone(),
            control_block: self.tree.control_block(&self.leaf),
            timelock: None,
            publications: Vec::new(),
            cosigner: None,
        }
    }
}
