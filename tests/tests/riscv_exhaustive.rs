//! Small disputes gone through exhaustively: every strategy of a prover whose claim is false, and every selection against one whose claim is true.

use std::time::Instant;

use tapcourt_compiler::riscv::{Group, Party};
use tapcourt_protocol::{Role, Stage};
use tapcourt_prover::trace::TraceDispute;
use tapcourt_prover::{Disputable, Values, Verdict};
use tapcourt_tests::riscv::small::{self, INPUT, OTHER_INPUT, Wrong};
use tapcourt_tests::riscv::strategies::Walk;
use tapcourt_verifier::Program;

/// Arities of the search over eight steps, or a few more, and of the search over the 30 levels of a
/// path.
const SEARCHES: [(&[u32], &[u32]); 5] = [
    (&[2, 2, 2], &[2, 2, 2, 2, 2]),
    (&[3, 3], &[3, 3, 3, 2]),
    (&[4, 2], &[4, 2, 2, 2]),
    (&[2, 4], &[2, 2, 4, 2]),
    (&[2, 3, 2], &[3, 2, 3, 2]),
];

#[test]
fn no_strategy_wins_with_a_false_claim() {
    for wrong in [Wrong::Rejects, Wrong::Loops] {
        for (steps, path) in SEARCHES {
            let begin = Instant::now();
            let program = small::disputed(wrong, steps, path);
            let plays = Walk::new(&program, OTHER_INPUT).play();
            let layout = program.layout();
            assert!(plays.longest <= layout.dispute.len() + layout.opening.len());
            println!(
                "{wrong:?}, {steps:?} steps, {path:?} levels: {} plays, at {} points, of at most {} moves, an opening after {} ways to a record: all won, by {:?}; {:.1} s",
                plays.count(),
                plays.points,
                plays.longest,
                plays.opened,
                plays.ends,
                begin.elapsed().as_secs_f64(),
            );
            println!(
                "covered: {} points of all strategies, {} ways to a record",
                plays.points, plays.opened
            );
            for end in [
                "accept",
                "digest",
                "semantics",
                "path(a)",
                "path(old)",
                "path(new)",
            ] {
                assert!(plays.ends.contains_key(end), "no play ends at {end}");
            }
        }
    }
}

/// Whoever may choose anything: the other party's answers to all of it.
struct Choices<'a> {
    program: &'a Program,
    prover: TraceDispute<'a>,
    leaves: usize,
    ends: usize,
}

impl Choices<'_> {
    fn choose(&mut self, stage: Stage, made: usize, values: &Values) {
        let moves = self.program.layout().stage(stage);
        let Some(step) = moves.get(made) else {
            return self.end(stage, values);
        };
        let groups: Vec<usize> = step.batches.iter().flat_map(|b| b.groups()).collect();
        if step.mover == Role::Prover {
            let mut values = values.clone();
            values.extend(self.prover.answer(&groups, &values).expect("published"));
            return self.choose(stage, made + 1, &values);
        }
        let court = small::court(self.program);
        let [number] = groups[..] else {
            panic!("a challenger chooses one thing at a time");
        };
        let entry = &court.entries()[number];
        let options = match entry.group {
            Group::Selection(round) => court.search().arity(round),
            Group::PathSelection(round) => court.paths().search().arity(round),
            _ => 4,
        };
        for option in 0..options {
            let mut values = values.clone();
            let bits = 0..entry.parameters.message_bits();
            values.insert(number, bits.map(|bit| option >> bit & 1 == 1).collect());
            self.choose(stage, made + 1, &values);
        }
    }

    fn end(&mut self, stage: Stage, values: &Values) {
        let court = small::court(self.program);
        let published = self.prover.published(values);
        let verdict = self.prover.judge(stage, values).expect("published");
        assert_eq!(verdict, Verdict::Concede);
        self.ends += 1;
        match stage {
            Stage::Dispute => {
                for leaf in 0..court.steps().len() {
                    let name = court.steps().leaf(leaf);
                    // Digests that were not revealed on this way cannot be opened.
                    let spendable = court.steps().is_spendable(leaf, &published);
                    assert!(!spendable.unwrap_or(false), "{name}");
                    self.leaves += 1;
                }
                self.choose(Stage::Opening, 0, values);
            }
            Stage::Opening => {
                for leaf in 0..court.paths().len() {
                    assert_eq!(court.paths().is_spendable(leaf, &published), Ok(false));
                    self.leaves += 1;
                }
            }
        }
    }
}

/// Arities with which a turn of the prover's takes several transactions.
const LARGE: (&[u32], &[u32]) = (&[16], &[16, 2]);

#[test]
fn no_selection_wins_against_a_true_claim() {
    for (steps, path) in SEARCHES.into_iter().chain([LARGE]) {
        let begin = Instant::now();
        let program = small::disputed(Wrong::Rejects, steps, path);
        let court = small::court(&program);
        let prover = TraceDispute::new(court);
        let claim = prover.claim(&[INPUT]);
        assert_eq!(prover.is_claim_false(&claim), Ok(false));
        assert!(court.number(Party::Challenger, Group::Access).is_some());
        let mut choices = Choices {
            program: &program,
            prover,
            leaves: 0,
            ends: 0,
        };
        choices.choose(Stage::Dispute, 0, &claim);
        println!(
            "{steps:?} steps, {path:?} levels: {} ends of a true claim, {} leaves, none spendable; {:.1} s",
            choices.ends,
            choices.leaves,
            begin.elapsed().as_secs_f64(),
        );
        println!(
            "covered: {} ends of all selections, {} leaves against all selections",
            choices.ends, choices.leaves
        );
    }
}
