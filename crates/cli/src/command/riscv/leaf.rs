//! `inspect leaf`: one leaf of a RISC-V program.

use tapcourt_compiler::riscv::{End, Group, StepLeaf};
use tapcourt_script::asm;

use super::super::compile::example_challenger;
use super::compile::{court, example_keys};
use crate::args::SearchArgs;
use crate::error::{CliError, CliResult};
use crate::output::Facts;
use crate::program::ProgramFile;
use crate::riscv::place;

/// Which leaf is looked into.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// By its number.
    Number(usize),
    /// That of the instruction at this address.
    Pc(u32),
}

/// Looks into a leaf that checks a step.
pub(crate) fn inspect(file: &ProgramFile, which: Which, args: &SearchArgs) -> CliResult<Facts> {
    let court = court(file.riscv_in(args.space.address_space)?, args, &file.path)?;
    let (program, steps) = (court.program(), court.steps());
    let index = match which {
        Which::Number(number) if number < steps.len() => number,
        Which::Number(number) => {
            return Err(CliError::new(format!(
                "there is no leaf {number}, the program has {}",
                steps.len()
            )));
        }
        Which::Pc(pc) => steps
            .index(StepLeaf::Semantics { pc })
            .ok_or_else(|| CliError::new(format!("there is no instruction at {pc:#010x}")))?,
    };
    let keys = example_keys(&court)?;
    let script = court
        .leaf_source(End::Step, &keys, example_challenger()?)
        .script(index);
    let size = steps.leaf_size(index);
    let leaf = steps.leaf(index);
    let mut facts = Facts::new().with("leaf", index).with_text("checks", leaf);
    if let StepLeaf::Semantics { pc } = leaf {
        let instruction = program
            .rom()
            .get(pc)
            .map(|instruction| instruction.to_string());
        facts = facts
            .with("place", place(program, pc))
            .with("instruction", instruction);
    }
    let groups = steps.opened_groups(index);
    let opened: Vec<String> = groups.iter().map(Group::to_string).collect();
    let body = steps.body(index);
    Ok(facts
        .with("opens", opened)
        .with("script_bytes", size.script_bytes)
        .with("body_bytes", body.len())
        .with("witness_bytes_max", size.witness_bytes_max)
        .with("weight", size.weight_wu_max)
        .with("opcodes", size.opcodes)
        .with("max_stack", size.max_stack)
        .with("body", asm::to_text(&body))
        .with("script", asm::to_text(&script)))
}
