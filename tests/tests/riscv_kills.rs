//! Parties that are killed at any write of their stores, or restore an old copy: no key signs twice, nothing is late, the outcome is the same.

use std::collections::BTreeMap;
use std::time::Instant;

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::Disputable;
use tapcourt_prover::trace::{Liar, Lie, LieKind, TraceDispute};
use tapcourt_tests::dispute::DELTA_BLOCKS;
use tapcourt_tests::riscv::restart::{Fault, Make, Needless, Played, Replay};
use tapcourt_tests::riscv::small::{self, INPUT, OTHER_INPUT, Wrong};
use tapcourt_tests::scale::scaled;
use tapcourt_tests::threads::share;
use tapcourt_verifier::Program;

/// Three rounds to a step, two to a level.
fn program() -> Program {
    small::disputed(Wrong::Rejects, &[2, 4], &[16, 2])
}

/// How a game goes without faults.
#[derive(Clone, Copy, Debug)]
enum Course {
    /// The prover lies, and the claim is false.
    Lie(LieKind, u64),
    /// The claim is true, and disputed nevertheless, with selections from a seed.
    Needless(u64),
}

impl Course {
    const ALL: [Self; 7] = [
        Self::Lie(LieKind::Memory, 3),
        Self::Lie(LieKind::NextRoot, 2),
        Self::Lie(LieKind::Written, 4),
        Self::Lie(LieKind::Digest, 5),
        Self::Lie(LieKind::Accept, 7),
        Self::Needless(1),
        Self::Needless(2),
    ];

    fn input(self) -> u32 {
        match self {
            Self::Lie(..) => OTHER_INPUT,
            Self::Needless(_) => INPUT,
        }
    }

    fn make<'a>(self, program: &'a Program) -> Box<Make<'a>> {
        let court = small::court(program);
        Box::new(move |role| -> Box<dyn Disputable + 'a> {
            let truth = TraceDispute::new(court);
            match (self, role) {
                (Self::Lie(kind, step), Role::Prover) => {
                    let lie = Lie {
                        kind,
                        step,
                        field: 0,
                    };
                    Box::new(Liar::new(truth, lie))
                }
                (Self::Needless(seed), Role::Challenger) => Box::new(Needless::new(court, seed)),
                _ => Box::new(truth),
            }
        })
    }

    /// Sets up, plays without faults, and hands both on.
    fn with<R>(self, program: &Program, go_on: impl FnOnce(&Replay<'_>, &Played) -> R) -> R {
        let make = self.make(program);
        let claim = TraceDispute::new(small::court(program)).claim(&[self.input()]);
        let replay = Replay::new(program, claim, make);
        let plain = replay.play(&BTreeMap::new(), false);
        let winner = match self {
            Self::Lie(..) => Role::Challenger,
            Self::Needless(_) => Role::Prover,
        };
        assert_eq!(plain.winner, Some(winner), "{self:?}");
        go_on(&replay, &plain)
    }
}

/// Numbers over many games.
#[derive(Default)]
struct Sum {
    games: usize,
    faults: usize,
    compared: usize,
    deadlines: usize,
}

impl Sum {
    /// Counts a game that ended as the one without faults did.
    fn add(&mut self, played: &Played, plain: &Played) {
        assert_eq!(played.transactions, plain.transactions);
        assert_eq!(played.winner, plain.winner);
        self.games += 1;
        self.faults += played.faults;
        self.compared += played.compared;
        self.deadlines += played.deadlines;
    }

    fn print(&self, what: &str, begin: Instant) {
        println!(
            "{what}: {} games with {} faults, {} openings compared with earlier ones of the same key, {} deadlines kept; {:.1} s",
            self.games,
            self.faults,
            self.compared,
            self.deadlines,
            begin.elapsed().as_secs_f64()
        );
        println!(
            "covered: {} games with kills, {} kills, {} openings compared with earlier ones",
            self.games, self.faults, self.compared
        );
    }
}

/// The longest that a party may be away: what it has to do after that confirms in the last block that is in time.
const LONGEST_BLOCKS: u32 = DELTA_BLOCKS as u32 - 2;

fn away(blocks: u32) -> Fault {
    Fault { blocks, copy: None }
}

/// A game that goes through the opening, killed at every point and away as long as can be; of a back-at-once there are some here, and more at random.
#[test]
fn a_kill_at_any_write_changes_nothing() {
    let program = program();
    let begin = Instant::now();
    Course::Lie(LieKind::Memory, 3).with(&program, |replay, plain| {
        let last = plain.transactions.last().map(|(kind, _)| *kind);
        assert_eq!(last, Some(Kind::Disprove(Stage::Opening)));
        let points = 0..plain.points;
        let at_once = points.clone().step_by(4).map(|point| (point, 0));
        let faults = points.map(|point| (point, LONGEST_BLOCKS)).chain(at_once);
        let played = share(faults, |part| {
            part.into_iter()
                .map(|(point, blocks)| {
                    let played = replay.play(&BTreeMap::from([(point, away(blocks))]), false);
                    assert_eq!(played.faults, 1, "at point {point}");
                    played
                })
                .collect()
        });
        let mut sum = Sum::default();
        played.iter().for_each(|played| sum.add(played, plain));
        let moves = plain.transactions.len();
        sum.print(
            &format!(
                "killed at each of {} points of {moves} transactions",
                plain.points
            ),
            begin,
        );
    });
}

/// Random kills, several a game, of both parties.
#[test]
fn kills_at_random_change_nothing() {
    let program = program();
    let begin = Instant::now();
    let sums = share(Course::ALL, |courses| {
        let mut sums = Vec::new();
        for course in courses {
            let mut random = ChaCha8Rng::seed_from_u64(course.input().into());
            course.with(&program, |replay, plain| {
                let mut sum = Sum::default();
                for _ in 0..scaled(12) {
                    // Together not longer than is in time.
                    let mut left = LONGEST_BLOCKS;
                    let mut faults = BTreeMap::new();
                    for _ in 0..random.gen_range(2..12) {
                        let blocks = random.gen_range(0..=left.min(3));
                        left -= blocks;
                        faults.insert(random.gen_range(0..plain.points), away(blocks));
                    }
                    sum.add(&replay.play(&faults, false), plain);
                }
                sums.push(sum);
            });
        }
        sums
    });
    sums.iter()
        .zip(Course::ALL)
        .for_each(|(sum, course)| sum.print(&format!("killed at random, {course:?}"), begin));
}

/// At every turn of a game, whichever earlier copy of the store a party restores, it would do what it does with its own, with the same openings.
///
/// So by induction over the turns, it goes on to the same outcome.
#[test]
fn no_old_copy_of_a_store_signs_anything_else() {
    let program = program();
    let begin = Instant::now();
    let courses = [Course::Lie(LieKind::Memory, 3), Course::Needless(1)];
    let played = share(courses, |courses| {
        let play = |course: Course| {
            course.with(&program, |replay, plain| {
                let played = replay.play(&BTreeMap::new(), true);
                assert_eq!(played.transactions, plain.transactions);
                played
            })
        };
        courses.into_iter().map(play).collect()
    });
    for (played, course) in played.iter().zip(courses) {
        println!(
            "{course:?}: {} times a copy was asked, {} openings compared; {:.1} s",
            played.copies,
            played.compared,
            begin.elapsed().as_secs_f64()
        );
        println!(
            "covered: {} questions to old copies, {} openings compared with earlier ones",
            played.copies, played.compared
        );
    }
}

/// Copies restored at random, and the game played to its end with them.
#[test]
fn old_copies_restored_at_random_change_nothing() {
    let program = program();
    let begin = Instant::now();
    let sums = share(Course::ALL, |courses| {
        let mut sums = Vec::new();
        for course in courses {
            let mut random = ChaCha8Rng::seed_from_u64(course.input().into());
            course.with(&program, |replay, plain| {
                let mut sum = Sum::default();
                for _ in 0..scaled(8) {
                    let mut faults = BTreeMap::new();
                    for _ in 0..random.gen_range(1..4) {
                        let fault = Fault {
                            blocks: random.gen_range(0..=2),
                            copy: Some(random.r#gen()),
                        };
                        faults.insert(random.gen_range(0..plain.points), fault);
                    }
                    sum.add(&replay.play(&faults, false), plain);
                }
                sums.push(sum);
            });
        }
        sums
    });
    sums.iter()
        .zip(Course::ALL)
        .for_each(|(sum, course)| sum.print(&format!("old copies, {course:?}"), begin));
}
