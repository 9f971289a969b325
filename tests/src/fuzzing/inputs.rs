//! Inputs for fuzz targets: committed seeds, and pseudo-random ones that follow from a number.

use std::fs;
use std::path::{Path, PathBuf};

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_script::asm;

use super::{SpendInput, Target, WitnessItem};
use crate::random_script::RandomSpend;

/// The committed seeds of a target, in the order of their names.
///
/// # Panics
/// If they cannot be read.
pub fn seeds(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target.name);
    let entries =
        fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("directories are readable").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let seed = fs::read(&path).expect("seeds are readable");
            (path, seed)
        })
        .collect()
}

/// Endless inputs for a target: some made for it, some mutated from the seeds and from one another, some any bytes. The same
/// for the same number.
pub fn inputs(target: &Target, number: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    let mut known: Vec<Vec<u8>> = seeds(target).into_iter().map(|(_, seed)| seed).collect();
    let generate = target.generate;
    std::iter::repeat_with(move || match rng.gen_range(0..10) {
        0 => random_bytes(&mut rng),
        1..=5 => {
            let input = generate(&mut rng);
            if rng.gen_bool(0.1) {
                known.push(input.clone());
            }
            input
        }
        _ => {
            let mut input = known.choose(&mut rng).cloned().unwrap_or_default();
            for _ in 0..rng.gen_range(1..5) {
                let other = known.choose(&mut rng).map_or(&[][..], Vec::as_slice);
                mutate(&mut rng, &mut input, other);
            }
            input
        }
    })
}

/// Changes one thing, as fuzzers do.
fn mutate(rng: &mut ChaCha8Rng, input: &mut Vec<u8>, other: &[u8]) {
    let place = rng.gen_range(0..=input.len());
    let end = (place + rng.gen_range(1..9)).min(input.len());
    match rng.gen_range(0..6) {
        0 if place < input.len() => input[place] ^= 1 << rng.gen_range(0..8),
        1 if place < input.len() => input[place] = rng.r#gen(),
        2 => {
            input.drain(place..end);
        }
        3 => {
            let copy = input[place..end].to_vec();
            input.splice(place..place, copy);
        }
        4 => {
            let start = rng.gen_range(0..=other.len());
            input.truncate(place);
            input.extend(&other[start..]);
        }
        _ => input.insert(place, rng.r#gen()),
    }
}

/// Any bytes.
pub(super) fn random_bytes(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let length = rng.gen_range(0..80);
    (0..length).map(|_| rng.r#gen()).collect()
}

/// A [`RandomSpend`] whose signature, if it has one, is left to the target.
pub(super) fn random_spend(rng: &mut ChaCha8Rng) -> Vec<u8> {
    // Of every 200 seeds, the first has the key that the target signs with.
    let spend = RandomSpend::from_seed(200 * u64::from(rng.r#gen::<u32>()));
    let witness = spend.tx.input[spend.input_index].witness.to_vec();
    let annex = witness.last().is_some_and(|item| item.starts_with(&[0x50]));
    let items = witness.len() - 2 - usize::from(annex);
    let separator = if spend.leaf.as_bytes().starts_with(&[0xab]) {
        0
    } else {
        0xff
    };
    let items = witness[..items].iter().map(|item| {
        if let 64 | 65 = item.len() {
            WitnessItem::Signature {
                hash_type: item.get(64).copied().unwrap_or(0),
                separator,
            }
        } else {
            WitnessItem::Bytes(item.clone())
        }
    });
    let input = SpendInput {
        context: rng.r#gen(),
        leaf_version: if rng.gen_bool(0.02) { rng.r#gen() } else { 0 },
        depth: rng.gen_range(0..4),
        flags: u8::from(annex),
        items: items.collect(),
        script: spend.leaf.to_bytes(),
    };
    input.encode()
}

/// A random script as text, or words that are nearly such a text.
pub(super) fn random_text(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let text = asm::to_text(&RandomSpend::from_seed(rng.r#gen()).leaf);
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    const WORDS: [&str; 12] = [
        "-1",
        "+5",
        "16",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "<>",
        "<0>",
        "#",
        "#4c",
        "OP_PUSHDATA1 <00>",
        "OP_PUSHDATA4",
    ];
    for _ in 0..rng.gen_range(0..3) {
        let place = rng.gen_range(0..=words.len());
        let word = WORDS.choose(rng).expect("there are words");
        words.insert(place, (*word).to_owned());
    }
    words.join(" ").into_bytes()
}
