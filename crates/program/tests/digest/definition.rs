//! Digests straight from their definition, and slow.

use std::collections::BTreeMap;

use tapcourt_program::riscv::{Machine, Register};

/// Nodes from their definition, on cells that are not zero by their index.
pub(crate) struct Definition {
    empty: Vec<[u8; 20]>,
}

impl Definition {
    pub(crate) fn new() -> Self {
        let mut empty = vec![[0; 20]];
        for level in 0..30 {
            empty.push(parent(empty[level], empty[level]));
        }
        Self { empty }
    }

    /// The digest of a state, the tree having so many levels.
    pub(crate) fn digest(&self, machine: &Machine<'_>, levels: u32) -> [u8; 20] {
        let registers =
            Register::all().map(|register| (register.number().into(), machine.register(register)));
        let memory = machine.memory().map(|(address, word)| (address / 4, word));
        let cells = registers
            .chain(memory)
            .filter(|&(_, word)| word != 0)
            .collect();
        let root = self.node(&cells, levels, 0);
        first_20(blake3::hash(
            &[&machine.pc().to_le_bytes()[..], &root].concat(),
        ))
    }

    pub(crate) fn node(&self, cells: &BTreeMap<u32, u32>, level: u32, position: u32) -> [u8; 20] {
        let first = position << level;
        let mut inside = cells.range(first..=first + ((1 << level) - 1));
        match inside.next() {
            None => self.empty[level as usize],
            Some((_, word)) if level == 0 => {
                let mut leaf = [0; 20];
                leaf[..4].copy_from_slice(&word.to_le_bytes());
                leaf
            }
            Some(_) => parent(
                self.node(cells, level - 1, 2 * position),
                self.node(cells, level - 1, 2 * position + 1),
            ),
        }
    }
}

fn parent(left: [u8; 20], right: [u8; 20]) -> [u8; 20] {
    first_20(blake3::hash(&[left, right].concat()))
}

fn first_20(hash: blake3::Hash) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&hash.as_bytes()[..20]);
    bytes
}
