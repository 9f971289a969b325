//! What every commitment promises, at full size and through the public interface alone.

mod keys;
mod openings;
mod sizes;

use rand::seq::SliceRandom;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tapcourt_commitment::{KeyPath, OpenDigits, OpenOrder, Parameters, SecretKey, Seed};

/// How many times as many cases to run as usual: the environment variable `TAPCOURT_SCALE`.
fn scale() -> usize {
    std::env::var("TAPCOURT_SCALE")
        .ok()
        .and_then(|scale| scale.parse().ok())
        .unwrap_or(1)
}

fn rng(label: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(label)
}

fn secret(parameters: &Parameters) -> SecretKey {
    let path = KeyPath {
        contract: [1; 32],
        role: "prover",
        label: "laws",
    };
    SecretKey::derive(&Seed::new([2; 32]), &path, parameters)
}

fn random_message(bits: usize, rng: &mut impl Rng) -> Vec<bool> {
    (0..bits).map(|_| rng.r#gen()).collect()
}

/// Every base at this many bits, Lamport, and the bases whose digits can be published by numbers, all of them or half.
fn all_schemes(bits: usize) -> Vec<Parameters> {
    let flags: Vec<Parameters> = (1..=8)
        .map(|log2_base| Parameters::winternitz(bits, log2_base).unwrap())
        .collect();
    let picked: Vec<Parameters> = flags
        .iter()
        .flat_map(|parameters| {
            let possible = (0..=parameters.message_digits().len())
                .rev()
                .find_map(|picks| parameters.with_picks(picks).ok().map(|shape| shape.picks()))
                .unwrap();
            [possible, possible.div_ceil(2)]
                .into_iter()
                .filter(|&picks| picks > 0)
                .map(|picks| parameters.with_picks(picks).unwrap())
        })
        .collect();
    let lamport = Parameters::lamport(bits).unwrap();
    flags.into_iter().chain([lamport]).chain(picked).collect()
}

/// A random order that keeps the bits of each digit together.
fn random_order(parameters: &Parameters, rng: &mut impl RngCore) -> OpenOrder {
    let mut start = 0;
    let mut digits: Vec<Vec<u32>> = Vec::new();
    for &width in parameters.message_digits() {
        let mut bits: Vec<u32> = (start..start + u32::from(width)).collect();
        bits.shuffle(rng);
        digits.push(bits);
        start += u32::from(width);
    }
    digits.shuffle(rng);
    OpenOrder::new(parameters, digits.concat()).unwrap()
}

/// A random order of digits, scale and offsets.
fn random_digits(parameters: &Parameters, rng: &mut impl Rng) -> OpenDigits {
    let count = parameters.message_digits().len();
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.shuffle(rng);
    let most = [0, 20, 65_535][rng.gen_range(0..3)];
    let offsets: Vec<i32> = (0..count).map(|_| rng.gen_range(-most..=most)).collect();
    OpenDigits::natural(parameters)
        .ordered(order)
        .and_then(|digits| digits.scaled(rng.gen_range(0..=8)))
        .and_then(|digits| digits.with_offsets(&offsets))
        .unwrap()
}

fn witness_bytes(items: &[Vec<u8>]) -> usize {
    items.iter().map(|item| 1 + item.len()).sum()
}
