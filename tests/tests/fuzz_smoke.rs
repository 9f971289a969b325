//! The fuzz targets on their seeds and on pseudo-random inputs, so that they never rot. `scripts/fuzz` runs them with libFuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use bitcoin::hex::DisplayHex;
use tapcourt_tests::fuzzing::{TARGETS, Target, inputs, seeds};
use tapcourt_tests::scale::scaled;

/// Runs a target on an input, and says which one it was if that fails.
fn run(target: &Target, input: &[u8], name: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        println!("{} fails on {name}: {}", target.name, input.as_hex());
        resume_unwind(panic);
    }
}

fn smoke(name: &str, count: usize) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.expect("it is a target");
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    for (path, seed) in &seeds {
        run(target, seed, &path.display().to_string());
    }
    let count = scaled(count);
    for (index, input) in inputs(target, 1).take(count).enumerate() {
        run(target, &input, &format!("input {index}"));
    }
    println!(
        "covered: {} seeds of fuzz targets, {count} random inputs of {name}",
        seeds.len()
    );
}

#[test]
fn interpreter_and_core_agree() {
    smoke("interpreter_vs_core", 10_000);
}

#[test]
fn gadgets_agree_with_their_references() {
    smoke("gadgets", 12_000);
}

#[test]
fn scripts_survive_text() {
    smoke("script_text", 20_000);
}

#[test]
fn hostile_files_are_refused_or_run_alike() {
    smoke("elf", 3_000);
}

#[test]
fn leaves_of_steps_do_what_their_evaluator_says() {
    smoke("riscv_step", 20_000);
}

#[test]
fn hostile_messages_are_refused_or_encoded_alike() {
    smoke("messages", 50_000);
}

#[test]
fn setups_with_a_changed_message_are_refused() {
    smoke("setup", 3_000);
}

#[test]
fn transcripts_are_made_of_the_contracts_transactions() {
    smoke("transcript", 1_000);
}

#[test]
fn netlists_are_refused_or_survive_text() {
    smoke("netlist", 100_000);
}

#[test]
fn every_target_has_its_binary_and_its_seeds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |directory: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz.join(directory)).expect("it is there");
        let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into());
        entries
            .filter_map(|entry| stem(&entry.expect("directories are readable").path()))
            .collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|t| t.name.to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("seeds"), targets);
}
