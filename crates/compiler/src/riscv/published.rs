//! What a prover has published, as it can be read from the chain: any bits at all.

use std::collections::BTreeMap;

use tapcourt_program::riscv::{Cell, Read, Register, StepRecord, Write};

use super::Group;
use super::group::{INPUT_BLOCK_WORDS, WORDS_A, WORDS_B, WORDS_M, WORDS_W};

/// The bits of groups. Nothing about them is checked: that is what leaves are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    groups: BTreeMap<Group, Vec<bool>>,
}

/// Why something cannot be read from what was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// A group that is needed was not published.
    #[error("{group} was not published")]
    Missing {
        /// The group.
        group: Group,
    },
    /// A selection is of no part.
    #[error("{group} is {selection}, where there are {arity} parts")]
    Selection {
        /// The group.
        group: Group,
        /// What was published, the parts being counted from 0.
        selection: u32,
        /// How many parts there are.
        arity: u32,
    },
}

impl PublishedError {
    /// The group that it is about.
    pub fn group(&self) -> Group {
        match *self {
            Self::Missing { group } | Self::Selection { group, .. } => group,
        }
    }
}

/// A node, root or digest: 20 bytes.
type Node = [u8; 20];

impl Published {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Publishes bits, or replaces them.
    pub fn set(&mut self, group: Group, bits: Vec<bool>) {
        self.groups.insert(group, bits);
    }

    /// Publishes a word, or the lowest bits of one.
    pub fn set_word(&mut self, group: Group, word: u32, bits: usize) {
        self.set(group, (0..bits).map(|bit| word >> bit & 1 == 1).collect());
    }

    /// Publishes a node.
    pub fn set_node(&mut self, group: Group, node: &Node) {
        let bits = node
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
        self.set(group, bits.collect());
    }

    /// Publishes the record of a step, with the roots before and after it.
    pub fn set_step(&mut self, record: &StepRecord, root: &Node, next_root: &Node) {
        self.set_word(Group::Pc, record.pc, 32);
        self.set_word(Group::NextPc, record.next_pc, 32);
        let sources = (record.a.cell.index() & 31) | (record.b.cell.index() & 31) << 5;
        self.set_word(Group::Sources, sources, 10);
        self.set_word(Group::Target, record.w.cell.label(), 32);
        self.set_word(Group::Memory, record.m.cell.label(), 32);
        let words = [
            record.m.value,
            record.w.value,
            record.a.value,
            record.b.value,
        ];
        self.set(Group::Words, bits_of(&words));
        self.set_word(Group::Replaced, record.w.old, 32);
        self.set_node(Group::Root, root);
        self.set_node(Group::NextRoot, next_root);
    }

    /// Publishes all words of the input, in blocks.
    pub fn set_inputs(&mut self, words: &[u32]) {
        let blocks = words.chunks(INPUT_BLOCK_WORDS as usize); // cast ok: small
        for (block, words) in (0..).zip(blocks) {
            self.set(Group::Inputs(block), bits_of(words));
        }
    }

    /// The bits of a group.
    ///
    /// # Errors
    /// If it was not published.
    pub fn bits(&self, group: Group) -> Result<&[bool], PublishedError> {
        self.groups
            .get(&group)
            .map(Vec::as_slice)
            .ok_or(PublishedError::Missing { group })
    }

    /// The groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        self.groups.keys().copied()
    }

    /// The number that a group's first 32 bits from `first` on are.
    fn number(&self, group: Group, first: usize) -> Result<u32, PublishedError> {
        let bits = self.bits(group)?.iter().skip(first).take(32);
        Ok(bits
            .rev()
            .fold(0, |number, &bit| number << 1 | u32::from(bit)))
    }

    /// A group as digits of these widths, the lowest bits' first.
    pub(crate) fn digits(&self, group: Group, widths: &[u8]) -> Result<Vec<u8>, PublishedError> {
        let mut bits = self.bits(group)?.iter();
        let digits = widths.iter().map(|&width| {
            (0..width).fold(0, |digit, bit| {
                digit | u8::from(bits.next() == Some(&true)) << bit
            })
        });
        Ok(digits.collect())
    }

    /// A group of at most 32 bits as a number.
    ///
    /// # Errors
    /// If it was not published.
    pub fn word(&self, group: Group) -> Result<u32, PublishedError> {
        self.number(group, 0)
    }

    /// A group of 160 bits as bytes.
    ///
    /// # Errors
    /// If it was not published.
    pub fn node(&self, group: Group) -> Result<Node, PublishedError> {
        let mut node = [0; 20];
        for (index, &bit) in self.bits(group)?.iter().take(8 * node.len()).enumerate() {
            node[index / 8] |= u8::from(bit) << (index % 8);
        }
        Ok(node)
    }

    /// One of the four words of [`Group::Words`].
    pub(crate) fn one_of_words(&self, place: usize) -> Result<u32, PublishedError> {
        self.number(Group::Words, 32 * place)
    }

    /// A word of the input.
    ///
    /// # Errors
    /// If its block was not published.
    pub fn input(&self, word: u32) -> Result<u32, PublishedError> {
        let place = (word % INPUT_BLOCK_WORDS) as usize; // cast ok: small
        self.number(Group::of_input(word), 32 * place)
    }

    /// The record that was published, the replaced word included if it was published too; `None` if a label is that of no cell.
    ///
    /// # Errors
    /// If a part of it was not published.
    pub fn record(&self) -> Result<Option<StepRecord>, PublishedError> {
        let sources = self.word(Group::Sources)?;
        let cells = [self.word(Group::Memory)?, self.word(Group::Target)?].map(Cell::from_label);
        let [Some(memory), Some(target)] = cells else {
            return Ok(None);
        };
        // cast ok: five bits
        let register = |number: u32| Cell::register(Register::new((number & 31) as u8));
        let read = |cell, place| self.one_of_words(place).map(|value| Read { cell, value });
        Ok(Some(StepRecord {
            pc: self.word(Group::Pc)?,
            next_pc: self.word(Group::NextPc)?,
            a: read(register(sources), WORDS_A)?,
            b: read(register(sources >> 5), WORDS_B)?,
            m: read(memory, WORDS_M)?,
            w: Write {
                cell: target,
                value: self.one_of_words(WORDS_W)?,
                old: self.word(Group::Replaced).unwrap_or_default(),
            },
        }))
    }
}

/// The bits of words, of each the lowest first.
fn bits_of(words: &[u32]) -> Vec<bool> {
    let bits = |word: &u32| {
        let word = *word;
        (0..32).map(move |bit| word >> bit & 1 == 1)
    };
    words.iter().flat_map(bits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_words_lie_in_blocks() {
        let words: Vec<u32> = (0..19)
            .map(|word| 0x9e37_79b9u32.wrapping_mul(word + 1))
            .collect();
        let mut published = Published::new();
        published.set_inputs(&words);
        let blocks: Vec<Group> = published.groups().collect();
        assert_eq!(blocks, [0, 1, 2].map(Group::Inputs));
        for (block, words) in [(0, 8), (1, 8), (2, 3)] {
            let bits = published.bits(Group::Inputs(block)).expect("published");
            assert_eq!(bits.len(), 32 * words);
        }
        for (word, &value) in (0..).zip(&words) {
            assert_eq!(published.input(word), Ok(value));
        }
        let missing = PublishedError::Missing {
            group: Group::Inputs(3),
        };
        assert_eq!(published.input(24), Err(missing));
    }
}
