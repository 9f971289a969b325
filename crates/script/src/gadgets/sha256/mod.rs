//! SHA-256 (FIPS 180-4), and Bitcoin's double SHA-256.
//!
//! # Forms of a nibble
//! | form | logical number | for |
//! |---|---|---|
//! | wide | `8n` | rotations: eight interleaved tables give, at eight consecutive stack heights, the parts of a nibble that a rotation sends to its two neighbours, and the two other forms |
//! | ternary | `3·Σ bit·3^i` | boolean functions: the sum of two tells for each bit whether none, one or both are set; three tables are interleaved |
//! | even | `2n` | additions |
//!
//! `Ch(e, f, g)` is computed as `g ^ (e & (f ^ g))` and `Maj(a, b, c)` as `b ^ ((a ^ b) & (b ^ c))`, of which `b ^ c` is known from the round before. The stack
//! keeps its height at every step, as described for [`blake3`](super::blake3).

mod compress;
mod tables;

use self::compress::compress;
use self::tables::Tables;
use super::hash::{self, BLOCK_BYTES, HashError, HashGadget, IV, Packing};
use crate::dataflow::{Bank, CompileError, Compiled, Effort, Flow, Linear};
use crate::words::{self, Nibble, Word};

/// Most bytes of a message.
pub const MAX_MESSAGE_BYTES: usize = 1024;

/// A script that hashes `message_bytes` bytes to their SHA-256 digest.
///
/// ```
/// use tapcourt_script::gadgets::{nibble_items, sha256};
/// use tapcourt_script::interpreter::{Rules, execute};
///
/// let gadget = sha256::hash(3)?;
/// let left = execute(gadget.script(), gadget.message_items(b"abc"), None, Rules::Policy).stack;
/// let digest = nibble_items(&hex_literal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
/// assert_eq!(left, digest);
/// # fn hex_literal(hex: &str) -> Vec<u8> {
/// #     (0..hex.len() / 2).map(|byte| u8::from_str_radix(&hex[2 * byte..][..2], 16).unwrap()).collect()
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the message is empty or longer than [`MAX_MESSAGE_BYTES`], or takes too many stack items: it lies there as nibbles, which leaves room for
/// some 90 bytes; see [`hash_packed`].
pub fn hash(message_bytes: usize) -> Result<HashGadget, HashError> {
    hash_with(message_bytes, Packing::Nibbles, Effort::Full)
}

/// The same for a message that lies on the stack as limbs of seven nibbles, which leaves room for some 220 bytes.
///
/// # Errors
/// As for [`hash`].
pub fn hash_packed(message_bytes: usize) -> Result<HashGadget, HashError> {
    hash_with(message_bytes, Packing::Limbs, Effort::Full)
}

/// All choices.
pub(crate) fn hash_with(
    message_bytes: usize,
    packing: Packing,
    effort: Effort,
) -> Result<HashGadget, HashError> {
    hash::join(
        &blocks(message_bytes, packing, effort)?,
        packing,
        message_bytes,
        32,
    )
}

/// A script that hashes `message_bytes` bytes to the SHA-256 digest of their SHA-256 digest, as Bitcoin does with block headers of 80 bytes.
///
/// # Errors
/// As for [`hash`].
pub fn hash256(message_bytes: usize) -> Result<HashGadget, HashError> {
    hash256_with(message_bytes, Effort::Full)
}

/// The same with a choice of effort.
pub(crate) fn hash256_with(message_bytes: usize, effort: Effort) -> Result<HashGadget, HashError> {
    let packing = Packing::Nibbles;
    let mut scripts = blocks(message_bytes, packing, effort)?;
    scripts.extend(blocks(32, packing, effort)?);
    hash::join(&scripts, packing, message_bytes, 32)
}

/// A script that compresses one block of 64 bytes into the initial chaining value, without padding (section 6.2.2).
///
/// # Errors
/// None: the block fits the stack.
pub fn compression() -> Result<HashGadget, HashError> {
    compression_with(Effort::Full)
}

/// The same with a choice of effort.
pub(crate) fn compression_with(effort: Effort) -> Result<HashGadget, HashError> {
    let block = Block {
        bytes: std::array::from_fn(Byte::Message),
        chained: false,
        effort,
    };
    let compiled = block
        .compile()
        .map_err(|error| hash::block_error(&error, BLOCK_BYTES))?;
    hash::join(&[(compiled, 0)], Packing::Nibbles, BLOCK_BYTES, 32)
}

/// The blocks of a padded message (section 5.1.1), each with the number of items that wait below it.
fn blocks(
    message_bytes: usize,
    packing: Packing,
    effort: Effort,
) -> Result<Vec<(Compiled, usize)>, HashError> {
    if !(1..=MAX_MESSAGE_BYTES).contains(&message_bytes) {
        return Err(HashError::MessageLength {
            bytes: message_bytes,
            limit: MAX_MESSAGE_BYTES,
        });
    }
    let mut padded: Vec<Option<u8>> = vec![None; message_bytes];
    padded.push(Some(0x80));
    while padded.len() % BLOCK_BYTES != BLOCK_BYTES - 8 {
        padded.push(Some(0));
    }
    let bits = 8 * message_bytes as u64; // cast ok: at most 1024
    padded.extend(bits.to_be_bytes().map(Some));

    let mut rest = message_bytes;
    let compile = |(index, bytes): (usize, &[Option<u8>])| {
        let own = bytes.iter().filter(|byte| byte.is_none()).count();
        rest -= own;
        let waiting = match packing {
            Packing::Nibbles => 2 * rest,
            Packing::Limbs => hash::packed_items(rest),
        };
        let block = Block {
            bytes: std::array::from_fn(|byte| {
                bytes[byte].map_or(Byte::Message(byte), Byte::Padding)
            }),
            chained: index > 0,
            effort,
        };
        let compiled = block
            .compile()
            .map_err(|error| hash::block_error(&error, message_bytes))?;
        Ok((compiled, waiting))
    };
    padded
        .chunks(BLOCK_BYTES)
        .enumerate()
        .map(compile)
        .collect()
}

/// A byte of a block.
#[derive(Clone, Copy, Debug)]
enum Byte {
    /// Of the message: so many bytes lie above it.
    Message(usize),
    Padding(u8),
}

/// One block of a message.
struct Block {
    bytes: [Byte; BLOCK_BYTES],
    /// Whether a chaining value lies on top of the block, rather than being the initial one.
    chained: bool,
    effort: Effort,
}

impl Block {
    fn compile(&self) -> Result<Compiled, CompileError> {
        let mut bank = Bank::default();
        let tables = Tables::new(&mut bank);
        let mut flow = Flow::new(bank);
        flow.set_effort(self.effort);
        let own = self
            .bytes
            .iter()
            .filter(|byte| matches!(byte, Byte::Message(_)))
            .count();
        // From the top down: the chaining value, then the message.
        let message = hash::take_nibbles(&mut flow, 2 * own);
        let chaining = hash::take_nibbles(&mut flow, if self.chained { 64 } else { 0 });
        let chaining = hash::scale(&mut flow, &chaining, 3, Some(tables.sum.low));
        let message = hash::scale(&mut flow, &message, 3, Some(tables.sum.low));
        flow.set_up_tables();
        hash::restore(&mut flow, &message);
        hash::restore(&mut flow, &chaining);

        let mut words = IV.map(words::constant);
        for (byte, pair) in chaining.chunks(2).enumerate() {
            set_byte(&mut words, byte, [pair[0], pair[1]].map(Nibble::Value));
        }
        let mut block = [words::constant(0); 16];
        for (place, byte) in self.bytes.iter().enumerate() {
            let pair = match *byte {
                Byte::Message(index) => {
                    [message[2 * index], message[2 * index + 1]].map(Nibble::Value)
                }
                Byte::Padding(byte) => [byte & 15, byte >> 4].map(Nibble::Constant),
            };
            set_byte(&mut block, place, pair);
        }
        let digest = compress(&tables, &mut flow, words, block);
        // The first byte on top, its low nibble uppermost.
        for byte in (0..32).rev() {
            let (word, shift) = (digest[byte / 4], 6 - 2 * (byte % 4));
            for nibble in [word[shift + 1], word[shift]] {
                flow.output(match nibble {
                    Nibble::Constant(nibble) => Linear::from(i64::from(nibble)),
                    Nibble::Value(value) => Linear::from(value),
                });
            }
        }
        flow.compile()
    }
}

/// Sets a byte, given as its low and its high nibble, of big-endian words.
fn set_byte(words: &mut [Word], byte: usize, [low, high]: [Nibble; 2]) {
    let place = 6 - 2 * (byte % 4);
    words[byte / 4][place] = low;
    words[byte / 4][place + 1] = high;
}
