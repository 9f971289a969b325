//! Setups of circuits.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use tapcourt_compiler::circuit::Options;
use tapcourt_program::circuit::Circuit;
use tapcourt_verifier::{Messages, Part, Program};

use crate::circuits::{adder_source, compare_source, multiplier_source, netlist};
use crate::parties::{Parties, parameters};

#[test]
fn honest_setups_are_accepted_with_and_without_the_answers() {
    let sources = [adder_source(), compare_source(), multiplier_source()];
    for (netlist, options) in sources {
        let parties = Parties::of_circuit((netlist.clone(), options.clone()), parameters());
        let program = Program::read(&netlist, &options).unwrap();
        let contract = program.verify_setup(&parties.messages()).unwrap();
        assert_eq!(contract.graph().id(), parties.graph.id());
        assert_eq!(contract.presigned(), &parties.presigned);
        println!("{}\n", contract.report());
        let finished = Messages {
            partials: None,
            ..parties.messages()
        };
        assert!(program.verify_setup(&finished).is_ok());
    }
}

#[test]
fn a_changed_byte_in_any_message_is_refused_in_its_name() {
    let parties = Parties::compare();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut mutations = 0;
    for (part, original) in parties.parts() {
        for _ in 0..100 {
            let mut bytes = original.to_vec();
            let place = rng.gen_range(0..bytes.len());
            bytes[place] ^= rng.gen_range(1..=255u8);
            let fault = parties
                .program
                .verify_setup(&parties.replaced(part, &bytes))
                .unwrap_err();
            assert_eq!(fault.part, part, "byte {place}: {fault}");
            mutations += 1;
        }
        for length in [0, 1, 42, 43, 74, 75, original.len() / 2, original.len() - 1] {
            let fault = parties
                .program
                .verify_setup(&parties.replaced(part, &original[..length]))
                .unwrap_err();
            assert_eq!(fault.part, part, "cut to {length}: {fault}");
            mutations += 1;
        }
    }
    println!("covered: {mutations} changed bytes of a setup");
}

/// Puts a right digest at the end of a changed message, as a malicious sender would.
pub(crate) fn reframe(bytes: &mut [u8]) {
    let tag = Sha256::digest(b"tapcourt/message/1");
    let end = bytes.len() - 32;
    let digest = Sha256::new()
        .chain_update(tag)
        .chain_update(tag)
        .chain_update(&bytes[..end])
        .finalize();
    bytes[end..].copy_from_slice(&digest);
}

#[test]
fn a_changed_byte_with_a_right_digest_is_refused_all_the_same() {
    let parties = Parties::compare();
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut by_part = std::collections::BTreeMap::<String, usize>::new();
    for (part, original) in parties.parts() {
        for _ in 0..60 {
            let mut bytes = original.to_vec();
            let place = rng.gen_range(0..bytes.len() - 32);
            bytes[place] ^= 1 << rng.gen_range(0..8);
            reframe(&mut bytes);
            let fault = parties
                .program
                .verify_setup(&parties.replaced(part, &bytes))
                .unwrap_err();
            *by_part
                .entry(format!("{part} changed, refused: {}", fault.part))
                .or_default() += 1;
        }
    }
    for (what, count) in by_part {
        println!("{count:3} {what}");
    }
}

#[test]
fn random_bytes_do_not_make_the_verifier_panic() {
    let parties = Parties::compare();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut tried = 0;
    for (part, original) in parties.parts() {
        for _ in 0..100 {
            // A right header, a random body of random length, a right digest.
            let mut bytes = original[..43].to_vec();
            bytes.extend(
                (0..rng.gen_range(0..400)).map(|_| if rng.r#gen() { rng.r#gen::<u8>() } else { 0 }),
            );
            bytes.extend([0; 32]);
            reframe(&mut bytes);
            assert!(
                parties
                    .program
                    .verify_setup(&parties.replaced(part, &bytes))
                    .is_err()
            );
            tried += 1;
        }
    }
    println!("covered: {tried} random messages");
}

#[test]
fn a_changed_netlist_is_another_program_or_the_same_circuit() {
    let (netlist, options) = compare_source();
    let parties = Parties::compare();
    let original = Circuit::parse(&netlist).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let (mut refused, mut unparsable, mut same) = (0, 0, 0);
    for _ in 0..60 {
        let mut bytes = netlist.clone();
        let place = rng.gen_range(0..bytes.len());
        // Digits become digits, so that many of the changed files still parse.
        bytes[place] = match bytes[place] {
            digit @ b'0'..=b'9' => b'0' + (digit - b'0' + rng.gen_range(1..10)) % 10,
            other => other ^ 1 << rng.gen_range(0..8),
        };
        match Program::read(&bytes, &options) {
            Err(fault) => {
                assert_eq!(fault.part, Part::Program);
                unparsable += 1;
            }
            Ok(program) if Circuit::parse(&bytes).unwrap() == original => {
                assert!(program.verify_setup(&parties.messages()).is_ok());
                same += 1;
            }
            Ok(program) => {
                assert_eq!(
                    program.verify_setup(&parties.messages()).unwrap_err().part,
                    Part::Program
                );
                refused += 1;
            }
        }
    }
    println!(
        "covered: {} changed netlists; {unparsable} do not parse or compile, {refused} are other programs, {same} the same circuit",
        unparsable + refused + same
    );
    assert!(refused > 5 && unparsable > 5);
}

#[test]
fn a_setup_about_other_accepted_outputs_is_refused() {
    let parties = Parties::compare();
    for accept in [vec![Some(false)], vec![]] {
        let program = Program::read(&netlist("compare64.txt"), &Options { accept }).unwrap();
        assert_eq!(
            program.verify_setup(&parties.messages()).unwrap_err().part,
            Part::Program
        );
    }
}

#[test]
fn messages_of_another_contract_are_refused_in_their_name() {
    let (parties, other) = (Parties::compare(), Parties::adder());
    for ((part, _), (_, foreign)) in parties.parts().into_iter().zip(other.parts()) {
        let fault = parties
            .program
            .verify_setup(&parties.replaced(part, foreign))
            .unwrap_err();
        let expected = if part == Part::Offer {
            Part::Program
        } else {
            part
        };
        assert_eq!(fault.part, expected, "{fault}");
        println!("{fault}");
    }
}
