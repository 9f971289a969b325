//! Cuts a program into chunks by cost.
//!
//! A value that crosses a cut is committed to: once, and any later chunk may open it. More cuts mean more to publish and
//! smaller leaves. The search walks the program in one order, takes the places where few values are alive as
//! candidates, finds for many bounds on the leaf the cheapest set of cuts by dynamic programming, and
//! prices each set with its real groups and cones.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::cells::{CellId, Cells, Operation, ValueId};

/// Prices of commitments, in WU.
pub(crate) trait Prices {
    /// Publishing a group of so many bits.
    fn publish_wu(&self, bits: usize) -> f64;
    /// Opening a group of so many bits in a leaf, each bit delivered.
    fn open_wu(&self, bits: usize) -> f64;
    /// Largest group, in bits.
    fn max_group_bits(&self) -> usize;
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
    pub(crate) segments: usize,
}

/// Estimated bytes of a cell, calibrated on the scheduler's results.
pub(crate) fn estimated_bytes(cells: &Cells, id: CellId) -> f32 {
    let cell = &cells.cells[id as usize];
    let operands = cell.operands.len() as f32;
    match cell.operation {
        Operation::And | Operation::Xor => 4.6,
        Operation::Majority => 11.0,
        Operation::Sum { max_total, .. } => {
            2.5 * operands + operands - 1.0 + if max_total > 3 { 10.0 } else { 7.0 }
        }
    }
}

/// The clusters of spans already looked at.
type KnownSpans = HashMap<(u32, u32), Rc<Vec<Cluster>>>;

/// Values by the cluster that computes them and the clusters that read them.
type BySignature = BTreeMap<(u32, Vec<u32>), Vec<ValueId>>;

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
        let bytes = line.iter().map(|&id| estimated_bytes(cells, id)).collect();
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

    /// Mean number of values alive at the places where the line could be cut: the lower, the more promising.
    /// Infinite if there is hardly such a place.
    pub(crate) fn mean_width(&self) -> f64 {
        let candidates = self.candidates();
        if self.line.len() > 2_000 && candidates.len() < 20 {
            return f64::INFINITY;
        }
        let mut change = vec![0i64; self.line.len() + 2];
        for value in 0..self.cells.values() {
            let (from, to) = (self.defined[value], self.last_use[value]);
            if from != NEVER && from != 0 && to != NEVER && to > from {
                change[from as usize] += 1;
                change[to as usize] -= 1;
            }
        }
        let (mut width, mut sum) = (0, 0);
        let mut next = candidates.iter().peekable();
        for (place, step) in change.iter().enumerate() {
            width += step;
            if next.next_if(|&&c| c as usize == place).is_some() {
                sum += width;
            }
        }
        sum as f64 / candidates.len() as f64
    }

    /// Finds the cheapest cutting.
    pub(crate) fn cheapest(&self) -> Option<Cutting> {
        let candidates = self.candidates();
        let spans = self.spans(&candidates);
        let mut tried = HashSet::new();
        let mut best: Option<Cutting> = None;
        let total: f32 = self.bytes.iter().sum();
        let mut bound = (total + 4000.0) * 1.3;
        while bound > 600.0 {
            for max_reads in [MAX_SHARED_READS, 420, 340] {
                let Some(cuts) = shortest(&candidates, &spans, bound, max_reads) else {
                    continue;
                };
                if !tried.insert(cuts.clone()) {
                    continue;
                }
                for cap in [32, 64, 128, 256] {
                    let cutting = self.price(&cuts, cap.min(self.prices.max_group_bits()));
                    if let Some(cutting) = cutting
                        && best
                            .as_ref()
                            .is_none_or(|b| cutting.estimate_wu < b.estimate_wu)
                    {
                        best = Some(cutting);
                    }
                }
            }
            bound *= if self.line.len() > 20_000 { 0.75 } else { 0.85 };
        }
        best
    }

    /// Places at which few values are alive and no number is, from 0 to the end.
    fn candidates(&self) -> Vec<u32> {
        let len = self.line.len();
        // Effort grows with pairs of candidates times their distance: long programs get fewer.
        let most = (EFFORT / len.max(1)).clamp(24, 90);
        let mut change = vec![0i32; len + 2];
        let mut numbers = vec![0i32; len + 2];
        for value in 0..self.cells.values() as ValueId {
            let (from, to) = (self.defined[value as usize], self.last_use[value as usize]);
            if from == NEVER || from == 0 || to <= from || to == NEVER {
                continue;
            }
            let counts = if self.cells.is_number(value) {
                &mut numbers
            } else {
                &mut change
            };
            counts[from as usize] += 1;
            counts[to as usize] -= 1;
        }
        let (mut width, mut live_numbers) = (0, 0);
        let mut places: Vec<(i32, u32)> = Vec::new();
        for place in 0..=len {
            width += change[place];
            live_numbers += numbers[place];
            if live_numbers == 0 && place > 0 && place < len {
                places.push((width, place as u32));
            }
        }
        // The narrowest place of each stretch of the line.
        let stretch = (len / most).max(1) as u32;
        let mut best: BTreeMap<u32, (i32, u32)> = BTreeMap::new();
        for (width, place) in places {
            let slot = best.entry(place / stretch).or_insert((width, place));
            if width < slot.0 {
                *slot = (width, place);
            }
        }
        let mut candidates: Vec<u32> = best.into_values().map(|(_, place)| place).collect();
        candidates.insert(0, 0);
        candidates.push(len as u32);
        candidates
    }

    /// For every pair of candidates: bits committed in between, and the estimated largest leaf.
    fn spans(&self, candidates: &[u32]) -> Vec<Vec<Option<Span>>> {
        let n = candidates.len();
        let total: f32 = self.bytes.iter().sum();
        let mut spans = vec![vec![None; n]; n];
        let mut stamp = vec![0u32; self.cells.values()];
        let mut round = 0;
        for i in 0..n {
            let mut too_wide = 0;
            for j in i + 1..n {
                let (from, to) = (candidates[i], candidates[j]);
                // Wide spans are only of use where the program is small.
                if (to - from) as usize > self.line.len() / 3 && total > 60_000.0 {
                    break;
                }
                let targets = self.targets(from, to);
                let step = (targets.len() / 6).max(1);
                let (mut leaf, mut most_reads) = (0f32, 0);
                let late = targets.iter().rev().take(70).step_by(12);
                for target in late.chain(targets.iter().step_by(step)) {
                    round += 1;
                    let (bytes, reads) = self.cone_size(*target, (from, to), &mut stamp, round);
                    let open = self.prices.open_wu(reads.max(1)) as f32;
                    leaf = leaf.max(bytes * 1.1 + open);
                    most_reads = most_reads.max(reads);
                }
                // Wider spans read more; a few in a row settle it.
                too_wide = if most_reads > MAX_SHARED_READS {
                    too_wide + 1
                } else {
                    0
                };
                if too_wide == 4 {
                    break;
                }
                spans[i][j] = Some(Span {
                    commits: targets.len(),
                    leaf_wu: leaf,
                    reads: most_reads,
                });
            }
        }
        spans
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

    fn cone_size(
        &self,
        target: ValueId,
        span: (u32, u32),
        stamp: &mut [u32],
        round: u32,
    ) -> (f32, usize) {
        let (mut bytes, mut reads) = (0.0, 0);
        let mut stack = vec![target];
        stamp[target as usize] = round;
        while let Some(value) = stack.pop() {
            let place = self.defined[value as usize];
            if value != target && self.is_open(value, span) {
                reads += 1;
                continue;
            }
            bytes += self.bytes[place as usize - 1];
            for operand in &self.cells.cells[self.line[place as usize - 1] as usize].operands {
                let slot = &mut stamp[operand.value as usize];
                if *slot != round {
                    *slot = round;
                    stack.push(operand.value);
                }
            }
        }
        (bytes, reads)
    }

    /// Groups and leaves for a set of cuts, and what they cost. `None` if a leaf would open too much.
    fn price(&self, cuts: &[u32], cap: usize) -> Option<Cutting> {
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
                if items > MAX_LEAF_ITEMS {
                    return None;
                }
                largest = largest.max(f64::from(cluster.bytes) + wu);
            }
        }
        Some(Cutting {
            groups,
            input_groups,
            output_groups,
            estimate_wu: publish + largest,
            segments: cuts.len() - 1,
        })
    }

    /// Splits the targets of a span by what they are computed from.
    fn clusters(&self, from: u32, to: u32) -> Rc<Vec<Cluster>> {
        if let Some(known) = self.known.borrow().get(&(from, to)) {
            return known.clone();
        }
        let clusters = Rc::new(self.cluster(from, to));
        self.known.borrow_mut().insert((from, to), clusters.clone());
        clusters
    }

    fn cluster(&self, from: u32, to: u32) -> Vec<Cluster> {
        let words = ((to - from) as usize).div_ceil(64);
        let mut cones: Vec<Cone> = self
            .targets(from, to)
            .into_iter()
            .map(|t| self.cone(t, (from, to)))
            .collect();
        // Dearest first, so that a cheap one joins where it costs least.
        cones.sort_by(|a, b| b.bytes.total_cmp(&a.bytes).then(a.target.cmp(&b.target)));
        let dearest = cones.first().map_or(0.0, |c| c.bytes);
        let limit = (dearest * 1.1).max(dearest + 60.0);
        let mut clusters: Vec<Cluster> = Vec::new();
        let mut sets: Vec<Vec<u64>> = Vec::new();
        // Clusters that read a value.
        let mut readers: HashMap<ValueId, Vec<u32>> = HashMap::new();
        let mut shared: Vec<u32> = Vec::new();
        for cone in &cones {
            shared.clear();
            shared.resize(clusters.len(), 0);
            for value in &cone.reads {
                for &cluster in readers.get(value).into_iter().flatten() {
                    shared[cluster as usize] += 1;
                }
            }
            let mut best: Option<(f32, usize)> = None;
            for (c, cluster) in clusters.iter().enumerate() {
                let more = cone.reads.len() - shared[c] as usize;
                if more > 8.max(cluster.reads.len() / 16) {
                    continue;
                }
                let added = self.added_bytes(from, &sets[c], &cone.set);
                if cluster.bytes + added <= limit && best.is_none_or(|(b, _)| added < b) {
                    best = Some((added, c));
                    if added == 0.0 {
                        break;
                    }
                }
            }
            let (added, c) = best.unwrap_or_else(|| {
                sets.push(vec![0; words]);
                clusters.push(Cluster::default());
                (cone.bytes, sets.len() - 1)
            });
            let cluster = &mut clusters[c];
            cluster.bytes += added;
            cluster.targets.push(cone.target);
            for &value in &cone.reads {
                let readers = readers.entry(value).or_default();
                if !readers.contains(&(c as u32)) {
                    readers.push(c as u32);
                    cluster.reads.push(value);
                }
            }
            for &(word, bits) in &cone.set {
                sets[c][word as usize] |= bits;
            }
        }
        for cluster in &mut clusters {
            cluster
                .targets
                .sort_unstable_by_key(|&v| self.defined[v as usize]);
            cluster.reads.sort_unstable();
        }
        clusters
    }

    /// What a target of a span is computed from.
    fn cone(&self, target: ValueId, (from, to): (u32, u32)) -> Cone {
        let mut set: BTreeMap<u32, u64> = BTreeMap::new();
        let mut reads = HashSet::new();
        let mut bytes = 0f32;
        let mut stack = vec![target];
        while let Some(value) = stack.pop() {
            if value != target && self.is_open(value, (from, to)) {
                reads.insert(value);
                continue;
            }
            let place = self.defined[value as usize];
            let bit = place - 1 - from;
            let word = set.entry(bit / 64).or_default();
            if *word >> (bit % 64) & 1 == 1 {
                continue;
            }
            *word |= 1 << (bit % 64);
            bytes += self.bytes[place as usize - 1];
            let cell = &self.cells.cells[self.line[place as usize - 1] as usize];
            stack.extend(cell.operands.iter().map(|o| o.value));
        }
        let mut reads: Vec<ValueId> = reads.into_iter().collect();
        reads.sort_unstable();
        Cone {
            bytes,
            target,
            set: set.into_iter().collect(),
            reads,
        }
    }

    fn added_bytes(&self, from: u32, have: &[u64], more: &[(u32, u64)]) -> f32 {
        let mut bytes = 0.0;
        for &(word, bits) in more {
            let mut new = bits & !have[word as usize];
            while new != 0 {
                let bit = new.trailing_zeros() as usize;
                new &= new - 1;
                bytes += self.bytes[from as usize + word as usize * 64 + bit];
            }
        }
        bytes
    }
}

/// What one target of a span is computed from.
struct Cone {
    bytes: f32,
    target: ValueId,
    /// Places in the span, as words of a bit set.
    set: Vec<(u32, u64)>,
    reads: Vec<ValueId>,
}

/// Targets that one leaf's computation gives together.
#[derive(Clone, Debug, Default)]
struct Cluster {
    bytes: f32,
    targets: Vec<ValueId>,
    reads: Vec<ValueId>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    commits: usize,
    leaf_wu: f32,
    reads: usize,
}

/// The cuts with the fewest committed bits such that no leaf exceeds a bound.
fn shortest(
    candidates: &[u32],
    spans: &[Vec<Option<Span>>],
    bound: f32,
    max_reads: usize,
) -> Option<Vec<u32>> {
    let n = candidates.len();
    let mut best: Vec<Option<(usize, usize)>> = vec![None; n];
    best[0] = Some((0, 0));
    for j in 1..n {
        for i in 0..j {
            let (Some((cost, _)), Some(span)) = (best[i], spans[i][j]) else {
                continue;
            };
            if span.leaf_wu <= bound && span.reads <= max_reads {
                let cost = cost + span.commits + 1;
                if best[j].is_none_or(|(c, _)| cost < c) {
                    best[j] = Some((cost, i));
                }
            }
        }
    }
    best[n - 1]?;
    let mut cuts = vec![candidates[n - 1]];
    let mut at = n - 1;
    while at > 0 {
        at = best[at].expect("reached").1;
        cuts.push(candidates[at]);
    }
    cuts.reverse();
    Some(cuts)
}

/// Makes groups of values that are produced together and read by much the same leaves; large groups are split.
fn into_groups(by_signature: BySignature, cap: usize) -> Vec<Vec<ValueId>> {
    const SMALL: usize = 24;
    // Only the last groups are looked at: signatures are sorted, so like ones are near.
    const NEAR: usize = 12;
    let mut groups: Vec<(u32, Vec<u32>, Vec<ValueId>)> = Vec::new();
    for ((producer, readers), values) in by_signature {
        let alike = |others: &[u32]| {
            let shared = shared(&readers, others);
            2 * shared >= readers.len().max(others.len())
        };
        let best = groups
            .iter_mut()
            .rev()
            .take(NEAR)
            .filter(|(p, others, have)| {
                *p == producer && (alike(others) || have.len() < SMALL || values.len() < SMALL)
            })
            .max_by_key(|(_, others, _)| shared(&readers, others));
        match best {
            Some((_, others, have)) => {
                if values.len() > have.len() {
                    others.clone_from(&readers);
                }
                have.extend(values);
            }
            None => groups.push((producer, readers, values)),
        }
    }
    groups
        .into_iter()
        .flat_map(|(_, _, mut values)| {
            values.sort_unstable();
            let parts = values.len().div_ceil(cap);
            let size = values.len().div_ceil(parts);
            values
                .chunks(size)
                .map(<[ValueId]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// How many elements two sorted lists share.
fn shared(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, count) = (i + 1, j + 1, count + 1);
            }
        }
    }
    count
}
