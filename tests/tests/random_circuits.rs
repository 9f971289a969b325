//! Random circuits, made to be hard to compile: their leaves are sound, and compiling is deterministic.

use std::thread;

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_compiler::circuit::{CompileError, Options};
use tapcourt_program::circuit::Op;
use tapcourt_tests::random_circuit::random_circuit;
use tapcourt_tests::scale::scaled;
use tapcourt_tests::soundness::{Effort, Subject, Tally};
use tapcourt_tests::trial::Trial;

/// How many gates a seed gives: every size from a few to some thousands.
fn gates_of(seed: u64) -> usize {
    if seed >= LARGE {
        return 3000;
    }
    [4, 12, 30, 60, 120, 250][(seed % 6) as usize]
}

/// The first seed of large circuits.
const LARGE: u64 = 20_000;

/// Examines the circuits of some seeds, on two threads.
fn examine_all(seeds: std::ops::Range<u64>, accept: bool) -> Tally {
    let examine_some = |first: u64| {
        let mut tally = Tally::default();
        for seed in seeds.clone().skip(first as usize).step_by(2) {
            tally += examine(seed, accept);
        }
        tally
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| examine_some(1));
        let mut tally = examine_some(0);
        tally += other.join().expect("no thread panics");
        tally
    })
}

fn examine(seed: u64, with_accept: bool) -> Tally {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let circuit = random_circuit(seed, gates_of(seed));
    let name = format!("seed {seed}");
    let good: Vec<bool> = (0..circuit.input_bits()).map(|_| rng.r#gen()).collect();
    let mut accept = Vec::new();
    if with_accept {
        // What the contract accepts is met by one input at least.
        let output = circuit.evaluate(&good).expect("as many bits as inputs");
        let share = *[0.1, 0.5, 1.0].choose(rng).expect("three shares");
        accept = output
            .iter()
            .map(|&bit| rng.gen_bool(share).then_some(bit))
            .collect();
    }
    let options = Options {
        accept: accept.clone(),
    };
    let trial =
        Trial::new(&circuit, &options, seed + 1).unwrap_or_else(|error| panic!("{name}: {error}"));
    let subject = Subject {
        name: &name,
        circuit: &circuit,
        accept: &accept,
        trial: &trial,
    };
    let effort = Effort {
        assignments: 2,
        flips: 24,
        lies: 8,
        idle_leaves: 3,
    };
    subject.examine(&[good], effort, rng)
}

#[test]
fn random_circuits_have_sound_leaves() {
    let tally = examine_all(0..scaled(200) as u64, false);
    println!("{tally}");
    tally.cover("of random circuits");
    assert!(tally.tables > 0, "no leaf adds up whole columns");
}

#[test]
fn random_circuits_of_several_chunks_have_sound_leaves() {
    let tally = examine_all(LARGE..LARGE + scaled(10) as u64, false);
    println!("{tally}");
    tally.cover("of random circuits");
    assert!(tally.cut_programs > 0, "no circuit was cut");
}

#[test]
fn random_circuits_with_fixed_outputs_have_sound_leaves() {
    let tally = examine_all(10_000..10_000 + scaled(100) as u64, true);
    println!("{tally}");
    tally.cover("of random circuits");
}

#[test]
fn an_output_that_is_never_accepted_does_not_compile() {
    let mut count = 0;
    for seed in 0..scaled(300) as u64 {
        let circuit = random_circuit(seed, gates_of(seed));
        for wire in 0..circuit.output_bits() {
            let driven = circuit.first_output_wire() + wire as u32; // cast ok: a handful
            let gate = circuit.gates.iter().find(|gate| gate.out == driven);
            let always = match gate.map(|gate| gate.op) {
                Some(Op::Zero) => false,
                Some(Op::One) => true,
                _ => continue,
            };
            let mut accept = vec![None; circuit.output_bits()];
            accept[wire] = Some(!always);
            let error = Trial::new(&circuit, &Options { accept }, 1).err();
            assert_eq!(error, Some(CompileError::NeverAccepted { wire, always }));
            count += 1;
        }
    }
    println!("covered: {count} outputs that the contract excludes");
    assert!(count > 0);
}
