//! The same netlist gives the same leaves, byte for byte: in two threads, and in another process.

use std::process::Command;
use std::{env, thread};

use bitcoin::hashes::{Hash, HashEngine, sha256};
use tapcourt_compiler::circuit::Options;
use tapcourt_program::circuit::Circuit;
use tapcourt_tests::netlists::own;
use tapcourt_tests::random_circuit::random_circuit;
use tapcourt_tests::scale::scaled;
use tapcourt_tests::trial::Trial;

/// A hash of everything that a program compiles to.
fn fingerprint(circuit: &Circuit) -> sha256::Hash {
    let trial = Trial::new(circuit, &Options::default(), 3).expect("it compiles");
    let mut engine = sha256::Hash::engine();
    engine.input(&trial.compiled.program_digest());
    for group in trial.compiled.groups() {
        engine.input(
            format!(
                "{} {:?} {:?};",
                group.label(),
                group.role(),
                group.parameters()
            )
            .as_bytes(),
        );
    }
    for script in &trial.scripts {
        engine.input(&(script.len() as u64).to_le_bytes()); // cast ok: usize is at most 64 bits
        engine.input(script.as_bytes());
    }
    sha256::Hash::from_engine(engine)
}

fn circuits() -> Vec<Circuit> {
    let files = ["adder64.txt", "multiply32.txt"];
    let mut circuits: Vec<Circuit> = files.iter().map(|file| own(file).circuit).collect();
    circuits.extend((0..scaled(10) as u64).map(|seed| random_circuit(seed, 200)));
    circuits.extend((0..2).map(|seed| random_circuit(seed, 2000)));
    circuits
}

fn fingerprints() -> String {
    circuits()
        .iter()
        .map(|circuit| format!("{}\n", fingerprint(circuit)))
        .collect()
}

/// Set for the other process, which prints its fingerprints between these marks.
const CHILD: &str = "TAPCOURT_PRINT_FINGERPRINTS";
const MARK: &str = "--fingerprints--";

#[test]
fn compiling_is_deterministic() {
    let here = thread::scope(|scope| {
        let other = scope.spawn(fingerprints);
        let here = fingerprints();
        assert_eq!(other.join().expect("no thread panics"), here, "two threads");
        here
    });
    if env::var_os(CHILD).is_some() {
        println!("{MARK}{here}{MARK}");
        return;
    }
    let executable = env::current_exe().expect("a test knows its executable");
    let output = Command::new(executable)
        .args(["--exact", "compiling_is_deterministic", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("the test runs again");
    let printed = String::from_utf8_lossy(&output.stdout);
    let there = printed
        .split(MARK)
        .nth(1)
        .expect("the fingerprints are printed");
    assert_eq!(there, here, "two processes");
    println!(
        "covered: {} programs compiled four times in two processes",
        here.lines().count()
    );
}
