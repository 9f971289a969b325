//! RISC-V programs and their inputs, from arguments and files.

use std::path::Path;

use serde::Serialize;
use tapcourt_program::riscv::{
    AddressSpace, ElfReport, ElfWarning, Program, State, StopReason, Tree,
};

use crate::args::SpaceArgs;
use crate::error::{CliError, CliResult};
use crate::input::Input;
use crate::output::comment;
use crate::program::ProgramFile;

/// The longest program that is read.
pub(crate) const MAX_ELF_BYTES: u64 = 256 << 20;

/// How an ELF file begins.
pub(crate) const MAGIC: &[u8] = b"\x7fELF";

/// Whether contents are those of a RISC-V program.
pub(crate) fn is_elf(contents: &[u8]) -> bool {
    contents.starts_with(MAGIC)
}

/// Reads a program that is to have this memory.
pub(crate) fn read_program_in(path: &Path, space: SpaceArgs) -> CliResult<Program> {
    ProgramFile::read(path)?.riscv_in(space.address_space)
}

/// Parses a program that is to have this memory, or what suits it. Nothing is printed.
pub(crate) fn parse_elf(
    elf: &[u8],
    path: &Path,
    space: Option<AddressSpace>,
) -> CliResult<ElfReport> {
    let report = Program::read_elf(elf).map_err(|error| CliError::file(path, error))?;
    match space {
        None => Ok(report),
        Some(space) => report
            .with_space(space)
            .map_err(|error| CliError::file(path, error)),
    }
}

/// Prints what a program's file is worth a warning for.
pub(crate) fn warn(warnings: &[ElfWarning], path: &Path) {
    for warning in warnings {
        comment(format!("warning: {}: {warning}", path.display()));
    }
}

/// Warnings as they are in JSON.
pub(crate) fn texts(warnings: &[ElfWarning]) -> Vec<String> {
    warnings.iter().map(ElfWarning::to_string).collect()
}

/// Reads `--input` of a RISC-V program.
pub(crate) fn parse_input(text: &str) -> CliResult<Vec<u32>> {
    Input::read("--input", text)?.words()
}

/// The root of the first state's Merkle tree.
pub(crate) fn initial_root(program: &Program) -> [u8; 20] {
    Tree::of_state(&State::new(program)).root().to_bytes()
}

/// Why a program stays where it is, for JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StopRow {
    /// `exit`, `missing-input`, `misaligned` …
    reason: &'static str,
    /// The same in words, with the values.
    pub(crate) why: String,
}

impl From<StopReason> for StopRow {
    fn from(reason: StopReason) -> Self {
        Self {
            reason: reason.name(),
            why: reason.to_string(),
        }
    }
}

/// `0x00010074 <main+16>`.
pub(crate) fn place(program: &Program, pc: u32) -> String {
    match program.symbols().at(pc) {
        Some(symbol) if symbol.address == pc => format!("{pc:#010x} <{}>", symbol.name),
        Some(symbol) => format!("{pc:#010x} <{}+{}>", symbol.name, pc - symbol.address),
        None => format!("{pc:#010x}"),
    }
}
