//! Netlists and their values, from arguments and files.

use std::path::Path;

use tapcourt_compiler::circuit::{Compiled, Options};
use tapcourt_program::circuit::{Circuit, parse_value, parse_values};

use crate::args::ProgramArgs;
use crate::error::{CliError, CliResult};
use crate::files;
use crate::progress::Progress;

/// A netlist, compiled by itself, without a contract.
pub(crate) fn load_circuit(args: &ProgramArgs) -> CliResult<Compiled> {
    let circuit = read_circuit(&args.netlist)?;
    let accept = parse_accept(args.accept.accept.as_deref(), &circuit)?;
    compile(&circuit, accept, &args.netlist)
}

/// Reads a netlist.
pub(crate) fn read_circuit(path: &Path) -> CliResult<Circuit> {
    let netlist = files::read(path, files::MAX_NETLIST_BYTES)?;
    Circuit::parse(&netlist).map_err(|error| CliError::file(path, error))
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

/// Reads `--input`, whose text may be in a file.
pub(crate) fn parse_input(text: &str, circuit: &Circuit) -> CliResult<Vec<bool>> {
    let contents;
    let text = match text.strip_prefix('@') {
        Some(path) => {
            contents = files::read_text(Path::new(path), files::MAX_SMALL_FILE_BYTES)?;
            contents.as_str()
        }
        None => text,
    };
    parse_values(text, &circuit.inputs).map_err(|error| CliError::new(format!("--input: {error}")))
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
