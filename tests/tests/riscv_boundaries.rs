//! The leaves at both ends of a step, for input, outside the program, and on Merkle paths: true and false values, each in the interpreter and in Bitcoin
//! Core's code.

use rand::prelude::*;
use tapcourt_compiler::riscv::{
    Group, Options, PathAccess, PathLeaf, Paths, Published, Search, Side, StepLeaf, Steps,
};
use tapcourt_program::riscv::{
    ACCEPT_PC, AddressSpace, Cell, INPUT_CALL, Image, Instruction, Op, Program, Read, Register,
    Rom, StepRecord, Symbols,
};
use tapcourt_script::taptree::LeafSource;
use tapcourt_tests::riscv::{Random, StepKeys, body_verdict};
use tapcourt_tests::scale::scaled;

type Node = [u8; 20];

fn hash(parts: &[&[u8]]) -> Node {
    let digest = blake3::hash(&parts.concat());
    digest.as_bytes()[..20].try_into().expect("20 bytes")
}

fn node(random: &mut Random) -> Node {
    random.0.r#gen()
}

/// A program in two pieces, with room between them.
fn program() -> Program {
    let call = [Instruction::ECALL.encode(); 2];
    let more = Instruction::new(Op::Addi, Register::A0, Register::A0, Register::ZERO, 1).encode();
    let rom = Rom::new(vec![(0x1000, call.to_vec()), (0x2000, vec![more; 4])]).expect("two pieces");
    Program::new(0x1000, rom, Image::default(), Symbols::default()).expect("a program")
}

fn search() -> Search {
    Search::new(vec![2, 7, 4]).expect("56 steps")
}

struct Counts {
    spendable: usize,
    safe: usize,
}

impl Counts {
    fn cover(&self) {
        println!(
            "covered: {} records at boundaries",
            self.spendable + self.safe
        );
    }
}

/// Runs a leaf's body and holds it against the evaluator.
fn check(
    steps: &Steps,
    leaf: StepLeaf,
    published: &Published,
    expected: bool,
    counts: &mut Counts,
) {
    let index = steps.index(leaf).expect("there is one");
    assert_eq!(steps.is_spendable(index, published), Ok(expected), "{leaf}");
    let (hints, numbers) = steps.delivered(index, published).expect("published");
    assert_eq!(
        body_verdict(&steps.body(index), &hints, &numbers, true),
        expected,
        "{leaf}"
    );
    *(if expected {
        &mut counts.spendable
    } else {
        &mut counts.safe
    }) += 1;
}

fn select(published: &mut Published, search: &Search, selections: &[u32]) {
    for (round, &selection) in (0..).zip(selections) {
        let bits = search.selection_bits(round);
        published.set_word(Group::Selection(round), selection, bits.into());
    }
}

/// `start`, `accept` and every `digest` leaf are spendable exactly for the selections that make their end an end of the step, and a false value there.
#[test]
fn ends_of_a_step() {
    let mut random = Random::new(31);
    let program = program();
    let root = node(&mut random);
    let options = Options {
        fixed: Vec::new(),
        inputs: 2,
        search: search(),
    };
    let steps = Steps::compile(program.clone(), root, options).expect("it compiles");
    let search = search();
    let mut counts = Counts {
        spendable: 0,
        safe: 0,
    };
    for interval in 0..search.count() {
        let selections = search.selections(interval);
        let mut published = Published::new();
        select(&mut published, &search, &selections);
        let record = StepRecord {
            next_pc: random.word(),
            ..StepRecord::stopped(random.word())
        };
        let (before, after) = (node(&mut random), node(&mut random));
        published.set_step(&record, &before, &after);
        // What the honest digests are at this step.
        let left = hash(&[&record.pc.to_le_bytes(), &before]);
        let right = hash(&[&record.next_pc.to_le_bytes(), &after]);
        for round in 0..search.rounds() {
            for index in 0..search.arity(round) - 1 {
                published.set_node(Group::Digest { round, index }, &node(&mut random));
            }
        }
        let last = search.count() - 1;
        check(
            &steps,
            StepLeaf::Start,
            &published,
            interval == 0,
            &mut counts,
        );
        check(
            &steps,
            StepLeaf::Accept,
            &published,
            interval == last,
            &mut counts,
        );
        if interval == 0 {
            let mut true_start = published.clone();
            let first = StepRecord {
                pc: program.entry(),
                ..record
            };
            true_start.set_step(&first, &root, &after);
            check(&steps, StepLeaf::Start, &true_start, false, &mut counts);
            true_start.set_step(
                &StepRecord {
                    pc: program.entry() ^ 4,
                    ..first
                },
                &root,
                &after,
            );
            check(&steps, StepLeaf::Start, &true_start, true, &mut counts);
        }
        if interval == last {
            let mut accepted = published.clone();
            accepted.set_step(
                &StepRecord {
                    next_pc: ACCEPT_PC,
                    ..record
                },
                &before,
                &after,
            );
            check(&steps, StepLeaf::Accept, &accepted, false, &mut counts);
        }
        // Every digest leaf, spendable only where its digest is an end of this interval.
        for round in 0..search.rounds() {
            for index in 0..search.arity(round) - 1 {
                for (side, end, truth) in [
                    (Side::Left, interval, left),
                    (Side::Right, interval + 1, right),
                ] {
                    let leaf = StepLeaf::Digest { round, index, side };
                    let here = is_revealed(&search, end, round, index);
                    if !here && random.chance(200) {
                        // A sample: each costs a hash.
                        let at = steps.index(leaf).expect("there is one");
                        assert_eq!(steps.is_spendable(at, &published), Ok(false), "{leaf}");
                        continue;
                    }
                    check(&steps, leaf, &published, here, &mut counts);
                    if here {
                        let mut honest = published.clone();
                        honest.set_node(Group::Digest { round, index }, &truth);
                        check(&steps, leaf, &honest, false, &mut counts);
                        let mut flipped = truth;
                        flipped[random.below(20)] ^= 1 << random.below(8);
                        honest.set_node(Group::Digest { round, index }, &flipped);
                        check(&steps, leaf, &honest, true, &mut counts);
                    }
                }
            }
        }
    }
    println!(
        "{} selections: {} spendable, {} safe",
        search.count(),
        counts.spendable,
        counts.safe
    );
    counts.cover();
}

/// Whether the border before an interval is the one revealed here, by playing the rounds.
fn is_revealed(search: &Search, end: u64, round: u32, index: u32) -> bool {
    let mut size = search.count();
    for earlier in 0..round {
        size /= u64::from(search.arity(earlier));
    }
    let part = size / u64::from(search.arity(round));
    end % size == u64::from(index + 1) * part
}

/// Outside the program, a step must stop in place; inside, this leaf is never spendable.
#[test]
fn outside_the_program() {
    let program = program();
    let options = Options {
        fixed: Vec::new(),
        inputs: 2,
        search: search(),
    };
    let steps = Steps::compile(program.clone(), [0; 20], options).expect("it compiles");
    let mut random = Random::new(7);
    let mut counts = Counts {
        spendable: 0,
        safe: 0,
    };
    let edges = [
        0, 0xffc, 0xfff, 0x1000, 0x1001, 0x1002, 0x1003, 0x1004, 0x1007, 0x1008, 0x1ffc, 0x2000,
        0x200c, 0x200e, 0x2010,
    ];
    let random_words: Vec<u32> = (0..scaled(60)).map(|_| random.word()).collect();
    for pc in edges
        .into_iter()
        .chain([ACCEPT_PC, u32::MAX])
        .chain(random_words)
    {
        let is_outside = program.rom().get(pc).is_none();
        let mut run = |record: StepRecord, expected: bool| {
            let mut published = Published::new();
            published.set_step(&record, &[0; 20], &[0; 20]);
            check(
                &steps,
                StepLeaf::OutsideRom,
                &published,
                expected,
                &mut counts,
            );
        };
        let stopped = StepRecord::stopped(pc);
        run(stopped, false);
        let read = |value| Read {
            cell: Cell::ZERO,
            value,
        };
        let word = random.word() | 1;
        for lie in [
            StepRecord {
                next_pc: pc.wrapping_add(4),
                ..stopped
            },
            StepRecord {
                next_pc: pc ^ 1 << random.below(32),
                ..stopped
            },
            StepRecord {
                a: read(word),
                ..stopped
            },
            StepRecord {
                b: read(word),
                ..stopped
            },
            StepRecord {
                m: read(word),
                ..stopped
            },
            StepRecord {
                a: Read {
                    cell: Cell::register(Register::A0),
                    value: 0,
                },
                ..stopped
            },
            StepRecord {
                m: Read {
                    cell: Cell::memory(word.max(AddressSpace::LOWEST)),
                    value: 0,
                },
                ..stopped
            },
            StepRecord {
                w: tapcourt_program::riscv::Write {
                    cell: Cell::ZERO,
                    value: word,
                    old: 0,
                },
                ..stopped
            },
            StepRecord {
                w: tapcourt_program::riscv::Write {
                    cell: Cell::memory(word.max(AddressSpace::LOWEST)),
                    value: 0,
                    old: 0,
                },
                ..stopped
            },
        ] {
            run(lie, is_outside);
        }
    }
    println!(
        "outside the program: {} spendable, {} safe",
        counts.spendable, counts.safe
    );
    counts.cover();
}

/// An input leaf is spendable exactly if its call reads its word, and gets another than was committed to: in a block of one word, a full one, and two blocks.
#[test]
fn input_words() {
    let program = program();
    let mut random = Random::new(8);
    let mut counts = Counts {
        spendable: 0,
        safe: 0,
    };
    let mut whole = 0;
    for inputs in [1, 8, 11] {
        let options = Options {
            fixed: Vec::new(),
            inputs,
            search: search(),
        };
        let steps = Steps::compile(program.clone(), [0; 20], options).expect("it compiles");
        let keys = StepKeys::new(
            steps
                .groups()
                .into_iter()
                .map(|group| (group, steps.parameters(group))),
            4,
        );
        let source = steps.leaf_source(keys.public.clone(), keys.challenger());
        for _ in 0..scaled(15) {
            let committed: Vec<u32> = (0..inputs).map(|_| random.word()).collect();
            for pc in [0x1000, 0x1004, 0x2000] {
                for call in [INPUT_CALL, INPUT_CALL + 1, 93] {
                    for read in [0, 7, 8, random.below(11) as u32, inputs, 0x8000_0000] {
                        // cast ok: below 11
                        let truth = committed.get(read as usize).copied().unwrap_or(0); // cast ok: an index
                        for value in [truth, truth ^ 1 << random.below(32), random.word()] {
                            let mut record = StepRecord::stopped(pc);
                            record.a.value = call;
                            record.b.value = read;
                            record.w.value = value;
                            let mut published = Published::new();
                            published.set_step(&record, &[0; 20], &[0; 20]);
                            published.set_inputs(&committed);
                            // Mostly the leaf that this record is for.
                            let at_call = pc != 0x2000 && random.chance(192);
                            let leaf_pc = if at_call { pc } else { 0x1000 };
                            let word = if read < inputs && random.chance(192) {
                                read
                            } else {
                                0
                            };
                            let expected = pc == leaf_pc
                                && call == INPUT_CALL
                                && read == word
                                && value != committed[word as usize]; // cast ok: an index
                            let leaf = StepLeaf::Input { pc: leaf_pc, word };
                            check(&steps, leaf, &published, expected, &mut counts);
                            // A sample as whole spends.
                            if random.chance(8) {
                                let index = steps.index(leaf).expect("there is one");
                                let openings = keys.open(&published, steps.opened_groups(index));
                                let witness = steps.witness(index, &openings).expect("all opened");
                                let (script, size) = (source.script(index), steps.leaf_size(index));
                                assert_eq!(
                                    source.leaf_hash(index),
                                    tapcourt_script::taptree::leaf_hash(&script)
                                );
                                let opened_bytes = script.len() - steps.body(index).len();
                                assert_eq!(
                                    keys.spends("input", &script, witness, &size, opened_bytes),
                                    expected
                                );
                                whole += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    println!(
        "input words: {} spendable, {} safe, {whole} of them as whole spends",
        counts.spendable, counts.safe
    );
    counts.cover();
}

/// A level of a path, as it is published.
#[derive(Clone, Copy)]
struct Level {
    access: PathAccess,
    level: u32,
    cell: Cell,
    word: u32,
    child: Node,
    sibling: Node,
    parent: Node,
}

impl Level {
    fn publish(&self, paths: &Paths, random: &mut Random) -> Published {
        let mut record = StepRecord::stopped(random.word());
        let mut nodes = [node(random), node(random)];
        let read = Read {
            cell: self.cell,
            value: self.word,
        };
        match self.access {
            PathAccess::A => record.a = read,
            PathAccess::B => record.b = read,
            PathAccess::Memory => record.m = read,
            PathAccess::Old => (record.w.cell, record.w.old) = (self.cell, self.word),
            PathAccess::New => (record.w.cell, record.w.value) = (self.cell, self.word),
        }
        if self.level + 1 == paths.levels() {
            nodes[usize::from(self.access == PathAccess::New)] = self.parent;
        }
        let mut published = Published::new();
        published.set_step(&record, &nodes[0], &nodes[1]);
        published.set_word(Group::Access, self.access.number(), 2);
        for (round, selection) in (0..).zip(paths.search().selections(self.level.into())) {
            let bits = paths.search().selection_bits(round);
            published.set_word(Group::PathSelection(round), selection, bits.into());
        }
        published.set_node(Group::Sibling, &self.sibling);
        if let Some(group) = paths.node_group(self.access, self.level) {
            published.set_node(group, &self.child);
        }
        if let Some(group) = paths.node_group(self.access, self.level + 1) {
            published.set_node(group, &self.parent);
        }
        published
    }
}

/// Every level of every path, with both sides, a wrong sibling, order, value and parent, and other selections.
#[test]
fn merkle_paths() {
    for space in [
        AddressSpace::SMALLEST,
        AddressSpace::DEFAULT,
        AddressSpace::LARGEST,
    ] {
        merkle_paths_in(space);
    }
}

fn merkle_paths_in(space: AddressSpace) {
    let search = Search::new(vec![6, 6]).expect("36 levels");
    let paths = Paths::compile(space, search).expect("it compiles");
    let keys = StepKeys::new(
        Group::RECORD
            .into_iter()
            .chain(paths.groups())
            .map(|group| (group, paths.parameters(group))),
        3,
    );
    let source = paths.leaf_source(keys.public.clone(), keys.challenger());
    let mut random = Random::new(9);
    let mut counts = Counts {
        spendable: 0,
        safe: 0,
    };
    let mut whole = 0;
    for (index, PathLeaf { access, level }) in paths.leaves().enumerate() {
        let is_register = matches!(access, PathAccess::A | PathAccess::B);
        for side in [false, true] {
            let cell = loop {
                let cell = match (is_register, random.below(3)) {
                    (true, _) | (false, 0) => Cell::register(random.register()),
                    _ => Cell::memory(random.address(space)),
                };
                let right = cell.index() >> level & 1 == 1;
                if right == side || is_register && level >= 5 {
                    break cell;
                }
            };
            let right = cell.index() >> level & 1 == 1;
            let word = random.word();
            let mut child = node(&mut random);
            if level == 0 {
                child = [0; 20];
                child[..4].copy_from_slice(&word.to_le_bytes());
            }
            let sibling = node(&mut random);
            let order = |right: bool| {
                if right {
                    hash(&[&sibling, &child])
                } else {
                    hash(&[&child, &sibling])
                }
            };
            let truth = Level {
                access,
                level,
                cell,
                word,
                child,
                sibling,
                parent: order(right),
            };
            let mut flipped = sibling;
            flipped[random.below(20)] ^= 1 << random.below(8);
            let mut parent = truth.parent;
            parent[random.below(20)] ^= 1 << random.below(8);
            let mut wrong_child = truth;
            wrong_child.word ^= 1 << random.below(32);
            wrong_child.child[random.below(20)] ^= 1 << random.below(8);
            let cases = [
                (truth, false),
                (
                    Level {
                        sibling: flipped,
                        ..truth
                    },
                    true,
                ),
                (
                    Level {
                        parent: order(!right),
                        ..truth
                    },
                    true,
                ),
                (Level { parent, ..truth }, true),
                (wrong_child, true),
            ];
            for (number, (case, expected)) in cases.into_iter().enumerate() {
                let published = case.publish(&paths, &mut random);
                assert_eq!(
                    paths.is_spendable(index, &published),
                    Ok(expected),
                    "{access:?} {level}"
                );
                let numbers = paths.delivered(index, &published).expect("published");
                assert_eq!(
                    body_verdict(paths.body(index), &[], &numbers, true),
                    expected,
                    "{access:?} {level}"
                );
                *(if expected {
                    &mut counts.spendable
                } else {
                    &mut counts.safe
                }) += 1;
                // A sample as whole spends.
                if (index + number) % 31 == 0 {
                    let openings = keys.open(&published, paths.opened_groups(index));
                    let witness = paths.witness(index, &openings).expect("all opened");
                    let (script, size) = (source.script(index), paths.leaf_size(index));
                    let opened_bytes = script.len() - paths.body(index).len();
                    assert_eq!(
                        keys.spends("path", &script, witness, &size, opened_bytes),
                        expected
                    );
                    whole += 1;
                }
            }
            // Another selection, or another access: never spendable.
            let mut other = wrong_child.publish(&paths, &mut random);
            match random.below(2) {
                0 => other.set_word(
                    Group::Access,
                    (access.number() + 1 + random.below(3) as u32) % 4,
                    2,
                ), // cast ok: small
                // That of no part as well.
                _ => other.set_word(
                    Group::PathSelection(1),
                    (level % 6 + random.0.gen_range(1..8)) % 8,
                    3,
                ),
            }
            let numbers = paths.delivered(index, &other).expect("published");
            assert_eq!(paths.is_spendable(index, &other), Ok(false));
            assert!(!body_verdict(paths.body(index), &[], &numbers, true));
            counts.safe += 1;
        }
    }
    println!(
        "{} path leaves: {} spendable, {} safe, {whole} of them as whole spends",
        paths.len(),
        counts.spendable,
        counts.safe
    );
    counts.cover();
}
