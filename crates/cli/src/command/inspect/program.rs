//! What a RISC-V program consists of.

use std::collections::BTreeMap;
use std::path::Path;

use tapcourt_program::riscv::{Instruction, Program};

use crate::error::{CliError, CliResult};
use crate::output::Facts;
use crate::riscv::place;

/// Reads a program, and says what is in it.
pub(super) fn inspect(path: &Path, contents: &[u8]) -> CliResult<Facts> {
    let program = Program::from_elf(contents).map_err(|error| CliError::file(path, error))?;
    let rom = program.rom();
    let range = |base: u32, bytes: u64| {
        let end = u64::from(base) + bytes;
        format!("{base:#010x} to {end:#010x}, {bytes} bytes")
    };
    let code = rom.segments().iter();
    let code = code.map(|segment| range(segment.base(), u64::from(segment.end() - segment.base())));
    let pieces = program.image().pieces().iter();
    // cast ok: usize has at most 64 bits
    let memory = pieces.map(|(base, bytes)| range(*base, bytes.len() as u64));
    let zeros = program.zeros().iter();
    let zeros = zeros.map(|&(base, bytes)| range(base, bytes));
    let image_bytes: usize = program
        .image()
        .pieces()
        .iter()
        .map(|(_, bytes)| bytes.len())
        .sum();
    Ok(Facts::new()
        .with("kind", "RISC-V program")
        .with("file_bytes", contents.len())
        .with("entry", program.entry())
        .with("entry_place", place(&program, program.entry()))
        .with("code", code.collect::<Vec<_>>())
        .with("instructions", rom.len())
        .with("instructions_by_kind", by_kind(&program))
        .with("memory", memory.collect::<Vec<_>>())
        .with("image_bytes", image_bytes)
        .with("zeros", zeros.collect::<Vec<_>>())
        .with_text("address_space", program.space())
        .with("symbols", program.symbols().iter().count()))
}

/// How many instructions there are of each kind, the most frequent first: `81 addi`.
fn by_kind(program: &Program) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, instruction) in program.rom().iter() {
        let name = match instruction {
            Instruction::ILLEGAL => "illegal",
            instruction => instruction.op.mnemonic(),
        };
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    let counts = counts.into_iter();
    counts
        .map(|(name, count)| format!("{count} {name}"))
        .collect()
}
