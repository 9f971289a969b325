//! Tests of the stages: what is recovered, that it computes the same, and what is refused.

use tapcourt_program::circuit::Circuit;
use tapcourt_program::circuit::library;

use crate::circuit::adders::{Carry, find_columns};
use crate::circuit::cells::{Cells, Operation};
use crate::circuit::network::Network;
use crate::circuit::schedule::Body;
use crate::circuit::{CompileError, Compiled, Options, Role};

/// A small generator of test inputs: xorshift64*.
fn bits(seed: u64, count: usize) -> Vec<bool> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 63 == 1
        })
        .collect()
}

fn outputs_by_cells(network: &Network, cells: &Cells, input: &[bool]) -> Vec<bool> {
    let mut values = vec![0u32; cells.values()];
    for (&node, &bit) in network.inputs.iter().zip(input) {
        values[node as usize] = bit as u32;
    }
    for cell in &cells.cells {
        for (value, result) in cell.evaluate(|v| values[v as usize]).into_iter().flatten() {
            values[value as usize] = result;
        }
    }
    network
        .outputs
        .iter()
        .map(|l| l.apply(values[l.node() as usize] == 1))
        .collect()
}

fn own_circuits() -> Vec<(&'static str, Circuit)> {
    vec![
        ("adder", library::adder(24)),
        ("comparator", library::comparator(24)),
        ("multiplier", library::multiplier(12)),
        ("sha256", library::sha256_compression()),
        ("aes128", library::aes128()),
    ]
}

#[test]
fn cells_compute_what_the_circuit_does() {
    let mut checked = 0;
    for (name, circuit) in own_circuits() {
        let network = Network::from_circuit(&circuit);
        for merge in [false, true] {
            let cells = Cells::new(&network, merge);
            for seed in 1..=4 {
                let input = bits(seed, circuit.input_bits());
                let expected = circuit
                    .evaluate(&input)
                    .expect("the input has the right length");
                assert_eq!(
                    outputs_by_cells(&network, &cells, &input),
                    expected,
                    "{name} {merge}"
                );
                checked += 1;
            }
        }
    }
    println!("covered: {checked} evaluations of cells");
}

#[test]
fn a_ripple_adder_becomes_one_sum_a_column() {
    let network = Network::from_circuit(&library::adder(64));
    let cells = Cells::new(&network, true);
    let targets: Vec<u32> = network.outputs.iter().map(|l| l.node()).collect();
    let body = Body::cone(&cells, &targets, |_| false);
    let sums = body
        .cells
        .iter()
        .filter(|&&id| matches!(cells.cells[id as usize].operation, Operation::Sum { .. }))
        .count();
    // The lowest column has no carry in: it stays two gates if its carry is no operand of an adder.
    assert!(sums >= 62, "{sums} sums in 64 columns");
    assert!(body.cells.len() <= 66, "{} operations", body.cells.len());
}

#[test]
fn the_additions_of_sha256_merge_to_numbers() {
    let network = Network::from_circuit(&library::sha256_compression());
    let merged = find_columns(&network, true);
    let single = find_columns(&network, false);
    let numbers = merged
        .columns
        .iter()
        .filter(|c| matches!(c.carry, Carry::Into(_)))
        .count();
    println!(
        "{} adders become {} columns, {numbers} of them with a number for a carry; {} majorities",
        single.columns.len(),
        merged.columns.len(),
        merged.majorities.len()
    );
    assert!(merged.columns.len() * 2 < single.columns.len());
    assert!(numbers > 4_000);
    assert!(merged.majorities.len() >= 64 * 30);
}

#[test]
fn a_true_claim_makes_no_leaf_spendable_and_every_flipped_check_makes_one() {
    let circuit = library::multiplier(16);
    let compiled = Compiled::new(&circuit, &Options::default()).expect("a multiplier compiles");
    let mut lies = 0;
    for seed in 1..=5 {
        let input = bits(seed, circuit.input_bits());
        let honest = compiled
            .values(&input)
            .expect("the input has the right length");
        assert_eq!(compiled.published_input(&honest), input);
        assert!(compiled.spendable_leaves(&honest).is_empty());
        for (index, group) in compiled.committed_groups().iter().enumerate() {
            for bit in 0..group.bits() {
                let mut published = honest.clone();
                published[index][bit] ^= true;
                let fault = compiled.find_fault(&published);
                if group.role() != Role::Input {
                    assert!(fault.is_some(), "{} bit {bit}", group.label());
                }
                lies += 1;
            }
        }
    }
    println!(
        "covered: {lies} flipped checks; over {} leaves",
        compiled.leaves().len()
    );
}

#[test]
fn compilation_is_deterministic() {
    let circuit = library::multiplier(20);
    let bodies = || {
        let compiled = Compiled::new(&circuit, &Options::default()).expect("compiles");
        let leaves = compiled.leaves().iter();
        leaves
            .map(|l| (l.name().to_owned(), l.body().to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(bodies(), bodies());
}

#[test]
fn wrong_patterns_and_inputs_are_refused_by_name() {
    let circuit = library::comparator(8);
    let with = |accept: Vec<Option<bool>>| Compiled::new(&circuit, &Options { accept });
    assert_eq!(
        with(vec![Some(true); 2]).map(|_| ()),
        Err(CompileError::AcceptLength {
            given: 2,
            outputs: circuit.output_bits()
        })
    );
    let compiled = with(vec![]).expect("compiles");
    assert_eq!(
        compiled.values(&[true; 3]).map(|_| ()),
        Err(CompileError::InputLength {
            given: 3,
            inputs: 16
        })
    );
}
