//! The search for an order of steps that makes a short script.
//!
//! A candidate is an order of the flow's steps, and for every value whether it waits on the stack or on the altstack. What it costs is estimated by
//! carrying it out on the model of the stacks. Tried are the order as written and orders from the end backwards; then,
//! step of the expression by step, to do all its parts of one kind early (a comparison of digits right after each is made) or late; then moves of
//! single parts, drawn from a fixed sequence. The number of candidates falls with the number of parts, so the search ends soon.

use std::collections::BTreeMap;

use super::ValueId;
use super::lower::{Item, Lowering, Scope};
use crate::dataflow::{Home, Node, Orders, Value};

/// How many parts all candidates have together.
const BUDGET: usize = 6_000;

/// Most candidates.
const MOST: usize = 150;

/// Where values wait that were meant to wait on the altstack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// There.
    AsWritten,
    /// There, unless they are used within so many steps.
    Unless(usize),
    /// On the stack.
    OnStack,
}

const WAITING: [Waiting; 3] = [Waiting::AsWritten, Waiting::Unless(3), Waiting::OnStack];

/// An order of steps.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    order: Vec<usize>,
    waiting: Waiting,
    /// Values that wait on the other stack.
    other: Vec<Value>,
    /// Values that are left on the stack after their last use, so that the height stays the same.
    left: Vec<Value>,
}

/// A search that has begun.
pub(crate) struct Search<'e> {
    lowering: Lowering<'e>,
    orders: Orders,
    scope: Scope,
    /// The steps as written.
    steps: Vec<Node>,
    homes: Vec<Home>,
    /// Offsets of the best candidate.
    offsets: Vec<i64>,
    best: Candidate,
    bytes: usize,
    left: usize,
}

impl<'e> Search<'e> {
    /// Begins a search over the orders of what has been lowered, with those that are good everywhere. `None` if there is but one order.
    /// It is one of so many, of which one will be continued.
    pub(crate) fn new(mut lowering: Lowering<'e>, scope: Scope, searches: usize) -> Option<Self> {
        let orders = Orders::of(&lowering.flow)?;
        lowering.flow.shorten = true;
        let mut search = Self {
            steps: lowering.flow.nodes.clone(),
            homes: lowering.flow.values.iter().map(|info| info.home).collect(),
            best: Candidate {
                order: (0..orders.len()).collect(),
                waiting: Waiting::AsWritten,
                other: Vec::new(),
                left: Vec::new(),
            },
            left: (BUDGET / 2 / orders.len().max(1) / searches).max(2),
            offsets: lowering.flow.no_offsets(),
            lowering,
            orders,
            scope,
            bytes: usize::MAX,
        };
        let as_written = search.best.order.clone();
        let backwards = [false, true].map(|reverse| search.orders.depth_first(reverse));
        for order in [as_written].iter().chain(&backwards) {
            for waiting in WAITING {
                search.consider(Candidate {
                    order: order.clone(),
                    waiting,
                    other: Vec::new(),
                    left: Vec::new(),
                });
            }
        }
        search.left = (BUDGET / search.orders.len().max(1)).min(MOST);
        Some(search)
    }

    /// Bytes of the best script so far, about, tables included where they are part of it.
    pub(crate) fn bytes(&self) -> usize {
        let tables = match self.scope {
            Scope::Gadget => 0,
            _ => self.lowering.flow.tables_script(&self.offsets).len(),
        };
        self.bytes.saturating_add(tables)
    }

    /// Searches on, and puts the steps in the best order found.
    pub(crate) fn run(mut self) -> Lowering<'e> {
        self.move_kinds();
        self.move_parts();
        let best = self.best.clone();
        self.install(&best);
        self.lowering
    }

    /// Makes a candidate the flow.
    fn install(&mut self, candidate: &Candidate) {
        let flow = &mut self.lowering.flow;
        let mut place = vec![None; flow.values.len()];
        for (index, &node) in candidate.order.iter().enumerate() {
            let used = self.steps[node].arguments();
            for (value, _) in used.iter().flat_map(|sum| &sum.terms) {
                place[value.0 as usize].get_or_insert(index); // cast ok: an index
            }
        }
        for (index, &node) in candidate.order.iter().enumerate() {
            for &result in self.steps[node].results() {
                let value = result.0 as usize; // cast ok: an index
                let aside = self.homes[value] == Home::Alt
                    && match candidate.waiting {
                        Waiting::AsWritten => true,
                        Waiting::OnStack => false,
                        Waiting::Unless(steps) => {
                            place[value].is_none_or(|used| used > index + steps)
                        }
                    };
                flow.values[value].home = match aside != candidate.other.contains(&result) {
                    true => Home::Alt,
                    false => Home::Main,
                };
            }
        }
        flow.left.clone_from(&candidate.left);
        let nodes = candidate.order.iter();
        flow.nodes = nodes.map(|&node| self.steps[node].clone()).collect();
        self.lowering.order_inputs();
    }

    /// Takes a candidate if it is better than the best one so far. Returns whether it is.
    fn consider(&mut self, candidate: Candidate) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.install(&candidate);
        let on_tables = self.scope == Scope::Gadget;
        let estimate = self.lowering.flow.estimate(on_tables, &self.offsets);
        match estimate {
            Some((bytes, offsets)) if bytes < self.bytes => {
                self.best = candidate;
                self.bytes = bytes;
                self.offsets = offsets;
                true
            }
            _ => false,
        }
    }

    /// Parts of one kind of one step of the expression.
    fn kinds(&self) -> Vec<Vec<bool>> {
        let mut kinds: BTreeMap<(usize, u8, &[u8]), Vec<bool>> = BTreeMap::new();
        for (index, node) in self.steps.iter().enumerate() {
            let (kind, code): (u8, &[u8]) = match node {
                Node::Lookup { .. } => (0, &[]),
                Node::Sum { .. } => (1, &[]),
                Node::Index { .. } => (2, &[]),
                Node::Apply { code, .. } => (3, code),
                _ => (4, &[]),
            };
            let step = node
                .results()
                .first()
                .map(|value| self.lowering.step_of(*value));
            let key = (step.unwrap_or(usize::MAX), kind, code);
            kinds
                .entry(key)
                .or_insert_with(|| vec![false; self.steps.len()])[index] = true;
        }
        kinds.into_values().collect()
    }

    /// Values that may be left on the stack: the digits of an input, the results of one kind.
    fn groups(&self) -> Vec<Vec<Value>> {
        // What uses tables that are there already leaves nothing over.
        if self.scope == Scope::Gadget {
            return Vec::new();
        }
        let mut inputs: BTreeMap<ValueId, Vec<Value>> = BTreeMap::new();
        for entry in &self.lowering.entries {
            if let Item::Digit { value, .. } = entry.item {
                inputs.entry(value).or_default().push(entry.ready);
            }
        }
        let of_kind = |kind: &Vec<bool>| {
            let steps = self.steps.iter().zip(kind).filter(|(_, is)| **is);
            let made: Vec<Value> = steps
                .flat_map(|(step, _)| step.results().to_vec())
                .collect();
            made
        };
        let mut groups: Vec<Vec<Value>> = inputs.into_values().collect();
        groups.extend(self.kinds().iter().map(of_kind));
        groups
    }

    fn move_kinds(&mut self) {
        let kinds = self.kinds();
        let groups = self.groups();
        loop {
            let mut better = false;
            for group in &groups {
                let left = toggled(&self.best.left, group);
                better |= self.consider(Candidate {
                    left,
                    ..self.best.clone()
                });
            }
            for kind in &kinds {
                for order in [
                    self.orders.early(&self.best.order, kind),
                    self.orders.late(&self.best.order, kind),
                ] {
                    if order != self.best.order {
                        better |= self.consider(Candidate {
                            order,
                            ..self.best.clone()
                        });
                    }
                }
            }
            if !better || self.left == 0 {
                break;
            }
        }
    }

    fn move_parts(&mut self) {
        let mut draw = 0x9e37_79b9_7f4a_7c15u64;
        let mut below = |bound: usize| {
            // An xorshift generator (Marsaglia 2003).
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            (draw >> 33) as usize % bound // cast ok: reduced
        };
        let values = self.groups().concat();
        // Draws that come to nothing count, too.
        for _ in 0..2 * self.left {
            if self.steps.is_empty() {
                break;
            }
            let node = below(self.steps.len());
            let mut candidate = self.best.clone();
            let change = below(8);
            if change < 2 {
                let Some(&value) = self.steps[node].results().first() else {
                    continue;
                };
                candidate.other = toggled(&candidate.other, &[value]);
            } else if change == 2 && !values.is_empty() {
                candidate.left = toggled(&candidate.left, &[values[below(values.len())]]);
            } else {
                let choice = below(1 << 20);
                match self.orders.moved(&candidate.order, node, choice) {
                    Some(order) => candidate.order = order,
                    None => continue,
                }
            }
            self.consider(candidate);
        }
    }
}

/// These values, and the others that are not among them, less those that are.
fn toggled(values: &[Value], others: &[Value]) -> Vec<Value> {
    let only = |these: &[Value], those: &[Value]| -> Vec<Value> {
        let these = these.iter().copied();
        these.filter(|value| !those.contains(value)).collect()
    };
    [only(values, others), only(others, values)].concat()
}
