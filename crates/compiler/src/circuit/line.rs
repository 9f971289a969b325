//! Orders the cells of a program into one line in which few values are alive at a time.
//!
//! Cuts are places in this line, so its narrow places decide what a dispute has to publish. No single heuristic fits all
//! netlists: several lines are made and the cutter prices each.

use std::collections::BinaryHeap;

use crate::circuit::cells::{CellId, Cells};

/// How a line is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Line {
    /// As the netlist has it.
    File,
    /// By distance from the inputs.
    Earliest,
    /// By distance to the outputs.
    Latest,
    /// Depth first from the outputs: each value just before it is wanted.
    Wanted,
    /// As `Wanted`, with additions linked by number-valued carries taken as one: no cut can part them.
    WantedChains,
    /// By distance from the inputs, additions taken as one.
    EarliestChains,
    /// Whatever leaves the fewest values alive comes next, the oldest first.
    Narrow,
}

impl Line {
    pub(crate) const ALL: [Self; 7] = [
        Self::File,
        Self::Earliest,
        Self::Latest,
        Self::Wanted,
        Self::WantedChains,
        Self::EarliestChains,
        Self::Narrow,
    ];

    /// Orders `members`, which must be in topological order.
    pub(crate) fn order(self, cells: &Cells, members: &[CellId]) -> Vec<CellId> {
        match self {
            Self::File => members.to_vec(),
            Self::Earliest => by_level(members, &earliest(cells, members)),
            Self::Latest => by_level(members, &latest(cells, members)),
            Self::Wanted => {
                wanted(cells, members, &alone(members)).unwrap_or_else(|| members.to_vec())
            }
            Self::WantedChains => {
                wanted(cells, members, &chains(cells, members)).unwrap_or_else(|| members.to_vec())
            }
            Self::EarliestChains => {
                let blocks = chains(cells, members);
                match wanted(cells, members, &blocks) {
                    Some(order) => by_block_level(cells, &order, &blocks),
                    None => members.to_vec(),
                }
            }
            Self::Narrow => narrow(cells, members),
        }
    }
}

fn by_level(members: &[CellId], level: &[u32]) -> Vec<CellId> {
    let mut order = members.to_vec();
    order.sort_by_key(|&id| (level[id as usize], id));
    order
}

/// Sorts a topological order of blocks by their longest path from the inputs, in blocks of more than one cell.
fn by_block_level(cells: &Cells, order: &[CellId], blocks: &[Vec<CellId>]) -> Vec<CellId> {
    let mut block_of = vec![u32::MAX; cells.cells.len()];
    for (index, block) in blocks.iter().enumerate() {
        for &id in block {
            block_of[id as usize] = index as u32;
        }
    }
    let mut level = vec![0u32; blocks.len()];
    for &id in order {
        let block = block_of[id as usize];
        let step = (blocks[block as usize].len() > 1) as u32;
        for producer in producers(cells, id) {
            let other = block_of[producer as usize];
            if other != block {
                level[block as usize] = level[block as usize].max(level[other as usize] + step);
            }
        }
    }
    let mut sorted = order.to_vec();
    sorted.sort_by_key(|&id| level[block_of[id as usize] as usize]);
    sorted
}

/// Longest path from the inputs to each cell.
fn earliest(cells: &Cells, members: &[CellId]) -> Vec<u32> {
    let mut level = vec![0; cells.cells.len()];
    for &id in members {
        level[id as usize] = 1 + producers(cells, id)
            .map(|p| level[p as usize])
            .max()
            .unwrap_or(0);
    }
    level
}

/// Latest level of each cell that delays no output beyond the longest path.
fn latest(cells: &Cells, members: &[CellId]) -> Vec<u32> {
    let mut to_end = vec![0u32; cells.cells.len()];
    for &id in members.iter().rev() {
        let through = to_end[id as usize] + 1;
        for producer in producers(cells, id) {
            let slot = &mut to_end[producer as usize];
            *slot = (*slot).max(through);
        }
    }
    let longest = to_end.iter().copied().max().unwrap_or(0);
    to_end.iter().map(|&d| longest - d).collect()
}

/// Every cell on its own.
fn alone(members: &[CellId]) -> Vec<Vec<CellId>> {
    members.iter().map(|&id| vec![id]).collect()
}

/// Cells that number-valued carries link.
fn chains(cells: &Cells, members: &[CellId]) -> Vec<Vec<CellId>> {
    let mut chain_of = vec![u32::MAX; cells.cells.len()];
    let mut chains: Vec<Vec<CellId>> = Vec::new();
    // Backwards, every reader of a carry is placed before the cell that carries into it.
    let mut reader = vec![None; cells.values()];
    for &id in members.iter().rev() {
        let cell = &cells.cells[id as usize];
        let carries_into = cell
            .carry
            .filter(|c| cells.is_number(c.value))
            .and_then(|c| reader[c.value as usize]);
        let chain = match carries_into {
            Some(next) => chain_of[next as usize],
            None => {
                chains.push(Vec::new());
                chains.len() as u32 - 1
            }
        };
        chain_of[id as usize] = chain;
        chains[chain as usize].push(id);
        for operand in cell.operands.iter().filter(|o| cells.is_number(o.value)) {
            reader[operand.value as usize] = Some(id);
        }
    }
    chains.iter_mut().for_each(|chain| chain.reverse());
    chains.reverse();
    chains
}

/// Post-order over blocks of cells, from those that nothing reads. `None` if blocks need each other.
fn wanted(cells: &Cells, members: &[CellId], blocks: &[Vec<CellId>]) -> Option<Vec<CellId>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Progress {
        Untouched,
        Open,
        Done,
    }
    let mut block_of = vec![u32::MAX; cells.cells.len()];
    for (index, block) in blocks.iter().enumerate() {
        for &id in block {
            block_of[id as usize] = index as u32;
        }
    }
    let reads = |block: u32| -> Vec<u32> {
        let mut reads: Vec<u32> = blocks[block as usize]
            .iter()
            .flat_map(|&id| producers(cells, id))
            .map(|p| block_of[p as usize])
            .filter(|&b| b != block)
            .collect();
        let mut seen = std::collections::HashSet::new();
        reads.retain(|&b| seen.insert(b));
        reads
    };
    let mut is_read = vec![false; blocks.len()];
    for block in 0..blocks.len() as u32 {
        for other in reads(block) {
            is_read[other as usize] = true;
        }
    }
    let mut order = Vec::with_capacity(members.len());
    let mut progress = vec![Progress::Untouched; blocks.len()];
    let mut stack: Vec<(u32, bool)> = Vec::new();
    for root in (0..blocks.len() as u32).filter(|&b| !is_read[b as usize]) {
        stack.push((root, false));
        while let Some((block, finish)) = stack.pop() {
            match (finish, progress[block as usize]) {
                (true, _) => {
                    progress[block as usize] = Progress::Done;
                    order.extend_from_slice(&blocks[block as usize]);
                }
                (false, Progress::Untouched) => {
                    progress[block as usize] = Progress::Open;
                    stack.push((block, true));
                    stack.extend(reads(block).into_iter().rev().map(|b| (b, false)));
                }
                (false, Progress::Open) => return None,
                (false, Progress::Done) => {}
            }
        }
    }
    (order.len() == members.len()).then_some(order)
}

fn producers(cells: &Cells, id: CellId) -> impl Iterator<Item = CellId> + '_ {
    cells.cells[id as usize]
        .operands
        .iter()
        .filter_map(|o| cells.producer[o.value as usize])
}

/// Greedy list scheduling by the change in the number of live computed values. (Inputs are committed to in any
/// case, so they do not count.)
fn narrow(cells: &Cells, members: &[CellId]) -> Vec<CellId> {
    let mut readers: Vec<Vec<CellId>> = vec![Vec::new(); cells.values()];
    let mut missing = vec![0u32; cells.cells.len()];
    for &id in members {
        for operand in &cells.cells[id as usize].operands {
            readers[operand.value as usize].push(id);
            missing[id as usize] += cells.producer[operand.value as usize].is_some() as u32;
        }
    }
    let mut left: Vec<u32> = readers.iter().map(|r| r.len() as u32).collect();
    let level = earliest(cells, members);
    let freed = |id: CellId, left: &[u32]| -> i32 {
        let cell = &cells.cells[id as usize];
        let gone = cell
            .operands
            .iter()
            .filter(|o| cells.producer[o.value as usize].is_some() && left[o.value as usize] == 1)
            .count() as i32;
        gone - cell.results().count() as i32
    };
    let mut ready: BinaryHeap<(i32, std::cmp::Reverse<(u32, CellId)>)> = BinaryHeap::new();
    let mut done = vec![false; cells.cells.len()];
    let key =
        |id: CellId, left: &[u32]| (freed(id, left), std::cmp::Reverse((level[id as usize], id)));
    for &id in members {
        if missing[id as usize] == 0 {
            ready.push(key(id, &left));
        }
    }
    let mut order = Vec::with_capacity(members.len());
    while let Some((score, std::cmp::Reverse((_, id)))) = ready.pop() {
        if done[id as usize] || score != freed(id, &left) {
            continue; // an entry from before its operands became scarcer
        }
        done[id as usize] = true;
        order.push(id);
        let cell = &cells.cells[id as usize];
        for operand in &cell.operands {
            let count = &mut left[operand.value as usize];
            *count -= 1;
            if *count == 1 {
                // The one reader left now frees this value.
                for &reader in &readers[operand.value as usize] {
                    if !done[reader as usize] && missing[reader as usize] == 0 {
                        ready.push(key(reader, &left));
                    }
                }
            }
        }
        for value in cell.results() {
            for &reader in &readers[value as usize] {
                missing[reader as usize] -= 1;
                if missing[reader as usize] == 0 {
                    ready.push(key(reader, &left));
                }
            }
        }
    }
    debug_assert_eq!(order.len(), members.len());
    order
}
