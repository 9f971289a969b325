//! States kept on the way, within a budget.

use std::collections::{BTreeMap, VecDeque};

use super::SnapshotLimits;
use crate::riscv::Tree;

/// How many snapshots at a distance are kept even if they are too large: without them every question would lead back to the first state.
const LEAST: usize = 2;

/// A state, in pages that it shares with others.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) pc: u32,
    pub(super) tree: Tree,
}

/// Why a snapshot is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The first state and the one in which the machine stops: always.
    End,
    /// It is at a multiple of the distance.
    AtDistance,
    /// A digest was asked for.
    Visited,
}

#[derive(Clone, Debug)]
struct Kept {
    kind: Kind,
    snapshot: Snapshot,
    /// What it holds and the one before it does not.
    bytes: usize,
}

/// Snapshots by their step.
#[derive(Clone, Debug)]
pub(super) struct Snapshots {
    limits: SnapshotLimits,
    spacing_steps: u64,
    kept: BTreeMap<u64, Kept>,
    at_distance: usize,
    /// Steps of those that were visited, the oldest first.
    visited: VecDeque<u64>,
    bytes: usize,
}

impl Snapshots {
    pub(super) fn new(limits: SnapshotLimits) -> Self {
        Self {
            limits,
            spacing_steps: limits.spacing_steps.max(1),
            kept: BTreeMap::new(),
            at_distance: 0,
            visited: VecDeque::new(),
            bytes: 0,
        }
    }

    /// The first step after `step` at which to take a snapshot, because of the distance.
    pub(super) fn next_step(&self, step: u64) -> u64 {
        (step / self.spacing_steps)
            .saturating_add(1)
            .saturating_mul(self.spacing_steps)
    }

    /// The last snapshot at or before `step`.
    pub(super) fn before(&self, step: u64) -> Option<(u64, &Snapshot)> {
        let (&step, kept) = self.kept.range(..=step).next_back()?;
        Some((step, &kept.snapshot))
    }

    pub(super) fn steps(&self) -> Vec<u64> {
        self.kept.keys().copied().collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn insert_end(&mut self, step: u64, snapshot: Snapshot) {
        self.remove(step);
        self.insert(step, Kind::End, snapshot);
    }

    pub(super) fn insert_at_distance(&mut self, step: u64, snapshot: Snapshot) {
        if self.insert(step, Kind::AtDistance, snapshot) {
            self.at_distance += 1;
            self.thin_out();
        }
    }

    pub(super) fn insert_visited(&mut self, step: u64, snapshot: Snapshot) {
        if let Some(place) = self.visited.iter().position(|&visited| visited == step) {
            self.visited.remove(place);
            self.visited.push_back(step);
        } else if self.insert(step, Kind::Visited, snapshot) {
            self.visited.push_back(step);
            self.thin_out();
        }
    }

    /// Keeps it, or returns whether there already is one.
    fn insert(&mut self, step: u64, kind: Kind, snapshot: Snapshot) -> bool {
        if self.kept.contains_key(&step) {
            return false;
        }
        let kept = Kept {
            kind,
            snapshot,
            bytes: 0,
        };
        self.kept.insert(step, kept);
        self.weigh(step);
        self.weigh_after(step);
        true
    }

    fn remove(&mut self, step: u64) {
        let Some(kept) = self.kept.remove(&step) else {
            return;
        };
        self.bytes -= kept.bytes;
        match kept.kind {
            Kind::End => {}
            Kind::AtDistance => self.at_distance -= 1,
            Kind::Visited => self.visited.retain(|&visited| visited != step),
        }
        self.weigh_after(step);
    }

    /// Reckons anew what the snapshot at `step` holds.
    fn weigh(&mut self, step: u64) {
        let before = self.kept.range(..step).next_back();
        let Some(kept) = self.kept.get(&step) else {
            return;
        };
        let nothing = Tree::new(kept.snapshot.tree.space());
        let before = before.map_or(&nothing, |(_, kept)| &kept.snapshot.tree);
        let bytes = kept.snapshot.tree.bytes_beyond(before) + size_of::<Kept>();
        if let Some(kept) = self.kept.get_mut(&step) {
            self.bytes = self.bytes - kept.bytes + bytes;
            kept.bytes = bytes;
        }
    }

    fn weigh_after(&mut self, step: u64) {
        if let Some(after) = step.checked_add(1)
            && let Some((&next, _)) = self.kept.range(after..).next()
        {
            self.weigh(next);
        }
    }

    /// Drops what is beyond the limits: visited ones from the oldest on, then every second of those at the distance, which doubles.
    fn thin_out(&mut self) {
        while self.visited.len() > self.limits.count || self.bytes > self.limits.budget_bytes {
            let Some(step) = self.visited.front().copied() else {
                break;
            };
            self.remove(step);
        }
        while self.at_distance > self.limits.count
            || self.at_distance > LEAST && self.bytes > self.limits.budget_bytes
        {
            self.spacing_steps = self.spacing_steps.saturating_mul(2);
            let spacing_steps = self.spacing_steps;
            let dropped: Vec<u64> = self
                .kept
                .iter()
                .filter(|(step, kept)| {
                    kept.kind == Kind::AtDistance && !step.is_multiple_of(spacing_steps)
                })
                .map(|(&step, _)| step)
                .collect();
            for step in dropped {
                self.remove(step);
            }
        }
    }
}
