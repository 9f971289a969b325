//! The circuits this project ships, in the folder `circuits/`.
//!
//! Integers are little-endian: wire `i` of a value has weight `2^i`. Keys, blocks, chaining states and digests are the
//! integers that their bytes spell, first byte most significant, so that their usual hexadecimal string is their
//! value; wire 0 is the lowest bit of the last byte, as in the AES and SHA-256 netlists of Bristol Fashion.

mod aes;
mod integer;
mod keccak;
mod sha256;

pub use aes::{aes128, aes192, aes256};
pub use integer::{adder, comparator, multiplier};
pub use keccak::keccak_f1600;
pub use sha256::{EXAMPLE_DIGEST, EXAMPLE_PREIMAGE, sha256_compression, sha256_preimage};

use super::Circuit;
use super::build::{Bit, Builder};

/// A circuit of the folder `circuits/`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The file's name.
    pub file: &'static str,
    /// What the circuit computes, in one line.
    pub description: &'static str,
    /// Generates the circuit.
    pub generate: fn() -> Circuit,
}

/// Every circuit of the folder `circuits/`, by name.
pub const ENTRIES: &[Entry] = &[
    Entry {
        file: "adder64.txt",
        description: "a, b (64 bits each) → a + b mod 2^64",
        generate: || adder(64),
    },
    Entry {
        file: "aes128.txt",
        description: "key, plaintext (128 bits each) → AES-128 ciphertext",
        generate: aes128,
    },
    Entry {
        file: "compare64.txt",
        description: "a, b (64 bits each) → 1 if a < b, unsigned",
        generate: || comparator(64),
    },
    Entry {
        file: "keccak_f1600.txt",
        description: "state (1600 bits, lane x, y at bit 64·(x + 5·y)) → Keccak-f[1600] of it",
        generate: keccak_f1600,
    },
    Entry {
        file: "multiply32.txt",
        description: "a, b (32 bits each) → a · b, 64 bits",
        generate: || multiplier(32),
    },
    Entry {
        file: "sha256.txt",
        description: "block (512 bits), chaining state (256 bits) → the next chaining state",
        generate: sha256_compression,
    },
    Entry {
        file: "sha256_preimage.txt",
        description: "32 bytes → 1 if their SHA-256 is the example's digest",
        generate: || sha256_preimage(&EXAMPLE_DIGEST),
    },
];

/// Ends a circuit of this library.
fn finish(builder: Builder, outputs: &[Vec<Bit>]) -> Circuit {
    builder
        .finish(outputs)
        .expect("inputs and outputs have bits, and the inputs are few")
}

/// Splits the wires of a number into words of `bits` bits, the most significant word first.
fn words_of(number: &[Bit], bits: usize) -> Vec<Vec<Bit>> {
    number.chunks(bits).rev().map(<[Bit]>::to_vec).collect()
}

/// Joins words, the most significant first, into the wires of one number.
fn join_words(words: &[Vec<Bit>]) -> Vec<Bit> {
    words.iter().rev().flatten().copied().collect()
}
