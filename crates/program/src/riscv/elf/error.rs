//! Why a file is no program for this machine.

use object::elf;

use super::super::ProgramError;

/// The size of an ELF file's header.
pub(super) const EHDR_BYTES: usize = 52;

/// Why a file is no program for this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// The file has no room for a header.
    #[error("{bytes} bytes are no ELF file: its header alone has {EHDR_BYTES}")]
    TooShort {
        /// The size of the file.
        bytes: usize,
    },
    /// The file does not begin as an ELF file does.
    #[error("the file begins with {found:02x?}, an ELF file with 7f 45 4c 46")]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// The file is for another word size.
    #[error("the file is of class {found} (2 is 64-bit), must be of class 1, 32-bit")]
    Class {
        /// `e_ident[EI_CLASS]`.
        found: u8,
    },
    /// The file is in another byte order.
    #[error("the file's byte order is {found} (2 is big-endian), must be 1, little-endian")]
    ByteOrder {
        /// `e_ident[EI_DATA]`.
        found: u8,
    },
    /// The file is for another processor.
    #[error(
        "the file is for machine {found}, must be for {}, RISC-V",
        elf::EM_RISCV
    )]
    Machine {
        /// `e_machine`.
        found: u16,
    },
    /// The file is no executable that is linked to fixed addresses.
    #[error(
        "the file is of type {found} (1 is an object, 3 is shared or position independent), \
         must be {}: an executable at fixed addresses",
        elf::ET_EXEC
    )]
    Type {
        /// `e_type`.
        found: u16,
    },
    /// The program was compiled for the C extension.
    #[error(
        "the file's flags {flags:#x} say that it has compressed instructions, \
         which the machine does not have; build for rv32im"
    )]
    Compressed {
        /// `e_flags`.
        flags: u32,
    },
    /// The program was compiled for floating-point registers.
    #[error(
        "the file's flags {flags:#x} say that it passes numbers in floating-point registers, \
         which the machine does not have; build for ilp32"
    )]
    FloatingPoint {
        /// `e_flags`.
        flags: u32,
    },
    /// A function begins between two instructions, as only with compressed ones.
    #[error("the function `{name}` begins at {address:#010x}, which is no multiple of 4")]
    MisalignedFunction {
        /// Its name.
        name: String,
        /// Where it begins.
        address: u32,
    },
    /// An entry of a table of headers has another size.
    #[error("headers in the {table} have {found} bytes each, must have {expected}")]
    HeaderSize {
        /// Which headers.
        table: &'static str,
        /// `e_phentsize` or `e_shentsize`.
        found: u16,
        /// The size of this class.
        expected: u16,
    },
    /// A part of the file is not in the file.
    #[error(
        "the {part} of {bytes} bytes at offset {offset} is beyond the file's {file_bytes} bytes"
    )]
    BeyondFile {
        /// Which part.
        part: &'static str,
        /// Where it begins in the file.
        offset: u64,
        /// How long it is.
        bytes: u64,
        /// How long the file is.
        file_bytes: usize,
    },
    /// The program has to be linked when it starts.
    #[error("program header {header} is {kind}: the program must be linked statically")]
    Dynamic {
        /// Its number.
        header: usize,
        /// `PT_DYNAMIC` or `PT_INTERP`.
        kind: &'static str,
    },
    /// A segment has more bytes in the file than in memory.
    #[error(
        "program header {header} fills {memory_bytes} bytes of memory with {file_bytes} of the file"
    )]
    FileSize {
        /// Its number.
        header: usize,
        /// `p_filesz`.
        file_bytes: u32,
        /// `p_memsz`.
        memory_bytes: u32,
    },
    /// A segment goes beyond the address space.
    #[error("program header {header} puts {memory_bytes} bytes at {address:#010x}, beyond 2^32")]
    BeyondMemory {
        /// Its number.
        header: usize,
        /// `p_vaddr`.
        address: u32,
        /// `p_memsz`.
        memory_bytes: u32,
    },
    /// Two segments share an address.
    #[error("program headers {first} and {second} both fill {address:#010x}")]
    Overlap {
        /// The number of the one that begins first.
        first: usize,
        /// The number of the other.
        second: usize,
        /// Where the other begins.
        address: u32,
    },
    /// The section with the names of symbols does not exist.
    #[error("the names of symbols are in section {section} of {count} sections")]
    NoNames {
        /// `sh_link` of the table of symbols.
        section: u32,
        /// How many there are.
        count: usize,
    },
    /// The names of symbols are too long together.
    #[error("the names of symbols have more than {limit} bytes together")]
    Names {
        /// The most.
        limit: usize,
    },
    /// A file has no room for so many segments. Only
    /// [`Program::to_elf`](super::super::Program::to_elf) says this.
    #[error("{count} segments, of which a file has at most {limit}")]
    Segments {
        /// How many there are.
        count: usize,
        /// The most.
        limit: usize,
    },
    /// What the file says is no program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// An instruction is not in memory as well, as those of every ELF file are. Only
    /// [`Program::to_elf`](super::super::Program::to_elf) says this.
    #[error(
        "memory at {address:#010x} is not the instruction that is executed there, as in an ELF file"
    )]
    NotInMemory {
        /// The instruction's address.
        address: u32,
    },
}
