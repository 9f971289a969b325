//! Whole contracts on a chain, the embedded one and a node: the honest party wins whatever the other does.

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_chain::Chain;
use tapcourt_compiler::circuit::{Compiled, Options, Role as GroupRole};
use tapcourt_program::circuit::Circuit;
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::Values;
use tapcourt_tests::chains::{embedded, node};
use tapcourt_tests::dispute::{Conduct, Ledger, Parties, Table, circuit as circuit_of};
use tapcourt_tests::netlists::own;
use tapcourt_verifier::Program;

fn program(file: &str) -> (Circuit, Program) {
    accepting(file, Vec::new())
}

fn accepting(file: &str, accept: Vec<Option<bool>>) -> (Circuit, Program) {
    let circuit = own(file).circuit;
    let compiled = Compiled::new(&circuit, &Options { accept }).expect("it compiles");
    (
        circuit,
        Program::circuit(compiled).expect("it has a layout"),
    )
}

fn random_input(circuit: &Circuit, rng: &mut ChaCha8Rng) -> Vec<bool> {
    (0..circuit.input_bits()).map(|_| rng.r#gen()).collect()
}

/// Values by group number.
fn numbered(values: Vec<Vec<bool>>) -> Option<Values> {
    Some(values.into_iter().enumerate().collect())
}

fn truth(circuit: &Circuit, program: &Program, rng: &mut ChaCha8Rng) -> Vec<Vec<bool>> {
    let input = random_input(circuit, rng);
    circuit_of(program)
        .values(&input)
        .expect("every input bit is given")
}

/// Honest provers, every kind of lie, stalls and needless challenges.
fn every_kind_of_game(chain: Box<dyn Chain>) {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut table = Table::new(chain);
    let mut ledger = Ledger::default();
    for file in ["adder64.txt", "multiply32.txt"] {
        let (circuit, program) = program(file);
        let values = truth(&circuit, &program, rng);
        let honest = Conduct {
            claim: numbered(values.clone()),
            ..Conduct::default()
        };
        let prover = Some(Role::Prover);
        let challenger = Some(Role::Challenger);
        ledger.play(
            &mut table,
            &program,
            Parties::honest(circuit_of(&program)),
            &honest,
            Kind::Payout,
            prover,
        );
        let challenged = Conduct {
            challenge_anyway: true,
            ..honest.clone()
        };
        let disputed = ledger.play(
            &mut table,
            &program,
            Parties::honest(circuit_of(&program)),
            &challenged,
            Kind::PayoutDisputed(Stage::Dispute),
            prover,
        );
        let late = Conduct {
            late: true,
            ..challenged.clone()
        };
        ledger.play(
            &mut table,
            &program,
            Parties::honest(circuit_of(&program)),
            &late,
            Kind::PayoutDisputed(Stage::Dispute),
            prover,
        );

        // A lie in each group; a wrong input is a right claim about another one, unless something else shows it.
        let groups = circuit_of(&program).committed_groups();
        for (number, group) in groups.iter().enumerate() {
            let mut lie = values.clone();
            let bit = rng.gen_range(0..lie[number].len());
            lie[number][bit] ^= true;
            let false_claim = circuit_of(&program).find_fault(&lie).is_some();
            assert!(false_claim || group.role() == GroupRole::Input);
            let conduct = Conduct {
                claim: numbered(lie),
                challenge_anyway: true,
                late: number % 2 == 1,
                thieves: true,
                ..Conduct::default()
            };
            let (settled_by, winner) = if false_claim {
                (Kind::Disprove(Stage::Dispute), challenger)
            } else {
                (Kind::PayoutDisputed(Stage::Dispute), prover)
            };
            ledger.play(
                &mut table,
                &program,
                Parties::honest(circuit_of(&program)),
                &conduct,
                settled_by,
                winner,
            );
        }

        // The prover stalls at each of its moves.
        for kind in disputed.kinds {
            let (settled_by, winner) = match kind {
                Kind::Kickoff(0) => (Kind::Expire, None),
                Kind::Kickoff(index) => (Kind::KickoffTimeout(index), challenger),
                Kind::Assert(stage, index) => (Kind::AssertTimeout(stage, index), challenger),
                _ => continue,
            };
            let conduct = Conduct {
                stalled: Some(kind),
                ..challenged.clone()
            };
            ledger.play(
                &mut table,
                &program,
                Parties::honest(circuit_of(&program)),
                &conduct,
                settled_by,
                winner,
            );
        }
        // It never claims.
        ledger.play(
            &mut table,
            &program,
            Parties::honest(circuit_of(&program)),
            &Conduct::default(),
            Kind::Expire,
            None,
        );
    }
    // A contract that fixes its output.
    let (circuit, program) = accepting("compare64.txt", vec![Some(true)]);
    for wanted in [true, false] {
        let input = loop {
            let input = random_input(&circuit, rng);
            if circuit.evaluate(&input).expect("every input bit is given") == [wanted] {
                break input;
            }
        };
        let conduct = Conduct {
            claim: numbered(
                circuit_of(&program)
                    .values(&input)
                    .expect("every input bit is given"),
            ),
            ..Conduct::default()
        };
        let (settled_by, winner) = if wanted {
            (Kind::Payout, Role::Prover)
        } else {
            (Kind::Disprove(Stage::Dispute), Role::Challenger)
        };
        ledger.play(
            &mut table,
            &program,
            Parties::honest(circuit_of(&program)),
            &conduct,
            settled_by,
            Some(winner),
        );
    }
    ledger.print(table.chain_name());
}

/// A reorganisation of each depth after each transaction; the deepest ones drop the contract itself.
fn reorganised_games(chain: Box<dyn Chain>, depths: &[u32]) {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let mut table = Table::new(chain);
    let mut ledger = Ledger::default();
    let (circuit, program) = program("multiply32.txt");
    let values = truth(&circuit, &program, rng);
    let mut lie = values.clone();
    let last = lie.len() - 1;
    lie[last][0] ^= true;
    for (values, settled_by, winner) in [
        (values, Kind::PayoutDisputed(Stage::Dispute), Role::Prover),
        (lie, Kind::Disprove(Stage::Dispute), Role::Challenger),
    ] {
        let honest = Conduct {
            claim: numbered(values),
            challenge_anyway: true,
            ..Conduct::default()
        };
        let winner = Some(winner);
        let plain = ledger.play(
            &mut table,
            &program,
            Parties::honest(circuit_of(&program)),
            &honest,
            settled_by,
            winner,
        );
        for confirmed in 1..=plain.kinds.len() {
            for &depth in depths {
                let conduct = Conduct {
                    reorg: Some((confirmed, depth)),
                    ..honest.clone()
                };
                let outcome = ledger.play(
                    &mut table,
                    &program,
                    Parties::honest(circuit_of(&program)),
                    &conduct,
                    settled_by,
                    winner,
                );
                assert_eq!(
                    outcome.kinds, plain.kinds,
                    "after {confirmed}, {depth} deep"
                );
            }
        }
    }
    ledger.print(table.chain_name());
}

/// A program of many chunks: paid when true, also if disputed, and disproved when not.
fn large_games(chain: Box<dyn Chain>) {
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let mut table = Table::new(chain);
    let mut ledger = Ledger::default();
    for file in ["aes128.txt", "sha256_preimage.txt"] {
        let (circuit, program) = program(file);
        let values = truth(&circuit, &program, rng);
        let mut lie = values.clone();
        let group = circuit_of(&program)
            .committed_groups()
            .iter()
            .position(|group| group.role() == GroupRole::Intermediate)
            .expect("the program is cut");
        lie[group][0] ^= true;
        for (values, settled_by, winner) in [
            (values, Kind::PayoutDisputed(Stage::Dispute), Role::Prover),
            (lie, Kind::Disprove(Stage::Dispute), Role::Challenger),
        ] {
            let conduct = Conduct {
                claim: numbered(values),
                challenge_anyway: true,
                thieves: true,
                ..Conduct::default()
            };
            let outcome = ledger.play(
                &mut table,
                &program,
                Parties::honest(circuit_of(&program)),
                &conduct,
                settled_by,
                Some(winner),
            );
            println!("{file}: {:?}", outcome.kinds);
        }
    }
    ledger.print(table.chain_name());
}

#[test]
fn disputes_about_large_programs_are_settled_on_the_embedded_chain() {
    large_games(embedded());
}

#[test]
fn disputes_about_large_programs_are_settled_on_a_node() {
    if let Some(node) = node() {
        large_games(node);
    }
}

#[test]
fn the_honest_party_wins_on_the_embedded_chain() {
    every_kind_of_game(embedded());
}

#[test]
fn the_honest_party_wins_on_a_node() {
    if let Some(node) = node() {
        every_kind_of_game(node);
    }
}

#[test]
fn reorganisations_change_no_outcome_on_the_embedded_chain() {
    reorganised_games(embedded(), &[1, 2, 3, 4, 5, 6]);
}

#[test]
fn reorganisations_change_no_outcome_on_a_node() {
    if let Some(node) = node() {
        reorganised_games(node, &[1, 3, 6]);
    }
}
