//! Chooses among the ways to cut a program.
//!
//! Cuts along several lines are made by [`Cutter`] and the most promising ones improved by [`Refiner`], under several ceilings for
//! the leaves. What comes first by estimate is built and measured by the caller.

use crate::circuit::cells::{CellId, Cells, ValueId};
use crate::circuit::cut::{Bounds, Cutter, Cutting, Refiner, Widest};
use crate::circuit::line::Line;
use crate::circuit::price::PriceList;

/// Lines that are cut.
const LINES: usize = 2;

/// A line this many times as wide as the narrowest is not tried while the narrowest gives something.
const HOPELESS: f64 = 1.6;

/// Most WU of a leaf by estimate, so that the transaction stays below 40,000 WU.
const CEILING_WU: u64 = 39_000;

/// Ceilings under which cuttings are refined, in WU.
const CEILINGS_WU: [u64; 8] = [
    CEILING_WU, 34_000, 28_000, 24_000, 20_000, 16_000, 12_000, 8_000,
];

/// Cells that may be visited in all refinements of a program.
const EFFORT: u64 = 200_000_000;

/// How many cuttings are built to see what they take.
const BUILT: usize = 3;

/// The most promising cuttings of a program.
pub(crate) struct Cuttings {
    /// The best first.
    pub(crate) cuttings: Vec<Cutting>,
    /// The widest leaf of the narrowest cutting.
    pub(crate) narrowest: Widest,
}

/// Cuts along the most promising lines and refines the best of what comes out.
pub(crate) fn cuttings(
    cells: &Cells,
    needed: &[CellId],
    inputs: &[ValueId],
    outputs: &[ValueId],
    prices: &PriceList,
) -> Cuttings {
    let starts = along_lines(cells, needed, inputs, outputs, prices);
    let mut narrowest = starts
        .iter()
        .map(|cutting| cutting.widest)
        .min_by_key(|widest| widest.items)
        .unwrap_or_default();
    // What the lines alone give.
    let plain = starts
        .iter()
        .filter(|cutting| cutting.is_narrow())
        .min_by(|a, b| a.estimate_wu.total_cmp(&b.estimate_wu))
        .cloned();
    let mut jobs: Vec<(u64, u64, usize)> = Vec::new();
    for &ceiling in &CEILINGS_WU {
        let mut order: Vec<(u64, usize)> = starts
            .iter()
            .enumerate()
            .map(|(index, start)| (promise(start, ceiling), index))
            .collect();
        order.sort_unstable();
        order.dedup_by_key(|job| job.0);
        jobs.extend(order.iter().take(6).map(|&(cost, index)| (cost, ceiling, index)));
    }
    jobs.sort_unstable();
    let mut left = EFFORT;
    let mut refined: Vec<(u64, Cutting)> = Vec::new();
    for (promise, ceiling, index) in jobs {
        if left == 0 {
            break;
        }
        let mut refiner = Refiner::new(cells, &starts[index], prices);
        let used = refiner.refine(&Bounds {
            ceiling_wu: ceiling,
            effort: left,
        });
        left = left.saturating_sub(used);
        let cutting = refiner.cutting(starts[index].segments);
        if cutting.widest.items < narrowest.items {
            narrowest = cutting.widest;
        }
        let cost = refiner.cost(CEILING_WU) as u64 + refiner.largest_wu();
        if std::env::var("DBG").is_ok() {
            eprintln!("{index}/{} promise {promise} ceiling {ceiling} effort {used}: {} + {} = {cost}", starts.len(), refiner.publish_wu(), refiner.largest_wu());
        }
        refined.push((cost, cutting));
    }
    refined.sort_by_key(|(cost, _)| *cost);
    let cuttings = refined
        .into_iter()
        .map(|(_, cutting)| cutting)
        .filter(Cutting::is_narrow)
        .take(BUILT)
        .chain(plain)
        .collect();
    Cuttings {
        cuttings,
        narrowest,
    }
}

/// What a start costs under a ceiling, with what is above the limits.
fn promise(start: &Cutting, ceiling: u64) -> u64 {
    let excess = (start.largest_wu as u64).saturating_sub(ceiling);
    let items = start.widest.items.saturating_sub(crate::circuit::cut::MAX_LEAF_ITEMS) as u64;
    start.estimate_wu as u64 + excess + 40 * items
}

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
