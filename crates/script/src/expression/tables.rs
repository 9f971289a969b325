//! The tables that an expression needs, set up once.

use std::collections::{BTreeMap, BTreeSet};

use super::lower::Scope;
use super::{Bitwise, HashFunction, Operation, Shift, Step};
use crate::dataflow::{Bank, Table, TableId};
use crate::gadgets::{blake3, sha256};
use crate::words::{self, LowForm, SumTables};

/// Bytes, about, that set up and remove the tables of exclusive or by spread forms.
const SPREAD_BYTES: usize = 590;

/// … by ternary forms.
const TERNARY_BYTES: usize = 240;

/// … by ternary forms, where those are needed anyway.
const TERNARY_XOR_BYTES: usize = 110;

/// Bytes of the second look-up for a nibble's ternary form.
const LOOKUP_BYTES: usize = 4;

/// A table that is read by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Single {
    /// From a nibble and a spread one to their exclusive or.
    Xor,
    /// From the sum of two nibbles in ternary form.
    And,
    /// From the sum of two nibbles in ternary form.
    Or,
    /// From the sum of two nibbles in ternary form.
    TernaryXor,
    /// From a nibble to its spread form.
    Spread,
    /// From a nibble to its ternary form: its bits as digits to base 3.
    Ternary,
    /// From a nibble to one of its bits, as it is.
    Bit(u8),
    /// From a nibble to its plain number.
    Half,
    /// From a nibble to one whose bits are all the highest one.
    Fill,
}

/// Two tables that take one index apart: a nibble that is kept, and what is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pair {
    /// The lowest digit of a sum, and the rest.
    Sum,
    /// A nibble shifted to the left by so many bits, `16 ·` the incoming ones being added; what it shifts out, times 16.
    Left(u32),
    /// A nibble shifted to the right by one bit, `16 ·` the incoming one being added; what it shifts out, times 16.
    Right,
    /// A nibble shifted to the left (or else right) by so many bits, or not. `16 ·` a state is added: 0 keeps, `1 + c` shifts `c` in.
    ShiftIf { left: bool, bits: u32 },
    /// A nibble of a negated number. `16 ·` a state is added: 0 keeps, 1 negates, 2 negates a number of which a lower digit was not 0.
    Negate,
}

/// The two tables of a [`Pair`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairTables {
    pub(crate) low: TableId,
    pub(crate) carry: TableId,
    /// From what `low` yields to the nibble, if that is in another form.
    pub(crate) then: Option<TableId>,
}

/// Which layouts of their tables hash functions have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HashLayouts {
    blake3: usize,
    sha256: usize,
}

impl HashLayouts {
    /// What to try for these steps, from the shortest script to the smallest stack.
    pub(crate) fn all(steps: &[Step]) -> Vec<Self> {
        let has = |function| {
            let hash = Operation::Hash(function);
            steps.iter().any(|step| step.operation == hash)
        };
        let layouts = |function, count: usize| match has(function) {
            true => 0..count,
            false => 0..1,
        };
        let mut all = Vec::new();
        for blake3 in layouts(HashFunction::Blake3, blake3::Embedded::LAYOUTS) {
            for sha256 in layouts(HashFunction::Sha256, sha256::Embedded::LAYOUTS) {
                all.push(Self { blake3, sha256 });
            }
        }
        all
    }
}

/// What else is tried besides orders of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variant {
    /// Whether what is carried is read one item higher than the digit, which then stays on the stack, and not one lower.
    pub(crate) carry_higher: bool,
    /// Whether words are compared from the highest digit down.
    pub(crate) compare_down: bool,
    /// Whether the exclusive or has the other tables than those that were reckoned to be cheaper.
    pub(crate) other_xor: bool,
}

impl Variant {
    /// What to try for these steps.
    pub(crate) fn all(steps: &[Step], scope: Scope) -> Vec<Self> {
        let has = |is: fn(&Operation) -> bool| steps.iter().any(|step| is(&step.operation));
        let carries = has(|operation| {
            matches!(
                operation,
                Operation::Sum { .. }
                    | Operation::Shift(..)
                    | Operation::ShiftIf(..)
                    | Operation::NegateIf
            )
        });
        let compares = has(|operation| *operation == Operation::Equal);
        // Tables that lie on the stack already are shared, and not for one expression to choose.
        let xors = scope != Scope::Gadget
            && has(|operation| *operation == Operation::Bitwise(Bitwise::Xor));
        let choices = |choice: bool| if choice { &[false, true][..] } else { &[false] };
        let mut all = Vec::new();
        for &other_xor in choices(xors) {
            for &carry_higher in choices(carries) {
                for &compare_down in choices(compares) {
                    all.push(Self {
                        carry_higher,
                        compare_down,
                        other_xor,
                    });
                }
            }
        }
        all
    }
}

/// All tables of an expression.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    singles: BTreeMap<Single, TableId>,
    pairs: BTreeMap<Pair, PairTables>,
    pub(crate) blake3: Option<blake3::Embedded>,
    pub(crate) sha256: Option<sha256::Embedded>,
}

fn ternary(nibble: i64) -> i64 {
    (0..4).fold(0, |form, bit| form + (nibble >> bit & 1) * 3i64.pow(bit))
}

impl Single {
    fn table(self) -> Table {
        let doubled = |function: &dyn Fn(i64) -> i64| {
            Table::new((0..16).map(|nibble| (2 * nibble, 2 * function(nibble))))
        };
        let of_two = |operation: Bitwise| {
            let pairs = (0..16i64).flat_map(|x| (0..16i64).map(move |y| (x, y)));
            Table::new(pairs.map(|(x, y)| {
                let index = 2 * (ternary(x) + ternary(y));
                (index, 2 * operation.apply(x, y))
            }))
        };
        match self {
            Self::Xor => words::xor_table(1),
            Self::And => of_two(Bitwise::And),
            Self::Or => of_two(Bitwise::Or),
            Self::TernaryXor => of_two(Bitwise::Xor),
            Self::Spread => words::spread_table(),
            Self::Ternary => doubled(&ternary),
            Self::Bit(bit) => {
                Table::new((0..16).map(|nibble| (2 * nibble, nibble >> bit & 1))).exact()
            }
            Self::Half => words::half_table(),
            Self::Fill => doubled(&|nibble| 15 * (nibble >> 3)),
        }
    }
}

impl Pair {
    /// The lowest digit and what is carried, for an index.
    fn entry(self, index: i64) -> (i64, i64) {
        let (nibble, state) = (index % 16, index / 16);
        match self {
            Self::Sum => unreachable!("the tables of sums are those of words"),
            Self::Left(bits) => {
                let shifted = nibble << bits | state;
                (shifted % 16, 16 * (shifted / 16))
            }
            Self::Right => (nibble >> 1 | state << 3, 16 * (nibble & 1)),
            Self::ShiftIf { .. } if state == 0 => (nibble, 0),
            Self::ShiftIf { left: true, bits } => {
                let shifted = nibble << bits | (state - 1);
                (shifted % 16, 16 * (1 + shifted / 16))
            }
            Self::ShiftIf { left: false, bits } => {
                let incoming = (state - 1) << (4 - bits);
                let outgoing = nibble & ((1 << bits) - 1);
                (nibble >> bits | incoming, 16 * (1 + outgoing))
            }
            Self::Negate => match (state, nibble) {
                (0, _) => (nibble, 0),
                (1, 0) => (0, 16),
                (1, _) => (16 - nibble, 32),
                _ => (15 - nibble, 32),
            },
        }
    }

    /// Entries for sums of this many nibbles, if sums are what it is for.
    fn entries(self, terms: usize) -> i64 {
        match self {
            Self::Sum => 16 * terms as i64, // cast ok: at most 5
            Self::Left(bits) => 16 << bits,
            Self::Right => 32,
            Self::ShiftIf { bits, .. } => 16 * (1 + (1 << bits)),
            Self::Negate => 48,
        }
    }
}

impl Tables {
    /// Puts the tables that these steps need into a bank.
    pub(crate) fn new<'a>(
        bank: &mut Bank,
        steps: impl Iterator<Item = &'a Step>,
        scope: Scope,
        plain_outputs: bool,
        layouts: HashLayouts,
        variant: Variant,
    ) -> Self {
        let mut tables = Self::default();
        let mut hashes = BTreeSet::new();
        let mut singles = BTreeSet::new();
        if plain_outputs {
            singles.insert(Single::Half);
        }
        let mut pairs = BTreeSet::new();
        let mut terms = 2;
        let mut xors = 0;
        for step in steps {
            match step.operation {
                Operation::Sum { .. } => {
                    pairs.insert(Pair::Sum);
                    terms = terms.max(step.arguments.len());
                }
                Operation::LessThan => {
                    pairs.insert(Pair::Sum);
                }
                Operation::Bitwise(operation) => {
                    singles.extend(match operation {
                        Bitwise::Xor => {
                            xors += 8 * (step.arguments.len() - 1);
                            continue;
                        }
                        Bitwise::And => [Single::And, Single::Ternary],
                        Bitwise::Or => [Single::Or, Single::Ternary],
                    });
                }
                Operation::Shift(shift, bits) => {
                    pairs.extend(shift_pair(shift, bits).map(|(pair, _)| pair));
                    if shift == Shift::RightArithmetic && bits > 0 {
                        singles.insert(Single::Fill);
                    }
                }
                Operation::ShiftIf(shift, bits) => {
                    let left = shift == Shift::Left;
                    pairs.insert(Pair::ShiftIf { left, bits });
                    if shift == Shift::RightArithmetic {
                        singles.insert(Single::Fill);
                    }
                }
                Operation::ShiftNibbles(Shift::RightArithmetic) => {
                    singles.insert(Single::Fill);
                }
                Operation::NegateIf => {
                    pairs.insert(Pair::Negate);
                }
                Operation::Split => singles.extend((0..4).map(Single::Bit)),
                Operation::Hash(function) => {
                    hashes.insert(function);
                }
                _ => {}
            }
        }
        if hashes.contains(&HashFunction::Blake3) {
            // Words share its tables.
            let blake3 = blake3::Embedded::new(bank, layouts.blake3, Pair::Sum.entries(terms));
            let nibbles = blake3.nibbles();
            for (single, table) in [
                (Single::Xor, nibbles.xor),
                (Single::Spread, nibbles.spread),
                (Single::Half, nibbles.half),
            ] {
                tables.singles.insert(single, table);
                singles.remove(&single);
            }
            let SumTables { low, carry } = nibbles.sum;
            tables.pairs.insert(
                Pair::Sum,
                PairTables {
                    low,
                    carry,
                    then: None,
                },
            );
            pairs.remove(&Pair::Sum);
            tables.blake3 = Some(blake3);
        }
        if hashes.contains(&HashFunction::Sha256) {
            let sha256 = sha256::Embedded::new(bank, layouts.sha256);
            let shared = sha256.shared();
            if Pair::Sum.entries(terms) <= shared.bound && pairs.remove(&Pair::Sum) {
                let SumTables { low, carry } = shared.sum;
                let then = Some(shared.to_even);
                tables
                    .pairs
                    .insert(Pair::Sum, PairTables { low, carry, then });
            }
            for single in [Single::And, Single::Or, Single::Ternary] {
                singles.remove(&single);
            }
            tables.sha256 = Some(sha256);
        }
        if xors > 0 && hashes.is_empty() {
            // One look-up less for each, but the tables are larger.
            let ternary = singles.contains(&Single::Ternary);
            let extra = if ternary {
                TERNARY_XOR_BYTES
            } else {
                TERNARY_BYTES
            };
            let by_ternary = scope != Scope::Gadget && LOOKUP_BYTES * xors + extra < SPREAD_BYTES;
            singles.extend(if by_ternary != variant.other_xor {
                [Single::TernaryXor, Single::Ternary]
            } else {
                [Single::Xor, Single::Spread]
            });
        }
        // What is read first is put highest.
        let mut waiting = singles.into_iter();
        while let Some(first) = waiting.next() {
            match waiting.next() {
                Some(second) => {
                    let [a, b] = bank.add([(first.table(), 0), (second.table(), 1)]);
                    tables.singles.extend([(first, a), (second, b)]);
                }
                None => {
                    let [a] = bank.add([(first.table(), 0)]);
                    tables.singles.insert(first, a);
                }
            }
        }
        for pair in pairs {
            let entries = pair.entries(terms);
            // The carry is read when the digit has gone to the altstack, one item lower, or when it lies below the sum.
            let shift = if variant.carry_higher { 1 } else { -1 };
            let SumTables { low, carry } = match pair {
                Pair::Sum => SumTables::new(bank, entries, LowForm::Nibble, shift),
                _ => {
                    let table = |part: fn((i64, i64)) -> i64| {
                        let entry = |index| (2 * index, 2 * part(pair.entry(index)));
                        Table::new((0..entries).map(entry))
                    };
                    let [low, carry] = bank.add([(table(|e| e.0), 0), (table(|e| e.1), shift)]);
                    SumTables { low, carry }
                }
            };
            tables.pairs.insert(
                pair,
                PairTables {
                    low,
                    carry,
                    then: None,
                },
            );
        }
        tables
    }

    /// Whether there is this table.
    pub(crate) fn has(&self, single: Single) -> bool {
        self.singles.contains_key(&single)
    }

    /// A table.
    pub(crate) fn single(&self, single: Single) -> TableId {
        self.singles[&single]
    }

    /// Two tables.
    pub(crate) fn pair(&self, pair: Pair) -> PairTables {
        self.pairs[&pair]
    }
}

/// How the bits of a shift that are no whole nibbles are shifted, if there are any: by which tables, and by how many nibbles to the right
/// before that.
pub(crate) fn shift_pair(shift: Shift, bits: u32) -> Option<(Pair, i32)> {
    let nibbles = (bits / 4) as i32; // cast ok: at most 7
    match (shift, bits % 4) {
        (_, 0) => None,
        (Shift::Left, 3) => Some((Pair::Right, -nibbles - 1)),
        (Shift::Left, bits) => Some((Pair::Left(bits), -nibbles)),
        (_, 1) => Some((Pair::Right, nibbles)),
        (_, bits) => Some((Pair::Left(4 - bits), nibbles + 1)),
    }
}
