//! The taptree against `bitcoin`'s `TaprootBuilder`, and its shape and paths.

use bitcoin::key::UntweakedPublicKey;
use bitcoin::secp256k1::Secp256k1;
use bitcoin::taproot::{LeafVersion, NodeInfo, TapNodeHash, TaprootBuilder};
use bitcoin::{ScriptBuf, TapLeafHash};
use proptest::prelude::*;
use tapcourt_script::script;
use tapcourt_script::taptree::{LeafSource, PrefixHasher, Taptree, TaptreeError, leaf_hash};

struct Numbered {
    leaves: usize,
    likelihoods: Option<Vec<u64>>,
}

impl LeafSource for Numbered {
    fn len(&self) -> usize {
        self.leaves
    }

    fn script(&self, index: usize) -> ScriptBuf {
        script! { { index } OP_NUMEQUAL }
    }

    fn likelihood(&self, index: usize) -> u64 {
        self.likelihoods
            .as_ref()
            .map_or(1, |likelihoods| likelihoods[index])
    }
}

fn equal(leaves: usize) -> Numbered {
    Numbered {
        leaves,
        likelihoods: None,
    }
}

fn weighted(likelihoods: Vec<u64>) -> Numbered {
    Numbered {
        leaves: likelihoods.len(),
        likelihoods: Some(likelihoods),
    }
}

fn key() -> UntweakedPublicKey {
    "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"
        .parse()
        .expect("the BIP-0341 point")
}

/// Checks each leaf's path against the root, and the sizes that follow from it.
fn check_every_path(source: &Numbered, tree: &Taptree) {
    let secp = Secp256k1::verification_only();
    let (output_key, _) = tree.output_key(key());
    for index in 0..source.leaves {
        let script = source.script(index);
        assert_eq!(
            tree.leaf_hash(index),
            TapLeafHash::from_script(&script, LeafVersion::TapScript)
        );
        let root = tree.merkle_path(index).into_iter().fold(
            TapNodeHash::from(tree.leaf_hash(index)),
            TapNodeHash::from_node_hashes,
        );
        assert_eq!(root, tree.root(), "leaf {index} of {}", source.leaves);
        if index % 64 == 0 || index + 1 == source.leaves {
            let block = tree.control_block(index, key());
            assert!(block.verify_taproot_commitment(
                &secp,
                output_key.to_x_only_public_key(),
                &script
            ));
            assert_eq!(block.size(), 33 + 32 * tree.depth(index));
        }
    }
}

#[test]
fn balanced_trees_equal_taproot_builder_for_every_small_size_and_2_to_the_12() {
    let sizes: Vec<usize> = (1..=130)
        .chain([255, 257, 1000, 1023, 1025, 4095, 4096, 4097])
        .collect();
    for &leaves in &sizes {
        let source = equal(leaves);
        let tree = Taptree::build(&source).expect("there are leaves");
        // The same shape, told to the library as depths in order.
        let builder = (0..leaves).fold(TaprootBuilder::new(), |builder, index| {
            let depth = u8::try_from(tree.depth(index)).expect("a small depth");
            builder
                .add_leaf(depth, source.script(index))
                .expect("depths fit together")
        });
        let root = builder
            .try_into_taptree()
            .expect("the tree is complete")
            .root_hash();
        assert_eq!(tree.root(), root, "{leaves} leaves");
        let depths: Vec<usize> = (0..leaves).map(|index| tree.depth(index)).collect();
        let (least, most) = (
            depths.iter().min().expect("a leaf"),
            depths.iter().max().expect("a leaf"),
        );
        assert!(most - least <= 1);
        assert_eq!(*least, leaves.ilog2() as usize);
        check_every_path(&source, &tree);
    }
    println!(
        "{} sizes up to {} leaves",
        sizes.len(),
        sizes.last().expect("sizes")
    );
}

#[test]
fn likely_leaves_have_short_paths() {
    let source = weighted(vec![1, 1, 2, 4, 8, 16, 32]);
    let tree = Taptree::build(&source).expect("there are leaves");
    let depths: Vec<usize> = (0..7).map(|index| tree.depth(index)).collect();
    assert_eq!(depths, [6, 6, 5, 4, 3, 2, 1]);
    check_every_path(&source, &tree);
}

#[test]
fn extreme_likelihoods_stay_within_128_levels() {
    let doubling = (0..64).map(|exponent| 1u64 << exponent);
    let mut fibonacci = vec![1u64, 1];
    while let Some(next) =
        fibonacci[fibonacci.len() - 2].checked_add(fibonacci[fibonacci.len() - 1])
    {
        fibonacci.push(next);
    }
    let mut zeroes = vec![0u64; 3000];
    zeroes[1234] = u64::MAX;
    for likelihoods in [
        doubling.collect(),
        fibonacci,
        zeroes,
        vec![u64::MAX; 3],
        [0; 5].into(),
    ] {
        let source = weighted(likelihoods);
        let tree = Taptree::build(&source).expect("there are leaves");
        let deepest = (0..source.leaves)
            .map(|index| tree.depth(index))
            .max()
            .expect("a leaf");
        println!("{} leaves, deepest at {deepest}", source.leaves);
        assert!(deepest <= 128);
        check_every_path(&source, &tree);
    }
}

#[test]
fn a_tree_needs_a_leaf() {
    assert_eq!(
        Taptree::build(&equal(0)).err(),
        Some(TaptreeError::NoLeaves)
    );
    let single = Taptree::build(&equal(1)).expect("one leaf");
    assert_eq!(single.root(), TapNodeHash::from(single.leaf_hash(0)));
    assert_eq!(single.control_block(0, key()).size(), 33);
    let info = NodeInfo::new_leaf_with_ver(equal(1).script(0), LeafVersion::TapScript);
    assert_eq!(single.root(), info.node_hash());
}

/// Huffman's cost by repeated search for the two least weights.
fn least_cost(mut weights: Vec<u128>) -> u128 {
    let mut cost = 0;
    while weights.len() > 1 {
        weights.sort_unstable_by(|a, b| b.cmp(a));
        let joined = weights.pop().expect("two weights") + weights.pop().expect("two weights");
        cost += joined;
        weights.push(joined);
    }
    cost
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn huffman_trees_are_optimal(likelihoods in prop::collection::vec(1u64..1000, 1..60)) {
        let source = weighted(likelihoods.clone());
        let tree = Taptree::build(&source).expect("there are leaves");
        check_every_path(&source, &tree);
        let equal = likelihoods.iter().all(|&likelihood| likelihood == likelihoods[0]);
        let cost: u128 = (0..source.leaves)
            .map(|index| u128::from(likelihoods[index]) * tree.depth(index) as u128)
            .sum();
        let weights = likelihoods.iter().map(|&likelihood| u128::from(likelihood)).collect();
        prop_assert!(cost == least_cost(weights) || equal);
    }

    #[test]
    fn prefix_hasher_agrees_with_hashing_the_whole(
        prefix in prop::collection::vec(any::<u8>(), 0..700),
        suffix in prop::collection::vec(any::<u8>(), 0..700),
        cut in 0usize..700,
    ) {
        let whole = ScriptBuf::from_bytes([&prefix[..], &suffix[..]].concat());
        let expected = TapLeafHash::from_script(&whole, LeafVersion::TapScript);
        let hasher = PrefixHasher::new(&prefix, whole.len());
        let (first, second) = suffix.split_at(cut.min(suffix.len()));
        prop_assert_eq!(hasher.finish_parts(&[first, second]), expected);
        prop_assert_eq!(leaf_hash(&whole), expected);
    }
}

#[test]
fn lengths_around_each_compact_size_hash_as_the_library_does() {
    for length in [0, 1, 0xfc, 0xfd, 0xfe, 0xffff, 0x1_0000] {
        let script = ScriptBuf::from_bytes(vec![0x61; length]);
        assert_eq!(
            leaf_hash(&script),
            TapLeafHash::from_script(&script, LeafVersion::TapScript),
            "{length}"
        );
    }
}
