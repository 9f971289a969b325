//! Steps a second of the RISC-V engine and of `rrs-lib`, an interpreter that decodes as it goes, on the same guests.
//!
//! Setting up is not measured. `rrs-lib` has flat memory from address 0, the fastest that it comes with, and calls are made for it.

use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rrs_lib::HartState;
use rrs_lib::instruction_executor::InstructionExecutor;
use rrs_lib::memories::VecMemory;
use sha2::{Digest, Sha256};
use tapcourt_program::riscv::{EXIT_CALL, Engine, INPUT_CALL, Program, Stop};

/// Words of memory that our guests have: 2 MiB.
const MEMORY_WORDS: usize = 1 << 19;

/// Reads one of the guests in `circuits/riscv/elf`.
fn guest(name: &str) -> Program {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../circuits/riscv/elf")
        .join(name)
        .with_extension("elf");
    let file = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Program::from_elf(&file).expect("our guests are ELF files")
}

/// Guests with inputs that they accept.
fn guests() -> Vec<(&'static str, Vec<u32>)> {
    let iterations = 2_000_000;
    let mixed = (0..iterations).fold(1u32, |state, i| {
        (state ^ state >> 15)
            .wrapping_mul(0x2c1b_3c6d)
            .wrapping_add(i)
    });
    let message: Vec<u8> = (0..1u32 << 18).map(|index| (index * 7 / 8) as u8).collect(); // cast ok: any byte
    let length = message.len() as u32; // cast ok: 2^18
    let words = |bytes: &[u8]| -> Vec<u32> {
        let words = bytes.chunks_exact(4);
        words
            .map(|word| u32::from_le_bytes(word.try_into().expect("it has four bytes")))
            .collect()
    };
    let hash = words(&Sha256::digest(&message));
    vec![
        ("loop", vec![iterations, mixed]),
        (
            "sha256_preimage",
            [hash, vec![length], words(&message)].concat(),
        ),
        ("heapsort", vec![65_536, 2, 0x7fd3_c6a4]),
    ]
}

/// Executes a program to its end, and returns how many steps that took.
fn run_engine(mut engine: Engine<'_>) -> u64 {
    assert_eq!(engine.run(u64::MAX), Stop::Accepted);
    engine.state().steps
}

/// A program's state for `rrs-lib`.
fn peer(program: &Program) -> (HartState, VecMemory) {
    let mut memory = VecMemory::new(vec![0; MEMORY_WORDS]);
    for (address, word) in program.image().words() {
        memory.mem[(address / 4) as usize] = word;
    }
    let mut hart = HartState::new();
    hart.pc = program.entry();
    (hart, memory)
}

/// The same with `rrs-lib`, which stops at calls.
fn run_peer((mut hart, mut memory): (HartState, VecMemory), inputs: &[u32]) -> u64 {
    let mut executor = InstructionExecutor {
        hart_state: &mut hart,
        mem: &mut memory,
    };
    for steps in 1.. {
        if executor.step().is_err() {
            let hart = &mut *executor.hart_state;
            let (call, argument) = (hart.registers[17], hart.registers[10]);
            match inputs.get(argument as usize) {
                Some(&word) if call == INPUT_CALL => hart.registers[10] = word,
                _ if call == EXIT_CALL && argument == 0 => return steps,
                _ => panic!("stopped at {:#x}", hart.pc),
            }
            hart.pc += 4;
        }
    }
    unreachable!("it stops")
}

/// The shortest time that something takes in some seconds.
fn shortest<T>(mut setup: impl FnMut() -> T, mut run: impl FnMut(T) -> u64) -> Duration {
    let begun = Instant::now();
    let mut shortest = Duration::MAX;
    while begun.elapsed() < Duration::from_secs(3) {
        let prepared = setup();
        let start = Instant::now();
        run(prepared);
        shortest = shortest.min(start.elapsed());
    }
    shortest
}

fn riscv(criterion: &mut Criterion) {
    let mut ratios = Vec::new();
    for (name, inputs) in guests() {
        let program = guest(name);
        let engine = Engine::new(&program, &inputs);
        let steps = run_engine(engine.clone());
        assert_eq!(run_peer(peer(&program), &inputs), steps);

        let mut group = criterion.benchmark_group(format!("riscv/{name}"));
        group
            .throughput(Throughput::Elements(steps))
            .sample_size(10);
        group.bench_function("engine, steps", |bencher| {
            bencher.iter_batched(|| engine.clone(), run_engine, BatchSize::PerIteration);
        });
        group.bench_function("rrs-lib, steps", |bencher| {
            bencher.iter_batched(
                || peer(&program),
                |peer| run_peer(peer, &inputs),
                BatchSize::PerIteration,
            );
        });
        group.finish();
        let ours = shortest(|| engine.clone(), run_engine);
        let theirs = shortest(|| peer(&program), |peer| run_peer(peer, &inputs));
        ratios.push((name, theirs.as_secs_f64() / ours.as_secs_f64()));
    }
    for (name, ratio) in ratios {
        println!("{name}: {ratio:.2} times as many steps a second as rrs-lib");
    }
}

criterion_group!(benches, riscv);
criterion_main!(benches);
