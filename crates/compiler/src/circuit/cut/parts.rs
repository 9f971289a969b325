//! Parts: groups of committed values, each with an estimate of the leaf that checks it, and what
//! changing some of them gains.
//!
//! All costs are integers and the effort is counted in visited cells, so every machine comes to the
//! same result.

use std::collections::BTreeSet;

use super::{Cutting, MAX_LEAF_ITEMS, Widest, estimated_tenths};
use crate::circuit::cells::{CellId, Cells, ValueId};
use crate::circuit::price::PriceList;

/// Where a value is committed to: nowhere.
pub(super) const NOWHERE: u32 = u32::MAX;

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
pub(super) const MAX_PART_BITS: usize = 256;

/// Widest group of outputs.
pub(super) const MAX_OUTPUT_BITS: usize = 128;

/// What a part's values are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Input,
    Output,
    Value,
}

/// A group of committed values and what the leaf that checks it is estimated to take.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) values: Vec<ValueId>,
    pub(super) leaf: Estimate,
    /// Parts whose leaves open this one.
    pub(super) readers: BTreeSet<u32>,
    pub(super) alive: bool,
}

/// Estimate of a leaf.
#[derive(Clone, Default, Debug)]
pub(super) struct Estimate {
    pub(super) wu: u64,
    pub(super) items: usize,
    /// Parts opened beside the one that is checked.
    pub(super) reads: Vec<u32>,
}

/// How many WU of leaves weigh as much as a WU that is published: leaves cost nothing on chain but
/// for the one that is spent, and take time in setup.
const LEAVES_PER_WU: i64 = 20;

/// A change of parts that was tried: what it gains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    /// Change of what is published, with penalties for leaves above the limits, in WU.
    pub(super) cost: i64,
    /// By how much the affected leaves grow, in WU.
    pub(super) growth: i64,
}

impl Score {
    pub(super) fn is_gain(self) -> bool {
        LEAVES_PER_WU * self.cost + self.growth < 0
    }
}

/// What the search needs to know of the cells, in flat lists.
#[derive(Clone, Debug)]
pub(crate) struct Graph<'a> {
    pub(super) cells: &'a Cells,
    pub(super) prices: &'a PriceList,
    /// Estimated size of each cell, in tenths of a byte.
    pub(super) tenths: Vec<u64>,
    /// Where each cell's operands begin in `operands`, and where the last's end.
    first: Vec<u32>,
    /// Values read, each with the cell that gives it.
    operands: Vec<(ValueId, Option<CellId>)>,
}

impl<'a> Graph<'a> {
    /// Lists the cells.
    pub(crate) fn new(cells: &'a Cells, prices: &'a PriceList) -> Self {
        let mut graph = Self {
            cells,
            prices,
            tenths: Vec::with_capacity(cells.cells.len()),
            first: vec![0],
            operands: Vec::new(),
        };
        for (id, cell) in cells.cells.iter().enumerate() {
            let tenths = estimated_tenths(cells, id as CellId); // cast ok: cells are counted so
            graph.tenths.push(tenths);
            let operands = cell.operands.iter().map(|operand| operand.value);
            graph
                .operands
                .extend(operands.map(|value| (value, cells.producer[value as usize])));
            graph.first.push(graph.operands.len() as u32); // cast ok: a few a cell
        }
        graph
    }

    pub(super) fn operands(&self, cell: CellId) -> &[(ValueId, Option<CellId>)] {
        let [from, to] = [cell, cell + 1].map(|cell| self.first[cell as usize] as usize);
        &self.operands[from..to]
    }
}

/// Parts under improvement.
#[derive(Clone, Debug)]
pub(crate) struct Refiner<'a> {
    pub(super) graph: &'a Graph<'a>,
    pub(super) parts: Vec<Part>,
    /// The part that holds each value.
    pub(super) home: Vec<u32>,
    cell_stamp: Vec<u32>,
    part_stamp: Vec<u32>,
    round: u32,
    /// Cells visited.
    pub(super) effort: u64,
}

impl<'a> Refiner<'a> {
    /// Starts from a cutting.
    pub(crate) fn new(graph: &'a Graph<'a>, cutting: &Cutting) -> Self {
        let mut refiner = Self {
            graph,
            parts: Vec::new(),
            home: vec![NOWHERE; graph.cells.values()],
            cell_stamp: vec![0; graph.cells.cells.len()],
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
            largest_wu: self.largest_wu() as f64,                        // cast ok: likewise
            widest: Widest {
                items: self.most_items(),
                place: 0,
            },
            segments,
        }
    }

    /// What publishing all parts takes.
    pub(crate) fn publish_wu(&self) -> u64 {
        let alive = self.parts.iter().filter(|part| part.alive);
        alive
            .map(|part| self.graph.prices.publish(part.values.len()))
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

    /// The living parts that have a leaf.
    pub(super) fn checked(&self) -> impl Iterator<Item = u32> + use<'_, 'a> {
        (0..self.parts.len() as u32) // cast ok: fewer parts than values
            .filter(|&part| self.parts[part as usize].is_checked())
    }

    pub(super) fn push(&mut self, kind: Kind, values: Vec<ValueId>) -> u32 {
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
    pub(super) fn look_at_all(&mut self) {
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
        let (round, graph) = (self.round, self.graph);
        let values = &self.parts[id as usize].values;
        let mut stack: Vec<CellId> = values
            .iter()
            .filter_map(|&value| graph.cells.producer[value as usize])
            .collect();
        let bits = values.len();
        let mut tenths = CHECK_TENTHS * bits as u64; // cast ok: usize has at most 64 bits
        let mut reads = Vec::new();
        while let Some(cell) = stack.pop() {
            if std::mem::replace(&mut self.cell_stamp[cell as usize], round) == round {
                continue;
            }
            self.effort += 1;
            tenths += graph.tenths[cell as usize];
            for &(value, producer) in graph.operands(cell) {
                let home = self.home[value as usize];
                if home != NOWHERE && home != id {
                    if std::mem::replace(&mut self.part_stamp[home as usize], round) != round {
                        reads.push(home);
                    }
                } else if let Some(producer) = producer
                    && self.cell_stamp[producer as usize] != round
                {
                    stack.push(producer);
                }
            }
        }
        reads.sort_unstable();
        let mut wu = LEAF_OVERHEAD_WU + self.graph.prices.open(bits);
        let mut items = self.graph.prices.items(bits);
        for &read in &reads {
            let bits = self.parts[read as usize].values.len();
            wu += self.graph.prices.open(bits);
            items += self.graph.prices.items(bits);
            tenths += FETCH_TENTHS * bits as u64; // cast ok: as above
        }
        wu += tenths / 10;
        Estimate { wu, items, reads }
    }

    /// Replaces parts by others and keeps that if `accept` likes the score.
    ///
    /// What is added must hold all values of what is removed, or the rest is computed again by
    /// whoever read it.
    pub(super) fn attempt(
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
            score.cost -= self
                .graph
                .prices
                .publish(self.parts[id as usize].values.len()) as i64;
            score.cost -= PENALTY * self.excess(id, ceiling);
            score.growth -= self.parts[id as usize].leaf.wu as i64;
        }
        let first = self.parts.len();
        for (kind, values) in added {
            score.cost += self.graph.prices.publish(values.len()) as i64;
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

    pub(super) fn excess(&self, id: u32, ceiling: u64) -> i64 {
        excess(&self.parts[id as usize].leaf, ceiling)
    }

    /// What is published, the heaviest leaf, and penalties for leaves above a ceiling, in WU.
    pub(crate) fn cost(&self, ceiling: u64) -> u64 {
        self.publish_wu() + self.largest_wu() + self.penalties(ceiling)
    }

    pub(super) fn penalties(&self, ceiling: u64) -> u64 {
        let excess: i64 = self.checked().map(|id| self.excess(id, ceiling)).sum();
        (PENALTY * excess) as u64 // cast ok: an excess is not negative
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
