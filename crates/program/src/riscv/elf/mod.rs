//! ELF files: reading what toolchains link, and writing.
//!
//! Names and numbers are those of the
//! [System V ABI](https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html), chapters 4 and 5,
//! and of the [RISC-V ELF psABI](https://github.com/riscv-non-isa/riscv-elf-psabi-doc). Headers and
//! tables are read through [`object`], which checks that they are in the file.

mod error;
mod file;
mod report;
mod start;
mod write;

use object::LittleEndian as LE;

pub use self::error::ElfError;
use self::file::File;
pub use self::report::{ElfReport, ElfWarning};
use super::{Image, Program, Rom};

type FileHeader = object::elf::FileHeader32<LE>;
type ProgramHeader = object::elf::ProgramHeader32<LE>;
type SectionHeader = object::elf::SectionHeader32<LE>;
type SymbolEntry = object::elf::Sym32<LE>;

impl Program {
    /// Reads a static little-endian ELF32 RISC-V executable.
    ///
    /// All that is loaded from the file is memory, and so are the zeros that segments have besides;
    /// the [address space](Self::space) is one that holds both. What is in executable segments is
    /// instructions as well, as far as it is in the file. Section headers are not needed; if there
    /// is a symbol table, names of functions and objects are taken from it.
    ///
    /// # Start code
    /// A program starts at its entry, and nothing but the code there does what its language
    /// promises to have happened before `main`. A file with constructors or thread-locals is
    /// therefore read only if something shows that its start code serves them:
    ///
    /// - a note of the name `tapcourt` and type 1, whose descriptor is one little-endian word. Its
    ///   bit 0 says that the start code runs `.preinit_array` and `.init_array`, bit 1 that it
    ///   points `tp` to thread-locals, `.tdata` copied. The start code of `tapcourt.h` and of the
    ///   guest crate has it;
    /// - the function `__libc_init_array` of newlib and picolibc for constructors, and picolibc's
    ///   `_set_tls` for thread-locals. Linkers take them from the library only if they are called.
    ///
    /// C libraries for embedded systems copy variables from a segment's load address (`p_paddr`),
    /// where the bytes are as well, unless another segment is there.
    ///
    /// # Errors
    /// If it is no such file; if it asks for what this machine does not have: compressed
    /// instructions, floating-point registers, a dynamic linker; if segments overlap or are not in
    /// the file or not in memory; if the entry is in no instruction; if it has constructors,
    /// thread-locals or relocations that its start code is not known to serve. It takes memory in
    /// proportion to the file, whatever the file says.
    pub fn from_elf(bytes: &[u8]) -> Result<Self, ElfError> {
        read(bytes).map(|report| report.program)
    }

    /// Reads an executable as [`from_elf`](Self::from_elf) does, and says what to look at before a
    /// contract is made about it.
    ///
    /// # Errors
    /// As `from_elf`.
    pub fn read_elf(bytes: &[u8]) -> Result<ElfReport, ElfError> {
        let mut report = read(bytes)?;
        report.look_at_stack();
        Ok(report)
    }
}

/// Reads a file, and all warnings that take no execution.
fn read(bytes: &[u8]) -> Result<ElfReport, ElfError> {
    let file = File::new(bytes)?;
    let (segments, mut warnings) = file.segments()?;
    let rom = Rom::new(segments.iter().filter_map(Segment::instructions).collect())?;
    let pieces = segments
        .iter()
        .map(|segment| (segment.address, segment.bytes.to_vec()));
    let image = Image::new(pieces.collect())?;
    let (symbols, start) = file.symbols(&rom)?;
    warnings.extend(check_compressed(file, &segments)?);
    let zeros = segments.iter().filter_map(Segment::zeros).collect();
    let program = Program::new(file.entry(), rom, image, symbols)?.with_zeros(zeros)?;
    warnings.extend(start.check(file, &program)?);
    Ok(ElfReport { program, warnings })
}

/// Refuses a program that begins with a compressed instruction, and warns where the file says that
/// it has some: they may be padding.
fn check_compressed(
    file: File<'_>,
    segments: &[Segment<'_>],
) -> Result<Option<ElfWarning>, ElfError> {
    let (flags, entry) = (file.flags(), file.entry());
    if flags & object::elf::EF_RISCV_RVC.0 == 0 {
        return Ok(None);
    }
    let executable = segments.iter().filter(|segment| segment.executable);
    let first = executable.filter_map(|segment| {
        let offset = entry.checked_sub(segment.address)? as usize; // cast ok: usize has at least 32 bits here
        segment.bytes.get(offset..)?.first_chunk()
    });
    for half in first.map(|&half| u16::from_le_bytes(half)) {
        if half & 3 != 3 || !entry.is_multiple_of(4) {
            return Err(ElfError::Compressed { flags, entry, half });
        }
    }
    Ok(Some(ElfWarning::Compressed { flags }))
}

/// What is loaded.
struct Segment<'a> {
    address: u32,
    /// What of it is in the file.
    bytes: &'a [u8],
    /// How many zeros follow that are not.
    more: u32,
    executable: bool,
}

impl Segment<'_> {
    /// The zeros that are not in the file, if there are any: where they begin, and how many.
    fn zeros(&self) -> Option<(u32, u64)> {
        // It does not wrap: a segment ends at 2^32.
        // Cast ok: there are at most `p_memsz`.
        let start = self.address.wrapping_add(self.bytes.len() as u32);
        (self.more > 0).then(|| (start, self.more.into()))
    }

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
