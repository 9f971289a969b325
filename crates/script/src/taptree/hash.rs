//! BIP-0341's tagged hashes, from midstates.

use std::sync::LazyLock;

use bitcoin::hashes::Hash;
use bitcoin::{Script, TapLeafHash};
use sha2::digest::generic_array::GenericArray;
use sha2::{Digest, Sha256, compress256};

use crate::limits::TAPROOT_LEAF_TAPSCRIPT;

/// A node of the tree.
pub(super) type Hash32 = [u8; 32];

/// SHA-256's initial state (FIPS 180-4, 5.3.3).
const SHA256_INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The block that BIP-0340 puts before a tagged hash's message: the tag's hash, twice.
fn tag_block(tag: &str) -> [u8; 64] {
    let tag_hash = Sha256::digest(tag);
    let mut block = [0; 64];
    block[..32].copy_from_slice(&tag_hash);
    block[32..].copy_from_slice(&tag_hash);
    block
}

static LEAF_START: LazyLock<Sha256> =
    LazyLock::new(|| Sha256::new_with_prefix(tag_block("TapLeaf")));

static BRANCH_STATE: LazyLock<[u32; 8]> = LazyLock::new(|| {
    let mut state = SHA256_INITIAL_STATE;
    compress256(&mut state, &[GenericArray::from(tag_block("TapBranch"))]);
    state
});

/// The last block of every branch hash: padding, and the length of 128 bytes in bits.
const BRANCH_PADDING: [u8; 64] = {
    let mut block = [0; 64];
    block[0] = 0x80;
    block[62] = 0x04;
    block
};

/// BIP-0341's `TapBranch` hash of two nodes, in either order.
pub(super) fn branch(first: &Hash32, second: &Hash32) -> Hash32 {
    let (low, high) = if first <= second {
        (first, second)
    } else {
        (second, first)
    };
    let mut block = [0; 64];
    block[..32].copy_from_slice(low);
    block[32..].copy_from_slice(high);
    let mut state = *BRANCH_STATE;
    compress256(
        &mut state,
        &[
            GenericArray::from(block),
            GenericArray::from(BRANCH_PADDING),
        ],
    );
    let mut hash = [0; 32];
    for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// Calculates the BIP-0341 hash of a tapscript leaf (version 0xc0).
pub fn leaf_hash(script: &Script) -> TapLeafHash {
    PrefixHasher::new(&[], script.len()).finish(script.as_bytes())
}

/// Hashes many leaves of one length that begin alike, reading their common prefix once.
///
/// The length of the whole script is hashed before its first byte, so one hasher serves one length.
///
/// ```
/// use tapcourt_script::script;
/// use tapcourt_script::taptree::{PrefixHasher, leaf_hash};
///
/// let prefix = script! { for _ in 0..100 { OP_DUP OP_HASH160 } };
/// let hasher = PrefixHasher::new(prefix.as_bytes(), prefix.len() + 2);
/// for n in 20u8..40 {
///     let suffix = script! { { n } };
///     assert_eq!(hasher.finish(suffix.as_bytes()), leaf_hash(&script! { { &prefix } { &suffix } }));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct PrefixHasher {
    state: Sha256,
    suffix_bytes: usize,
}

impl PrefixHasher {
    /// Hashes the prefix of scripts of `script_bytes` bytes.
    ///
    /// # Panics
    /// If the prefix is longer than the whole script.
    pub fn new(prefix: &[u8], script_bytes: usize) -> Self {
        let suffix_bytes = script_bytes
            .checked_sub(prefix.len())
            .expect("a prefix is not longer than its script");
        let mut state = LEAF_START.clone();
        let mut header = [TAPROOT_LEAF_TAPSCRIPT; 10];
        let header_bytes = 1 + compact_size(script_bytes, &mut header[1..]);
        state.update(&header[..header_bytes]);
        state.update(prefix);
        Self {
            state,
            suffix_bytes,
        }
    }

    /// Calculates the hash of the leaf that ends in `suffix`.
    ///
    /// # Panics
    /// If the suffix does not complete the script to the length given at first.
    pub fn finish(&self, suffix: &[u8]) -> TapLeafHash {
        self.finish_parts(&[suffix])
    }

    /// Calculates the hash of the leaf that ends in these parts, one after the other.
    ///
    /// # Panics
    /// If the parts do not complete the script to the length given at first.
    pub fn finish_parts(&self, parts: &[&[u8]]) -> TapLeafHash {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        assert_eq!(
            bytes, self.suffix_bytes,
            "the suffix completes the script to the length announced"
        );
        let mut state = self.state.clone();
        for part in parts {
            state.update(part);
        }
        TapLeafHash::from_byte_array(state.finalize().into())
    }
}

/// Writes a length as Bitcoin's `CompactSize` and returns how many bytes that takes.
fn compact_size(len: usize, buffer: &mut [u8]) -> usize {
    let len = len as u64; // cast ok: usize has at most 64 bits
    let (tag, bytes) = match len {
        0..=0xfc => {
            buffer[0] = len as u8; // cast ok: the arm's range
            return 1;
        }
        0xfd..=0xffff => (0xfd, 2),
        0x1_0000..=0xffff_ffff => (0xfe, 4),
        _ => (0xff, 8),
    };
    buffer[0] = tag;
    buffer[1..=bytes].copy_from_slice(&len.to_le_bytes()[..bytes]);
    1 + bytes
}
