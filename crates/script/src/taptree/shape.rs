//! Which nodes of a tree join which: balanced for equal likelihoods, Huffman's otherwise.
//!
//! Nodes are numbered leaves first, then branches, every branch after its two children; the root is the last.

use std::ops::Range;

use rayon::prelude::*;

/// The structure of a tree.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Depths differ by at most one; the first leaves are the deeper ones. Nothing needs to be stored.
    Balanced(Balanced),
    /// Likely leaves are near the root.
    Weighted(Weighted),
}

/// A balanced tree over `leaves` leaves.
///
/// With 2^d ≤ n < 2^(d+1) leaves, the first 2(n - 2^d) of them are at depth d + 1. Their parents, followed by the other
/// leaves, are the 2^d nodes at depth d; the levels above are complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Balanced {
    leaves: usize,
}

/// A tree with a parent for every node and two children for every branch.
#[derive(Clone, Debug)]
pub(super) struct Weighted {
    leaves: usize,
    /// Children of branch `leaves + i`.
    children: Vec<[u32; 2]>,
    /// Parent of each node but the root.
    parents: Vec<u32>,
}

impl Shape {
    /// The parent and the sibling of a node, or none at the root.
    pub(super) fn parent_and_sibling(&self, node: usize) -> Option<(usize, usize)> {
        match self {
            Self::Balanced(balanced) => balanced.parent_and_sibling(node),
            Self::Weighted(weighted) => {
                let parent = *weighted.parents.get(node)? as usize; // cast ok: u32 fits usize
                let [first, second] =
                    weighted.children[parent - weighted.leaves].map(|child| child as usize);
                Some((parent, if first == node { second } else { first }))
            }
        }
    }
}

impl Balanced {
    pub(super) const fn new(leaves: usize) -> Self {
        Self { leaves }
    }

    /// Leaves that are one level deeper than the rest.
    const fn deep_leaves(self) -> usize {
        2 * (self.leaves - (1 << self.leaves.ilog2()))
    }

    /// The two children of a branch.
    ///
    /// The first branches are the parents of the deep leaves. From there on, count the nodes at depth d in order (these
    /// parents, then the shallow leaves), then all branches above in the order they are made: each takes the next two.
    pub(super) fn children(self, branch: usize) -> [usize; 2] {
        let index = branch - self.leaves;
        let deep = self.deep_leaves();
        if index < deep / 2 {
            return [2 * index, 2 * index + 1];
        }
        let first = 2 * (index - deep / 2);
        [self.in_queue(first), self.in_queue(first + 1)]
    }

    /// The `n`-th node counted from depth d upwards.
    const fn in_queue(self, n: usize) -> usize {
        let parents = self.deep_leaves() / 2;
        let shallow = self.leaves - self.deep_leaves();
        if n < parents {
            self.leaves + n
        } else if n < parents + shallow {
            self.deep_leaves() + (n - parents)
        } else {
            self.leaves + parents + (n - parents - shallow)
        }
    }

    fn parent_and_sibling(self, node: usize) -> Option<(usize, usize)> {
        let deep = self.deep_leaves();
        if node < deep {
            return Some((self.leaves + node / 2, node ^ 1));
        }
        let (parents, shallow) = (deep / 2, self.leaves - deep);
        let n = if node < self.leaves {
            parents + (node - deep)
        } else if node < self.leaves + parents {
            node - self.leaves
        } else {
            parents + shallow + (node - self.leaves - parents)
        };
        if node == 2 * self.leaves - 2 {
            return None; // the root
        }
        Some((self.leaves + parents + n / 2, self.in_queue(n ^ 1)))
    }

    /// The branches, in runs whose children all come before the run.
    pub(super) fn levels(self) -> impl Iterator<Item = Range<usize>> {
        let mut start = self.leaves;
        let mut next = self.deep_leaves() / 2;
        let complete = 1usize << self.leaves.ilog2();
        let mut above = complete;
        std::iter::from_fn(move || {
            loop {
                let len = next;
                above /= 2;
                next = above;
                if len > 0 {
                    let level = start..start + len;
                    start += len;
                    return Some(level);
                }
                if above == 0 {
                    return None;
                }
            }
        })
    }
}

impl Weighted {
    /// Builds Huffman's tree.
    ///
    /// Likelihoods are first raised to at least 2^-64 of their sum. No likelihood is then below 2^-65 of the new sum
    /// (for up to 2^32 leaves), and since a Huffman leaf at depth k has a likelihood of at most 1 / F(k), F being
    /// Fibonacci's numbers, no depth exceeds 95: well within the 128 that BIP-0341 allows.
    pub(super) fn huffman(likelihoods: &[u64]) -> Self {
        let leaves = likelihoods.len();
        let index = |node: usize| u32::try_from(node).expect("the tree has fewer than 2^32 nodes");
        let sum: u128 = likelihoods
            .iter()
            .map(|&likelihood| u128::from(likelihood))
            .sum();
        let least = u64::try_from(sum >> 64)
            .expect("2^32 numbers below 2^64 sum to less than 2^96")
            .max(1);
        let weight = |leaf: u32| likelihoods[leaf as usize].max(least); // cast ok: u32 fits usize

        // Two queues: leaves by weight, and branches, which come into being in order of weight. On a tie leaves go
        // first, which keeps the tree shallow.
        let mut order: Vec<u32> = (0..index(leaves)).collect();
        order.par_sort_unstable_by_key(|&leaf| (weight(leaf), leaf));
        let mut children = Vec::with_capacity(leaves - 1);
        let mut parents = vec![0u32; 2 * leaves - 2];
        let mut branch_weights: Vec<u128> = Vec::with_capacity(leaves - 1);
        let (mut next_leaf, mut next_branch) = (0, 0);
        for branch in leaves..2 * leaves - 1 {
            let mut take = || {
                let leaf = order
                    .get(next_leaf)
                    .map(|&leaf| (u128::from(weight(leaf)), leaf));
                let branch = branch_weights
                    .get(next_branch)
                    .map(|&weight| (weight, index(leaves + next_branch)));
                match (leaf, branch) {
                    (Some(leaf), branch) if branch.is_none_or(|branch| leaf.0 <= branch.0) => {
                        next_leaf += 1;
                        leaf
                    }
                    (_, Some(branch)) => {
                        next_branch += 1;
                        branch
                    }
                    _ => unreachable!("n leaves are joined n - 1 times"),
                }
            };
            let ((first_weight, first), (second_weight, second)) = (take(), take());
            branch_weights.push(first_weight + second_weight);
            children.push([first, second]);
            parents[first as usize] = index(branch); // cast ok: u32 fits usize
            parents[second as usize] = index(branch);
        }
        Self {
            leaves,
            children,
            parents,
        }
    }

    /// The two children of a branch.
    pub(super) fn children(&self, branch: usize) -> [usize; 2] {
        self.children[branch - self.leaves].map(|child| child as usize) // cast ok: u32 fits usize
    }

    /// The branches, in runs whose children all come before the run.
    pub(super) fn levels(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = self.leaves;
        let end = self.leaves + self.children.len();
        std::iter::from_fn(move || {
            let first = start;
            while start < end && self.children(start).iter().all(|&child| child < first) {
                start += 1;
            }
            (first < start).then_some(first..start)
        })
    }
}
