//! Contracts about the trace of a small program.

use tapcourt_compiler::riscv::Court;
use tapcourt_verifier::{Program, Source};

use crate::machine::{court, program};
use crate::parties::{Parties, parameters};

impl Parties {
    /// That the program of [`program`] makes `expected` of its input, in a trace of 64 steps.
    pub(crate) fn trace(expected: u32) -> Self {
        let court = court(program(expected), vec![8, 8], vec![6, 6]);
        Self::of(Program::trace(court).unwrap(), parameters())
    }

    pub(crate) fn court(&self) -> &Court {
        match self.program.source() {
            Source::Trace(court) => court,
            Source::Circuit(_) => panic!("the contract is about a circuit"),
        }
    }
}
