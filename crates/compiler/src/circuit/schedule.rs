//! Chooses the order in which a leaf's cells are written.
//!
//! Operand access is most of a leaf, so the next cell is the one whose operands are cheapest to reach now compared with
//! what they would cost later; ties and dead ends follow a depth-first order from the targets.

use std::collections::{HashMap, HashSet};

use crate::circuit::cells::{Cell, CellId, Cells, Operation, ValueId};
use crate::circuit::emit::Emitter;

/// The straight-line part of a leaf: the cells that compute `targets` from `inputs`.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// Cells, in the order of the program.
    pub(crate) cells: Vec<CellId>,
    /// Values opened and read.
    pub(crate) inputs: Vec<ValueId>,
    /// Values computed and compared.
    pub(crate) targets: Vec<ValueId>,
}

impl Body {
    /// The cone of `targets` down to values for which `is_open` holds.
    pub(crate) fn cone(
        cells: &Cells,
        targets: &[ValueId],
        is_open: impl Fn(ValueId) -> bool,
    ) -> Self {
        let mut seen: HashSet<CellId> = HashSet::new();
        let mut inputs = HashSet::new();
        let mut stack: Vec<CellId> = targets
            .iter()
            .filter_map(|&t| cells.producer[t as usize])
            .collect();
        while let Some(cell) = stack.pop() {
            if !seen.insert(cell) {
                continue;
            }
            for operand in &cells.cells[cell as usize].operands {
                match cells.producer[operand.value as usize] {
                    Some(producer) if !is_open(operand.value) => stack.push(producer),
                    _ => {
                        inputs.insert(operand.value);
                    }
                }
            }
        }
        let mut in_order: Vec<CellId> = seen.into_iter().collect();
        in_order.sort_unstable();
        let mut inputs: Vec<ValueId> = inputs.into_iter().collect();
        inputs.sort_unstable();
        Self {
            cells: in_order,
            inputs,
            targets: targets.to_vec(),
        }
    }

    /// Uses of every value: operands, and one for each target.
    pub(crate) fn uses(&self, cells: &Cells) -> Vec<u32> {
        let mut uses = vec![0; cells.values()];
        for &cell in &self.cells {
            for operand in &cells.cells[cell as usize].operands {
                uses[operand.value as usize] += 1;
            }
        }
        for &target in &self.targets {
            uses[target as usize] += 1;
        }
        uses
    }

    /// Largest total that needs the halving table, if any does.
    pub(crate) fn table_max(&self, cells: &Cells) -> Option<u32> {
        self.cells
            .iter()
            .filter_map(|&c| match cells.cells[c as usize].operation {
                Operation::Sum { max_total, .. } if max_total > 3 => Some(max_total),
                _ => None,
            })
            .max()
    }
}

/// How the scheduler values what a cell does to the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    /// Stack places below the top whose readers are candidates.
    pub(crate) window: usize,
    /// Bytes that freeing one stack place is worth.
    pub(crate) free: f32,
    /// Bytes by which a candidate must beat its deferral.
    pub(crate) threshold: f32,
}

/// The order of a body's cells, and the order in which it first wants the opened values.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) cells: Vec<CellId>,
    pub(crate) first_uses: Vec<ValueId>,
}

/// Orders a body greedily.
pub(crate) fn order(cells: &Cells, body: &Body, weights: Weights) -> Order {
    let depth_first = depth_first(cells, body);
    let inputs: HashSet<ValueId> = body.inputs.iter().copied().collect();
    let mut readers: HashMap<ValueId, Vec<CellId>> = HashMap::new();
    let mut missing: HashMap<CellId, u32> = HashMap::new();
    for &id in &body.cells {
        let mut count = 0;
        for operand in &cells.cells[id as usize].operands {
            readers.entry(operand.value).or_default().push(id);
            if !inputs.contains(&operand.value) {
                count += 1;
            }
        }
        missing.insert(id, count);
    }
    let mut emitter = Emitter::planning(cells, body);
    let mut done: HashSet<CellId> = HashSet::with_capacity(body.cells.len());
    let mut order = Vec::with_capacity(body.cells.len());
    let mut next = 0;
    while order.len() < body.cells.len() {
        let mut best: Option<(f32, CellId)> = None;
        for value in emitter.top(weights.window) {
            for &reader in readers.get(&value).into_iter().flatten() {
                if done.contains(&reader) || missing[&reader] > 0 {
                    continue;
                }
                let score = gain(&emitter, &cells.cells[reader as usize], weights);
                if score > weights.threshold
                    && best.is_none_or(|(s, id)| score > s || score == s && reader < id)
                {
                    best = Some((score, reader));
                }
            }
        }
        let id = match best {
            Some((_, id)) => id,
            None => {
                while done.contains(&depth_first[next]) {
                    next += 1;
                }
                depth_first[next]
            }
        };
        emitter.cell(id);
        done.insert(id);
        order.push(id);
        // An adder may also give a bit that the leaf opens: its readers take the opened one.
        for value in cells.cells[id as usize]
            .results()
            .filter(|v| !inputs.contains(v))
        {
            for reader in readers.get(&value).into_iter().flatten() {
                *missing.get_mut(reader).expect("readers are members") -= 1;
            }
        }
    }
    Order {
        cells: order,
        first_uses: emitter.fetched,
    }
}

/// Bytes saved by writing a cell now rather than later.
fn gain(emitter: &Emitter<'_>, cell: &Cell, weights: Weights) -> f32 {
    let (bytes, freed) = emitter.estimate(cell);
    let later = cell.operands.len() as f32 * if emitter.height() > 128 { 3.5 } else { 2.5 };
    let results = cell.bit.is_some() as i32 + cell.carry.is_some() as i32;
    later - bytes as f32 + weights.free * (freed as i32 - results) as f32
}

/// Post-order from the targets.
fn depth_first(cells: &Cells, body: &Body) -> Vec<CellId> {
    let members: HashSet<CellId> = body.cells.iter().copied().collect();
    let inputs: HashSet<ValueId> = body.inputs.iter().copied().collect();
    let mut order = Vec::with_capacity(body.cells.len());
    let mut seen: HashSet<CellId> = HashSet::new();
    for &target in &body.targets {
        let Some(root) = cells.producer[target as usize] else {
            continue;
        };
        let mut stack = vec![(root, false)];
        while let Some((id, emit)) = stack.pop() {
            if emit {
                order.push(id);
                continue;
            }
            if !members.contains(&id) || !seen.insert(id) {
                continue;
            }
            stack.push((id, true));
            for operand in cells.cells[id as usize].operands.iter().rev() {
                if !inputs.contains(&operand.value)
                    && let Some(producer) = cells.producer[operand.value as usize]
                {
                    stack.push((producer, false));
                }
            }
        }
    }
    order
}
