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

/// The tables of nibble arithmetic.
#[derive(Clone, Copy, Debug)]
pub struct NibbleTables {
    /// From a sum of nibbles to its lowest nibble.
    pub(crate) modulo: TableId,
    /// From a sum of nibbles to what is carried.
    pub(crate) carry: TableId,
    /// From a nibble to its spread form.
    pub(crate) spread: TableId,
    /// From a nibble and a spread one to their exclusive or.
    pub(crate) xor: TableId,
    /// From a nibble to its plain number.
    pub(crate) half: TableId,
}

impl NibbleTables {
    /// Adds the tables to a bank, for sums below `sums` (of nibbles and carries; 48 for three nibbles and a carry).
    pub fn new(bank: &mut Bank, sums: i64) -> Self {
        let nibbles = 0..16u8;
        let xors = nibbles
            .clone().flat_map(|x| {
            (0..16u8).map(move |y| (2 * (i64::from(x) + spread(y)), 2 * i64::from(x ^ y)))
        });
        let [xor] = bank.add([(Table::new(xors), 0)]);
        let modulo = Table::new((0..sums).map(|sum| (2 * sum, 2 * (sum % 16))));
        let carry = Table::new((0..sums).map(|sum| (2 * sum, 2 * (sum / 16))));
        let [modulo, carry] = bank.add([(modulo, 0), (carry, 1)]);
        let spreads = Table::new(nibbles.map(|x| (2 * i64::from(x), 2 * spread(x))));
        let halves = Table::new((0..16).map(|x| (2 * x, x))).exact();
        let [spread, half] = bank.add([(spreads, 0), (halves, 1)]);
        Self {
            modulo,
            carry,
            spread,
            xor,
            half,
        }
    }

    /// The spread form of a constant nibble, as a logical number.
    pub(crate) fn spread(&self, nibble: u8) -> i64 {
        2 * spread(nibble)
    }
}
