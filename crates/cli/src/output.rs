//! Standard output: JSON, or text for people.

use std::fmt;
use std::io::{BufWriter, ErrorKind, Write};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::{CliError, CliResult};

/// Where data goes.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints the data in one of both forms.
    pub(crate) fn print(&self, data: &(impl Serialize + fmt::Display)) -> CliResult<()> {
        if self.json {
            write_out(&to_json(data)?)
        } else {
            write_out(&format!("{data}"))
        }
    }

    /// Whether JSON was asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }
}

/// Writes data as JSON for people to read, too.
pub(crate) fn to_json(data: &impl Serialize) -> CliResult<String> {
    Ok(serde_json::to_string_pretty(data)?)
}

/// Writes to standard output, whose reader may be gone.
pub(crate) fn write_out(text: &str) -> CliResult<()> {
    let mut out = std::io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    out.write_all(text.as_bytes())
        .and_then(|()| out.write_all(newline.as_bytes()))
        .and_then(|()| out.flush())
        .map_err(|error| unwritten(&error))
}

/// Lets something be written to standard output bit by bit, so that it need not be in memory at
/// once.
pub(crate) fn stream(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> CliResult<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    write(&mut out)
        .and_then(|()| out.flush())
        .map_err(|error| unwritten(&error))
}

/// Writes an array as [`Output::print`] does, its values one after the other.
pub(crate) fn stream_json(values: impl Iterator<Item = impl Serialize>) -> CliResult<()> {
    stream(|out| {
        let mut serializer = serde_json::Serializer::pretty(&mut *out);
        serializer.collect_seq(values)?;
        writeln!(out)
    })
}

/// Why standard output was not written.
pub(crate) fn unwritten(error: &std::io::Error) -> CliError {
    match error.kind() {
        ErrorKind::BrokenPipe => CliError::BrokenPipe,
        _ => CliError::new(format!("standard output: {error}")),
    }
}

/// Writes a line of commentary to standard error. If that fails there is nobody to tell.
pub(crate) fn comment(line: impl fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A table with a head, whose columns are as wide as their longest cell. Numbers are aligned to the right.
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self
            .rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain([self.head[column].chars().count()])
            .max()
            .unwrap_or_default()
    }

    /// Whether every cell of a column is a number, or nothing.
    fn is_numeric(&self, column: usize) -> bool {
        let is_number = |cell: &String| {
            cell.chars()
                .all(|c| c.is_ascii_digit() || ",.-%".contains(c))
        };
        self.rows
            .iter()
            .filter_map(|row| row.get(column))
            .all(is_number)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = 0..self.head.len();
        let layout: Vec<(usize, bool)> = columns
            .map(|column| (self.width(column), self.is_numeric(column)))
            .collect();
        let head: Vec<String> = self.head.iter().map(|&cell| cell.to_owned()).collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            for (cell, &(width, numeric)) in row.iter().zip(&layout) {
                if !line.is_empty() {
                    line.push_str("  ");
                }
                line.push_str(&if numeric {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                });
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Named facts in an order: an object in JSON, a line each as text.
#[derive(Default)]
pub(crate) struct Facts(Vec<(&'static str, Value)>);

impl Facts {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a fact.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a fact in the form in which it is displayed.
    #[must_use]
    pub(crate) fn with_text(self, name: &'static str, value: impl fmt::Display) -> Self {
        self.with(name, value.to_string())
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(name, _)| name.len()).max();
        let width = width.unwrap_or_default();
        for (name, value) in &self.0 {
            let name = name.replace('_', " ");
            match value {
                Value::Array(values) => {
                    let values: Vec<String> = values.iter().map(text_of).collect();
                    let indent = format!("\n{:width$}  ", "");
                    writeln!(f, "{name:<width$}  {}", values.join(&indent))?;
                }
                value => writeln!(f, "{name:<width$}  {}", text_of(value))?,
            }
        }
        Ok(())
    }
}

/// A value without JSON's quotation marks.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

/// Writes a count with thousands separated, as in `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn tables_align_numbers_right_and_words_left() {
        let mut table = Table::new(&["name", "WU"]);
        table.row(["a".to_owned(), "1,000".to_owned()]);
        table.row(["long".to_owned(), "5".to_owned()]);
        assert_eq!(table.to_string(), "name     WU\na     1,000\nlong      5\n");
    }
}
