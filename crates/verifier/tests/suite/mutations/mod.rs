//! Mutations of setups and transcripts, 10⁴ and more of them: each is refused by a fault that names the part or the rule, and none
//! makes the verifier panic.
//!
//! Every mutation follows from the name of its kind and its number. `TAPCOURT_SCALE` multiplies how many there are.

mod bytes;
mod setups;
mod structure;
mod transactions;
mod transcripts;

use std::collections::BTreeMap;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

/// Mutations that the suite makes unscaled.
const TOTAL: usize = setups::CIRCUIT.total()
    + setups::TRACE.total()
    + transcripts::CIRCUIT.total()
    + transcripts::TRACE.total();
const _: () = assert!(TOTAL >= 10_000);

/// As `tapcourt_tests::scale::scaled`.
fn scaled(cases: usize) -> usize {
    let Ok(scale) = env::var("TAPCOURT_SCALE") else {
        return cases;
    };
    let factor: f64 = scale.parse().expect("TAPCOURT_SCALE is a number");
    ((cases as f64 * factor) as usize).max(1)
}

/// What became of mutations: by kind, and by who refused.
#[derive(Default)]
struct Tally {
    count: usize,
    kinds: BTreeMap<String, (usize, BTreeMap<String, usize>)>,
}

impl Tally {
    fn add(&mut self, kind: &str, outcome: String) {
        let (count, outcomes) = self.kinds.entry(kind.to_owned()).or_default();
        *count += 1;
        *outcomes.entry(outcome).or_default() += 1;
        self.count += 1;
    }

    /// Makes some mutations of one kind. `mutate` verifies one and says who refused.
    fn run(
        &mut self,
        kind: &str,
        count: usize,
        mut mutate: impl FnMut(&mut ChaCha20Rng) -> String,
    ) {
        let start = Instant::now();
        let count = scaled(count);
        for number in 0..count {
            let seed = Sha256::digest(format!("{kind} {number}"));
            let mut rng = ChaCha20Rng::from_seed(seed.into());
            match catch_unwind(AssertUnwindSafe(|| mutate(&mut rng))) {
                Ok(outcome) => self.add(kind, outcome),
                Err(panic) => {
                    println!("{kind}: mutation {number} is accepted, or panics");
                    resume_unwind(panic);
                }
            }
        }
        println!("{kind}: {count} in {:.1?}", start.elapsed());
    }

    fn print(&self, what: &str) {
        println!(
            "covered: {} mutations of setups and transcripts; {what}",
            self.count
        );
        for (kind, (count, outcomes)) in &self.kinds {
            let outcomes: Vec<String> = outcomes
                .iter()
                .map(|(outcome, count)| format!("{count} {outcome}"))
                .collect();
            println!("{count:5} {kind}: {}", outcomes.join(", "));
        }
    }
}
