//! Deadlines, the guard in the signer's path, and events that do not fit.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use tapcourt_protocol::{InstanceId, Role, Stage, TransactionKind as Kind};
use tapcourt_prover::{
    EngineError, Event, FeeSource, KeyContext, Needs, Phase, ReleaseError, SignerError, StoreError,
};

use crate::dispute::{checked_groups, random_input};
use crate::game::{Game, Player, START, one_time_keys, store};
use crate::parties::{DELTA_BLOCKS, EXPIRY_BLOCKS, INSTANCE, Parties, flip};

#[test]
fn duties_have_the_deadlines_of_their_rivals() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let mut values = parties.values(&random_input(&parties, &mut ChaCha20Rng::seed_from_u64(1)));
    flip(&mut values, checked_groups(&parties)[0], 0);
    let mut game = Game::of_circuit(&parties, &contract, Some(values));
    let mut seen: BTreeMap<Kind, Option<u32>> = BTreeMap::new();
    while !game.is_settled() {
        let tip = game.world.tip();
        let mut block = Vec::new();
        for (role, duty, transaction) in game.duties(|_, _| true) {
            println!("{tip}: {role}: {duty}");
            let delay = match duty.rival {
                Some(Kind::Expire) => Some(EXPIRY_BLOCKS),
                Some(_) => Some(DELTA_BLOCKS),
                None => None,
            };
            // Every move is made in the block after the one that calls for it.
            assert_eq!(
                duty.deadline,
                delay.map(|blocks| tip + u32::from(blocks) - 1),
                "{duty}"
            );
            assert_eq!(
                duty.blocks_left(tip),
                delay.map(|blocks| u32::from(blocks) - 1)
            );
            assert_eq!(
                duty.fee == FeeSource::Own,
                duty.kind == Kind::Disprove(Stage::Dispute)
            );
            seen.insert(duty.kind, duty.deadline);
            block.push(transaction);
        }
        game.connect(block);
    }
    let layout = &parties.graph.terms().layout;
    assert_eq!(seen.len(), layout.claim.len() + layout.dispute.len() + 2);
}

#[test]
fn an_engine_says_when_it_wants_to_be_woken() {
    let parties = Parties::adder();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let game = Game::of_circuit(&parties, &contract, None);
    let expiry = START + 1 + u32::from(EXPIRY_BLOCKS);
    for outlook in game.outlooks.iter().flatten() {
        assert_eq!(outlook.phase, Phase::Claiming { next: 0 });
        assert!(outlook.duties.is_empty());
        assert_eq!(outlook.wake, Some(expiry - 1));
    }
}

#[test]
fn events_out_of_order_are_refused_and_change_nothing() {
    let parties = Parties::adder();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let values = parties.values(&random_input(&parties, &mut ChaCha20Rng::seed_from_u64(2)));
    let mut game = Game::of_circuit(&parties, &contract, Some(values.clone()));
    let (engine, state, tip) = (
        &game.prover.engine,
        game.prover.state.clone(),
        game.world.tip(),
    );
    for height in [0, tip, tip + 2, u32::MAX] {
        let event = Event::BlockConnected {
            height,
            transactions: Vec::new(),
        };
        assert_eq!(
            engine.step(&state, &event).unwrap_err(),
            EngineError::OutOfOrder {
                got: height,
                tip: Some(tip)
            }
        );
    }
    for height in [0, tip - 1, tip + 1] {
        let event = Event::BlockDisconnected { height };
        assert_eq!(
            engine.step(&state, &event).unwrap_err(),
            EngineError::OutOfOrder {
                got: height,
                tip: Some(tip)
            }
        );
    }
    let mut other = values.clone();
    flip(&mut other, 0, 0);
    let event = Event::Claim { values: other };
    assert_eq!(
        engine.step(&state, &event).unwrap_err(),
        EngineError::AlreadyDecided
    );
    assert!(
        engine.step(&state, &Event::Claim { values }).is_ok(),
        "the same decision again"
    );
    let before = game.outlooks[0].clone();
    assert_eq!(Some(game.prover.see(&Event::Tick)), before);
}

#[test]
fn values_of_a_wrong_shape_are_named() {
    let parties = Parties::adder();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let game = Game::of_circuit(&parties, &contract, None);
    let mut values = parties.values(&random_input(&parties, &mut ChaCha20Rng::seed_from_u64(3)));
    values.get_mut(&0).unwrap().pop();
    let error = game
        .prover
        .engine
        .step(&game.prover.state, &Event::Claim { values })
        .unwrap_err();
    assert!(
        matches!(error, EngineError::ValueBits { group: 0, .. }),
        "{error}"
    );
}

#[test]
fn a_store_restored_from_before_the_claim_opens_no_other_value() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let (values, others) = (
        parties.values(&random_input(&parties, &mut rng)),
        parties.values(&random_input(&parties, &mut rng)),
    );
    let mut game = Game::of_circuit(&parties, &contract, Some(values.clone()));
    game.play(|_, duty| duty.kind != Kind::Payout && game_is_open(duty.kind));
    assert!(game.height_of(Kind::Kickoff(0)).is_some());

    // The copy was made before the claim, and the owner now decides to claim something else.
    let directory = tempfile::tempdir().unwrap();
    let mut restored = Player::new(
        &parties,
        &contract,
        Role::Prover,
        parties.compiled(),
        store(&directory, "copy"),
    );
    restored.see(&Event::Claim {
        values: others.clone(),
    });
    let mut transactions = game.world.confirmed();
    transactions.push((
        game.world.tip() + 1,
        parties.finish(Kind::Challenge, &values),
    ));
    let outlook = restored.see(&Event::Synced {
        tip: game.world.tip() + 1,
        transactions,
    });
    assert_eq!(
        outlook.phase,
        Phase::Disputed {
            next: Kind::Assert(Stage::Dispute, 0)
        }
    );
    // The engine goes on with what the chain shows.
    let [duty] = outlook.duties.as_slice() else {
        panic!("one duty, not {:?}", outlook.duties)
    };
    let Needs::Openings(openings) = &duty.needs else {
        panic!("openings, not {:?}", duty.needs)
    };
    assert!(
        openings
            .iter()
            .all(|(group, value)| value == &values[group])
    );
    restored.finish(duty).unwrap();
    // And the guard has learnt it: nothing else of the claim can be opened.
    let claim = &parties.graph.terms().layout.claim[0].batches[0];
    let (keys, store) = (&restored.keys, restored.store());
    for group in claim.groups() {
        let refused = keys.release(store, &BTreeMap::from([(group, others[&group].clone())]));
        if others[&group] != values[&group] {
            assert!(matches!(
                refused,
                Err(ReleaseError::Store(StoreError::KeySpent { .. }))
            ));
        }
        assert!(
            keys.release(store, &BTreeMap::from([(group, values[&group].clone())]))
                .is_ok()
        );
    }
}

fn game_is_open(kind: Kind) -> bool {
    matches!(kind, Kind::Kickoff(_))
}

#[test]
fn a_chain_that_shows_another_value_than_the_store_stops_the_signer() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (values, others) = (
        parties.values(&random_input(&parties, &mut rng)),
        parties.values(&random_input(&parties, &mut rng)),
    );
    let directory = tempfile::tempdir().unwrap();
    let mut prover = Player::new(
        &parties,
        &contract,
        Role::Prover,
        parties.compiled(),
        store(&directory, "store"),
    );
    prover.keys.release(prover.store(), &others).unwrap();
    let transactions: Vec<_> = parties
        .disputed(&values)
        .into_iter()
        .filter(|tx| is_before_asserts(&parties, tx))
        .map(|tx| (101, tx))
        .collect();
    let outlook = prover.see(&Event::Synced {
        tip: 101,
        transactions,
    });
    let error = prover.finish(&outlook.duties[0]).unwrap_err();
    assert!(
        matches!(
            error,
            SignerError::Release(ReleaseError::Store(StoreError::KeySpent { .. }))
        ),
        "{error}"
    );
}

fn is_before_asserts(parties: &Parties, transaction: &bitcoin::Transaction) -> bool {
    !matches!(
        parties.graph.find(transaction.compute_txid()),
        Some(Kind::Assert(..))
    )
}

#[test]
fn keys_derive_as_the_offer_says_and_labels_must_differ() {
    let parties = Parties::adder();
    assert_eq!(
        one_time_keys(&parties, Role::Prover).public_keys(),
        parties.graph.terms().one_time_keys
    );
    let shape = parties.graph.terms().one_time_keys[0].parameters().clone();
    let twice = BTreeMap::from([
        (0, ("a".to_owned(), shape.clone())),
        (1, ("a".to_owned(), shape)),
    ]);
    let seed = tapcourt_commitment::Seed::new([1; 32]);
    let context = KeyContext::prover(InstanceId::from_bytes(INSTANCE));
    let result = tapcourt_prover::OneTimeKeys::new(seed, context, twice);
    assert!(matches!(result, Err(ReleaseError::LabelTwice { label }) if label == "a"));
}

#[test]
fn the_watched_outputs_are_those_that_wait() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let game = Game::of_circuit(&parties, &contract, None);
    let watched = game.prover.engine.watched();
    for presigned in parties.graph.presigned() {
        for input in &presigned.transaction.input {
            assert!(
                watched.contains(&input.previous_output),
                "{}",
                presigned.kind
            );
        }
    }
    let outcome = parties.graph.outcome_output(Stage::Dispute).unwrap();
    assert!(watched.contains(&outcome.0));
}
