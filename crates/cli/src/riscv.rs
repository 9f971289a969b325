//! RISC-V programs and their inputs, from arguments and files.

use std::path::Path;

use serde::Serialize;
use tapcourt_program::riscv::{ElfReport, ElfWarning, Program, State, StopReason, Tree};

use crate::args::SpaceArgs;
use crate::error::{CliError, CliResult};
use crate::files;

/// The longest program that is read.
pub(crate) const MAX_ELF_BYTES: u64 = 256 << 20;

/// How an ELF file begins.
pub(crate) const MAGIC: &[u8] = b"\x7fELF";

/// Whether a file is to be read as a RISC-V program.
pub(crate) fn is_elf(path: &Path) -> CliResult<bool> {
    use std::io::Read;
    let failed = |error| CliError::file(path, error);
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(failed)?; // cast ok: four
    Ok(start == MAGIC)
}

/// Reads a program that is to have this memory.
pub(crate) fn read_program_in(path: &Path, space: SpaceArgs) -> CliResult<Program> {
    read_report_in(path, space).map(|report| report.program)
}

/// The same with the warnings that were printed.
pub(crate) fn read_report_in(path: &Path, space: SpaceArgs) -> CliResult<ElfReport> {
    let mut report = read_report(path)?;
    if let Some(space) = space.address_space {
        let program = report.program.with_space(space);
        report.program = program.map_err(|error| CliError::file(path, error))?;
    }
    Ok(report)
}

/// Reads a program, and prints what its file is worth a warning for.
pub(crate) fn read_program(path: &Path) -> CliResult<Program> {
    read_report(path).map(|report| report.program)
}

/// Reads a program with the warnings that were printed.
pub(crate) fn read_report(path: &Path) -> CliResult<ElfReport> {
    let elf = files::read(path, MAX_ELF_BYTES)?;
    parse_elf(&elf, path)
}

/// Reads a program from the contents of a file, and prints warnings to standard error.
pub(crate) fn parse_elf(elf: &[u8], path: &Path) -> CliResult<ElfReport> {
    let report = Program::read_elf(elf).map_err(|error| CliError::file(path, error))?;
    for warning in &report.warnings {
        eprintln!("warning: {}: {warning}", path.display());
    }
    Ok(report)
}

/// Warnings as they are in JSON.
pub(crate) fn texts(warnings: &[ElfWarning]) -> Vec<String> {
    warnings.iter().map(ElfWarning::to_string).collect()
}

/// Reads `--input` of a RISC-V program: words, or `hex:` and bytes, or `@` and a file that has either, or bytes as they are.
///
/// Bytes are packed into words with the first one lowest, and zeros behind the last.
pub(crate) fn parse_input(text: &str) -> CliResult<Vec<u32>> {
    parse_input_of("--input", text)
}

/// The same of another argument.
pub(crate) fn parse_input_of(argument: &str, text: &str) -> CliResult<Vec<u32>> {
    let wrong = |error: String| CliError::new(format!("{argument}: {error}"));
    match text.strip_prefix('@') {
        None => parse_words(text).map_err(wrong),
        Some(path) => {
            let path = Path::new(path);
            let contents = files::read(path, files::MAX_SMALL_FILE_BYTES)?;
            let text = std::str::from_utf8(&contents).ok().map(str::trim);
            match text.map(parse_words) {
                Some(Ok(words)) => Ok(words),
                // `hex:` says that it was meant as text.
                Some(Err(error)) if contents.starts_with(b"hex:") => {
                    Err(CliError::file(path, error))
                }
                _ => Ok(words_of(&contents)),
            }
        }
    }
}

pub(crate) fn parse_words(text: &str) -> Result<Vec<u32>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(digits) = text.strip_prefix("hex:") {
        let bytes = hex::decode(digits.trim())
            .map_err(|error| format!("{error} in the bytes after 'hex:'"))?;
        return Ok(words_of(&bytes));
    }
    let word = |part: &str| {
        let part = part.trim();
        let parsed = match part.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => part.parse(),
        };
        parsed.map_err(|error| format!("{part:?} is no word of 32 bits: {error}"))
    };
    text.split(',').map(word).collect()
}

fn words_of(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(word)
    });
    words.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_words_or_bytes() {
        assert!(parse_input("").expect("none").is_empty());
        assert_eq!(
            parse_input("1, 0xff,4294967295").expect("words"),
            [1, 255, u32::MAX]
        );
        assert_eq!(
            parse_input("hex:0102030405").expect("bytes"),
            [0x0403_0201, 5]
        );
        for wrong in ["0x100000000", "-1", "1,,2", "hex:123", "hex:zz", "one"] {
            assert!(parse_input(wrong).is_err(), "{wrong}");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        let text = format!("@{}", file.path().display());
        for (contents, words) in [
            (&b"hex:ff00\n"[..], &[0x00ff][..]),
            (b"7, 8\n", &[7, 8]),
            (b"\xff\xfe\x01\x02\x03", &[0x0201_feff, 3]),
            (b"", &[]),
        ] {
            std::fs::write(file.path(), contents).expect("written");
            assert_eq!(parse_input(&text).expect("words or bytes"), words);
        }
        std::fs::write(file.path(), "hex:1").expect("written");
        assert!(parse_input(&text).is_err());
    }
}
