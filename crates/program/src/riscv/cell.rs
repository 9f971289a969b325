//! Cells: the words that a machine's state is made of.

use std::fmt;

use super::Register;

/// One of the 2^31 words of a state: a register, or an aligned word of memory.
///
/// A cell has two numbers. Its [`index`](Self::index) is its place in the state's Merkle tree: bit 30 tells memory from registers, the bits
/// below are a memory word's address divided by four, or a register's number. Its [`label`](Self::label) has the same bits in another
/// order, and is what a step's record publishes: a register's number times four, or a memory word's address plus one. So a script that
/// has an address has the label, without shifting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(u32);

impl Cell {
    /// Levels of the Merkle tree above a cell: bits of an index.
    pub const LEVELS: u32 = 31;

    const MEMORY: u32 = 1 << 30;

    /// The cell of `x0`. What is not used reads it, or writes 0 over its 0.
    pub const ZERO: Self = Self(0);

    /// A register's cell.
    pub const fn register(register: Register) -> Self {
        Self(register.number() as u32)
    }

    /// The cell of the memory word that holds the byte at `address`.
    pub const fn memory(address: u32) -> Self {
        Self(Self::MEMORY | address >> 2)
    }

    /// The cell with this place in the tree, if it is less than 2^31.
    pub const fn from_index(index: u32) -> Option<Self> {
        if index >> Self::LEVELS == 0 {
            Some(Self(index))
        } else {
            None
        }
    }

    /// Its place in the tree, less than 2^31. Cells from 32 to 2^30 are in no state's use.
    pub const fn index(self) -> u32 {
        self.0
    }

    /// The word that stands for it in a record.
    pub const fn label(self) -> u32 {
        self.0.rotate_left(2)
    }

    /// The cell with this label. Bit 1 of a label is zero.
    pub const fn from_label(label: u32) -> Option<Self> {
        if label & 2 == 0 {
            Some(Self((label & 1) << 30 | label >> 2))
        } else {
            None
        }
    }

    /// The bit of a [`label`](Self::label) that says, at `level` of the path from this cell (0) to the root, whether the child is the right one.
    ///
    /// # Panics
    /// If there is no such level.
    pub const fn label_bit(level: u32) -> u32 {
        assert!(level < Self::LEVELS, "levels are 0 to 30");
        if level == 30 { 0 } else { level + 2 }
    }

    /// The address of the word, if this is memory.
    pub const fn address(self) -> Option<u32> {
        if self.0 & Self::MEMORY != 0 {
            Some(self.0 << 2)
        } else {
            None
        }
    }

    /// The register, if this is one.
    pub const fn as_register(self) -> Option<Register> {
        if self.0 < 32 {
            Some(Register::new(self.0 as u8))
        } else {
            None
        } // cast ok: less than 32
    }
}

/// `x10` or `[0x00010000]`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address(), self.as_register()) {
            (Some(address), _) => write!(f, "[{address:#010x}]"),
            (None, Some(register)) => write!(f, "x{}", register.number()),
            (None, None) => write!(f, "cell {:#x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_index_rearranged() {
        let cells = Register::all().map(Cell::register);
        for cell in cells
            .chain([0, 4, 0x1234_5678, 0x7fff_fffc, 0x8000_0000, 0xffff_ffff].map(Cell::memory))
        {
            assert_eq!(Cell::from_label(cell.label()), Some(cell));
            assert_eq!(Cell::from_index(cell.index()), Some(cell));
            for level in 0..Cell::LEVELS {
                assert_eq!(
                    cell.index() >> level & 1,
                    cell.label() >> Cell::label_bit(level) & 1
                );
            }
        }
        assert_eq!(Cell::memory(0x1003).label(), 0x1001);
        assert_eq!(Cell::register(Register::A0).label(), 40);
        assert_eq!(Cell::from_label(2), None);
        assert_eq!(Cell::from_index(1 << 31), None);
    }
}
