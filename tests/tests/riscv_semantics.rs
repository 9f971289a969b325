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

/// In a program of 500 instructions, every leaf against every record: for each that is not the true one, one leaf at its `pc` is spendable and no other.
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

/// Every load and store at both ends of memory, in every address space: the true record makes no leaf
/// spendable, and the record of an access that is made where it cannot be, or not made where it can, makes
/// one.
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
