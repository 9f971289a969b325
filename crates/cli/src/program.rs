//! Programs, and what a contract accepts of a netlist's outputs, from arguments and files.

use std::path::{Path, PathBuf};

use tapcourt_compiler::circuit::{Compiled, Options};
use tapcourt_program::circuit::{Circuit, parse_value};
use tapcourt_program::riscv::{self, AddressSpace, ElfReport};

use crate::args::PatternArgs;
use crate::error::{CliError, CliResult};
use crate::files;
use crate::progress::Progress;
use crate::riscv::{MAX_ELF_BYTES, is_elf, parse_elf, warn};

/// A program's file, which is read once: its contents say what it is.
pub(crate) struct ProgramFile {
    pub(crate) path: PathBuf,
    pub(crate) contents: Vec<u8>,
}

impl ProgramFile {
    /// Reads a netlist or a RISC-V program.
    pub(crate) fn read(path: &Path) -> CliResult<Self> {
        let contents = files::read(path, files::MAX_NETLIST_BYTES)?;
        if is_elf(&contents) {
            files::check_length(path, &contents, MAX_ELF_BYTES)?;
        }
        Ok(Self {
            path: path.to_owned(),
            contents,
        })
    }

    /// Whether it is a RISC-V program.
    pub(crate) fn is_elf(&self) -> bool {
        is_elf(&self.contents)
    }

    /// Parses a netlist.
    pub(crate) fn circuit(&self) -> CliResult<Circuit> {
        Circuit::parse(&self.contents).map_err(|error| CliError::file(&self.path, error))
    }

    /// Parses a RISC-V program that is to have this memory, or what suits it.
    pub(crate) fn riscv_in(&self, space: Option<AddressSpace>) -> CliResult<riscv::Program> {
        Ok(self.report_in(space)?.program)
    }

    /// The same with the warnings that were printed.
    pub(crate) fn report_in(&self, space: Option<AddressSpace>) -> CliResult<ElfReport> {
        let report = parse_elf(&self.contents, &self.path, space)?;
        warn(&report.warnings, &self.path);
        Ok(report)
    }

    /// Refuses a RISC-V program that its stack may overwrite, so that a prover may have it accept
    /// what its source rejects.
    pub(crate) fn refuse_stack_hazard(&self, space: Option<AddressSpace>) -> CliResult<()> {
        if !self.is_elf() {
            return Ok(());
        }
        let report = parse_elf(&self.contents, &self.path, space)?;
        match report.program.stack_hazard() {
            None => Ok(()),
            Some(hazard) => Err(CliError::file(
                &self.path,
                format!("{hazard}. With --anyway the contract is about this file nevertheless"),
            )),
        }
    }

    /// Compiles a netlist by itself, without a contract.
    pub(crate) fn compile_circuit(&self, accept: &PatternArgs) -> CliResult<Compiled> {
        let circuit = self.circuit()?;
        let accept = parse_accept(accept.accept.as_deref(), &circuit)?;
        compile(&circuit, accept, &self.path)
    }
}

/// Compiles a circuit, and says so while it takes time.
pub(crate) fn compile(
    circuit: &Circuit,
    accept: Vec<Option<bool>>,
    path: &Path,
) -> CliResult<Compiled> {
    let _progress = Progress::spinner(format!("compiling {}", path.display()));
    Compiled::new(circuit, &Options { accept }).map_err(|error| CliError::file(path, error))
}

/// Reads `--accept`: for each output wire the accepted bit, or `None` where any is accepted. Empty without a pattern.
pub(crate) fn parse_accept(text: Option<&str>, circuit: &Circuit) -> CliResult<Vec<Option<bool>>> {
    let Some(text) = text.map(str::trim) else {
        return Ok(Vec::new());
    };
    let wrong = |reason: String| CliError::new(format!("--accept: {reason}"));
    let is_pattern = |text: &str| text.chars().all(|c| "01?".contains(c));
    if !text.contains(',') && is_pattern(text) && text != "?" {
        let total = circuit.output_bits();
        if text.len() != total {
            return Err(wrong(format!(
                "the pattern has {} bits, the outputs have {total}",
                text.len()
            )));
        }
        return Ok(text.chars().map(accepted_bit).collect());
    }
    let values: Vec<&str> = text.split(',').map(str::trim).collect();
    if values.len() != circuit.outputs.len() {
        return Err(wrong(format!(
            "{} values are given, the circuit has {}",
            values.len(),
            circuit.outputs.len()
        )));
    }
    let mut accept = Vec::with_capacity(circuit.output_bits());
    for (index, (value, &width)) in values.into_iter().zip(&circuit.outputs).enumerate() {
        if value == "?" {
            accept.extend((0..width).map(|_| None));
        } else if is_pattern(value) && value.len() == width as usize {
            accept.extend(value.chars().map(accepted_bit));
        } else {
            let bits = parse_value(value, width)
                .map_err(|error| wrong(format!("value {index} of the outputs: {error}")))?;
            accept.extend(bits.into_iter().map(Some));
        }
    }
    Ok(accept)
}

fn accepted_bit(character: char) -> Option<bool> {
    match character {
        '0' => Some(false),
        '1' => Some(true),
        _ => None,
    }
}

/// Says whether outputs are what is accepted.
pub(crate) fn is_accepted(output: &[bool], accept: &[Option<bool>]) -> bool {
    let mut fixed = output
        .iter()
        .zip(accept)
        .filter_map(|(bit, accept)| accept.map(|accept| (bit, accept)));
    fixed.all(|(bit, accept)| *bit == accept)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two outputs, of 2 and 4 bits.
    fn circuit() -> Circuit {
        let netlist = b"6 12\n2 2 4\n2 2 4\n\n1 1 0 6 INV\n1 1 1 7 INV\n1 1 2 8 INV\n1 1 3 9 INV\n1 1 4 10 INV\n1 1 5 11 INV\n";
        Circuit::parse(netlist).unwrap()
    }

    #[test]
    fn patterns_are_bits_in_wire_order_or_values() {
        let (zero, one, any) = (Some(false), Some(true), None);
        let cases: [(&str, [Option<bool>; 6]); 5] = [
            ("01??10", [zero, one, any, any, one, zero]),
            ("0x1,0x8", [one, zero, zero, zero, zero, one]),
            ("?,0x8", [any, any, zero, zero, zero, one]),
            ("10,?", [one, zero, any, any, any, any]),
            ("??,1?0?", [any, any, one, any, zero, any]),
        ];
        for (text, expected) in cases {
            let accept = parse_accept(Some(text), &circuit()).ok().unwrap();
            assert_eq!(accept, expected, "{text}");
        }
    }

    #[test]
    fn wrong_patterns_are_refused() {
        for text in [
            "", "?", "01", "0101010", "0x1", "0x1,0x10", "0x4,?", "?,?,?", "2?", "0x1,xy",
        ] {
            assert!(parse_accept(Some(text), &circuit()).is_err(), "{text:?}");
        }
    }
}
