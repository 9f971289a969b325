//! The Merkle tree of a state against its definition.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tapcourt_program::riscv::{AddressSpace, Cell, Digest, Memory, Node, Path, Tree, Write};

use crate::definition::Definition;

const SPACES: [AddressSpace; 3] = [
    AddressSpace::LARGEST,
    AddressSpace::DEFAULT,
    AddressSpace::SMALLEST,
];

/// Pages that are crowded: at both ends of memory, and in the middle. Some may be the same.
fn crowded(space: AddressSpace) -> [u32; 6] {
    let pages = space.pages();
    [1, 2, 3, pages / 2 - 1, pages / 2, pages - 1].map(|page| page.clamp(1, pages - 1))
}

/// Addresses that crowd into few pages, some in one block, some anywhere.
fn random_cell(rng: &mut ChaCha8Rng, space: AddressSpace) -> Cell {
    let register = rng.gen_range(0..32);
    let last = (space.bytes() - 1) as u32; // cast ok: at most 2^32 - 1
    let anywhere = rng.gen_range(AddressSpace::LOWEST..=last);
    let page = crowded(space)[rng.gen_range(0..6)] << 12;
    match rng.gen_range(0..10) {
        0 => Cell::from_index(register).expect("a register"),
        1 => Cell::memory(anywhere),
        2..6 => Cell::memory(page | rng.gen_range(0..64)),
        _ => Cell::memory(page | anywhere & 0xfff),
    }
}

fn random_word(rng: &mut ChaCha8Rng) -> u32 {
    if rng.gen_bool(0.3) { 0 } else { rng.r#gen() }
}

fn set(cells: &mut BTreeMap<u32, u32>, cell: Cell, word: u32) {
    cells.insert(cell.index(), word);
    cells.retain(|_, word| *word != 0);
}

#[test]
fn random_sparse_states_have_the_nodes_of_the_definition() {
    let definition = Definition::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut states, mut nodes) = (0, 0);
    for space in SPACES.into_iter().cycle().take(12) {
        let levels = space.levels();
        let mut tree = Tree::new(space);
        let mut cells = BTreeMap::new();
        let mut past: Vec<(Tree, BTreeMap<u32, u32>)> = Vec::new();
        for _ in 0..rng.gen_range(1..25) {
            for _ in 0..1 << rng.gen_range(0..5) {
                let (cell, word) = (random_cell(&mut rng, space), random_word(&mut rng));
                tree.set_word(cell, word);
                set(&mut cells, cell, word);
                assert_eq!(tree.word(cell), word);
            }
            if rng.gen_bool(0.3) {
                past.push((tree.clone(), cells.clone()));
                continue;
            }
            assert_eq!(tree.root().to_bytes(), definition.node(&cells, levels, 0));
            for _ in 0..40 {
                let (level, cell) = (rng.gen_range(0..=levels), random_cell(&mut rng, space));
                let position = cell.index().checked_shr(level).unwrap_or(0);
                let node = definition.node(&cells, level, position);
                assert_eq!(tree.node(level, position).to_bytes(), node);
                nodes += 1;
            }
            states += 1;
        }
        // What was shared and then changed is as it was.
        for (tree, cells) in past {
            assert_eq!(tree.root().to_bytes(), definition.node(&cells, levels, 0));
            states += 1;
        }
    }
    println!("covered: {states} random states, {nodes} nodes of random states");
}

#[test]
fn whole_pages_are_set_replaced_and_removed() {
    let definition = Definition::new();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut tree = Tree::new(AddressSpace::LARGEST);
    let mut pages: BTreeMap<u32, [u32; Memory::PAGE_WORDS]> = BTreeMap::new();
    let mut cells = BTreeMap::new();
    for round in 0..30 {
        let before = tree.clone();
        let mut changes = Vec::new();
        for _ in 0..rng.gen_range(0..4) {
            let number = [1, 2, 5, 0x8_0000, 0xf_ffff][rng.gen_range(0..5)];
            let words = match rng.gen_range(0..6) {
                0 => None,
                1 => Some([0; Memory::PAGE_WORDS]),
                2 => Some(std::array::from_fn(|_| rng.r#gen())),
                _ => {
                    let mut words = pages.get(&number).copied().unwrap_or([7; 1024]);
                    words[rng.gen_range(0..1024)] = rng.r#gen();
                    Some(words)
                }
            };
            pages.remove(&number);
            pages.extend(words.map(|words| (number, words)));
            changes.push((number, words));
        }
        tree.set_pages(
            changes
                .iter()
                .map(|(number, words)| (*number, words.as_ref())),
        );
        cells.clear();
        for (number, words) in &pages {
            for (i, &word) in (0..).zip(words) {
                cells.insert(Cell::memory(number << 12 | i << 2).index(), word);
            }
        }
        cells.retain(|_, word| *word != 0);
        assert_eq!(
            tree.root().to_bytes(),
            definition.node(&cells, 30, 0),
            "{round}"
        );
        let number = [1, 5, 9, 0xf_ffff][round % 4];
        let expected = pages
            .get(&number)
            .filter(|words| words.iter().any(|&word| word != 0));
        assert_eq!(tree.page(number), expected);
        let touched = tree.changed_pages(&before);
        assert!(touched.is_sorted());
        for number in [1, 2, 5, 0x8_0000, 0xf_ffff] {
            assert_eq!(
                touched.contains(&number),
                tree.page(number) != before.page(number)
            );
        }
        let present = touched
            .iter()
            .filter(|&&number| tree.page(number).is_some());
        let bytes = tree.bytes_beyond(&before);
        assert!(bytes >= present.count() * Tree::PAGE_BYTES);
        assert!(bytes <= touched.len() * (Tree::PAGE_BYTES + 20 * 80));
    }
    // The page of the registers, and pages beyond the space.
    for number in [0, 1 << 20, u32::MAX] {
        tree.set_pages([(number, Some(&[1; 1024]))]);
    }
    assert_eq!(tree.root().to_bytes(), definition.node(&cells, 30, 0));
    assert_eq!(tree.page(0), None);
    assert_eq!(tree.page(1 << 20), None);
}

#[test]
fn paths_prove_a_word_and_no_other() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let space = AddressSpace::LARGEST;
    let mut tree = Tree::new(space);
    for _ in 0..500 {
        tree.set_word(random_cell(&mut rng, space), rng.r#gen());
    }
    let root = tree.root();
    let (mut present, mut absent) = (0, 0);
    for _ in 0..300 {
        let cell = random_cell(&mut rng, space);
        let (path, word) = (tree.path(cell), tree.word(cell));
        present += u32::from(word != 0);
        absent += u32::from(word == 0);
        assert_eq!(path.root(word), root);
        let nodes = path.nodes(word);
        for (level, &node) in (0..).zip(&nodes) {
            let position = cell.index().checked_shr(level).unwrap_or(0);
            assert_eq!(node, tree.node(level, position));
        }
        assert_ne!(path.root(word ^ 1 << rng.gen_range(0..32)), root);
        for level in 0..path.levels() {
            let mut siblings = path.siblings().to_vec();
            let mut bytes = siblings[level].to_bytes();
            bytes[rng.gen_range(0..20)] ^= 1 << rng.gen_range(0..8);
            siblings[level] = Node::from_bytes(bytes);
            assert_ne!(Path::new(cell, siblings).root(word), root);
            // The same siblings at another place prove nothing, unless both nodes there are equal.
            let other = Cell::from_index(cell.index() ^ 1 << level).expect("30 bits");
            let proves = Path::new(other, path.siblings().to_vec()).root(word) == root;
            assert_eq!(proves, nodes[level] == path.siblings()[level]);
        }
    }
    let unused = Cell::from_index(33).expect("30 bits");
    assert_eq!(tree.path(unused).root(0), root);
    assert_eq!(tree.path(Cell::ZERO).root(tree.word(Cell::ZERO)), root);
    println!("covered: {} paths to words", present + absent);
}

#[test]
fn pairs_lead_from_the_old_root_to_the_new() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let space = AddressSpace::DEFAULT;
    let mut tree = Tree::new(space);
    for _ in 0..200 {
        let (cell, value) = (random_cell(&mut rng, space), random_word(&mut rng));
        let (before, path) = (tree.clone(), tree.path(cell));
        let old = tree.word(cell);
        let write = Write { cell, value, old };
        let pairs = path.pairs(&write).expect("the same cell");
        tree.set_word(cell, value);
        assert_eq!(pairs[24], (before.root(), tree.root()));
        assert_eq!(tree.path(cell), path);
        let other = Cell::from_index(cell.index() ^ 1).expect("30 bits");
        assert_eq!(
            path.pairs(&Write {
                cell: other,
                ..write
            }),
            None
        );
    }
}

#[test]
fn a_cell_beyond_the_space_leads_to_the_one_with_the_same_bits() {
    let mut tree = Tree::new(AddressSpace::DEFAULT);
    let (near, far) = (Cell::memory(0x12_3450), Cell::memory(0x8412_3450));
    tree.set_word(near, 5);
    tree.set_word(far, 6);
    assert_eq!(tree.word(near), 5, "what is no memory is not written");
    assert_eq!(
        (tree.word(far), tree.path(far).siblings()),
        (5, tree.path(near).siblings())
    );
    assert_eq!(tree.path(far).root(5), tree.root());
}

#[test]
fn nodes_do_not_depend_on_the_number_of_threads() {
    let roots = [1, 2, 5].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(5);
            let mut tree = Tree::new(AddressSpace::DEFAULT);
            let mut roots = Vec::new();
            for _ in 0..20 {
                for _ in 0..50 {
                    tree.set_word(
                        Cell::memory(rng.gen_range(AddressSpace::LOWEST..1 << 20)),
                        rng.r#gen(),
                    );
                }
                roots.push(Digest::new(rng.r#gen(), tree.root()));
            }
            roots
        })
    });
    assert_eq!(roots[0], roots[1]);
    assert_eq!(roots[0], roots[2]);
}
