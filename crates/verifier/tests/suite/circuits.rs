//! Contracts about circuits.

use std::path::Path;

use tapcourt_compiler::circuit::{Compiled, Options};
use tapcourt_protocol::Parameters;
use tapcourt_verifier::{Program, Source};

use crate::parties::{Parties, Values, parameters};

/// Reads one of the repository's netlists.
pub(crate) fn netlist(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../circuits")
        .join(name);
    std::fs::read(path).unwrap()
}

/// Adds two numbers of 64 bits: one leaf or a few, all outputs free.
pub(crate) fn adder_source() -> (Vec<u8>, Options) {
    (netlist("adder64.txt"), Options::default())
}

/// Says whether one number of 64 bits is below another, and accepts only if it is.
pub(crate) fn compare_source() -> (Vec<u8>, Options) {
    let accept = vec![Some(true)];
    (netlist("compare64.txt"), Options { accept })
}

/// Multiplies two numbers of 32 bits, with values to assert.
pub(crate) fn multiplier_source() -> (Vec<u8>, Options) {
    (netlist("multiply32.txt"), Options::default())
}

/// A list of values as the compiler takes them.
pub(crate) fn list(values: &Values) -> Vec<Vec<bool>> {
    values.values().cloned().collect()
}

impl Parties {
    pub(crate) fn of_circuit(
        (netlist, options): (Vec<u8>, Options),
        parameters: Parameters,
    ) -> Self {
        Self::of(Program::read(&netlist, &options).unwrap(), parameters)
    }

    pub(crate) fn adder() -> Self {
        Self::of_circuit(adder_source(), parameters())
    }

    pub(crate) fn compare() -> Self {
        Self::of_circuit(compare_source(), parameters())
    }

    pub(crate) fn multiplier() -> Self {
        Self::of_circuit(multiplier_source(), parameters())
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        match self.program.source() {
            Source::Circuit(compiled) => compiled,
            Source::Trace(_) => panic!("the contract is about a trace"),
        }
    }

    /// The true values of all groups.
    pub(crate) fn values(&self, input: &[bool]) -> Values {
        let values = self.compiled().values(input).unwrap();
        values.into_iter().enumerate().collect()
    }
}
