//! Truth tables over three-input cuts.

use crate::circuit::network::{Literal, Network, Node, NodeId};

/// A function of at most three nodes: bit `i` of `table` is its value when the leaves spell `i`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cut {
    pub(super) leaves: [NodeId; 3],
    pub(super) len: u8,
    pub(super) table: u8,
}

const CUTS_PER_NODE: usize = 6;
/// Truth tables of the three variables.
const VARIABLES: [u8; 3] = [0xaa, 0xcc, 0xf0];
pub(super) const PARITY: u8 = 0x96;

impl Cut {
    fn trivial(node: NodeId) -> Self {
        Self {
            leaves: [node, 0, 0],
            len: 1,
            table: VARIABLES[0],
        }
    }

    fn leaves(&self) -> &[NodeId] {
        &self.leaves[..self.len as usize]
    }

    /// Union of the leaves of two cuts, if there are at most three.
    fn union(&self, other: &Self) -> Option<([NodeId; 3], u8)> {
        let (mut out, mut len) = ([0; 3], 0usize);
        let (mut i, mut j) = (0, 0);
        let (a, b) = (self.leaves(), other.leaves());
        while i < a.len() || j < b.len() {
            if len == 3 {
                return None;
            }
            let take_a = j == b.len() || (i < a.len() && a[i] <= b[j]);
            let leaf = if take_a { a[i] } else { b[j] };
            if i < a.len() && a[i] == leaf {
                i += 1;
            }
            if j < b.len() && b[j] == leaf {
                j += 1;
            }
            out[len] = leaf;
            len += 1;
        }
        Some((out, len as u8))
    }

    /// The truth table of this cut over a larger set of leaves.
    fn table_over(&self, leaves: &[NodeId]) -> u8 {
        let mut table = 0u8;
        let mut position = [0usize; 3];
        for (i, leaf) in self.leaves().iter().enumerate() {
            position[i] = leaves
                .iter()
                .position(|l| l == leaf)
                .expect("the union holds every leaf");
        }
        for row in 0..8u8 {
            let mut index = 0;
            for (i, &p) in position.iter().enumerate().take(self.len as usize) {
                index |= (row >> p & 1) << i;
            }
            table |= (self.table >> index & 1) << row;
        }
        table
    }
}

/// All cuts of at most three leaves, a bounded number a node.
pub(super) fn enumerate_cuts(network: &Network) -> Vec<Vec<Cut>> {
    let mut all: Vec<Vec<Cut>> = Vec::with_capacity(network.nodes.len());
    for (id, &node) in network.nodes.iter().enumerate() {
        let mut cuts: Vec<Cut> = Vec::new();
        let (pair, op): ([Literal; 2], fn(u8, u8) -> u8) = match node {
            Node::Constant | Node::Input(_) => {
                all.push(vec![Cut::trivial(id as NodeId)]);
                continue;
            }
            Node::And(a, b) => ([a, b], |x, y| x & y),
            Node::Xor(a, b) => ([Literal::new(a, false), Literal::new(b, false)], |x, y| {
                x ^ y
            }),
        };
        for left in &all[pair[0].node() as usize] {
            for right in &all[pair[1].node() as usize] {
                let Some((leaves, len)) = left.union(right) else {
                    continue;
                };
                if cuts.iter().any(|c| c.leaves == leaves && c.len == len) {
                    continue;
                }
                let used = &leaves[..len as usize];
                let flip = |l: Literal| if l.is_complement() { 0xff } else { 0 };
                let table = op(
                    left.table_over(used) ^ flip(pair[0]),
                    right.table_over(used) ^ flip(pair[1]),
                );
                cuts.push(Cut { leaves, len, table });
            }
        }
        // Wide cuts are the ones that adders are found on; among equals, the nearest leaves.
        cuts.sort_by_key(|c| (std::cmp::Reverse(c.len), std::cmp::Reverse(c.leaves)));
        cuts.truncate(CUTS_PER_NODE);
        cuts.push(Cut::trivial(id as NodeId));
        all.push(cuts);
    }
    all
}

/// If `table` is a majority of three literals: their complements. (A complemented majority is the majority of
/// the complements, so the output needs none.)
pub(super) fn as_majority(table: u8) -> Option<[bool; 3]> {
    (0..8u8).find_map(|mask| {
        let v = |i: usize| VARIABLES[i] ^ if mask >> i & 1 == 1 { 0xff } else { 0 };
        let majority = v(0) & v(1) | v(0) & v(2) | v(1) & v(2);
        (majority == table).then_some([mask & 1 == 1, mask >> 1 & 1 == 1, mask >> 2 & 1 == 1])
    })
}
