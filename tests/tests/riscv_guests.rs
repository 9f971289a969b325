//! The shipped guests: in both machines, under QEMU, and step by step through script.

use std::collections::HashMap;
use std::time::Instant;

use tapcourt_compiler::riscv::{Options, Published, Search, StepLeaf, Steps};
use tapcourt_program::riscv::{Engine, Machine, Stop, StopReason};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::{encode_number, script};
use tapcourt_tests::riscv::guests::{self, guest, guests};
use tapcourt_tests::riscv::{Random, body_verdict, cases};
use tapcourt_tests::scale::scaled;

/// More steps than any vector takes.
const LIMIT: u64 = 1 << 34;

/// Every guest says what its vectors say, and QEMU agrees on the exit code. (That engine and
/// reference machine agree on the way, `program` tests.)
#[test]
fn guests_say_what_their_vectors_say() {
    let with_qemu = guests::has_qemu();
    let guests = guests();
    assert!(guests.len() >= 15);
    let (mut vectors, mut accepted, mut overflows, mut compared) = (0, 0, 0, 0);
    for guest in &guests {
        for vector in &guest.vectors {
            let name = format!("{}/{}", guest.name, vector.name);
            let mut engine = Engine::new(&guest.program, &vector.input);
            let stop = engine.run(LIMIT);
            let state = engine.state();
            let accepts = vector.exit_code == Some(0);
            assert_eq!(
                stop == Stop::Accepted,
                accepts,
                "{name}: {stop:?} at {:#x}",
                state.pc
            );
            if accepts {
                accepted += 1;
            } else {
                // A guest that refuses exits, asks for input beyond the last word, or for more
                // memory than there is, where its vector says so; nothing else may stop it.
                let reason = StopReason::of(&guest.program, &vector.input, state);
                let is_right = match (vector.exit_code, reason) {
                    (Some(expected), Some(StopReason::Exit { code })) => code == expected,
                    (None, Some(StopReason::MissingInput { .. })) => !vector.leaves_memory,
                    (None, Some(StopReason::OutsideMemory { .. })) => vector.leaves_memory,
                    _ => false,
                };
                assert!(is_right, "{name}: {stop:?}, {reason:?} at {:#x}", state.pc);
                overflows += usize::from(vector.leaves_memory);
            }
            vectors += 1;
            if with_qemu {
                // What stands for the call under QEMU exits with 1 where there is no such word. A
                // signal ends what leaves memory.
                let expected = match vector.exit_code {
                    None if vector.leaves_memory => None,
                    code => Some(code.unwrap_or(1)),
                };
                assert_eq!(
                    guests::qemu_exit_code(guest, &vector.input),
                    expected,
                    "{name}: qemu"
                );
                compared += 1;
            }
        }
    }
    println!(
        "{} guests, {vectors} vectors ({accepted} accepted, {overflows} leave memory), {compared} compared with qemu{}",
        guests.len(),
        if with_qemu {
            ""
        } else {
            ": qemu-riscv32 is not there, so that was skipped"
        }
    );
    println!("covered: {vectors} vectors of guests, {compared} vectors compared with QEMU");
}

/// Every step of the SHA-256 guest (or the first 10^5) through script: true records fail every
/// leaf's end, lies succeed.
#[test]
fn sha256_step_by_step_through_script() {
    let guest = guest("sha256_preimage");
    let vector = guest
        .vectors
        .iter()
        .find(|vector| vector.name == "abc")
        .expect("there is one");
    let options = Options {
        fixed: Vec::new(),
        inputs: vector.input.len() as u32, // cast ok: few words
        search: Search::uniform(20, 2).expect("in range"),
    };
    let steps = Steps::compile(guest.program.clone(), [0; 20], options).expect("it compiles");
    let mut random = Random::new(0x5a);
    let mut machine = Machine::new(&guest.program, &vector.input);
    let mut bodies = HashMap::new();
    let (mut checked, mut in_core) = (0usize, 0);
    let publish = |record: &_| {
        let mut published = Published::new();
        published.set_step(record, &[0; 20], &[0; 20]);
        published
    };
    let mut prepared = Vec::new();
    while !machine.accepted() && checked < scaled(100_000) {
        let record = machine.step();
        let index = steps
            .index(StepLeaf::Semantics { pc: record.pc })
            .expect("in the program");
        let body = bodies
            .entry(index)
            .or_insert_with(|| steps.body(index))
            .clone();
        let mut lie = record;
        // What was read stays true, so this step's leaf refutes it. An input word is another leaf's
        // business.
        let field = [1, 7, 8, 9, 10][random.below(5)];
        cases::lie(&mut lie, field, &mut random);
        for (record, expected) in [(record, false), (lie, true)] {
            if record.pc != lie.pc {
                continue;
            }
            let (hints, numbers) = steps
                .delivered(index, &publish(&record))
                .expect("published");
            let with_core = checked.is_multiple_of(50);
            if with_core {
                in_core += 1;
            }
            assert_eq!(
                body_verdict(&body, &hints, &numbers, with_core),
                expected,
                "{record}"
            );
            if !expected {
                let leaf = script! { for _ in 0..numbers.len() { OP_TOALTSTACK } { &body } };
                let stack: Vec<Vec<u8>> = hints
                    .into_iter()
                    .chain(numbers.into_iter().map(encode_number))
                    .collect();
                prepared.push((leaf, stack));
            }
        }
        checked += 1;
    }
    assert!(machine.accepted() || checked == scaled(100_000));
    let start = Instant::now();
    for (leaf, stack) in &prepared {
        assert!(!execute(leaf, stack.clone(), None, Rules::Policy).succeeded());
    }
    let rate = prepared.len() as f64 / start.elapsed().as_secs_f64(); // cast ok: small
    println!(
        "{checked} steps of SHA-256 of 3 bytes through script, each true and with a lie, {in_core} records in core's code as well; \
         {rate:.0} script-checked steps a second on one core (openings not counted; BitVMX: 8,300)"
    );
    println!("covered: {checked} steps of SHA-256 through script");
}
