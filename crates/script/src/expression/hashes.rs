//! Hash functions as operations.

use sha2::{Digest, Sha256};

use super::{Expression, Hash, Hash160, Hash256, HashFunction, Operation, Typed, ValueId, Word};
use crate::gadgets::{blake3, sha256};

/// A part of a message: a word, which is four bytes with the lowest first, or a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    value: ValueId,
    bytes: usize,
}

impl From<Word> for Part {
    fn from(word: Word) -> Self {
        Self {
            value: word.id(),
            bytes: 4,
        }
    }
}

impl From<Hash160> for Part {
    fn from(hash: Hash160) -> Self {
        Self {
            value: hash.id(),
            bytes: 20,
        }
    }
}

impl From<Hash256> for Part {
    fn from(hash: Hash256) -> Self {
        Self {
            value: hash.id(),
            bytes: 32,
        }
    }
}

/// Hash functions.
impl Expression {
    /// The first 160 or 256 bits of the BLAKE3 digest of a message, which is all parts one after the other.
    ///
    /// ```
    /// use tapcourt_script::expression::{Datum, Expression, Hash160};
    /// use tapcourt_script::interpreter::{Rules, execute};
    ///
    /// // A node of a Merkle tree: the hash of its two children is the one that was published.
    /// let mut expression = Expression::new();
    /// let published = expression.input_hash::<Hash160>("node");
    /// let children = ["left", "right"].map(|name| expression.witness_hash::<Hash160>(name));
    /// let node = expression.blake3::<Hash160>(&children.map(Into::into));
    /// expression.assert_equal(node, published);
    /// let template = expression.compile()?;
    ///
    /// let digest = ::blake3::hash(&[7; 40]);
    /// let node: [u8; 20] = digest.as_bytes()[..20].try_into()?;
    /// for (left, accepted) in [([7; 20], true), ([8; 20], false)] {
    ///     let inputs = [("left", left), ("right", [7; 20]), ("node", node)];
    ///     let evaluation = expression.evaluate(inputs.map(|(name, hash)| (name, Datum::from(hash))))?;
    ///     assert_eq!(evaluation.holds(), accepted);
    ///     let execution = execute(&template.script, template.witness(&evaluation), None, Rules::Policy);
    ///     assert_eq!(execution.succeeded(), accepted);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If there is no part, or the message is longer than a chunk of 1,024 bytes.
    pub fn blake3<H: Hash>(&mut self, message: &[Part]) -> H {
        let arguments = parts(message, blake3::CHUNK_BYTES);
        let [hash] = self.step(Operation::Hash(HashFunction::Blake3), arguments, [H::TYPE]);
        H::from_id(hash)
    }

    /// The SHA-256 digest of a message, which is all parts one after the other. SHA-256 reads bytes to words the highest first, but that is its own
    /// affair: a word here is four bytes with the lowest first, and so are the words of the digest.
    ///
    /// # Panics
    /// If there is no part, or the message is longer than 1,024 bytes.
    pub fn sha256(&mut self, message: &[Part]) -> Hash256 {
        let arguments = parts(message, sha256::MAX_MESSAGE_BYTES);
        let function = Operation::Hash(HashFunction::Sha256);
        let [hash] = self.step(function, arguments, [Hash256::TYPE]);
        Hash256::from_id(hash)
    }
}

/// The values of a message of at most `limit` bytes.
fn parts(message: &[Part], limit: usize) -> Vec<ValueId> {
    let bytes: usize = message.iter().map(|part| part.bytes).sum();
    assert!(
        (1..=limit).contains(&bytes),
        "a message has 1 to {limit} bytes, not {bytes}"
    );
    message.iter().map(|part| part.value).collect()
}

impl HashFunction {
    /// The digest, by plain arithmetic.
    pub(super) fn digest(self, message: &[u8]) -> [u8; 32] {
        match self {
            Self::Sha256 => Sha256::digest(message).into(),
            Self::Blake3 => blake3_of_chunk(message),
        }
    }
}

/// The BLAKE3 digest of a message of one chunk, as the specification words it (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2021, section 2).
fn blake3_of_chunk(message: &[u8]) -> [u8; 32] {
    const CHUNK_START: u32 = 1;
    const CHUNK_END_AND_ROOT: u32 = 2 | 8;
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
    const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    const MIXED: [[usize; 4]; 8] = [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ];
    let blocks: Vec<&[u8]> = message.chunks(64).collect();
    let mut chaining = IV;
    for (index, block) in blocks.iter().enumerate() {
        let mut bytes = [0; 64];
        bytes[..block.len()].copy_from_slice(block);
        let mut words: [u32; 16] = std::array::from_fn(|word| {
            u32::from_le_bytes(std::array::from_fn(|byte| bytes[4 * word + byte]))
        });
        let mut flags = 0;
        if index == 0 {
            flags |= CHUNK_START;
        }
        if index == blocks.len() - 1 {
            flags |= CHUNK_END_AND_ROOT;
        }
        let mut state = [0; 16];
        state[..8].copy_from_slice(&chaining);
        state[8..12].copy_from_slice(&IV[..4]);
        state[14] = block.len() as u32; // cast ok: at most 64
        state[15] = flags;
        for _ in 0..7 {
            for (step, [a, b, c, d]) in MIXED.into_iter().enumerate() {
                for (half, [first, second]) in [[16, 12], [8, 7]].into_iter().enumerate() {
                    let word = words[2 * step + half];
                    state[a] = state[a].wrapping_add(state[b]).wrapping_add(word);
                    state[d] = (state[d] ^ state[a]).rotate_right(first);
                    state[c] = state[c].wrapping_add(state[d]);
                    state[b] = (state[b] ^ state[c]).rotate_right(second);
                }
            }
            words = PERMUTATION.map(|word| words[word]);
        }
        chaining = std::array::from_fn(|word| state[word] ^ state[word + 8]);
    }
    std::array::from_fn(|byte| chaining[byte / 4].to_le_bytes()[byte % 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_evaluator_knows_blake3() {
        let message: Vec<u8> = (0..1024u32).map(|byte| (byte * byte >> 3) as u8).collect();
        for bytes in [1, 4, 20, 63, 64, 65, 127, 128, 129, 1000, 1024] {
            let message = &message[..bytes];
            assert_eq!(
                blake3_of_chunk(message),
                *::blake3::hash(message).as_bytes()
            );
        }
    }
}
