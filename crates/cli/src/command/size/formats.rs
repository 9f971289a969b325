//! Tables for people, for documents and for programs.

use serde::Serialize;

use super::Format;
use super::rows::Row;
use crate::error::CliResult;
use crate::output::{Table, thousands, to_json, write_out};

/// What has the form of a table.
pub(super) trait Sheets: Serialize {
    /// The columns that a person wants to see.
    fn for_people(&self) -> Sheet;
    /// Every column, under the names that JSON has.
    fn for_machines(&self) -> Sheet;
}

/// Prints in a format. Nothing is printed for people if there is nothing to tell.
pub(super) fn print(data: &impl Sheets, format: Format) -> CliResult<()> {
    match format {
        Format::Table => data.for_people().print_unless_empty(Sheet::table),
        Format::Markdown => data.for_people().print_unless_empty(Sheet::markdown),
        Format::Csv => write_out(&data.for_machines().csv()?),
        Format::Json => write_out(&to_json(data)?),
    }
}

/// A table of cells.
#[derive(Debug)]
pub(super) struct Sheet {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// A cell, which knows how to be written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Count(usize),
    /// A number, and how many digits of it people see.
    Decimal(f64, usize),
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn count(count: Option<usize>) -> Self {
        count.map_or(Self::Empty, Self::Count)
    }

    pub(super) fn decimal(number: Option<f64>, digits: usize) -> Self {
        number.map_or(Self::Empty, |number| Self::Decimal(number, digits))
    }

    pub(super) fn for_people(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => thousands(*count as u64), // cast ok, usize is at most 64 bits
            Self::Decimal(number, 0) if *number >= 0.0 => thousands(number.round() as u64), // cast ok: not negative
            Self::Decimal(number, digits) => format!("{number:.digits$}"),
        }
    }

    fn for_machines(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Decimal(number, _) => number.to_string(),
        }
    }
}

impl Sheet {
    pub(super) fn new(head: &[&'static str], rows: impl Iterator<Item = Vec<Cell>>) -> Self {
        Self {
            head: head.to_vec(),
            rows: rows.collect(),
        }
    }

    fn print_unless_empty(&self, write: fn(&Self) -> String) -> CliResult<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        write_out(&write(self))
    }

    /// The columns in which something stands.
    fn used_columns(&self) -> Vec<usize> {
        let is_used = |column: &usize| self.rows.iter().any(|row| row[*column] != Cell::Empty);
        (0..self.head.len()).filter(is_used).collect()
    }

    fn table(&self) -> String {
        let columns = self.used_columns();
        let head: Vec<&'static str> = columns.iter().map(|&column| self.head[column]).collect();
        let mut table = Table::new(&head);
        for row in &self.rows {
            table.row(columns.iter().map(|&column| row[column].for_people()));
        }
        table.to_string()
    }

    fn markdown(&self) -> String {
        let columns = self.used_columns();
        let is_text = |column: usize| {
            let mut rows = self.rows.iter();
            rows.any(|row| matches!(row[column], Cell::Text(_)))
        };
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = columns.iter().map(|&column| self.head[column].to_owned());
        let rule = columns
            .iter()
            .map(|&column| if is_text(column) { "---" } else { "---:" }.to_owned());
        let mut text = line(head.collect()) + &line(rule.collect());
        for row in &self.rows {
            let cells = columns.iter().map(|&column| &row[column]);
            text += &line(
                cells
                    .map(|cell| cell.for_people().replace('|', "\\|"))
                    .collect(),
            );
        }
        text
    }

    fn csv(&self) -> CliResult<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.head)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::for_machines))?;
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }
}

/// The table of sizes.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Rows(pub(super) Vec<Row>);

impl Sheets for Rows {
    fn for_people(&self) -> Sheet {
        let head = [
            "name",
            "script B",
            "witness B",
            "WU",
            "opcodes",
            "max stack",
            "WU/bit",
            "tables B",
            "unoptimised B",
            "gain %",
            "ratio",
            "peer",
            "peer's figure",
            "unit",
        ];
        Sheet::new(
            &head,
            self.0.iter().map(|row| {
                let mut cells = sizes(row);
                let peer = row.peer;
                cells.push(Cell::decimal(row.ratio, 3));
                cells.extend([
                    peer.map_or(Cell::Empty, |peer| Cell::text(peer.name)),
                    peer.map_or(Cell::Empty, |peer| {
                        Cell::Decimal(peer.figure, peer.quantity.digits())
                    }),
                    peer.map_or(Cell::Empty, |peer| Cell::text(peer.quantity.unit())),
                ]);
                cells
            }),
        )
    }

    fn for_machines(&self) -> Sheet {
        let head = [
            "name",
            "script_bytes",
            "witness_bytes",
            "weight",
            "opcodes",
            "max_stack",
            "wu_per_bit",
            "table_bytes",
            "unoptimised_bytes",
            "gain_percent",
            "ratio",
            "peer_name",
            "peer_figure",
            "peer_unit",
        ];
        Sheet {
            head: head.to_vec(),
            ..self.for_people()
        }
    }
}

/// The columns before the peer's.
fn sizes(row: &Row) -> Vec<Cell> {
    vec![
        Cell::text(&row.name),
        Cell::Count(row.script_bytes),
        Cell::Count(row.witness_bytes),
        Cell::Count(row.weight),
        Cell::Count(row.opcodes),
        Cell::Count(row.max_stack),
        Cell::decimal(row.wu_per_bit, 2),
        Cell::count(row.table_bytes),
        Cell::count(row.unoptimised_bytes),
        Cell::decimal(row.gain_percent, 1),
    ]
}
