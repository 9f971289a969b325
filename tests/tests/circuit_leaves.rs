//! Leaves of whole netlists: with an honest prover no leaf is spendable; with any committed bit flipped, one is.
//!
//! Every spend is a whole taproot input with the challenger's signature, run in the interpreter under relay policy and in Bitcoin
//! Core's code. A leaf that cannot be spent must fail at its end (a leaf that fails early proves nothing about a claim).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tapcourt_compiler::circuit::Options;
use tapcourt_tests::netlists::{Netlist, own, third_party};
use tapcourt_tests::scale::scaled;
use tapcourt_tests::soundness::{Effort, Subject, Tally};
use tapcourt_tests::trial::Trial;

fn examine(netlist: &Netlist, effort: Effort) -> Tally {
    let trial = Trial::new(&netlist.circuit, &Options::default(), 7)
        .unwrap_or_else(|error| panic!("{}: {error}", netlist.name));
    for (input, output) in &netlist.vectors {
        let actual = trial
            .compiled
            .output(input)
            .expect("a vector has every input");
        assert_eq!(&actual, output, "{}: known answer", netlist.name);
    }
    let subject = Subject {
        name: &netlist.name,
        circuit: &netlist.circuit,
        accept: &[],
        trial: &trial,
    };
    let known: Vec<Vec<bool>> = netlist
        .vectors
        .iter()
        .take(1)
        .map(|v| v.0.clone())
        .collect();
    let tally = subject.examine(&known, effort, &mut ChaCha8Rng::seed_from_u64(2));
    println!(
        "{}: {} known answers, {tally}",
        netlist.name,
        netlist.vectors.len()
    );
    let of = match netlist.name.strip_prefix("circuits/") {
        Some(_) => "of our netlists",
        None => "of third-party netlists",
    };
    tally.cover(of);
    tally
}

fn read(name: &str) -> Option<Netlist> {
    match name.strip_prefix("circuits/") {
        Some(file) => Some(own(file)),
        None => third_party(name),
    }
}

/// Every bit flipped, and every leaf run for every lie.
fn small(name: &str) {
    let Some(netlist) = read(name) else { return };
    let effort = Effort {
        assignments: scaled(1),
        flips: usize::MAX,
        lies: scaled(40),
        idle_leaves: usize::MAX,
    };
    examine(&netlist, effort);
}

/// Some bits flipped, and some other leaves run for every lie.
fn large(name: &str) {
    let Some(netlist) = read(name) else { return };
    let effort = Effort {
        assignments: scaled(1),
        flips: scaled(40),
        lies: scaled(10),
        idle_leaves: 2,
    };
    examine(&netlist, effort);
}

macro_rules! netlists {
    ($examine:ident: $($test:ident = $file:literal)*) => {
        $(
            #[test]
            fn $test() {
                $examine($file);
            }
        )*
    };
}

netlists! { small:
    adder64 = "bristol-fashion/adder64.txt"
    sub64 = "bristol-fashion/sub64.txt"
    neg64 = "bristol-fashion/neg64.txt"
    zero_equal = "bristol-fashion/zero_equal.txt"
    old_adder_32bit = "bristol-old/adder_32bit.txt"
    motion_int_add32_depth = "motion/int_add32_depth.bristol"
    motion_int_add8_size = "motion/int_add8_size.bristol"
    motion_int_div8_size = "motion/int_div8_size.bristol"
    motion_int_gt8_size = "motion/int_gt8_size.bristol"
    motion_int_mul16_size = "motion/int_mul16_size.bristol"
    motion_int_mul8_depth = "motion/int_mul8_depth.bristol"
    own_adder64 = "circuits/adder64.txt"
    own_compare64 = "circuits/compare64.txt"
}

netlists! { large:
    mult64 = "bristol-fashion/mult64.txt"
    udivide64 = "bristol-fashion/udivide64.txt"
    aes_128 = "bristol-fashion/aes_128.txt"
    sha256 = "bristol-fashion/sha256.txt"
    old_sha_256 = "bristol-old/sha-256.txt"
    own_multiply32 = "circuits/multiply32.txt"
    own_aes128 = "circuits/aes128.txt"
    own_keccak_f1600 = "circuits/keccak_f1600.txt"
    own_sha256 = "circuits/sha256.txt"
    own_sha256_preimage = "circuits/sha256_preimage.txt"
}
