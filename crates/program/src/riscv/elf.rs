//! ELF files: reading what toolchains link, and writing.
//!
//! Names and numbers are those of the [System V ABI](https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html), chapters 4 and 5, and of the
//! [RISC-V ELF psABI](https://github.com/riscv-non-isa/riscv-elf-psabi-doc).

use super::{Image, Program, ProgramError, Rom, Symbol, Symbols};

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
    #[error("the file is for machine {found}, must be for {EM_RISCV}, RISC-V")]
    Machine {
        /// `e_machine`.
        found: u16,
    },
    /// The file is no executable that is linked to fixed addresses.
    #[error(
        "the file is of type {found} (1 is an object, 3 is shared or position independent), must be {ET_EXEC}: \
         an executable at fixed addresses"
    )]
    Type {
        /// `e_type`.
        found: u16,
    },
    /// The program was compiled for the C extension.
    #[error(
        "the file's flags {flags:#x} say that it has compressed instructions, which the machine does not have; build for rv32im"
    )]
    Compressed {
        /// `e_flags`.
        flags: u32,
    },
    /// The program was compiled for floating-point registers.
    #[error(
        "the file's flags {flags:#x} say that it passes numbers in floating-point registers, which the machine does not have; build for ilp32"
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
    /// A file has no room for so many segments. Only [`Program::to_elf`] says this.
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
    /// An instruction is not in memory as well, as those of every ELF file are. Only [`Program::to_elf`] says this.
    #[error(
        "memory at {address:#010x} is not the instruction that is executed there, as in an ELF file"
    )]
    NotInMemory {
        /// The instruction's address.
        address: u32,
    },
}

const EHDR_BYTES: usize = 52;
const PHDR_BYTES: u16 = 32;
const SHDR_BYTES: u16 = 40;
const SYM_BYTES: usize = 16;
const MAGIC: [u8; 4] = *b"\x7fELF";
const ET_EXEC: u16 = 2;
const EM_RISCV: u16 = 243;
const EF_RISCV_RVC: u32 = 1;
const EF_RISCV_FLOAT_ABI: u32 = 6;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PF_X: u32 = 1;
const PF_W: u32 = 2;
const PF_R: u32 = 4;
const SHT_SYMTAB: u32 = 2;
const SHT_STRTAB: u32 = 3;
const SHN_UNDEF: u16 = 0;
const SHN_ABS: u16 = 0xfff1;
const STB_GLOBAL: u8 = 1;
const STT_NOTYPE: u8 = 0;
const STT_OBJECT: u8 = 1;
const STT_FUNC: u8 = 2;

/// Names may overlap in the file, so its size is no limit.
const MAX_NAMES_BYTES: usize = 1 << 26;

/// What our segments are aligned to, in memory as in the file.
const PAGE_BYTES: u32 = 0x1000;

impl Program {
    /// Reads a static little-endian ELF32 RISC-V executable.
    ///
    /// All that is loaded from the file is memory; what is in executable segments is instructions as well, as far as it is in the file. Section headers
    /// are not needed; if there is a symbol table, names of functions and objects are taken from it.
    ///
    /// # Errors
    /// If it is no such file; if it asks for what this machine does not have: compressed instructions, floating-point registers, a dynamic
    /// linker; if segments overlap or are not in the file or not in memory; if the entry is in no instruction. It takes memory in proportion to the
    /// file, whatever the file says.
    pub fn from_elf(bytes: &[u8]) -> Result<Self, ElfError> {
        let file = File { bytes };
        file.check_header()?;
        let segments = file.segments()?;
        let rom = Rom::new(segments.iter().filter_map(Segment::instructions).collect())?;
        let pieces = segments
            .iter()
            .map(|segment| (segment.address, segment.bytes.to_vec()));
        let image = Image::new(pieces.collect())?;
        let symbols = file.symbols(&rom)?;
        Ok(Self::new(file.word(E_ENTRY), rom, image, symbols)?)
    }

    /// Writes an ELF file from which [`from_elf`](Self::from_elf) makes this program, as far as names have no NUL, are not empty, and do not begin with `$`
    /// or `.L`.
    ///
    /// # Errors
    /// If some instruction is not in memory as well: there is no ELF file of such a program.
    ///
    /// ```
    /// use tapcourt_program::riscv::{Instruction, Program};
    ///
    /// let program = Program::from_instructions(0x1_0000, &[Instruction::ECALL])?;
    /// assert_eq!(Program::from_elf(&program.to_elf()?)?, program);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_elf(&self) -> Result<Vec<u8>, ElfError> {
        let parts = self.parts()?;
        let table_bytes = u32::from(PHDR_BYTES) * parts.len() as u32; // cast ok: far fewer than 2^27 parts fit into memory
        let mut headers = Vec::new();
        let mut contents = Vec::new();
        let start = EHDR_BYTES as u32 + table_bytes; // cast ok: 52
        for Segment {
            address,
            bytes,
            executable,
        } in &parts
        {
            let flags = PF_R | if *executable { PF_X } else { PF_W };
            // The offset is the address modulo the size of a page, as systems want it that map files into memory.
            let end = start + contents.len() as u32; // cast ok: files of 4 GiB are beyond ELF32
            let padding = address.wrapping_sub(end) % PAGE_BYTES;
            contents.extend(std::iter::repeat_n(0, padding as usize)); // cast ok: less than a page
            let length = bytes.len() as u32; // cast ok: an image has at most 2^32 bytes; see above
            put(
                &mut headers,
                [
                    PT_LOAD,
                    end + padding,
                    *address,
                    *address,
                    length,
                    length,
                    flags,
                    PAGE_BYTES,
                ],
            );
            contents.extend_from_slice(bytes);
        }
        let symbols_at = start + contents.len() as u32; // cast ok: as above
        let (symbols, names) = self.symbol_table();
        let names_at = symbols_at + symbols.len() as u32; // cast ok: as above
        let sections_at = names_at + names.len() as u32; // cast ok: as above

        let mut file = MAGIC.to_vec();
        file.extend([1, 1, 1]); // 32-bit, little-endian, version 1
        file.resize(16, 0);
        put_halves(&mut file, [ET_EXEC, EM_RISCV]);
        put(
            &mut file,
            [1, self.entry(), EHDR_BYTES as u32, sections_at, 0],
        ); // cast ok: 52
        let count = parts.len() as u16; // cast ok: see `parts`
        put_halves(
            &mut file,
            [EHDR_BYTES as u16, PHDR_BYTES, count, SHDR_BYTES, 3, 2],
        ); // cast ok: 52
        file.extend(headers);
        file.extend(contents);
        file.extend(&symbols);
        file.extend(&names);
        // The sections: none, symbols, and their names, which are those of the sections as well.
        let local = 1;
        let symbol_bytes = SYM_BYTES as u32; // cast ok: 16
        put(&mut file, [0; 10]);
        put(
            &mut file,
            [
                1,
                SHT_SYMTAB,
                0,
                0,
                symbols_at,
                symbols.len() as u32,
                2,
                local,
                4,
                symbol_bytes,
            ],
        ); // cast ok: as above
        put(
            &mut file,
            [
                9,
                SHT_STRTAB,
                0,
                0,
                names_at,
                names.len() as u32,
                0,
                0,
                1,
                0,
            ],
        ); // cast ok: as above
        Ok(file)
    }
}

/// Words, little-endian.
fn put<const N: usize>(to: &mut Vec<u8>, words: [u32; N]) {
    to.extend(words.into_iter().flat_map(u32::to_le_bytes));
}

/// Half words, little-endian.
fn put_halves<const N: usize>(to: &mut Vec<u8>, halves: [u16; N]) {
    to.extend(halves.into_iter().flat_map(u16::to_le_bytes));
}

impl Program {
    /// The image in parts that are all instructions or all not, as segments.
    fn parts(&self) -> Result<Vec<Segment<'_>>, ElfError> {
        let mut parts = Vec::new();
        let mut segments = self.rom().segments().iter().peekable();
        for (base, bytes) in self.image().pieces() {
            let (mut address, mut rest) = (*base, bytes.as_slice());
            while !rest.is_empty() {
                let segment = segments.peek();
                let before =
                    segment.map_or(u32::MAX, |segment| segment.base().saturating_sub(address));
                if before > 0 {
                    let length = rest.len().min(before as usize); // cast ok: usize has at least 32 bits here
                    let part = rest.split_off(..length).expect("it is no longer");
                    parts.push(Segment {
                        address,
                        bytes: part,
                        executable: false,
                    });
                    address = address.wrapping_add(length as u32); // cast ok: at most `before`
                    continue;
                }
                let segment = segments.next().expect("one begins here or before");
                let length = 4 * segment.instructions().len();
                let part = rest.split_off(..length);
                let part = part.filter(|_| segment.base() == address);
                let part = part.ok_or(ElfError::NotInMemory {
                    address: segment.base(),
                })?;
                let words = words(part).map(super::Instruction::decode);
                let other = words
                    .zip(segment.instructions())
                    .position(|(word, instruction)| word != *instruction);
                if let Some(index) = other {
                    let address = address + 4 * index as u32; // cast ok: less than 2^30
                    return Err(ElfError::NotInMemory { address });
                }
                parts.push(Segment {
                    address,
                    bytes: part,
                    executable: true,
                });
                address = segment.end();
            }
        }
        if let Some(segment) = segments.next() {
            return Err(ElfError::NotInMemory {
                address: segment.base(),
            });
        }
        let limit = usize::from(u16::MAX - 1);
        if parts.len() > limit {
            return Err(ElfError::Segments {
                count: parts.len(),
                limit,
            });
        }
        Ok(parts)
    }

    /// The contents of the sections of symbols and names.
    fn symbol_table(&self) -> (Vec<u8>, Vec<u8>) {
        let mut names = b"\0.symtab\0.strtab\0".to_vec();
        let mut symbols = vec![0; SYM_BYTES];
        for symbol in self.symbols().iter() {
            put(
                &mut symbols,
                [names.len() as u32, symbol.address, symbol.bytes],
            ); // cast ok: files of 4 GiB are beyond ELF32
            let kind = if self.rom().get(symbol.address).is_some() {
                STT_FUNC
            } else {
                STT_OBJECT
            };
            symbols.extend([STB_GLOBAL << 4 | kind, 0]);
            put_halves(&mut symbols, [SHN_ABS]);
            names.extend(symbol.name.as_bytes());
            names.push(0);
        }
        (symbols, names)
    }
}

/// A file whose size is at least that of its header.
#[derive(Clone, Copy)]
struct File<'a> {
    bytes: &'a [u8],
}

/// Offsets of fields in the header.
const E_TYPE: usize = 16;
const E_MACHINE: usize = 18;
const E_ENTRY: usize = 24;
const E_PHOFF: usize = 28;
const E_SHOFF: usize = 32;
const E_FLAGS: usize = 36;
const E_PHENTSIZE: usize = 42;
const E_PHNUM: usize = 44;
const E_SHENTSIZE: usize = 46;
const E_SHNUM: usize = 48;

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

fn half_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes([bytes[offset], bytes[offset + 1]])
}

/// The words of a header.
fn fields<const N: usize>(header: &[u8]) -> [u32; N] {
    let mut words = words(header);
    std::array::from_fn(|_| words.next().expect("headers have that many words"))
}

impl<'a> File<'a> {
    fn half(self, offset: usize) -> u16 {
        half_at(self.bytes, offset)
    }

    fn word(self, offset: usize) -> u32 {
        fields::<1>(&self.bytes[offset..])[0]
    }

    fn check_header(self) -> Result<(), ElfError> {
        let Some((&found, _)) = self.bytes.split_first_chunk::<4>() else {
            return Err(ElfError::TooShort {
                bytes: self.bytes.len(),
            });
        };
        if found != MAGIC {
            return Err(ElfError::Magic { found });
        }
        if self.bytes.len() < EHDR_BYTES {
            return Err(ElfError::TooShort {
                bytes: self.bytes.len(),
            });
        }
        if self.bytes[4] != 1 {
            return Err(ElfError::Class {
                found: self.bytes[4],
            });
        }
        if self.bytes[5] != 1 {
            return Err(ElfError::ByteOrder {
                found: self.bytes[5],
            });
        }
        let (kind, machine, flags) = (self.half(E_TYPE), self.half(E_MACHINE), self.word(E_FLAGS));
        if machine != EM_RISCV {
            return Err(ElfError::Machine { found: machine });
        }
        if kind != ET_EXEC {
            return Err(ElfError::Type { found: kind });
        }
        if flags & EF_RISCV_RVC != 0 {
            return Err(ElfError::Compressed { flags });
        }
        if flags & EF_RISCV_FLOAT_ABI != 0 {
            return Err(ElfError::FloatingPoint { flags });
        }
        Ok(())
    }

    fn part(self, part: &'static str, offset: u32, bytes: u64) -> Result<&'a [u8], ElfError> {
        let found = usize::try_from(bytes).ok().and_then(|bytes| {
            let rest = self.bytes.get(offset as usize..)?; // cast ok: usize has at least 32 bits here
            rest.get(..bytes)
        });
        found.ok_or(ElfError::BeyondFile {
            part,
            offset: offset.into(),
            bytes,
            file_bytes: self.bytes.len(),
        })
    }

    /// The headers of a table.
    fn headers(
        self,
        table: &'static str,
        offset: u32,
        count: u16,
        (found, expected): (u16, u16),
    ) -> Result<impl Iterator<Item = &'a [u8]>, ElfError> {
        if count > 0 && found != expected {
            return Err(ElfError::HeaderSize {
                table,
                found,
                expected,
            });
        }
        let bytes = u64::from(count) * u64::from(expected);
        let headers = self.part(table, if count == 0 { 0 } else { offset }, bytes)?;
        Ok(headers.chunks_exact(expected.into()))
    }

    fn segments(self) -> Result<Vec<Segment<'a>>, ElfError> {
        let sizes = (self.half(E_PHENTSIZE), PHDR_BYTES);
        let headers = self.headers(
            "program header table",
            self.word(E_PHOFF),
            self.half(E_PHNUM),
            sizes,
        )?;
        let mut segments = Vec::new();
        // The first address of each, the one after its last, and its number.
        let mut ranges = Vec::new();
        for (header, fields) in headers.map(fields).enumerate() {
            let [kind, offset, address, _, file_bytes, memory_bytes, flags, _] = fields;
            match kind {
                PT_DYNAMIC => {
                    return Err(ElfError::Dynamic {
                        header,
                        kind: "PT_DYNAMIC",
                    });
                }
                PT_INTERP => {
                    return Err(ElfError::Dynamic {
                        header,
                        kind: "PT_INTERP",
                    });
                }
                PT_LOAD => {}
                _ => continue,
            }
            if file_bytes > memory_bytes {
                return Err(ElfError::FileSize {
                    header,
                    file_bytes,
                    memory_bytes,
                });
            }
            let end = u64::from(address) + u64::from(memory_bytes);
            if end > 1 << 32 {
                return Err(ElfError::BeyondMemory {
                    header,
                    address,
                    memory_bytes,
                });
            }
            if memory_bytes > 0 {
                ranges.push((address, end, header));
            }
            segments.push(Segment {
                address,
                bytes: self.part("segment", offset, file_bytes.into())?,
                executable: flags & PF_X != 0,
            });
        }
        ranges.sort_unstable();
        for pair in ranges.windows(2) {
            let [(_, end, first), (address, _, second)] = [pair[0], pair[1]];
            if end > address.into() {
                return Err(ElfError::Overlap {
                    first,
                    second,
                    address,
                });
            }
        }
        Ok(segments)
    }

    /// The names of functions and objects, from the first table of symbols.
    fn symbols(self, rom: &Rom) -> Result<Symbols, ElfError> {
        let sizes = (self.half(E_SHENTSIZE), SHDR_BYTES);
        let sections = self.headers(
            "section header table",
            self.word(E_SHOFF),
            self.half(E_SHNUM),
            sizes,
        )?;
        let sections: Vec<[u32; 10]> = sections.map(fields).collect();
        let Some(table) = sections.iter().find(|section| section[1] == SHT_SYMTAB) else {
            return Ok(Symbols::default());
        };
        let [_, _, _, _, offset, bytes, link, ..] = *table;
        let entries = self.part("symbol table", offset, bytes.into())?;
        let Some(&[_, _, _, _, offset, bytes, ..]) = sections.get(link as usize) else {
            // cast ok: usize has at least 32 bits here
            return Err(ElfError::NoNames {
                section: link,
                count: sections.len(),
            });
        };
        let names = self.part("table of names", offset, bytes.into())?;
        let mut symbols = Vec::new();
        let mut left = MAX_NAMES_BYTES;
        for entry in entries.chunks_exact(SYM_BYTES) {
            let [name, address, bytes, _] = fields(entry);
            let (info, section) = (entry[12], half_at(entry, 14));
            let name = names.get(name as usize..).unwrap_or_default(); // cast ok: usize has at least 32 bits here
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            let named = match info & 15 {
                STT_FUNC | STT_OBJECT => true,
                // A label of assembly.
                STT_NOTYPE => info >> 4 == STB_GLOBAL && rom.get(address).is_some(),
                _ => false,
            };
            let internal = name.is_empty() || name.starts_with(b"$") || name.starts_with(b".L");
            if !named || internal || section == SHN_UNDEF {
                continue;
            }
            left = left.checked_sub(name.len()).ok_or(ElfError::Names {
                limit: MAX_NAMES_BYTES,
            })?;
            let name = String::from_utf8_lossy(name).into_owned();
            if info & 15 == STT_FUNC && !address.is_multiple_of(4) {
                return Err(ElfError::MisalignedFunction { name, address });
            }
            symbols.push(Symbol {
                address,
                bytes,
                name,
            });
        }
        Ok(Symbols::new(symbols))
    }
}
