//! Chooses among the ways to cut a program.
//!
//! Cuts along several lines are made by [`Cutter`], and the most promising of them are improved by
//! [`Refiner`], under several ceilings for the leaves. Which ceiling is best is not known before:
//! low ones ask for more to be published, high ones for a heavier leaf.

use crate::circuit::cells::{CellId, Cells, ValueId};
use crate::circuit::cut::{Bounds, Cutter, Cutting, Graph, MAX_LEAF_ITEMS, Refiner, Widest};
use crate::circuit::line::Line;
use crate::circuit::price::PriceList;

/// Lines that are cut.
const LINES: usize = 2;

/// A line this many times as wide as the narrowest is not tried while the narrowest gives
/// something.
const HOPELESS: f64 = 1.6;

/// Most WU of a leaf by estimate, so that its transaction is below 40,000 WU when it is built.
const CEILING_WU: u64 = 38_500;

/// Ceilings under which cuttings are refined, in WU.
const CEILINGS_WU: [u64; 8] = [
    CEILING_WU, 34_000, 28_000, 24_000, 20_000, 16_000, 12_000, 8_000,
];

/// Ceilings in a row without a gain after which lower ones are not tried.
const PATIENCE: usize = 2;

/// Cells that may be visited in all refinements of a program.
const EFFORT: u64 = 100_000_000;

/// Cells that may be visited in one refinement.
const EFFORT_EACH: u64 = 20_000_000;

/// Starts refined under the ceiling that gave the best of the first round.
const STARTS: usize = 4;

/// By how many per cent a refined cutting must be better by estimate: estimates are right to a few
/// per cent.
const MARGIN_PERCENT: u64 = 1;

/// A cutting and what it costs by estimate.
struct Candidate {
    cost: u64,
    cutting: Cutting,
}

/// The most promising cuttings of a program.
pub(crate) struct Cuttings<'a> {
    graph: Graph<'a>,
    /// The best first.
    pub(crate) cuttings: Vec<Cutting>,
    /// The widest leaf of the narrowest cutting.
    pub(crate) narrowest: Widest,
}

impl Cuttings<'_> {
    /// A cutting whose heaviest leaf is lighter by so many WU, if one is found.
    pub(crate) fn lighter(&self, cutting: &Cutting, by_wu: u64) -> Option<Cutting> {
        let mut refiner = Refiner::new(&self.graph, cutting);
        let ceiling_wu = refiner.largest_wu().checked_sub(by_wu)?;
        refiner.refine(&Bounds {
            ceiling_wu,
            effort: EFFORT_EACH,
        });
        let lighter = refiner.cutting(cutting.segments);
        (refiner.largest_wu() <= ceiling_wu && lighter.is_narrow()).then_some(lighter)
    }
}

/// Cuts along the most promising lines and refines the best of what comes out.
pub(crate) fn cuttings<'a>(
    cells: &'a Cells,
    needed: &[CellId],
    inputs: &[ValueId],
    outputs: &[ValueId],
    prices: &'a PriceList,
) -> Cuttings<'a> {
    let starts = along_lines(cells, needed, inputs, outputs, prices);
    let graph = Graph::new(cells, prices);
    let mut search = Search {
        graph: &graph,
        starts: &starts,
        effort: EFFORT,
        tried: Vec::new(),
        found: Vec::new(),
    };
    search.run();
    let mut found = search.found;
    let plain = starts
        .iter()
        .filter(|cutting| cutting.is_narrow())
        .min_by(|a, b| a.estimate_wu.total_cmp(&b.estimate_wu));
    if let Some(cutting) = plain {
        let refiner = Refiner::new(&graph, cutting);
        let cost = refiner.cost(CEILING_WU);
        found.push(Candidate {
            cost: cost - cost * MARGIN_PERCENT / 100,
            cutting: cutting.clone(),
        });
    }
    found.sort_by_key(|candidate| candidate.cost);
    let narrowest = found
        .iter()
        .map(|candidate| &candidate.cutting)
        .chain(&starts)
        .map(|cutting| cutting.widest)
        .min_by_key(|widest| widest.items)
        .unwrap_or_default();
    let cuttings = found
        .into_iter()
        .map(|candidate| candidate.cutting)
        .filter(Cutting::is_narrow)
        .collect();
    Cuttings {
        graph,
        cuttings,
        narrowest,
    }
}

/// Which refinements were made, and what they gave.
struct Search<'a> {
    graph: &'a Graph<'a>,
    starts: &'a [Cutting],
    /// Cells that may still be visited.
    effort: u64,
    /// Starts and ceilings.
    tried: Vec<(usize, u64)>,
    found: Vec<Candidate>,
}

impl Search<'_> {
    fn run(&mut self) {
        // The most promising start under each ceiling, from above.
        let mut best: Option<(u64, u64)> = None;
        let mut in_vain = 0;
        for &ceiling in &CEILINGS_WU {
            let Some(&start) = self.promising(ceiling).first() else {
                return;
            };
            let Some(cost) = self.refine(start, ceiling) else {
                return;
            };
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, ceiling));
                in_vain = 0;
            } else {
                in_vain += 1;
            }
            if in_vain == PATIENCE {
                break;
            }
        }
        let Some((_, ceiling)) = best else { return };
        // Other starts under the best ceiling and its neighbours.
        let place = CEILINGS_WU.iter().position(|&c| c == ceiling).unwrap_or(0);
        let around = [place, place + 1, place.saturating_sub(1)];
        for ceiling in around.iter().filter_map(|&place| CEILINGS_WU.get(place)) {
            for start in self.promising(*ceiling).into_iter().take(STARTS) {
                if !self.tried.contains(&(start, *ceiling))
                    && self.refine(start, *ceiling).is_none()
                {
                    return;
                }
            }
        }
    }

    /// Refines one start; `None` if no effort is left.
    fn refine(&mut self, start: usize, ceiling_wu: u64) -> Option<u64> {
        if self.effort == 0 {
            return None;
        }
        self.tried.push((start, ceiling_wu));
        let mut refiner = Refiner::new(self.graph, &self.starts[start]);
        let effort = refiner.refine(&Bounds {
            ceiling_wu,
            effort: self.effort.min(EFFORT_EACH),
        });
        self.effort = self.effort.saturating_sub(effort);
        let cost = refiner.cost(CEILING_WU);
        self.found.push(Candidate {
            cost,
            cutting: refiner.cutting(self.starts[start].segments),
        });
        Some(cost)
    }

    /// Starts, the most promising under a ceiling first.
    fn promising(&self, ceiling: u64) -> Vec<usize> {
        let mut order: Vec<(u64, usize)> = self
            .starts
            .iter()
            .enumerate()
            .map(|(index, start)| (promise(start, ceiling), index))
            .collect();
        order.sort_unstable();
        // What costs exactly the same is most often the same.
        order.dedup_by_key(|(cost, _)| *cost);
        order.into_iter().map(|(_, index)| index).collect()
    }
}

/// What a start may come to under a ceiling, with what is above the limits.
fn promise(start: &Cutting, ceiling: u64) -> u64 {
    /// An item too many, in WU.
    const ITEM_WU: u64 = 40;
    let [estimate, largest] = [start.estimate_wu, start.largest_wu].map(|wu| wu as u64); // casts ok: positive
    let items = start.widest.items.saturating_sub(MAX_LEAF_ITEMS) as u64; // cast ok: usize has at most 64 bits
    estimate + largest.saturating_sub(ceiling) + ITEM_WU * items
}

/// Cuts along the most promising lines, in many ways.
fn along_lines(
    cells: &Cells,
    needed: &[CellId],
    inputs: &[ValueId],
    outputs: &[ValueId],
    prices: &PriceList,
) -> Vec<Cutting> {
    let mut cutters: Vec<(f64, Cutter<'_>)> = Line::ALL
        .iter()
        .map(|line| {
            let order = line.order(cells, needed);
            let cutter = Cutter::new(cells, order, inputs.to_vec(), outputs.to_vec(), prices);
            (cutter.mean_width(), cutter)
        })
        .collect();
    cutters.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut cuttings: Vec<Cutting> = Vec::new();
    let mut any_narrow = false;
    let narrowest = cutters.first().map_or(0.0, |c| c.0);
    let mut last_tried = f64::NAN;
    let mut tried = 0;
    for (width, cutter) in cutters {
        // Lines of exactly the same width are most often the same line.
        let enough = any_narrow && (tried >= LINES || width > HOPELESS * narrowest);
        if width == last_tried || enough {
            continue;
        }
        last_tried = width;
        tried += 1;
        let cut = cutter.cuttings();
        any_narrow |= cut.iter().any(Cutting::is_narrow);
        cuttings.extend(cut);
    }
    cuttings
}
