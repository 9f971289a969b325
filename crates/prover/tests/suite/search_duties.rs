//! Deadlines of a dispute over a trace, and the keys of both parties.

use std::collections::BTreeMap;

use tapcourt_compiler::riscv::PathAccess;
use tapcourt_protocol::{Move, Publication, Role, Stage, TransactionKind as Kind};
use tapcourt_prover::trace::TraceDispute;
use tapcourt_prover::{EngineError, Event, FeeSource, Needs, ReleaseError};

use crate::game::{Game, one_time_keys};
use crate::liars::FalseStep;
use crate::machine::{INPUT, SUM};
use crate::parties::{DELTA_BLOCKS, EXPIRY_BLOCKS, Parties};
use crate::search::MUL_STEP;

#[test]
fn every_move_has_the_deadline_of_its_rival() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let liar = FalseStep::reads(court, &INPUT, MUL_STEP, PathAccess::A).unwrap();
    let claim = truth.claim(&INPUT);
    let mut game = Game::new(&parties, &contract, [&liar, &truth], Some(claim));
    let mut seen: BTreeMap<Kind, Role> = BTreeMap::new();
    while !game.is_settled() {
        let tip = game.world.tip();
        let duties = game.duties(|_, _| true);
        let [(role, duty, transaction)] = duties.as_slice() else {
            panic!("one party moves, not {}", duties.len())
        };
        assert_eq!(Some(*role), duty.kind.mover(), "{duty}");
        assert_eq!(duty.rival, duty.kind.timeout());
        // Every move is made in the block after the one that calls for it.
        let delay = match duty.kind {
            Kind::Kickoff(0) => EXPIRY_BLOCKS,
            _ => DELTA_BLOCKS,
        };
        assert_eq!(duty.deadline, Some(tip + u32::from(delay) - 1), "{duty}");
        assert_eq!(duty.blocks_left(tip), Some(u32::from(delay) - 1));
        let is_disprove = matches!(duty.kind, Kind::Disprove(_));
        assert_eq!(duty.fee == FeeSource::Own, is_disprove);
        assert_eq!(matches!(duty.needs, Needs::Leaf { .. }), is_disprove);
        // The other party wakes up when the mover is late.
        let other = usize::from(*role == Role::Prover);
        let waits = game.outlooks[other].as_ref().unwrap();
        assert!(waits.duties.is_empty());
        assert_eq!(waits.wake, duty.deadline, "{duty}");
        seen.insert(duty.kind, *role);
        let block = vec![transaction.clone()];
        game.connect(block);
    }
    let layout = &parties.graph.terms().layout;
    let mut expected: Vec<Kind> = layout.all_kinds().map(|(kind, _)| kind).collect();
    expected.extend([Kind::Challenge, Kind::Disprove(Stage::Opening)]);
    expected.sort();
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), expected);
}

/// Ten nodes take two transactions, and the choice that they depend on is repeated in the second: the games are played over that.
#[test]
fn a_turn_repeats_a_choice_after_what_depends_on_it() {
    let parties = Parties::trace(SUM);
    let opening = &parties.graph.terms().layout.opening;
    let repeats = |step: &Move| {
        step.publications()
            .any(|publication| matches!(publication, Publication::Agreement { .. }))
    };
    assert_eq!(
        [&opening[1], &opening[2]].map(|step| (step.mover, repeats(step))),
        [(Role::Prover, false), (Role::Prover, true)]
    );
}

#[test]
fn the_offer_and_the_acceptance_hold_the_keys_that_each_party_derives() {
    let parties = Parties::trace(SUM);
    let all = &parties.graph.terms().one_time_keys;
    for role in [Role::Prover, Role::Challenger] {
        let groups = parties.program.groups_of(role);
        let expected: Vec<_> = groups.map(|(number, _)| all[number].clone()).collect();
        assert_eq!(one_time_keys(&parties, role).public_keys(), expected);
    }
}

#[test]
fn a_party_opens_no_group_of_the_other_one() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let truth = TraceDispute::new(parties.court());
    let game = Game::new(&parties, &contract, [&truth, &truth], None);
    let mut refused = 0;
    for player in [&game.prover, &game.challenger] {
        let role = player.engine.role();
        for (number, group) in parties.program.groups_of(role.other()) {
            let value = vec![false; group.shape.message_bits()];
            let values = BTreeMap::from([(number, value)]);
            let result = player.keys.release(player.store(), &values);
            assert!(matches!(result, Err(ReleaseError::NotOwned { group, .. }) if group == number));
            refused += 1;
        }
    }
    assert_eq!(refused, parties.program.groups().len());
}

#[test]
fn a_claim_without_its_input_is_refused() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let truth = TraceDispute::new(parties.court());
    let game = Game::new(&parties, &contract, [&truth, &truth], None);
    let event = Event::Claim {
        values: BTreeMap::new(),
    };
    let error = game
        .prover
        .engine
        .step(&game.prover.state, &event)
        .unwrap_err();
    assert!(matches!(error, EngineError::NotAClaim(_)), "{error}");
}
