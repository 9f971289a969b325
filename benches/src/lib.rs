//! Inputs shared by the benchmarks.
//!
//! `cargo bench -p tapcourt-benches` runs all of them, `cargo bench -p tapcourt-benches --bench compile` one.

use std::path::Path;

use bitcoin::XOnlyPublicKey;
use tapcourt_commitment::{KeyPath, SecretKey, Seed};
use tapcourt_compiler::circuit::{Compiled, Options};
use tapcourt_program::circuit::Circuit;

/// Reads one of the netlists in `circuits/`.
///
/// # Panics
/// If there is no such file.
pub fn netlist(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../circuits")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Parses and compiles one of the netlists in `circuits/`, all outputs free.
///
/// # Panics
/// If there is no such file; our own netlists compile.
pub fn compiled(name: &str) -> Compiled {
    let circuit =
        Circuit::parse(&netlist(name)).expect("our generators write what the parser reads");
    Compiled::new(&circuit, &Options::default()).expect("our own netlists compile")
}

/// Derives the secret keys of all committed groups of a program from a fixed seed.
pub fn secret_keys(compiled: &Compiled) -> Vec<SecretKey> {
    let seed = Seed::new([7; 32]);
    let groups = compiled.committed_groups().iter();
    groups
        .filter_map(|group| {
            let path = KeyPath {
                contract: [8; 32],
                role: "prover",
                label: group.label(),
            };
            Some(SecretKey::derive(&seed, &path, group.parameters()?))
        })
        .collect()
}

/// Some key for the challenger.
///
/// # Panics
/// Never: the bytes are the x coordinate of the generator.
pub fn challenger_key() -> XOnlyPublicKey {
    const GENERATOR: [u8; 32] = [
        0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b,
        0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8,
        0x17, 0x98,
    ];
    XOnlyPublicKey::from_slice(&GENERATOR).expect("the generator is on the curve")
}
