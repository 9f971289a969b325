//! Taproot trees of very many leaves.
//!
//! A [`LeafSource`] makes any leaf on demand; [`Taptree::build`] hashes leaves and branches in parallel, level by level,
//! and keeps 64 bytes a leaf. Control blocks follow from the hashes kept.
//!
//! ```
//! use bitcoin::ScriptBuf;
//! use tapcourt_script::script;
//! use tapcourt_script::taptree::{LeafSource, Taptree};
//!
//! struct Constants(usize);
//!
//! impl LeafSource for Constants {
//!     fn len(&self) -> usize {
//!         self.0
//!     }
//!
//!     fn script(&self, index: usize) -> ScriptBuf {
//!         script! { { index } OP_NUMEQUAL }
//!     }
//! }
//!
//! let tree = Taptree::build(&Constants(1000))?;
//! assert_eq!((tree.depth(0), tree.depth(999)), (10, 9));
//! # Ok::<(), tapcourt_script::taptree::TaptreeError>(())
//! ```

mod hash;
mod shape;

use bitcoin::hashes::Hash;
use bitcoin::key::{TapTweak, TweakedPublicKey};
use bitcoin::secp256k1::Parity;
use bitcoin::taproot::{ControlBlock, LeafVersion, TaprootMerkleBranch};
use bitcoin::{ScriptBuf, TapLeafHash, TapNodeHash, XOnlyPublicKey};
use rayon::prelude::*;

use self::hash::{Hash32, branch};
pub use self::hash::{PrefixHasher, leaf_hash};
use self::shape::{Balanced, Shape, Weighted};
use crate::interpreter::SECP;

/// Nodes that one parallel task hashes: enough to make scheduling cheap.
const NODES_PER_TASK: usize = 1 << 10;

/// Most leaves of a tree, so that nodes can be numbered in 32 bits.
pub const MAX_LEAVES: usize = 1 << 31;

/// Makes the leaves of a tree on demand. All leaves are tapscript (version 0xc0).
///
/// Calls come from several threads in any order, and each must always give the same answer.
pub trait LeafSource: Sync {
    /// How many leaves there are.
    fn len(&self) -> usize;

    /// Whether there is no leaf.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes the leaf at `index`, which is below [`len`](Self::len).
    fn script(&self, index: usize) -> ScriptBuf;

    /// How likely the leaf is to be spent, relative to the others; likely leaves get short Merkle paths.
    fn likelihood(&self, index: usize) -> u64 {
        let _ = index;
        1
    }

    /// Calculates the leaf's hash. Sources whose leaves begin alike can do so faster with a [`PrefixHasher`].
    fn leaf_hash(&self, index: usize) -> TapLeafHash {
        leaf_hash(&self.script(index))
    }
}

/// A list of scripts, for small trees.
impl LeafSource for Vec<ScriptBuf> {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn script(&self, index: usize) -> ScriptBuf {
        self[index].clone()
    }

    fn leaf_hash(&self, index: usize) -> TapLeafHash {
        leaf_hash(&self[index])
    }
}

/// Why a tree cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaptreeError {
    /// There is no leaf.
    #[error("a taptree needs at least one leaf")]
    NoLeaves,
    /// There are more leaves than can be numbered.
    #[error("{leaves} leaves, at most {MAX_LEAVES} are possible")]
    TooManyLeaves {
        /// How many there are.
        leaves: usize,
    },
}

/// A taproot tree: its shape and every node's hash.
#[derive(Clone, Debug)]
pub struct Taptree {
    leaves: usize,
    shape: Shape,
    /// Leaves in order, then branches, every branch after its children.
    nodes: Vec<Hash32>,
}

impl Taptree {
    /// Hashes the tree of all leaves: balanced if they are equally likely (depths differ by at most one, the first
    /// leaves being the deeper ones), otherwise Huffman's. The same leaves give the same tree on every machine.
    ///
    /// # Errors
    /// If there are no leaves, or more than [`MAX_LEAVES`].
    pub fn build(source: &dyn LeafSource) -> Result<Self, TaptreeError> {
        let leaves = source.len();
        match leaves {
            0 => return Err(TaptreeError::NoLeaves),
            1..=MAX_LEAVES => {}
            _ => return Err(TaptreeError::TooManyLeaves { leaves }),
        }
        let first = source.likelihood(0);
        let shape = if (1..leaves).all(|index| source.likelihood(index) == first) {
            Shape::Balanced(Balanced::new(leaves))
        } else {
            let likelihoods: Vec<u64> = (0..leaves).map(|index| source.likelihood(index)).collect();
            Shape::Weighted(Weighted::huffman(&likelihoods))
        };

        let mut nodes = vec![[0; 32]; 2 * leaves - 1];
        nodes[..leaves]
            .par_chunks_mut(NODES_PER_TASK)
            .enumerate()
            .for_each(|(task, hashes)| {
                for (index, hash) in (task * NODES_PER_TASK..).zip(hashes) {
                    *hash = source.leaf_hash(index).to_byte_array();
                }
            });
        match &shape {
            Shape::Balanced(balanced) => {
                balanced.levels().for_each(|level| {
                    hash_level(&mut nodes, level, |node| balanced.children(node))
                });
            }
            Shape::Weighted(weighted) => {
                weighted.levels().for_each(|level| {
                    hash_level(&mut nodes, level, |node| weighted.children(node))
                });
            }
        }
        Ok(Self {
            leaves,
            shape,
            nodes,
        })
    }

    /// How many leaves the tree has.
    pub fn len(&self) -> usize {
        self.leaves
    }

    /// Whether the tree has no leaf; never, since such a tree cannot be built.
    pub fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// The Merkle root.
    pub fn root(&self) -> TapNodeHash {
        TapNodeHash::assume_hidden(self.nodes[self.nodes.len() - 1])
    }

    /// The hash of a leaf.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn leaf_hash(&self, index: usize) -> TapLeafHash {
        TapLeafHash::from_byte_array(self.nodes[..self.leaves][index])
    }

    /// The siblings on the way from a leaf to the root, lowest first.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn merkle_path(&self, index: usize) -> Vec<TapNodeHash> {
        self.ancestry(index)
            .map(|(_, sibling)| TapNodeHash::assume_hidden(self.nodes[sibling]))
            .collect()
    }

    /// Levels between a leaf and the root: its control block has 33 + 32·depth bytes.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn depth(&self, index: usize) -> usize {
        self.ancestry(index).count()
    }

    /// The control block that spends a leaf of the output made from this tree and an internal key.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn control_block(&self, index: usize, internal_key: XOnlyPublicKey) -> ControlBlock {
        let path = self.merkle_path(index);
        ControlBlock {
            leaf_version: LeafVersion::TapScript,
            output_key_parity: self.output_key(internal_key).1,
            internal_key,
            merkle_branch: TaprootMerkleBranch::try_from(path)
                .expect("no depth exceeds 128 by construction"),
        }
    }

    /// The output key of this tree under an internal key, and the parity of its full point.
    pub fn output_key(&self, internal_key: XOnlyPublicKey) -> (TweakedPublicKey, Parity) {
        internal_key.tap_tweak(&*SECP, Some(self.root()))
    }

    /// The script of the output that commits to this tree under an internal key.
    pub fn script_pubkey(&self, internal_key: XOnlyPublicKey) -> ScriptBuf {
        ScriptBuf::new_p2tr_tweaked(self.output_key(internal_key).0)
    }

    /// The ancestors of a leaf up to the root, each with the sibling that was joined to reach it.
    fn ancestry(&self, leaf: usize) -> impl Iterator<Item = (usize, usize)> {
        assert!(
            leaf < self.leaves,
            "leaf {leaf} of a tree of {}",
            self.leaves
        );
        let mut node = leaf;
        std::iter::from_fn(move || {
            let step = self.shape.parent_and_sibling(node)?;
            node = step.0;
            Some(step)
        })
    }
}

/// Hashes one run of branches, whose children all come before it.
fn hash_level(
    nodes: &mut [Hash32],
    level: std::ops::Range<usize>,
    children: impl Fn(usize) -> [usize; 2] + Sync,
) {
    let (below, rest) = nodes.split_at_mut(level.start);
    rest[..level.len()]
        .par_chunks_mut(NODES_PER_TASK)
        .enumerate()
        .for_each(|(task, hashes)| {
            for (node, hash) in (level.start + task * NODES_PER_TASK..).zip(hashes) {
                let [first, second] = children(node);
                *hash = branch(&below[first], &below[second]);
            }
        });
}
