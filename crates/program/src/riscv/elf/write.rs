//! Writing a program as a file.

use object::elf::{self, Ident, SymbolInfo, SymbolOther};
use object::pod::{bytes_of, bytes_of_slice};
use object::{U16, U32};

use super::{ElfError, FileHeader, LE, ProgramHeader, SectionHeader, Segment, SymbolEntry, words};
use crate::riscv::{Instruction, Program};

/// What our segments are aligned to, in memory as in the file.
const PAGE_BYTES: u32 = 0x1000;

/// The names of the sections; those of symbols follow.
const SECTION_NAMES: &[u8] = b"\0.symtab\0.strtab\0";

/// What is written after the headers: the size of a file is below 4 GiB.
fn length(bytes: &[u8]) -> u32 {
    bytes.len() as u32 // cast ok: files of 4 GiB are beyond ELF32
}

fn word(value: u32) -> U32<LE> {
    U32::new(LE, value)
}

fn half(value: usize) -> U16<LE> {
    U16::new(LE, value as u16) // cast ok: sizes of headers, and how many there are
}

impl Program {
    /// Writes an ELF file from which [`from_elf`](Self::from_elf) makes this program, as far as
    /// names have no control characters, are not empty, and do not begin with `$` or `.L`, and the
    /// address space is the one that [suits](Self::with_zeros) image and zeros. A file has no field
    /// for another: whoever reads it has to ask for that [again](Self::with_space), as a contract
    /// does.
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
        let mut headers: Vec<ProgramHeader> = Vec::new();
        let mut contents = Vec::new();
        let headers_bytes = size_of::<FileHeader>() + parts.len() * size_of::<ProgramHeader>();
        let start = headers_bytes as u32; // cast ok: far fewer than 2^27 parts fit into memory
        for Segment {
            address,
            bytes,
            more,
            executable,
        } in &parts
        {
            // The offset is the address modulo the size of a page, as systems want it that map
            // files into memory.
            let end = start + length(&contents);
            let padding = address.wrapping_sub(end) % PAGE_BYTES;
            contents.extend(std::iter::repeat_n(0, padding as usize)); // cast ok: less than a page
            let other = if *executable { elf::PF_X } else { elf::PF_W };
            headers.push(ProgramHeader {
                p_type: U32::new(LE, elf::PT_LOAD),
                p_offset: word(end + padding),
                p_vaddr: word(*address),
                p_paddr: word(*address),
                p_filesz: word(length(bytes)),
                p_memsz: word(length(bytes) + more),
                p_flags: U32::new(LE, elf::PF_R | other),
                p_align: word(PAGE_BYTES),
            });
            contents.extend_from_slice(bytes);
        }
        let (symbols, names) = self.symbol_table();
        let symbols = bytes_of_slice(&symbols);
        let symbols_at = start + length(&contents);
        let names_at = symbols_at + length(symbols);
        let sections_at = names_at + length(&names);
        let sections = sections((symbols_at, length(symbols)), (names_at, length(&names)));
        let header = FileHeader {
            e_ident: Ident {
                magic: elf::ELFMAG,
                class: elf::ELFCLASS32,
                data: elf::ELFDATA2LSB,
                version: elf::EV_CURRENT,
                os_abi: elf::ELFOSABI_NONE,
                abi_version: 0,
                padding: [0; 7],
            },
            e_type: U16::new(LE, elf::ET_EXEC),
            e_machine: U16::new(LE, elf::EM_RISCV),
            e_version: word(elf::EV_CURRENT.0.into()),
            e_entry: word(self.entry()),
            e_phoff: word(size_of::<FileHeader>() as u32), // cast ok: 52
            e_shoff: word(sections_at),
            e_flags: U32::default(),
            e_ehsize: half(size_of::<FileHeader>()),
            e_phentsize: half(size_of::<ProgramHeader>()),
            e_phnum: half(headers.len()),
            e_shentsize: half(size_of::<SectionHeader>()),
            e_shnum: half(sections.len()),
            e_shstrndx: U16::new(LE, elf::SymbolSection(2)),
        };
        let headers = bytes_of_slice(&headers);
        let sections = bytes_of_slice(&sections);
        Ok([
            bytes_of(&header),
            headers,
            &contents,
            symbols,
            &names,
            sections,
        ]
        .concat())
    }

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
                    let bytes = rest.split_off(..length).expect("it is no longer");
                    parts.push(Segment {
                        address,
                        bytes,
                        more: 0,
                        executable: false,
                    });
                    address = address.wrapping_add(length as u32); // cast ok: at most `before`
                    continue;
                }
                let segment = segments.next().expect("one begins here or before");
                let length = 4 * segment.instructions().len();
                let bytes = rest.split_off(..length);
                let bytes = bytes.filter(|_| segment.base() == address);
                let not_in_memory = |address| ElfError::NotInMemory { address };
                let bytes = bytes.ok_or(not_in_memory(segment.base()))?;
                let decoded = words(bytes).map(Instruction::decode);
                let other = decoded
                    .zip(segment.instructions())
                    .position(|(found, instruction)| found != *instruction);
                if let Some(index) = other {
                    return Err(not_in_memory(address + 4 * index as u32)); // cast ok: less than 2^30
                }
                parts.push(Segment {
                    address,
                    bytes,
                    more: 0,
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
        add_zeros(&mut parts, self.zeros());
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
    fn symbol_table(&self) -> (Vec<SymbolEntry>, Vec<u8>) {
        let mut names = SECTION_NAMES.to_vec();
        let mut symbols = vec![SymbolEntry::default()];
        for symbol in self.symbols().iter() {
            let is_instruction = self.rom().get(symbol.address).is_some();
            let kind = if is_instruction {
                elf::STT_FUNC
            } else {
                elf::STT_OBJECT
            };
            symbols.push(SymbolEntry {
                st_name: word(length(&names)),
                st_value: word(symbol.address),
                st_size: word(symbol.bytes),
                st_info: SymbolInfo::new(elf::STB_GLOBAL, kind),
                st_other: SymbolOther::default(),
                st_shndx: U16::new(LE, elf::SHN_ABS),
            });
            names.extend(symbol.name.as_bytes());
            names.push(0);
        }
        (symbols, names)
    }
}

/// Adds zeros that are not in the file: to the part that ends where they begin, or as another.
fn add_zeros(parts: &mut Vec<Segment<'_>>, zeros: &[(u32, u64)]) {
    let mut apart = Vec::new();
    for &(start, bytes) in zeros {
        // Cast ok: the first page is no memory, so there are fewer than 2^32.
        let more = bytes as u32;
        let after = parts.partition_point(|part| part.address < start);
        match parts[..after].last_mut() {
            // cast ok: usize has at least 32 bits here
            Some(part) if (start - part.address) as usize == part.bytes.len() => part.more = more,
            _ => apart.push(Segment {
                address: start,
                bytes: &[],
                more,
                executable: false,
            }),
        }
    }
    parts.extend(apart);
}

/// None, symbols, and their names, which are those of the sections as well; each offset and bytes.
fn sections(symbols: (u32, u32), names: (u32, u32)) -> [SectionHeader; 3] {
    let section = |name, kind, (offset, bytes), link, align, entry_bytes| SectionHeader {
        sh_name: word(name),
        sh_type: U32::new(LE, kind),
        sh_flags: U32::default(),
        sh_addr: word(0),
        sh_offset: word(offset),
        sh_size: word(bytes),
        sh_link: word(link),
        // Of the symbols, how many are local: the first.
        sh_info: word(u32::from(kind == elf::SHT_SYMTAB)),
        sh_addralign: word(align),
        sh_entsize: word(entry_bytes),
    };
    [
        section(0, elf::SHT_NULL, (0, 0), 0, 0, 0),
        section(
            1,
            elf::SHT_SYMTAB,
            symbols,
            2,
            4,
            size_of::<SymbolEntry>() as u32,
        ), // cast ok: 16
        section(9, elf::SHT_STRTAB, names, 0, 1, 0),
    ]
}
