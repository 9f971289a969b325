//! Reorganisations of each depth at every move of a dispute over a trace change no outcome.

use std::time::Instant;

use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::trace::{Liar, Lie, LieKind, RandomSelections, TraceDispute};
use tapcourt_tests::chains::embedded;
use tapcourt_tests::dispute::{Conduct, Ledger, Parties, Table};
use tapcourt_tests::riscv::small::{self, INPUT, OTHER_INPUT, Wrong};
use tapcourt_tests::threads::share;
use tapcourt_verifier::Program;

/// One round to a step, two to a level.
fn program() -> Program {
    small::disputed(Wrong::Rejects, &[8], &[2, 16])
}

/// Plays one game without a reorganisation, and one with it after each transaction.
fn reorganised(program: &Program, depth: u32, parties: Parties<'_>, conduct: &Conduct) -> Ledger {
    let mut table = Table::new(embedded());
    let mut ledger = Ledger::default();
    let (settled_by, winner) = match conduct.challenge_anyway {
        true => (Kind::PayoutDisputed(Stage::Opening), Role::Prover),
        false => (Kind::Disprove(Stage::Opening), Role::Challenger),
    };
    let mut play = |conduct: &Conduct| {
        ledger.play(
            &mut table,
            program,
            parties,
            conduct,
            settled_by,
            Some(winner),
        )
    };
    let plain = play(conduct);
    for confirmed in 1..=plain.kinds.len() {
        let conduct = Conduct {
            reorg: Some((confirmed, depth)),
            ..conduct.clone()
        };
        let outcome = play(&conduct);
        assert_eq!(
            outcome.kinds, plain.kinds,
            "after {confirmed}, {depth} deep"
        );
    }
    ledger
}

#[test]
fn reorganisations_at_any_move_change_no_outcome() {
    let begin = Instant::now();
    let program = program();
    let court = small::court(&program);
    let ledgers = share(1..=6u32, |depths| {
        let mut ledgers = Vec::new();
        for depth in depths {
            let truth = TraceDispute::new(court);
            let lie = Lie {
                kind: LieKind::Memory,
                step: 3,
                field: 0,
            };
            let liar = Liar::new(TraceDispute::new(court), lie);
            let anything = RandomSelections::new(&truth, depth.into());
            let games = [
                (
                    OTHER_INPUT,
                    &liar as &dyn tapcourt_prover::Disputable,
                    &truth as _,
                ),
                (INPUT, &truth as _, &anything as _),
            ];
            for (input, prover, challenger) in games {
                let parties = Parties { prover, challenger };
                let conduct = Conduct {
                    claim: Some(truth.claim(&[input])),
                    challenge_anyway: input == INPUT,
                    ..Conduct::default()
                };
                ledgers.push(reorganised(&program, depth, parties, &conduct));
            }
        }
        ledgers
    });
    let mut all = Ledger::default();
    ledgers.iter().for_each(|ledger| all.add(ledger));
    all.print("reorganisations 1 to 6 deep after each transaction");
    println!("{:.1} s", begin.elapsed().as_secs_f64());
}
