//! Both directions of soundness of a program's leaves: true claims are safe, untrue ones are not.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_compiler::circuit::Role;
use tapcourt_program::circuit::{Circuit, format_bits};

use crate::trial::{Published, Trial};

/// How much to try.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Random assignments.
    pub assignments: usize,
    /// Bits to flip, one at a time, for each assignment; all of them if there are no more.
    pub flips: usize,
    /// Lies about several bits for each assignment.
    pub lies: usize,
    /// Leaves that must not be spendable, to be run for each lie; all of them if there are no more.
    pub idle_leaves: usize,
}

/// What was tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Programs.
    pub programs: usize,
    /// Programs that were cut: some values in between are committed to.
    pub cut_programs: usize,
    /// Leaves of all programs.
    pub leaves: usize,
    /// Leaves that add up whole columns with a table.
    pub tables: usize,
    /// Inputs evaluated.
    pub assignments: usize,
    /// Lies of one bit.
    pub flips: usize,
    /// Lies of several bits.
    pub lies: usize,
    /// Spends that succeeded.
    pub spent: usize,
    /// Spends that failed at the leaf's end.
    pub refused: usize,
}

impl Tally {
    /// Prints what was tried as coverage.
    pub fn cover(&self, of: &str) {
        println!(
            "covered: {} leaves {of}, {} lies {of}, {} spends {of}",
            self.leaves,
            self.flips + self.lies,
            self.spent + self.refused
        );
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.programs += other.programs;
        self.cut_programs += other.cut_programs;
        self.leaves += other.leaves;
        self.tables += other.tables;
        self.assignments += other.assignments;
        self.flips += other.flips;
        self.lies += other.lies;
        self.spent += other.spent;
        self.refused += other.refused;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} programs ({} cut) with {} leaves ({} with a table), {} assignments, {} single flips, {} larger lies; \
             {} spends succeeded and {} failed at the leaf's end, in the interpreter and in core",
            self.programs,
            self.cut_programs,
            self.leaves,
            self.tables,
            self.assignments,
            self.flips,
            self.lies,
            self.spent,
            self.refused
        )
    }
}

/// A program under test.
#[expect(missing_debug_implementations, reason = "the trial holds secret keys")]
pub struct Subject<'a> {
    /// For messages.
    pub name: &'a str,
    /// The reference.
    pub circuit: &'a Circuit,
    /// What the contract accepts of each output wire; empty: anything.
    pub accept: &'a [Option<bool>],
    /// The compiled program with keys.
    pub trial: &'a Trial,
}

impl Subject<'_> {
    /// Tries honest and lying provers on known and random inputs.
    ///
    /// # Panics
    /// If a leaf is spendable that must not be, or the reverse, or the implementations disagree.
    pub fn examine(&self, inputs: &[Vec<bool>], effort: Effort, rng: &mut ChaCha8Rng) -> Tally {
        let groups = self.trial.compiled.committed_groups();
        let mut tally = Tally {
            programs: 1,
            cut_programs: usize::from(groups.iter().any(|g| g.role() == Role::Intermediate)),
            leaves: self.trial.scripts.len(),
            tables: (0..self.trial.scripts.len())
                .filter(|&leaf| self.trial.clean_up(leaf).is_some())
                .count(),
            ..Tally::default()
        };
        let random = (0..effort.assignments)
            .map(|_| {
                (0..self.circuit.input_bits())
                    .map(|_| rng.r#gen())
                    .collect()
            })
            .collect::<Vec<Vec<bool>>>();
        for input in inputs.iter().chain(&random) {
            self.examine_input(input, effort, rng, &mut tally);
        }
        tally
    }

    fn examine_input(
        &self,
        input: &[bool],
        effort: Effort,
        rng: &mut ChaCha8Rng,
        tally: &mut Tally,
    ) {
        tally.assignments += 1;
        let compiled = &self.trial.compiled;
        let honest = self.trial.publish(self.honest_values(input));
        assert_eq!(
            compiled.published_input(&honest.values),
            input,
            "{}: input read back",
            self.name
        );
        let all = 0..self.trial.scripts.len();
        let true_claim = self.is_accepted(input);
        let mut wrong: BTreeSet<usize> = all
            .clone()
            .filter(|&leaf| self.trial.spends(leaf, &honest))
            .collect();
        tally.spent += wrong.len();
        tally.refused += all.len() - wrong.len();
        assert_eq!(
            compiled.spendable_leaves(&honest.values),
            Vec::from_iter(wrong.iter().copied()),
            "{}: the engine and the leaves, honest values of {}",
            self.name,
            format_bits(input)
        );
        assert_eq!(
            wrong.is_empty(),
            true_claim,
            "{}: honest values of {}, a claim that is {true_claim}, can be disproved by {:?}",
            self.name,
            format_bits(input),
            self.leaf_names(&wrong)
        );
        wrong.clear();

        let bits: Vec<(usize, usize)> = (honest.values.iter().enumerate())
            .flat_map(|(group, bits)| (0..bits.len()).map(move |bit| (group, bit)))
            .collect();
        let mut flipped: Vec<(usize, usize)> =
            bits.choose_multiple(rng, effort.flips).copied().collect();
        flipped.sort_unstable();
        for (group, bit) in flipped {
            let mut lie = honest.values[group].clone();
            lie[bit] ^= true;
            let published = self.trial.publish_group(&honest, group, lie);
            self.examine_lie(&published, effort, rng, tally);
            tally.flips += 1;
        }
        for _ in 0..effort.lies {
            let published = self.random_lie(&honest, rng);
            self.examine_lie(&published, effort, rng, tally);
            tally.lies += 1;
        }
    }

    /// Some groups wrong, and sometimes some of them from another input.
    fn random_lie(&self, honest: &Published, rng: &mut ChaCha8Rng) -> Published {
        let mut published = honest.clone();
        let groups = honest.values.len();
        let other: Vec<bool> = (0..self.circuit.input_bits())
            .map(|_| rng.r#gen())
            .collect();
        let other = self.honest_values(&other);
        let mixed = rng.gen_bool(0.5);
        for _ in 0..rng.gen_range(1..=groups.min(4)) {
            let group = rng.gen_range(0..groups);
            let bits = if mixed {
                other[group].clone()
            } else {
                let mut bits = published.values[group].clone();
                for _ in 0..rng.gen_range(1..4) {
                    let bit = rng.gen_range(0..bits.len());
                    bits[bit] ^= true;
                }
                bits
            };
            published = self.trial.publish_group(&published, group, bits);
        }
        published
    }

    /// Published values, true or not: some leaf must be spendable exactly if they are not the honest values of the
    /// published input, and the leaves must be those that the engine names.
    fn examine_lie(
        &self,
        published: &Published,
        effort: Effort,
        rng: &mut ChaCha8Rng,
        tally: &mut Tally,
    ) {
        let compiled = &self.trial.compiled;
        let input = compiled.published_input(&published.values);
        let true_values = self.honest_values(&input);
        let true_claim = true_values == published.values && self.is_accepted(&input);
        let named = compiled.spendable_leaves(&published.values);
        let about = || {
            let groups = compiled.committed_groups();
            let lies: Vec<String> = (true_values.iter().zip(&published.values))
                .zip(groups)
                .filter(|((honest, bits), _)| honest != bits)
                .map(|((honest, bits), group)| {
                    let label = group.label();
                    format!("{label}: {} for {}", format_bits(bits), format_bits(honest))
                })
                .collect();
            format!(
                "{}, input {}, lies {lies:?}",
                self.name,
                format_bits(&input)
            )
        };
        assert_eq!(named.is_empty(), true_claim, "{}", about());
        let fault = compiled.find_fault(&published.values);
        assert_eq!(fault.is_some(), !named.is_empty(), "{}", about());
        assert!(
            fault.is_none_or(|leaf| named.contains(&leaf)),
            "{}",
            about()
        );

        // A group alone that is wrong is caught by its own leaf.
        let wrong: Vec<usize> = (0..true_values.len())
            .filter(|&group| true_values[group] != published.values[group])
            .collect();
        if let [group] = wrong[..] {
            let label = compiled.groups()[group].label();
            assert_ne!(compiled.groups()[group].role(), Role::Input, "{}", about());
            assert!(
                self.leaf_names(&named.iter().copied().collect())
                    .contains(&label),
                "{}: the leaf of {label} is not spendable",
                about()
            );
        }
        let idle: Vec<usize> = (0..self.trial.scripts.len())
            .filter(|leaf| !named.contains(leaf))
            .collect();
        let some_idle = idle.choose_multiple(rng, effort.idle_leaves).copied();
        for leaf in named.iter().copied().chain(some_idle) {
            let spent = self.trial.spends(leaf, published);
            assert_eq!(
                spent,
                named.contains(&leaf),
                "{}: leaf {}",
                about(),
                compiled.leaves()[leaf].name()
            );
            if spent {
                tally.spent += 1;
            } else {
                tally.refused += 1;
            }
        }
    }

    /// The values that the compiled program computes, after the outputs were held against the circuit.
    fn honest_values(&self, input: &[bool]) -> Vec<Vec<bool>> {
        let compiled = &self.trial.compiled;
        let expected = self
            .circuit
            .evaluate(input)
            .expect("as many bits as inputs");
        let output = compiled.output(input).expect("as many bits as inputs");
        assert_eq!(
            format_bits(&output),
            format_bits(&expected),
            "{}: output for {}",
            self.name,
            format_bits(input)
        );
        compiled.values(input).expect("as many bits as inputs")
    }

    fn is_accepted(&self, input: &[bool]) -> bool {
        let output = self
            .circuit
            .evaluate(input)
            .expect("as many bits as inputs");
        (output.iter().zip(self.accept)).all(|(bit, accept)| accept.is_none_or(|a| a == *bit))
    }

    fn leaf_names(&self, leaves: &BTreeSet<usize>) -> Vec<&str> {
        leaves
            .iter()
            .map(|&leaf| self.trial.compiled.leaves()[leaf].name())
            .collect()
    }
}
