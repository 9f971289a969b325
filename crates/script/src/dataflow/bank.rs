//! Tables: where they lie on the stack, and the script that puts them there.

use std::collections::BTreeMap;

use super::offsets::MAX_TABLES;
use crate::ScriptWriter;
use crate::opcodes::*;

/// A table of a [`Bank`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub(crate) usize);

/// A function of small numbers, written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Index to entry.
    pub(crate) entries: BTreeMap<i64, i64>,
    /// Whether entries must be on the stack as they are, so that other opcodes than look-ups can use them.
    pub(crate) exact: bool,
}

impl Table {
    /// Writes a function out.
    ///
    /// # Panics
    /// If an index is given two different entries.
    pub fn new(entries: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut table = BTreeMap::new();
        for (index, entry) in entries {
            let before = table.insert(index, entry);
            assert!(
                before.is_none_or(|before| before == entry),
                "index {index} has the entries {before:?} and {entry}"
            );
        }
        Self {
            entries: table,
            exact: false,
        }
    }

    /// The same table with entries that are on the stack as they are, without an offset.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// The entry at an index.
    pub fn get(&self, index: i64) -> Option<i64> {
        self.entries.get(&index).copied()
    }
}

/// Tables next to each other on the stack, some interleaved.
#[derive(Clone, Debug, Default)]
pub struct Bank {
    pub(crate) tables: Vec<Table>,
    /// For each table the position, counted from the bottom of the bank, of its entry 0; entry `i` lies `i` below it. May be outside the bank.
    pub(crate) origins: Vec<i64>,
    /// Items in all.
    pub(crate) len: usize,
}

impl Bank {
    /// Puts tables above the ones there are. Tables are given with a shift, by which their entry 0 is moved up; the entries of two must not fall
    /// on the same place, so tables that use every second index can be interleaved by shifts of 0 and 1.
    ///
    /// # Panics
    /// If two entries fall on the same place, or there are too many tables.
    pub fn add<const N: usize>(&mut self, tables: [(Table, i64); N]) -> [TableId; N] {
        // Entry i of a table with shift s lies at top − (i − s), so the lowest i − s lies highest.
        let places = |(table, shift): &(Table, i64)| {
            table
                .entries
                .keys()
                .map(|index| index - shift)
                .collect::<Vec<_>>()
        };
        let mut all: Vec<i64> = tables.iter().flat_map(places).collect();
        all.sort_unstable();
        assert!(
            all.windows(2).all(|pair| pair[0] != pair[1]),
            "interleaved tables do not share places"
        );
        let (Some(&first), Some(&last)) = (all.first(), all.last()) else {
            panic!("tables have entries");
        };
        let top = self.len as i64 + (last - first); // cast ok: banks fit the stack
        self.len = top as usize + 1; // cast ok: not negative
        assert!(
            self.tables.len() + N <= MAX_TABLES,
            "a bank has at most {MAX_TABLES} tables"
        );
        tables.map(|(table, shift)| {
            self.tables.push(table);
            self.origins.push(top + first + shift);
            TableId(self.tables.len() - 1)
        })
    }

    /// Leaves places free above the tables there are: where a table lies decides about offsets.
    pub fn gap(&mut self, items: usize) {
        self.len += items;
    }

    /// Items of all tables.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no tables.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The table.
    pub fn table(&self, id: TableId) -> &Table {
        &self.tables[id.0]
    }

    /// The items from the bottom up, for these offsets; `None` where nothing is ever read.
    pub(crate) fn items(&self, offsets: &[i64]) -> Vec<Option<i64>> {
        let mut items = vec![None; self.len];
        for ((table, &origin), &offset) in self.tables.iter().zip(&self.origins).zip(offsets) {
            for (&index, &entry) in &table.entries {
                let place = usize::try_from(origin - index).expect("entries lie in the bank");
                items[place] = Some(entry + offset);
            }
        }
        items
    }
}

/// Pushes these numbers one by one, the first one deepest.
pub(crate) fn push_each(items: &[Option<i64>], writer: &mut ScriptWriter) {
    for item in items {
        writer.int(item.unwrap_or(0));
    }
}

/// Writes the shortest script found that pushes these numbers, the first one deepest. What `None` stands for does not matter.
///
/// Dynamic programming over the length of what has been pushed: the next one to three items can be copies of the items below (`OP_DUP`, `OP_OVER`, `OP_2DUP`,
/// `OP_3DUP`, `OP_2OVER`, `OP_PICK`), a push, or, for a number that takes three bytes, the one before it plus one. An item that does
/// not matter is whatever is there; it is taken for a copy of the one below.
pub(crate) fn push_all(items: &[Option<i64>], writer: &mut ScriptWriter) {
    // What an item that does not matter will be: settled now, so that later copies know it.
    let mut settled: Vec<i64> = Vec::with_capacity(items.len());
    for &item in items {
        settled.push(item.unwrap_or_else(|| settled.last().copied().unwrap_or(0)));
    }
    let count = settled.len();
    // best[n]: bytes to push the first n items, and the script for the last of them.
    let mut best: Vec<Option<(usize, usize, Vec<u8>)>> = vec![None; count + 1];
    best[0] = Some((0, 0, Vec::new()));
    for done in 0..count {
        let Some((bytes, ..)) = best[done] else {
            continue;
        };
        let mut offer = |length: usize, code: &ScriptWriter| {
            let total = bytes + code.len();
            let slot = &mut best[done + length];
            if slot.as_ref().is_none_or(|(known, ..)| total < *known) {
                *slot = Some((total, done, code.as_script().as_bytes().to_vec()));
            }
        };
        let mut code = ScriptWriter::new();
        code.int(settled[done]);
        offer(1, &code);
        let copies = |length: usize, back: usize| {
            done >= back
                && done + length <= count
                && settled[done..done + length] == settled[done - back..done - back + length]
        };
        for (length, back, opcode) in [
            (1, 1, OP_DUP),
            (1, 2, OP_OVER),
            (2, 2, OP_2DUP),
            (2, 4, OP_2OVER),
            (3, 3, OP_3DUP),
        ] {
            if copies(length, back) {
                let mut code = ScriptWriter::new();
                code.op(opcode);
                offer(length, &code);
            }
        }
        for back in 3..=128 {
            if copies(1, back) {
                let mut code = ScriptWriter::new();
                code.int(back as i64 - 1).op(OP_PICK); // cast ok: at most 128
                offer(1, &code);
                break;
            }
        }
        if done > 0 {
            let steps = [(1, OP_1ADD), (-1, OP_1SUB)];
            if let Some((_, opcode)) = steps
                .iter()
                .find(|(step, _)| settled[done] == settled[done - 1] + step)
            {
                let mut code = ScriptWriter::new();
                code.op(OP_DUP).op(*opcode);
                offer(1, &code);
            }
        }
    }
    let mut pieces = Vec::new();
    let mut at = count;
    while at > 0 {
        let (_, before, code) = best[at].take().expect("every item can be pushed");
        pieces.push(code);
        at = before;
    }
    pieces.iter().rev().for_each(|piece| {
        writer.raw(piece);
    });
}
