//! The rows of the table: what is measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitcoin::FeeRate;
use serde::Serialize;
use tapcourt_commitment::{Objective, OpenDigits, Parameters, ParametersError, Size};
use tapcourt_compiler::circuit::Compiled;
use tapcourt_compiler::riscv::{Court, CourtOptions, Options, Search};
use tapcourt_compiler::{LeafSize, riscv};
use tapcourt_program::riscv::{self as riscv32, Instruction};
use tapcourt_script::gadgets::{GadgetSize, catalogue};
use tapcourt_script::limits::MAX_STACK_SIZE;
use tapcourt_verifier::Program;

use super::peers::{self, Peer};
use crate::command::plan::quoted_parameters;
use crate::error::{CliError, CliResult};
use crate::program::{ProgramFile, compile};

/// One line of the table.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    /// Without the tables if `table_bytes` is given.
    pub(super) script_bytes: usize,
    /// Mean over random messages or inputs, rounded; with the length prefix of each item.
    pub(super) witness_bytes: usize,
    /// Script and witness, which are charged one weight unit a byte.
    pub(super) weight: usize,
    pub(super) opcodes: usize,
    pub(super) max_stack: usize,
    /// Weight for each bit of the message, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wu_per_bit: Option<f64>,
    /// What sets up and removes tables, which a leaf shares among its gadgets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) table_bytes: Option<usize>,
    /// Bytes of the script before scheduling and optimising.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unoptimised_bytes: Option<usize>,
    /// What scheduling and optimising saved of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gain_percent: Option<f64>,
    /// The same quantity elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peer: Option<&'static Peer>,
    /// Ours divided by the peer's: below 1 is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ratio: Option<f64>,
}

impl Row {
    fn new(
        name: String,
        script_bytes: usize,
        witness_bytes_mean: f64,
        opcodes: usize,
        max_stack: usize,
    ) -> Self {
        let witness_bytes = witness_bytes_mean.round() as usize; // cast ok: positive, and far below 2^32
        Self {
            name,
            script_bytes,
            witness_bytes,
            weight: script_bytes + witness_bytes,
            opcodes,
            max_stack,
            ..Self::default()
        }
    }

    fn of_commitment(name: String, size: &Size, bits: usize) -> Self {
        let mut row = Self::new(
            name,
            size.script_bytes,
            size.witness_bytes_mean,
            size.opcodes,
            size.max_stack,
        );
        row.wu_per_bit = Some(rounded(row.weight as f64 / bits as f64)); // casts ok: far below 2^52
        row.compared()
    }

    fn of_gadget(gadget: GadgetSize) -> Self {
        let mut row = Self::new(
            gadget.name,
            gadget.script_bytes,
            gadget.witness_bytes_mean,
            gadget.opcodes,
            gadget.max_stack,
        );
        row.table_bytes = gadget.table_bytes;
        row.unoptimised_bytes = gadget.unoptimised_bytes;
        row.gain_percent = gadget
            .unoptimised_bytes
            .filter(|&bytes| bytes > 0)
            .map(|bytes| 100.0 * (1.0 - row.script_bytes as f64 / bytes as f64)) // casts ok: as above
            .map(rounded);
        row.compared()
    }

    fn of_leaf(file: &str, compiled: &Compiled, leaf: usize) -> Self {
        let size = compiled.leaf_size(leaf);
        Self::of_leaf_size(format!("{}{leaf}", leaf_prefix(file)), &size)
    }

    fn of_leaf_size(name: String, size: &LeafSize) -> Self {
        Self::new(
            name,
            size.script_bytes,
            size.witness_bytes_mean,
            size.opcodes,
            size.max_stack,
        )
    }

    /// Adds the peer's figure.
    fn compared(mut self) -> Self {
        if let Some(peer) = peers::find(&self.name) {
            self.ratio = Some(rounded(peer.quantity.of(&self) / peer.figure));
            self.peer = Some(peer);
        }
        self
    }
}

/// Three digits behind the point are enough for ratios, percentages and weights a bit.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Sizes of messages, in bytes, whose commitments are listed.
pub(super) const MESSAGE_BYTES: [usize; 6] = [4, 16, 20, 32, 80, 140];

/// Most items on the stacks while a commitment is published or opened: the stack holds [`MAX_STACK_SIZE`], and a leaf needs some for itself.
const MAX_STACK: usize = MAX_STACK_SIZE - 50;

/// Everything, in natural order of the names.
pub(super) fn measure(programs: &[PathBuf]) -> CliResult<Vec<Row>> {
    let mut rows = gadgets()?;
    rows.extend(steps()?);
    rows.extend(disputes()?);
    for path in programs {
        rows.extend(leaves(path)?);
    }
    rows.sort_by(|a, b| natural_order(&a.name, &b.name));
    Ok(rows)
}

/// Orders names so that `16B` comes after `4B`.
pub(super) fn natural_order(a: &str, b: &str) -> std::cmp::Ordering {
    alphanumeric_sort::compare_str(a, b).then_with(|| a.cmp(b))
}

/// What needs no program: commitments and the catalogue of gadgets.
fn gadgets() -> CliResult<Vec<Row>> {
    let mut rows = commitments()?;
    rows.extend(catalogue().into_iter().map(Row::of_gadget));
    Ok(rows)
}

/// The leaves that check a step of a RISC-V program, and the mean over all instructions.
fn steps() -> CliResult<Vec<Row>> {
    let sizes = riscv::catalogue()?;
    let mut rows: Vec<Row> = sizes
        .into_iter()
        .map(|(name, size)| Row::of_leaf_size(name, &size))
        .collect();
    let instructions: Vec<&Row> = rows
        .iter()
        .filter(|row| row.name.starts_with(INSTRUCTIONS))
        .collect();
    let count = instructions.len();
    let mean = |of: fn(&Row) -> usize| {
        (instructions.iter().map(|row| of(row)).sum::<usize>() + count / 2) / count
    };
    let mut average = Row::new(
        format!("{INSTRUCTIONS}mean"),
        mean(|row| row.script_bytes),
        mean(|row| row.witness_bytes) as f64, // cast ok: far below 2^52
        mean(|row| row.opcodes),
        mean(|row| row.max_stack),
    );
    average = average.compared();
    rows.push(average);
    Ok(rows)
}

/// Whole disputes over a trace, all transactions together but fee children, with 32 bytes of input: in the worst case, with the longest
/// witnesses, and if nobody disputes. The program matters to none of it, as the worst case ends at a Merkle node.
fn disputes() -> CliResult<Vec<Row>> {
    let parameters = quoted_parameters(144, 1_008, FeeRate::BROADCAST_MIN)?;
    let mut rows = Vec::new();
    for log2_steps in [20, 32] {
        let options = CourtOptions {
            steps: Options {
                fixed: Vec::new(),
                inputs: 8,
                search: Search::uniform(log2_steps, LOG2_ARITY)?,
            },
            path: None,
            space: None,
        };
        let program = riscv32::Program::from_instructions(0x1_0000, &[Instruction::ECALL])?;
        let court = Court::compile(Arc::new(program), options)?;
        let quote = Program::trace(court)?.quote(parameters.clone())?;
        for (ending, bill) in [("worst", &quote.worst), ("undisputed", &quote.best)] {
            let weight = bill.lines.iter().map(|line| line.weight_wu).sum::<u64>();
            rows.push(Row {
                name: format!("dispute/2^{log2_steps}/{ending}"),
                weight: weight as usize, // cast ok: far below 2^32
                ..Row::default()
            });
        }
    }
    Ok(rows)
}

/// The logarithm of the arity of the disputes that are listed.
const LOG2_ARITY: u8 = 2;

/// What the names of leaves that check an instruction begin with.
const INSTRUCTIONS: &str = "rv32/";

/// The cheapest commitments of some lengths, published, and opened to their bits.
fn commitments() -> CliResult<Vec<Row>> {
    let published = Objective {
        max_stack: Some(MAX_STACK),
        ..Objective::default()
    };
    let opened = Objective {
        publish: 0.0,
        open: 1.0,
        ..published
    };
    let digits = Objective {
        publish: 0.0,
        open_digits: 1.0,
        ..published
    };
    let mut rows = Vec::new();
    for bytes in MESSAGE_BYTES {
        let bits = 8 * bytes;
        let name = format!("winternitz/{bytes}B");
        let open_name = format!("{name}/open");
        let digits_name = format!("{name}/digits");
        let published = fitting(bits, &published, Parameters::publish_size)?;
        rows.extend(published.map(|size| Row::of_commitment(name, &size, bits)));
        let opened = fitting(bits, &opened, Parameters::open_bits_size)?;
        rows.extend(opened.map(|size| Row::of_commitment(open_name, &size, bits)));
        let digits = fitting(bits, &digits, |parameters| {
            parameters.open_digits_size(&OpenDigits::natural(parameters))
        })?;
        rows.extend(digits.map(|size| Row::of_commitment(digits_name, &size, bits)));
    }
    for options in [2, 4, 16] {
        let choice = Parameters::choice(options)?;
        let bits = choice.message_bits();
        let (chosen, repeated) = (choice.choose_size(options), choice.agree_size());
        let name = format!("choice/{options}");
        rows.push(Row::of_commitment(
            format!("{name}/repeat"),
            &repeated,
            bits,
        ));
        rows.push(Row::of_commitment(name, &chosen, bits));
    }
    let bit = Parameters::lamport(1)?;
    let (published, opened) = (bit.publish_size(), bit.open_bits_size());
    rows.push(Row::of_commitment("lamport/1bit".into(), &published, 1));
    rows.push(Row::of_commitment("lamport/1bit/open".into(), &opened, 1));
    Ok(rows)
}

/// The size of the cheapest shape; none if no shape fits on the stack.
fn fitting(
    bits: usize,
    objective: &Objective,
    size: fn(&Parameters) -> Size,
) -> CliResult<Option<Size>> {
    match Parameters::cheapest(bits, objective) {
        Ok(parameters) => Ok(Some(size(&parameters))),
        Err(ParametersError::Items { .. } | ParametersError::Bounds { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The leaves of a program.
fn leaves(path: &Path) -> CliResult<Vec<Row>> {
    let file = file_name(path)?;
    let circuit = ProgramFile::read(path)?.circuit()?;
    let compiled = compile(&circuit, Vec::new(), path)?;
    let leaves = 0..compiled.leaves().len();
    Ok(leaves
        .map(|leaf| Row::of_leaf(&file, &compiled, leaf))
        .collect())
}

/// What the names of leaves begin with, whatever the program.
pub(super) const LEAVES: &str = "circuit/";

/// What the names of a program's leaves begin with.
pub(super) fn leaf_prefix(file: &str) -> String {
    format!("{LEAVES}{file}/chunk-")
}

/// The name under which a program's leaves are listed.
pub(super) fn file_name(path: &Path) -> CliResult<String> {
    let name = path
        .file_name()
        .ok_or_else(|| CliError::file(path, "not a file"))?;
    Ok(name.to_string_lossy().into_owned())
}
