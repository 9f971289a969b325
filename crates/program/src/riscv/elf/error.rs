//! Why a file is no program for this machine.

use object::elf;

use super::super::ProgramError;

/// The size of an ELF file's header.
pub(super) const EHDR_BYTES: usize = 52;

/// How to build without compressed instructions.
const BUILD: &str = "build all of it, libraries included, for rv32im (-march=rv32im -mabi=ilp32, \
                     or Rust's target riscv32im-unknown-none-elf)";

/// How many functions or variables an error names.
pub(super) const MAX_NAMED: usize = 8;

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
    /// The program begins with a compressed instruction.
    #[error(
        "the file's flags {flags:#x} say that it has compressed instructions, and it begins with \
         one, {half:#06x} at {entry:#010x}: the machine has none; {BUILD}"
    )]
    Compressed {
        /// `e_flags`.
        flags: u32,
        /// `e_entry`.
        entry: u32,
        /// The first two bytes there.
        half: u16,
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
    #[error(
        "the function `{name}` begins at {address:#010x}, which is no multiple of 4, so there are \
         compressed instructions, which the machine does not have; {BUILD}"
    )]
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
    /// Segments share bytes of the file, so that a small file would fill a large memory.
    #[error("segments load {bytes} bytes from a file of {file_bytes}")]
    SharedBytes {
        /// How many bytes all segments take from the file.
        bytes: u64,
        /// How long the file is.
        file_bytes: usize,
    },
    /// Functions have to run before `main`, and nothing shows that the start code runs them.
    #[error(
        "{section} has {count} {} to run before main{}, and {}",
        if *count == 1 { "function" } else { "functions" },
        list(names, *count),
        remedy(section.starts_with(".ctors"))
    )]
    Constructors {
        /// The section, or the symbols that it lies between.
        section: String,
        /// How many functions there are.
        count: usize,
        /// The names of the first ones, as far as the file has names.
        names: Vec<String>,
    },
    /// There are thread-local variables, and nothing shows that the start code sets them up.
    #[error(
        "{place} has {bytes} bytes of thread-local variables{}, and nothing shows that the start \
         code sets up tp and copies .tdata: {START}",
        list(names, names.len())
    )]
    ThreadLocals {
        /// The segment or section.
        place: String,
        /// How many bytes, zeros included.
        bytes: u32,
        /// The names of the first ones, as far as the file has names.
        names: Vec<String>,
    },
    /// There are relocations that start code has to apply, which none for this machine does.
    #[error(
        "section {section} has {bytes} bytes of relocations that start code would have to apply, \
         as for functions that are chosen at run time (ifunc): link without them"
    )]
    Relocations {
        /// The section.
        section: String,
        /// How many bytes.
        bytes: u32,
    },
    /// The note that tells what the start code does cannot be read.
    #[error("the note tapcourt, type 1, has a descriptor of {bytes} bytes, must have 4")]
    Note {
        /// The size of the descriptor.
        bytes: usize,
    },
    /// What is read to find constructors is too long.
    #[error("notes and sections of constructors have more than {limit} bytes together")]
    StartTables {
        /// The most.
        limit: usize,
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

/// What to do about what the start code is not known to do.
const START: &str = "use the start code of tapcourt.h, of the guest crate's entry! or of a C \
                     library; if your own does it, say so by the note `tapcourt`, see \
                     Program::from_elf";

fn remedy(is_ctors: bool) -> String {
    if is_ctors {
        return "no start code runs .ctors: compile with -fuse-init-array".to_owned();
    }
    format!("nothing shows that the start code runs them: {START}")
}

/// The names in brackets, and dots where there are more of them.
fn list(names: &[String], count: usize) -> String {
    if names.is_empty() {
        return String::new();
    }
    let more = if count > names.len() || names.len() == MAX_NAMED {
        ", …"
    } else {
        ""
    };
    format!(" ({}{more})", names.join(", "))
}
