//! Data memory, of which only pages that were written exist.

use std::fmt;

use super::{AddressSpace, Image};

/// The words of one page.
pub(super) type Page = [u32; Memory::PAGE_WORDS];

/// For each page a place in the arena; 0 is none.
type Table = Box<[u32; Memory::PAGES as usize]>; // cast ok: usize has at least 32 bits here

/// The data memory of an [`AddressSpace`], zero unless written, in pages that are allocated when
/// they are first written.
///
/// It knows which pages were written since it was last asked, at no cost to a store: there are two tables from pages to their places, and in the
/// one that stores use, a page that is not known as written has none.
///
/// ```
/// use tapcourt_program::riscv::{AddressSpace, Image, Memory};
///
/// let image = Image::new(vec![(0x1ffe, vec![1, 2, 3])])?;
/// let mut memory = Memory::new(&image, AddressSpace::DEFAULT);
/// assert_eq!(memory.word(0x1ffc), 0x0201_0000);
/// assert_eq!(memory.take_dirty(), [1, 2]);
/// memory.set_word(0x3ff_fffc, 7);
/// assert_eq!(memory.take_dirty(), [0x3fff]);
/// assert_eq!(memory.page(3), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Memory {
    space: AddressSpace,
    /// Where a page is, 0 if it was never written.
    pub(super) places: Table,
    /// The same for pages that are known as written, 0 for the others.
    pub(super) dirty_places: Table,
    /// Place 0 is never written.
    pub(super) arena: Vec<Page>,
    /// The number of the page at each place, [`FREE`] at place 0 and where there is none.
    owners: Vec<u32>,
    /// Places without a page.
    free: Vec<u32>,
    /// Pages written since [`take_dirty`](Memory::take_dirty), some twice.
    dirty: Vec<u32>,
}

/// Instead of the number of a page: none.
const FREE: u32 = u32::MAX;

impl Memory {
    /// Words of a page: 4,096 bytes.
    pub const PAGE_WORDS: usize = 1024;

    /// How many pages the largest space has.
    pub const PAGES: u32 = AddressSpace::LARGEST.pages();

    /// Memory before the first step. All pages of the image count as written.
    ///
    /// # Panics
    /// If the image is not inside the space.
    pub fn new(image: &Image, space: AddressSpace) -> Self {
        let mut memory = Self::zeros(space);
        for (address, word) in image.words() {
            memory.set_word(address, word);
        }
        memory
    }

    /// The addresses that are memory.
    pub fn space(&self) -> AddressSpace {
        self.space
    }

    fn zeros(space: AddressSpace) -> Self {
        Self {
            space,
            places: table(),
            dirty_places: table(),
            arena: vec![[0; Self::PAGE_WORDS]],
            owners: vec![FREE],
            free: Vec::new(),
            dirty: Vec::new(),
        }
    }

    /// The aligned word that holds the byte at `address`; zero where there is no memory.
    #[inline]
    pub fn word(&self, address: u32) -> u32 {
        let (page, word) = split(address);
        self.arena[self.places[page] as usize][word] // cast ok: usize has at least 32 bits here
    }

    /// Writes the aligned word that holds the byte at `address`.
    ///
    /// # Panics
    /// If there is no memory at `address`.
    #[inline]
    pub fn set_word(&mut self, address: u32, value: u32) {
        let (page, word) = split(address);
        let mut place = self.dirty_places[page];
        if place == 0 {
            place = self.touch(address >> 12);
        }
        self.arena[place as usize][word] = value; // cast ok: usize has at least 32 bits here
    }

    /// The words of page `number`, which is the address of its first byte divided by 4,096. `None` if it was never written: all are zero.
    ///
    /// # Panics
    /// If there is no such page.
    pub fn page(&self, number: u32) -> Option<&[u32; Self::PAGE_WORDS]> {
        let place = self.places[number as usize]; // cast ok: usize has at least 32 bits here
        (place != 0).then(|| &self.arena[place as usize]) // cast ok: as above
    }

    /// Replaces the words of page `number`, `None` by zeros; for going back to a snapshot. It counts as written.
    ///
    /// # Panics
    /// If there is no such page, or no memory in it.
    pub fn set_page(&mut self, number: u32, page: Option<&[u32; Self::PAGE_WORDS]>) {
        self.expect_page(number);
        let index = number as usize; // cast ok: usize has at least 32 bits here
        if let Some(words) = page {
            let place = match self.dirty_places[index] {
                0 => self.touch(number),
                place => place,
            };
            self.arena[place as usize] = *words; // cast ok: as above
            return;
        }
        if self.places[index] != 0 {
            let place = std::mem::take(&mut self.places[index]);
            self.dirty_places[index] = 0;
            self.owners[place as usize] = FREE; // cast ok: as above
            self.free.push(place);
        }
        self.dirty.push(number);
    }

    /// The numbers of all pages that [`page`](Self::page) has, ascending.
    pub fn pages(&self) -> Vec<u32> {
        let owned = self.owners.iter().copied();
        let mut numbers: Vec<u32> = owned.filter(|&number| number != FREE).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The numbers of the pages that were written since the last call, ascending. They count as not written from now on.
    pub fn take_dirty(&mut self) -> Vec<u32> {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        dirty.dedup();
        for &number in &dirty {
            self.dirty_places[number as usize] = 0; // cast ok: usize has at least 32 bits here
        }
        dirty
    }

    /// Makes a page known as written, allocating it if need be, and returns its place.
    #[cold]
    pub(super) fn touch(&mut self, number: u32) -> u32 {
        self.expect_page(number);
        let index = number as usize; // cast ok: usize has at least 32 bits here
        if self.places[index] == 0 {
            self.places[index] = self.allocate(number);
        }
        let place = self.places[index];
        if self.dirty_places[index] == 0 {
            self.dirty_places[index] = place;
            self.dirty.push(number);
        }
        place
    }

    fn expect_page(&self, number: u32) {
        let pages = self.space.pages();
        assert!(
            (1..pages).contains(&number),
            "page {number} is no memory of {pages} pages"
        );
    }

    fn allocate(&mut self, number: u32) -> u32 {
        let zeros = [0; Self::PAGE_WORDS];
        if let Some(place) = self.free.pop() {
            self.arena[place as usize] = zeros; // cast ok: usize has at least 32 bits here
            self.owners[place as usize] = number; // cast ok: as above
            return place;
        }
        let place = self.arena.len() as u32; // cast ok: at most one more than there are pages
        self.arena.push(zeros);
        self.owners.push(number);
        place
    }
}

/// The page of a byte and the word in it.
#[inline]
fn split(address: u32) -> (usize, usize) {
    let word = (address >> 2) as usize; // cast ok: usize has at least 32 bits here
    (word / Memory::PAGE_WORDS, word % Memory::PAGE_WORDS)
}

/// A table without entries, which the system need not back before they are used.
fn table() -> Table {
    let zeros = vec![0; Memory::PAGES as usize]; // cast ok: usize has at least 32 bits here
    zeros
        .into_boxed_slice()
        .try_into()
        .expect("a table has a place for each page")
}

/// Copies pages only, not the tables.
impl Clone for Memory {
    fn clone(&self) -> Self {
        let mut memory = Self {
            space: self.space,
            places: table(),
            dirty_places: table(),
            arena: self.arena.clone(),
            owners: self.owners.clone(),
            free: self.free.clone(),
            dirty: self.dirty.clone(),
        };
        for (place, &number) in (0u32..).zip(&self.owners) {
            if number != FREE {
                let index = number as usize; // cast ok: usize has at least 32 bits here
                memory.places[index] = place;
                memory.dirty_places[index] = self.dirty_places[index];
            }
        }
        memory
    }
}

/// Whether all words are equal, no matter which pages were written.
impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        const ZEROS: &Page = &[0; Memory::PAGE_WORDS];
        let page = |memory: &Self, number| memory.page(number).unwrap_or(ZEROS) == ZEROS;
        let same = |&number: &u32| match (self.page(number), other.page(number)) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => page(self, number) && page(other, number),
        };
        self.pages().iter().all(same) && other.pages().iter().all(same)
    }
}

impl Eq for Memory {}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("pages", &self.pages())
            .field("dirty", &self.dirty)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn random_writes_agree_with_a_map() {
        let image = Image::new(vec![(0x1fff, vec![1, 2]), (0xffff_fffe, vec![3, 4])])
            .expect("the pieces do not overlap");
        let mut memory = Memory::new(&image, AddressSpace::LARGEST);
        let mut words: BTreeMap<u32, u32> = image.words().into_iter().collect();
        let mut dirty = BTreeSet::from([1, 2, 0xf_ffff]);
        let mut state = 7u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 32) as u32 // cast ok: the upper half
        };
        for _ in 0..20_000 {
            let number = 1 + random() % 40 * (Memory::PAGES / 40);
            let address = number << 12 | random() & 0xffc;
            match random() % 100 {
                0 => {
                    memory.set_page(number, None);
                    words.retain(|address, _| address >> 12 != number);
                    dirty.insert(number);
                }
                1 => {
                    memory.set_page(number, Some(&[address; Memory::PAGE_WORDS]));
                    words.extend((0..1024).map(|word| (number << 12 | word << 2, address)));
                    dirty.insert(number);
                }
                2 => {
                    let expected: Vec<u32> = std::mem::take(&mut dirty).into_iter().collect();
                    assert_eq!(memory.take_dirty(), expected);
                    assert_eq!(memory.clone(), memory);
                }
                3..50 => {
                    let value = random();
                    memory.set_word(address | random() & 3, value);
                    words.insert(address, value);
                    dirty.insert(number);
                }
                _ => {
                    let expected = words.get(&address).copied().unwrap_or(0);
                    assert_eq!(memory.word(address), expected);
                }
            }
        }
        let of_pages = memory.pages().into_iter().flat_map(|number| {
            let page = memory.page(number).expect("listed");
            (0u32..)
                .zip(page)
                .map(move |(word, &value)| (number << 12 | word << 2, value))
        });
        let of_pages: BTreeMap<u32, u32> = of_pages.filter(|&(_, value)| value != 0).collect();
        words.retain(|_, value| *value != 0);
        assert_eq!(of_pages, words);
    }

    #[test]
    fn what_is_no_memory_is_zero_and_not_written() {
        let space = AddressSpace::new(14).expect("13 to 32");
        let mut memory = Memory::new(&Image::default(), space);
        for address in [0, 4_092, 1 << 14, u32::MAX] {
            assert_eq!(memory.word(address), 0);
            let write = std::panic::AssertUnwindSafe(|| memory.set_word(address, 1));
            assert!(std::panic::catch_unwind(write).is_err(), "{address:#x}");
        }
        assert_eq!(memory.take_dirty(), [0u32; 0]);
        for address in [4_096, (1 << 14) - 4] {
            memory.set_word(address, 1);
            assert_eq!(memory.word(address), 1);
        }
        assert_eq!(memory.pages(), [1, 3]);
    }

    #[test]
    fn zeros_written_are_zeros_never_written() {
        let mut memory = Memory::new(&Image::default(), AddressSpace::LARGEST);
        let other = memory.clone();
        memory.set_word(0x8000_0000, 0);
        assert_eq!(memory, other);
        assert_eq!(memory.pages(), [0x8_0000]);
        memory.set_word(0x8000_0000, 1);
        assert_ne!(memory, other);
        memory.set_page(0x8_0000, None);
        assert_eq!(memory, other);
        assert_eq!(memory.page(0x8_0000), None);
        assert_eq!(memory.take_dirty(), [0x8_0000]);
    }
}
