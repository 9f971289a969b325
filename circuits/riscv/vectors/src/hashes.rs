//! SHA-256 and trees of it.

use sha2::{Digest as _, Sha256};

use crate::{Guest, Words};

pub(crate) type Digest = [u8; 32];

pub(crate) fn double_sha256(message: &[u8]) -> Digest {
    Sha256::digest(Sha256::digest(message)).into()
}

pub(crate) fn sha256_preimage() -> Guest {
    let input = |digest: Digest, message: &[u8]| {
        Words::default()
            .bytes(&digest)
            .word(message.len() as u32)
            .bytes(message)
    };
    let digest = |message: &[u8]| -> Digest { Sha256::digest(message).into() };
    let true_input = |message: &[u8]| input(digest(message), message);
    let counting: Vec<u8> = (0..1_000_u32).map(|i| i as u8).collect();
    let mut almost = digest(b"abc");
    almost[31] ^= 0x80;
    let mut longer = true_input(b"abc");
    longer.0[8] = 4;
    let mut endless = true_input(b"abc");
    endless.0[8] = u32::MAX;
    Guest::new("sha256_preimage")
        .accepts("empty", &true_input(b""))
        .accepts("abc", &true_input(b"abc"))
        .accepts("32_bytes", &true_input(b"tapcourt: 32 bytes anyone knows."))
        .accepts("55_bytes", &true_input(&counting[..55]))
        .accepts("56_bytes", &true_input(&counting[..56]))
        .accepts("64_bytes", &true_input(&counting[..64]))
        .accepts("1000_bytes", &true_input(&counting))
        .rejects("one_bit_of_the_digest", &input(almost, b"abc"))
        .rejects("other_message", &input(digest(b"abc"), b"abd"))
        .rejects("message_with_a_zero_more", &longer)
        .stops(
            "message_too_short",
            &true_input(&counting[..64]).without_last(),
        )
        .stops("length_of_4_gib", &endless)
        .stops("no_inputs", &Words::default())
}

/// The root that `leaf` and `siblings` lead to.
fn root(leaf: Digest, index: u32, siblings: &[Digest]) -> Digest {
    siblings
        .iter()
        .zip(0..)
        .fold(leaf, |node, (sibling, level)| {
            let pair = if u64::from(index) >> level & 1 == 0 {
                [node, *sibling]
            } else {
                [*sibling, node]
            };
            double_sha256(&pair.concat())
        })
}

pub(crate) fn merkle_proof() -> Guest {
    let input = |root: Digest, leaf: Digest, index, siblings: &[Digest]| {
        let start = Words::default()
            .bytes(&root)
            .bytes(&leaf)
            .word(index)
            .word(siblings.len() as u32);
        siblings
            .iter()
            .fold(start, |words, sibling| words.bytes(sibling))
    };
    let digest = |seed: u8| -> Digest { Sha256::digest([seed]).into() };
    let leaf = digest(0);
    let siblings: Vec<Digest> = (1..=33).map(digest).collect();
    let true_input = |index, depth: usize| {
        let branch = &siblings[..depth];
        input(root(leaf, index, branch), leaf, index, branch)
    };
    let index = 0b1010_0110_0101;
    let true_root = root(leaf, index, &siblings[..12]);
    let mut other_sibling = siblings[..12].to_vec();
    other_sibling[5][0] ^= 1;
    Guest::new("merkle_proof")
        .accepts("leaf_is_root", &true_input(0, 0))
        .accepts("left_of_two", &true_input(0, 1))
        .accepts("right_of_two", &true_input(1, 1))
        .accepts("depth_12", &true_input(index, 12))
        .accepts("depth_32", &true_input(u32::MAX, 32))
        .rejects(
            "other_leaf",
            &input(true_root, digest(1), index, &siblings[..12]),
        )
        .rejects(
            "other_index",
            &input(true_root, leaf, index ^ 1, &siblings[..12]),
        )
        .rejects(
            "other_sibling",
            &input(true_root, leaf, index, &other_sibling),
        )
        .rejects(
            "one_level_less",
            &input(true_root, leaf, index & 0x7ff, &siblings[..11]),
        )
        .rejects(
            "index_beyond_the_tree",
            &input(true_root, leaf, index | 1 << 12, &siblings[..12]),
        )
        .rejects("depth_33", &true_input(0, 33))
        .stops("sibling_missing", &true_input(index, 12).without_last())
}
