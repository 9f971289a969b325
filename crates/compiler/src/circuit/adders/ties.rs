//! Union-find with parity.

/// Booleans of which some are known to be equal or to differ: union-find with parity.
pub(super) struct Ties {
    parent: Vec<(u32, bool)>,
}

impl Ties {
    pub(super) fn new(len: usize) -> Self {
        Self {
            parent: (0..len as u32).map(|i| (i, false)).collect(),
        }
    }

    /// The representative of `i`, and whether `i` differs from it.
    pub(super) fn find(&mut self, i: u32) -> (u32, bool) {
        let (mut root, mut differs) = (i, false);
        while self.parent[root as usize].0 != root {
            let (parent, d) = self.parent[root as usize];
            differs ^= d;
            // Halve the path.
            let (grandparent, e) = self.parent[parent as usize];
            self.parent[root as usize] = (grandparent, d ^ e);
            if grandparent != parent {
                differs ^= e;
            }
            root = grandparent;
        }
        (root, differs)
    }

    /// Notes that `a` and `b` differ or are equal; `false` if the opposite is known.
    pub(super) fn tie(&mut self, a: u32, b: u32, differ: bool) -> bool {
        let ((root_a, a_differs), (root_b, b_differs)) = (self.find(a), self.find(b));
        if root_a == root_b {
            return a_differs ^ b_differs == differ;
        }
        self.parent[root_a as usize] = (root_b, a_differs ^ b_differs ^ differ);
        true
    }
}
