//! Whole disputes over a trace: the honest party wins, whatever the other one says, selects or leaves undone.

use std::collections::BTreeMap;

use tapcourt_compiler::riscv::PathAccess;
use tapcourt_program::riscv::{Image, Instruction, Op, Program, Register, Rom, Symbols};
use tapcourt_protocol::transactions::OutputKind;
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::trace::TraceDispute;
use tapcourt_prover::{Disputable, Duty};
use tapcourt_verifier::{Claim, TranscriptReport};

use crate::game::Game;
use crate::liars::{Anyway, FalseStep, OtherInput};
use crate::machine::{BASE, INPUT, SUM, court};
use crate::parties::{DELTA_BLOCKS, EXPIRY_BLOCKS, Parties};

fn everyone(_: Role, _: &Duty) -> bool {
    true
}

/// A step of the program that reads two registers and is not the first: `mul a0, a0, t0`.
pub(crate) const MUL_STEP: u64 = 6;

fn assert_disproved(report: &TranscriptReport, stage: Stage, leaf: &str) {
    assert_eq!(
        (report.settled_by, report.winner, report.is_just()),
        (Some(Kind::Disprove(stage)), Some(Role::Challenger), true),
        "{report}"
    );
    let fired = report.fired.as_ref().unwrap();
    assert!(fired.name.starts_with(leaf), "{report}");
    assert!(report.spendable.contains(&(stage, fired.leaf)), "{report}");
}

#[test]
fn an_undisputed_claim_is_paid_after_delta() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let truth = TraceDispute::new(parties.court());
    let claim = truth.claim(&INPUT);
    assert!(truth.accepts(&claim).unwrap());
    let mut game = Game::new(&parties, &contract, [&truth, &truth], Some(claim));
    let report = game.play(everyone);
    assert_eq!(
        (report.settled_by, report.is_just()),
        (Some(Kind::Payout), true)
    );
    let kickoff = game.height_of(Kind::Kickoff(0)).unwrap();
    let due = kickoff + u32::from(DELTA_BLOCKS);
    assert_eq!(game.height_of(Kind::Payout), Some(due));
}

#[test]
fn a_true_claim_is_paid_whatever_is_selected_and_opened() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let truth = TraceDispute::new(parties.court());
    let mut games = 0;
    for (selects, opens) in [
        (0, None),
        (3, None),
        (7, None),
        (0, Some(0)),
        (2, Some(1)),
        (4, Some(2)),
        (7, Some(3)),
    ] {
        let challenger = Anyway::new(parties.court(), selects, opens);
        let claim = truth.claim(&INPUT);
        let mut game = Game::new(&parties, &contract, [&truth, &challenger], Some(claim));
        let report = game.play(everyone);
        let stage = match opens {
            None => Stage::Dispute,
            Some(_) => Stage::Opening,
        };
        assert_eq!(report.claim, Claim::True);
        assert!(report.false_groups.is_empty() && report.spendable.is_empty());
        assert_eq!(
            (report.settled_by, report.winner, report.is_just()),
            (Some(Kind::PayoutDisputed(stage)), Some(Role::Prover), true),
            "{report}"
        );
        games += 1;
    }
    println!("covered: {games} games in memory; challenges without cause failed");
}

/// The agreed program with one instruction replaced.
fn patched(agreed: &Program, place: usize, instruction: Instruction) -> Program {
    let rom = agreed.rom();
    let mut code: Vec<u32> = rom
        .iter()
        .map(|(_, instruction)| instruction.encode())
        .collect();
    code[place] = instruction.encode();
    let rom = Rom::new(vec![(BASE, code)]).unwrap();
    let image = Image::new(agreed.image().pieces().to_vec()).unwrap();
    Program::new(BASE, rom, image, Symbols::default()).unwrap()
}

#[test]
fn a_false_claim_loses_after_the_dispute() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let agreed = parties.court();
    let truth = TraceDispute::new(agreed);
    // One adds what is missing, the other leaves in the first step.
    let zero = Register::ZERO;
    let t1 = Register::new(6);
    let adds = patched(
        agreed.program(),
        5,
        Instruction::new(Op::Addi, t1, t1, zero, 1),
    );
    let leaves = patched(
        agreed.program(),
        0,
        Instruction::new(Op::Jal, zero, zero, zero, 8),
    );
    let others = [adds, leaves].map(|program| court(program, vec![8, 8], vec![6, 6]));
    let others: Vec<TraceDispute<'_>> = others.iter().map(TraceDispute::new).collect();
    let other_input = OtherInput::new(agreed, &[INPUT[0] + 1, INPUT[1], INPUT[2]]);
    let liars: [(&dyn Disputable, &str); 4] = [
        (&truth, "accept"),
        (&other_input, "input("),
        // It reads a register that holds 0, and the load that stands there would be at 4: no
        // memory.
        (&others[0], "stop("),
        (&others[1], "semantics("),
    ];
    for (liar, leaf) in liars {
        let claim = truth.claim(&INPUT);
        let mut game = Game::new(&parties, &contract, [liar, &truth], Some(claim));
        let report = game.play(everyone);
        println!("{report}\n");
        assert_eq!(report.claim, Claim::False);
        assert_disproved(&report, Stage::Dispute, leaf);
    }
}

#[test]
fn another_program_altogether_loses_at_the_start() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let truth = TraceDispute::new(parties.court());
    let agreed = parties.court().program();
    // Its memory is another, so that all of its states are.
    let code = agreed
        .rom()
        .iter()
        .map(|(_, instruction)| instruction.encode());
    let rom = Rom::new(vec![(BASE, code.collect())]).unwrap();
    let image = Image::new(vec![(0x0200_0004, vec![1, 0, 0, 0])]).unwrap();
    let other = Program::new(BASE, rom, image, Symbols::default()).unwrap();
    let other = court(other, vec![8, 8], vec![6, 6]);
    let liar = TraceDispute::new(&other);
    let claim = truth.claim(&INPUT);
    let mut game = Game::new(&parties, &contract, [&liar, &truth], Some(claim));
    assert_disproved(&game.play(everyone), Stage::Dispute, "start");
}

#[test]
fn a_false_word_loses_after_the_opening() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut liars = Vec::new();
    for step in [2, MUL_STEP, 8, 12, 30] {
        for access in [PathAccess::A, PathAccess::B, PathAccess::Memory] {
            liars.extend(FalseStep::reads(court, &INPUT, step, access));
        }
        liars.push(FalseStep::next_root(court, &INPUT, step));
    }
    for liar in &liars {
        let claim = truth.claim(&INPUT);
        let mut game = Game::new(&parties, &contract, [liar, &truth], Some(claim));
        let report = game.play(everyone);
        assert_disproved(&report, Stage::Opening, "path(");
        *ends.entry(report.fired.unwrap().name).or_default() += 1;
    }
    println!(
        "covered: {} games in memory; liars lost: {ends:?}",
        liars.len()
    );
    assert!(ends.len() >= 3, "{ends:?}");
}

#[test]
fn who_stalls_loses_everything_at_every_move() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let truth = TraceDispute::new(court);
    let liar = FalseStep::reads(court, &INPUT, MUL_STEP, PathAccess::A).unwrap();
    let layout = &parties.graph.terms().layout;
    let mut kinds: Vec<Kind> = layout.all_kinds().map(|(kind, _)| kind).collect();
    kinds.extend([Kind::Challenge, Kind::Disprove(Stage::Opening)]);
    let mut taken = BTreeMap::<Role, usize>::new();
    for &stalled in &kinds {
        let claim = truth.claim(&INPUT);
        let mut game = Game::new(&parties, &contract, [&liar, &truth], Some(claim));
        let report = game.play(|_, duty| duty.kind != stalled);
        let late = stalled.timeout().unwrap();
        assert_eq!(report.settled_by, Some(late), "{report}");
        let winner = stalled.mover().unwrap().other();
        let (delay, expected) = match stalled {
            Kind::Kickoff(0) => (EXPIRY_BLOCKS, None),
            _ => (DELTA_BLOCKS, Some(winner)),
        };
        assert_eq!(report.winner, expected);
        // It waits for the timelock and no longer, from the last move before.
        let before = game.prover.state.confirmed().iter().rev().nth(1).unwrap();
        let due = before.height + u32::from(delay);
        assert_eq!(game.height_of(late), Some(due), "{report}");
        if ![Kind::Expire, Kind::Payout].contains(&late) {
            let (_, outputs) = parties.graph.outputs(late).unwrap();
            let paid = outputs
                .iter()
                .filter(|output| matches!(output.kind, OutputKind::Paid(_)));
            assert!(paid.clone().count() >= 1);
            assert!(
                paid.into_iter()
                    .all(|output| output.kind == OutputKind::Paid(winner))
            );
        }
        *taken.entry(winner).or_default() += 1;
    }
    println!("{taken:?}");
    assert_eq!(taken.len(), 2);
}
