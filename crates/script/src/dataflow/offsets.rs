//! The choice of the tables' offsets.
//!
//! Every place where a number may have to be corrected is a *slot*: what must be added there depends linearly on the offsets. They are
//! chosen so that most slots come to zero. Each is set in turn to the value that makes the total cheapest, until nothing improves; the candidates are
//! the values that bring some slot to zero. Different orders of the offsets are tried.

use std::collections::BTreeMap;

/// Most tables of a bank.
pub(crate) const MAX_TABLES: usize = 32;

/// A number that depends on the offsets: `constant + Σ coefficient · offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Affine {
    pub(crate) constant: i64,
    /// One for each table.
    pub(crate) coefficients: [i8; MAX_TABLES],
}

impl Affine {
    /// The offset of a table.
    pub(crate) fn offset(table: usize) -> Self {
        let mut offset = Self::default();
        offset.coefficients[table] = 1;
        offset
    }

    /// Subtracts `sign` (1 or -1) times another.
    pub(crate) fn subtract(&mut self, other: &Self, sign: i8) {
        self.constant -= i64::from(sign) * other.constant;
        for (mine, &theirs) in self.coefficients.iter_mut().zip(&other.coefficients) {
            *mine -= sign * theirs;
        }
    }

    /// The tables whose offsets matter, with their coefficients.
    fn terms(&self) -> impl Iterator<Item = (usize, i64)> + '_ {
        (0..MAX_TABLES).filter_map(|table| {
            let coefficient = i64::from(self.coefficients[table]);
            (coefficient != 0).then_some((table, coefficient))
        })
    }

    /// The value for these offsets.
    pub(crate) fn value(&self, offsets: &[i64]) -> i64 {
        let sum: i64 = self
            .terms()
            .map(|(table, coefficient)| coefficient * offsets[table])
            .sum();
        self.constant + sum
    }
}

/// Bytes that add a number to the top item: `OP_1ADD`, `OP_n OP_ADD`, or a longer push.
pub(crate) fn correction_bytes(value: i64) -> usize {
    match value.unsigned_abs() {
        0 => 0,
        1 => 1,
        2..=16 => 2,
        17..=127 => 3,
        128..=32_767 => 4,
        _ => 5,
    }
}

/// No offsets: all are zero. Returns them and the bytes of all corrections.
pub(crate) fn none(slots: &[Affine], free: &[bool]) -> (Vec<i64>, usize) {
    let offsets = vec![0; free.len()];
    let bytes = slots
        .iter()
        .map(|slot| correction_bytes(slot.value(&offsets)))
        .sum();
    (offsets, bytes)
}

/// Chooses offsets for `free` tables, all others being zero. Returns all offsets and the bytes of all corrections.
pub(crate) fn choose(slots: &[Affine], free: &[bool]) -> (Vec<i64>, usize) {
    let mut counted: BTreeMap<&Affine, usize> = BTreeMap::new();
    for slot in slots {
        *counted.entry(slot).or_default() += 1;
    }
    let slots: Vec<(&Affine, usize)> = counted.into_iter().collect();
    let total = |offsets: &[i64]| -> usize {
        slots
            .iter()
            .map(|(slot, count)| count * correction_bytes(slot.value(offsets)))
            .sum()
    };
    let tables: Vec<usize> = (0..free.len()).filter(|&table| free[table]).collect();
    let mut best: Option<(usize, i64, Vec<i64>)> = None;
    for start in 0..tables.len().max(1) {
        for reverse in [false, true] {
            let mut order = tables.clone();
            order.rotate_left(start.min(tables.len()));
            if reverse {
                order.reverse();
            }
            let mut offsets = vec![0; free.len()];
            let mut settled = vec![false; free.len()];
            loop {
                let before = offsets.clone();
                for &table in &order {
                    settle(&slots, table, &mut offsets, &settled, free);
                    settled[table] = true;
                }
                if offsets == before {
                    break;
                }
            }
            let bytes = total(&offsets);
            // Of equally cheap ones, the smaller numbers: they take fewer bytes to push.
            let size = offsets.iter().map(|offset| offset.abs()).sum();
            if best
                .as_ref()
                .is_none_or(|(known, known_size, _)| (bytes, size) < (*known, *known_size))
            {
                best = Some((bytes, size, offsets));
            }
        }
    }
    let (mut bytes, _, mut offsets) = best.expect("at least one order is tried");
    // From there, small steps away and down again: a fixed number of them, drawn from a fixed sequence.
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for _ in 0..KICKS {
        if tables.is_empty() {
            break;
        }
        let mut kicked = offsets.clone();
        for _ in 0..=draw.below(2) {
            let table = tables[draw.below(tables.len())];
            kicked[table] += draw.below(9) as i64 - 4; // cast ok: below 9
        }
        let settled = vec![true; free.len()];
        descend(&slots, &tables, &mut kicked, &settled, free);
        let total = total(&kicked);
        if total <= bytes {
            (bytes, offsets) = (total, kicked);
        }
    }
    (offsets, bytes)
}

/// How often [`choose`] steps away from the best offsets found.
const KICKS: usize = 300;

/// A sequence of numbers that look random (Marsaglia's xorshift).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % bound as u64) as usize // cast ok: below the bound
    }
}

/// Sets each offset in turn to its best value until nothing changes.
fn descend(
    slots: &[(&Affine, usize)],
    tables: &[usize],
    offsets: &mut [i64],
    settled: &[bool],
    free: &[bool],
) {
    loop {
        let before = offsets.to_vec();
        for &table in tables {
            settle(slots, table, offsets, settled, free);
        }
        if offsets == before {
            break;
        }
    }
}

/// Sets one offset to its best value. In the first round, slots that depend on offsets not yet settled do not count: those will
/// adapt.
fn settle(
    slots: &[(&Affine, usize)],
    table: usize,
    offsets: &mut [i64],
    settled: &[bool],
    free: &[bool],
) {
    let mut relevant: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    for (slot, count) in slots {
        let coefficient = i64::from(slot.coefficients[table]);
        if coefficient == 0 {
            continue;
        }
        let waits = slot
            .terms()
            .any(|(other, _)| other != table && free[other] && !settled[other]);
        if waits {
            continue;
        }
        let rest = slot.value(offsets) - coefficient * offsets[table];
        *relevant.entry((rest, coefficient)).or_default() += count;
    }
    let cost = |offset: i64| -> usize {
        relevant
            .iter()
            .map(|(&(rest, coefficient), count)| {
                count * correction_bytes(rest + coefficient * offset)
            })
            .sum()
    };
    let candidates = relevant
        .keys()
        .filter(|(rest, coefficient)| rest % coefficient == 0)
        .map(|(rest, coefficient)| -rest / coefficient);
    let now = offsets[table];
    let choice = candidates
        .chain([now])
        .map(|offset| (cost(offset), offset != now, offset.abs(), offset))
        .min();
    if let Some((.., offset)) = choice {
        offsets[table] = offset;
    }
}
