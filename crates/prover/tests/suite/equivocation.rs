//! Parties that sign two values with one key, the second in a block that replaces the first one's.

use tapcourt_compiler::riscv::{Group, Party};
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::trace::TraceDispute;
use tapcourt_prover::{Phase, Values};

use crate::game::{Game, Player};
use crate::liars::Anyway;
use crate::machine::{INPUT, SUM};
use crate::parties::{Parties, flip};

/// All values that the chain shows to a party.
fn shown(player: &Player<'_>) -> Values {
    let published = player.engine.published(&player.state).unwrap();
    published
        .into_iter()
        .map(|published| (published.group, published.value))
        .collect()
}

fn advance_to(game: &mut Game<'_>, kind: Kind) {
    while game.height_of(kind).is_none() {
        game.advance(|_, _| true);
    }
}

/// Replaces the last block by one with the same move, which publishes something else in a group.
fn replace(game: &mut Game<'_>, parties: &Parties, kind: Kind, group: usize) {
    let mut values = shown(&game.prover);
    flip(&mut values, group, 0);
    let other = parties.finish(kind, &values);
    let [first] = &game.disconnect(1)[..] else {
        panic!("one move a block")
    };
    assert_eq!(first.compute_txid(), other.compute_txid());
    assert_ne!(first, &other);
    assert!(game.world.accepts(game.contract, &other));
    game.connect(vec![other]);
}

#[test]
fn a_second_selection_does_not_stop_the_prover() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let challenger = Anyway::new(court, 3, Some(3));
    let replaced = [
        (Kind::Select(Stage::Dispute, 0), Group::Selection(0)),
        (Kind::Select(Stage::Dispute, 1), Group::Selection(1)),
        (Kind::OPEN, Group::Access),
        (Kind::Select(Stage::Opening, 1), Group::PathSelection(0)),
    ];
    for (kind, group) in replaced {
        let claim = truth.claim(&INPUT);
        let mut game = Game::new(&parties, &contract, [&truth, &challenger], Some(claim));
        advance_to(&mut game, kind);
        // The prover has answered, but that is not yet confirmed.
        let answers = game.duties(|_, _| true);
        let group = court.number(Party::Challenger, group).unwrap();
        replace(&mut game, &parties, kind, group);
        assert_eq!(game.duties(|_, _| true), answers);
        let report = game.play(|_, _| true);
        assert_eq!(
            (report.settled_by, report.winner, report.is_just()),
            (
                Some(Kind::PayoutDisputed(Stage::Opening)),
                Some(Role::Prover),
                true
            ),
            "{report}"
        );
    }
}

#[test]
fn a_second_digest_does_not_stop_the_challenger() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    for round in 0..2 {
        let claim = truth.claim(&INPUT);
        let mut game = Game::new(&parties, &contract, [&truth, &truth], Some(claim));
        let kind = Kind::Assert(Stage::Dispute, round);
        advance_to(&mut game, kind);
        let answers = game.duties(|_, _| true);
        let round = round as u32; // cast ok: few
        let group = Group::Digest { round, index: 2 };
        let group = court.number(Party::Prover, group).unwrap();
        replace(&mut game, &parties, kind, group);
        assert_eq!(game.duties(|_, _| true), answers);
        let report = game.play(|_, _| true);
        assert_eq!(
            (report.settled_by, report.is_just()),
            (Some(Kind::Disprove(Stage::Dispute)), true),
            "{report}"
        );
    }
}

#[test]
fn a_claim_that_becomes_false_in_a_reorganisation_is_challenged() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let claim = truth.claim(&INPUT);
    let group = court.claim()[0];
    let mut game = Game::new(&parties, &contract, [&truth, &truth], Some(claim));
    advance_to(&mut game, Kind::Kickoff(0));
    let challenger = game.outlooks[1].clone().unwrap();
    assert_eq!(challenger.phase, Phase::Claimed);
    assert!(challenger.duties.is_empty());
    replace(&mut game, &parties, Kind::Kickoff(0), group);
    let [duty] = &game.outlooks[1].as_ref().unwrap().duties[..] else {
        panic!("the claim is false")
    };
    assert_eq!(duty.kind, Kind::Challenge);
    // Its first word cannot be brought back once the second is challenged.
    let first = game.prover.state.confirmed().to_vec();
    game.connect(vec![game.challenger.finish(duty).unwrap()]);
    let second = shown(&game.challenger);
    let dropped = game.disconnect(2);
    let mut values = second.clone();
    flip(&mut values, group, 0);
    game.connect(vec![parties.finish(Kind::Kickoff(0), &values)]);
    game.connect(vec![dropped[1].clone()]);
    assert_eq!(shown(&game.challenger), second);
    assert_ne!(game.prover.state.confirmed(), first);
}

#[test]
fn a_challenge_on_its_way_is_not_turned_against_the_challenger() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let mut other = INPUT;
    other[1] ^= 1;
    let [claim, false_claim] = [INPUT, other].map(|input| truth.claim(&input));
    let group = court.claim()[0];
    // The prover claims what is false, and once the challenge is out replaces it by what is true. Its store knows of the latter only.
    let mut game = Game::new(&parties, &contract, [&truth, &truth], Some(claim.clone()));
    advance_to(&mut game, Kind::Contract);
    game.connect(vec![parties.finish(Kind::Kickoff(0), &false_claim)]);
    let [duty] = &game.outlooks[1].clone().unwrap().duties[..] else {
        panic!("the claim is false")
    };
    let challenge = game.challenger.finish(duty).unwrap();
    game.disconnect(1);
    game.connect(vec![
        parties.finish(Kind::Kickoff(0), &claim),
        challenge.clone(),
    ]);
    assert_ne!(shown(&game.challenger)[&group], claim[&group]);
    // The prover goes on with the truth of its second claim, as the chain shows it.
    assert_eq!(shown(&game.prover)[&group], claim[&group]);
    let report = game.play(|_, _| true);
    assert_eq!(report.winner, Some(Role::Challenger), "{report}");
    let leaf = report.fired.unwrap();
    assert!(leaf.name.starts_with("input"), "{}", leaf.name);
}
