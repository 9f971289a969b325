//! The committed vectors are those that the generator makes, and the guests written in Rust agree with them natively.

use std::fs;
use std::path::Path;

use tapcourt_guest::host::{self, Outcome};
use tapcourt_guest_vectors::{End, guests};

#[test]
fn committed_vectors_are_up_to_date() {
    for guest in guests() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(guest.name)
            .with_extension("json");
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == guest.to_json(),
            "{}: run cargo run -p tapcourt-guest-vectors",
            path.display()
        );
    }
}

#[test]
fn guests_agree_natively() {
    for guest in guests() {
        for vector in guest.vectors {
            let outcome = match guest.name {
                "groth16" => host::run(&vector.input, groth16::main),
                "light_client" => host::run(&vector.input, tapcourt_guests::light_client::main),
                "merkle_proof" => host::run(&vector.input, tapcourt_guests::merkle_proof::main),
                "schnorr" => host::run(&vector.input, tapcourt_guests::schnorr::main),
                "sha256_preimage" => {
                    host::run(&vector.input, tapcourt_guests::sha256_preimage::main)
                }
                // A missing argument would end the run from inside the interpreter, which cannot be
                // unwound.
                "wasm" if vector.name == "argument_missing" => continue,
                "wasm" => host::run(&vector.input, wasm::main),
                _ => continue,
            };
            let expected = match vector.end {
                End::Exit(code) => Outcome::Exit(code),
                End::NoInput | End::BeyondMemory => Outcome::Stopped,
            };
            assert_eq!(outcome, expected, "{}: {}", guest.name, vector.name);
        }
    }
}

#[test]
fn each_guest_has_vectors_of_both_kinds() {
    for guest in guests() {
        let accepted = guest
            .vectors
            .iter()
            .filter(|vector| vector.end == End::Exit(0))
            .count();
        assert!(
            accepted >= 1 && guest.vectors.len() - accepted >= 2,
            "{}",
            guest.name
        );
    }
}
