//! The two theorems about one step: whoever lies about it loses, and who tells the truth loses nothing.
//!
//! For random states and instructions the record and both roots are told truly, or with one field false, or several. The challenger goes through
//! the leaves in the order of the design, opening memory by search where a value or root is false.

use std::cell::Cell;

use tapcourt_compiler::riscv::{
    Group, Options, PathAccess, PathLeaf, Paths, Published, Search, Side, StepLeaf, Steps,
};
use tapcourt_program::riscv::{Digest, Instruction, Machine, Op, Program, StepRecord, Tree};
use tapcourt_tests::riscv::cases::{FIELDS, lie};
use tapcourt_tests::riscv::opening::{Opened, Strategy, cell_of};
use tapcourt_tests::riscv::{Random, body_verdict, random_instruction, random_state};
use tapcourt_tests::scale::scaled;

const BASE: u32 = 0x0001_0000;
const INPUTS: [u32; 5] = [0, 7, 0x8000_0000, 0xffff_ffff, 0x1234_5678];

type Bytes = [u8; 20];

/// A state's tree.
fn tree(machine: &Machine<'_>) -> Tree {
    let mut tree = Tree::new(machine.program().space());
    let mut registers = [0; 32];
    for (register, word) in tapcourt_program::riscv::Register::all().zip(&mut registers) {
        *word = machine.register(register);
    }
    tree.set_registers(&registers);
    for (address, word) in machine.memory() {
        tree.set_word(tapcourt_program::riscv::Cell::memory(address), word);
    }
    tree
}

struct Step {
    record: StepRecord,
    roots: [Bytes; 2],
}

struct Court {
    steps: Steps,
    paths: Paths,
    search: Search,
    /// Leaves that hash which were spendable so far: one in [`HASHES_RUN`] is run, the others are left to their evaluator, which other tests hold
    /// against the scripts.
    hashes: Cell<usize>,
}

/// See [`Court::hashes`].
const HASHES_RUN: usize = 40;

impl Court {
    /// The court of a program, for a trace of four steps in one round.
    fn new(program: &Program) -> Self {
        let search = Search::new(vec![4]).expect("four steps");
        let options = Options {
            fixed: Vec::new(),
            inputs: INPUTS.len() as u32,
            search: search.clone(),
        }; // cast ok: five
        Self {
            steps: Steps::compile(program.clone(), [1; 20], options).expect("it compiles"),
            paths: Paths::compile(program.space(), Search::new(vec![8, 4]).expect("32 levels"))
                .expect("it compiles"),
            search,
            hashes: Cell::new(0),
        }
    }

    /// Whether a leaf that hashes is to be run.
    fn runs_hash(&self) -> bool {
        self.hashes.set(self.hashes.get() + 1);
        self.hashes.get().is_multiple_of(HASHES_RUN)
    }

    /// Publishes a step in the middle of the trace, between the digests that were revealed for its ends.
    fn publish(&self, step: &Step, left: Bytes, right: Bytes) -> Published {
        let mut published = Published::new();
        published.set_step(&step.record, &step.roots[0], &step.roots[1]);
        published.set_inputs(&INPUTS);
        // The part between the first and the second digest of the only round.
        published.set_word(Group::Selection(0), 1, 2);
        for (index, digest) in [left, right, [9; 20]].into_iter().enumerate() {
            published.set_node(
                Group::Digest {
                    round: 0,
                    index: index as u32,
                },
                &digest,
            ); // cast ok: three
        }
        published
    }

    fn step_leaf(&self, leaf: StepLeaf, published: &Published) -> Option<String> {
        let index = self.steps.index(leaf)?;
        let spendable = self
            .steps
            .is_spendable(index, published)
            .expect("published");
        let hashes = matches!(leaf, StepLeaf::Digest { .. });
        spendable.then(|| {
            if hashes && !self.runs_hash() {
                return leaf.to_string();
            }
            let (hints, numbers) = self.steps.delivered(index, published).expect("published");
            assert!(
                body_verdict(&self.steps.body(index), &hints, &numbers, false),
                "{leaf}"
            );
            leaf.to_string()
        })
    }

    fn path_leaf(&self, leaf: PathLeaf, published: &Published) -> Option<String> {
        let index = self.paths.index(leaf)?;
        let spendable = self
            .paths
            .is_spendable(index, published)
            .expect("published");
        spendable.then(|| {
            if !self.runs_hash() {
                return format!("{:?}", leaf.access);
            }
            let numbers = self.paths.delivered(index, published).expect("published");
            assert!(
                body_verdict(self.paths.body(index), &[], &numbers, false),
                "{leaf:?}"
            );
            format!("{:?}", leaf.access)
        })
    }
}

/// The challenger's order of §7. Returns the kind of leaf that it can spend.
fn challenge(
    court: &Court,
    before: &Tree,
    truth: &Step,
    told: &Step,
    published: &mut Published,
    strategy: Strategy,
    random: &mut Random,
) -> Option<String> {
    let record = &told.record;
    let digest = |index, side| StepLeaf::Digest {
        round: 0,
        index,
        side,
    };
    if let Some(name) = court.step_leaf(digest(0, Side::Left), published) {
        return Some(name);
    }
    let pc = record.pc;
    for leaf in [
        StepLeaf::Semantics { pc },
        StepLeaf::Stop { pc },
        StepLeaf::OutsideRom,
    ] {
        if let Some(name) = court.step_leaf(leaf, published) {
            return Some(name.split('(').next().expect("a name").to_owned());
        }
    }
    for word in 0..INPUTS.len() as u32 {
        // cast ok: five
        let leaf = StepLeaf::Input {
            pc: record.pc,
            word,
        };
        if let Some(name) = court.step_leaf(leaf, published) {
            return Some(name.split('(').next().expect("a name").to_owned());
        }
    }
    let accesses = [PathAccess::A, PathAccess::B, PathAccess::Memory];
    let says = |access| match access {
        PathAccess::A => record.a.value,
        PathAccess::B => record.b.value,
        _ => record.m.value,
    };
    let open = |access, published: &mut Published, random: &mut Random| {
        let cell = cell_of(record, access);
        let path = before.path(cell);
        let opened = Opened {
            access,
            path: &path,
            word: before.word(cell),
            record,
            roots: told.roots,
        };
        let leaf = opened.play(&court.paths, strategy, published, random)?;
        court.path_leaf(leaf, published)
    };
    for access in accesses {
        if says(access) != before.word(cell_of(record, access)) {
            return open(access, published, random);
        }
    }
    if let Some(name) = court.step_leaf(digest(1, Side::Right), published) {
        return Some(name);
    }
    if record.w.old != before.word(record.w.cell) || told.roots[1] != truth.roots[1] {
        return open(PathAccess::Old, published, random);
    }
    None
}

/// Every lie about one field, and lies about several, at random steps of every instruction.
#[test]
fn whoever_lies_about_a_step_loses() {
    let mut random = Random::new(0xd15);
    let mut instructions: Vec<Instruction> = Op::ALL
        .iter()
        .map(|&op| random_instruction(op, &mut random))
        .collect();
    instructions.push(Instruction::ILLEGAL);
    let program = Program::from_instructions(BASE, &instructions).expect("a program");
    let court = Court::new(&program);
    assert_eq!(court.search.rounds(), 1);
    let names: Vec<&str> = FIELDS
        .iter()
        .copied()
        .chain(["root", "next root"])
        .collect();
    let mut won = std::collections::BTreeMap::<String, usize>::new();
    let mut games = 0;
    let outside = (BASE + 0x1000, Instruction::ILLEGAL);
    for (pc, instruction) in program.rom().iter().chain([outside]) {
        let states = if instruction.op == Op::Ecall {
            1_000
        } else {
            200
        };
        for state in 0..scaled(states) {
            let mut machine = Machine::new(&program, &INPUTS);
            random_state(&mut machine, pc, instruction, &mut random);
            let before = tree(&machine);
            let left = Digest::new(machine.pc(), before.root()).to_bytes();
            let record = machine.step();
            let after = tree(&machine);
            let truth = Step {
                record,
                roots: [before.root().to_bytes(), after.root().to_bytes()],
            };
            for told_about in 0..names.len() + 6 {
                let mut told = Step {
                    record,
                    roots: truth.roots,
                };
                let mut fields = Vec::new();
                for field in 0..names.len() {
                    // One at a time, then several.
                    let lies = if told_about < names.len() {
                        field == told_about
                    } else {
                        random.chance(60)
                    };
                    if !lies {
                        continue;
                    }
                    fields.push(names[field]);
                    match field {
                        11 | 12 => told.roots[field - 11][random.below(20)] ^= 1 << random.below(8),
                        field => lie(&mut told.record, field, &mut random),
                    }
                }
                if told.record == truth.record && told.roots == truth.roots {
                    continue;
                }
                // A consistent liar revealed the digest that its own record leads to; others revealed anything else.
                let next = Digest::new(
                    told.record.next_pc,
                    tapcourt_program::riscv::Node::from_bytes(told.roots[1]),
                );
                let right = if random.chance(200) {
                    next.to_bytes()
                } else {
                    [random.below(256) as u8; 20]
                }; // cast ok: below 256
                let strategy = Strategy::ALL[(state + told_about) % Strategy::ALL.len()];
                let mut published = court.publish(&told, left, right);
                let spent = challenge(
                    &court,
                    &before,
                    &truth,
                    &told,
                    &mut published,
                    strategy,
                    &mut random,
                );
                let name = spent.unwrap_or_else(|| {
                    panic!(
                        "{instruction}: {fields:?} {}\ntruth {record}\n{strategy:?}",
                        told.record
                    )
                });
                *won.entry(name).or_insert(0) += 1;
                games += 1;
            }
        }
    }
    println!(
        "{games} lies about {} kinds of steps, all disproved: {won:?}",
        instructions.len()
    );
    println!("covered: {games} lies about a step");
    // Each kind of leaf has won some.
    assert_eq!(won.len(), 11, "{won:?}");
}

/// A true record with true nodes: no leaf of any access, level and selection is spendable.
#[test]
fn who_tells_the_truth_loses_nothing() {
    let mut random = Random::new(0x7a7);
    let instructions: Vec<Instruction> = Op::ALL
        .iter()
        .map(|&op| random_instruction(op, &mut random))
        .collect();
    let program = Program::from_instructions(BASE, &instructions).expect("a program");
    let court = Court::new(&program);
    let (mut checked, mut run) = (0, 0);
    for (pc, instruction) in program.rom().iter() {
        for _ in 0..scaled(2) {
            let mut machine = Machine::new(&program, &INPUTS);
            random_state(&mut machine, pc, instruction, &mut random);
            let before = tree(&machine);
            let left = Digest::new(machine.pc(), before.root()).to_bytes();
            let record = machine.step();
            let after = tree(&machine);
            let truth = Step {
                record,
                roots: [before.root().to_bytes(), after.root().to_bytes()],
            };
            let right = Digest::new(machine.pc(), after.root()).to_bytes();
            let mut published = court.publish(&truth, left, right);
            for index in 0..court.steps.len() {
                assert_eq!(
                    court.steps.is_spendable(index, &published),
                    Ok(false),
                    "{}",
                    court.steps.leaf(index)
                );
                if index % 16 == 0 {
                    let (hints, numbers) =
                        court.steps.delivered(index, &published).expect("published");
                    assert!(!body_verdict(
                        &court.steps.body(index),
                        &hints,
                        &numbers,
                        false
                    ));
                    run += 1;
                }
                checked += 1;
            }
            // Whatever is opened and selected.
            for (index, PathLeaf { access, level }) in court.paths.leaves().enumerate() {
                let cell = cell_of(&record, access);
                let path = before.path(cell);
                let (old, new) = match access {
                    PathAccess::Old | PathAccess::New => {
                        (path.nodes(record.w.old), path.nodes(record.w.value))
                    }
                    _ => (path.nodes(before.word(cell)), path.nodes(before.word(cell))),
                };
                published.set_word(Group::Access, access.number(), 2);
                for (round, selection) in (0..).zip(court.paths.search().selections(level.into())) {
                    let bits = court.paths.search().selection_bits(round);
                    published.set_word(Group::PathSelection(round), selection, bits.into());
                }
                for of in 1..court.paths.levels() {
                    for (access, nodes) in [(PathAccess::Old, &old), (PathAccess::New, &new)] {
                        let group = court.paths.node_group(access, of).expect("inside");
                        // Levels that share a place in the search: only those next to this one count.
                        if of == level || of == level + 1 {
                            published.set_node(group, &nodes[of as usize].to_bytes()); // cast ok: an index
                        }
                    }
                }
                published.set_node(Group::Sibling, &path.siblings()[level as usize].to_bytes()); // cast ok: an index
                assert_eq!(
                    court.paths.is_spendable(index, &published),
                    Ok(false),
                    "{access:?} {level}"
                );
                if (index + checked) % 97 == 0 {
                    let numbers = court.paths.delivered(index, &published).expect("published");
                    assert!(!body_verdict(court.paths.body(index), &[], &numbers, false));
                    run += 1;
                }
                checked += 1;
            }
        }
    }
    println!("covered: {checked} leaves against the truth");
    println!("{checked} leaves against the truth, {run} of them run: none spendable");
}
