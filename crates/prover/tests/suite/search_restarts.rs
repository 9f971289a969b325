//! A dispute over a trace through restarts, restored stores and reorganisations.

use std::collections::BTreeMap;

use tapcourt_compiler::riscv::PathAccess;
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::trace::TraceDispute;
use tapcourt_prover::{
    Disputable, Duty, Event, Needs, Phase, ReleaseError, Store, StoreError, Values,
};

use crate::game::{Game, Player};
use crate::liars::{Anyway, FalseStep};
use crate::machine::{INPUT, SUM};
use crate::parties::{Parties, flip};
use crate::search::MUL_STEP;

#[test]
fn a_restart_between_any_two_blocks_changes_nothing() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let liar = FalseStep::reads(court, &INPUT, MUL_STEP, PathAccess::B).unwrap();
    let claim = truth.claim(&INPUT);
    let mut game = Game::new(&parties, &contract, [&liar, &truth], Some(claim));
    let mut restarts = 0;
    while !game.is_settled() {
        game.restart();
        // Finished, but not yet confirmed when it stops.
        let before = game.duties(|_, _| true);
        game.restart();
        let again = game.duties(|_, _| true);
        assert_eq!(before, again);
        game.advance(|_, _| true);
        restarts += 2;
    }
    println!("covered: {restarts} restarts of both parties");
    assert_eq!(
        game.judge().settled_by,
        Some(Kind::Disprove(Stage::Opening))
    );
}

/// What a party has published.
fn published_by(player: &Player<'_>, parties: &Parties) -> Values {
    let published = player.engine.published(&player.state).unwrap();
    let groups = parties.program.groups();
    published
        .into_iter()
        .filter(|published| groups[published.group].owner == player.engine.role())
        .map(|published| (published.group, published.value))
        .collect()
}

/// Restores both parties from copies made before the claim, at every move; whatever they have to open, the guard learns first what the chain
/// shows of them.
#[test]
fn an_old_copy_of_a_store_learns_from_the_chain_before_anything_is_opened() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let liar = FalseStep::reads(court, &INPUT, MUL_STEP, PathAccess::A).unwrap();
    let programs: [&dyn Disputable; 2] = [&liar, &truth];
    let claim = truth.claim(&INPUT);
    let mut game = Game::new(&parties, &contract, programs, Some(claim));
    let directory = tempfile::tempdir().unwrap();
    let copy = |role: Role| directory.path().join(role.to_string());
    for player in [&game.prover, &game.challenger] {
        std::fs::copy(player.store().path(), copy(player.engine.role())).unwrap();
    }
    game.advance(|_, _| true);
    let mut restored: BTreeMap<Role, usize> = BTreeMap::new();
    let mut refused = 0;
    while !game.is_settled() {
        for (place, player) in [&game.prover, &game.challenger].into_iter().enumerate() {
            let role = player.engine.role();
            let path = directory.path().join("restored");
            std::fs::copy(copy(role), &path).unwrap();
            let store = Store::open(&path).unwrap();
            let mut again = Player::new(&parties, &contract, role, programs[place], store);
            let outlook = again.see(&Event::Synced {
                tip: game.world.tip(),
                transactions: game.world.confirmed(),
            });
            assert_eq!(Some(&outlook), game.outlooks[place].as_ref());
            let published = published_by(&again, &parties);
            for duty in &outlook.duties {
                if !matches!(duty.needs, Needs::Openings(_)) {
                    continue;
                }
                assert_eq!(again.finish(duty).unwrap(), player.finish(duty).unwrap());
                for (&group, value) in &published {
                    let mut other = BTreeMap::from([(group, value.clone())]);
                    assert!(again.keys.release(again.store(), &other).is_ok());
                    flip(&mut other, group, 0);
                    let error = again.keys.release(again.store(), &other).unwrap_err();
                    assert!(
                        matches!(error, ReleaseError::Store(StoreError::KeySpent { .. })),
                        "{error}"
                    );
                    refused += 1;
                }
                *restored.entry(role).or_default() += 1;
            }
        }
        game.advance(|_, _| true);
    }
    println!("{restored:?} restored copies, {refused} second values refused");
    assert_eq!(restored.len(), 2);
    assert!(refused > 100);
}

#[test]
fn a_dropped_block_gives_the_duties_before_it_again() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let lie = FalseStep::reads(court, &INPUT, MUL_STEP, PathAccess::A).unwrap();
    let root = FalseStep::next_root(court, &INPUT, MUL_STEP);
    let anyway = Anyway::new(court, 3, Some(3));
    let (mut dropped, mut claims) = (0, 0);
    // The last one is challenged by one who selects at random, and paid.
    let games: [[&dyn Disputable; 2]; 3] = [[&lie, &truth], [&root, &truth], [&truth, &anyway]];
    for programs in games {
        let claim = truth.claim(&INPUT);
        let mut game = Game::new(&parties, &contract, programs, Some(claim));
        while !game.is_settled() {
            let (before, duties) = (game.outlooks.clone(), game.duties(|_, _| true));
            game.advance(|_, _| true);
            let after = game.outlooks.clone();
            let block = game.disconnect(1);
            let challenger = game.outlooks[1].as_ref().unwrap();
            if let [Duty { kind, needs, .. }] = &challenger.duties[..]
                && *needs == Needs::Rebroadcast(block[0].clone())
            {
                // A claim that was found false is not let go.
                assert!(matches!(kind, Kind::Kickoff(_)), "{kind}");
                assert!(matches!(challenger.phase, Phase::Claiming { .. }));
                assert_eq!(game.outlooks[0], before[0]);
                claims += 1;
            } else {
                assert_eq!(game.outlooks, before);
                assert_eq!(game.duties(|_, _| true), duties);
            }
            game.connect(block);
            assert_eq!(game.outlooks, after);
            dropped += 1;
        }
        assert!(matches!(
            game.judge().settled_by,
            Some(Kind::Disprove(Stage::Opening) | Kind::PayoutDisputed(Stage::Opening))
        ));
    }
    assert!(claims >= 3, "{claims} claims found false");
    println!(
        "covered: {dropped} blocks dropped; of them {claims} with a claim that was found false"
    );
}

#[test]
fn reorganisations_to_before_the_claim_do_not_change_who_wins() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let liar = FalseStep::next_root(court, &INPUT, MUL_STEP);
    let claim = truth.claim(&INPUT);
    let moves = {
        let mut game = Game::new(&parties, &contract, [&liar, &truth], Some(claim.clone()));
        game.play(|_, _| true).moves.len()
    };
    for at in (1..moves).step_by(5) {
        let mut game = Game::new(&parties, &contract, [&liar, &truth], Some(claim.clone()));
        (0..at).for_each(|_| game.advance(|_, _| true));
        // The contract itself stays.
        game.disconnect(at as u32);
        let report = game.play(|_, _| true);
        assert_eq!(
            (report.settled_by, report.is_just()),
            (Some(Kind::Disprove(Stage::Opening)), true),
            "{report}"
        );
    }
}
