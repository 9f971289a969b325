//! Whole contracts on a chain, the embedded one and a node: the honest party wins whatever the other does.

use std::collections::BTreeMap;

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_chain::Chain;
use tapcourt_compiler::circuit::{Compiled, Options, Role as GroupRole};
use tapcourt_program::circuit::Circuit;
use tapcourt_protocol::{Role, TransactionKind as Kind};
use tapcourt_tests::chains::{embedded, node};
use tapcourt_tests::dispute::{Conduct, Outcome, Table};
use tapcourt_tests::netlists::own;
use tapcourt_verifier::Program;

fn program(file: &str) -> (Circuit, Program) {
    accepting(file, Vec::new())
}

fn accepting(file: &str, accept: Vec<Option<bool>>) -> (Circuit, Program) {
    let circuit = own(file).circuit;
    let compiled = Compiled::new(&circuit, &Options { accept }).expect("it compiles");
    (circuit, Program::new(compiled).expect("it has a layout"))
}

fn random_input(circuit: &Circuit, rng: &mut ChaCha8Rng) -> Vec<bool> {
    (0..circuit.input_bits()).map(|_| rng.r#gen()).collect()
}

fn truth(circuit: &Circuit, program: &Program, rng: &mut ChaCha8Rng) -> Vec<Vec<bool>> {
    let input = random_input(circuit, rng);
    program
        .compiled()
        .values(&input)
        .expect("every input bit is given")
}

/// Games played, and transactions that the chain took, by how they ended.
#[derive(Default)]
struct Ledger {
    endings: BTreeMap<String, usize>,
    games: usize,
    transactions: usize,
}

impl Ledger {
    /// Plays and checks who won and by what.
    fn play(
        &mut self,
        table: &mut Table,
        program: &Program,
        conduct: &Conduct,
        settled_by: Kind,
        winner: Option<Role>,
    ) -> Outcome {
        let outcome = table.play(program, conduct);
        let report = &outcome.report;
        assert_eq!(
            (report.settled_by, report.winner),
            (Some(settled_by), winner),
            "{report}"
        );
        assert!(report.is_just(), "{report}");
        *self.endings.entry(settled_by.to_string()).or_default() += 1;
        self.games += 1;
        self.transactions += outcome.submitted;
        outcome
    }

    fn print(&self, table: &Table) {
        println!(
            "{}: {} games, {} transactions accepted and mined, settled by {:?}",
            table.chain_name(),
            self.games,
            self.transactions,
            self.endings
        );
    }
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
            values: Some(values.clone()),
            ..Conduct::default()
        };
        let prover = Some(Role::Prover);
        let challenger = Some(Role::Challenger);
        ledger.play(&mut table, &program, &honest, Kind::Payout, prover);
        let challenged = Conduct {
            challenge_anyway: true,
            ..honest.clone()
        };
        let disputed = ledger.play(
            &mut table,
            &program,
            &challenged,
            Kind::PayoutDisputed,
            prover,
        );
        let late = Conduct {
            late: true,
            ..challenged.clone()
        };
        ledger.play(&mut table, &program, &late, Kind::PayoutDisputed, prover);

        // A lie in each group; a wrong input is a right claim about another one, unless something else shows it.
        let groups = program.compiled().committed_groups();
        for (number, group) in groups.iter().enumerate() {
            let mut lie = values.clone();
            let bit = rng.gen_range(0..lie[number].len());
            lie[number][bit] ^= true;
            let false_claim = program.compiled().find_fault(&lie).is_some();
            assert!(false_claim || group.role() == GroupRole::Input);
            let conduct = Conduct {
                values: Some(lie),
                challenge_anyway: true,
                late: number % 2 == 1,
                thieves: true,
                ..Conduct::default()
            };
            let (settled_by, winner) = if false_claim {
                (Kind::Disprove, challenger)
            } else {
                (Kind::PayoutDisputed, prover)
            };
            ledger.play(&mut table, &program, &conduct, settled_by, winner);
        }

        // The prover stalls at each of its moves.
        for kind in disputed.kinds {
            let (settled_by, winner) = match kind {
                Kind::Kickoff(0) => (Kind::Expire, None),
                Kind::Kickoff(index) => (Kind::KickoffTimeout(index), challenger),
                Kind::Assert(index) => (Kind::AssertTimeout(index), challenger),
                _ => continue,
            };
            let conduct = Conduct {
                stalled: Some(kind),
                ..challenged.clone()
            };
            ledger.play(&mut table, &program, &conduct, settled_by, winner);
        }
        // It never claims.
        ledger.play(
            &mut table,
            &program,
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
            values: Some(
                program
                    .compiled()
                    .values(&input)
                    .expect("every input bit is given"),
            ),
            ..Conduct::default()
        };
        let (settled_by, winner) = if wanted {
            (Kind::Payout, Role::Prover)
        } else {
            (Kind::Disprove, Role::Challenger)
        };
        ledger.play(&mut table, &program, &conduct, settled_by, Some(winner));
    }
    ledger.print(&table);
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
        (values, Kind::PayoutDisputed, Role::Prover),
        (lie, Kind::Disprove, Role::Challenger),
    ] {
        let honest = Conduct {
            values: Some(values),
            challenge_anyway: true,
            ..Conduct::default()
        };
        let winner = Some(winner);
        let plain = ledger.play(&mut table, &program, &honest, settled_by, winner);
        for confirmed in 1..=plain.kinds.len() {
            for &depth in depths {
                let conduct = Conduct {
                    reorg: Some((confirmed, depth)),
                    ..honest.clone()
                };
                let outcome = ledger.play(&mut table, &program, &conduct, settled_by, winner);
                assert_eq!(
                    outcome.kinds, plain.kinds,
                    "after {confirmed}, {depth} deep"
                );
            }
        }
    }
    ledger.print(&table);
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
        let group = program
            .compiled()
            .committed_groups()
            .iter()
            .position(|group| group.role() == GroupRole::Intermediate)
            .expect("the program is cut");
        lie[group][0] ^= true;
        for (values, settled_by, winner) in [
            (values, Kind::PayoutDisputed, Role::Prover),
            (lie, Kind::Disprove, Role::Challenger),
        ] {
            let conduct = Conduct {
                values: Some(values),
                challenge_anyway: true,
                thieves: true,
                ..Conduct::default()
            };
            let outcome = ledger.play(&mut table, &program, &conduct, settled_by, Some(winner));
            println!("{file}: {:?}", outcome.kinds);
        }
    }
    ledger.print(&table);
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
