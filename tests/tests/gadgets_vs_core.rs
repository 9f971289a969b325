//! Gadgets in leaves: Bitcoin Core's code and the interpreter agree, on the right result and on wrong ones.

use bitcoin::ScriptBuf;
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use tapcourt_script::expression::Template;
use tapcourt_script::gadgets::{HashGadget, blake3, sha256, u32};
use tapcourt_script::{decode_number, encode_number, script};
use tapcourt_tests::leaf::is_accepted;
use tapcourt_tests::scale::scaled;

/// A leaf that takes a message, and ends true exactly if this is its digest.
fn leaf(gadget: &HashGadget, digest: &[u8]) -> ScriptBuf {
    let nibbles: Vec<u8> = digest
        .iter()
        .flat_map(|byte| [byte & 15, byte >> 4])
        .collect();
    let (last, others) = nibbles.split_last().expect("a digest has nibbles");
    script! {
        { gadget.script() }
        for nibble in others {
            { *nibble } OP_NUMEQUALVERIFY
        }
        { *last } OP_NUMEQUAL
    }
}

fn check(name: &str, gadget: &HashGadget, digest: impl Fn(&[u8]) -> Vec<u8>) -> usize {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    let mut spends = 0;
    for _ in 0..scaled(6) {
        let message: Vec<u8> = (0..gadget.message_bytes()).map(|_| rng.r#gen()).collect();
        let right = digest(&message)[..gadget.digest_bytes()].to_vec();
        let mut wrong = right.clone();
        wrong[rng.gen_range(0..right.len())] ^= 1 << rng.gen_range(0..8);
        let (right, wrong) = (leaf(gadget, &right), leaf(gadget, &wrong));
        let items = gadget.message_items(&message);
        assert!(is_accepted(&right, &items), "{name}: the right digest");
        assert!(!is_accepted(&wrong, &items), "{name}: a wrong digest");
        // Items that no opening delivers: whatever comes of it, both agree.
        let mut odd = items;
        let place = rng.gen_range(0..odd.len());
        let choice: [&[u8]; 6] = [&[16], &[0x81], &[0x80], &[5, 0], &[0xff, 0x7f], &[0; 5]];
        odd[place] = choice.choose(rng).expect("six items").to_vec();
        is_accepted(&right, &odd);
        spends += 3;
    }
    spends
}

#[test]
fn hashes() {
    let blake3_digest = |message: &[u8]| ::blake3::hash(message).as_bytes().to_vec();
    let mut spends = 0;
    for (bytes, digest_bytes) in [(24, 20), (40, 20), (64, 32), (64, 20), (80, 32)] {
        let gadget = blake3::hash(bytes, digest_bytes).expect("fits the stack");
        spends += check(&format!("blake3/{bytes}"), &gadget, blake3_digest);
    }
    for bytes in [20, 32, 64, 80] {
        let gadget = sha256::hash(bytes).expect("fits the stack");
        spends += check(&format!("sha256/{bytes}"), &gadget, |message| {
            Sha256::digest(message).to_vec()
        });
    }
    for bytes in [300, 1024] {
        let gadget = sha256::hash_packed(bytes).expect("fits the stack");
        spends += check(&format!("sha256/{bytes}-packed"), &gadget, |message| {
            Sha256::digest(message).to_vec()
        });
    }
    let gadget = sha256::hash256(80).expect("fits the stack");
    spends += check("hash256/80", &gadget, |message| {
        Sha256::digest(Sha256::digest(message)).to_vec()
    });
    println!("covered: {spends} spends of hash gadgets");
}

/// A leaf that ends true exactly if a gadget leaves these items, given bottom first.
fn leaf_of(template: &Template, left: &[Vec<u8>]) -> ScriptBuf {
    let (first, others) = left.split_first().expect("a gadget leaves something");
    script! {
        { template.script.clone() }
        for item in others.iter().rev() {
            { item.clone() } OP_EQUALVERIFY
        }
        { first.clone() } OP_EQUAL
    }
}

/// Items that nobody honest gives as a hint: out of range, negative, or not minimal.
fn odd_hint(honest: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    match rng.gen_range(0..6) {
        0 => encode_number(rng.gen_range(-40..40)),
        1 => encode_number(rng.gen_range(-0x7fff_ffff..=0x7fff_ffff)),
        2 => [honest, &[0]].concat(),
        3 => vec![0x80],
        4 => {
            let number = decode_number(honest).expect("hints are numbers");
            encode_number(number + rng.gen_range(-2..=2))
        }
        _ => (0..rng.gen_range(0..6)).map(|_| rng.r#gen()).collect(),
    }
}

#[test]
fn words() {
    let rng = &mut ChaCha8Rng::seed_from_u64(6);
    let (mut spends, mut lies) = (0, 0);
    for (name, expression) in u32::gadgets() {
        let template = expression.compile().expect("fits the stack");
        let hints = template.hints();
        for _ in 0..scaled(4) {
            let inputs: Vec<(String, u64)> = expression
                .inputs()
                .map(|(name, _)| (name.to_owned(), rng.r#gen::<u64>() >> rng.gen_range(0..40)))
                .collect();
            let types: Vec<_> = expression.inputs().map(|(_, of)| of).collect();
            let data = inputs
                .iter()
                .zip(types)
                .map(|((name, number), of)| (name.as_str(), of.datum(*number)));
            let evaluation = expression.evaluate(data).expect("every input has a value");
            let (witness, left) = (template.witness(&evaluation), template.left(&evaluation));
            let right = leaf_of(&template, &left);
            assert!(is_accepted(&right, &witness), "{name}: {inputs:x?}");
            let mut other = left.clone();
            let place = rng.gen_range(0..other.len());
            other[place] = match other[place].as_slice() {
                [] => vec![1],
                [1] => Vec::new(),
                _ => vec![2],
            };
            if other == left {
                other[place] = vec![4];
            }
            let wrong = leaf_of(&template, &other);
            assert!(!is_accepted(&wrong, &witness), "{name}: {inputs:x?}");
            spends += 2;
            if !hints.contains(&true) {
                continue;
            }
            for _ in 0..scaled(20) {
                let mut lying = witness.clone();
                for (item, _) in lying.iter_mut().zip(&hints).filter(|(_, hint)| **hint) {
                    if rng.gen_range(0..3) == 0 {
                        *item = odd_hint(item, rng);
                    }
                }
                assert!(
                    !is_accepted(&wrong, &lying),
                    "{name}: {inputs:x?}, {lying:x?}"
                );
                lies += 1;
            }
        }
    }
    println!("covered: {spends} spends of word gadgets, {lies} lying hints");
}
