//! `inspect leaf`: leaves of a RISC-V program.

use tapcourt_compiler::riscv::{Court, End, Group, StepLeaf};
use tapcourt_script::asm;

use super::super::compile::example_challenger;
use super::compile::example_keys;
use crate::error::{CliError, CliResult};
use crate::output::Facts;
use crate::riscv::place;

/// The numbers of the leaves that check the instructions at these addresses.
pub(crate) fn checking(court: &Court, addresses: &[u32]) -> CliResult<Vec<usize>> {
    let steps = court.steps();
    let numbers = addresses.iter().map(|&pc| {
        let number = steps.index(StepLeaf::Semantics { pc });
        number.ok_or_else(|| CliError::new(format!("there is no instruction at {pc:#010x}")))
    });
    numbers.collect()
}

/// What there is to know of leaves that check a step, each when it is asked for.
///
/// # Panics
///
/// If there is no leaf of a number.
pub(crate) fn facts(court: &Court, numbers: &[usize]) -> CliResult<impl Iterator<Item = Facts>> {
    let keys = example_keys(court)?;
    let challenger = example_challenger()?;
    Ok(numbers.iter().map(move |&index| {
        let script = court
            .leaf_source(End::Step, &keys, challenger)
            .script(index);
        of(court, index, &asm::to_text(&script))
    }))
}

fn of(court: &Court, index: usize, script: &str) -> Facts {
    let (program, steps) = (court.program(), court.steps());
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
    facts
        .with("opens", opened)
        .with("script_bytes", size.script_bytes)
        .with("body_bytes", body.len())
        .with("witness_bytes_max", size.witness_bytes_max)
        .with("weight", size.weight_wu_max)
        .with("opcodes", size.opcodes)
        .with("max_stack", size.max_stack)
        .with("body", asm::to_text(&body))
        .with("script", script)
}
