//! ELF files: reading what toolchains link, and writing.
//!
//! Names and numbers are those of the
//! [System V ABI](https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html), chapters 4 and 5,
//! and of the [RISC-V ELF psABI](https://github.com/riscv-non-isa/riscv-elf-psabi-doc). Headers and
//! tables are read through [`object`], which checks that they are in the file.

mod error;
mod file;
mod write;

use object::LittleEndian as LE;

pub use self::error::ElfError;
use self::file::File;
use super::{Image, Program, Rom};

type FileHeader = object::elf::FileHeader32<LE>;
type ProgramHeader = object::elf::ProgramHeader32<LE>;
type SectionHeader = object::elf::SectionHeader32<LE>;
type SymbolEntry = object::elf::Sym32<LE>;

impl Program {
    /// Reads a static little-endian ELF32 RISC-V executable.
    ///
    /// All that is loaded from the file is memory; what is in executable segments is instructions
    /// as well, as far as it is in the file. Section headers are not needed; if there is a symbol
    /// table, names of functions and objects are taken from it.
    ///
    /// # Errors
    /// If it is no such file; if it asks for what this machine does not have: compressed
    /// instructions, floating-point registers, a dynamic linker; if segments overlap or are not in
    /// the file or not in memory; if the entry is in no instruction. It takes memory in proportion
    /// to the file, whatever the file says.
    pub fn from_elf(bytes: &[u8]) -> Result<Self, ElfError> {
        let file = File::new(bytes)?;
        let segments = file.segments()?;
        let rom = Rom::new(segments.iter().filter_map(Segment::instructions).collect())?;
        let pieces = segments
            .iter()
            .map(|segment| (segment.address, segment.bytes.to_vec()));
        let image = Image::new(pieces.collect())?;
        let symbols = file.symbols(&rom)?;
        Ok(Self::new(file.entry(), rom, image, symbols)?)
    }
}

/// What is loaded, and what of it is in the file.
struct Segment<'a> {
    address: u32,
    bytes: &'a [u8],
    executable: bool,
}

impl Segment<'_> {
    /// Its whole aligned words, if it is executable, with the address of the first.
    fn instructions(&self) -> Option<(u32, Vec<u32>)> {
        let skipped = self.address.wrapping_neg() % 4;
        let aligned = self.bytes.get(skipped as usize..)?; // cast ok: less than 4
        // It does not wrap: if the address did, there would be no bytes after those skipped.
        let base = self.address.wrapping_add(skipped);
        self.executable.then(|| (base, words(aligned).collect()))
    }
}

/// All whole words of a part.
fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let words = bytes.chunks_exact(4);
    words.map(|word| u32::from_le_bytes(word.try_into().expect("the chunks have four bytes")))
}
