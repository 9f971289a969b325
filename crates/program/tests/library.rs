//! The generated circuits compute what well-kept crates compute, and the committed netlists are what is generated.

use std::fs;
use std::path::Path;

use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use tapcourt_program::circuit::library::{
    ENTRIES, EXAMPLE_DIGEST, EXAMPLE_PREIMAGE, adder, aes128, comparator, keccak_f1600, multiplier,
    sha256_compression, sha256_preimage,
};
use tapcourt_program::circuit::{Circuit, Op};

/// Evaluates 64 assignments at once, checks a few of them singly, and returns the 64 outputs.
fn evaluate(circuit: &Circuit, assignments: &[Vec<bool>]) -> Vec<Vec<bool>> {
    assert_eq!(assignments.len(), 64);
    let word = |bit: usize| {
        (0..64).fold(0, |word, lane| {
            word | u64::from(assignments[lane][bit]) << lane
        })
    };
    let inputs: Vec<u64> = (0..circuit.input_bits()).map(word).collect();
    let outputs = circuit
        .evaluate64(&inputs)
        .expect("one word for each input bit");
    let lane = |lane: usize| {
        outputs
            .iter()
            .map(|word| word >> lane & 1 == 1)
            .collect::<Vec<_>>()
    };
    for i in [0, 63] {
        assert_eq!(circuit.evaluate(&assignments[i]).as_ref(), Ok(&lane(i)));
    }
    (0..64).map(lane).collect()
}

/// The bits of a number that bytes spell, first byte most significant.
fn number_bits(bytes: &[u8]) -> Vec<bool> {
    bytes
        .iter()
        .rev()
        .flat_map(|byte| (0..8).map(move |i| byte >> i & 1 == 1))
        .collect()
}

fn integer_bits(value: u128, width: u32) -> Vec<bool> {
    (0..width).map(|i| value >> i & 1 == 1).collect()
}

fn integer(bits: &[bool]) -> u128 {
    bits.iter()
        .rev()
        .fold(0, |value, &bit| value << 1 | u128::from(bit))
}

/// Checks a circuit of two integers of `width` bits on all corner cases and on random operands, 64 pairs at a time.
fn check_integers(
    name: &str,
    circuit: &Circuit,
    width: u32,
    expected: impl Fn(u128, u128) -> u128,
) {
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let mask = (1_u128 << width) - 1;
    let corners = [
        0,
        1,
        2,
        mask,
        mask - 1,
        mask >> 1,
        (mask >> 1) + 1,
        0x5555_5555_5555_5555 & mask,
    ];
    let mut pairs: Vec<(u128, u128)> = corners
        .iter()
        .flat_map(|&a| corners.map(|b| (a, b)))
        .collect();
    assert_eq!(pairs.len(), 64);
    for _ in 0..63 {
        pairs.extend(
            (0..64).map(|_| (random.r#gen::<u128>() & mask, random.r#gen::<u128>() & mask)),
        );
    }
    for batch in pairs.chunks(64) {
        let assignments: Vec<Vec<bool>> = batch
            .iter()
            .map(|&(a, b)| [integer_bits(a, width), integer_bits(b, width)].concat())
            .collect();
        for (outputs, &(a, b)) in evaluate(circuit, &assignments).iter().zip(batch) {
            assert_eq!(
                integer(outputs),
                expected(a, b),
                "{name} of {a:#x} and {b:#x}"
            );
        }
    }
    println!(
        "{name}: {} pairs through {} gates",
        pairs.len(),
        circuit.gates.len()
    );
}

#[test]
fn integer_circuits_agree_with_native_arithmetic() {
    check_integers("a + b", &adder(64), 64, |a, b| {
        u128::from((a as u64).wrapping_add(b as u64))
    });
    check_integers("a < b", &comparator(64), 64, |a, b| u128::from(a < b));
    check_integers("a · b", &multiplier(32), 32, |a, b| a * b);
    check_integers("a · b", &multiplier(64), 64, |a, b| a * b);
}

#[test]
fn small_integer_circuits_are_right_for_every_input() {
    for width in 1..=4 {
        let mask = (1_u128 << width) - 1;
        let (sum, less, product) = (adder(width), comparator(width), multiplier(width));
        for (a, b) in (0..=mask).flat_map(|a| (0..=mask).map(move |b| (a, b))) {
            let inputs = [integer_bits(a, width), integer_bits(b, width)].concat();
            let value = |circuit: &Circuit| integer(&circuit.evaluate(&inputs).expect("two words"));
            assert_eq!(value(&sum), (a + b) & mask);
            assert_eq!(value(&less), u128::from(a < b));
            assert_eq!(value(&product), a * b);
        }
    }
    println!("widths 1 to 4, every pair");
}

#[test]
fn sha256_compression_agrees_with_the_sha2_crate() {
    let circuit = sha256_compression();
    let mut random = ChaCha20Rng::seed_from_u64(2);
    let mut blocks = vec![[0_u8; 64]; 64];
    let mut states = vec![[0_u32; 8]; 64];
    blocks.iter_mut().for_each(|block| random.fill_bytes(block));
    states.iter_mut().for_each(|state| random.fill(state));
    let state_bits = |state: &[u32; 8]| number_bits(&state.map(u32::to_be_bytes).concat());
    let assignments: Vec<Vec<bool>> = blocks
        .iter()
        .zip(&states)
        .map(|(block, state)| [number_bits(block), state_bits(state)].concat())
        .collect();
    for ((outputs, block), state) in evaluate(&circuit, &assignments)
        .iter()
        .zip(&blocks)
        .zip(&mut states)
    {
        sha2::compress256(state, &[(*block).into()]);
        assert_eq!(*outputs, state_bits(state));
    }
    println!(
        "64 random blocks and states through {} gates",
        circuit.gates.len()
    );
}

#[test]
fn sha256_preimage_accepts_the_preimage_and_no_neighbour() {
    let digest: [u8; 32] = Sha256::digest(EXAMPLE_PREIMAGE).into();
    assert_eq!(digest, EXAMPLE_DIGEST);
    let circuit = sha256_preimage(&EXAMPLE_DIGEST);
    assert_eq!(
        (&circuit.inputs[..], &circuit.outputs[..]),
        (&[256][..], &[1][..])
    );
    let preimage = number_bits(EXAMPLE_PREIMAGE);
    assert_eq!(circuit.evaluate(&preimage), Ok(vec![true]));
    for batch in (0..256).collect::<Vec<usize>>().chunks(64) {
        let flipped = |&bit: &usize| {
            let mut bits = preimage.clone();
            bits[bit] ^= true;
            bits
        };
        let outputs = evaluate(&circuit, &batch.iter().map(flipped).collect::<Vec<_>>());
        assert_eq!(outputs, vec![vec![false]; 64]);
    }
    println!("the preimage is accepted, its 256 neighbours are not");
}

#[test]
fn sha256_preimage_accepts_for_the_digest_of_any_input() {
    let mut random = ChaCha20Rng::seed_from_u64(3);
    for _ in 0..4 {
        let mut message = [0; 32];
        random.fill_bytes(&mut message);
        let mut digest: [u8; 32] = Sha256::digest(message).into();
        let bits = number_bits(&message);
        assert_eq!(sha256_preimage(&digest).evaluate(&bits), Ok(vec![true]));
        digest[random.gen_range(0..32)] ^= 1 << random.gen_range(0..8);
        assert_eq!(sha256_preimage(&digest).evaluate(&bits), Ok(vec![false]));
    }
    println!("4 random messages, each with its digest and with a wrong one");
}

#[test]
fn aes128_agrees_with_the_aes_crate() {
    let circuit = aes128();
    let mut random = ChaCha20Rng::seed_from_u64(4);
    let mut pairs = vec![([0_u8; 16], [0_u8; 16]); 64];
    pairs.iter_mut().for_each(|(key, text)| {
        random.fill_bytes(key);
        random.fill_bytes(text);
    });
    let assignments: Vec<Vec<bool>> = pairs
        .iter()
        .map(|(key, text)| [number_bits(key), number_bits(text)].concat())
        .collect();
    for (outputs, (key, text)) in evaluate(&circuit, &assignments).iter().zip(&pairs) {
        let mut block = (*text).into();
        Aes128::new(key.into()).encrypt_block(&mut block);
        assert_eq!(*outputs, number_bits(&block));
    }
    println!(
        "64 random keys and blocks through {} gates",
        circuit.gates.len()
    );
}

#[test]
fn keccak_f1600_agrees_with_the_keccak_crate() {
    let circuit = keccak_f1600();
    let mut random = ChaCha20Rng::seed_from_u64(5);
    let mut states: Vec<[u64; 25]> = (0..64)
        .map(|_| std::array::from_fn(|_| random.next_u64()))
        .collect();
    states[0] = [0; 25];
    let bits = |state: &[u64; 25]| -> Vec<bool> {
        state
            .iter()
            .flat_map(|lane| (0..64).map(move |z| lane >> z & 1 == 1))
            .collect()
    };
    let assignments: Vec<Vec<bool>> = states.iter().map(bits).collect();
    for (outputs, state) in evaluate(&circuit, &assignments).iter().zip(&mut states) {
        keccak::f1600(state);
        assert_eq!(*outputs, bits(state));
    }
    println!("64 states through {} gates", circuit.gates.len());
}

#[test]
fn committed_netlists_are_what_is_generated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../circuits");
    let readme = fs::read_to_string(folder.join("README.md")).expect("circuits/README.md is there");
    for entry in ENTRIES {
        let circuit = (entry.generate)();
        let committed = fs::read(folder.join(entry.file)).expect("the netlist is committed");
        assert!(
            committed == circuit.to_bristol().as_bytes(),
            "{}: regenerate it",
            entry.file
        );
        assert_eq!(
            Circuit::parse(&committed).as_ref(),
            Ok(&circuit),
            "{}",
            entry.file
        );
        let row = format!(
            "| `{}` | {} | {} | {} | {} | {} | {} |",
            entry.file,
            entry.description,
            circuit.gates.len(),
            circuit.count(Op::And),
            circuit.count(Op::Or),
            circuit.count(Op::Xor),
            circuit.count(Op::Inv),
        );
        assert!(
            readme.contains(&row),
            "circuits/README.md lacks the row\n{row}"
        );
        println!("{row}");
    }
}
