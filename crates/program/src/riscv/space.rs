//! How much memory a program has.

use std::fmt;

use super::{Cell, Image};

/// The addresses that loads and stores may use: those from [`LOWEST`](Self::LOWEST) to `2^n - 1`.
///
/// An access to any other address stops the machine in place. So the memory that a run can need is
/// bounded, a null pointer stops it, and so does a stack that grows below address 0.
///
/// A contract fixes the space. It decides how many levels the state's Merkle tree has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressSpace {
    log2_bytes: u8,
}

impl AddressSpace {
    /// The first address that is memory. The page below it has none: its cells are the registers'.
    pub const LOWEST: u32 = 4_096;

    /// The least space: a page of memory, 2^13 addresses.
    pub const SMALLEST: Self = Self { log2_bytes: 13 };

    /// The space of all 32-bit addresses.
    pub const LARGEST: Self = Self { log2_bytes: 32 };

    /// 64 MiB: what a program gets that does not ask for more.
    pub const DEFAULT: Self = Self { log2_bytes: 26 };

    /// The space of `2^log2_bytes` addresses, if `log2_bytes` is from 13 to 32.
    pub const fn new(log2_bytes: u32) -> Option<Self> {
        let least = Self::SMALLEST.log2_bytes as u32; // cast ok: lossless
        let most = Self::LARGEST.log2_bytes as u32; // cast ok: lossless
        if least <= log2_bytes && log2_bytes <= most {
            Some(Self {
                log2_bytes: log2_bytes as u8, // cast ok: at most 32
            })
        } else {
            None
        }
    }

    /// The space for a program with this image: [`DEFAULT`](Self::DEFAULT), or the least one in
    /// which a mebibyte is free behind the image, as far as there is one.
    pub fn for_image(image: &Image) -> Self {
        let end = image.pieces().last().map_or(0, |(base, bytes)| {
            u64::from(*base) + bytes.len() as u64 // cast ok: usize has at most 64 bits
        });
        Self::for_end(end)
    }

    /// The space for a program that uses memory up to this address, not included, to begin with: as
    /// [`for_image`](Self::for_image).
    pub(super) fn for_end(end: u64) -> Self {
        const FREE: u64 = 1 << 20;
        let mut space = Self::DEFAULT;
        while space < Self::LARGEST && space.bytes() < end + FREE {
            space.log2_bytes += 1;
        }
        space
    }

    /// The least space in which the byte at `address` is memory; none if it is in the first page.
    pub const fn least_with(address: u32) -> Option<Self> {
        Self::new(u32::BITS - address.leading_zeros())
    }

    /// The logarithm of the number of addresses, from 13 to 32.
    pub const fn log2_bytes(self) -> u32 {
        self.log2_bytes as u32 // cast ok: lossless
    }

    /// How many addresses there are: all memory is below this one.
    pub const fn bytes(self) -> u64 {
        1 << self.log2_bytes
    }

    /// How many levels the Merkle tree of a state has above its cells: 24 for the default.
    pub const fn levels(self) -> u32 {
        self.log2_bytes() - 2
    }

    /// How many pages of 4,096 bytes there are, the one without memory included.
    pub const fn pages(self) -> u32 {
        1 << (self.log2_bytes() - 12)
    }

    /// Whether the byte at `address` is memory.
    pub const fn contains(self, address: u32) -> bool {
        address >= Self::LOWEST && (address as u64) < self.bytes() // cast ok: lossless
    }

    /// Whether an access of `2^log2_bytes` bytes at `address` is made: whether that is memory, and
    /// a multiple of its size. The machine stops in place if not.
    pub const fn allows(self, address: u32, log2_bytes: u32) -> bool {
        self.contains(address) && address.is_multiple_of(1 << log2_bytes)
    }

    /// Whether the state's Merkle tree has this cell.
    pub const fn has(self, cell: Cell) -> bool {
        cell.index() >> self.levels() == 0
    }
}

/// [`DEFAULT`](AddressSpace::DEFAULT).
impl Default for AddressSpace {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// `2^26`.
impl fmt::Display for AddressSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2^{}", self.log2_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_have_borders_pages_and_levels() {
        assert_eq!(AddressSpace::new(12), None);
        assert_eq!(AddressSpace::new(33), None);
        for log2_bytes in 13..=32 {
            let space = AddressSpace::new(log2_bytes).expect("13 to 32");
            assert_eq!(space.to_string(), format!("2^{log2_bytes}"));
            assert_eq!(space.bytes(), u64::from(space.pages()) * 4_096);
            assert!(!space.contains(0) && !space.contains(4_095) && space.contains(4_096));
            let last = (space.bytes() - 1) as u32; // cast ok: at most 2^32 - 1
            assert!(space.contains(last) && space.has(Cell::memory(last)));
            if let Some(outside) = last.checked_add(1) {
                assert!(!space.contains(outside) && !space.has(Cell::memory(outside)));
            }
        }
        assert_eq!(AddressSpace::DEFAULT.levels(), 24);
    }

    #[test]
    fn the_least_space_has_the_address_and_the_next_smaller_one_has_not() {
        for address in [0, 4_095] {
            assert_eq!(AddressSpace::least_with(address), None);
        }
        for (address, log2_bytes) in [(4_096, 13), (8_191, 13), (8_192, 14), (u32::MAX, 32)] {
            let space = AddressSpace::least_with(address).expect("memory");
            assert_eq!(space.log2_bytes(), log2_bytes, "{address}");
            assert!(space.contains(address));
            let smaller = AddressSpace::new(log2_bytes - 1);
            assert!(smaller.is_none_or(|smaller| !smaller.contains(address)));
        }
    }

    #[test]
    fn an_image_gets_a_space_that_holds_it() {
        let space = |base: u32, bytes: usize| {
            let image = Image::new(vec![(base, vec![1; bytes])]).expect("one piece");
            AddressSpace::for_image(&image).log2_bytes()
        };
        assert_eq!(
            AddressSpace::for_image(&Image::default()),
            AddressSpace::DEFAULT
        );
        assert_eq!(space(0x1_0000, 5), 26);
        assert_eq!(space((1 << 26) - (1 << 20) - 1, 1), 26);
        assert_eq!(space((1 << 26) - (1 << 20), 1), 27);
        assert_eq!(space(0x8000_0000, 1), 32);
        assert_eq!(space(u32::MAX, 1), 32);
    }
}
