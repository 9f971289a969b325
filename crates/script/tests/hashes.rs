//! The hash gadgets against reference implementations, executed by the interpreter.

#[path = "common/scale.rs"]
mod scale;

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tapcourt_script::encode_number;
use tapcourt_script::gadgets::{HashError, HashGadget, blake3, catalogue, nibble_items, sha256};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::opcodes::OP_VERIFY;

use self::scale::scaled;

/// Messages worth trying: all zeros, all ones, single bits, and random ones.
fn messages(bytes: usize, random: usize) -> Vec<Vec<u8>> {
    let mut rng = ChaCha12Rng::seed_from_u64(bytes as u64);
    let mut messages = vec![vec![0; bytes], vec![0xff; bytes]];
    for byte in [0, bytes / 2, bytes.saturating_sub(1)] {
        let mut message = vec![0; bytes];
        message
            .iter_mut()
            .skip(byte)
            .take(1)
            .for_each(|byte| *byte = 0x80);
        messages.push(message);
    }
    messages.extend((0..random).map(|_| (0..bytes).map(|_| rng.r#gen()).collect()));
    messages
}

/// Runs a gadget on messages, and compares what it leaves with the digest. Returns how many were tried.
fn check(gadget: &HashGadget, random: usize, digest: impl Fn(&[u8]) -> Vec<u8>) -> usize {
    check_messages(gadget, &messages(gadget.message_bytes(), random), digest)
}

/// The same for these messages.
fn check_messages(
    gadget: &HashGadget,
    messages: &[Vec<u8>],
    digest: impl Fn(&[u8]) -> Vec<u8>,
) -> usize {
    for message in messages {
        // An item below, which has to stay as it is.
        let mut stack = vec![b"below".to_vec()];
        stack.extend(gadget.message_items(message));
        let execution = execute(gadget.script(), stack, None, Rules::Policy);
        let mut expected = vec![b"below".to_vec()];
        expected.extend(nibble_items(&digest(message)[..gadget.digest_bytes()]));
        assert_eq!(execution.stack, expected, "message {message:02x?}");
        assert!(execution.altstack.is_empty());
        assert!(execution.max_stack <= gadget.max_stack() + 1);
    }
    messages.len()
}

#[test]
fn blake3_of_every_length_that_fits() {
    let mut tried = 0;
    let lengths = (0..=8).chain([20, 24, 31, 32, 33, 40, 60, 63, 64, 65, 80, 96, 110]);
    for bytes in lengths.clone() {
        let gadget = blake3::hash(bytes, 32).expect("fits the stack");
        tried += check(&gadget, 3, |message| {
            ::blake3::hash(message).as_bytes().to_vec()
        });
    }
    println!(
        "covered: {tried} messages hashed; BLAKE3, {} lengths",
        lengths.count()
    );
}

#[test]
fn blake3_merkle_nodes() {
    let mut tried = 0;
    for bytes in [24, 40] {
        let gadget = blake3::hash(bytes, 20).expect("fits the stack");
        tried += check(&gadget, 200, |message| {
            ::blake3::hash(message).as_bytes().to_vec()
        });
        assert!(gadget.max_stack() <= 950);
    }
    println!("covered: {tried} messages hashed; BLAKE3 to 20 bytes");
}

#[test]
fn blake3_of_packed_messages_up_to_a_chunk() {
    let mut tried = 0;
    let lengths = [0, 1, 3, 4, 31, 63, 64, 65, 128, 130, 500, 960, 1023, 1024];
    for bytes in lengths {
        let gadget = blake3::hash_packed(bytes, 32).expect("fits the stack");
        tried += check(&gadget, 2, |message| {
            ::blake3::hash(message).as_bytes().to_vec()
        });
    }
    println!(
        "covered: {tried} messages hashed; BLAKE3, packed, {} lengths",
        lengths.len()
    );
}

#[test]
fn limbs_out_of_range_are_refused() {
    let gadget = blake3::hash_packed(10, 32).expect("fits the stack");
    let honest = gadget.message_items(&[0x5a; 10]);
    // 20 nibbles: limbs of 7, 7 and 6 nibbles, the first on top.
    for (place, bits) in [(0, 24), (1, 28), (2, 28)] {
        let longest = i64::from(i32::MAX);
        for number in [
            1 << bits,
            (1 << bits) + 5,
            longest,
            -1,
            -(1 << bits),
            -longest,
        ] {
            let mut items = honest.clone();
            items[place] = encode_number(number);
            let execution = execute(gadget.script(), items, None, Rules::Consensus);
            let failure = execution.result.expect_err("out of range");
            assert_eq!(failure.opcode, Some(OP_VERIFY), "{number} as limb {place}");
        }
        // Another encoding of the same number gives the same digest.
        let digest = execute(gadget.script(), honest.clone(), None, Rules::Consensus).stack;
        let mut items = honest.clone();
        items[place].resize(4, 0);
        if items[place] != honest[place] {
            let execution = execute(gadget.script(), items, None, Rules::Consensus);
            assert_eq!(execution.stack, digest);
        }
    }
}

#[test]
fn sha256_of_every_length_that_fits() {
    let mut tried = 0;
    let lengths = [
        0, 1, 3, 20, 32, 33, 54, 55, 56, 63, 64, 65, 80, 96, 119, 200,
    ];
    for bytes in lengths {
        let gadget = sha256::hash(bytes).expect("fits the stack");
        tried += check(&gadget, 3, |message| Sha256::digest(message).to_vec());
    }
    println!(
        "covered: {tried} messages hashed; SHA-256, {} lengths",
        lengths.len()
    );
}

/// Every number of blocks, with and without a byte to spare for the padding, and some lengths in between: `TAPCOURT_SCALE` times as many. A message of
/// each; some lengths have more.
#[test]
fn sha256_of_packed_messages() {
    let ends = (1..=16).flat_map(|blocks| [64 * blocks - 9, 64 * blocks - 8]);
    let mut rng = ChaCha12Rng::seed_from_u64(256);
    let drawn: Vec<usize> = (0..scaled(4)).map(|_| rng.gen_range(0..=1024)).collect();
    let lengths: BTreeSet<usize> = ends
        .chain([0, 1, 128, 960, 1023, 1024])
        .chain(drawn)
        .collect();
    let check_length = |&bytes: &usize| {
        let gadget = sha256::hash_packed(bytes).expect("fits the stack");
        assert!(
            gadget.max_stack() <= 1000,
            "{bytes} bytes: {}",
            gadget.max_stack()
        );
        let messages = messages(bytes, 1);
        let chosen = match bytes {
            1 | 128 | 1024 => &messages[..],
            _ => &messages[messages.len() - 1..],
        };
        check_messages(&gadget, chosen, |message| Sha256::digest(message).to_vec())
    };
    let tried: usize = lengths.par_iter().map(check_length).sum();
    println!(
        "covered: {tried} messages hashed; SHA-256, packed, {} lengths",
        lengths.len()
    );
}

#[test]
fn sha256_compression_of_a_block() {
    let gadget = sha256::compression().expect("fits the stack");
    let tried = check(&gadget, 40, |message| {
        let mut state = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        let block: [u8; 64] = message.try_into().expect("64 bytes");
        sha2::compress256(&mut state, &[block.into()]);
        state
            .iter()
            .flat_map(|word: &u32| word.to_be_bytes())
            .collect()
    });
    println!("covered: {tried} messages hashed; SHA-256 compression");
}

#[test]
fn double_sha256_of_block_headers() {
    let gadget = sha256::hash256(80).expect("fits the stack");
    let tried = check(&gadget, 5, |message| {
        Sha256::digest(Sha256::digest(message)).to_vec()
    });
    println!("covered: {tried} messages hashed; HASH256 of headers");
}

#[test]
fn impossible_lengths_are_refused_by_name() {
    assert_eq!(
        blake3::hash(1025, 32).unwrap_err(),
        HashError::MessageLength {
            bytes: 1025,
            least: 0,
            limit: 1024
        }
    );
    assert_eq!(
        sha256::hash(1025).unwrap_err(),
        HashError::MessageLength {
            bytes: 1025,
            least: 0,
            limit: 1024
        }
    );
    assert_eq!(
        blake3::hash(64, 18).unwrap_err(),
        HashError::DigestLength { bytes: 18 }
    );
    for error in [blake3::hash(1024, 32), sha256::hash(1024)] {
        let error = error.unwrap_err();
        assert!(
            matches!(error, HashError::StackSize { bytes: 1024, .. }),
            "{error}"
        );
    }
}

#[test]
fn a_gadget_is_the_same_every_time() {
    let make = || blake3::hash(40, 20).expect("fits the stack");
    assert_eq!(make().script(), make().script());
}

#[test]
fn sizes_keep_their_bounds() {
    let rows = catalogue();
    for (name, bytes) in [
        ("blake3/64B", 56_000),
        ("blake3/node", 46_000),
        ("blake3/24B", 44_000),
        ("sha256/64B-block", 160_000),
        ("sha256/1024B-packed", 2_300_000),
    ] {
        let row = rows.iter().find(|row| row.name == name);
        let row = row.unwrap_or_else(|| panic!("the catalogue lists {name}"));
        println!(
            "{name}: {} bytes, stack {}",
            row.script_bytes, row.max_stack
        );
        let items = if name.ends_with("packed") { 990 } else { 950 };
        assert!(
            row.script_bytes <= bytes && row.max_stack <= items,
            "{row:?}"
        );
        assert!(
            row.unoptimised_bytes
                .is_some_and(|bytes| bytes > row.script_bytes)
        );
    }
}
