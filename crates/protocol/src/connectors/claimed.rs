//! The pot after the claim: the challenger may object until Δ has passed, then the prover is paid.

use bitcoin::taproot::TapNodeHash;
use bitcoin::{ScriptBuf, XOnlyPublicKey};

use super::{Connector, ConnectorKeys, SmallTree, Spend, cosigned_leaf, timelocked_leaf};
use crate::parameters::RelativeBlocks;
use crate::role::Role;

/// The pot after the last transaction of the claim.
#[derive(Debug, Clone)]
pub struct ClaimedConnector {
    challenge: ScriptBuf,
    payout: ScriptBuf,
    delta: RelativeBlocks,
    tree: SmallTree,
}

/// The ways to spend the claimed pot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimedSpend {
    /// The challenger objects. Asks for the challenger's own signature besides the presigned one: otherwise an honest
    /// prover's counterpart could be made to challenge, and to lose its bond, by the prover itself.
    Challenge,
    /// Nobody objected for Δ.
    Payout,
}

impl ClaimedConnector {
    /// Makes the connector.
    pub fn new(keys: &ConnectorKeys, delta: RelativeBlocks) -> Self {
        let challenge = cosigned_leaf(keys.aggregate, keys.challenger);
        let payout = timelocked_leaf(keys.aggregate, delta);
        Self {
            tree: SmallTree::new(keys.internal, &[&challenge, &payout]),
            challenge,
            payout,
            delta,
        }
    }
}

impl Connector for ClaimedConnector {
    type SpendPath = ClaimedSpend;

    fn internal_key(&self) -> XOnlyPublicKey {
        self.tree.internal_key()
    }

    fn merkle_root(&self) -> TapNodeHash {
        self.tree.merkle_root()
    }

    fn script_pubkey(&self) -> ScriptBuf {
        self.tree.script_pubkey()
    }

    fn spend(&self, path: ClaimedSpend) -> Spend {
        let (leaf, timelock, cosigner) = match path {
            ClaimedSpend::Challenge => (&self.challenge, None, Some(Role::Challenger)),
            ClaimedSpend::Payout => (&self.payout, Some(self.delta), None),
        };
        Spend {
            script: leaf.clone(),
            control_block: self.tree.control_block(leaf),
            timelock,
            publications: Vec::new(),
            cosigner,
        }
    }
}
