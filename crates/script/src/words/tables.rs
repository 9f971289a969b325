//! The tables for nibbles.

use crate::dataflow::{Bank, Table, TableId};

/// Weights of the bits of a nibble, lowest first, in its spread form.
///
/// A nibble `x` as it is and a nibble `y` in spread form add up to an index that tells `x ^ y`: where two pairs have the same sum, they have the
/// same exclusive or (checked when the table is made). With these weights the sums stay below 171, where `x + 16·y` would take 256 entries.
const SPREAD: [i64; 4] = [85, 42, 20, 8];

fn spread(nibble: u8) -> i64 {
    (0..4)
        .filter(|bit| nibble >> bit & 1 == 1)
        .map(|bit| SPREAD[bit])
        .sum()
}

/// Tables that take a sum of nibbles apart, interleaved.
#[derive(Clone, Copy, Debug)]
pub struct SumTables {
    /// From a sum to its lowest nibble, in some form.
    pub(crate) low: TableId,
    /// From a sum to what is carried.
    pub(crate) carry: TableId,
}

/// What is done with the lowest nibble of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LowForm {
    /// Kept as a nibble.
    Nibble,
    /// Kept in spread form, for an exclusive or.
    Spread,
    /// Kept as the number `8n`, of which eight interleaved tables can be read.
    Wide,
}

/// The tables of nibble arithmetic.
#[derive(Clone, Copy, Debug)]
pub struct NibbleTables {
    /// For additions whose result is kept.
    pub(crate) sum: SumTables,
    /// From a nibble to its spread form.
    pub(crate) spread: TableId,
    /// From a nibble and a spread one to their exclusive or.
    pub(crate) xor: TableId,
    /// … to twice their exclusive or, if there is room for it.
    pub(crate) double_xor: Option<TableId>,
    /// From a nibble to its plain number.
    pub(crate) half: TableId,
}

impl SumTables {
    /// Adds the tables for sums below `sums` (of nibbles and carries; 48 for three nibbles and a carry). The carry is read at
    /// a stack height that is greater by `carry_above`, which is odd.
    pub fn new(bank: &mut Bank, sums: i64, form: LowForm, carry_above: i64) -> Self {
        let (low, carry) = (low_table(sums, form), carry_table(sums));
        let [low, carry] = bank.add([(low, 0), (carry, carry_above)]);
        Self { low, carry }
    }
}

/// From a sum below `sums` to its lowest nibble.
fn low_table(sums: i64, form: LowForm) -> Table {
    Table::new((0..sums).map(|sum| {
        let nibble = (sum % 16) as u8; // cast ok: below 16
        let form = match form {
            LowForm::Nibble => i64::from(nibble),
            LowForm::Spread => spread(nibble),
            LowForm::Wide => 4 * i64::from(nibble),
        };
        (2 * sum, 2 * form)
    }))
}

/// From a sum below `sums` to what is carried.
fn carry_table(sums: i64) -> Table {
    Table::new((0..sums).map(|sum| (2 * sum, 2 * (sum / 16))))
}

/// From a nibble and a spread one to so many times their exclusive or.
pub(crate) fn xor_table(times: i64) -> Table {
    Table::new((0..16u8).flat_map(|x| {
        (0..16u8).map(move |y| {
            let index = 2 * (i64::from(x) + spread(y));
            (index, 2 * times * i64::from(x ^ y))
        })
    }))
}

/// From a nibble to its spread form.
pub(crate) fn spread_table() -> Table {
    Table::new((0..16u8).map(|x| (2 * i64::from(x), 2 * spread(x))))
}

/// From a nibble to its plain number.
pub(crate) fn half_table() -> Table {
    Table::new((0..16).map(|x| (2 * x, x))).exact()
}

/// The tables of exclusive or: as nibbles, and doubled.
pub(crate) fn add_xor(bank: &mut Bank) -> [TableId; 2] {
    bank.add([(xor_table(1), 0), (xor_table(2), 1)])
}

/// The tables that turn a nibble into its spread form, and into a plain number.
pub(crate) fn add_forms(bank: &mut Bank) -> [TableId; 2] {
    bank.add([(spread_table(), 0), (half_table(), 1)])
}

/// All three in the places of one: the tables of forms lie where that of exclusive or leaves every second place free.
pub(crate) fn add_compact_xor(bank: &mut Bank) -> [TableId; 3] {
    bank.add([(xor_table(1), 0), (spread_table(), -1), (half_table(), -33)])
}

/// The spread form of a constant nibble, as a logical number.
pub(crate) fn spread_number(nibble: u8) -> i64 {
    2 * spread(nibble)
}
