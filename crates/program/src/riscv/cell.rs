//! Cells: the words that a machine's state is made of.

use std::fmt;

use super::{AddressSpace, Register};

/// One of the words of a state: a register, or an aligned word of memory.
///
/// A cell has two numbers. Its [`index`](Self::index) is its place in the state's Merkle tree: a
/// register's number, or a memory word's address divided by four. Memory begins at
/// [`AddressSpace::LOWEST`], so no word of it has a register's index. Its [`label`](Self::label) is
/// four times that, and is what a step's record publishes: a memory word's label is its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(u32);

impl Cell {
    /// Levels of the largest Merkle tree above a cell: bits of an index.
    pub const MAX_LEVELS: u32 = AddressSpace::LARGEST.levels();

    /// The cell of `x0`. What is not used reads it, or writes 0 over its 0.
    pub const ZERO: Self = Self(0);

    /// A register's cell.
    pub const fn register(register: Register) -> Self {
        Self(register.number() as u32)
    }

    /// The cell of the memory word that holds the byte at `address`.
    ///
    /// # Panics
    /// If `address` is less than [`AddressSpace::LOWEST`]: that is no memory.
    pub const fn memory(address: u32) -> Self {
        assert!(address >= AddressSpace::LOWEST, "no memory below 4,096");
        Self(address >> 2)
    }

    /// The cell with this place in the tree, if it is less than 2^30.
    pub const fn from_index(index: u32) -> Option<Self> {
        if index >> Self::MAX_LEVELS == 0 {
            Some(Self(index))
        } else {
            None
        }
    }

    /// Its place in the tree, less than 2^30. The cells from 32 to 1,023 are in no state's use.
    pub const fn index(self) -> u32 {
        self.0
    }

    /// The word that stands for it in a record.
    pub const fn label(self) -> u32 {
        self.0 << 2
    }

    /// The cell with this label, which is a multiple of four.
    pub const fn from_label(label: u32) -> Option<Self> {
        if label.is_multiple_of(4) {
            Some(Self(label >> 2))
        } else {
            None
        }
    }

    /// The bit of a [`label`](Self::label) that says, at `level` of the path from this cell (0) to
    /// the root, whether the child is the right one.
    ///
    /// # Panics
    /// If no tree has such a level.
    pub const fn label_bit(level: u32) -> u32 {
        assert!(level < Self::MAX_LEVELS, "levels are 0 to 29");
        level + 2
    }

    /// The address of the word, if this is memory.
    pub const fn address(self) -> Option<u32> {
        if self.label() >= AddressSpace::LOWEST {
            Some(self.label())
        } else {
            None
        }
    }

    /// The register, if this is one.
    pub const fn as_register(self) -> Option<Register> {
        if self.0 < 32 {
            Some(Register::new(self.0 as u8)) // cast ok: less than 32
        } else {
            None
        }
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
    fn a_label_is_the_index_times_four() {
        let cells = Register::all().map(Cell::register);
        for cell in cells.chain(
            [
                0x1000,
                0x1004,
                0x1234_5678,
                0x7fff_fffc,
                0x8000_0000,
                0xffff_ffff,
            ]
            .map(Cell::memory),
        ) {
            assert_eq!(Cell::from_label(cell.label()), Some(cell));
            assert_eq!(Cell::from_index(cell.index()), Some(cell));
            for level in 0..Cell::MAX_LEVELS {
                assert_eq!(
                    cell.index() >> level & 1,
                    cell.label() >> Cell::label_bit(level) & 1
                );
            }
        }
        assert_eq!(Cell::memory(0x1003).label(), 0x1000);
        assert_eq!(Cell::register(Register::A0).label(), 40);
        assert_eq!(Cell::from_label(1), None);
        assert_eq!(Cell::from_label(2), None);
        assert_eq!(Cell::from_index(1 << 30), None);
    }

    #[test]
    fn no_cell_is_both_a_register_and_memory() {
        for index in 0..2_048 {
            let cell = Cell::from_index(index).expect("a small index");
            assert_eq!(cell.as_register().is_some(), index < 32);
            assert_eq!(cell.address().is_some(), index >= 1_024);
        }
    }
}
