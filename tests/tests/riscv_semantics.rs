//! The leaves of every instruction against true records and lies, in the interpreter and in Bitcoin Core's code.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tapcourt_compiler::riscv::{Group, Options, Published, Search, StepLeaf, Steps};
use tapcourt_program::riscv::{
    AddressSpace, Cell, EXIT_CALL, INPUT_CALL, Instruction, Machine, Op, Program, Register,
    StepRecord,
};
use tapcourt_script::taptree::LeafSource;
use tapcourt_tests::riscv::cases::{self, FIELDS};
use tapcourt_tests::riscv::{
    Random, StepKeys, body_verdict, lies, random_instruction, random_state,
};
use tapcourt_tests::scale::scaled;

const BASE: u32 = 0x0001_0000;
const INPUTS: [u32; 5] = [0, 7, 0x8000_0000, 0xffff_ffff, 0x1234_5678];

/// Instances of each instruction, and states for each.
const INSTANCES: usize = 10;
const STATES: usize = 20;

fn options() -> Options {
    Options {
        fixed: Vec::new(),
        inputs: INPUTS.len() as u32, // cast ok: five
        search: Search::new(vec![4, 8]).expect("32 steps"),
    }
}

/// Every instruction several times, with different registers and immediates; words that are none as well.
fn instances(random: &mut Random) -> Vec<Instruction> {
    let mut instances = Vec::new();
    for op in Op::ALL {
        let count = match op {
            Op::Fence | Op::Ebreak => 1,
            // All states at one.
            Op::Ecall => 1,
            // Every distance.
            Op::Slli | Op::Srli | Op::Srai => 3 * INSTANCES,
            _ => INSTANCES,
        };
        instances.extend((0..count).map(|_| random_instruction(op, random)));
    }
    instances.push(Instruction::ILLEGAL);
    instances
}

fn publish(record: &StepRecord) -> Published {
    let mut published = Published::new();
    published.set_step(record, &[0; 20], &[0; 20]);
    published
}

/// What kind of case an instruction with these operands is: its name, and for calls which one.
fn kind(op: Op, record: &StepRecord) -> String {
    match op {
        Op::Ecall => match (record.a.value, record.b.value) {
            (EXIT_CALL, 0) => "ecall: exit 0".into(),
            (EXIT_CALL, _) => "ecall: exit with an error".into(),
            (INPUT_CALL, word) if word < 5 => "ecall: input".into(),
            (INPUT_CALL, _) => "ecall: input beyond the last".into(),
            _ => "ecall: unknown".into(),
        },
        op => op.mnemonic().into(),
    }
}

/// No leaf is spendable for a true record; for a lie the leaf of its `pc` is, whenever what was read is true.
#[test]
fn every_instruction_against_truth_and_lies() {
    let mut random = Random::new(0x7ea1);
    let instructions = instances(&mut random);
    let program = Program::from_instructions(BASE, &instructions).expect("a program");
    let steps = Steps::compile(program.clone(), [0; 20], options()).expect("it compiles");
    let outside = steps.index(StepLeaf::OutsideRom).expect("there is one");
    let states_of = |op: Op| match op {
        Op::Ecall => scaled(80 * STATES),
        Op::Fence | Op::Ebreak | Op::Illegal => scaled(INSTANCES * STATES),
        Op::Slli | Op::Srli | Op::Srai => scaled(STATES / 2),
        _ => scaled(STATES),
    };
    let (mut truths, mut disproved, mut consistent) = (BTreeMap::new(), 0, 0);
    let mut single = [[0usize; 2]; FIELDS.len()];
    for (pc, instruction) in program.rom().iter() {
        let mut machine = Machine::new(&program, &INPUTS);
        for _ in 0..states_of(instruction.op) {
            random_state(&mut machine, pc, instruction, &mut random);
            let truth = machine.next_record();
            *truths.entry(kind(instruction.op, &truth)).or_insert(0) += 1;
            let run = |record: &StepRecord, with_core: bool| {
                let mut leaves: Vec<usize> = steps.leaves_at(record.pc).collect();
                if leaves.is_empty() {
                    leaves.push(outside);
                }
                let published = publish(record);
                let spendable = leaves.iter().filter(|&&index| {
                    let (hints, numbers) = steps.delivered(index, &published).expect("published");
                    let verdict = body_verdict(&steps.body(index), &hints, &numbers, with_core);
                    let expected = steps.is_spendable(index, &published).expect("published");
                    let leaf = steps.leaf(index);
                    assert_eq!(
                        verdict, expected,
                        "{leaf}: {instruction} {record}\ntruth {truth}"
                    );
                    verdict
                });
                let spendable = spendable.count();
                assert!(
                    spendable <= 1,
                    "{instruction} {record}: an access is made or not"
                );
                spendable == 1
            };
            assert!(!run(&truth, true), "{instruction}: {truth}");
            for (fields, lie) in lies(&truth, 3, &mut random) {
                let spent = run(&lie, true);
                if let &[field] = fields.as_slice() {
                    single[field][usize::from(spent)] += 1;
                }
                let reads = |record: &StepRecord| {
                    let words = [record.a, record.b, record.m].map(|read| read.value);
                    (record.pc, words)
                };
                let replaced_only = StepRecord { w: truth.w, ..lie } == truth
                    && lie.w.value == truth.w.value
                    && lie.w.cell == truth.w.cell;
                if reads(&lie) == reads(&truth) && !replaced_only {
                    // An input word that is not the one committed to is another leaf's business.
                    let is_read = kind(instruction.op, &truth) == "ecall: input";
                    let only_word =
                        StepRecord { w: lie.w, ..truth } == lie && lie.w.cell == truth.w.cell;
                    assert!(
                        spent || is_read && only_word,
                        "{instruction}: {fields:?} {lie}\ntruth {truth}"
                    );
                }
                if spent {
                    disproved += 1
                } else {
                    consistent += 1
                }
            }
        }
    }
    let fewest = truths
        .iter()
        .min_by_key(|(_, count)| **count)
        .expect("some");
    println!(
        "{} kinds of steps, {} leaves; {} true records (fewest: {} of {}), {} lies disproved, {} consistent in themselves",
        truths.len(),
        steps.len(),
        truths.values().sum::<usize>(),
        fewest.1,
        fewest.0,
        disproved,
        consistent
    );
    println!(
        "covered: {} true records, {} lies against the leaf of an instruction",
        truths.values().sum::<usize>(),
        disproved + consistent
    );
    for (name, [kept, spent]) in FIELDS.iter().zip(single) {
        println!("  single lie about {name}: {spent} disproved here, {kept} left to others");
    }
    assert_eq!(
        truths.len(),
        47 + 5 + 1,
        "47 instructions, five calls, and words that are none"
    );
    assert!(*fewest.1 >= scaled(INSTANCES * STATES), "{fewest:?}");
}

/// Whole spends, with openings and signatures, for a sample of instances.
#[test]
fn whole_leaves_with_openings() {
    let mut random = Random::new(0x0b5e);
    let instructions: Vec<Instruction> = Op::ALL
        .iter()
        .map(|&op| random_instruction(op, &mut random))
        .collect();
    let program = Program::from_instructions(BASE, &instructions).expect("a program");
    let steps = Steps::compile(program.clone(), [0; 20], options()).expect("it compiles");
    let keys = StepKeys::new(
        steps
            .groups()
            .into_iter()
            .map(|group| (group, steps.parameters(group))),
        5,
    );
    let source = steps.leaf_source(keys.public.clone(), keys.challenger());
    let (mut spent, mut refused) = (0, 0);
    for (pc, instruction) in program.rom().iter() {
        let mut machine = Machine::new(&program, &INPUTS);
        for index in steps.leaves_at(pc) {
            let size = steps.leaf_size(index);
            let script = source.script(index);
            assert_eq!(
                source.leaf_hash(index),
                tapcourt_script::taptree::leaf_hash(&script)
            );
            let opened_bytes = script.len() - steps.body(index).len();
            for _ in 0..scaled(2) {
                random_state(&mut machine, pc, instruction, &mut random);
                let truth = machine.next_record();
                let mut records = lies(&truth, 1, &mut random);
                records.push((Vec::new(), truth));
                for (_, record) in records {
                    let published = publish(&record);
                    let openings = keys.open(&published, Group::RECORD);
                    let witness = steps.witness(index, &openings).expect("all opened");
                    let expected = steps.is_spendable(index, &published).expect("published");
                    let spends = keys.spends(
                        &instruction.to_string(),
                        &script,
                        witness,
                        &size,
                        opened_bytes,
                    );
                    assert_eq!(spends, expected, "{instruction}: {record}\ntruth {truth}");
                    if spends { spent += 1 } else { refused += 1 }
                }
            }
        }
    }
    println!(
        "{} instructions as whole spends: {spent} spent, {refused} refused",
        instructions.len()
    );
    println!("covered: {} whole spends of instructions", spent + refused);
}

/// In a program of 500 instructions, every leaf against every record: for each that is not the true
/// one, one leaf at its `pc` is spendable and no other.
#[test]
fn every_leaf_against_every_record_of_a_program() {
    const INSTRUCTIONS: usize = 500;
    let mut random = Random::new(0x500);
    let instructions: Vec<Instruction> = (0..INSTRUCTIONS)
        .map(|place| random_instruction(Op::ALL[place % Op::ALL.len()], &mut random))
        .collect();
    let program = Program::from_instructions(BASE, &instructions).expect("a program");
    let steps = Steps::compile(program.clone(), [0; 20], options()).expect("it compiles");
    let mut machine = Machine::new(&program, &INPUTS);
    // A true record and a lie that leaves what was read alone, at each instruction.
    let mut records: Vec<(StepRecord, bool)> = Vec::new();
    for (pc, instruction) in program.rom().iter() {
        random_state(&mut machine, pc, instruction, &mut random);
        let truth = machine.next_record();
        records.push((truth, true));
        // Of an input that is read, the word is another leaf's business.
        let field = if instruction.op == Op::Ecall {
            [1, 7, 8, 9, 10]
        } else {
            [1, 5, 8, 9, 10]
        };
        let mut lie = truth;
        cases::lie(&mut lie, field[random.below(5)], &mut random);
        records.push((lie, false));
    }
    let records: Vec<(Published, u32, bool)> = records
        .iter()
        .map(|(record, truth)| (publish(record), record.pc, *truth))
        .collect();
    let addresses = program.rom().iter().map(|(pc, _)| pc);
    let leaves: Vec<(usize, u32)> = addresses
        .flat_map(|pc| steps.leaves_at(pc).map(move |index| (index, pc)))
        .collect();
    let against_all = |&(index, leaf_pc): &(usize, u32)| {
        let body = steps.body(index);
        let mut spendable = 0;
        for (published, pc, truth) in &records {
            let (hints, numbers) = steps.delivered(index, published).expect("published");
            let verdict = body_verdict(&body, &hints, &numbers, true);
            let judged = steps.is_spendable(index, published).expect("published");
            assert_eq!(verdict, judged, "leaf {leaf_pc:#x}, record at {pc:#x}");
            // Of a load or store, one of both leaves is about the record.
            let is_access = steps.leaves_at(leaf_pc).count() == 2;
            let may_be_spent = *pc == leaf_pc && !truth;
            let expected = may_be_spent && (!is_access || judged);
            assert_eq!(verdict, expected, "leaf {leaf_pc:#x}, record at {pc:#x}");
            spendable += usize::from(expected);
        }
        spendable
    };
    let spendable: usize = leaves.par_iter().map(against_all).sum();
    assert_eq!(spendable, INSTRUCTIONS);
    println!(
        "{} leaves x {} records: {} pairs in the interpreter and in core's code, {spendable} spendable",
        leaves.len(),
        records.len(),
        leaves.len() * records.len()
    );
    println!(
        "covered: {} pairs of leaf and record",
        leaves.len() * records.len()
    );
}

/// Every load and store at both ends of memory, in every address space: the true record makes no
/// leaf spendable, and the record of an access that is made where it cannot be, or not made where
/// it can, makes one.
#[test]
fn accesses_at_the_borders_of_every_space() {
    let mut random = Random::new(0xb0d);
    let accesses: Vec<Op> = Op::ALL
        .into_iter()
        .filter(|op| op.accesses_memory())
        .collect();
    let [t0, t1, t2] = [5, 6, 7].map(Register::new);
    let (mut truths, mut lies, mut made) = (0, 0, 0);
    for log2_bytes in 13..=32 {
        let space = AddressSpace::new(log2_bytes).expect("13 to 32");
        let instructions: Vec<Instruction> = accesses
            .iter()
            .flat_map(|&op| {
                [0, 4, 0x7ff, 0x800u32.wrapping_neg()]
                    .map(|imm| Instruction::new(op, t0, t1, t2, imm))
            })
            .chain(
                accesses
                    .iter()
                    .map(|&op| Instruction::new(op, Register::ZERO, t1, t2, 0)),
            )
            .collect();
        let with = |space| {
            let program = Program::from_instructions(0x1000, &instructions).expect("a program");
            program.with_space(space).expect("it is small")
        };
        let (program, largest) = (with(space), with(AddressSpace::LARGEST));
        let steps = Steps::compile(program.clone(), [0; 20], options()).expect("it compiles");
        // The last address below what stops, and the first one that does, in each direction.
        let end = space.bytes() as u32; // cast ok: 0 stands for 2^32
        let lowest = AddressSpace::LOWEST;
        let near = [lowest, end].into_iter().flat_map(|border| {
            (0..12).map(move |offset| border.wrapping_add(offset).wrapping_sub(6))
        });
        let bits = (0..32).flat_map(|bit| [1u32 << bit, (1 << bit) | lowest]);
        let addresses: Vec<u32> = near.chain(bits).chain([0, u32::MAX, end / 2]).collect();
        for (pc, instruction) in program.rom().iter() {
            for &address in &addresses {
                let record_in = |program| {
                    let mut machine = Machine::new(program, &INPUTS);
                    machine.set_pc(pc);
                    let base = address.wrapping_sub(instruction.imm);
                    machine.set_cell(Cell::register(t1), base);
                    machine.set_cell(Cell::register(t2), 0x0102_0384);
                    machine.set_cell(Cell::register(t0), 77);
                    machine.next_record()
                };
                let truth = record_in(&program);
                let bytes = 1
                    << instruction
                        .op
                        .load_log2_bytes()
                        .or(instruction.op.store_log2_bytes())
                        .expect("an access");
                let is_made = space.contains(address) && address.is_multiple_of(bytes);
                assert_eq!(
                    truth.next_pc != pc,
                    is_made,
                    "{space}: {instruction} at {address:#x}"
                );
                made += usize::from(is_made);
                // What the same instruction does if all is memory, or if nothing is.
                let elsewhere = record_in(&largest);
                let nowhere = StepRecord {
                    a: truth.a,
                    b: truth.b,
                    ..StepRecord::stopped(pc)
                };
                for record in [truth, elsewhere, nowhere] {
                    let published = publish(&record);
                    let with_core = random.chance(16);
                    let spendable = steps.leaves_at(pc).filter(|&index| {
                        let (hints, numbers) =
                            steps.delivered(index, &published).expect("published");
                        let verdict = body_verdict(&steps.body(index), &hints, &numbers, with_core);
                        let judged = steps.is_spendable(index, &published).expect("published");
                        assert_eq!(verdict, judged, "{space}: {} {record}", steps.leaf(index));
                        verdict
                    });
                    let expected = usize::from(record != truth);
                    assert_eq!(
                        spendable.count(),
                        expected,
                        "{space}: {instruction} {record}\ntruth {truth}"
                    );
                    if record == truth {
                        truths += 1;
                    } else {
                        lies += 1;
                    }
                }
            }
        }
    }
    println!(
        "20 spaces: {truths} true records ({made} accesses made), {lies} lies, each disproved by one leaf"
    );
}

/// The fields of a record as they are published, any number in any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Raw {
    next_pc: u32,
    sources: u32,
    target: u32,
    memory: u32,
    /// Read from memory, written, read first, read second.
    words: [u32; 4],
}

impl Raw {
    const FIELDS: usize = 8;

    fn field(&mut self, number: usize) -> &mut u32 {
        match number {
            0 => &mut self.next_pc,
            1 => &mut self.sources,
            2 => &mut self.target,
            3 => &mut self.memory,
            word => &mut self.words[word - 4],
        }
    }

    fn published(&self, pc: u32) -> Published {
        let mut published = publish(&StepRecord::stopped(pc));
        published.set_word(Group::NextPc, self.next_pc, 32);
        published.set_word(Group::Sources, self.sources, 10);
        published.set_word(Group::Target, self.target, 32);
        published.set_word(Group::Memory, self.memory, 32);
        let bits = self.words.iter();
        let bits = bits.flat_map(|word| (0..32).map(move |bit| word >> bit & 1 == 1));
        published.set(Group::Words, bits.collect());
        published
    }

    /// What the step at `pc` gives, of the words that are read here, written down from the manual
    /// and from what this machine adds to it; and whether an access is made.
    fn expected(&self, pc: u32, instruction: Instruction, space: AddressSpace) -> (Self, bool) {
        let [m, w, a, b] = self.words;
        let op = instruction.op;
        let [rd, rs1, rs2] = [instruction.rd, instruction.rs1, instruction.rs2]
            .map(|register| u32::from(register.number()));
        let stays = |sources: u32, b: u32| Self {
            next_pc: pc,
            sources,
            target: 0,
            memory: 0,
            words: [0, 0, a, b],
        };
        let address = a.wrapping_add(instruction.imm);
        let [bytes, is_store] = match op {
            Op::Lb | Op::Lbu => [1, 0],
            Op::Lh | Op::Lhu => [2, 0],
            Op::Lw => [4, 0],
            Op::Sb => [1, 1],
            Op::Sh => [2, 1],
            Op::Sw => [4, 1],
            Op::Jalr => {
                let link = if rd == 0 { 0 } else { pc + 4 };
                let jumped = Self {
                    next_pc: address & 0xffff_fffe,
                    target: 4 * rd,
                    words: [0, link, a, 0],
                    ..stays(rs1, 0)
                };
                return (jumped, true);
            }
            _ => {
                let stopped = stays(17 | 10 << 5, b);
                let called = match (a, b) {
                    (93, 0) => Self {
                        next_pc: 0xffff_ffff,
                        ..stopped
                    },
                    (INPUT_CALL, 0..5) => Self {
                        next_pc: pc + 4,
                        target: 40,
                        words: [0, w, a, b],
                        ..stopped
                    },
                    _ => stopped,
                };
                return (called, true);
            }
        };
        let is_made = address % bytes == 0
            && address >= 4_096
            && u64::from(address) < 1 << space.log2_bytes();
        let (aligned, shift) = (address & !3, address % 4 * 8);
        // cast ok: 1 to 4 bytes
        let mask = ((1u64 << (8 * bytes)) - 1) as u32;
        let expected = match (is_store, is_made) {
            (0, false) => stays(rs1, 0),
            (0, true) => {
                let part = m >> shift & mask;
                let value = match op {
                    Op::Lb => part as u8 as i8 as u32,   // casts ok: sign extended
                    Op::Lh => part as u16 as i16 as u32, // casts ok: sign extended
                    _ => part,
                };
                Self {
                    next_pc: pc + 4,
                    sources: rs1,
                    target: 4 * rd,
                    memory: aligned,
                    words: [m, if rd == 0 { 0 } else { value }, a, 0],
                }
            }
            (_, false) => stays(rs1 | rs2 << 5, b),
            (_, true) => Self {
                next_pc: pc + 4,
                sources: rs1 | rs2 << 5,
                target: aligned,
                memory: if bytes == 4 { 0 } else { aligned },
                words: if bytes == 4 {
                    [0, b, a, b]
                } else {
                    [m, m & !(mask << shift) | (b & mask) << shift, a, b]
                },
            },
        };
        (expected, is_made)
    }
}

/// Any number near one: that of a cell in no state's use, of a register, beyond the space, of no
/// cell.
fn any_near(word: u32, space: AddressSpace, random: &mut Random) -> u32 {
    let end = space.bytes() as u32; // cast ok: 0 stands for 2^32
    match random.below(10) {
        0 => 0,
        1 => word ^ [1, 2, 3, 4][random.below(4)],
        2 => word ^ 1 << random.below(32),
        // The same place in the tree, if bits beyond its levels do not count.
        3 => word.wrapping_add(end),
        4 => word % 4_096,
        5 => 4 * random.below(32) as u32,        // cast ok: small
        6 => 128 + 4 * random.below(992) as u32, // cast ok: small
        7 => end.wrapping_sub(4).wrapping_add(random.below(8) as u32), // cast ok: small
        8 => [u32::MAX, 4_092, 4_096, 0x8000_0000, 0xffff_fffc][random.below(5)],
        _ => random.word(),
    }
}

/// Loads, stores, `jalr` and calls, with any numbers published in all fields, labels of no cell
/// among them: the one leaf that is about the access is spendable exactly if the record is not what
/// is written down here.
#[test]
fn raw_fields_of_loads_stores_jumps_and_calls() {
    let mut random = Random::new(0x1abe1);
    let ops = Op::ALL
        .into_iter()
        .filter(|op| op.accesses_memory() || matches!(op, Op::Jalr | Op::Ecall));
    let ops: Vec<Op> = ops.collect();
    let (mut counts, mut stops) = ([0usize; 2], 0usize);
    for log2_bytes in [13, 14, 15, 16, 19, 26, 31, 32] {
        let space = AddressSpace::new(log2_bytes).expect("13 to 32");
        let instructions: Vec<Instruction> = ops
            .iter()
            .flat_map(|&op| [(); 3].map(|()| op))
            .map(|op| random_instruction(op, &mut random))
            .collect();
        let program = Program::from_instructions(0x1000, &instructions).expect("a program");
        let program = program.with_space(space).expect("it is small");
        let steps = Steps::compile(program.clone(), [0; 20], options()).expect("it compiles");
        let outside = steps.index(StepLeaf::OutsideRom).expect("there is one");
        for (pc, instruction) in program.rom().iter() {
            for _ in 0..scaled(60) {
                let mut raw = Raw {
                    next_pc: random.word(),
                    sources: random.word() & 0x3ff,
                    target: random.word(),
                    memory: random.word(),
                    words: std::array::from_fn(|_| random.word()),
                };
                if instruction.op == Op::Ecall {
                    raw.words[2] = [93, INPUT_CALL, INPUT_CALL, raw.words[2]][random.below(4)];
                    raw.words[3] = [0, random.below(6) as u32, raw.words[3]][random.below(3)]; // cast ok: small
                } else if random.chance(220) {
                    let address = any_near(random.address(space), space, &mut random);
                    let address = if random.chance(128) {
                        address
                    } else {
                        random.address(space)
                    };
                    raw.words[2] = address.wrapping_sub(instruction.imm);
                }
                // Mostly as it should be but for a field or two, at any of which it may be right by
                // chance.
                let fields = random.below(3);
                if random.chance(240) {
                    raw = raw.expected(pc, instruction, space).0;
                    for _ in 0..fields {
                        let field = raw.field(random.below(Raw::FIELDS));
                        *field = any_near(*field, space, &mut random);
                    }
                    raw.sources &= 0x3ff;
                }
                let (expected, is_made) = raw.expected(pc, instruction, space);
                let is_wrong = expected != raw;
                let published = raw.published(pc);
                let mut spendable = Vec::new();
                for index in steps.leaves_at(pc).chain([outside]) {
                    let (hints, numbers) = steps.delivered(index, &published).expect("published");
                    let verdict = body_verdict(&steps.body(index), &hints, &numbers, false);
                    let judged = steps.is_spendable(index, &published).expect("published");
                    assert_eq!(verdict, judged, "{space}: {instruction} {raw:x?}");
                    if verdict {
                        spendable.push(steps.leaf(index));
                    }
                }
                let leaf = match is_made {
                    true => StepLeaf::Semantics { pc },
                    false => StepLeaf::Stop { pc },
                };
                let leaves = if is_wrong { vec![leaf] } else { Vec::new() };
                assert_eq!(
                    spendable, leaves,
                    "{space}: {instruction} {raw:x?}, expected {expected:x?}"
                );
                counts[usize::from(is_wrong)] += 1;
                stops += usize::from(!is_made);
            }
        }
    }
    let [right, wrong] = counts;
    println!(
        "covered: {right} right raw records, {wrong} wrong raw records; {stops} of accesses not made"
    );
    assert!(
        right > wrong / 8 && stops > right / 8,
        "{right} {wrong} {stops}"
    );
}
