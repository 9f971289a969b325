//! Improves a cutting by local search.
//!
//! A line is cut at places, so every value that crosses one is committed to. The search here knows no line: it looks at the
//! *parts*, groups of committed values with the leaf that checks each, and changes one or two of them at a time. A part is
//! dissolved (whoever read it computes it again), two are merged, one is split, or values inside a leaf's cone are committed to in
//! addition. Any set of committed values is sound, as each part's leaf computes it again from other parts; see
//! [decision 0005](../../../../docs/0005-cutting-by-cost-with-overlapping-leaves.md).
//!
//! All costs are integers and the effort is counted in visited cells, so the result is the same on every machine.

use std::collections::BTreeSet;

use super::{Cutting, MAX_LEAF_ITEMS};
use crate::circuit::cells::{Cells, ValueId};
use crate::circuit::price::PriceList;

/// Where a value is committed to: nowhere.
const NOWHERE: u32 = u32::MAX;

/// Script head, signature, control block and the transaction around them, in WU.
const LEAF_OVERHEAD_WU: u64 = 800;

/// Comparing one checked bit, in tenths of a byte.
const CHECK_TENTHS: u64 = 55;

/// Fetching one opened bit from the altstack, in tenths of a byte.
const FETCH_TENTHS: u64 = 15;

/// What a WU of a leaf above the ceiling costs, in WU of publishing.
const PENALTY: i64 = 8;

/// What a witness item above the limit costs, in WU of a leaf.
const ITEM_WU: u64 = 60;

/// Widest part: as wide as groups are priced.
const MAX_PART_BITS: usize = 256;

/// Widest group of outputs.
const MAX_OUTPUT_BITS: usize = 128;

/// What a part's values are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Input,
    Output,
    Value,
}

/// A group of committed values and what the leaf that checks it is estimated to take.
#[derive(Clone, Debug)]
struct Part {
    kind: Kind,
    values: Vec<ValueId>,
    leaf: Estimate,
    /// Parts whose leaves open this one.
    readers: BTreeSet<u32>,
    alive: bool,
}

/// Estimate of a leaf.
#[derive(Clone, Default, Debug)]
struct Estimate {
    wu: u64,
    items: usize,
    /// Parts opened beside the one that is checked.
    reads: Vec<u32>,
}

/// A change of parts that was tried: what it gains.
#[derive(Clone, Copy, Debug)]
struct Score {
    /// Change of what is published, with penalties for leaves above the limits, in WU.
    cost: i64,
    /// By how much the affected leaves grow, in WU.
    growth: i64,
}

/// What the search is to respect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most WU of a leaf.
    pub(crate) ceiling_wu: u64,
    /// Most cells to visit.
    pub(crate) effort: u64,
}

/// Parts under improvement.
#[derive(Clone, Debug)]
pub(crate) struct Refiner<'a> {
    cells: &'a Cells,
    /// Estimated size of each cell, in tenths of a byte.
    tenths: Vec<u64>,
    prices: &'a PriceList,
    parts: Vec<Part>,
    /// The part that holds each value.
    home: Vec<u32>,
    cell_stamp: Vec<u32>,
    part_stamp: Vec<u32>,
    round: u32,
    /// Cells visited.
    effort: u64,
}

impl<'a> Refiner<'a> {
    /// Starts from a cutting.
    pub(crate) fn new(cells: &'a Cells, cutting: &Cutting, prices: &'a PriceList) -> Self {
        let tenths = (0..cells.cells.len() as u32) // cast ok: cells are counted by 32 bits
            .map(|id| super::estimated_tenths(cells, id))
            .collect();
        let mut refiner = Self {
            cells,
            tenths,
            prices,
            parts: Vec::new(),
            home: vec![NOWHERE; cells.values()],
            cell_stamp: vec![0; cells.cells.len()],
            part_stamp: Vec::new(),
            round: 0,
            effort: 0,
        };
        let kinds = [
            (Kind::Input, &cutting.input_groups),
            (Kind::Value, &cutting.groups),
            (Kind::Output, &cutting.output_groups),
        ];
        for (kind, groups) in kinds {
            for values in groups {
                refiner.push(kind, values.clone());
            }
        }
        refiner.look_at_all();
        refiner
    }

    /// What the parts come to.
    pub(crate) fn cutting(&self, segments: usize) -> Cutting {
        let of = |kind: Kind| {
            let mut groups: Vec<Vec<ValueId>> = self
                .parts
                .iter()
                .filter(|part| part.alive && part.kind == kind)
                .map(|part| part.values.clone())
                .collect();
            groups.iter_mut().for_each(|values| values.sort_unstable());
            groups.sort_unstable();
            groups
        };
        Cutting {
            groups: of(Kind::Value),
            input_groups: of(Kind::Input),
            output_groups: of(Kind::Output),
            estimate_wu: (self.publish_wu() + self.largest_wu()) as f64, // cast ok: far below 2^52
            largest_wu: self.largest_wu() as f64, // cast ok: likewise
            widest: super::Widest { items: self.most_items(), place: 0 },
            segments,
        }
    }

    /// What publishing all parts takes.
    pub(crate) fn publish_wu(&self) -> u64 {
        let alive = self.parts.iter().filter(|part| part.alive);
        alive
            .map(|part| self.prices.publish(part.values.len()))
            .sum()
    }

    /// The heaviest leaf.
    pub(crate) fn largest_wu(&self) -> u64 {
        self.checked()
            .map(|part| self.parts[part as usize].leaf.wu)
            .max()
            .unwrap_or(0)
    }

    /// The most items that a leaf opens.
    pub(crate) fn most_items(&self) -> usize {
        self.checked()
            .map(|part| self.parts[part as usize].leaf.items)
            .max()
            .unwrap_or(0)
    }

    /// Improves the parts under a ceiling for leaves.
    pub(crate) fn refine(&mut self, bounds: &Bounds) -> u64 {
        let start = self.effort;
        let stop = self.effort + bounds.effort;
        self.repair(bounds.ceiling_wu, stop);
        for _ in 0..4 {
            let before = self.publish_wu();
            self.dissolve(bounds.ceiling_wu, stop);
            self.merge(bounds.ceiling_wu, stop);
            if self.publish_wu() + 20 >= before || self.effort >= stop {
                break;
            }
        }
        self.effort - start
    }

    /// The living parts that have a leaf.
    fn checked(&self) -> impl Iterator<Item = u32> + use<'_, 'a> {
        (0..self.parts.len() as u32) // cast ok: fewer parts than values
            .filter(|&part| self.parts[part as usize].is_checked())
    }

    fn push(&mut self, kind: Kind, values: Vec<ValueId>) -> u32 {
        let id = self.parts.len() as u32; // cast ok: fewer parts than values
        for &value in &values {
            self.home[value as usize] = id;
        }
        self.parts.push(Part {
            kind,
            values,
            leaf: Estimate::default(),
            readers: BTreeSet::new(),
            alive: true,
        });
        self.part_stamp.push(0);
        id
    }

    /// Estimates all leaves anew.
    fn look_at_all(&mut self) {
        for part in &mut self.parts {
            part.readers.clear();
        }
        let checked: Vec<u32> = self.checked().collect();
        for id in checked {
            let leaf = self.estimate(id);
            for &read in &leaf.reads {
                self.parts[read as usize].readers.insert(id);
            }
            self.parts[id as usize].leaf = leaf;
        }
    }

    /// Estimates the leaf of a part.
    fn estimate(&mut self, id: u32) -> Estimate {
        self.round += 1;
        let round = self.round;
        let cells = self.cells;
        let mut stack: Vec<u32> = Vec::new();
        let values = &self.parts[id as usize].values;
        stack.extend(
            values
                .iter()
                .filter_map(|&value| cells.producer[value as usize]),
        );
        let bits = values.len();
        let mut tenths = CHECK_TENTHS * bits as u64;
        let mut reads = Vec::new();
        while let Some(cell) = stack.pop() {
            if std::mem::replace(&mut self.cell_stamp[cell as usize], round) == round {
                continue;
            }
            self.effort += 1;
            tenths += self.tenths[cell as usize];
            for operand in &cells.cells[cell as usize].operands {
                let home = self.home[operand.value as usize];
                if home != NOWHERE && home != id {
                    if std::mem::replace(&mut self.part_stamp[home as usize], round) != round {
                        reads.push(home);
                    }
                } else if let Some(producer) = cells.producer[operand.value as usize] {
                    stack.push(producer);
                }
            }
        }
        reads.sort_unstable();
        let mut wu = LEAF_OVERHEAD_WU + self.prices.open(bits);
        let mut items = self.prices.items(bits);
        for &read in &reads {
            let bits = self.parts[read as usize].values.len();
            wu += self.prices.open(bits);
            items += self.prices.items(bits);
            tenths += FETCH_TENTHS * bits as u64;
        }
        wu += tenths / 10;
        Estimate { wu, items, reads }
    }

    /// Replaces parts by others and keeps that if `accept` likes the score.
    ///
    /// What is added must hold all values of what is removed, or the rest is computed again by whoever read it.
    fn attempt(
        &mut self,
        removed: &[u32],
        added: Vec<(Kind, Vec<ValueId>)>,
        ceiling: u64,
        accept: impl Fn(Score) -> bool,
    ) -> Score {
        let affected: BTreeSet<u32> = removed
            .iter()
            .flat_map(|&id| self.parts[id as usize].readers.iter().copied())
            .filter(|id| !removed.contains(id))
            .collect();
        let mut score = Score { cost: 0, growth: 0 };
        for &id in removed {
            let part = &mut self.parts[id as usize];
            part.alive = false;
            for &value in &part.values {
                self.home[value as usize] = NOWHERE;
            }
            score.cost -= self.prices.publish(self.parts[id as usize].values.len()) as i64;
            score.cost -= PENALTY * self.excess(id, ceiling);
        }
        let first = self.parts.len();
        for (kind, values) in added {
            score.cost += self.prices.publish(values.len()) as i64;
            self.push(kind, values);
        }
        let fresh: Vec<u32> = (first as u32..self.parts.len() as u32)
            .filter(|&id| self.parts[id as usize].kind != Kind::Input)
            .collect();
        let mut changed: Vec<(u32, Estimate)> = Vec::with_capacity(affected.len() + 2);
        for id in affected.into_iter().chain(fresh) {
            score.cost -= PENALTY * self.excess(id, ceiling);
            score.growth -= self.parts[id as usize].leaf.wu as i64;
            let leaf = self.estimate(id);
            score.cost += PENALTY * excess(&leaf, ceiling);
            score.growth += leaf.wu as i64;
            changed.push((id, leaf));
        }
        if !accept(score) {
            for part in self.parts.drain(first..) {
                for value in part.values {
                    self.home[value as usize] = NOWHERE;
                }
            }
            self.part_stamp.truncate(first);
            for &id in removed {
                let part = &mut self.parts[id as usize];
                part.alive = true;
                for &value in &part.values {
                    self.home[value as usize] = id;
                }
            }
            return score;
        }
        for &id in removed {
            let leaf = std::mem::take(&mut self.parts[id as usize].leaf);
            for read in leaf.reads {
                self.parts[read as usize].readers.remove(&id);
            }
        }
        for (id, leaf) in changed {
            let old = std::mem::take(&mut self.parts[id as usize].leaf);
            for read in old.reads {
                self.parts[read as usize].readers.remove(&id);
            }
            for &read in &leaf.reads {
                self.parts[read as usize].readers.insert(id);
            }
            self.parts[id as usize].leaf = leaf;
        }
        score
    }

    fn excess(&self, id: u32, ceiling: u64) -> i64 {
        excess(&self.parts[id as usize].leaf, ceiling)
    }

    /// Has parts computed again by whoever reads them, those first whose readers grow the least for what it saves.
    fn dissolve(&mut self, ceiling: u64, stop: u64) {
        let mut tried: Vec<(i64, u32)> = Vec::new();
        let values: Vec<u32> = self
            .checked()
            .filter(|&id| self.parts[id as usize].kind == Kind::Value)
            .collect();
        for id in values {
            if self.effort >= stop {
                break;
            }
            let score = self.attempt(&[id], Vec::new(), ceiling, |_| false);
            if score.cost < 0 {
                tried.push((1000 * score.growth / -score.cost, id));
            }
        }
        tried.sort_unstable();
        for (_, id) in tried {
            if self.effort >= stop {
                break;
            }
            self.attempt(&[id], Vec::new(), ceiling, |score| score.cost < 0);
        }
    }

    /// Joins parts that much the same leaves read: a checksum less to publish.
    fn merge(&mut self, ceiling: u64, stop: u64) {
        const PARTNERS: usize = 3;
        const READERS: usize = 24;
        let mut id = 0;
        while (id as usize) < self.parts.len() && self.effort < stop {
            let this = &self.parts[id as usize];
            id += 1;
            if !this.alive {
                continue;
            }
            let this_id = id - 1;
            let (kind, bits) = (this.kind, this.values.len());
            let most = match kind {
                Kind::Output => MAX_OUTPUT_BITS,
                Kind::Input | Kind::Value => MAX_PART_BITS,
            };
            // Parts opened together with this one, and parts computed from the same.
            let mut common: std::collections::BTreeMap<u32, i64> = Default::default();
            for &reader in this.readers.iter().take(READERS) {
                for &other in &self.parts[reader as usize].leaf.reads {
                    *common.entry(other).or_default() += 1;
                }
            }
            for &read in this.leaf.reads.iter().take(READERS) {
                for &other in self.parts[read as usize].readers.iter().take(READERS) {
                    *common.entry(other).or_default() += 1;
                }
            }
            let mut partners: Vec<(i64, u32)> = common
                .into_iter()
                .filter(|&(other, _)| {
                    let part = &self.parts[other as usize];
                    other != this_id
                        && part.alive
                        && part.kind == kind
                        && part.values.len() + bits <= most
                })
                .map(|(other, shared)| (-shared, other))
                .collect();
            partners.sort_unstable();
            for (_, other) in partners.into_iter().take(PARTNERS) {
                let mut values = self.parts[this_id as usize].values.clone();
                values.extend_from_slice(&self.parts[other as usize].values);
                let score =
                    self.attempt(&[this_id, other], vec![(kind, values)], ceiling, |score| {
                        score.cost < 0
                    });
                if score.cost < 0 {
                    break;
                }
            }
        }
    }

    /// Brings leaves below the limits, the heaviest first.
    fn repair(&mut self, ceiling: u64, stop: u64) {
        let mut stuck: BTreeSet<u32> = BTreeSet::new();
        while self.effort < stop {
            let worst = self
                .checked()
                .filter(|id| !stuck.contains(id) && self.excess(*id, ceiling) > 0)
                .max_by_key(|&id| (self.excess(id, ceiling), std::cmp::Reverse(id)));
            let Some(id) = worst else { break };
            if !self.lighten(id, ceiling) {
                stuck.insert(id);
            }
        }
    }

    /// Makes one leaf lighter; `false` if nothing that was tried is better.
    fn lighten(&mut self, id: u32, ceiling: u64) -> bool {
        let better = |score: Score| score.cost < 0;
        // Open less of what is opened for a few bits: split what is read into what this leaf uses and the rest.
        for read in self.parts[id as usize].leaf.reads.clone() {
            if !self.parts[id as usize].leaf.reads.contains(&read) {
                continue;
            }
            let kind = self.parts[read as usize].kind;
            let used = self.used(id, read);
            let (some, rest): (Vec<_>, Vec<_>) = self.parts[read as usize]
                .values
                .iter()
                .copied()
                .partition(|value| used.contains(value));
            if rest.is_empty() {
                continue;
            }
            let score = self.attempt(&[read], vec![(kind, some), (kind, rest)], ceiling, better);
            if score.cost < 0 {
                return true;
            }
        }
        // Check less.
        let values = &self.parts[id as usize].values;
        if values.len() > 1 {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let rest = sorted.split_off(sorted.len() / 2);
            let kind = self.parts[id as usize].kind;
            let score = self.attempt(&[id], vec![(kind, sorted), (kind, rest)], ceiling, better);
            if score.cost < 0 {
                return true;
            }
        }
        // Compute less.
        self.cut_inside(id, ceiling)
    }

    /// The values of one part that the leaf of another reads.
    fn used(&self, reader: u32, read: u32) -> BTreeSet<ValueId> {
        let mut used = BTreeSet::new();
        for cell in self.cone(reader) {
            for operand in &self.cells.cells[cell as usize].operands {
                if self.home[operand.value as usize] == read {
                    used.insert(operand.value);
                }
            }
        }
        used
    }

    /// The cells of a leaf, in topological order.
    fn cone(&self, id: u32) -> BTreeSet<u32> {
        let mut cone = BTreeSet::new();
        let mut stack: Vec<u32> = self.parts[id as usize]
            .values
            .iter()
            .filter_map(|&value| self.cells.producer[value as usize])
            .collect();
        while let Some(cell) = stack.pop() {
            if !cone.insert(cell) {
                continue;
            }
            for operand in &self.cells.cells[cell as usize].operands {
                let home = self.home[operand.value as usize];
                if home == NOWHERE || home == id {
                    stack.extend(self.cells.producer[operand.value as usize]);
                }
            }
        }
        cone
    }

    /// Commits to the values at a narrow place of a leaf's cone. `false` if that is no better.
    fn cut_inside(&mut self, id: u32, ceiling: u64) -> bool {
        const WIDEST: usize = 64;
        let cone: Vec<u32> = self.cone(id).into_iter().collect();
        self.effort += 4 * cone.len() as u64;
        let place: std::collections::HashMap<u32, usize> =
            cone.iter().enumerate().map(|(i, &c)| (c, i)).collect();
        // Values by the places between which they are alive inside the cone.
        let mut last: std::collections::BTreeMap<ValueId, (usize, usize)> = Default::default();
        for (at, &cell) in cone.iter().enumerate() {
            for operand in &self.cells.cells[cell as usize].operands {
                let made = self.cells.producer[operand.value as usize]
                    .filter(|_| {
                        let home = self.home[operand.value as usize];
                        home == NOWHERE || home == id
                    })
                    .and_then(|producer| place.get(&producer));
                if let Some(&made) = made {
                    last.insert(operand.value, (made, at));
                }
            }
        }
        let mut width = vec![0i64; cone.len() + 1];
        for (&value, &(made, used)) in &last {
            let weight = if self.cells.is_number(value) {
                1_000_000
            } else if self.home[value as usize] == id {
                0
            } else {
                1
            };
            width[made] += weight;
            width[used] -= weight;
        }
        let mut alive = 0;
        for step in &mut width {
            alive += *step;
            *step = alive;
        }
        let total: u64 = cone.iter().map(|&c| self.tenths[c as usize]).sum();
        let mut sum = 0;
        let mut best: [Option<(i64, usize)>; 4] = [None; 4];
        for (at, &cell) in cone.iter().enumerate() {
            sum += self.tenths[cell as usize];
            let share = 100 * sum / total.max(1);
            if !(10..90).contains(&share) {
                continue;
            }
            let slot = (share as usize - 10) / 20; // cast ok: a percentage
            if width[at] > 0 && best[slot].is_none_or(|(w, _)| width[at] < w) {
                best[slot] = Some((width[at], at));
            }
        }
        let mut narrow: Vec<(i64, usize)> = best.into_iter().flatten().collect();
        narrow.sort_unstable();
        for (width, at) in narrow {
            if width >= 1_000_000 {
                continue;
            }
            let crossing: Vec<ValueId> = last
                .iter()
                .filter(|&(&value, &(made, used))| {
                    made <= at && used > at && self.home[value as usize] == NOWHERE
                })
                .map(|(&value, _)| value)
                .collect();
            let pieces = crossing.len().div_ceil(WIDEST).max(1);
            let size = crossing.len().div_ceil(pieces).max(1);
            let before = self.clone();
            let cost = self.cost(ceiling);
            for values in crossing.chunks(size) {
                self.push(Kind::Value, values.to_vec());
            }
            self.look_at_all();
            if self.cost(ceiling) < cost {
                return true;
            }
            let effort = self.effort;
            *self = before;
            self.effort = effort;
        }
        false
    }

    /// What is published and all penalties.
    pub(crate) fn cost(&self, ceiling: u64) -> i64 {
        let penalties: i64 = self.checked().map(|id| self.excess(id, ceiling)).sum();
        self.publish_wu() as i64 + PENALTY * penalties
    }
}

impl Part {
    fn is_checked(&self) -> bool {
        self.alive && self.kind != Kind::Input
    }
}

/// By how much a leaf is above the limits, in WU.
fn excess(leaf: &Estimate, ceiling: u64) -> i64 {
    let items = leaf.items.saturating_sub(MAX_LEAF_ITEMS) as u64;
    (leaf.wu.saturating_sub(ceiling) + ITEM_WU * items) as i64
}
