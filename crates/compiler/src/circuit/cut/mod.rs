//! Cuts a program into chunks by cost.
//!
//! A value that crosses a cut is committed to: once, and any later chunk may open it. More cuts
//! mean more to publish and smaller leaves. The search walks the program in one order, takes the
//! places where few values are alive as candidates, finds for many bounds on the leaf the cheapest
//! set of cuts by dynamic programming, and prices each set with its real groups and cones. What
//! comes out is where the local search of [`Refiner`] starts.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

mod clusters;
mod groups;
mod parts;
mod refine;
mod repair;
mod spans;

use self::clusters::Cluster;
use self::groups::{BySignature, into_groups};
pub(crate) use self::parts::{Graph, Refiner};
pub(crate) use self::refine::Bounds;
use self::spans::shortest;
use crate::circuit::cells::{CellId, Cells, Operation, ValueId};

/// Prices of commitments, in WU.
pub(crate) trait Prices {
    /// Publishing a group of so many bits.
    fn publish_wu(&self, bits: usize) -> f64;
    /// Opening a group of so many bits in a leaf, each bit delivered.
    fn open_wu(&self, bits: usize) -> f64;
    /// Stack items of an opened group.
    fn open_items(&self, bits: usize) -> usize;
}

/// The largest number of witness items that a leaf may open: what is left of 1,000 is for computing.
pub(crate) const MAX_LEAF_ITEMS: usize = 980;

/// Candidates for cuts, times operations.
const EFFORT: usize = 2_700_000;

/// Targets share a leaf only while it opens no more bits than this.
const MAX_SHARED_READS: usize = 520;

/// A cut program: which values are committed to, in which groups, and which leaf checks which.
#[derive(Clone, Debug)]
pub(crate) struct Cutting {
    /// Groups of committed intermediate values.
    pub(crate) groups: Vec<Vec<ValueId>>,
    /// Groups of inputs (as values).
    pub(crate) input_groups: Vec<Vec<ValueId>>,
    /// Groups of computed outputs (as values).
    pub(crate) output_groups: Vec<Vec<ValueId>>,
    /// Estimated WU of publishing everything and of the largest leaf.
    pub(crate) estimate_wu: f64,
    /// Estimated WU of the largest leaf.
    pub(crate) largest_wu: f64,
    /// The leaf that opens the most.
    pub(crate) widest: Widest,
    pub(crate) segments: usize,
}

/// The leaf of a cutting that opens the most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Widest {
    /// Witness items that the leaf opens.
    pub(crate) items: usize,
    /// Place in the line of what the leaf checks.
    pub(crate) place: u32,
}

/// Estimated size of a cell in tenths of a byte, calibrated on the scheduler's results.
pub(crate) fn estimated_tenths(cells: &Cells, id: CellId) -> u64 {
    let cell = &cells.cells[id as usize];
    let operands = cell.operands.len() as u64;
    match cell.operation {
        Operation::And | Operation::Xor => 46,
        Operation::Majority => 110,
        Operation::Sum { max_total, .. } => {
            35 * operands - 10 + if max_total > 3 { 100 } else { 70 }
        }
    }
}

impl Cutting {
    /// Whether no leaf opens too much.
    pub(crate) fn is_narrow(&self) -> bool {
        self.widest.items <= MAX_LEAF_ITEMS
    }
}

/// The clusters of spans already looked at.
type KnownSpans = HashMap<(u32, u32), Rc<Vec<Cluster>>>;

/// What must be cut: all cells that the outputs need, in order, and the fixed values.
pub(crate) struct Cutter<'a> {
    cells: &'a Cells,
    /// The cells that matter, in program order.
    line: Vec<CellId>,
    /// Computed bits that are committed to anyway: the outputs.
    outputs: Vec<ValueId>,
    inputs: Vec<ValueId>,
    /// Position in `line` after which a value exists (0 for inputs).
    defined: Vec<u32>,
    /// Position of the last reader (`u32::MAX` for an output).
    last_use: Vec<u32>,
    bytes: Vec<f32>,
    prices: &'a dyn Prices,
    /// Clusters of spans already looked at: many sets of cuts share spans.
    known: RefCell<KnownSpans>,
}

const NEVER: u32 = u32::MAX;

impl<'a> Cutter<'a> {
    /// Prepares to cut the cells `line`.
    pub(crate) fn new(
        cells: &'a Cells,
        line: Vec<CellId>,
        inputs: Vec<ValueId>,
        outputs: Vec<ValueId>,
        prices: &'a dyn Prices,
    ) -> Self {
        let mut defined = vec![NEVER; cells.values()];
        let mut last_use = vec![0; cells.values()];
        for &input in &inputs {
            defined[input as usize] = 0;
        }
        for (place, &id) in line.iter().enumerate() {
            let cell = &cells.cells[id as usize];
            for result in cell.results() {
                defined[result as usize] = place as u32 + 1;
            }
            for operand in &cell.operands {
                last_use[operand.value as usize] = place as u32 + 1;
            }
        }
        for &output in &outputs {
            last_use[output as usize] = NEVER;
        }
        let bytes = line
            .iter()
            .map(|&id| estimated_tenths(cells, id) as f32 / 10.0)
            .collect();
        Self {
            cells,
            line,
            outputs,
            inputs,
            defined,
            last_use,
            bytes,
            prices,
            known: RefCell::default(),
        }
    }

    /// Cuts in many ways.
    pub(crate) fn cuttings(&self) -> Vec<Cutting> {
        let candidates = self.candidates();
        let spans = self.spans(&candidates);
        let total: f32 = self.bytes.iter().sum();
        let mut bound = (total + 4000.0) * 1.3;
        let mut all_cuts: Vec<Vec<u32>> = Vec::new();
        while bound > 600.0 {
            for max_reads in [MAX_SHARED_READS, 420, 340] {
                let cuts = shortest(&candidates, &spans, bound, max_reads);
                all_cuts.extend(cuts.filter(|c| !all_cuts.contains(c)));
            }
            bound *= if self.line.len() > 20_000 { 0.75 } else { 0.85 };
        }
        // Groups of a few bits cost much more: only where nothing else keeps the leaves narrow.
        let mut cuttings = Vec::new();
        for caps in [&[32, 64, 128, 256][..], &[4, 8, 16][..]] {
            for cuts in &all_cuts {
                cuttings.extend(caps.iter().map(|&cap| self.price(cuts, cap)));
            }
            if cuttings.iter().any(Cutting::is_narrow) {
                break;
            }
        }
        cuttings
    }

    /// The bits defined in `(from, to]` that are read after it.
    fn targets(&self, from: u32, to: u32) -> Vec<ValueId> {
        self.line[from as usize..to as usize]
            .iter()
            .flat_map(|&id| self.cells.cells[id as usize].results())
            .filter(|&v| self.last_use[v as usize] > to)
            .collect()
    }

    /// Whether a value read in a span is committed to: it comes from before, or is read after.
    fn is_open(&self, value: ValueId, (from, to): (u32, u32)) -> bool {
        self.defined[value as usize] <= from || self.last_use[value as usize] > to
    }

    /// Groups and leaves for a set of cuts, and what they cost.
    fn price(&self, cuts: &[u32], cap: usize) -> Cutting {
        // Clusters of targets that one leaf can check for hardly more than its dearest member.
        let spans: Vec<Rc<Vec<Cluster>>> = cuts
            .windows(2)
            .map(|pair| self.clusters(pair[0], pair[1]))
            .collect();
        let clusters: Vec<&Cluster> = spans.iter().flat_map(|span| span.iter()).collect();
        // Who reads a value: the clusters that open it.
        let mut readers: HashMap<ValueId, Vec<u32>> = HashMap::new();
        for (index, cluster) in clusters.iter().enumerate() {
            for &value in &cluster.reads {
                readers.entry(value).or_default().push(index as u32);
            }
        }
        let none = Vec::new();
        let signature = |v: ValueId| readers.get(&v).unwrap_or(&none).clone();
        let outputs: HashSet<ValueId> = self.outputs.iter().copied().collect();
        let mut by_kind: [BySignature; 2] = Default::default();
        for (index, cluster) in clusters.iter().enumerate() {
            for &target in &cluster.targets {
                let kind = outputs.contains(&target) as usize;
                by_kind[kind]
                    .entry((index as u32, signature(target)))
                    .or_default()
                    .push(target);
            }
        }
        let mut inputs = BySignature::new();
        for &input in &self.inputs {
            inputs.entry((0, signature(input))).or_default().push(input);
        }
        let groups = into_groups(std::mem::take(&mut by_kind[0]), cap);
        let output_groups = into_groups(std::mem::take(&mut by_kind[1]), cap);
        let input_groups = into_groups(inputs, cap);

        let mut home: HashMap<ValueId, u32> = HashMap::new();
        let all: Vec<&Vec<ValueId>> = groups
            .iter()
            .chain(&output_groups)
            .chain(&input_groups)
            .collect();
        for (index, group) in all.iter().enumerate() {
            for &value in *group {
                home.insert(value, index as u32);
            }
        }
        let publish: f64 = all.iter().map(|g| self.prices.publish_wu(g.len())).sum();
        let mut largest: f64 = 0.0;
        let mut widest = Widest::default();
        for cluster in &clusters {
            let opened: BTreeSet<u32> = cluster.reads.iter().map(|v| home[v]).collect();
            let bits = |g: u32| all[g as usize].len();
            let checked: BTreeSet<u32> = cluster.targets.iter().map(|v| home[v]).collect();
            for group in checked {
                let opened = opened
                    .iter()
                    .copied()
                    .filter(|&g| g != group)
                    .chain([group]);
                let (wu, items) = opened.fold((0.0, 0), |(wu, items), g| {
                    (
                        wu + self.prices.open_wu(bits(g)),
                        items + self.prices.open_items(bits(g)),
                    )
                });
                if items > widest.items {
                    let place = self.defined[cluster.targets[0] as usize];
                    widest = Widest { items, place };
                }
                largest = largest.max(f64::from(cluster.bytes) + wu);
            }
        }
        Cutting {
            groups,
            input_groups,
            output_groups,
            estimate_wu: publish + largest,
            largest_wu: largest,
            widest,
            segments: cuts.len() - 1,
        }
    }
}
