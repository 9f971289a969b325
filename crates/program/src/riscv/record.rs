//! What one step did.

use std::fmt;

use super::Cell;

/// A word that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Read {
    /// Where.
    pub cell: Cell,
    /// What.
    pub value: u32,
}

/// A word that was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Write {
    /// Where.
    pub cell: Cell,
    /// The new word: for `sb` and `sh` all of it, merged.
    pub value: u32,
    /// The word that it replaces.
    pub old: u32,
}

/// All that one step read and wrote.
///
/// What is not used is [`Read::default`] or [`Write::default`]: `x0`, zero. A write to `x0` is not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StepRecord {
    /// `pc` before.
    pub pc: u32,
    /// `pc` after.
    pub next_pc: u32,
    /// The first register read: `rs1`, and `a7` of an `ecall`.
    pub a: Read,
    /// The second register read: `rs2`, and `a0` of an `ecall`.
    pub b: Read,
    /// The memory word read, by loads, `sb` and `sh`.
    pub m: Read,
    /// The register or memory word written.
    pub w: Write,
}

impl StepRecord {
    /// A step that changes nothing, reads nothing, and stays at `pc`.
    pub fn stopped(pc: u32) -> Self {
        Self {
            pc,
            next_pc: pc,
            ..Self::default()
        }
    }

    /// Whether the state after it is the state before.
    pub fn stops_in_place(&self) -> bool {
        self.next_pc == self.pc && self.w.value == self.w.old
    }
}

/// One line: `0x00010000 -> 0x00010004  a x10 = 0x1  w x11 = 0x2 (was 0x0)`, without what is not used.
impl fmt::Display for StepRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x} -> {:#010x}", self.pc, self.next_pc)?;
        for (name, read) in [("a", self.a), ("b", self.b), ("m", self.m)] {
            if read != Read::default() {
                write!(f, "  {name} {} = {:#x}", read.cell, read.value)?;
            }
        }
        if self.w != Write::default() {
            write!(
                f,
                "  w {} = {:#x} (was {:#x})",
                self.w.cell, self.w.value, self.w.old
            )?;
        }
        Ok(())
    }
}
