//! The two hashes of a state's digest.

use std::fmt;
use std::sync::LazyLock;

use fearless_simd::Level;

use crate::riscv::Cell;

/// A node of a state's Merkle tree.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node([u8; Self::BYTES]);

impl Node {
    /// Bytes of a node: 160 bits.
    pub const BYTES: usize = 20;

    /// The node of these bytes.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, in the order in which they are hashed.
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// The leaf of a word.
    pub fn leaf(word: u32) -> Self {
        Self::from_words([word, 0, 0, 0, 0])
    }

    /// The node above two.
    pub fn parent(left: Self, right: Self) -> Self {
        hash_nodes(&left, &right)
    }

    /// The node at `level`, 0 for a leaf, below which all words are zero.
    ///
    /// # Panics
    /// If no tree has such a level.
    pub fn empty(level: u32) -> Self {
        static EMPTY: LazyLock<[Node; Cell::MAX_LEVELS as usize + 1]> = LazyLock::new(|| {
            let mut next = Node::leaf(0);
            std::array::from_fn(|_| {
                let node = next;
                next = Node::parent(node, node);
                node
            })
        });
        EMPTY[level as usize] // cast ok: usize has at least 32 bits here
    }

    fn from_words(words: [u32; 5]) -> Self {
        let mut bytes = [0; Self::BYTES];
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(bytes)
    }

    fn words(&self) -> [u32; 5] {
        let mut words = [0; 5];
        for (word, bytes) in words.iter_mut().zip(self.0.chunks_exact(4)) {
            *word = u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        }
        words
    }
}

/// Lower-case hex.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({self})")
    }
}

/// The digest of a machine's state: of `pc` and all cells.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; Self::BYTES]);

impl Digest {
    /// Bytes of a digest: 160 bits.
    pub const BYTES: usize = 20;

    /// The digest of a state with this `pc` and this root over its cells.
    pub fn new(pc: u32, root: Node) -> Self {
        let mut message = [0; 4 + Node::BYTES];
        message[..4].copy_from_slice(&pc.to_le_bytes());
        message[4..].copy_from_slice(&root.0);
        let mut digest = [0; Self::BYTES];
        digest.copy_from_slice(&blake3::hash(&message).as_bytes()[..Self::BYTES]);
        Self(digest)
    }

    /// The digest of these bytes.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }
}

/// Lower-case hex.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Up to 512 nodes of a level, beside each other.
///
/// Each node's first words are in one array, the second ones in another, and so on: so the loops that hash all of them compile to
/// instructions on 4 to 16 nodes at once.
#[derive(Debug)]
pub(super) struct Row {
    columns: [[u32; Self::CAPACITY]; 5],
    count: usize,
}

impl Row {
    /// How many nodes there may be.
    pub(super) const CAPACITY: usize = 512;

    /// No nodes.
    pub(super) const fn new() -> Self {
        Self {
            columns: [[0; Self::CAPACITY]; 5],
            count: 0,
        }
    }

    /// The nodes above pairs of words, of which there are at most 1,024.
    pub(super) fn set_above_words(&mut self, words: &[u32]) {
        self.count = words.len() / 2;
        let [c0, c1, c2, c3, c4] = &mut self.columns;
        fearless_simd::dispatch!(Level::new(), _simd => parents_of_words(words, [c0, c1, c2, c3, c4]));
    }

    /// The nodes above pairs of these.
    pub(super) fn set_above(&mut self, row: &Self) {
        self.count = row.count / 2;
        let [c0, c1, c2, c3, c4] = &mut self.columns;
        fearless_simd::dispatch!(Level::new(), _simd => parents(row, [c0, c1, c2, c3, c4]));
    }

    /// Removes all.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds a node.
    pub(super) fn push(&mut self, node: Node) {
        for (column, word) in self.columns.iter_mut().zip(node.words()) {
            column[self.count] = word;
        }
        self.count += 1;
    }

    /// The nodes.
    pub(super) fn iter(&self) -> impl Iterator<Item = Node> {
        (0..self.count).map(|i| Node::from_words(self.columns.each_ref().map(|column| column[i])))
    }
}

// Loops that compilers turn into instructions on several nodes at once: written for the 128-bit ones that every processor has, and compiled
// for wider ones also, by `dispatch`. That needs them to be inlined.

#[inline(always)]
fn parents_of_words(words: &[u32], [c0, c1, c2, c3, c4]: [&mut [u32; Row::CAPACITY]; 5]) {
    for (i, &[left, right]) in words.as_chunks().0.iter().enumerate().take(Row::CAPACITY) {
        let mut message = [0; 16];
        (message[0], message[5]) = (left, right);
        [c0[i], c1[i], c2[i], c3[i], c4[i]] = compress(message);
    }
}

#[inline(always)]
fn parents(row: &Row, [c0, c1, c2, c3, c4]: [&mut [u32; Row::CAPACITY]; 5]) {
    for i in 0..(row.count / 2).min(Row::CAPACITY / 2) {
        let mut message = [0; 16];
        for (word, column) in row.columns.iter().enumerate() {
            (message[word], message[word + 5]) = (column[2 * i], column[2 * i + 1]);
        }
        [c0[i], c1[i], c2[i], c3[i], c4[i]] = compress(message);
    }
}

#[inline(never)]
fn hash_nodes(left: &Node, right: &Node) -> Node {
    let mut message = [0; 16];
    message[..5].copy_from_slice(&left.words());
    message[5..10].copy_from_slice(&right.words());
    Node::from_words(compress(message))
}

// https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf, table 1
const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

// Table 2, repeated for each round.
const SCHEDULE: [[usize; 16]; 7] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8],
    [3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1],
    [10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6],
    [12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4],
    [9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7],
    [11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13],
];

/// The first five words of BLAKE3 of a message of 40 bytes, which is one compression of its only block.
///
/// Not by the crate `blake3`: it hashes messages side by side only if they are whole blocks.
#[inline(always)]
fn compress(message: [u32; 16]) -> [u32; 5] {
    /// `CHUNK_START`, `CHUNK_END` and `ROOT`.
    const FLAGS: u32 = 1 | 2 | 8;
    const BLOCK_BYTES: u32 = 40;
    let mut v = [0; 16];
    v[..8].copy_from_slice(&IV);
    v[8..12].copy_from_slice(&IV[..4]);
    (v[14], v[15]) = (BLOCK_BYTES, FLAGS);
    // Spelled out, for the compiler to leave out the words that are zero.
    round(&mut v, &message, &SCHEDULE[0]);
    round(&mut v, &message, &SCHEDULE[1]);
    round(&mut v, &message, &SCHEDULE[2]);
    round(&mut v, &message, &SCHEDULE[3]);
    round(&mut v, &message, &SCHEDULE[4]);
    round(&mut v, &message, &SCHEDULE[5]);
    round(&mut v, &message, &SCHEDULE[6]);
    std::array::from_fn(|i| v[i] ^ v[i + 8])
}

#[inline(always)]
fn round(v: &mut [u32; 16], m: &[u32; 16], s: &[usize; 16]) {
    mix(v, [0, 4, 8, 12], m[s[0]], m[s[1]]);
    mix(v, [1, 5, 9, 13], m[s[2]], m[s[3]]);
    mix(v, [2, 6, 10, 14], m[s[4]], m[s[5]]);
    mix(v, [3, 7, 11, 15], m[s[6]], m[s[7]]);
    mix(v, [0, 5, 10, 15], m[s[8]], m[s[9]]);
    mix(v, [1, 6, 11, 12], m[s[10]], m[s[11]]);
    mix(v, [2, 7, 8, 13], m[s[12]], m[s[13]]);
    mix(v, [3, 4, 9, 14], m[s[14]], m[s[15]]);
}

/// `G` of the specification.
#[inline(always)]
fn mix(v: &mut [u32; 16], [a, b, c, d]: [usize; 4], x: u32, y: u32) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(12);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(8);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(7);
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn by_the_crate(left: Node, right: Node) -> Node {
        let message = [left.0, right.0].concat();
        let mut node = [0; 20];
        node.copy_from_slice(&blake3::hash(&message).as_bytes()[..20]);
        Node(node)
    }

    #[test]
    fn hashes_are_blake3() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut count = 0;
        for words in [(0, 0), (0, 1), (1, 0), (u32::MAX, u32::MAX)] {
            let (left, right) = (Node::leaf(words.0), Node::leaf(words.1));
            assert_eq!(Node::parent(left, right), by_the_crate(left, right));
        }
        for _ in 0..20_000 {
            let (left, right) = (Node(rng.r#gen()), Node(rng.r#gen()));
            assert_eq!(Node::parent(left, right), by_the_crate(left, right));
            count += 1;
        }
        println!("covered: {count} pairs hashed");
    }

    #[test]
    fn rows_are_hashed_like_single_nodes() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut above = Row::new();
        for count in (0..70).chain([127, 500, 511, 512]) {
            let words: Vec<u32> = (0..2 * count).map(|_| rng.r#gen()).collect();
            let mut row = Row::new();
            row.set_above_words(&words);
            let expected = words
                .chunks_exact(2)
                .map(|pair| by_the_crate(Node::leaf(pair[0]), Node::leaf(pair[1])));
            assert!(row.iter().eq(expected), "{count} pairs of words");
            row.clear();
            let nodes: Vec<Node> = (0..count).map(|_| Node(rng.r#gen())).collect();
            nodes.iter().for_each(|&node| row.push(node));
            above.set_above(&row);
            let mut narrow = Row::new();
            let [c0, c1, c2, c3, c4] = &mut narrow.columns;
            parents(&row, [c0, c1, c2, c3, c4]);
            narrow.count = above.count;
            assert!(
                narrow.iter().eq(above.iter()),
                "{count} nodes, by the narrowest instructions"
            );
            let expected = nodes
                .chunks_exact(2)
                .map(|pair| by_the_crate(pair[0], pair[1]));
            assert!(above.iter().eq(expected), "{count} nodes");
        }
        println!("rows hashed with {:?}", Level::new());
    }

    #[test]
    fn leaves_and_digests_are_laid_out_as_written() {
        let leaf = Node::leaf(0x0403_0201).to_bytes();
        assert_eq!(leaf[..5], [1, 2, 3, 4, 0]);
        assert_eq!(leaf[5..], [0; 15]);
        assert_eq!(Node::empty(0).to_bytes(), [0; 20]);
        assert_eq!(Node::empty(2), by_the_crate(Node::empty(1), Node::empty(1)));
        let mut message = vec![0x04, 0x03, 0x02, 0x01];
        message.extend([7; 20]);
        assert_eq!(
            Digest::new(0x0102_0304, Node([7; 20])).to_bytes(),
            blake3::hash(&message).as_bytes()[..20]
        );
    }
}
