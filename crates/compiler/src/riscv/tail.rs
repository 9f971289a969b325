//! The end of a leaf: what happens to the digits on the altstack.

use std::collections::VecDeque;

use bitcoin::ScriptBuf;
use tapcourt_script::{ScriptWriter, script_items};

use super::Group;
use super::leaf::{Hashed, SharedHash};
use super::opening::Digit;

/// A script in the making that takes digits from the altstack as they come, and keeps at most one bit on the stack: whether a difference was
/// found.
#[derive(Debug)]
pub(crate) struct Tail {
    writer: ScriptWriter,
    /// From the top down.
    waiting: VecDeque<Digit>,
    /// Whether the bit is there.
    differs: bool,
    hashed: Option<Hashed>,
}

impl Tail {
    /// Starts with these digits on the altstack, from the top down.
    pub(crate) fn new(digits: &[Digit]) -> Self {
        Self {
            writer: ScriptWriter::with_capacity(512),
            waiting: digits.iter().copied().collect(),
            differs: false,
            hashed: None,
        }
    }

    /// Takes the digit on top, which must be of this group.
    fn take(&mut self, group: Group) -> Digit {
        let digit = self
            .waiting
            .pop_front()
            .expect("as many digits as were opened");
        assert_eq!(
            digit.group, group,
            "groups come in the order of the openings"
        );
        let writer = &mut self.writer;
        script_items!(writer; OP_FROMALTSTACK);
        digit
    }

    /// Takes digits of this group, and makes the script fail unless they are those of a constant.
    pub(crate) fn require(&mut self, group: Group, digits: usize, constant: impl Fn(usize) -> u8) {
        for _ in 0..digits {
            let digit = self.take(group);
            let number = number(digit, &constant);
            let writer = &mut self.writer;
            script_items!(writer; { number } OP_NUMEQUALVERIFY);
        }
    }

    /// Takes digits of this group, and notes whether they are those of a constant.
    pub(crate) fn compare(&mut self, group: Group, digits: usize, constant: impl Fn(usize) -> u8) {
        for _ in 0..digits {
            let digit = self.take(group);
            let number = number(digit, &constant);
            let writer = &mut self.writer;
            script_items!(writer; { number } OP_NUMNOTEQUAL);
            self.note();
        }
    }

    /// A difference of two numbers lies on top of the bit, if there is one.
    fn note(&mut self) {
        if self.differs {
            let writer = &mut self.writer;
            script_items!(writer; OP_BOOLOR);
        }
        self.differs = true;
    }

    /// Takes digits of this group and drops them.
    pub(crate) fn skip(&mut self, group: Group, digits: usize) {
        for _ in 0..digits {
            self.take(group);
            let writer = &mut self.writer;
            script_items!(writer; OP_DROP);
        }
    }

    /// Brings digits of this group to the stack, where they stay until [`Self::compare_with_brought`] or something written by
    /// [`Self::writer`] consumes them. The bit must not be there yet.
    pub(crate) fn bring(&mut self, group: Group, digits: usize) -> Vec<Digit> {
        assert!(!self.differs, "the bit would be buried");
        (0..digits).map(|_| self.take(group)).collect()
    }

    /// Takes as many digits of this group as lie on the stack, and notes whether they are the same.
    pub(crate) fn compare_with_brought(&mut self, group: Group, digits: usize) {
        for _ in 0..digits {
            self.take(group);
            if self.differs {
                let writer = &mut self.writer;
                script_items!(writer; OP_ROT);
            }
            let writer = &mut self.writer;
            script_items!(writer; OP_NUMNOTEQUAL);
            self.note();
        }
    }

    /// Writes a hash.
    pub(crate) fn hash(&mut self, hash: &SharedHash) {
        self.hashed = Some(Hashed::at(self.writer.len(), hash));
        self.writer.script(hash.script());
    }

    /// Where the hash is, if one was written.
    pub(crate) fn hashed(&self) -> Option<Hashed> {
        self.hashed.clone()
    }

    /// Writes something that this does not model.
    pub(crate) fn writer(&mut self) -> &mut ScriptWriter {
        &mut self.writer
    }

    /// Puts words on the altstack, as doubled nibbles, the lowest digit of the first one on top; and the bit above them.
    pub(crate) fn hand_over(&mut self, words: &[u32]) {
        for word in words.iter().rev() {
            for digit in (0..8).rev() {
                let number = 2 * i64::from(nibble(*word, digit));
                let writer = &mut self.writer;
                script_items!(writer; { number } OP_TOALTSTACK);
            }
        }
        assert!(self.differs, "a bit is handed over");
        let writer = &mut self.writer;
        script_items!(writer; OP_TOALTSTACK);
        self.differs = false;
        self.waiting.clear();
    }

    /// Leaves the digits that were not taken on the altstack, which need not be empty in the end.
    pub(crate) fn leave_rest(&mut self) {
        self.waiting.clear();
    }

    /// The script so far, all digits having been taken or left.
    pub(crate) fn finish(self) -> ScriptBuf {
        assert!(self.waiting.is_empty(), "every digit is taken or left");
        self.writer.into_script()
    }
}

fn number(digit: Digit, constant: impl Fn(usize) -> u8) -> i64 {
    i64::from(constant(digit.index)) << u8::from(digit.doubled)
}

/// A digit of a word.
pub(crate) fn nibble(word: u32, digit: usize) -> u8 {
    (word >> (4 * digit) & 15) as u8 // cast ok: four bits
}
