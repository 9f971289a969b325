//! What has to happen before `main`, and whether start code is known to do it.

use object::elf;
use object::read::elf::NoteIterator;

use super::error::MAX_NAMED;
use super::file::{File, short_text, string, text};
use super::{ElfError, ElfWarning, FileHeader, LE, SectionHeader, words};
use crate::riscv::Program;

/// The name and type of the note that says what the start code does, and its bits.
const NOTE_NAME: &[u8] = b"tapcourt";
const NOTE_TYPE: u32 = 1;
const RUNS_CONSTRUCTORS: u32 = 1;
const SETS_THREAD_LOCALS: u32 = 2;

/// Sections and segments may overlap in the file, so its size is no limit.
const MAX_TABLES_BYTES: usize = 1 << 24;

/// How much of a section's name is read.
const MAX_NAME_BYTES: usize = 64;

/// An array of functions: the type of its section, its name, and the symbols at its ends.
struct Array {
    kind: elf::SectionType,
    section: &'static str,
    ends: [&'static str; 2],
}

/// What runs before `main`.
const ARRAYS: [Array; 2] = [
    Array {
        kind: elf::SHT_PREINIT_ARRAY,
        section: ".preinit_array",
        ends: ["__preinit_array_start", "__preinit_array_end"],
    },
    Array {
        kind: elf::SHT_INIT_ARRAY,
        section: ".init_array",
        ends: ["__init_array_start", "__init_array_end"],
    },
];

/// What symbols tell about the start code and what it has to do.
#[derive(Default)]
pub(super) struct StartSymbols<'a> {
    /// Whether there is a table of symbols.
    pub(super) has_table: bool,
    /// The addresses of each array's ends.
    ends: [[Option<u32>; 2]; 2],
    thread_locals: Vec<&'a [u8]>,
    has_libc_init_array: bool,
    has_libc_fini_array: bool,
    has_set_tls: bool,
}

impl<'a> StartSymbols<'a> {
    /// Takes note of a symbol that is defined.
    pub(super) fn add(&mut self, kind: elf::SymbolType, address: u32, name: &'a [u8]) {
        match kind {
            elf::STT_FUNC => match name {
                b"__libc_init_array" => self.has_libc_init_array = true,
                b"__libc_fini_array" => self.has_libc_fini_array = true,
                b"_set_tls" => self.has_set_tls = true,
                _ => {}
            },
            // Of linker scripts.
            elf::STT_NOTYPE => {
                for (array, found) in ARRAYS.iter().zip(&mut self.ends) {
                    for (end, found) in array.ends.iter().zip(found) {
                        if end.as_bytes() == name {
                            *found = Some(address);
                        }
                    }
                }
            }
            elf::STT_TLS if self.thread_locals.len() < MAX_NAMED => self.thread_locals.push(name),
            _ => {}
        }
    }

    /// Refuses what start code has to do and is not known to do.
    pub(super) fn check(
        &self,
        file: File<'a>,
        program: &Program,
    ) -> Result<Vec<ElfWarning>, ElfError> {
        let mut tables = Tables {
            file,
            names: file.section_names()?,
            left: MAX_TABLES_BYTES,
        };
        let mut warnings = Vec::new();
        let mut constructors = None;
        for (index, section) in file.section_headers()?.iter().enumerate() {
            let Some(kind) = tables.kind(section) else {
                continue;
            };
            let name = || tables.name(index, section);
            if kind == Kind::Relocations {
                return Err(ElfError::Relocations {
                    section: name(),
                    bytes: section.sh_size.get(LE),
                });
            }
            let name = name();
            let functions = functions(tables.contents(section)?);
            match kind {
                _ if functions.is_empty() => {}
                // No start code is known that runs them.
                Kind::OldConstructors => return Err(refusal(name, &functions, program)),
                Kind::Constructors => _ = constructors.get_or_insert((name, functions)),
                Kind::Destructors if self.has_libc_fini_array => {}
                Kind::Destructors | Kind::Relocations => warnings.push(ElfWarning::Destructors {
                    section: name,
                    count: functions.len(),
                }),
            }
        }
        let constructors = constructors.or_else(|| self.constructors_between_symbols(program));
        let thread_locals = self.thread_locals(&tables)?;
        // A broken note matters only where a note does.
        let served = match tables.note() {
            Err(error) if constructors.is_some() || thread_locals.is_some() => return Err(error),
            served => served.unwrap_or_default(),
        };
        if let Some((name, functions)) = constructors
            && served & RUNS_CONSTRUCTORS == 0
            && !self.has_libc_init_array
        {
            return Err(refusal(name, &functions, program));
        }
        if let Some(refusal) = thread_locals
            && served & SETS_THREAD_LOCALS == 0
            && !self.has_set_tls
        {
            return Err(refusal);
        }
        if !self.has_table && served & RUNS_CONSTRUCTORS == 0 {
            warnings.push(ElfWarning::NoSymbols);
        }
        Ok(warnings)
    }

    /// Constructors in a section of another name, which a linker script has put there.
    fn constructors_between_symbols(&self, program: &Program) -> Option<(String, Vec<u32>)> {
        let arrays = ARRAYS.iter().zip(self.ends);
        let mut found = arrays.filter_map(|(array, ends)| {
            let [Some(start), Some(end)] = ends else {
                return None;
            };
            let pieces = program.image().pieces().iter();
            let bytes = pieces.flat_map(|(base, bytes)| {
                // The part of the piece that is between both.
                let first = (start.saturating_sub(*base) as usize).min(bytes.len()); // cast ok: usize has at least 32 bits here
                let last = (end.saturating_sub(*base) as usize).min(bytes.len()); // cast ok: as above
                bytes.get(first..last).unwrap_or_default()
            });
            let bytes: Vec<u8> = bytes.copied().collect();
            let functions = functions(&bytes);
            let [start, end] = array.ends;
            (!functions.is_empty()).then(|| (format!("what is from {start} to {end}"), functions))
        });
        found.next()
    }

    /// What is refused if nothing sets up thread-locals.
    fn thread_locals(&self, tables: &Tables<'_>) -> Result<Option<ElfError>, ElfError> {
        let headers = tables.file.program_headers()?.iter().enumerate();
        let segments = headers
            .filter(|(_, header)| header.p_type.get(LE) == elf::PT_TLS)
            .map(|(index, header)| {
                let place = format!("the segment of program header {index} (PT_TLS)");
                (place, header.p_memsz.get(LE))
            });
        let sections = tables.file.section_headers()?.iter().enumerate();
        let sections = sections
            .filter(|(_, section)| {
                section.sh_flags.get_u64(LE).0 & elf::SHF_TLS.0 != 0
                    || [".tdata", ".tbss"]
                        .iter()
                        .any(|name| tables.is_named(section, name))
            })
            .map(|(index, section)| (tables.name(index, section), section.sh_size.get(LE)));
        let found = segments.chain(sections).find(|&(_, bytes)| bytes > 0);
        Ok(found.map(|(place, bytes)| ElfError::ThreadLocals {
            place,
            bytes,
            names: self
                .thread_locals
                .iter()
                .map(|name| short_text(name))
                .collect(),
        }))
    }
}

/// What a section is to start code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Constructors,
    /// Of compilers before `.init_array`.
    OldConstructors,
    Destructors,
    Relocations,
}

/// The parts of a file that tell of start code.
struct Tables<'a> {
    file: File<'a>,
    /// The names of sections.
    names: &'a [u8],
    /// How many bytes may still be read.
    left: usize,
}

impl<'a> Tables<'a> {
    /// The beginning of a section's name, which is enough to know it.
    fn section_name(&self, section: &SectionHeader) -> &'a [u8] {
        let start = section.sh_name.get(LE) as usize; // cast ok: usize has at least 32 bits here
        let rest = self.names.get(start..).unwrap_or_default();
        string(&rest[..rest.len().min(MAX_NAME_BYTES)], 0)
    }

    fn is_named(&self, section: &SectionHeader, name: &str) -> bool {
        let rest = self.section_name(section).strip_prefix(name.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
    }

    fn name(&self, index: usize, section: &SectionHeader) -> String {
        match self.section_name(section) {
            [] => format!("section {index}"),
            name => text(name),
        }
    }

    fn kind(&self, section: &SectionHeader) -> Option<Kind> {
        if section.sh_size.get(LE) == 0 {
            return None;
        }
        let kind = section.sh_type.get(LE);
        let is_loaded = section.sh_flags.get_u64(LE).0 & elf::SHF_ALLOC.0 != 0;
        match kind {
            elf::SHT_FINI_ARRAY => Some(Kind::Destructors),
            elf::SHT_REL | elf::SHT_RELA | elf::SHT_RELR if is_loaded => Some(Kind::Relocations),
            // Others may have their names, as those of relocations that a linker was told to keep.
            elf::SHT_PROGBITS | elf::SHT_PREINIT_ARRAY | elf::SHT_INIT_ARRAY => {
                if self.is_named(section, ".ctors") {
                    return Some(Kind::OldConstructors);
                }
                let is_array = ARRAYS
                    .iter()
                    .any(|array| kind == array.kind || self.is_named(section, array.section));
                is_array.then_some(Kind::Constructors)
            }
            _ => None,
        }
    }

    /// Bytes, as long as there are not too many in all.
    fn bytes(&mut self, part: &'static str, offset: u32, bytes: u32) -> Result<&'a [u8], ElfError> {
        let found = self.file.part(part, offset, bytes)?;
        let limit = MAX_TABLES_BYTES;
        let left = self.left.checked_sub(found.len());
        self.left = left.ok_or(ElfError::StartTables { limit })?;
        Ok(found)
    }

    fn contents(&mut self, section: &SectionHeader) -> Result<&'a [u8], ElfError> {
        let (offset, bytes) = (section.sh_offset.get(LE), section.sh_size.get(LE));
        self.bytes("section of constructors", offset, bytes)
    }

    /// What the start code says in notes that it does. Notes of others do not matter, nor where
    /// they are wrong.
    fn note(&mut self) -> Result<u32, ElfError> {
        let headers = self.file.program_headers()?.iter();
        let segments = headers
            .filter(|header| header.p_type.get(LE) == elf::PT_NOTE)
            .map(|header| (&header.p_offset, &header.p_filesz, &header.p_align));
        let headers = self.file.section_headers()?.iter();
        let sections = headers
            .filter(|section| section.sh_type.get(LE) == elf::SHT_NOTE)
            .map(|section| (&section.sh_offset, &section.sh_size, &section.sh_addralign));
        let mut served = 0;
        for (offset, bytes, align) in segments.chain(sections) {
            let bytes = self.bytes("notes", offset.get(LE), bytes.get(LE))?;
            let Ok(notes) = NoteIterator::<FileHeader>::new(LE, align.get(LE), bytes) else {
                continue;
            };
            for note in notes.map_while(Result::ok) {
                if note.name() != NOTE_NAME || note.n_type(LE).0 != NOTE_TYPE {
                    continue;
                }
                let descriptor = note.desc();
                let bytes = descriptor.len();
                let word = descriptor
                    .try_into()
                    .map_err(|_| ElfError::Note { bytes })?;
                served |= u32::from_le_bytes(word);
            }
        }
        Ok(served)
    }
}

/// The functions of an array: entries that are neither zero nor the marks of old linkers.
fn functions(array: &[u8]) -> Vec<u32> {
    words(array)
        .filter(|&entry| ![0, u32::MAX].contains(&entry))
        .collect()
}

fn refusal(section: String, functions: &[u32], program: &Program) -> ElfError {
    let named = functions.iter().filter_map(|&address| {
        let symbol = program.symbols().at(address)?;
        (symbol.address == address).then(|| short_text(symbol.name.as_bytes()))
    });
    ElfError::Constructors {
        section,
        count: functions.len(),
        names: named.take(MAX_NAMED).collect(),
    }
}
