//! Improves a cutting by local search.
//!
//! A line is cut at places, so every value that crosses one is committed to. The search here knows
//! no line: it looks at the *parts*, groups of committed values with the leaf that checks each, and
//! changes one or two of them at a time. A part is dissolved (whoever read it computes it again),
//! two are merged, one is split, or values inside a leaf's cone are committed to in addition. Any
//! set of committed values is sound, as each part's leaf computes it again from other parts; see
//! [decision 0005](../../../../docs/0005-cutting-by-cost-with-overlapping-leaves.md).
//!
//! All costs are integers and the effort is counted in visited cells, so the result is the same on
//! every machine.

use std::collections::BTreeMap;

use super::parts::{Kind, MAX_OUTPUT_BITS, MAX_PART_BITS, Refiner, Score};

/// What the search is to respect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most WU of a leaf.
    pub(crate) ceiling_wu: u64,
    /// Most cells to visit.
    pub(crate) effort: u64,
}

impl Refiner<'_> {
    /// Improves the parts under a ceiling for leaves. Returns how many cells were visited.
    pub(crate) fn refine(&mut self, bounds: &Bounds) -> u64 {
        /// Rounds that gain less than this many WU end the search.
        const LEAST_GAIN_WU: u64 = 20;
        let start = self.effort;
        let stop = self.effort + bounds.effort;
        self.repair(bounds.ceiling_wu, stop);
        for _ in 0..4 {
            let before = self.publish_wu();
            self.dissolve(bounds.ceiling_wu, stop);
            self.merge(bounds.ceiling_wu, stop);
            if self.publish_wu() + LEAST_GAIN_WU >= before || self.effort >= stop {
                break;
            }
        }
        self.effort - start
    }

    /// Has parts computed again by whoever reads them, those first whose readers grow the least for
    /// what it saves.
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
            if score.cost < 0 && score.is_gain() {
                tried.push((1000 * score.growth / -score.cost, id));
            }
        }
        tried.sort_unstable();
        for (_, id) in tried {
            if self.effort >= stop {
                break;
            }
            self.attempt(&[id], Vec::new(), ceiling, Score::is_gain);
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
            let mut common: BTreeMap<u32, i64> = Default::default();
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
                let joined = vec![(kind, values)];
                let score = self.attempt(&[this_id, other], joined, ceiling, Score::is_gain);
                if score.is_gain() {
                    break;
                }
            }
        }
    }
}
