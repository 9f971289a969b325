//! `run`: the reference semantics of a netlist, or a RISC-V program.

use std::fmt;

use clap::Args;
use serde::Serialize;
use tapcourt_program::circuit::{format_bits, format_hex};

use super::riscv;
use crate::args::{InputArgs, ProgramArgs, SpaceArgs};
use crate::count::count;
use crate::error::{CliResult, Verdict};
use crate::output::Output;
use crate::program::{is_accepted, parse_accept};

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Of a RISC-V program: how many steps it may take.
    #[arg(long, value_name = "STEPS", default_value = "2^32", value_parser = count::<u64>("steps", 0..=u64::MAX))]
    max_steps: u64,
    #[command(flatten)]
    space: SpaceArgs,
}

#[derive(Serialize)]
struct Evaluation {
    outputs: Vec<OutputValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<bool>,
}

#[derive(Serialize)]
struct OutputValue {
    bits: String,
    hex: String,
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for output in &self.outputs {
            writeln!(f, "{}  {}", output.bits, output.hex)?;
        }
        match self.accepted {
            None => Ok(()),
            Some(true) => writeln!(f, "accepted"),
            Some(false) => writeln!(f, "not accepted"),
        }
    }
}

/// Evaluates; with `--accept`, rejects outputs that are not accepted.
pub(crate) fn run(args: &RunArgs, output: &Output) -> CliResult<Verdict> {
    let file = args.program.read()?;
    let input = args.input.read()?;
    if file.is_elf() {
        args.program.accept.refuse_for_elf()?;
        return riscv::run::run(&file, args.space, &input, args.max_steps, output);
    }
    let circuit = file.circuit()?;
    let accept = parse_accept(args.program.accept.accept.as_deref(), &circuit)?;
    let bits = circuit.evaluate(&input.bits(&circuit)?)?;
    let mut rest = bits.as_slice();
    let values = circuit.outputs.iter().map(|&width| {
        let (value, after) = rest.split_at(width as usize);
        rest = after;
        OutputValue {
            bits: format_bits(value),
            hex: format_hex(value),
        }
    });
    let outputs = values.collect();
    let accepted = is_accepted(&bits, &accept);
    output.print(&Evaluation {
        outputs,
        accepted: (!accept.is_empty()).then_some(accepted),
    })?;
    Ok(Verdict::accept_if(accepted))
}
