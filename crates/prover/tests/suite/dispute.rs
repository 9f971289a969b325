//! Whole disputes: the honest party wins, whatever the other does and however the chain delays and reorganises.

use std::collections::BTreeMap;

use bitcoin::Transaction;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::{Event, Phase, Values};
use tapcourt_verifier::Contract;

use crate::circuits::list;
use crate::game::{Game, Player, store};
use crate::parties::{DELTA_BLOCKS, EXPIRY_BLOCKS, Parties, flip};

pub(crate) fn random_input(parties: &Parties, rng: &mut ChaCha20Rng) -> Vec<bool> {
    let compiled = parties.compiled();
    let groups = compiled.committed_groups().iter();
    let bits: usize = groups
        .filter(|group| group.role() == tapcourt_compiler::circuit::Role::Input)
        .map(|group| group.bits())
        .sum();
    (0..bits).map(|_| rng.r#gen()).collect()
}

/// Every group that can be false.
pub(crate) fn checked_groups(parties: &Parties) -> Vec<usize> {
    let groups = parties.compiled().committed_groups();
    (0..groups.len())
        .filter(|&group| groups[group].role() != tapcourt_compiler::circuit::Role::Input)
        .collect()
}

fn everyone(_: Role, _: &tapcourt_prover::Duty) -> bool {
    true
}

#[test]
fn an_undisputed_claim_is_paid_after_delta() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for parties in [Parties::adder(), Parties::multiplier()] {
        let contract = parties.program.verify_setup(&parties.messages()).unwrap();
        let values = parties.values(&random_input(&parties, &mut rng));
        let mut game = Game::of_circuit(&parties, &contract, Some(values));
        let report = game.play(everyone);
        println!("{report}\n");
        assert_eq!(
            (report.winner, report.is_just()),
            (Some(Role::Prover), true)
        );
        assert_eq!(report.settled_by, Some(Kind::Payout));
        let kickoff = game.height_of(Kind::Kickoff(0)).unwrap();
        assert_eq!(
            game.height_of(Kind::Payout),
            Some(kickoff + u32::from(DELTA_BLOCKS))
        );
    }
}

#[test]
fn every_single_bit_lie_loses() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut lies = 0;
    for parties in [Parties::adder(), Parties::multiplier()] {
        let contract = parties.program.verify_setup(&parties.messages()).unwrap();
        let compiled = parties.compiled();
        for group in checked_groups(&parties) {
            let mut values = parties.values(&random_input(&parties, &mut rng));
            let bit = rng.gen_range(0..values[&group].len());
            flip(&mut values, group, bit);
            let claim_is_false = compiled.committed_groups()[group].role()
                == tapcourt_compiler::circuit::Role::Output;
            let mut game = Game::of_circuit(&parties, &contract, Some(values));
            if !claim_is_false {
                // The claim is true and only its proof would be false: nobody challenges it.
                assert_eq!(game.play(everyone).settled_by, Some(Kind::Payout));
                continue;
            }
            let report = game.play(everyone);
            assert_eq!(
                (report.settled_by, report.winner),
                (Some(Kind::Disprove(Stage::Dispute)), Some(Role::Challenger)),
                "{report}"
            );
            assert!(report.is_just());
            lies += 1;
        }
    }
    println!("covered: {lies} games in memory; false claims disproved");
}

/// Plays until the claim is complete, then challenges it whatever it is.
fn challenge_anyway<'a>(
    parties: &'a Parties,
    contract: &'a Contract<'a>,
    values: Values,
) -> Game<'a> {
    let mut game = Game::of_circuit(parties, contract, Some(values.clone()));
    while game.outlooks[0].as_ref().unwrap().phase != Phase::Claimed {
        let block = game
            .duties(everyone)
            .into_iter()
            .map(|(_, _, tx)| tx)
            .collect();
        game.connect(block);
    }
    game.connect(vec![parties.finish(Kind::Challenge, &values)]);
    game
}

#[test]
fn a_challenge_without_cause_fails_and_a_lie_in_answer_to_it_loses() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let truth = parties.values(&random_input(&parties, &mut rng));
    let report = challenge_anyway(&parties, &contract, truth.clone()).play(everyone);
    println!("{report}\n");
    assert_eq!(
        (report.settled_by, report.winner),
        (
            Some(Kind::PayoutDisputed(Stage::Dispute)),
            Some(Role::Prover)
        )
    );
    let mut lies = 0;
    for group in checked_groups(&parties) {
        let mut values = truth.clone();
        let bit = rng.gen_range(0..values[&group].len());
        flip(&mut values, group, bit);
        let report = challenge_anyway(&parties, &contract, values).play(everyone);
        assert_eq!(
            (report.settled_by, report.winner),
            (Some(Kind::Disprove(Stage::Dispute)), Some(Role::Challenger)),
            "{report}"
        );
        lies += 1;
    }
    println!("covered: {lies} games in memory; lies disproved");
}

#[test]
fn a_prover_that_stalls_loses_by_timeout_at_every_move() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let values = parties.values(&random_input(&parties, &mut rng));
    let layout = &parties.graph.terms().layout;
    for stalled in 0..layout.dispute.len() {
        let mut game = challenge_anyway(&parties, &contract, values.clone());
        let report = game.play(|_, duty| duty.kind != Kind::Assert(Stage::Dispute, stalled));
        assert_eq!(
            (report.settled_by, report.winner),
            (
                Some(Kind::AssertTimeout(Stage::Dispute, stalled)),
                Some(Role::Challenger)
            )
        );
        let before = if stalled == 0 {
            Kind::Challenge
        } else {
            Kind::Assert(Stage::Dispute, stalled - 1)
        };
        let due = game.height_of(before).unwrap() + u32::from(DELTA_BLOCKS);
        assert_eq!(
            game.height_of(Kind::AssertTimeout(Stage::Dispute, stalled)),
            Some(due)
        );
        println!("{report}\n");
    }
    let mut game = Game::of_circuit(&parties, &contract, None);
    let report = game.play(everyone);
    assert_eq!(
        (report.settled_by, report.winner),
        (Some(Kind::Expire), None)
    );
    let due = game.height_of(Kind::Contract).unwrap() + u32::from(EXPIRY_BLOCKS);
    assert_eq!(game.height_of(Kind::Expire), Some(due));
}

#[test]
fn an_output_that_is_not_accepted_is_disputed() {
    let parties = Parties::compare();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (mut right, mut wrong) = (0, 0);
    for _ in 0..8 {
        let input = random_input(&parties, &mut rng);
        let accepted = parties.compiled().output(&input).unwrap() == [true];
        let report =
            Game::of_circuit(&parties, &contract, Some(parties.values(&input))).play(everyone);
        let winner = if accepted {
            Role::Prover
        } else {
            Role::Challenger
        };
        assert_eq!(
            (report.winner, report.is_just()),
            (Some(winner), true),
            "{report}"
        );
        *(if accepted { &mut right } else { &mut wrong }) += 1;
    }
    println!(
        "covered: {} games in memory; {right} claims right, {wrong} wrong",
        right + wrong
    );
    assert!(right > 0 && wrong > 0);
}

/// Plays with delays and reorganisations; an honest party's transaction waits less than its time allows.
fn play_adversarially(game: &mut Game<'_>, honest: Role, rng: &mut ChaCha20Rng) {
    let mut waited: BTreeMap<Kind, u32> = BTreeMap::new();
    let mut reorganisations = 0;
    for _ in 0..400 {
        if game.is_settled() {
            return;
        }
        if reorganisations < 6 && rng.gen_ratio(1, 8) {
            reorganisations += 1;
            let most = (game.world.tip() - crate::game::START - 1).min(10);
            let depth = rng.gen_range(0..=most);
            let dropped = game.disconnect(depth);
            // Some of what was dropped confirms again, some has to be broadcast again.
            let mut again: Vec<Transaction> = Vec::new();
            for _ in 0..=depth {
                let ready: Vec<Transaction> = dropped
                    .iter()
                    .filter(|tx| {
                        rng.r#gen() && !again.contains(tx) && game.world.accepts(game.contract, tx)
                    })
                    .cloned()
                    .collect();
                again.extend(ready.iter().take(1).cloned());
                game.connect(ready.into_iter().take(1).collect());
            }
            continue;
        }
        let tip = game.world.tip();
        let mut duties = game.duties(|role, _| role == honest || is_awake(tip));
        duties.shuffle(rng);
        let mut block: Vec<Transaction> = Vec::new();
        for (role, duty, transaction) in duties {
            // A transaction is censored for up to half of Δ, but not past its deadline.
            let count = waited.entry(duty.kind).or_default();
            *count += 1;
            let urgent = *count > u32::from(DELTA_BLOCKS) / 2
                || duty.blocks_left(tip).is_some_and(|left| left <= 1);
            let confirms = if role == honest {
                urgent || rng.r#gen()
            } else {
                rng.r#gen()
            };
            if confirms && block.is_empty() && game.world.accepts(game.contract, &transaction) {
                block.push(transaction);
            }
        }
        game.connect(block);
    }
    panic!("the contract is not settled");
}

/// The dishonest party acts in two blocks of three.
fn is_awake(tip: u32) -> bool {
    !tip.is_multiple_of(3)
}

#[test]
fn no_honest_party_loses_under_delays_and_reorganisations() {
    let mut settled: BTreeMap<String, usize> = BTreeMap::new();
    for (parties, games) in [(Parties::adder(), 20), (Parties::multiplier(), 25)] {
        let contract = parties.program.verify_setup(&parties.messages()).unwrap();
        for seed in 0..games {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let truth = parties.values(&random_input(&parties, &mut rng));
            let lies = rng.r#gen::<bool>();
            let mut values = truth;
            if lies {
                for _ in 0..rng.gen_range(1..4) {
                    let group = *checked_groups(&parties).choose(&mut rng).unwrap();
                    let bit = rng.gen_range(0..values[&group].len());
                    flip(&mut values, group, bit);
                }
            }
            let (mut game, honest) = if lies || rng.r#gen() {
                let claimed = parties.compiled().find_fault(&list(&values)).is_some();
                let honest = if claimed {
                    Role::Challenger
                } else {
                    Role::Prover
                };
                (challenge_anyway(&parties, &contract, values), honest)
            } else {
                (
                    Game::of_circuit(&parties, &contract, Some(values)),
                    Role::Prover,
                )
            };
            play_adversarially(&mut game, honest, &mut rng);
            let report = game.judge();
            assert_eq!(
                (report.winner, report.is_just()),
                (Some(honest), true),
                "seed {seed}: {report}"
            );
            *settled
                .entry(format!("{} won by {}", honest, report.settled_by.unwrap()))
                .or_default() += 1;
        }
    }
    println!(
        "covered: {} games in memory",
        settled.values().sum::<usize>()
    );
    for (how, count) in settled {
        println!("{count:3} {how}");
    }
}

#[test]
fn reorganisations_of_every_depth_at_every_height_change_nothing() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let truth = parties.values(&random_input(&parties, &mut rng));
    let mut lie = truth.clone();
    let output = checked_groups(&parties)[0];
    flip(&mut lie, output, 0);
    let mut played = 0;
    for (values, expected) in [(truth, Role::Prover), (lie, Role::Challenger)] {
        let mut length = 0;
        for at in 1.. {
            let depth = 1 + at % 10;
            let mut game = Game::of_circuit(&parties, &contract, Some(values.clone()));
            for _ in 0..at {
                if !game.is_settled() {
                    let block = game
                        .duties(everyone)
                        .into_iter()
                        .map(|(_, _, tx)| tx)
                        .take(1)
                        .collect();
                    game.connect(block);
                    length = length.max(game.world.blocks.len());
                }
            }
            // The contract itself may drop out of the chain, too.
            let depth = depth.min(game.world.blocks.len() as u32);
            game.disconnect(depth);
            for _ in 0..=depth {
                game.connect(Vec::new());
            }
            let report = game.play(everyone);
            assert_eq!(
                (report.winner, report.is_just()),
                (Some(expected), true),
                "at {at}, depth {depth}: {report}"
            );
            played += 1;
            if at > length as u32 {
                break;
            }
        }
    }
    println!("covered: {played} games in memory; reorganised");
}

#[test]
fn a_prover_without_its_disk_finishes_the_dispute_from_the_chain() {
    let parties = Parties::multiplier();
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let values = parties.values(&random_input(&parties, &mut rng));
    let mut game = challenge_anyway(&parties, &contract, values);
    let directory = tempfile::tempdir().unwrap();
    game.prover = Player::new(
        &parties,
        &contract,
        Role::Prover,
        parties.compiled(),
        store(&directory, "new"),
    );
    let synced = Event::Synced {
        tip: game.world.tip(),
        transactions: game.world.confirmed(),
    };
    game.outlooks[0] = Some(game.prover.see(&synced));
    let report = game.play(everyone);
    assert_eq!(
        (report.settled_by, report.winner),
        (
            Some(Kind::PayoutDisputed(Stage::Dispute)),
            Some(Role::Prover)
        ),
        "{report}"
    );
}
