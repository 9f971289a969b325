//! Third-party netlists evaluate to their known answers.
//!
//! The netlists are not part of this project. They are looked for in the folder that `TAPCOURT_SHARED_CIRCUITS` names,
//! or in `../shared/circuits` beside the project's root; where there is none, the test says so and passes.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;
use tapcourt_program::circuit::library::{aes128, sha256_compression};
use tapcourt_program::circuit::{Circuit, format_bits, parse_bits};

/// Known answers of a netlist: assignments and outputs in wire order.
struct Vector {
    note: String,
    inputs: Vec<bool>,
    outputs: String,
}

fn folder() -> Option<PathBuf> {
    let folder = match env::var_os("TAPCOURT_SHARED_CIRCUITS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/circuits"),
    };
    let found = folder.join("vectors.json").is_file();
    if !found {
        println!("skipped: no third-party netlists in {}", folder.display());
    }
    found.then_some(folder)
}

fn vectors(folder: &Path) -> Vec<(String, Vec<Vector>)> {
    let text = fs::read_to_string(folder.join("vectors.json")).expect("the file was found");
    let all: Value = serde_json::from_str(&text).expect("vectors.json is JSON");
    let string = |value: &Value| {
        value
            .as_str()
            .expect("a vector's fields are strings")
            .to_owned()
    };
    let vector = |value: &Value| Vector {
        note: string(&value["note"]),
        inputs: parse_bits(&string(&value["inputs"])).expect("inputs are bits"),
        outputs: string(&value["outputs"]),
    };
    let files = all.as_object().expect("vectors.json is an object").iter();
    files
        .map(|(file, list)| {
            let list = list.as_array().expect("each file has a list of vectors");
            (file.clone(), list.iter().map(vector).collect())
        })
        .collect()
}

fn check(circuit: &Circuit, name: &str, vectors: &[Vector]) {
    let mut lanes = vec![0; circuit.input_bits()];
    for (lane, vector) in vectors.iter().enumerate() {
        let outputs = circuit
            .evaluate(&vector.inputs)
            .expect("the vector has the inputs' length");
        assert_eq!(
            format_bits(&outputs),
            vector.outputs,
            "{name}: {}",
            vector.note
        );
        for (word, &bit) in lanes.iter_mut().zip(&vector.inputs) {
            *word |= u64::from(bit) << lane;
        }
    }
    let outputs = circuit
        .evaluate64(&lanes)
        .expect("as many words as input bits");
    for (lane, vector) in vectors.iter().enumerate() {
        let bits: Vec<bool> = outputs.iter().map(|word| word >> lane & 1 == 1).collect();
        assert_eq!(
            format_bits(&bits),
            vector.outputs,
            "{name}, lane {lane}: {}",
            vector.note
        );
    }
}

#[test]
fn third_party_netlists_evaluate_to_their_vectors() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    let all = vectors(&folder);
    for (file, vectors) in &all {
        let bytes = fs::read(folder.join(file)).expect("a file with vectors is there");
        let circuit = Circuit::parse(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
        check(&circuit, file, vectors);
        count += vectors.len();

        let again = Circuit::parse(circuit.to_bristol().as_bytes());
        assert_eq!(
            again.as_ref(),
            Ok(&circuit),
            "{file}: written and read again"
        );
        let Circuit {
            inputs,
            outputs,
            wires,
            gates,
            ..
        } = circuit.clone();
        assert_eq!(
            Circuit::new(inputs, outputs, wires, gates),
            Ok(circuit),
            "{file}: made of parts"
        );
    }
    println!(
        "covered: {} third-party netlists, {count} vectors of third-party netlists; singly and 64 at once",
        all.len()
    );
    assert!(!all.is_empty());
}

#[test]
fn generated_circuits_number_their_wires_as_third_party_netlists_do() {
    let Some(folder) = folder() else { return };
    for (file, circuit) in [
        ("bristol-fashion/aes_128.txt", aes128()),
        ("bristol-fashion/sha256.txt", sha256_compression()),
    ] {
        let all = vectors(&folder);
        let (_, vectors) = all
            .iter()
            .find(|(name, _)| name == file)
            .expect("the file has vectors");
        check(&circuit, file, vectors);
        println!("{} vectors of {file} hold for ours", vectors.len());
    }
}

#[test]
fn every_prefix_of_a_third_party_netlist_is_refused() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for file in ["bristol-fashion/neg64.txt", "motion/int_div8_size.bristol"] {
        let bytes = fs::read(folder.join(file)).expect("the file is there");
        let end = bytes.trim_ascii_end().len();
        for length in 0..end {
            assert!(
                Circuit::parse(&bytes[..length]).is_err(),
                "{file}: first {length} bytes"
            );
        }
        assert!(
            Circuit::parse(&bytes[..end]).is_ok(),
            "{file}: without its last line end"
        );
        count += end;
    }
    println!("covered: {count} prefixes of third-party netlists");
}
