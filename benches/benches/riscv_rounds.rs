//! What a prover takes to answer each round of a dispute over a trace of 10^9 steps, next to one plain run of the program. Each answer is given once, so
//! this is a table of single measurements: the ratios count.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tapcourt_compiler::riscv::{Court, CourtOptions, Options, Search, Statement};
use tapcourt_program::riscv::{Engine, Program};
use tapcourt_prover::Disputable;
use tapcourt_prover::trace::TraceDispute;

/// 512 times over 1 MiB: 2^30 steps, and some more.
const PASSES: u32 = 512;

/// Steps that the claim is about.
const LOG2_STEPS: u32 = 30;

/// Parts into which each round splits.
const ARITY: u32 = 4;

/// What is selected each time: the part that takes longest to come to.
const SELECTED: u32 = ARITY - 1;

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../circuits/riscv/elf/touch.elf");
    let file = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let program = Program::from_elf(&file).expect("our guests are ELF files");
    let inputs = [PASSES, 0];
    let started = Instant::now();
    let mut engine = Engine::new(&program, &inputs);
    black_box(engine.run_to(1 << LOG2_STEPS));
    let plain = started.elapsed().as_secs_f64();
    println!("plain run of 2^{LOG2_STEPS} steps: {plain:.2} s");

    let search = Search::at_least(1 << LOG2_STEPS, ARITY).expect("a search");
    let options = CourtOptions {
        steps: Options {
            fixed: Vec::new(),
            inputs: 2,
            search,
        },
        path: None,
        space: None,
    };
    let court = Court::compile(Arc::new(program), options).expect("it compiles");
    let dispute = TraceDispute::new(&court);
    let mut values = dispute.claim(&inputs);
    for turn in court.dispute() {
        let groups: Vec<usize> = turn
            .statements
            .iter()
            .map(|statement| match *statement {
                Statement::Value(entry) | Statement::Choice { entry, .. } => entry,
                Statement::Repeat { own, .. } => own,
            })
            .collect();
        if let [Statement::Choice { entry, .. }] = turn.statements[..] {
            let bits = court.entries()[entry].parameters.message_bits();
            let selected = (0..bits).map(|bit| SELECTED >> bit & 1 == 1);
            values.insert(entry, selected.collect());
            continue;
        }
        let started = Instant::now();
        let answer = dispute.answer(&groups, &values);
        let took = started.elapsed().as_secs_f64();
        values.extend(answer.expect("all before was published"));
        let what = court.entries()[*groups.last().expect("no turn is empty")].group;
        println!(
            "{what:<24} {took:8.4} s   {:6.3} of a plain run",
            took / plain
        );
    }
}
