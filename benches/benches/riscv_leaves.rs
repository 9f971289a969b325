//! From a RISC-V program of 177,367 instructions, the size of a Groth16 verifier elsewhere, to the root of its taptree; and steps through script.
//!
//! Memory of the first: `cargo run --release -p tapcourt-compiler --example compile_memory 177367`.

use std::collections::BTreeMap;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tapcourt_benches::challenger_key;
use tapcourt_commitment::{KeyPath, PublicKey, SecretKey, Seed};
use tapcourt_compiler::riscv::{Group, Options, Published, Search, StepLeaf, Steps};
use tapcourt_program::riscv::{Format, Instruction, Machine, Op, Program, Register};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::taptree::{LeafSource, Taptree};
use tapcourt_script::{encode_number, script};

const INSTRUCTIONS: usize = 177_367;

/// A program of instructions of all kinds with all kinds of operands.
fn generated(instructions: usize) -> Program {
    let mut state = 1u64;
    let mut next = move || {
        // Knuth's multiplier for a linear congruential generator of 64 bits.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 32) as u32 // cast ok: the upper half
    };
    let instructions: Vec<Instruction> = (0..instructions)
        .map(|place| {
            let op = Op::ALL[place % Op::ALL.len()];
            let [rd, rs1, rs2] =
                [next(), next(), next()].map(|word| Register::new((word % 32) as u8)); // cast ok: below 32
            let signed = |bits: u32, word: u32| ((word as i32) >> (32 - bits)) as u32; // casts ok: sign extended
            let imm = match op.format() {
                Format::I | Format::S => signed(12, next()),
                Format::Shift => next() % 32,
                Format::B => signed(13, next()) & !1,
                Format::U => next() & 0xffff_f000,
                Format::J => signed(21, next()) & !1,
                Format::R | Format::None => 0,
            };
            Instruction::new(op, rd, rs1, rs2, imm)
        })
        .collect();
    Program::from_instructions(0x1_0000, &instructions).expect("it fits the address space")
}

fn options() -> Options {
    Options {
        fixed: Vec::new(),
        inputs: 8,
        search: Search::uniform(32, 3).expect("in range"),
    }
}

fn keys(steps: &Steps) -> BTreeMap<Group, PublicKey> {
    let seed = Seed::new([7; 32]);
    let key = |group: Group| {
        let path = KeyPath {
            contract: [8; 32],
            role: "prover",
            label: &group.to_string(),
        };
        SecretKey::derive(&seed, &path, &steps.parameters(group)).public_key()
    };
    steps
        .groups()
        .into_iter()
        .map(|group| (group, key(group)))
        .collect()
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("177,367 instructions");
    group.sample_size(10);
    let program = generated(INSTRUCTIONS);
    group.bench_function("compile and hash all leaves", |bencher| {
        bencher.iter(|| {
            let steps = Steps::compile(program.clone(), [0; 20], options()).expect("it compiles");
            let keys = keys(&steps);
            Taptree::build(&steps.leaf_source(keys.clone(), challenger_key()))
                .expect("there are leaves")
                .root()
        });
    });
    group.finish();
}

/// True records of steps of every kind, through the scripts that check them: with and without the openings.
fn steps_through_script(criterion: &mut Criterion) {
    let program = generated(48 * 4);
    let steps = Steps::compile(program.clone(), [0; 20], options()).expect("it compiles");
    let mut machine = Machine::new(&program, &[0; 8]);
    let mut bodies = Vec::new();
    for (pc, _) in program.rom().iter() {
        machine.set_pc(pc);
        let index = steps
            .index(StepLeaf::Semantics { pc })
            .expect("an instruction");
        let mut published = Published::new();
        published.set_step(&machine.next_record(), &[0; 20], &[0; 20]);
        let (hints, numbers) = steps
            .delivered(index, &published)
            .expect("all is published");
        let leaf = script! { for _ in 0..numbers.len() { OP_TOALTSTACK } { &steps.body(index) } };
        let stack: Vec<Vec<u8>> = hints
            .into_iter()
            .chain(numbers.into_iter().map(encode_number))
            .collect();
        bodies.push((leaf, stack));
    }
    let mut group = criterion.benchmark_group("steps through script");
    group.throughput(Throughput::Elements(bodies.len() as u64)); // cast ok: 192
    group.bench_function("without openings", |bencher| {
        bencher.iter(|| {
            for (leaf, stack) in &bodies {
                assert!(!execute(leaf, stack.clone(), None, Rules::Policy).succeeded());
            }
        });
    });
    let keys = keys(&steps);
    let source = steps.leaf_source(keys.clone(), challenger_key());
    group.bench_function("making the leaves", |bencher| {
        bencher.iter(|| {
            (0..bodies.len())
                .map(|index| source.script(index).len())
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, compile, steps_through_script);
criterion_main!(benches);
