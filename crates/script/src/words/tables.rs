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
        let low = Table::new((0..sums).map(|sum| {
            let nibble = (sum % 16) as u8; // cast ok: below 16
            let form = match form {
                LowForm::Nibble => i64::from(nibble),
                LowForm::Spread => spread(nibble),
            };
            (2 * sum, 2 * form)
        }));
        let carry = Table::new((0..sums).map(|sum| (2 * sum, 2 * (sum / 16))));
        let [low, carry] = bank.add([(low, 0), (carry, carry_above)]);
        Self { low, carry }
    }
}

/// The tables of exclusive or: as nibbles, and doubled.
pub(crate) fn add_xor(bank: &mut Bank) -> [TableId; 2] {
    let xors = (0..16u8).flat_map(|x| {
        (0..16u8).map(move |y| (2 * (i64::from(x) + spread(y)), 2 * i64::from(x ^ y)))
    });
    let doubles = xors.clone().map(|(index, xor)| (index, 2 * xor));
    bank.add([(Table::new(xors), 0), (Table::new(doubles), 1)])
}

/// The tables that turn a nibble into its spread form, and into a plain number.
pub(crate) fn add_forms(bank: &mut Bank) -> [TableId; 2] {
    let nibbles = 0..16u8;
    let spreads = Table::new(nibbles.map(|x| (2 * i64::from(x), 2 * spread(x))));
    let halves = Table::new((0..16).map(|x| (2 * x, x))).exact();
    bank.add([(spreads, 0), (halves, 1)])
}

/// All three in the places of one: the tables of forms lie where that of exclusive or leaves every second place free.
pub(crate) fn add_compact_xor(bank: &mut Bank) -> [TableId; 3] {
    let xors = (0..16u8).flat_map(|x| {
        (0..16u8).map(move |y| (2 * (i64::from(x) + spread(y)), 2 * i64::from(x ^ y)))
    });
    let spreads = Table::new((0..16u8).map(|x| (2 * i64::from(x), 2 * spread(x))));
    let halves = Table::new((0..16).map(|x| (2 * x, x))).exact();
    bank.add([(Table::new(xors), 0), (spreads, -1), (halves, -33)])
}

/// The spread form of a constant nibble, as a logical number.
pub(crate) fn spread_number(nibble: u8) -> i64 {
    2 * spread(nibble)
}
