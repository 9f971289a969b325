//! What an ELF file says: instructions, the first memory, names.

use std::collections::BTreeMap;

use super::{AddressSpace, Instruction};

/// Why parts make no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// Instructions start at an address that is no multiple of four.
    #[error("instructions at {base:#010x}, which is no multiple of 4")]
    MisalignedRom {
        /// The address.
        base: u32,
    },
    /// Instructions reach the end of all addresses.
    #[error("{words} instructions at {base:#010x} reach {ROM_END:#010x}, the last word of all")]
    RomTooHigh {
        /// The address of the first.
        base: u32,
        /// How many there are.
        words: usize,
    },
    /// Two segments of instructions share an address.
    #[error("the instructions at {second:#010x} begin before those at {first:#010x} end")]
    OverlappingRom {
        /// The first segment's address.
        first: u32,
        /// The second's.
        second: u32,
    },
    /// Two pieces of memory share an address, or one goes beyond the address space.
    #[error(
        "{bytes} bytes of memory at {base:#010x} overlap others or go beyond the address space"
    )]
    Image {
        /// The address.
        base: u32,
        /// How many bytes.
        bytes: usize,
    },
    /// A piece of memory is in the first page, which is none.
    #[error(
        "the program's {} from {first:#010x} to {last:#010x} are not all memory, which begins at \
         {:#010x}: link it to higher addresses",
        contents(*zeros), AddressSpace::LOWEST
    )]
    FirstPage {
        /// The first address.
        first: u32,
        /// The last address.
        last: u32,
        /// Whether it is zeros that are in no file.
        zeros: bool,
    },
    /// A piece of memory goes beyond the address space.
    #[error(
        "the program's {} from {first:#010x} to {last:#010x} go beyond its address space of \
         {space}: it needs {least} at least",
        contents(*zeros)
    )]
    BeyondSpace {
        /// The first address.
        first: u32,
        /// The last address.
        last: u32,
        /// Whether it is zeros that are in no file.
        zeros: bool,
        /// The address space.
        space: AddressSpace,
        /// The least that holds all pieces.
        least: AddressSpace,
    },
    /// The program starts outside its instructions.
    #[error("the entry {entry:#010x} is in no instruction")]
    Entry {
        /// The entry.
        entry: u32,
    },
}

/// What a piece of memory has in it.
fn contents(zeros: bool) -> &'static str {
    if zeros { "zeros (.bss)" } else { "bytes" }
}

/// No instruction is at this address or beyond, so that the address after any is a word.
const ROM_END: u32 = 0xffff_fffc;

/// Instructions at consecutive addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RomSegment {
    base: u32,
    instructions: Vec<Instruction>,
}

impl RomSegment {
    /// The address of the first.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// The address after the last.
    pub fn end(&self) -> u32 {
        self.base + 4 * self.instructions.len() as u32 // cast ok: below ROM_END
    }

    /// The instructions, from address `base` on, one every four.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }
}

/// The instructions of a program, which never change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rom {
    /// By address; neighbours that touch are one segment.
    segments: Vec<RomSegment>,
    /// By address, the words that are no instruction.
    illegal: BTreeMap<u32, u32>,
}

impl Rom {
    /// Decodes words by the address of the first of each run.
    ///
    /// # Errors
    /// If they overlap, are misaligned, or reach the last word of all addresses.
    pub fn new(mut parts: Vec<(u32, Vec<u32>)>) -> Result<Self, ProgramError> {
        parts.retain(|(_, words)| !words.is_empty());
        parts.sort_by_key(|&(base, _)| base);
        let mut segments: Vec<RomSegment> = Vec::new();
        let mut illegal = BTreeMap::new();
        for (base, words) in parts {
            if base % 4 != 0 {
                return Err(ProgramError::MisalignedRom { base });
            }
            if base > ROM_END || words.len() > ((ROM_END - base) / 4) as usize {
                return Err(ProgramError::RomTooHigh {
                    base,
                    words: words.len(),
                });
            }
            for (pc, &word) in (base..).step_by(4).zip(&words) {
                if Instruction::decode(word) == Instruction::ILLEGAL {
                    illegal.insert(pc, word);
                }
            }
            let decoded = words.into_iter().map(Instruction::decode);
            match segments.last_mut() {
                Some(last) if last.end() > base => {
                    return Err(ProgramError::OverlappingRom {
                        first: last.base,
                        second: base,
                    });
                }
                Some(last) if last.end() == base => last.instructions.extend(decoded),
                _ => segments.push(RomSegment {
                    base,
                    instructions: decoded.collect(),
                }),
            }
        }
        Ok(Self { segments, illegal })
    }

    /// The runs of instructions, by address, with gaps between them.
    pub fn segments(&self) -> &[RomSegment] {
        &self.segments
    }

    /// How many instructions there are, illegal ones included.
    pub fn len(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| segment.instructions.len())
            .sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The instruction at `pc`, if it is in one; [`Instruction::ILLEGAL`] where the word is none.
    pub fn get(&self, pc: u32) -> Option<Instruction> {
        let (segment, place) = self.find(pc)?;
        Some(segment.instructions[place])
    }

    /// The word at `pc`, if that is in the program.
    pub fn word(&self, pc: u32) -> Option<u32> {
        let instruction = self.get(pc)?;
        let illegal = self.illegal.get(&pc).copied();
        Some(illegal.unwrap_or_else(|| instruction.encode()))
    }

    /// The segment and place of the instruction at `pc`.
    fn find(&self, pc: u32) -> Option<(&RomSegment, usize)> {
        let after = self.segments.partition_point(|segment| segment.base <= pc);
        let segment = &self.segments[after.checked_sub(1)?];
        let offset = pc - segment.base;
        let place = (offset / 4) as usize; // cast ok: usize has at least 32 bits here
        (offset.is_multiple_of(4) && place < segment.instructions.len()).then_some((segment, place))
    }

    /// How many instructions come before the one at `pc`, if it is in one.
    pub fn index(&self, pc: u32) -> Option<usize> {
        let (_, place) = self.find(pc)?;
        let before = self.segments.iter().filter(|segment| segment.end() <= pc);
        Some(
            before
                .map(|segment| segment.instructions.len())
                .sum::<usize>()
                + place,
        )
    }

    /// The instruction with so many before it, and its address.
    pub fn at(&self, index: usize) -> Option<(u32, Instruction)> {
        let mut left = index;
        for segment in &self.segments {
            match segment.instructions.get(left) {
                Some(&instruction) => return Some((segment.base + 4 * left as u32, instruction)), // cast ok: below ROM_END
                None => left -= segment.instructions.len(),
            }
        }
        None
    }

    /// All instructions with their addresses, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Instruction)> {
        self.segments.iter().flat_map(|segment| {
            let addresses = (segment.base..).step_by(4);
            addresses.zip(segment.instructions.iter().copied())
        })
    }
}

/// Memory before the first step: pieces that do not overlap, and zeros elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// By address, none empty; neighbours that touch are one piece.
    pieces: Vec<(u32, Vec<u8>)>,
}

impl Image {
    /// Takes bytes by the address of the first of each run.
    ///
    /// # Errors
    /// If they overlap or go beyond the address space.
    pub fn new(mut pieces: Vec<(u32, Vec<u8>)>) -> Result<Self, ProgramError> {
        pieces.retain(|(_, bytes)| !bytes.is_empty());
        pieces.sort_by_key(|&(base, _)| base);
        let mut free = 0u64;
        for (base, bytes) in &pieces {
            let end = u64::from(*base) + bytes.len() as u64; // cast ok: usize has at most 64 bits
            if u64::from(*base) < free || end > 1 << 32 {
                return Err(ProgramError::Image {
                    base: *base,
                    bytes: bytes.len(),
                });
            }
            free = end;
        }
        let mut merged: Vec<(u32, Vec<u8>)> = Vec::with_capacity(pieces.len());
        for (base, bytes) in pieces {
            match merged.last_mut() {
                Some((last, before)) if (base - *last) as usize == before.len() => {
                    before.extend(bytes); // cast ok: usize has at least 32 bits here
                }
                _ => merged.push((base, bytes)),
            }
        }
        Ok(Self { pieces: merged })
    }

    /// The runs of bytes, by address.
    pub fn pieces(&self) -> &[(u32, Vec<u8>)] {
        &self.pieces
    }

    /// Aligned words that have a byte in some piece, ascending, with their addresses.
    pub fn words(&self) -> Vec<(u32, u32)> {
        let mut words: Vec<(u32, u32)> = Vec::new();
        for (base, bytes) in &self.pieces {
            for (address, &byte) in (*base..=u32::MAX).zip(bytes) {
                let aligned = address & !3;
                let part = u32::from(byte) << (address % 4 * 8);
                match words.last_mut() {
                    Some((last, word)) if *last == aligned => *word |= part,
                    _ => words.push((aligned, part)),
                }
            }
        }
        words
    }
}

/// A name of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The first address.
    pub address: u32,
    /// How many bytes it names; zero if the file does not say.
    pub bytes: u32,
    /// The name.
    pub name: String,
}

/// Names of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    /// By address.
    symbols: Vec<Symbol>,
}

impl Symbols {
    /// Sorts them by address.
    pub fn new(mut symbols: Vec<Symbol>) -> Self {
        symbols.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
        Self { symbols }
    }

    /// The last symbol at or before `address` that reaches it, or that has no size.
    pub fn at(&self, address: u32) -> Option<&Symbol> {
        let after = self
            .symbols
            .partition_point(|symbol| symbol.address <= address);
        let symbol = self.symbols[..after].last()?;
        (symbol.bytes == 0 || address - symbol.address < symbol.bytes).then_some(symbol)
    }

    /// The symbol of this name.
    pub fn named(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.name == name)
    }

    /// All, by address.
    pub fn iter(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter()
    }
}

/// A program: what it executes, its first memory, and the names that it has for addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    space: AddressSpace,
    entry: u32,
    rom: Rom,
    image: Image,
    /// By address, none empty; neighbours that touch are one. Each is where it begins and how many
    /// bytes it has.
    zeros: Vec<(u32, u64)>,
    symbols: Symbols,
}

impl Program {
    /// Puts a program together, with the [address space that suits its
    /// image](AddressSpace::for_image).
    ///
    /// # Errors
    /// If `entry` is in no instruction, or the image is not inside the address space.
    pub fn new(entry: u32, rom: Rom, image: Image, symbols: Symbols) -> Result<Self, ProgramError> {
        if rom.get(entry).is_none() {
            return Err(ProgramError::Entry { entry });
        }
        let program = Self {
            space: AddressSpace::for_image(&image),
            entry,
            rom,
            image,
            zeros: Vec::new(),
            symbols,
        };
        let space = program.space;
        program.with_space(space)
    }

    /// The same program with these [zeros](Self::zeros), each by its first address and how many
    /// bytes it has. The address space grows until a mebibyte is free behind them, as far as there
    /// is one.
    ///
    /// # Errors
    /// If they overlap the image or each other, or are not memory.
    pub fn with_zeros(mut self, mut zeros: Vec<(u32, u64)>) -> Result<Self, ProgramError> {
        zeros.retain(|&(_, bytes)| bytes > 0);
        self.zeros.clear();
        let mut taken: Vec<(u32, u64)> = self
            .pieces()
            .map(|(base, bytes, _)| (base, bytes))
            .collect();
        taken.extend(&zeros);
        taken.sort_unstable();
        let mut free = 0u64;
        for (base, bytes) in taken {
            let end = u64::from(base).saturating_add(bytes);
            if u64::from(base) < free || end > 1 << 32 {
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                return Err(ProgramError::Image { base, bytes });
            }
            free = end;
        }
        zeros.sort_unstable();
        for (base, bytes) in zeros {
            match self.zeros.last_mut() {
                Some((last, before)) if u64::from(*last) + *before == base.into() => {
                    *before += bytes
                }
                _ => self.zeros.push((base, bytes)),
            }
        }
        let space = AddressSpace::for_end(free).max(self.space);
        self.with_space(space)
    }

    /// The same program with another address space.
    ///
    /// # Errors
    /// If the image or the [zeros](Self::zeros) are not inside it.
    pub fn with_space(self, space: AddressSpace) -> Result<Self, ProgramError> {
        let mut least = AddressSpace::SMALLEST;
        let mut beyond = None;
        for (first, bytes, zeros) in self.pieces() {
            let last = (u64::from(first) + bytes - 1) as u32; // cast ok: no piece goes beyond 2^32
            let needed = AddressSpace::least_with(first).and(AddressSpace::least_with(last));
            let needed = needed.ok_or(ProgramError::FirstPage { first, last, zeros })?;
            least = least.max(needed);
            if needed > space {
                beyond.get_or_insert((first, last, zeros));
            }
        }
        match beyond {
            None => Ok(Self { space, ..self }),
            Some((first, last, zeros)) => Err(ProgramError::BeyondSpace {
                first,
                last,
                zeros,
                space,
                least,
            }),
        }
    }

    /// All that the program has in memory to begin with: the first address of each piece, how many
    /// bytes it has, and whether they are [zeros](Self::zeros).
    fn pieces(&self) -> impl Iterator<Item = (u32, u64, bool)> {
        let image = self.image.pieces().iter();
        let image = image.map(|(base, bytes)| (*base, bytes.len() as u64, false)); // cast ok: usize has at most 64 bits
        image.chain(self.zeros.iter().map(|&(base, bytes)| (base, bytes, true)))
    }

    /// A program of these instructions from `base` on, which is also its entry. They are in memory as well, as from an ELF file.
    ///
    /// # Errors
    /// As [`Rom::new`] and [`Program::new`].
    pub fn from_instructions(
        base: u32,
        instructions: &[Instruction],
    ) -> Result<Self, ProgramError> {
        let words: Vec<u32> = instructions.iter().map(Instruction::encode).collect();
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let image = Image::new(vec![(base, bytes)])?;
        Self::new(
            base,
            Rom::new(vec![(base, words)])?,
            image,
            Symbols::default(),
        )
    }

    /// Which addresses are memory.
    pub fn space(&self) -> AddressSpace {
        self.space
    }

    /// The first `pc`.
    pub fn entry(&self) -> u32 {
        self.entry
    }

    /// The instructions.
    pub fn rom(&self) -> &Rom {
        &self.rom
    }

    /// The first memory.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Memory that the program counts on and whose first bytes are zeros that are in no file, such
    /// as `.bss`: where each run begins, by address, and how many bytes it has. All memory outside
    /// the image is zero to begin with, so these say only what an address space has to hold.
    pub fn zeros(&self) -> &[(u32, u64)] {
        &self.zeros
    }

    /// The names.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }
}
