//! Gadgets in leaves: Bitcoin Core's code and the interpreter agree, on the right result and on wrong ones.

use bitcoin::ScriptBuf;
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use tapcourt_script::gadgets::{HashGadget, blake3, sha256};
use tapcourt_script::script;
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
    let gadget = sha256::hash256(80).expect("fits the stack");
    spends += check("hash256/80", &gadget, |message| {
        Sha256::digest(Sha256::digest(message)).to_vec()
    });
    println!("hash gadgets: {spends} spends, judged alike");
}
