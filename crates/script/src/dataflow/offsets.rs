//! The choice of the tables' offsets.
//!
//! Every place where a number may have to be corrected is a *slot*: what must be added there depends linearly on the offsets. They are
//! chosen so that most slots come to zero. Each is set in turn to the value that makes the total cheapest, until nothing improves; the candidates are
//! the values that bring some slot to zero. Different orders of the offsets are tried.

use std::collections::BTreeMap;

/// Most tables of a bank.
pub(crate) const MAX_TABLES: usize = 64;

/// A number that depends on the offsets: `constant + Σ coefficient · offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Affine {
    pub(crate) constant: i64,
    /// One for each table.
    pub(crate) coefficients: [i8; MAX_TABLES],
}

impl Default for Affine {
    fn default() -> Self {
        Self {
            constant: 0,
            coefficients: [0; MAX_TABLES],
        }
    }
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

/// Slots that need the same correction, whatever the offsets are.
struct Group {
    constant: i64,
    /// The tables whose offsets matter, with their coefficients.
    terms: Vec<(usize, i64)>,
    /// How many slots.
    count: usize,
}

impl Group {
    fn value(&self, offsets: &[i64]) -> i64 {
        let offset = |&(table, coefficient): &(usize, i64)| coefficient * offsets[table];
        self.constant + self.terms.iter().map(offset).sum::<i64>()
    }
}

/// All slots, and the tables whose offsets are chosen.
struct Search<'a> {
    groups: Vec<Group>,
    /// For each table, the groups that depend on its offset, with its coefficient.
    of_table: Vec<Vec<(usize, i64)>>,
    free: &'a [bool],
}

impl<'a> Search<'a> {
    fn new(slots: &[Affine], free: &'a [bool]) -> Self {
        let mut counted: BTreeMap<&Affine, usize> = BTreeMap::new();
        for slot in slots {
            *counted.entry(slot).or_default() += 1;
        }
        let groups: Vec<Group> = counted
            .into_iter()
            .map(|(slot, count)| Group {
                constant: slot.constant,
                terms: slot.terms().collect(),
                count,
            })
            .collect();
        let mut of_table = vec![Vec::new(); free.len()];
        for (index, group) in groups.iter().enumerate() {
            for &(table, coefficient) in &group.terms {
                of_table[table].push((index, coefficient));
            }
        }
        Self {
            groups,
            of_table,
            free,
        }
    }

    /// The bytes of all corrections.
    fn total(&self, offsets: &[i64]) -> usize {
        self.groups
            .iter()
            .map(|group| group.count * correction_bytes(group.value(offsets)))
            .sum()
    }

    /// Sets each offset in turn to its best value until nothing changes.
    fn descend(&self, tables: &[usize], offsets: &mut [i64], settled: &mut [bool]) {
        loop {
            let before = offsets.to_vec();
            for &table in tables {
                self.settle(table, offsets, settled);
                settled[table] = true;
            }
            if offsets == before {
                break;
            }
        }
    }

    /// Sets one offset to its best value. In the first round, slots that depend on offsets not yet settled do not count: those will
    /// adapt.
    fn settle(&self, table: usize, offsets: &mut [i64], settled: &[bool]) {
        // What is to be corrected if this offset is 0, the coefficient, and how often.
        let mut relevant: Vec<(i64, i64, usize)> = Vec::new();
        for &(group, coefficient) in &self.of_table[table] {
            let group = &self.groups[group];
            let waits = group
                .terms
                .iter()
                .any(|&(other, _)| other != table && self.free[other] && !settled[other]);
            if !waits {
                let rest = group.value(offsets) - coefficient * offsets[table];
                relevant.push((rest, coefficient, group.count));
            }
        }
        relevant.sort_unstable();
        relevant.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            kept.2 += if same { next.2 } else { 0 };
            same
        });
        // The most frequent ones first, so that a bad candidate shows soon.
        relevant.sort_unstable_by_key(|&(rest, coefficient, count)| {
            (std::cmp::Reverse(count), rest, coefficient)
        });
        let now = offsets[table];
        let candidates = relevant
            .iter()
            .filter(|(rest, coefficient, _)| rest % coefficient == 0)
            .map(|(rest, coefficient, _)| -rest / coefficient)
            .chain([now]);
        let mut best: Option<(usize, bool, i64, i64)> = None;
        for offset in candidates {
            let mut cost = 0;
            for &(rest, coefficient, count) in &relevant {
                cost += count * correction_bytes(rest + coefficient * offset);
                if best.is_some_and(|(known, ..)| cost > known) {
                    break;
                }
            }
            let key = (cost, offset != now, offset.abs(), offset);
            if best.is_none_or(|best| key < best) {
                best = Some(key);
            }
        }
        if let Some((.., offset)) = best {
            offsets[table] = offset;
        }
    }
}

/// Chooses offsets for `free` tables, all others being zero. Returns all offsets and the bytes of all corrections.
pub(crate) fn choose(slots: &[Affine], free: &[bool]) -> (Vec<i64>, usize) {
    let search = Search::new(slots, free);
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
            search.descend(&order, &mut offsets, &mut vec![false; free.len()]);
            let bytes = search.total(&offsets);
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
        search.descend(&tables, &mut kicked, &mut vec![true; free.len()]);
        let total = search.total(&kicked);
        if total <= bytes {
            (bytes, offsets) = (total, kicked);
        }
    }
    (offsets, bytes)
}

/// Chooses offsets by one descent from these.
pub(crate) fn choose_from(slots: &[Affine], free: &[bool], start: &[i64]) -> (Vec<i64>, usize) {
    let search = Search::new(slots, free);
    let tables: Vec<usize> = (0..free.len()).filter(|&table| free[table]).collect();
    let from_start = {
        let mut offsets = start.to_vec();
        search.descend(&tables, &mut offsets, &mut vec![true; free.len()]);
        (search.total(&offsets), offsets)
    };
    let afresh = {
        let mut offsets = vec![0; free.len()];
        search.descend(&tables, &mut offsets, &mut vec![false; free.len()]);
        (search.total(&offsets), offsets)
    };
    let (bytes, offsets) = match afresh.0 < from_start.0 {
        true => afresh,
        false => from_start,
    };
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
