//! The connector that waits for one batch of openings: the contract's pot and claim connectors, and those of every move.

use bitcoin::taproot::TapNodeHash;
use bitcoin::{ScriptBuf, XOnlyPublicKey};
use tapcourt_commitment::PublicKey as OneTimeKey;
use tapcourt_script::script;

use super::{Connector, ConnectorKeys, SmallTree, Spend, timelocked_leaf};
use crate::moves::{Batch, Publication};
use crate::parameters::RelativeBlocks;

/// An output that its mover spends by publishing a batch, or the other party after a timeout.
#[derive(Debug, Clone)]
pub struct PublishConnector {
    publish: ScriptBuf,
    timeout: ScriptBuf,
    batch: Batch,
    timelock: RelativeBlocks,
    tree: SmallTree,
}

/// The ways to spend a publishing connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishSpend {
    /// The mover publishes.
    Publish,
    /// The mover was late.
    Timeout,
}

impl PublishConnector {
    /// Makes the connector. `one_time_keys` are all groups' keys; the batch must have passed [`Layout::check`](crate::Layout::check).
    pub fn new(
        keys: &ConnectorKeys,
        one_time_keys: &[OneTimeKey],
        batch: &Batch,
        timelock: RelativeBlocks,
    ) -> Self {
        let publish = publish_leaf(keys.aggregate, one_time_keys, &batch.publications);
        let timeout = timelocked_leaf(keys.aggregate, timelock);
        let tree = SmallTree::new(keys.internal, &[&publish, &timeout]);
        Self {
            publish,
            timeout,
            batch: batch.clone(),
            timelock,
            tree,
        }
    }
}

/// `<script of each publication…> <key> OP_CHECKSIG`: the first publication's opening is on top of the witness stack.
pub(crate) fn publish_leaf(
    key: XOnlyPublicKey,
    one_time_keys: &[OneTimeKey],
    publications: &[Publication],
) -> ScriptBuf {
    let script = |publication: &Publication| match *publication {
        Publication::Value(group) => one_time_keys[group].publish_script(),
        Publication::Choice { group, options } => one_time_keys[group].choose_script(options),
        Publication::Agreement { theirs, own } => {
            one_time_keys[own].agree_script(&one_time_keys[theirs])
        }
    };
    let openings: Vec<ScriptBuf> = publications
        .iter()
        .map(|publication| script(publication).into_script())
        .collect();
    script! { { openings } { key } OP_CHECKSIG }
}

impl Connector for PublishConnector {
    type SpendPath = PublishSpend;

    fn internal_key(&self) -> XOnlyPublicKey {
        self.tree.internal_key()
    }

    fn merkle_root(&self) -> TapNodeHash {
        self.tree.merkle_root()
    }

    fn script_pubkey(&self) -> ScriptBuf {
        self.tree.script_pubkey()
    }

    fn spend(&self, path: PublishSpend) -> Spend {
        let (leaf, timelock, publications) = match path {
            PublishSpend::Publish => (&self.publish, None, self.batch.publications.clone()),
            PublishSpend::Timeout => (&self.timeout, Some(self.timelock), Vec::new()),
        };
        Spend {
            script: leaf.clone(),
            control_block: self.tree.control_block(leaf),
            timelock,
            publications,
            cosigner: None,
        }
    }
}
