//! Brings leaves that are too heavy or too wide below the limits.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::parts::{Kind, NOWHERE, Refiner, Score};
use crate::circuit::cells::{CellId, ValueId};

/// Bits of each part that is made of values inside a cone.
const WIDEST_CUT: usize = 64;

impl Refiner<'_> {
    /// Brings leaves below the limits, the heaviest first.
    pub(super) fn repair(&mut self, ceiling: u64, stop: u64) {
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
        // Open less of what is opened for a few bits: split what is read into what this leaf uses
        // and the rest.
        for (read, used) in self.used(id) {
            let kind = self.parts[read as usize].kind;
            let (some, rest): (Vec<_>, Vec<_>) = self.parts[read as usize]
                .values
                .iter()
                .copied()
                .partition(|value| used.contains(value));
            if rest.is_empty() {
                continue;
            }
            let parts = vec![(kind, some), (kind, rest)];
            let score = self.attempt(&[read], parts, ceiling, Score::is_gain);
            if score.is_gain() {
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
            let parts = vec![(kind, sorted), (kind, rest)];
            let score = self.attempt(&[id], parts, ceiling, Score::is_gain);
            if score.is_gain() {
                return true;
            }
        }
        // Compute less.
        self.cut_inside(id, ceiling)
    }

    /// The values of each other part that a leaf reads.
    fn used(&mut self, id: u32) -> BTreeMap<u32, BTreeSet<ValueId>> {
        let mut used: BTreeMap<u32, BTreeSet<ValueId>> = BTreeMap::new();
        for cell in self.cone(id) {
            for &(value, _) in self.graph.operands(cell) {
                let home = self.home[value as usize];
                if home != NOWHERE && home != id {
                    used.entry(home).or_default().insert(value);
                }
            }
        }
        used
    }

    /// The cells of a leaf, in topological order.
    fn cone(&mut self, id: u32) -> BTreeSet<CellId> {
        let mut cone = BTreeSet::new();
        let mut stack: Vec<CellId> = self.parts[id as usize]
            .values
            .iter()
            .filter_map(|&value| self.graph.cells.producer[value as usize])
            .collect();
        while let Some(cell) = stack.pop() {
            if !cone.insert(cell) {
                continue;
            }
            self.effort += 1;
            for &(value, producer) in self.graph.operands(cell) {
                let home = self.home[value as usize];
                if home == NOWHERE || home == id {
                    stack.extend(producer);
                }
            }
        }
        cone
    }

    /// Commits to the values at a narrow place of a leaf's cone. `false` if that is no better.
    fn cut_inside(&mut self, id: u32, ceiling: u64) -> bool {
        let cone: Vec<CellId> = self.cone(id).into_iter().collect();
        let alive = self.alive_inside(id, &cone);
        for (_, at) in self.narrow_places(id, &cone, &alive) {
            let crossing: Vec<ValueId> = alive
                .iter()
                .filter(|&(&value, &(made, used))| {
                    made <= at && used > at && self.home[value as usize] == NOWHERE
                })
                .map(|(&value, _)| value)
                .collect();
            let pieces = crossing.len().div_ceil(WIDEST_CUT).max(1);
            let size = crossing.len().div_ceil(pieces).max(1);
            let before = self.clone();
            let cost = self.publish_wu() + self.penalties(ceiling);
            for values in crossing.chunks(size) {
                self.push(Kind::Value, values.to_vec());
            }
            self.look_at_all();
            if self.publish_wu() + self.penalties(ceiling) < cost {
                return true;
            }
            let effort = self.effort;
            *self = before;
            self.effort = effort;
        }
        false
    }

    /// The places in a cone at which each value is computed and last read.
    fn alive_inside(&self, id: u32, cone: &[CellId]) -> BTreeMap<ValueId, (usize, usize)> {
        let place: HashMap<CellId, usize> = cone.iter().enumerate().map(|(i, &c)| (c, i)).collect();
        let mut alive = BTreeMap::new();
        for (at, &cell) in cone.iter().enumerate() {
            for &(value, producer) in self.graph.operands(cell) {
                let home = self.home[value as usize];
                if home != NOWHERE && home != id {
                    continue;
                }
                if let Some(&made) = producer.and_then(|producer| place.get(&producer)) {
                    alive.insert(value, (made, at));
                }
            }
        }
        alive
    }

    /// The narrowest place in each fifth of a cone's middle, with its width in bits, the narrowest
    /// first. No number is alive there.
    fn narrow_places(
        &self,
        id: u32,
        cone: &[CellId],
        alive: &BTreeMap<ValueId, (usize, usize)>,
    ) -> Vec<(i64, usize)> {
        /// Wider than any place where only bits are alive.
        const NUMBER: i64 = 1 << 32;
        let mut width = vec![0; cone.len() + 1];
        for (&value, &(made, used)) in alive {
            let bits = if self.graph.cells.is_number(value) {
                NUMBER
            } else {
                i64::from(self.home[value as usize] != id)
            };
            width[made] += bits;
            width[used] -= bits;
        }
        let total: u64 = cone.iter().map(|&c| self.graph.tenths[c as usize]).sum();
        let (mut sum, mut bits) = (0, 0);
        let mut best: [Option<(i64, usize)>; 4] = [None; 4];
        for (at, &cell) in cone.iter().enumerate() {
            sum += self.graph.tenths[cell as usize];
            bits += width[at];
            let percent = 100 * sum / total.max(1);
            if !(10..90).contains(&percent) || !(1..NUMBER).contains(&bits) {
                continue;
            }
            let slot = &mut best[(percent as usize - 10) / 20]; // cast ok: a percentage
            if slot.is_none_or(|(least, _)| bits < least) {
                *slot = Some((bits, at));
            }
        }
        let mut narrow: Vec<(i64, usize)> = best.into_iter().flatten().collect();
        narrow.sort_unstable();
        narrow
    }
}
