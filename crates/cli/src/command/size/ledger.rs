//! The ledger: sizes as tab-separated values, to be committed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::rows::Row;
use crate::error::CliResult;

/// The columns behind the name.
pub(super) const FIELDS: [&str; 7] = [
    "script_bytes",
    "witness_bytes",
    "weight",
    "opcodes",
    "max_stack",
    // Zero where a row has none.
    "table_bytes",
    "unoptimised_bytes",
];

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// In the order of [`FIELDS`].
    #[serde(flatten, serialize_with = "by_field")]
    pub(super) sizes: [usize; FIELDS.len()],
}

impl Entry {
    /// The third field: script and witness.
    pub(super) fn weight(&self) -> usize {
        self.sizes[2]
    }
}

fn by_field<S: serde::Serializer>(
    sizes: &[usize; FIELDS.len()],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(FIELDS.iter().zip(sizes))
}

/// What the ledger keeps of the rows.
pub(super) fn entries(rows: &[Row]) -> Vec<Entry> {
    rows.iter()
        .map(|row| Entry {
            name: row.name.clone(),
            sizes: [
                row.script_bytes,
                row.witness_bytes,
                row.weight,
                row.opcodes,
                row.max_stack,
                row.table_bytes.unwrap_or(0),
                row.unoptimised_bytes.unwrap_or(0),
            ],
        })
        .collect()
}

fn head() -> Vec<&'static str> {
    std::iter::once("name").chain(FIELDS).collect()
}

/// Writes the ledger.
pub(super) fn write(rows: &[Row]) -> CliResult<String> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b'\t')
        .from_writer(Vec::new());
    writer.write_record(head())?;
    for entry in entries(rows) {
        let sizes = entry.sizes.map(|size| size.to_string());
        writer.write_record(std::iter::once(&entry.name).chain(&sizes))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// Reads a ledger. An error names the line.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut head_is_read = false;
    let mut names = BTreeSet::new();
    let mut entries = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        if !head_is_read {
            check_head(&record).map_err(|reason| format!("line {line}: {reason}"))?;
            head_is_read = true;
            continue;
        }
        let entry = entry(&record).map_err(|reason| format!("line {line}: {reason}"))?;
        if !names.insert(entry.name.clone()) {
            return Err(format!("line {line}: a second {:?}", entry.name));
        }
        entries.push(entry);
    }
    if head_is_read {
        Ok(entries)
    } else {
        Err("line 1: an empty file, not a ledger".to_owned())
    }
}

fn check_head(record: &csv::StringRecord) -> Result<(), String> {
    let head = head();
    if *record == head {
        return Ok(());
    }
    Err(format!(
        "the head of a ledger is {:?}, not {:?}",
        head.join(" "),
        record.iter().collect::<Vec<_>>().join(" ")
    ))
}

fn entry(record: &csv::StringRecord) -> Result<Entry, String> {
    let fields = 1 + FIELDS.len();
    if record.len() != fields {
        return Err(format!(
            "{} fields separated by tabs, must be {fields}",
            record.len()
        ));
    }
    let mut sizes = [0; FIELDS.len()];
    for ((size, field), text) in sizes.iter_mut().zip(FIELDS).zip(record.iter().skip(1)) {
        *size = text
            .parse()
            .map_err(|_| format!("{field} is {text:?}, must be a whole number"))?;
    }
    match &record[0] {
        "" => Err("no name".to_owned()),
        name => Ok(Entry {
            name: name.to_owned(),
            sizes,
        }),
    }
}
