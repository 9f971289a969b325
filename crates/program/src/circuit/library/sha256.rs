//! SHA-256 (FIPS 180-4): the compression function, and the contract "I know a preimage of this digest".

use super::{finish, join_words, words_of};
use crate::circuit::Circuit;
use crate::circuit::build::{Bit, Builder, constant, rotate_right, shift_right};

/// The round constants (FIPS 180-4, section 4.2.2).
const ROUND_CONSTANTS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// The initial chaining state (FIPS 180-4, section 5.3.3).
const INITIAL_STATE: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// An input that `circuits/sha256_preimage.txt` accepts: 32 bytes of ASCII.
pub const EXAMPLE_PREIMAGE: &[u8; 32] = b"tapcourt: 32 bytes anyone knows.";

/// The SHA-256 of [`EXAMPLE_PREIMAGE`], which `circuits/sha256_preimage.txt` asks for.
pub const EXAMPLE_DIGEST: [u8; 32] = [
    0xd0, 0xef, 0x2a, 0x2c, 0xb5, 0x4f, 0xf3, 0xf3, 0xd2, 0x5c, 0x16, 0x9b, 0xea, 0x17, 0x0e, 0xd9,
    0x5b, 0x19, 0x2a, 0xb8, 0x5a, 0x62, 0x73, 0x96, 0xd9, 0x53, 0x1b, 0xf0, 0xc7, 0xbd, 0x57, 0xa9,
];

/// Returns the circuit of the compression function: inputs block (512 bits) and chaining state (256 bits), output the
/// next chaining state.
///
/// The caller pads the message and supplies the initial state.
pub fn sha256_compression() -> Circuit {
    let mut builder = Builder::new();
    let (block, state) = (builder.input(512), builder.input(256));
    let next = compress(&mut builder, &words_of(&block, 32), &words_of(&state, 32));
    finish(builder, &[join_words(&next)])
}

/// Returns the circuit of "the SHA-256 of my input is `digest`": input 32 bytes, output one bit, 1 if it is.
pub fn sha256_preimage(digest: &[u8; 32]) -> Circuit {
    let mut builder = Builder::new();
    let mut block = words_of(&builder.input(256), 32);
    let padding = [0x8000_0000, 0, 0, 0, 0, 0, 0, 256].map(|word| constant(word, 32));
    block.extend(padding);
    let state = INITIAL_STATE.map(|word| constant(word.into(), 32));
    let hash = join_words(&compress(&mut builder, &block, &state));
    let bytes: Vec<Vec<Bit>> = digest
        .iter()
        .map(|&byte| constant(byte.into(), 8))
        .collect();
    let accept = builder.equal(&hash, &join_words(&bytes));
    finish(builder, &[vec![accept]])
}

/// The compression function (FIPS 180-4, section 6.2.2), of 16 and 8 words of 32 bits.
fn compress(builder: &mut Builder, block: &[Vec<Bit>], state: &[Vec<Bit>]) -> Vec<Vec<Bit>> {
    let mut schedule = block.to_vec();
    for t in 16..64 {
        let small_1 = small_sigma(builder, &schedule[t - 2], [17, 19, 10]);
        let small_0 = small_sigma(builder, &schedule[t - 15], [7, 18, 3]);
        let sum = builder.add(&small_1, &schedule[t - 7]);
        let sum = builder.add(&sum, &small_0);
        schedule.push(builder.add(&sum, &schedule[t - 16]));
    }

    let mut working = state.to_vec();
    for (word, round_constant) in schedule.iter().zip(ROUND_CONSTANTS) {
        let [a, b, c, d, e, f, g, h] = &working[..] else {
            unreachable!("the state has 8 words")
        };
        let (big_1, big_0) = (
            big_sigma(builder, e, [6, 11, 25]),
            big_sigma(builder, a, [2, 13, 22]),
        );
        let choice: Vec<Bit> = (0..32).map(|i| builder.mux(e[i], f[i], g[i])).collect();
        // in this order `a ^ b` can serve as the next round's `b ^ c`
        let majority: Vec<Bit> = (0..32)
            .map(|i| builder.majority(a[i], c[i], b[i]))
            .collect();
        let keyed = builder.add(word, &constant(round_constant.into(), 32));
        let sum = builder.add(h, &keyed);
        let sum = builder.add(&sum, &choice);
        let first = builder.add(&sum, &big_1);
        let second = builder.add(&big_0, &majority);
        let new_a = builder.add(&first, &second);
        let new_e = builder.add(d, &first);
        working = [&new_a, a, b, c, &new_e, e, f, g]
            .map(Clone::clone)
            .to_vec();
    }
    state
        .iter()
        .zip(&working)
        .map(|(old, new)| builder.add(old, new))
        .collect()
}

/// Two rotations and a shift.
fn small_sigma(builder: &mut Builder, word: &[Bit], amounts: [usize; 3]) -> Vec<Bit> {
    let [first, second, shift] = amounts;
    let rotated = builder.xor_words(&rotate_right(word, first), &rotate_right(word, second));
    builder.xor_words(&rotated, &shift_right(word, shift))
}

/// Three rotations.
fn big_sigma(builder: &mut Builder, word: &[Bit], amounts: [usize; 3]) -> Vec<Bit> {
    let [first, second, third] = amounts.map(|amount| rotate_right(word, amount));
    let both = builder.xor_words(&first, &second);
    builder.xor_words(&both, &third)
}
