//! Reading a file's headers and tables.

use object::elf;
use object::pod::{Pod, slice_from_bytes};
use object::read::ReadRef;
use object::read::elf::FileHeader as _;

use super::error::EHDR_BYTES;
use super::start::StartSymbols;
use super::{
    ElfError, ElfWarning, FileHeader, LE, ProgramHeader, SectionHeader, Segment, SymbolEntry,
};
use crate::riscv::{Rom, Symbol, Symbols};

/// Names may overlap in the file, so its size is no limit.
const MAX_NAMES_BYTES: usize = 1 << 26;

/// How much of a name an error tells.
const MAX_NAME_BYTES: usize = 64;

/// A file whose header is one of this machine's.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    bytes: &'a [u8],
    header: &'a FileHeader,
}

impl<'a> File<'a> {
    /// Reads and checks the header.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, ElfError> {
        let too_short = ElfError::TooShort { bytes: bytes.len() };
        let Some(&found) = bytes.first_chunk::<4>() else {
            return Err(too_short);
        };
        if found != elf::ELFMAG {
            return Err(ElfError::Magic { found });
        }
        let header: &FileHeader = bytes.read_at(0).map_err(|()| too_short)?;
        let ident = header.e_ident();
        if !header.is_class_32() {
            return Err(ElfError::Class {
                found: ident.class.0,
            });
        }
        if !header.is_little_endian() {
            return Err(ElfError::ByteOrder {
                found: ident.data.0,
            });
        }
        let (kind, machine) = (header.e_type(LE), header.e_machine(LE));
        if machine != elf::EM_RISCV {
            return Err(ElfError::Machine { found: machine.0 });
        }
        if kind != elf::ET_EXEC {
            return Err(ElfError::Type { found: kind.0 });
        }
        let flags = header.e_flags(LE).0;
        if flags & elf::EF_RISCV_FLOAT_ABI != 0 {
            return Err(ElfError::FloatingPoint { flags });
        }
        Ok(Self { bytes, header })
    }

    /// The first `pc`.
    pub(super) fn entry(self) -> u32 {
        self.header.e_entry(LE)
    }

    /// A table of `count` entries at an offset.
    fn table<T: Pod>(
        self,
        part: &'static str,
        offset: u32,
        count: usize,
    ) -> Result<&'a [T], ElfError> {
        let found = self.bytes.read_slice_at(offset.into(), count);
        found.map_err(|()| ElfError::BeyondFile {
            part,
            offset: offset.into(),
            bytes: count as u64 * size_of::<T>() as u64, // cast ok: usize has at most 64 bits
            file_bytes: self.bytes.len(),
        })
    }

    /// `e_flags`.
    pub(super) fn flags(self) -> u32 {
        self.header.e_flags(LE).0
    }

    /// The bytes of a part.
    pub(super) fn part(
        self,
        part: &'static str,
        offset: u32,
        bytes: u32,
    ) -> Result<&'a [u8], ElfError> {
        self.table(part, offset, bytes as usize) // cast ok: usize has at least 32 bits here
    }

    /// A table of headers, whose size the file says.
    fn headers<T: Pod>(
        self,
        table: &'static str,
        offset: u32,
        count: u16,
        found: u16,
    ) -> Result<&'a [T], ElfError> {
        let expected = size_of::<T>() as u16; // cast ok: 32 or 40
        if count > 0 && found != expected {
            return Err(ElfError::HeaderSize {
                table,
                found,
                expected,
            });
        }
        self.table(table, offset, count.into())
    }

    /// The program headers.
    pub(super) fn program_headers(self) -> Result<&'a [ProgramHeader], ElfError> {
        let FileHeader {
            e_phoff,
            e_phnum,
            e_phentsize,
            ..
        } = self.header;
        self.headers(
            "program header table",
            e_phoff.get(LE),
            e_phnum.get(LE),
            e_phentsize.get(LE),
        )
    }

    /// The section headers.
    pub(super) fn section_headers(self) -> Result<&'a [SectionHeader], ElfError> {
        let FileHeader {
            e_shoff,
            e_shnum,
            e_shentsize,
            ..
        } = self.header;
        self.headers(
            "section header table",
            e_shoff.get(LE),
            e_shnum.get(LE),
            e_shentsize.get(LE),
        )
    }

    /// The section with the names of sections, if there is one.
    pub(super) fn section_names(self) -> Result<&'a [u8], ElfError> {
        let index = usize::from(self.header.e_shstrndx.get(LE).0);
        let Some(section) = self.section_headers()?.get(index) else {
            return Ok(&[]);
        };
        let (offset, bytes) = (section.sh_offset.get(LE), section.sh_size.get(LE));
        // What has no name is still known by its type.
        Ok(self
            .part("table of names", offset, bytes)
            .unwrap_or_default())
    }

    /// What is loaded.
    ///
    /// A segment whose load address `p_paddr` is not its address `p_vaddr` is one that start code
    /// copies from there, as that of C libraries for embedded systems does. So its bytes are at
    /// both, unless something else is at the load address.
    pub(super) fn segments(self) -> Result<(Vec<Segment<'a>>, Vec<ElfWarning>), ElfError> {
        let mut segments = Vec::new();
        // The first address of each, the one after its last, and its number.
        let mut ranges = Vec::new();
        let mut copies = Vec::new();
        let mut loaded = 0;
        for (header, fields) in self.program_headers()?.iter().enumerate() {
            match fields.p_type.get(LE) {
                elf::PT_DYNAMIC => {
                    return Err(ElfError::Dynamic {
                        header,
                        kind: "PT_DYNAMIC",
                    });
                }
                elf::PT_INTERP => {
                    return Err(ElfError::Dynamic {
                        header,
                        kind: "PT_INTERP",
                    });
                }
                elf::PT_LOAD => {}
                _ => continue,
            }
            let (address, offset) = (fields.p_vaddr.get(LE), fields.p_offset.get(LE));
            let (file_bytes, memory_bytes) = (fields.p_filesz.get(LE), fields.p_memsz.get(LE));
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
            let bytes = self.part("segment", offset, file_bytes)?;
            loaded += bytes.len() as u64; // cast ok: usize has at most 64 bits
            if ![0, address].contains(&fields.p_paddr.get(LE)) && !bytes.is_empty() {
                copies.push((fields.p_paddr.get(LE), bytes, header));
            }
            segments.push(Segment {
                address,
                bytes,
                more: memory_bytes - file_bytes,
                executable: fields.p_flags.get(LE).0 & elf::PF_X.0 != 0,
            });
        }
        // cast ok: usize has at most 64 bits
        if loaded > self.bytes.len() as u64 {
            return Err(ElfError::SharedBytes {
                bytes: loaded,
                file_bytes: self.bytes.len(),
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
        let warnings = add_copies(&mut segments, ranges, copies);
        Ok((segments, warnings))
    }

    /// The names of functions and objects, from the first table of symbols, and what start code is
    /// known by.
    pub(super) fn symbols(self, rom: &Rom) -> Result<(Symbols, StartSymbols<'a>), ElfError> {
        let mut start = StartSymbols::default();
        let sections = self.section_headers()?;
        let mut tables = sections.iter();
        let Some(table) = tables.find(|section| section.sh_type.get(LE) == elf::SHT_SYMTAB) else {
            return Ok((Symbols::default(), start));
        };
        start.has_table = true;
        let (offset, bytes) = (table.sh_offset.get(LE), table.sh_size.get(LE));
        let entries = self.part("symbol table", offset, bytes)?;
        let (entries, _) =
            slice_from_bytes::<SymbolEntry>(entries, entries.len() / size_of::<SymbolEntry>())
                .expect("there are as many");
        let section = table.sh_link.get(LE);
        // cast ok: usize has at least 32 bits here
        let Some(names) = sections.get(section as usize) else {
            return Err(ElfError::NoNames {
                section,
                count: sections.len(),
            });
        };
        let names = self.part(
            "table of names",
            names.sh_offset.get(LE),
            names.sh_size.get(LE),
        )?;
        let mut symbols = Vec::new();
        let mut left = MAX_NAMES_BYTES;
        for entry in entries {
            let kind = entry.st_type();
            let may_be_named = [
                elf::STT_FUNC,
                elf::STT_OBJECT,
                elf::STT_NOTYPE,
                elf::STT_TLS,
            ];
            if entry.st_shndx.get(LE) == elf::SHN_UNDEF || !may_be_named.contains(&kind) {
                continue;
            }
            let name = string(names, entry.st_name.get(LE));
            left = left.checked_sub(name.len()).ok_or(ElfError::Names {
                limit: MAX_NAMES_BYTES,
            })?;
            let address = entry.st_value.get(LE);
            start.add(kind, address, name);
            let is_named = match kind {
                elf::STT_FUNC | elf::STT_OBJECT => true,
                // A label of assembly.
                elf::STT_NOTYPE => entry.st_bind() == elf::STB_GLOBAL && rom.get(address).is_some(),
                _ => false,
            };
            if !is_named || name.is_empty() || name.starts_with(b"$") || name.starts_with(b".L") {
                continue;
            }
            if kind == elf::STT_FUNC && !address.is_multiple_of(4) {
                let name = short_text(name);
                return Err(ElfError::MisalignedFunction { name, address });
            }
            symbols.push(Symbol {
                address,
                bytes: entry.st_size.get(LE),
                name: text(name),
            });
        }
        Ok((Symbols::new(symbols), start))
    }
}

/// The string of a table that begins at an offset; nothing if that is beyond the table.
pub(super) fn string(table: &[u8], offset: u32) -> &[u8] {
    let rest = table.get(offset as usize..).unwrap_or_default(); // cast ok: usize has at least 32 bits here
    rest.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A name as it is shown to people: whatever a file has in it, it does not control a terminal.
pub(super) fn text(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.replace(char::is_control, "\u{fffd}")
}

/// The beginning of a name for an error's text.
pub(super) fn short_text(name: &[u8]) -> String {
    text(&name[..name.len().min(MAX_NAME_BYTES)])
}

/// Adds segments' bytes at their load addresses where nothing else is, and says where something is.
fn add_copies<'a>(
    segments: &mut Vec<Segment<'a>>,
    mut ranges: Vec<(u32, u64, usize)>,
    copies: Vec<(u32, &'a [u8], usize)>,
) -> Vec<ElfWarning> {
    let mut warnings = Vec::new();
    for (address, bytes, header) in copies {
        let end = u64::from(address) + bytes.len() as u64; // cast ok: usize has at most 64 bits
        // Ranges are by address and do not overlap.
        let place = ranges.partition_point(|&(_, other, _)| other <= address.into());
        let is_free = ranges
            .get(place)
            .is_none_or(|&(start, ..)| u64::from(start) >= end);
        if !is_free || end > 1 << 32 {
            warnings.push(ElfWarning::LoadAddress {
                header,
                load_address: address,
                bytes: bytes.len(),
            });
            continue;
        }
        ranges.insert(place, (address, end, header));
        segments.push(Segment {
            address,
            bytes,
            more: 0,
            executable: false,
        });
    }
    warnings
}

const _: () = assert!(size_of::<FileHeader>() == EHDR_BYTES);
