//! Transcripts of contracts about a trace.

use bitcoin::Transaction;
use tapcourt_compiler::riscv::{Court, PathAccess, Published};
use tapcourt_program::riscv::{DisputedStep, Execution, StepRecord};
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_verifier::{Claim, Contract, TransactionFault, TranscriptReport};

use crate::machine::{INPUT, SUM};
use crate::parties::{Parties, Values};
use crate::said::{up_to_sibling, up_to_step, up_to_step_of, values};

fn judge(contract: &Contract<'_>, moves: &[Transaction]) -> TranscriptReport {
    let report = contract.verify_transcript(moves).unwrap();
    println!("{report}\n");
    report
}

/// The moves of the opening.
fn opened(parties: &Parties, values: &Values) -> Vec<Transaction> {
    let layout = &parties.graph.terms().layout;
    let kinds = layout.kinds(Stage::Opening).map(|(kind, _)| kind);
    kinds.map(|kind| parties.finish(kind, values)).collect()
}

/// The labels of the prover's groups in which two publications differ.
fn differing(court: &Court, said: &Published, truth: &Published) -> Vec<String> {
    let groups = said
        .groups()
        .filter(|&group| said.bits(group) != truth.bits(group));
    groups
        .filter_map(|group| court.number(tapcourt_compiler::riscv::Party::Prover, group))
        .map(|number| court.entries()[number].label.clone())
        .collect()
}

/// Says that the challenger spends a leaf rightly, and that it should have if it does not.
fn assert_disproved(
    parties: &Parties,
    contract: &Contract<'_>,
    values: &Values,
    moves: &mut Vec<Transaction>,
    (stage, leaf): (Stage, usize),
    name: &str,
) {
    moves.push(parties.finish(Kind::PayoutDisputed(stage), values));
    let missed = judge(contract, moves);
    assert_eq!(
        (missed.winner, missed.is_just()),
        (Some(Role::Prover), false)
    );
    moves.pop();
    moves.push(parties.disprove(stage, leaf, values).unwrap());
    let report = judge(contract, moves);
    assert_eq!(report.settled_by, Some(Kind::Disprove(stage)));
    let fired = report.fired.clone().unwrap();
    assert_eq!((fired.stage, fired.leaf), (stage, leaf));
    assert_eq!(fired.name, name);
    assert_eq!(
        (report.winner, report.rightful, report.is_just()),
        (Some(Role::Challenger), Some(Role::Challenger), true)
    );
}

#[test]
fn a_true_claim_is_the_provers_at_every_end() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let mut execution = Execution::new(court.program(), &INPUT[..]);
    let step = 20;
    let mut published = up_to_step_of(court, &INPUT, step, &mut execution);
    up_to_sibling(
        court,
        &mut published,
        step,
        &mut execution,
        PathAccess::Old,
        7,
    );
    let values = values(court, &published);

    let mut moves = vec![
        parties.contract(),
        parties.finish(Kind::Kickoff(0), &values),
    ];
    let open = judge(&contract, &moves);
    assert_eq!(
        (open.claim, open.settled_by, open.rightful),
        (Claim::True, None, Some(Role::Prover))
    );
    moves.push(parties.finish(Kind::Payout, &values));
    let paid = judge(&contract, &moves);
    assert_eq!((paid.winner, paid.is_just()), (Some(Role::Prover), true));

    let mut moves = parties.disputed(&values);
    for stage in [Stage::Dispute, Stage::Opening] {
        if stage == Stage::Opening {
            moves.extend(opened(&parties, &values));
        }
        let open = judge(&contract, &moves);
        assert_eq!((open.winner, open.rightful), (None, Some(Role::Prover)));
        moves.push(parties.finish(Kind::PayoutDisputed(stage), &values));
        let report = judge(&contract, &moves);
        assert_eq!(report.claim, Claim::True);
        assert!(report.spendable.is_empty() && report.false_groups.is_empty());
        assert_eq!(
            (report.winner, report.is_just()),
            (Some(Role::Prover), true)
        );
        moves.pop();
    }
}

#[test]
fn no_leaf_disproves_a_true_claim() {
    let parties = Parties::trace(SUM);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let mut execution = Execution::new(court.program(), &INPUT[..]);
    let (mut failed, mut not_opened) = (0, 0);
    // The first and the last step, of each of which one end is no digest.
    for (step, access, level) in [(0, PathAccess::Old, 30), (63, PathAccess::Memory, 35)] {
        let mut published = up_to_step_of(court, &INPUT, step, &mut execution);
        up_to_sibling(court, &mut published, step, &mut execution, access, level);
        let values = values(court, &published);
        for stage in [Stage::Dispute, Stage::Opening] {
            for leaf in 0..parties.program.leaf_count(stage) {
                let Some(disprove) = parties.disprove(stage, leaf, &values) else {
                    not_opened += 1;
                    continue;
                };
                let fault = contract.verify_transaction(&disprove).unwrap_err();
                let expected = Kind::Disprove(stage);
                assert!(
                    matches!(fault, TransactionFault::Witness { kind, vin: 0, .. } if kind == expected),
                    "{fault}"
                );
                failed += 1;
            }
        }
    }
    println!(
        "covered: {failed} leaves against the truth; {not_opened} ask for what was not revealed"
    );
    assert!(failed > 0);
}

#[test]
fn a_claim_that_is_not_accepted_is_false_at_the_last_step() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let mut execution = Execution::new(court.program(), &INPUT[..]);
    let published = up_to_step_of(court, &INPUT, 63, &mut execution);
    let values = values(court, &published);
    let mut moves = parties.disputed(&values);
    let open = judge(&contract, &moves);
    assert_eq!((open.claim, open.winner), (Claim::False, None));
    assert_eq!(open.rightful, Some(Role::Challenger));
    assert!(open.false_groups.is_empty(), "{:?}", open.false_groups);
    let [leaf] = open.spendable[..] else {
        panic!("one leaf, not {:?}", open.spendable)
    };
    assert_disproved(&parties, &contract, &values, &mut moves, leaf, "accept");
}

#[test]
fn another_input_than_the_claimed_one_is_named() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    // 1·6 + 2·7 + 3·11 is what is expected.
    let other = [INPUT[0] + 1, INPUT[1], INPUT[2]];
    let mut liar = Execution::new(court.program(), &other[..]);
    let mut truth = Execution::new(court.program(), &INPUT[..]);
    let step = (0..court.steps_claimed())
        .find(|step| liar.digest_at(step + 1) != truth.digest_at(step + 1))
        .unwrap();
    let published = up_to_step_of(court, &INPUT, step, &mut liar);
    let honest = up_to_step_of(court, &INPUT, step, &mut truth);
    let values = values(court, &published);
    let mut moves = parties.disputed(&values);
    let open = judge(&contract, &moves);
    assert_eq!(open.claim, Claim::False);
    let mut expected = differing(court, &published, &honest);
    let mut named = open.false_groups.clone();
    expected.sort();
    named.sort();
    assert_eq!(named, expected);
    assert!(named.contains(&"step/words".to_owned()), "{named:?}");
    let [leaf] = open.spendable[..] else {
        panic!("one leaf, not {:?}", open.spendable)
    };
    let name = contract.program().leaf_name(leaf.0, leaf.1).unwrap();
    assert!(name.starts_with("input("), "{name}");
    assert_disproved(&parties, &contract, &values, &mut moves, leaf, &name);
}

/// The first step that reads a register which is not zero, and what it would be if another word were there.
fn false_read(court: &Court, execution: &mut Execution<'_>) -> (u64, StepRecord) {
    let step = (8..court.steps_claimed())
        .find(|&step| execution.record_at(step).a.value != 0)
        .unwrap();
    let mut record = execution.record_at(step);
    record.a.value ^= 1;
    let instruction = court.program().rom().get(record.pc);
    (
        step,
        record.consequence(instruction, 3, court.program().space()),
    )
}

#[test]
fn a_false_word_is_disproved_after_the_opening() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let mut truth = Execution::new(court.program(), &INPUT[..]);
    let (step, record) = false_read(court, &mut truth);
    let honest = truth.step_at(step);
    let (_, path) = truth.path_at(step, record.w.cell);
    let said = DisputedStep {
        record,
        next_root: path.root(record.w.value),
        ..honest
    };
    // True up to the step, consistent with it after it, and nonsense from there on.
    let mut published = up_to_step(court, &INPUT, step, &said, |border| {
        if border <= step {
            truth.digest_at(border).to_bytes()
        } else if border == step + 1 {
            said.next_digest().to_bytes()
        } else {
            [0xee; 20]
        }
    });
    up_to_sibling(court, &mut published, step, &mut truth, PathAccess::A, 0);
    let values = values(court, &published);
    let mut moves = parties.disputed(&values);
    let open = judge(&contract, &moves);
    assert_eq!(open.claim, Claim::False);
    assert!(open.spendable.is_empty(), "{:?}", open.spendable);
    assert_eq!(open.rightful, Some(Role::Challenger));
    assert!(open.false_groups.contains(&"step/words".to_owned()));
    moves.extend(opened(&parties, &values));
    let open = judge(&contract, &moves);
    let [leaf] = open.spendable[..] else {
        panic!("one leaf, not {:?}", open.spendable)
    };
    assert_eq!(leaf.0, Stage::Opening);
    let name = contract.program().leaf_name(leaf.0, leaf.1).unwrap();
    assert!(name.starts_with("path(a, 0"), "{name}");
    assert_disproved(&parties, &contract, &values, &mut moves, leaf, &name);
}

#[test]
fn who_is_late_loses_whatever_the_claim() {
    let parties = Parties::trace(SUM + 1);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let court = parties.court();
    let mut execution = Execution::new(court.program(), &INPUT[..]);
    let mut published = up_to_step_of(court, &INPUT, 3, &mut execution);
    up_to_sibling(court, &mut published, 3, &mut execution, PathAccess::A, 0);
    let values = values(court, &published);
    let layout = &parties.graph.terms().layout;
    let mut moves = vec![
        parties.contract(),
        parties.finish(Kind::Kickoff(0), &values),
        parties.finish(Kind::Challenge, &values),
    ];
    let mut selects = 0;
    for (kind, _) in layout
        .kinds(Stage::Dispute)
        .chain(layout.kinds(Stage::Opening))
    {
        let late = kind.timeout().unwrap();
        moves.push(parties.finish(late, &values));
        let report = judge(&contract, &moves);
        let winner = kind.mover().unwrap().other();
        assert_eq!(report.settled_by, Some(late));
        assert_eq!(report.winner, Some(winner));
        if kind == Kind::OPEN {
            // All that the rules say is known then: the claim is false, and it is paid.
            assert!(!report.is_just());
        } else {
            assert_eq!((report.rightful, report.is_just()), (Some(winner), true));
            selects += u32::from(matches!(late, Kind::SelectTimeout(..)));
        }
        moves.pop();
        moves.push(parties.finish(kind, &values));
    }
    assert_eq!(selects, 4);
}
