//! Gadgets in leaves: Bitcoin Core's code and the interpreter agree, on the right result and on wrong ones.

use bitcoin::ScriptBuf;
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use tapcourt_script::gadgets::{HashGadget, blake3, nibble_items, sha256};
use tapcourt_script::script;
use tapcourt_tests::leaf::is_accepted;
use tapcourt_tests::scale::scaled;

/// A leaf that takes a message, and below it a digest, and ends true exactly if the digest is the message's.
fn leaf(gadget: &HashGadget) -> ScriptBuf {
    let nibbles = 2 * gadget.digest_bytes();
    script! {
        { gadget.script() }
        for place in (1..nibbles).rev() {
            { place + 1 } OP_ROLL OP_EQUALVERIFY
        }
        OP_EQUAL
    }
}

fn check(name: &str, gadget: &HashGadget, digest: impl Fn(&[u8]) -> Vec<u8>) -> usize {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    let leaf = leaf(gadget);
    let mut spends = 0;
    for _ in 0..scaled(6) {
        let message: Vec<u8> = (0..gadget.message_bytes()).map(|_| rng.r#gen()).collect();
        let right = digest(&message)[..gadget.digest_bytes()].to_vec();
        let stack = |digest: &[u8]| {
            let mut items = nibble_items(digest);
            items.extend(gadget.message_items(&message));
            items
        };
        assert!(is_accepted(&leaf, &stack(&right)), "{name}: the right digest");
        let mut wrong = right.clone();
        wrong[rng.gen_range(0..right.len())] ^= 1 << rng.gen_range(0..8);
        assert!(!is_accepted(&leaf, &stack(&wrong)), "{name}: a wrong digest");
        // Items that no opening delivers: whatever comes of it, both agree.
        let mut odd = stack(&right);
        let place = odd.len() - 1 - rng.gen_range(0..2 * gadget.message_bytes());
        let items: [&[u8]; 6] = [&[16], &[0x81], &[0x80], &[5, 0], &[0xff, 0x7f], &[0; 5]];
        odd[place] = items.choose(rng).expect("six items").to_vec();
        is_accepted(&leaf, &odd);
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
