//! Targets for RISC-V: programs from hostile files, and the leaves of a step against their evaluator.

use std::sync::LazyLock;

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_compiler::riscv::{Group, Options, Published, Search, Steps};
use tapcourt_program::riscv::{
    Engine, Instruction, Machine, Op, Program, Read, Register, StepRecord,
};

use crate::riscv::{Random, body_verdict, random_instruction};

/// Steps that are compared of a program that was read.
const STEPS: u64 = 500;

/// Any bytes are refused or are a program, which survives being written, and on which engine and
/// reference machine agree. Errors and warnings are short, whatever names the file has.
///
/// # Panics
/// If that does not hold.
pub fn elf(data: &[u8]) {
    let report = match Program::read_elf(data) {
        Ok(report) => report,
        Err(error) => {
            assert!(error.to_string().len() < 4000, "{error}");
            return;
        }
    };
    for warning in report.warnings {
        assert!(warning.to_string().len() < 1000, "{warning}");
    }
    let program = report.program;
    let written = program.to_elf().expect("what was read can be written");
    let again = Program::from_elf(&written).expect("what was written can be read");
    assert_eq!(program, again);
    let inputs = [1, 0x8000_0000, u32::MAX];
    let mut machine = Machine::new(&program, &inputs);
    let mut engine = Engine::new(&program, &inputs);
    for _ in 0..STEPS {
        let record = machine.step();
        assert_eq!(
            record.consequence(program.rom().get(record.pc), 3, program.space()),
            record
        );
    }
    engine.run_to(STEPS);
    let state = engine.state();
    assert_eq!(machine.pc(), state.pc);
    for register in Register::all() {
        assert_eq!(machine.register(register), state.register(register));
    }
    for (address, word) in machine.memory() {
        assert_eq!(state.memory.word(address), word);
    }
}

/// A small program as a file, some of whose bytes are others.
pub(super) fn random_elf(random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut source = Random(random.clone());
    let instructions: Vec<Instruction> = (0..1 + source.below(40))
        .map(|_| random_instruction(Op::ALL[source.below(Op::ALL.len())], &mut source))
        .collect();
    *random = source.0;
    let base = random.gen_range(0..0x1_0000u32) << 12;
    let program = Program::from_instructions(base, &instructions)
        .expect("it ends below the pc of acceptance");
    let mut file = program.to_elf().expect("it has one segment");
    for _ in 0..[0, 0, 1, 2, 8][random.gen_range(0..5)] {
        // Mostly in the headers.
        let bound = if random.r#gen() {
            file.len()
        } else {
            file.len().min(96)
        };
        let place = random.gen_range(0..bound);
        file[place] = random.r#gen();
    }
    file
}

/// Words of input of the program whose leaves are fuzzed.
const INPUTS: u32 = 3;

/// Every instruction, four times.
static STEPS_OF_ALL: LazyLock<Steps> = LazyLock::new(|| {
    let mut random = Random::new(4);
    let instructions: Vec<Instruction> = (0..4 * Op::ALL.len())
        .map(|place| random_instruction(Op::ALL[place % Op::ALL.len()], &mut random))
        .collect();
    let program = Program::from_instructions(0x1_0000, &instructions).expect("a program");
    let options = Options {
        fixed: Vec::new(),
        inputs: INPUTS,
        search: Search::new(vec![2]).expect("two steps"),
    };
    Steps::compile(program, [0; 20], options).expect("it compiles")
});

/// The leaf of an instruction is spendable exactly if its evaluator says so, and not if the record is true. The bytes are the instruction's number, the words
/// that were read, and what is wrong with the record: each field's bits that are flipped.
///
/// # Panics
/// If that does not hold.
pub fn riscv_step(data: &[u8]) {
    let steps = &*STEPS_OF_ALL;
    let mut bytes = data.iter().copied().chain(std::iter::repeat(0));
    let mut word = || {
        u32::from_le_bytes(std::array::from_fn(|_| {
            bytes.next().expect("zeros without end")
        }))
    };
    let rom = steps.program().rom();
    let (pc, instruction) = rom
        .at(word() as usize % rom.len())
        .expect("it is below the length"); // cast ok: an index
    let words = [word(), word(), word(), word()];
    let told = StepRecord {
        pc,
        a: Read {
            value: words[0],
            ..Read::default()
        },
        b: Read {
            value: words[1],
            ..Read::default()
        },
        m: Read {
            value: words[2],
            ..Read::default()
        },
        w: tapcourt_program::riscv::Write {
            value: words[3],
            ..Default::default()
        },
        ..StepRecord::default()
    };
    // What follows from these words; a word of input is what the record says.
    let truth = told.consequence(Some(instruction), INPUTS, steps.program().space());
    let mut published = Published::new();
    published.set_step(&truth, &[0; 20], &[0; 20]);
    let groups = [
        (Group::NextPc, 32),
        (Group::Sources, 10),
        (Group::Target, 32),
        (Group::Memory, 32),
        (Group::Words, 128),
    ];
    let mut lies = false;
    for (group, bits) in groups {
        let mut flipped = published.bits(group).expect("it was published").to_vec();
        assert_eq!(flipped.len(), bits);
        for part in flipped.chunks_mut(32) {
            let mask = word();
            for (bit, value) in part.iter_mut().enumerate() {
                *value ^= mask >> bit & 1 == 1;
                lies |= mask >> bit & 1 == 1;
            }
        }
        published.set(group, flipped);
    }
    for index in steps.leaves_at(pc) {
        let expected = steps
            .is_spendable(index, &published)
            .expect("all is published");
        assert!(lies || !expected, "{instruction}: a true record");
        let (hints, numbers) = steps
            .delivered(index, &published)
            .expect("all is published");
        let verdict = body_verdict(
            &steps.body(index),
            &hints,
            &numbers,
            data.len().is_multiple_of(8),
        );
        assert_eq!(verdict, expected, "{instruction}: {truth}");
    }
}

/// Words that were read, and few lies.
pub(super) fn random_step(random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut source = Random(random.clone());
    let mut words: Vec<u32> = (0..5).map(|_| source.word()).collect();
    for _ in 0..8 {
        let lies = source.chance(60);
        let flips = if source.chance(128) {
            1 << source.below(32)
        } else {
            source.word()
        };
        words.push(if lies { flips } else { 0 });
    }
    *random = source.0;
    words
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .chain((0..random.gen_range(0..8)).map(|_| 0))
        .collect()
}
