//! Places where the line may be cut, and what each piece between two of them costs at least.

use super::{Cutter, EFFORT, MAX_SHARED_READS, NEVER};
use crate::circuit::cells::ValueId;
use std::collections::BTreeMap;

impl Cutter<'_> {
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

    /// Places at which few values are alive and no number is, from 0 to the end.
    pub(super) fn candidates(&self) -> Vec<u32> {
        let len = self.line.len();
        // Effort grows with pairs of candidates times their distance: long programs get fewer.
        let most = (EFFORT / len.max(1)).clamp(72, 90);
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
    pub(super) fn spans(&self, candidates: &[u32]) -> Vec<Vec<Option<Span>>> {
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
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    commits: usize,
    leaf_wu: f32,
    reads: usize,
}

/// The cuts with the fewest committed bits such that no leaf exceeds a bound.
pub(super) fn shortest(
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
