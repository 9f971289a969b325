//! Shipped guests on their vectors: the engine ends as they say, and as the reference machine does.

use std::path::{Path, PathBuf};

use tapcourt_program::riscv::{Engine, Machine, Program, Register, Stop, StopReason};

/// Steps that the reference follows: all of most vectors, and the beginning of the longest.
const FOLLOWED: u64 = 300_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../circuits/riscv")
        .join(name)
}

fn words(hex: &str) -> Vec<u32> {
    let digits = hex.as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .map(|pair| {
            let pair = str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("two hexadecimal digits")
        })
        .collect();
    let words = bytes.chunks_exact(4);
    words
        .map(|word| u32::from_le_bytes(word.try_into().expect("it has four bytes")))
        .collect()
}

/// How a run ended, as vectors say it: the exit code, and whether it has left memory.
fn end(engine: &Engine<'_>, program: &Program, inputs: &[u32]) -> (Option<u64>, bool) {
    match StopReason::of(program, inputs, engine.state()) {
        None => (Some(0), false),
        Some(StopReason::Exit { code }) => (Some(code.into()), false),
        Some(StopReason::MissingInput { .. }) => (None, false),
        Some(StopReason::OutsideMemory { .. }) => (None, true),
        Some(reason) => panic!("no vector stops because of {reason:?}"),
    }
}

#[test]
fn guests_end_as_their_vectors_say() {
    let entries = std::fs::read_dir(folder("elf")).expect("the folder of guests");
    for entry in entries {
        let path = entry.expect("a folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "elf") {
            continue;
        }
        let name = path.file_stem().expect("it is a file").to_string_lossy();
        let vectors = std::fs::read(folder("vectors").join(&*name).with_extension("json"));
        let vectors: Vec<serde_json::Value> =
            serde_json::from_slice(&vectors.expect("each guest has vectors")).expect("a list");
        let file = std::fs::read(&path).expect("a file can be read");
        let program = Program::from_elf(&file).expect("guests are ELF files");
        for vector in vectors {
            let inputs = words(vector["input"].as_str().expect("digits"));
            let mut engine = Engine::new(&program, &inputs);
            assert_ne!(engine.run(u64::MAX), Stop::Reached);
            let (name, vector_name) = (&name, &vector["name"]);
            println!("{name} {vector_name}: {} steps", engine.state().steps);
            let expected = (vector["exit_code"].as_u64(), vector["stop"] == "address");
            let end = end(&engine, &program, &inputs);
            assert_eq!(end, expected, "{name} {vector_name}");

            let mut machine = Machine::new(&program, &inputs);
            let steps = engine.state().steps.min(FOLLOWED);
            while machine.steps() < steps {
                machine.step();
            }
            let mut engine = Engine::new(&program, &inputs);
            engine.run_to(steps);
            let state = engine.state();
            assert_eq!(state.pc, machine.pc(), "{name} {vector_name}");
            for register in Register::all() {
                assert_eq!(state.register(register), machine.register(register));
            }
            for (address, word) in machine.memory() {
                assert_eq!(state.memory.word(address), word);
            }
        }
    }
}
