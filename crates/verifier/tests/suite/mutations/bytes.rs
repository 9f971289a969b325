//! Changed bytes.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;

/// Changes bytes in one way; `other` is something to take bytes from.
pub(super) type Edit = fn(&mut ChaCha20Rng, &mut Vec<u8>, &[u8]);

/// The ways, by name.
pub(super) const EDITS: [(&str, Edit); 7] = [
    ("bit", |rng, bytes, _| {
        if let Some(byte) = bytes.choose_mut(rng) {
            *byte ^= 1 << rng.gen_range(0..8);
        }
    }),
    ("byte", |rng, bytes, _| {
        if let Some(byte) = bytes.choose_mut(rng) {
            *byte = *[0, 1, 0x7f, 0x80, 0xff, rng.r#gen()].choose(rng).unwrap();
        }
    }),
    ("burst", |rng, bytes, _| {
        let start = rng.gen_range(0..=bytes.len());
        let end = (start + rng.gen_range(2..64)).min(bytes.len());
        bytes[start..end].fill_with(|| rng.r#gen());
    }),
    ("cut", |rng, bytes, _| {
        bytes.truncate(rng.gen_range(0..=bytes.len()));
    }),
    ("dropped", |rng, bytes, _| {
        let start = rng.gen_range(0..=bytes.len());
        let end = (start + rng.gen_range(1..80)).min(bytes.len());
        bytes.drain(start..end);
    }),
    ("inserted", |rng, bytes, _| {
        let place = rng.gen_range(0..=bytes.len());
        let new: Vec<u8> = (0..rng.gen_range(1..80)).map(|_| rng.r#gen()).collect();
        bytes.splice(place..place, new);
    }),
    ("splice", |rng, bytes, other| {
        bytes.truncate(rng.gen_range(0..=bytes.len()));
        bytes.extend(&other[rng.gen_range(0..=other.len())..]);
    }),
];
