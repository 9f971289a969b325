//! A leaf is in a Bitcoin Merkle tree.

use tapcourt_guest::Inputs;

use crate::sha256::{Digest, double_sha256};

/// The largest depth accepted; a block of 4 MWU has fewer than 2^17 transactions.
pub const MAX_DEPTH: u32 = 32;

/// Accepts if the leaf is at position `index` of the tree with this root.
///
/// Inputs: root (32 bytes), leaf (32 bytes), index, depth, and so many siblings (32 bytes each), from the leaf's up.
///
/// Hashes are in the byte order of the wire, not in the reversed one that is displayed. A leaf is a hash: whoever gives the root
/// has to know that it is not an inner node.
pub fn main() -> bool {
    let mut inputs = Inputs::new();
    let (root, leaf): (Digest, Digest) = (inputs.bytes(), inputs.bytes());
    root_of_branch(leaf, &mut inputs) == Some(root)
}

/// Reads index, depth and siblings, and returns the root that they and `leaf` lead to.
///
/// Returns nothing if the depth is too large, or if a tree of this depth has no such index.
pub fn root_of_branch(leaf: Digest, inputs: &mut Inputs) -> Option<Digest> {
    let (index, depth) = (inputs.word(), inputs.word());
    if depth > MAX_DEPTH || u64::from(index) >> depth != 0 {
        return None;
    }
    let mut pair = [0; 64];
    let root = (0..depth).fold(leaf, |node, level| {
        let (node_half, sibling_half) = if index >> level & 1 == 0 {
            (0, 32)
        } else {
            (32, 0)
        };
        pair[node_half..node_half + 32].copy_from_slice(&node);
        inputs.read(&mut pair[sibling_half..sibling_half + 32]);
        double_sha256(&pair)
    });
    Some(root)
}
