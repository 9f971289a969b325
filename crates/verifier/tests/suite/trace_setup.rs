//! Setups of RISC-V programs.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tapcourt_protocol::Role;
use tapcourt_verifier::{Messages, Part, Program};

use crate::machine::{SUM, court, program};
use crate::parties::Parties;
use crate::setup::reframe;

/// Changed bytes in each message.
const CHANGES: usize = 4;

#[test]
fn an_honest_setup_is_accepted_with_and_without_the_answers() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    assert_eq!(contract.graph().id(), parties.graph.id());
    assert_eq!(contract.presigned(), &parties.presigned);
    let report = contract.report();
    println!("{report}");
    let layout = parties.program.layout();
    assert_eq!(report.groups, parties.program.groups().len());
    assert_eq!(
        (report.dispute_transactions, report.opening_transactions),
        (layout.dispute.len(), layout.opening.len())
    );
    assert!(report.opening_transactions > 0);
    let finished = Messages {
        partials: None,
        ..parties.messages()
    };
    assert!(parties.program.verify_setup(&finished).is_ok());
}

#[test]
fn every_group_has_an_owner_and_a_label_of_its_own() {
    let parties = Parties::trace(SUM);
    let groups = parties.program.groups();
    for role in [Role::Prover, Role::Challenger] {
        let labels: Vec<&str> = parties
            .program
            .groups_of(role)
            .map(|(_, group)| group.label.as_str())
            .collect();
        let distinct: std::collections::BTreeSet<&str> = labels.iter().copied().collect();
        assert_eq!(labels.len(), distinct.len());
        assert!(!labels.is_empty());
    }
    let owners = parties.program.layout().owners(groups.len());
    let said: Vec<Role> = groups.iter().map(|group| group.owner).collect();
    assert_eq!(owners, said);
}

#[test]
fn a_changed_byte_in_any_message_is_refused_in_its_name() {
    let parties = Parties::trace(SUM);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut mutations = 0;
    for (part, original) in parties.parts() {
        for _ in 0..CHANGES {
            let mut bytes = original.to_vec();
            let place = rng.gen_range(0..bytes.len());
            bytes[place] ^= rng.gen_range(1..=255u8);
            let changed = parties.replaced(part, &bytes);
            let fault = parties.program.verify_setup(&changed).unwrap_err();
            assert_eq!(fault.part, part, "byte {place}: {fault}");
            mutations += 1;
        }
        for length in [43, original.len() / 2] {
            let cut = parties.replaced(part, &original[..length]);
            let fault = parties.program.verify_setup(&cut).unwrap_err();
            assert_eq!(fault.part, part, "cut to {length}: {fault}");
            mutations += 1;
        }
    }
    println!("covered: {mutations} changed bytes of a setup");
}

#[test]
fn a_changed_byte_with_a_right_digest_is_refused_all_the_same() {
    let parties = Parties::trace(SUM);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut by_part = BTreeMap::<String, usize>::new();
    for (part, original) in parties.parts() {
        for _ in 0..CHANGES {
            let mut bytes = original.to_vec();
            let place = rng.gen_range(0..bytes.len() - 32);
            bytes[place] ^= 1 << rng.gen_range(0..8);
            reframe(&mut bytes);
            let changed = parties.replaced(part, &bytes);
            let fault = parties.program.verify_setup(&changed).unwrap_err();
            let what = format!("{part} changed, refused: {}", fault.part);
            *by_part.entry(what).or_default() += 1;
        }
    }
    println!("{by_part:?}");
}

#[test]
fn messages_of_another_contract_are_refused_in_their_name() {
    let (parties, other) = (Parties::trace(SUM), Parties::trace(SUM + 1));
    for ((part, _), (_, foreign)) in parties.parts().into_iter().zip(other.parts()) {
        let changed = parties.replaced(part, foreign);
        let fault = parties.program.verify_setup(&changed).unwrap_err();
        let expected = match part {
            Part::Offer => Part::Program,
            part => part,
        };
        assert_eq!(fault.part, expected, "{fault}");
    }
}

#[test]
fn a_setup_about_another_search_is_refused() {
    let parties = Parties::trace(SUM);
    for (steps, path) in [
        (vec![4, 16], vec![6, 6]),
        (vec![8, 9], vec![6, 6]),
        (vec![8, 8], vec![4, 8]),
    ] {
        let program = Program::trace(court(program(SUM), steps, path)).unwrap();
        let fault = program.verify_setup(&parties.messages()).unwrap_err();
        assert_eq!(fault.part, Part::Program, "{fault}");
    }
}
