//! What has changed since a ledger was written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::formats::{Cell, Sheet, Sheets};
use super::ledger::{Entry, FIELDS};
use super::rows::{LEAVES, leaf_prefix, natural_order};
use crate::output::comment;

/// Differences between two ledgers.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    added: Vec<Entry>,
    removed: Vec<Entry>,
    changed: Vec<Change>,
    /// Rows that are the same in both.
    same: usize,
    /// Leaves of programs that were not measured.
    not_compared: usize,
}

/// One size that has changed.
#[derive(Debug, Serialize)]
struct Change {
    name: String,
    size: &'static str,
    old: usize,
    new: usize,
    /// Rounded to hundredths; none of nothing.
    percent: Option<f64>,
}

impl Difference {
    /// Compares; of the old leaves only those of these programs.
    pub(super) fn between(old: &[Entry], new: &[Entry], programs: &[String]) -> Self {
        let measured: Vec<String> = programs.iter().map(|file| leaf_prefix(file)).collect();
        let is_measured = |entry: &&Entry| {
            !entry.name.starts_with(LEAVES)
                || measured.iter().any(|prefix| entry.name.starts_with(prefix))
        };
        let by_name = |entries: &[Entry]| -> BTreeMap<String, Entry> {
            let measured = entries.iter().filter(is_measured);
            measured
                .map(|entry| (entry.name.clone(), entry.clone()))
                .collect()
        };
        let not_compared = old.iter().filter(|entry| !is_measured(entry)).count();
        let (old, new) = (by_name(old), by_name(new));
        let mut names: Vec<&String> = old
            .keys()
            .chain(new.keys())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        names.sort_by(|a, b| natural_order(a, b));
        let mut difference = Self {
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            same: 0,
            not_compared,
        };
        for name in names {
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) if old == new => difference.same += 1,
                (Some(old), Some(new)) => difference.changed.extend(changes(old, new)),
                (Some(old), None) => difference.removed.push(old.clone()),
                (None, Some(new)) => difference.added.push(new.clone()),
                (None, None) => {}
            }
        }
        difference
    }

    /// Whether nothing has changed.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// Tells the user how much was compared.
    pub(super) fn comment(&self) {
        let changed: BTreeSet<&String> = self.changed.iter().map(|change| &change.name).collect();
        comment(format!(
            "{} rows added, {} removed, {} changed, {} as before",
            self.added.len(),
            self.removed.len(),
            changed.len(),
            self.same
        ));
        if self.not_compared > 0 {
            comment(format!(
                "{} leaves are not compared: their netlists are not given with --program",
                self.not_compared
            ));
        }
    }

    /// Kind of change, name, which size, old, new, percent.
    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let added = self
            .added
            .iter()
            .map(|entry| Line::of_entry("added", entry, None, Some(entry.weight())));
        let removed = self
            .removed
            .iter()
            .map(|entry| Line::of_entry("removed", entry, Some(entry.weight()), None));
        let changed = self.changed.iter().map(|change| Line {
            kind: "changed",
            name: &change.name,
            size: change.size,
            old: Some(change.old),
            new: Some(change.new),
            percent: change.percent,
        });
        added.chain(removed).chain(changed)
    }
}

/// A line of the sheet.
struct Line<'a> {
    kind: &'static str,
    name: &'a str,
    size: &'static str,
    old: Option<usize>,
    new: Option<usize>,
    percent: Option<f64>,
}

impl<'a> Line<'a> {
    fn of_entry(
        kind: &'static str,
        entry: &'a Entry,
        old: Option<usize>,
        new: Option<usize>,
    ) -> Self {
        Self {
            kind,
            name: &entry.name,
            size: "weight",
            old,
            new,
            percent: None,
        }
    }
}

fn changes<'a>(old: &'a Entry, new: &'a Entry) -> impl Iterator<Item = Change> + 'a {
    let sizes = FIELDS.iter().zip(old.sizes).zip(new.sizes);
    sizes
        .filter(|((_, old), new)| old != new)
        .map(|((&size, old_size), new_size)| Change {
            name: old.name.clone(),
            size,
            old: old_size,
            new: new_size,
            percent: percent(old_size, new_size),
        })
}

fn percent(old: usize, new: usize) -> Option<f64> {
    // Casts ok: sizes are far below 2^52.
    let percent = 100.0 * (new as f64 - old as f64) / old as f64;
    (old != 0).then(|| (percent * 100.0).round() / 100.0)
}

impl Sheets for Difference {
    fn for_people(&self) -> Sheet {
        let head = ["change", "name", "size", "old → new", "%"];
        let rows = self.lines().map(|line| {
            vec![
                Cell::text(line.kind),
                Cell::text(line.name),
                Cell::text(&line.size.replace('_', " ")),
                Cell::Text(
                    [
                        Cell::count(line.old).for_people(),
                        "→".to_owned(),
                        Cell::count(line.new).for_people(),
                    ]
                    .join(" ")
                    .trim()
                    .to_owned(),
                ),
                Cell::decimal(line.percent, 2),
            ]
        });
        Sheet::new(&head, rows)
    }

    fn for_machines(&self) -> Sheet {
        let head = ["change", "name", "size", "old", "new", "percent"];
        let rows = self.lines().map(|line| {
            vec![
                Cell::text(line.kind),
                Cell::text(line.name),
                Cell::text(line.size),
                Cell::count(line.old),
                Cell::count(line.new),
                Cell::decimal(line.percent, 2),
            ]
        });
        Sheet::new(&head, rows)
    }
}
