//! The tables of SHA-256, and the forms of nibbles that they read and yield.

use super::compress::{Form, Sums};
use crate::dataflow::{Bank, Table, TableId};
use crate::words::{LowForm, SumTables};

pub(super) fn ternary(nibble: u8) -> i64 {
    (0..4)
        .map(|bit| i64::from(nibble >> bit & 1) * 3 * 3i64.pow(bit))
        .sum()
}

pub(super) fn even(nibble: u8) -> i64 {
    2 * i64::from(nibble)
}

pub(super) fn wide(nibble: u8) -> i64 {
    8 * i64::from(nibble)
}

/// A function of a nibble, as a table from its wide form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) table: TableId,
    pub(super) function: fn(u8) -> u8,
}

/// The tables of a compression.
///
/// The eight tables from wide nibbles are read at eight consecutive heights. The order was found by trying all 8! of them, with the costs of the heights at which
/// `compress` reads them.
#[derive(Debug)]
pub(super) struct Tables {
    /// What a rotation by `4k + s` to the right takes from nibble `k` on, and from the one above it, in ternary form, for `s` of 1 to 3.
    pub(super) rotated: [[Part; 2]; 3],
    /// From wide to ternary.
    pub(super) to_ternary: TableId,
    /// From wide to even.
    pub(super) to_even: TableId,
    /// From a sum of two ternaries to their exclusive or, in ternary form.
    pub(super) xor: TableId,
    /// … in even form.
    pub(super) xor_even: TableId,
    /// … to their and, in ternary form.
    pub(super) and: TableId,
    /// From a sum of evens to its lowest nibble in wide form, and to what is carried.
    pub(super) sum: SumTables,
    /// … to its lowest nibble as a plain number, for sums of two, if the result is to be plain.
    pub(super) low_plain: Option<TableId>,
}

impl Tables {
    pub(super) fn new(bank: &mut Bank, sums: Sums, result: Form) -> Self {
        let pairs = || (0..16u8).flat_map(|x| (0..16u8).map(move |y| (x, y)));
        let binary = |function: fn(u8, u8) -> u8, form: fn(u8) -> i64| {
            Table::new(pairs().map(|(x, y)| (ternary(x) + ternary(y), form(function(x, y)))))
        };
        let xor: fn(u8, u8) -> u8 = |x, y| x ^ y;
        let and: fn(u8, u8) -> u8 = |x, y| x & y;
        let sum = SumTables::new(bank, sums.bound(), LowForm::Wide, 1);
        let low_plain = (result == Form::Plain).then(|| {
            let plain = Table::new((0..32).map(|sum| (2 * sum, sum % 16))).exact();
            let [low_plain] = bank.add([(plain, 0)]);
            low_plain
        });
        let [xor, and, xor_even] = bank.add([
            (binary(xor, ternary), 1),
            (binary(and, ternary), 2),
            (binary(xor, even).exact(), 0),
        ]);
        let unary = |function: fn(u8) -> u8, form: fn(u8) -> i64| {
            Table::new((0..16u8).map(|x| (wide(x), form(function(x)))))
        };
        let parts: [fn(u8) -> u8; 6] = [
            |x| x >> 1,
            |x| x << 3 & 15,
            |x| x >> 2,
            |x| x << 2 & 15,
            |x| x >> 3,
            |x| x << 1 & 15,
        ];
        let [to_ternary, to_even, a, b, c, d, e, f] = bank.add([
            (unary(|x| x, ternary), 0),
            (unary(|x| x, even).exact(), 1),
            (unary(parts[0], ternary), 2),
            (unary(parts[1], ternary), 3),
            (unary(parts[2], ternary), 4),
            (unary(parts[3], ternary), 5),
            (unary(parts[4], ternary), 6),
            (unary(parts[5], ternary), 7),
        ]);
        let part = |index: usize, table| Part {
            table,
            function: parts[index],
        };
        Self {
            rotated: [
                [part(0, a), part(1, b)],
                [part(2, c), part(3, d)],
                [part(4, e), part(5, f)],
            ],
            to_ternary,
            to_even,
            xor,
            xor_even,
            and,
            sum,
            low_plain,
        }
    }
}
