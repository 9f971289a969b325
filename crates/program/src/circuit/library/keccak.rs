//! The permutation Keccak-f\[1600\] (FIPS 202, section 3).

use super::finish;
use crate::circuit::Circuit;
use crate::circuit::build::{Bit, Builder, constant, rotate_left};

/// A lane on 64 wires.
type Lane = Vec<Bit>;

/// Returns the circuit of Keccak-f\[1600\]: 1600 bits to 1600 bits, bit `z` of lane `x, y` being wire `64·(x + 5·y) + z`.
pub fn keccak_f1600() -> Circuit {
    let mut builder = Builder::new();
    let mut lanes: Vec<Lane> = builder
        .input(1600)
        .chunks(64)
        .map(<[Bit]>::to_vec)
        .collect();
    for round_constant in round_constants() {
        lanes = theta(&mut builder, &lanes);
        lanes = rho_and_pi(&lanes);
        lanes = chi(&mut builder, &lanes);
        lanes[0] = builder.xor_words(&lanes[0], &constant(round_constant, 64)); // ι
    }
    finish(builder, &[lanes.concat()])
}

/// Adds to each bit the parities of two neighbouring columns.
fn theta(builder: &mut Builder, lanes: &[Lane]) -> Vec<Lane> {
    let parity: Vec<Lane> = (0..5)
        .map(|x| {
            (1..5).fold(lanes[x].clone(), |sum, y| {
                builder.xor_words(&sum, &lanes[x + 5 * y])
            })
        })
        .collect();
    let effect: Vec<Lane> = (0..5)
        .map(|x| builder.xor_words(&parity[(x + 4) % 5], &rotate_left(&parity[(x + 1) % 5], 1)))
        .collect();
    lanes
        .iter()
        .enumerate()
        .map(|(i, lane)| builder.xor_words(lane, &effect[i % 5]))
        .collect()
}

/// Rotates each lane (ρ) and moves it (π), along the walk `(x, y) → (y, 2x + 3y)` from (1, 0).
fn rho_and_pi(lanes: &[Lane]) -> Vec<Lane> {
    let mut moved = lanes.to_vec();
    let (mut x, mut y) = (1, 0);
    for t in 0..24 {
        let rotated = rotate_left(&lanes[x + 5 * y], (t + 1) * (t + 2) / 2);
        (x, y) = (y, (2 * x + 3 * y) % 5);
        moved[x + 5 * y] = rotated;
    }
    moved
}

/// Adds to each bit the product of the next one's complement and the one after.
fn chi(builder: &mut Builder, lanes: &[Lane]) -> Vec<Lane> {
    let lane = |builder: &mut Builder, i: usize| {
        let row = i / 5 * 5;
        let (next, after) = (&lanes[row + (i + 1) % 5], &lanes[row + (i + 2) % 5]);
        (0..64)
            .map(|z| {
                let product = builder.and(!next[z], after[z]);
                builder.xor(lanes[i][z], product)
            })
            .collect()
    };
    (0..25).map(|i| lane(builder, i)).collect()
}

/// The constants of ι, from a shift register over x^8 + x^6 + x^5 + x^4 + 1 (FIPS 202, algorithm 5).
fn round_constants() -> [u64; 24] {
    let mut register = 1_u32;
    [(); 24].map(|()| {
        (0..7).fold(0, |round_constant, j| {
            let bit = u64::from(register & 1);
            register <<= 1;
            if register > 0xff {
                register ^= 0x171;
            }
            round_constant | bit << ((1 << j) - 1)
        })
    })
}
