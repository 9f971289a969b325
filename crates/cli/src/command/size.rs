//! `size`: what bit commitments, gadgets and the leaves of programs cost, exactly.

mod diff;
mod formats;
mod ledger;
mod peers;
mod plot;
mod rows;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use self::diff::Difference;
use self::formats::Rows;
use crate::error::{CliError, CliResult, Verdict};
use crate::files;
use crate::output::{Output, write_out};

/// Arguments of `size`.
#[derive(Debug, Args)]
pub(crate) struct SizeArgs {
    /// A netlist whose leaves are listed too; may be given more than once.
    #[arg(long, value_name = "NETLIST")]
    program: Vec<PathBuf>,
    /// How to print the table, or the differences.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Print tab-separated values in a fixed order, as they are committed to compare with.
    #[arg(long, conflicts_with_all = ["json", "format"])]
    ledger: bool,
    /// Print what has been added, removed and changed since this ledger was printed, instead of the table. Leaves of netlists that are
    /// not given are not compared.
    #[arg(long, value_name = "LEDGER", conflicts_with = "ledger")]
    diff: Option<PathBuf>,
    /// Draw the sizes, too: to this file if its name ends in '.svg', or else as 'gadgets.svg' and 'winternitz.svg' in this directory.
    #[arg(long, value_name = "DIRECTORY_OR_SVG")]
    plot: Option<PathBuf>,
}

/// How to print a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for people.
    Table,
    /// A table for a document.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// An array of objects; the same as --json.
    Json,
}

impl SizeArgs {
    fn format(&self, output: &Output) -> CliResult<Format> {
        match (self.format, output.is_json()) {
            (format, false) => Ok(format.unwrap_or(Format::Table)),
            (None | Some(Format::Json), true) => Ok(Format::Json),
            (Some(format), true) => Err(CliError::new(format!(
                "--json cannot be used with --format {}",
                format!("{format:?}").to_lowercase()
            ))),
        }
    }
}

/// Measures, draws, and prints the sizes or what has changed.
pub(crate) fn run(args: &SizeArgs, output: &Output) -> CliResult<Verdict> {
    let format = args.format(output)?;
    let committed = args
        .diff
        .as_ref()
        .map(|path| {
            let text = files::read_text(path, files::MAX_SMALL_FILE_BYTES)?;
            ledger::read(&text).map_err(|error| CliError::file(path, error))
        })
        .transpose()?;
    let rows = Rows(rows::measure(&args.program)?);
    if let Some(path) = &args.plot {
        plot::write(path, &rows.0)?;
    }
    if args.ledger {
        write_out(&ledger::write(&rows.0)?)?;
        return Ok(Verdict::Accept);
    }
    let Some(committed) = committed else {
        formats::print(&rows, format)?;
        return Ok(Verdict::Accept);
    };
    let programs: Vec<String> = args
        .program
        .iter()
        .map(|path| rows::file_name(path))
        .collect::<CliResult<_>>()?;
    let difference = Difference::between(&committed, &ledger::entries(&rows.0), &programs);
    difference.comment();
    formats::print(&difference, format)?;
    Ok(Verdict::accept_if(difference.is_empty()))
}
