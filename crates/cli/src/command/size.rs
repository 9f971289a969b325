//! `size`: what bit commitments and the leaves of programs cost, exactly.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tapcourt_commitment::{Objective, Parameters, Size};
use tapcourt_compiler::Compiled;

use crate::error::{CliError, CliResult, Verdict};
use crate::output::{Output, Table, thousands, write_out};
use crate::program::{compile, read_circuit};

/// Arguments of `size`.
#[derive(Debug, Args)]
pub(crate) struct SizeArgs {
    /// A netlist whose leaves are listed too; may be given more than once.
    #[arg(long, value_name = "NETLIST")]
    program: Vec<PathBuf>,
    /// Print tab-separated values in a fixed order, as they are committed to compare with.
    #[arg(long, conflicts_with = "json")]
    ledger: bool,
}

/// One line of the table.
#[derive(Serialize)]
struct Row {
    name: String,
    script_bytes: usize,
    /// Mean over random messages, rounded; with the length prefix of each item.
    witness_bytes: usize,
    /// Script and witness, which are charged one weight unit a byte.
    weight: usize,
    opcodes: usize,
    max_stack: usize,
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
        }
    }

    fn of_commitment(name: String, size: &Size) -> Self {
        Self::new(
            name,
            size.script_bytes,
            size.witness_bytes_mean,
            size.opcodes,
            size.max_stack,
        )
    }

    fn of_leaf(file: &str, compiled: &Compiled, leaf: usize) -> Self {
        let size = compiled.leaf_size(leaf);
        Self::new(
            format!("circuit/{file}/chunk-{leaf}"),
            size.script_bytes,
            size.witness_bytes_mean,
            size.opcodes,
            size.max_stack,
        )
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Rows(Vec<Row>);

/// Sizes of messages, in bytes, whose commitments are listed.
const MESSAGE_BYTES: [usize; 4] = [4, 16, 20, 32];

/// The cheapest commitments of some lengths, published, and opened to their bits.
fn commitments() -> CliResult<Vec<Row>> {
    let opened = Objective {
        publish: 0.0,
        open: 1.0,
        ..Objective::PUBLISH
    };
    let mut rows = Vec::new();
    for bytes in MESSAGE_BYTES {
        let bits = 8 * bytes;
        let published = Parameters::cheapest(bits, &Objective::default())?.publish_size();
        rows.push(Row::of_commitment(
            format!("winternitz/{bytes}B"),
            &published,
        ));
        let opened = Parameters::cheapest(bits, &opened)?.open_bits_size();
        rows.push(Row::of_commitment(
            format!("winternitz/{bytes}B/open"),
            &opened,
        ));
    }
    let bit = Parameters::lamport(1)?;
    rows.push(Row::of_commitment(
        "lamport/1bit".to_owned(),
        &bit.publish_size(),
    ));
    rows.push(Row::of_commitment(
        "lamport/1bit/open".to_owned(),
        &bit.open_bits_size(),
    ));
    Ok(rows)
}

/// Measures, and prints.
pub(crate) fn run(args: &SizeArgs, output: &Output) -> CliResult<Verdict> {
    let mut rows = commitments()?;
    let mut programs: Vec<&PathBuf> = args.program.iter().collect();
    programs.sort_by_key(|path| path.file_name());
    for path in programs {
        let circuit = read_circuit(path)?;
        let compiled = compile(&circuit, Vec::new(), path)?;
        let file = path
            .file_name()
            .ok_or_else(|| CliError::file(path, "not a file"))?
            .to_string_lossy();
        let leaves = 0..compiled.leaves().len();
        rows.extend(leaves.map(|leaf| Row::of_leaf(&file, &compiled, leaf)));
    }
    let rows = Rows(rows);
    if args.ledger {
        write_out(&rows.ledger())?;
    } else {
        output.print(&rows)?;
    }
    Ok(Verdict::Accept)
}

impl Rows {
    fn ledger(&self) -> String {
        let mut text = "name\tscript_bytes\twitness_bytes\tweight\topcodes\tmax_stack\n".to_owned();
        for row in &self.0 {
            let Row {
                name,
                script_bytes,
                witness_bytes,
                weight,
                opcodes,
                max_stack,
            } = row;
            writeln!(
                text,
                "{name}\t{script_bytes}\t{witness_bytes}\t{weight}\t{opcodes}\t{max_stack}"
            )
            .expect("a string takes everything");
        }
        text
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "name",
            "script B",
            "witness B",
            "WU",
            "opcodes",
            "max stack",
        ]);
        for row in &self.0 {
            let counts = [
                row.script_bytes,
                row.witness_bytes,
                row.weight,
                row.opcodes,
                row.max_stack,
            ];
            let counts = counts.map(|count| thousands(count as u64)); // cast ok, usize is at most 64 bits
            table.row(std::iter::once(row.name.clone()).chain(counts));
        }
        table.fmt(f)
    }
}
