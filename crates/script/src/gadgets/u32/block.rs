//! Scripts with a stack of named items: what is written by hand, with the positions counted by machine.

use bitcoin::Opcode;

use crate::ScriptWriter;
use crate::opcodes::*;

/// The name of an item: what it is, and which one.
pub(crate) type Slot = (&'static str, usize);

/// A script under construction, with the names of what lies on both stacks.
#[derive(Debug)]
pub(crate) struct Block {
    writer: ScriptWriter,
    stack: Vec<Slot>,
    alt: Vec<Slot>,
    start: usize,
    highest: usize,
}

impl Block {
    /// Starts with these items on the stack, the deepest first.
    pub(crate) fn new(arguments: &[Slot]) -> Self {
        Self {
            writer: ScriptWriter::new(),
            stack: arguments.to_vec(),
            alt: Vec::new(),
            start: arguments.len(),
            highest: arguments.len(),
        }
    }

    fn note_height(&mut self) {
        self.highest = self.highest.max(self.stack.len() + self.alt.len());
    }

    /// The script, and by how many items it exceeds its arguments at the highest.
    ///
    /// # Panics
    /// If anything but these results is left.
    pub(crate) fn finish(self, results: &[Slot]) -> (Vec<u8>, usize) {
        assert_eq!(self.stack, results, "a block leaves its results");
        assert!(
            self.alt.is_empty(),
            "a block leaves nothing on the altstack"
        );
        let peak = self.highest - self.start;
        (self.writer.into_script().into_bytes(), peak)
    }

    /// Pushes a number.
    pub(crate) fn int(&mut self, number: i64, name: Slot) {
        self.writer.int(number);
        self.stack.push(name);
        self.note_height();
    }

    /// Applies opcodes that take the `pops` topmost items and leave these.
    pub(crate) fn op(&mut self, opcodes: &[Opcode], pops: usize, results: &[Slot]) {
        for &opcode in opcodes {
            self.writer.op(opcode);
        }
        self.stack.truncate(self.stack.len() - pops);
        // Two items more is the most that a sequence given here holds.
        self.highest = self
            .highest
            .max(self.stack.len() + pops + self.alt.len() + 2);
        self.stack.extend_from_slice(results);
        self.note_height();
    }

    /// How deep an item lies; 0 is the top.
    pub(crate) fn depth(&self, slot: Slot) -> usize {
        self.stack
            .iter()
            .rev()
            .position(|&item| item == slot)
            .unwrap_or_else(|| panic!("{slot:?} lies on the stack"))
    }

    /// Puts a copy of an item on top.
    pub(crate) fn copy(&mut self, slot: Slot) {
        match self.depth(slot) {
            0 => {
                self.writer.op(OP_DUP);
            }
            1 => {
                self.writer.op(OP_OVER);
            }
            depth => {
                self.writer.int(depth as i64).op(OP_PICK); // cast ok: at most 1,000
                self.highest = self.highest.max(self.stack.len() + self.alt.len() + 1);
            }
        }
        self.stack.push(slot);
        self.note_height();
    }

    /// Moves an item to the top.
    pub(crate) fn bring(&mut self, slot: Slot) {
        let depth = self.depth(slot);
        match depth {
            0 => {}
            1 => {
                self.writer.op(OP_SWAP);
            }
            2 => {
                self.writer.op(OP_ROT);
            }
            depth => {
                self.writer.int(depth as i64).op(OP_ROLL); // cast ok: at most 1,000
                self.highest = self.highest.max(self.stack.len() + self.alt.len() + 1);
            }
        }
        let item = self.stack.remove(self.stack.len() - 1 - depth);
        self.stack.push(item);
    }

    /// Names the top item.
    pub(crate) fn name(&mut self, name: Slot) {
        *self.stack.last_mut().expect("there is an item") = name;
    }

    /// Moves the top item to the altstack.
    pub(crate) fn stash(&mut self) {
        let item = self.stack.pop().expect("there is an item");
        self.alt.push(item);
        self.writer.op(OP_TOALTSTACK);
    }

    /// Takes the top item of the altstack, which is this one.
    pub(crate) fn fetch(&mut self, slot: Slot) {
        assert_eq!(self.alt.pop(), Some(slot), "the altstack's top item");
        self.stack.push(slot);
        self.writer.op(OP_FROMALTSTACK);
    }

    /// Takes everything from the altstack.
    pub(crate) fn fetch_all(&mut self) {
        while let Some(&slot) = self.alt.last() {
            self.fetch(slot);
        }
    }

    /// Doubles the top item a number of times.
    pub(crate) fn double(&mut self, times: usize) {
        for _ in 0..times {
            self.writer.op(OP_DUP).op(OP_ADD);
        }
        self.highest = self.highest.max(self.stack.len() + self.alt.len() + 1);
    }

    /// Drops the `items` topmost items.
    pub(crate) fn drop(&mut self, items: usize) {
        for _ in 0..items / 2 {
            self.writer.op(OP_2DROP);
        }
        if items % 2 == 1 {
            self.writer.op(OP_DROP);
        }
        self.stack.truncate(self.stack.len() - items);
    }

    /// Checks that the top item is a number from 0 up to below `bound`, and keeps it.
    pub(crate) fn check_below(&mut self, bound: i64) {
        self.writer.op(OP_DUP).op(OP_0).int(bound);
        self.writer.op(OP_WITHIN).op(OP_VERIFY);
        self.highest = self.highest.max(self.stack.len() + self.alt.len() + 3);
    }

    /// Joins digits to a number, where the first one, on top, weighs most, and those after it lie below it in order, or further down.
    pub(crate) fn join(&mut self, digits: &[Slot], name: Slot) {
        let (&first, rest) = digits.split_first().expect("there are digits");
        self.bring(first);
        for &digit in rest {
            self.double(4);
            self.bring(digit);
            self.op(&[OP_ADD], 2, &[first]);
        }
        self.name(name);
    }
}
