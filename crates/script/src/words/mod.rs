//! 32-bit words as eight nibbles, computed with tables.
//!
//! A nibble `n` is the logical number `2n` of a [`Flow`]: even numbers leave room to interleave two tables, so that two look-ups of one sum, made at
//! stack heights that differ by one, both need no correction.

mod tables;

pub use self::tables::{LowForm, NibbleTables, SumTables};
pub(crate) use self::tables::{
    add_compact_xor, add_forms, add_xor, half_table, spread_number, spread_table, xor_table,
};
use crate::dataflow::{Flow, Linear, TableId, Value};

/// A nibble, known or computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nibble {
    /// Known when the script is written.
    Constant(u8),
    /// On the stack, as twice its value.
    Value(Value),
}

impl Nibble {
    /// The value, if it is not known.
    pub fn value(&self) -> Option<Value> {
        match *self {
            Self::Constant(_) => None,
            Self::Value(value) => Some(value),
        }
    }
}

/// Takes padding away, if more values have been made than used up because operands are constants.
pub(crate) fn balance(flow: &mut Flow, used: &[Nibble], made: &[Nibble]) {
    let values = |nibbles: &[Nibble]| nibbles.iter().filter_map(Nibble::value).count();
    for _ in values(used)..values(made) {
        flow.unpad();
    }
}

/// A 32-bit word, the lowest nibble first.
pub type Word = [Nibble; 8];

/// A constant word.
pub fn constant(word: u32) -> Word {
    std::array::from_fn(|nibble| Nibble::Constant((word >> (4 * nibble) & 15) as u8)) // cast ok: masked
}

/// Rotates a word to the right by whole nibbles, which costs nothing.
pub fn rotate_right_nibbles(word: Word, nibbles: usize) -> Word {
    std::array::from_fn(|nibble| word[(nibble + nibbles) % 8])
}

/// A sum of nibbles, each a number `2n`.
pub(crate) fn sum_of(nibbles: &[Nibble]) -> Linear {
    nibbles
        .iter()
        .fold(Linear::default(), |sum, nibble| match *nibble {
            Nibble::Constant(nibble) => sum.plus_constant(2 * i64::from(nibble)),
            Nibble::Value(value) => sum.plus(value),
        })
}

/// What one column of an addition passes on to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Carry {
    /// Nothing: known to be this much.
    Constant(i64),
    /// Read from a table.
    Value(Value),
    /// This is the first column.
    #[default]
    None,
}

/// A column of an addition: the sum with its carry, which is known, or lies on the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Constant(i64),
    Value(Value),
}

/// Adds up nibbles and something more, so that the sum has the offset that it would have if all the nibbles were values read from `like`.
pub(crate) fn pending(
    flow: &mut Flow,
    nibbles: &[Nibble],
    more: &[Nibble],
    like: TableId,
) -> Nibble {
    let sum = sum_of(&[nibbles, more].concat());
    if let Some(constant) = sum.as_constant() {
        return Nibble::Constant((constant / 2) as u8); // cast ok: at most a few times 15
    }
    let constants = nibbles
        .iter()
        .filter(|nibble| matches!(nibble, Nibble::Constant(_)))
        .count();
    Nibble::Value(flow.sum_like(sum, std::iter::repeat_n(like, constants)))
}

/// Adds a carry to a column's sum. The result can index the tables whose carry this is.
pub(crate) fn with_carry(
    flow: &mut Flow,
    sum: Linear,
    carry: Carry,
    tables: &SumTables,
    last: bool,
) -> Result<Column, Linear> {
    let (sum, like) = match carry {
        Carry::Value(value) => (sum.plus(value), None),
        Carry::Constant(carry) => (sum.plus_constant(carry), Some(tables.carry)),
        Carry::None => (sum, Some(tables.carry)),
    };
    match sum.as_constant() {
        Some(constant) => Ok(Column::Constant(constant)),
        None if last => Err(sum),
        None => Ok(Column::Value(flow.sum_like(sum, like))),
    }
}

/// The lowest nibble of a column.
pub(crate) fn low(flow: &mut Flow, column: Column, table: TableId) -> Nibble {
    match column {
        Column::Constant(sum) => Nibble::Constant((sum / 2 % 16) as u8), // cast ok: below 16
        Column::Value(sum) => Nibble::Value(flow.lookup(table, sum)),
    }
}

/// What a column carries.
pub(crate) fn carried(flow: &mut Flow, column: Column, tables: &SumTables) -> Carry {
    match column {
        Column::Constant(sum) => Carry::Constant(sum / 32 * 2),
        Column::Value(sum) => Carry::Value(flow.lookup(tables.carry, sum)),
    }
}

/// Adds a column: looks the lowest nibble up in `low`, after which `then` uses it before the carry is read, unless this is the `last` column.
pub(crate) fn column(
    flow: &mut Flow,
    sum: Linear,
    carry: &mut Carry,
    tables: &SumTables,
    low: TableId,
    last: bool,
    then: impl FnOnce(&mut Flow, Nibble),
) -> Nibble {
    match with_carry(flow, sum, *carry, tables, last) {
        Ok(column) => {
            let nibble = self::low(flow, column, low);
            then(flow, nibble);
            *carry = carried(flow, column, tables);
            nibble
        }
        Err(sum) => {
            let nibble = Nibble::Value(flow.lookup(low, sum));
            then(flow, nibble);
            nibble
        }
    }
}

impl NibbleTables {
    /// The exclusive or of two nibbles by one of the tables for it, of which the first one is put in spread form.
    pub(crate) fn xor_by(
        &self,
        flow: &mut Flow,
        table: TableId,
        fresh: Nibble,
        other: Nibble,
    ) -> Nibble {
        match (fresh, other) {
            (Nibble::Constant(a), Nibble::Constant(b)) => {
                Nibble::Constant((a ^ b) << u8::from(Some(table) == self.double_xor))
            }
            (Nibble::Value(value), Nibble::Constant(constant))
            | (Nibble::Constant(constant), Nibble::Value(value)) => {
                if constant == 0 && table == self.xor {
                    return Nibble::Value(value);
                }
                let index = Linear::from(value).plus_constant(spread_number(constant));
                Nibble::Value(flow.lookup(table, index))
            }
            (Nibble::Value(fresh), Nibble::Value(other)) => {
                let spread = flow.lookup(self.spread, fresh);
                Nibble::Value(flow.lookup(table, Linear::from(spread).plus(other)))
            }
        }
    }

    /// The exclusive or of a nibble in spread form and another.
    pub(crate) fn xor_spread(&self, flow: &mut Flow, spread: Nibble, other: Nibble) -> Nibble {
        match (spread, other) {
            (Nibble::Constant(a), Nibble::Constant(b)) => Nibble::Constant(a ^ b),
            (Nibble::Value(spread), other) => {
                let index = sum_of(&[other]).plus(spread);
                Nibble::Value(flow.lookup(self.xor, index))
            }
            (Nibble::Constant(constant), Nibble::Value(value)) => {
                let index = Linear::from(value).plus_constant(spread_number(constant));
                Nibble::Value(flow.lookup(self.xor, index))
            }
        }
    }

    /// A nibble as a plain number.
    pub(crate) fn plain(&self, flow: &mut Flow, nibble: Nibble) -> Linear {
        match nibble {
            Nibble::Constant(constant) => Linear::from(i64::from(constant)),
            Nibble::Value(value) => flow.lookup(self.half, value).into(),
        }
    }
}
