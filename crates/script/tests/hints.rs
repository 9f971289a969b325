//! Soundness of the gadgets that take hints: whatever the hints are, the true result is left or the script fails.

#[path = "common/random.rs"]
mod random;
#[path = "common/scale.rs"]
mod scale;

use std::sync::atomic::{AtomicUsize, Ordering};

use bitcoin::ScriptBuf;
use tapcourt_script::encode_number;
use tapcourt_script::gadgets::u32::{Argument, Divide, Hinted, Multiply, Product};
use tapcourt_script::interpreter::{FailureReason, Rules, execute};

use self::random::Random;
use self::scale::scaled;

/// A gadget with hints, at some size.
enum Gadget {
    Multiply(Multiply),
    Divide(Divide),
}

struct Checker {
    name: &'static str,
    gadget: Gadget,
    hinted: Hinted,
    script: ScriptBuf,
    digits: usize,
    cases: AtomicUsize,
    accepted: AtomicUsize,
}

impl Checker {
    fn all(digits: usize) -> Vec<Self> {
        let gadgets = [
            (
                "low product",
                Gadget::Multiply(Multiply::new(digits, Product::Low)),
            ),
            (
                "full product",
                Gadget::Multiply(Multiply::new(digits, Product::Full)),
            ),
            ("division", Gadget::Divide(Divide::new(digits))),
        ];
        gadgets
            .into_iter()
            .map(|(name, gadget)| {
                let hinted = match &gadget {
                    Gadget::Multiply(gadget) => gadget.hinted(),
                    Gadget::Divide(gadget) => gadget.hinted(),
                };
                Self {
                    name,
                    script: ScriptBuf::from_bytes(hinted.code.clone()),
                    gadget,
                    hinted,
                    digits,
                    cases: AtomicUsize::new(0),
                    accepted: AtomicUsize::new(0),
                }
            })
            .collect()
    }

    fn hints(&self, a: u64, b: u64) -> Vec<i64> {
        match &self.gadget {
            Gadget::Multiply(gadget) => gadget.hints(a, b),
            Gadget::Divide(gadget) => gadget.hints(a, b),
        }
    }

    fn expected(&self, a: u64, b: u64) -> Vec<u64> {
        match &self.gadget {
            Gadget::Multiply(gadget) => gadget.expected(a, b),
            Gadget::Divide(gadget) => gadget.expected(a, b),
        }
    }

    /// Runs the script by consensus rules. If it comes to its end, it must leave the true result. Says whether it does.
    fn check(&self, a: u64, b: u64, hints: &[Vec<u8>]) -> bool {
        let operands = self.hinted.stack(&[a, b], &vec![0; hints.len()]);
        let items = self.hinted.arguments.iter().zip(operands);
        let stack = items.map(|(argument, number)| match *argument {
            Argument::Hint(hint) => hints[hint].clone(),
            Argument::Digit { .. } => encode_number(number),
        });
        let execution = execute(&self.script, stack.collect(), None, Rules::Consensus);
        let ended = execution.result.as_ref().map_or_else(
            |failure| {
                matches!(
                    failure.reason,
                    FailureReason::CleanStack { .. } | FailureReason::EvalFalse
                )
            },
            |()| true,
        );
        self.cases.fetch_add(1, Ordering::Relaxed);
        if ended {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            let left = self.hinted.left(&self.expected(a, b));
            let left: Vec<Vec<u8>> = left.into_iter().map(encode_number).collect();
            assert_eq!(
                execution.stack, left,
                "{} of {a:#x} and {b:#x} with hints {hints:x?}",
                self.name
            );
            assert!(execution.altstack.is_empty());
            assert!(execution.max_stack <= self.hinted.arguments.len() + self.hinted.peak);
        }
        ended
    }

    fn report(&self) {
        println!(
            "{} of {} bits: {} cases, {} accepted with the true result, the others failed",
            self.name,
            4 * self.digits,
            self.cases.load(Ordering::Relaxed),
            self.accepted.load(Ordering::Relaxed)
        );
        println!(
            "covered: {} hints of {} bits",
            self.cases.load(Ordering::Relaxed),
            4 * self.digits
        );
    }
}

fn encoded(hints: &[i64]) -> Vec<Vec<u8>> {
    hints.iter().map(|&hint| encode_number(hint)).collect()
}

/// Other encodings of a number, the longest with more bytes than opcodes take.
fn encodings(number: i64) -> Vec<Vec<u8>> {
    let minimal = encode_number(number);
    let mut longer = Vec::new();
    let mut bytes = minimal;
    while bytes.len() < 5 {
        match bytes.last_mut() {
            None => bytes.push(0),
            Some(last) => {
                let sign = *last & 0x80;
                *last &= 0x7f;
                bytes.push(sign);
            }
        }
        longer.push(bytes.clone());
    }
    if number == 0 {
        longer.extend([vec![0x80], vec![0, 0x80], vec![0, 0, 0, 0x80]]);
    }
    longer
}

/// Splits `0..count` among the cores.
fn in_parallel(count: u64, work: impl Fn(u64) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64; // cast ok: a handful
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let work = &work;
            scope.spawn(move || (thread..count).step_by(threads as usize).for_each(work)); // cast ok: a handful
        }
    });
}

/// At 4 bits: all operands; for each hint all values from far below to far above its range, in every encoding; all pairs of hints near their range.
#[test]
fn four_bits_exhaustively() {
    for checker in Checker::all(1) {
        for (a, b) in (0..16).flat_map(|a| (0..16).map(move |b| (a, b))) {
            let hints = checker.hints(a, b);
            let honest = encoded(&hints);
            assert!(
                checker.check(a, b, &honest),
                "{} accepts true hints",
                checker.name
            );
            for hint in 0..hints.len() {
                for value in -70..=300 {
                    let mut claimed = honest.clone();
                    claimed[hint] = encode_number(value);
                    let ended = checker.check(a, b, &claimed);
                    assert_eq!(ended, value == hints[hint], "one value is accepted");
                    if (-1..=16).contains(&value) {
                        for encoding in encodings(value) {
                            claimed[hint] = encoding;
                            checker.check(a, b, &claimed);
                        }
                    }
                }
            }
            if let [_, _] = hints[..] {
                for (first, second) in (-3..=34).flat_map(|x| (-3..=34).map(move |y| (x, y))) {
                    let ended = checker.check(a, b, &encoded(&[first, second]));
                    assert_eq!(ended, hints == [first, second], "one pair is accepted");
                }
            }
        }
        checker.report();
    }
}

/// Pairs of operands at 8 bits: every fourth of all, or so many times more as `TAPCOURT_SCALE`
/// says. At 4, as in `scripts/test`, it is all of them: 21,823,488 executions.
fn pairs_of_eight_bits() -> u64 {
    scaled(1 << 14).min(1 << 16) as u64 // cast ok: at most 2^16
}

/// At 8 bits, for each hint all values within its range and next to it, and negative ones.
#[test]
fn eight_bits() {
    for checker in Checker::all(2) {
        in_parallel(pairs_of_eight_bits(), |index| {
            // The multiples of an odd number: all pairs if all are asked for, and any run of them has every digit.
            let operands = (index * 0x9e37) & 0xffff;
            let (a, b) = (operands >> 8, operands & 255);
            let hints = checker.hints(a, b);
            let honest = encoded(&hints);
            assert!(
                checker.check(a, b, &honest),
                "{} accepts true hints",
                checker.name
            );
            for hint in 0..hints.len() {
                // What a column carries is at most (2·15·15 + 30) / 16 = 30.
                for value in -2..=31 {
                    if value != hints[hint] {
                        let mut claimed = honest.clone();
                        claimed[hint] = encode_number(value);
                        assert!(!checker.check(a, b, &claimed), "no other value is accepted");
                    }
                }
            }
        });
        checker.report();
    }
}

/// A division of 8 bits: every claim of quotient and remainder, with the carries that fit it best.
#[test]
fn every_claimed_division_of_eight_bits() {
    const OPERANDS: [(u64, u64); 9] = [
        (0, 0),
        (255, 0),
        (7, 0),
        (0, 1),
        (255, 1),
        (254, 3),
        (127, 16),
        (200, 255),
        (255, 255),
    ];
    let checker = Checker::all(2).pop().expect("the division is last");
    let Gadget::Divide(divide) = &checker.gadget else {
        panic!("the division is last");
    };
    in_parallel(1 << 16, |claim| {
        let claim = [claim >> 8, claim & 255];
        for (a, b) in OPERANDS {
            let hints = encoded(&divide.hints_for([a, b], claim));
            let ended = checker.check(a, b, &hints);
            assert_eq!(
                ended,
                checker.expected(a, b) == claim,
                "{a} / {b} = {claim:?}"
            );
        }
    });
    checker.report();
}

impl Random {
    fn word(&mut self) -> u64 {
        let word = self.next() >> 32;
        match self.next() % 8 {
            0 => 0,
            1 => u64::from(u32::MAX),
            2 => 1 << (self.next() % 32),
            3 | 4 => word >> (self.next() % 32),
            _ => word,
        }
    }

    /// A hint that may be anything.
    fn hint(&mut self, honest: i64) -> Vec<u8> {
        let small = (self.next() % 40) as i64; // cast ok: below 40
        match self.next() % 9 {
            0 => encode_number(honest + 1),
            1 => encode_number(honest - 1),
            2 => encode_number(honest + 16 - small),
            3 => encode_number(-honest),
            4 => encode_number(small),
            5 => encode_number((self.next() as u32 as i64) - (1 << 31)), // cast ok: any 32 bits
            6 => {
                let others = encodings(honest);
                others
                    .get(self.next() as usize % 5)
                    .cloned()
                    .unwrap_or_default() // cast ok: reduced
            }
            7 => encode_number(honest + (1 << (self.next() % 31))),
            _ => self.next().to_le_bytes()[..self.next() as usize % 6].to_vec(), // cast ok: reduced
        }
    }
}

/// At full size: random operands with hints of which some are anything.
#[test]
fn thirty_two_bits_by_fuzzing() {
    for checker in Checker::all(8) {
        in_parallel(20_000, |seed| {
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (seed + 1) << 20);
            let (a, b) = (random.word(), random.word());
            let hints = checker.hints(a, b);
            let honest = encoded(&hints);
            assert!(
                checker.check(a, b, &honest),
                "{} accepts true hints",
                checker.name
            );
            for _ in 0..6 {
                let mut claimed = honest.clone();
                for _ in 0..1 + random.next() % 3 {
                    let hint = random.next() as usize % hints.len(); // cast ok: reduced
                    claimed[hint] = random.hint(hints[hint]);
                }
                checker.check(a, b, &claimed);
            }
        });
        checker.report();
    }
}

/// Divisions at full size whose equation holds modulo 2^32 only, or whose remainder is not below the divisor.
#[test]
fn divisions_that_almost_hold() {
    let checker = Checker::all(8).pop().expect("the division is last");
    let Gadget::Divide(divide) = &checker.gadget else {
        panic!("the division is last");
    };
    in_parallel(20_000, |seed| {
        let mut random = Random(0x0123_4567_89ab_cdef ^ (seed + 1) << 20);
        let (a, b) = (random.word(), random.word() | 1);
        let mask = u64::from(u32::MAX);
        // The inverse of an odd number modulo 2^32, by Newton's iteration.
        let inverse = (0..5).fold(b, |x, _| {
            x.wrapping_mul(2u64.wrapping_sub(b.wrapping_mul(x)))
        });
        let remainder = random.next() % b;
        let wrapped = a.wrapping_sub(remainder).wrapping_mul(inverse) & mask;
        let less = (a / b).saturating_sub(random.next() % 3);
        let claims = [
            [wrapped, remainder],
            [less, (a - less * b) & mask],
            [a / b + 1, a.wrapping_sub((a / b + 1) * b) & mask],
            [mask, a],
            [0, a],
        ];
        for claim in claims {
            let hints = encoded(&divide.hints_for([a, b], claim));
            let ended = checker.check(a, b, &hints);
            assert_eq!(
                ended,
                checker.expected(a, b) == claim,
                "{a} / {b} = {claim:?}"
            );
            let by_zero = encoded(&divide.hints_for([a, 0], claim));
            let ended = checker.check(a, 0, &by_zero);
            assert_eq!(ended, claim == [mask, a], "{a} / 0 = {claim:?}");
        }
    });
    checker.report();
}
