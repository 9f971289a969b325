//! Which targets of a piece one leaf can check together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::Cutter;
use crate::circuit::cells::ValueId;

impl Cutter<'_> {
    /// Splits the targets of a span by what they are computed from.
    pub(super) fn clusters(&self, from: u32, to: u32) -> Rc<Vec<Cluster>> {
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
pub(super) struct Cluster {
    pub(super) bytes: f32,
    pub(super) targets: Vec<ValueId>,
    pub(super) reads: Vec<ValueId>,
}
