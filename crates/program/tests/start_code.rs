//! Files whose start code has something to do before `main`: what is refused, what is read, and
//! what is worth a warning.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tapcourt_program::riscv::{ElfError, ElfReport, ElfWarning, Engine, Program};

const ENTRY: u32 = 0x1_0000;
const DATA: u32 = 0x2_0000;

const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const PT_TLS: u32 = 7;
const SHT_PROGBITS: u32 = 1;
const SHT_RELA: u32 = 4;
const SHT_NOTE: u32 = 7;
const SHT_NOBITS: u32 = 8;
const SHT_INIT_ARRAY: u32 = 14;
const SHT_FINI_ARRAY: u32 = 15;
const SHT_PREINIT_ARRAY: u32 = 16;
const SHF_WRITE: u32 = 1;
const SHF_ALLOC: u32 = 2;
const SHF_TLS: u32 = 1 << 10;
const STT_NOTYPE: u8 = 0;
const STT_OBJECT: u8 = 1;
const STT_FUNC: u8 = 2;
const STT_TLS: u8 = 6;

/// `addi a0, a0, 1` twice and `ecall`.
const CODE: [u32; 3] = [0x0015_0513, 0x0015_0513, 0x0000_0073];

/// A section of the data segment, and what the file says of it.
#[derive(Clone)]
struct Section {
    name: &'static str,
    kind: u32,
    flags: u32,
    bytes: Vec<u8>,
}

/// A file of some code at [`ENTRY`] and sections at [`DATA`], with a name for each symbol.
#[derive(Clone, Default)]
struct Draft {
    sections: Vec<Section>,
    /// Names, addresses and types.
    symbols: Vec<(&'static str, u32, u8)>,
    /// Types of further program headers, the section that they cover, and bytes in memory.
    segments: Vec<(u32, usize, u32)>,
    is_stripped: bool,
}

fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn halves(halves: &[u16]) -> Vec<u8> {
    halves.iter().flat_map(|half| half.to_le_bytes()).collect()
}

/// A note: its name with NUL, its type and descriptor.
fn note(name: &[u8], kind: u32, descriptor: &[u8]) -> Vec<u8> {
    let lengths = [name.len() as u32, descriptor.len() as u32, kind]; // cast ok: short
    let mut note = bytes_of(&lengths);
    note.extend(name);
    note.resize(note.len().next_multiple_of(4), 0);
    note.extend(descriptor);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}

impl Draft {
    fn section(mut self, name: &'static str, kind: u32, flags: u32, bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        self.sections.push(Section {
            name,
            kind,
            flags,
            bytes,
        });
        self
    }

    fn constructors(self, functions: &[u32]) -> Self {
        let flags = SHF_ALLOC | SHF_WRITE;
        self.section(".init_array", SHT_INIT_ARRAY, flags, &bytes_of(functions))
    }

    fn symbol(mut self, name: &'static str, address: u32, kind: u8) -> Self {
        self.symbols.push((name, address, kind));
        self
    }

    /// A section of notes, and its program header if it is to have one.
    fn notes(mut self, bytes: &[u8], has_segment: bool) -> Self {
        if has_segment {
            let length = bytes.len() as u32; // cast ok: short
            self.segments.push((PT_NOTE, self.sections.len(), length));
        }
        self.section(".note.tapcourt", SHT_NOTE, SHF_ALLOC, bytes)
    }

    /// The note of the start code that does what these bits say.
    fn marker(self, bits: u32) -> Self {
        self.notes(&note(b"tapcourt\0", 1, &bits.to_le_bytes()), true)
    }

    /// Two thread-locals, one of which is zero.
    fn thread_locals(mut self) -> Self {
        self.segments.push((PT_TLS, self.sections.len(), 8));
        let flags = SHF_ALLOC | SHF_WRITE | SHF_TLS;
        self.section(".tdata", SHT_PROGBITS, flags, &bytes_of(&[5]))
            .section(".tbss", SHT_NOBITS, flags, &[0; 4])
            .symbol("counter", 0, STT_TLS)
            .symbol("zero", 4, STT_TLS)
    }

    fn stripped(mut self) -> Self {
        self.is_stripped = true;
        self
    }

    fn file(&self) -> Vec<u8> {
        let mut data = Vec::new();
        let places: Vec<u32> = self
            .sections
            .iter()
            .map(|section| {
                let place = data.len() as u32; // cast ok: short
                data.extend(&section.bytes);
                data.resize(data.len().next_multiple_of(4), 0);
                place
            })
            .collect();
        let code = bytes_of(&CODE);
        let headers_bytes = 52 + 32 * (2 + self.segments.len());
        let code_at = headers_bytes as u32; // cast ok: short
        let data_at = code_at + code.len() as u32; // cast ok: short
        let mut segments = vec![
            [PT_LOAD, code_at, ENTRY, ENTRY, 12, 12, 5, 4],
            [
                PT_LOAD,
                data_at,
                DATA,
                DATA,
                data.len() as u32, // cast ok: short
                data.len() as u32, // cast ok: short
                6,
                4,
            ],
        ];
        for &(kind, section, memory) in &self.segments {
            let (place, bytes) = (places[section], self.sections[section].bytes.len() as u32); // cast ok: short
            let address = DATA + place;
            segments.push([kind, data_at + place, address, address, bytes, memory, 4, 4]);
        }

        let mut names = b"\0.symtab\0.strtab\0".to_vec();
        let mut name = |name: &str| {
            let place = names.len() as u32; // cast ok: short
            names.extend(name.as_bytes());
            names.push(0);
            place
        };
        let mut symbols = vec![0; 16];
        let all = [("_start", ENTRY, STT_FUNC)];
        for &(text, address, kind) in all.iter().chain(&self.symbols) {
            symbols.extend(bytes_of(&[name(text), address, 0]));
            symbols.extend([1 << 4 | kind, 0]);
            symbols.extend(halves(&[1]));
        }
        let mut sections = vec![[0; 10]];
        for (section, place) in self.sections.iter().zip(&places) {
            let (at, bytes) = (data_at + place, section.bytes.len() as u32); // cast ok: short
            let address = DATA + place;
            sections.push([
                name(section.name),
                section.kind,
                section.flags,
                address,
                at,
                bytes,
                0,
                0,
                4,
                0,
            ]);
        }
        let symbols_at = data_at + data.len() as u32; // cast ok: short
        let names_at = symbols_at + symbols.len() as u32; // cast ok: short
        let sections_at = names_at + names.len() as u32; // cast ok: short
        let count = sections.len() as u32; // cast ok: few
        if !self.is_stripped {
            let bytes = symbols.len() as u32; // cast ok: short
            sections.push([1, 2, 0, 0, symbols_at, bytes, count + 1, 1, 4, 16]);
        }
        let names_number = sections.len() as u16; // cast ok: few
        let bytes = names.len() as u32; // cast ok: short
        sections.push([9, 3, 0, 0, names_at, bytes, 0, 0, 1, 0]);

        let mut file = b"\x7fELF\x01\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend(halves(&[2, 243]));
        file.extend(bytes_of(&[1, ENTRY, 52, sections_at, 0]));
        let (headers, sections_count) = (segments.len() as u16, sections.len() as u16); // cast ok: few
        file.extend(halves(&[52, 32, headers, 40, sections_count, names_number]));
        file.extend(segments.iter().flat_map(|header| bytes_of(header)));
        file.extend([&*code, &data, &symbols, &names].concat());
        file.extend(sections.iter().flat_map(|header| bytes_of(header)));
        file
    }

    fn read(&self) -> Result<ElfReport, ElfError> {
        Program::read_elf(&self.file())
    }

    /// What is warned of, as text.
    fn warnings(&self) -> Vec<ElfWarning> {
        self.read().expect("it is read").warnings
    }
}

fn refused(draft: &Draft, said: &str) -> ElfError {
    let file = draft.file();
    let error = Program::from_elf(&file).expect_err(said);
    assert_eq!(Program::read_elf(&file), Err(error.clone()));
    assert!(error.to_string().contains(said), "{error}");
    error
}

fn data_file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Accepted 5 where the source asks for 1,000,000, and an exit code 9 where the source has 0.
#[test]
fn programs_whose_start_code_skips_what_they_need_are_refused_by_name() {
    let error = Program::from_elf(&data_file("hunt/constructor.elf")).expect_err("a constructor");
    assert_eq!(
        error,
        ElfError::Constructors {
            section: ".init_array".into(),
            count: 1,
            names: vec!["set_minimum".into()],
        }
    );
    assert_eq!(
        error.to_string(),
        ".init_array has 1 function to run before main (set_minimum), and nothing shows that the \
         start code runs them: use the start code of tapcourt.h, of the guest crate's entry! or of \
         a C library; if your own does it, say so by the note `tapcourt`, see Program::from_elf"
    );
    let error = Program::from_elf(&data_file("hunt/thread-local.elf")).expect_err("thread-locals");
    let ElfError::ThreadLocals {
        place,
        bytes,
        names,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(place, "the segment of program header 5 (PT_TLS)");
    assert_eq!(
        (*bytes, names.as_slice()),
        (8, ["counter", "zero"].map(String::from).as_slice())
    );
    assert!(
        error
            .to_string()
            .contains("8 bytes of thread-local variables (counter, zero)")
    );
}

#[test]
fn picolibc_serves_constructors_thread_locals_and_variables() {
    let report = Program::read_elf(&data_file("start/picolibc.elf")).expect("it is served");
    let mut engine = Engine::new(&report.program, &[]);
    engine.run_to(10_000);
    assert!(engine.state().accepted(), "its main finds all three set up");
    // Its stack is above its variables, as that library has it.
    assert!(
        matches!(report.warnings.as_slice(), [ElfWarning::Stack(_)]),
        "{:?}",
        report.warnings
    );
}

#[test]
fn constructors_are_found_by_type_name_and_symbols() {
    let flags = SHF_ALLOC | SHF_WRITE;
    let one = bytes_of(&[ENTRY + 4]);
    let draft = Draft::default;
    for (draft, section) in [
        (draft().constructors(&[0, ENTRY + 4]), ".init_array"),
        (draft().constructors(&[ENTRY + 4]).stripped(), ".init_array"),
        (draft().section("mine", SHT_INIT_ARRAY, flags, &one), "mine"),
        (
            draft().section("", SHT_PREINIT_ARRAY, flags, &one),
            "section 1",
        ),
        (
            draft().section(".preinit_array", SHT_PROGBITS, flags, &one),
            ".preinit_array",
        ),
        (
            draft().section(".init_array.00100", SHT_PROGBITS, flags, &one),
            ".init_array.00100",
        ),
        (
            draft().section(".ctors", SHT_PROGBITS, flags, &one),
            ".ctors",
        ),
        (
            draft().section(".ctors.65535", SHT_PROGBITS, flags, &one),
            ".ctors.65535",
        ),
        (
            draft()
                .section(
                    ".rodata",
                    SHT_PROGBITS,
                    SHF_ALLOC,
                    &bytes_of(&[ENTRY + 4, 7]),
                )
                .symbol("__init_array_start", DATA, STT_NOTYPE)
                .symbol("__init_array_end", DATA + 4, STT_NOTYPE),
            "what is from __init_array_start to __init_array_end",
        ),
        (
            draft()
                .symbol("__preinit_array_start", ENTRY, STT_NOTYPE)
                .symbol("__preinit_array_end", ENTRY + 4, STT_NOTYPE),
            "what is from __preinit_array_start to __preinit_array_end",
        ),
    ] {
        let said = format!("{section} has 1 function to run before main");
        let error = refused(&draft.symbol("first", ENTRY + 4, STT_FUNC), &said);
        let ElfError::Constructors {
            section: found,
            count,
            ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!((found.as_str(), *count), (section, 1));
    }
    // Ten functions, of which eight are named.
    let named = draft()
        .constructors(&[ENTRY + 4; 10])
        .symbol("first", ENTRY + 4, STT_FUNC);
    refused(
        &named,
        ".init_array has 10 functions to run before main (first, first, first, first, first, first, first, first, …), and",
    );
    // Without a name for it.
    refused(
        &draft().constructors(&[ENTRY + 8]),
        "has 1 function to run before main, and nothing",
    );
}

#[test]
fn arrays_without_functions_and_others_sections_do_not_matter() {
    let flags = SHF_ALLOC | SHF_WRITE;
    let one = bytes_of(&[ENTRY + 4]);
    let draft = Draft::default;
    for draft in [
        draft(),
        draft().constructors(&[]),
        draft().constructors(&[0, u32::MAX, 0]),
        draft().section(".ctors", SHT_PROGBITS, flags, &bytes_of(&[u32::MAX, 0])),
        draft().section(".init_arrays", SHT_PROGBITS, flags, &one),
        draft().section(".rela.init_array", SHT_RELA, 0, &one),
        draft().section(".tdata", SHT_PROGBITS, flags | SHF_TLS, &[]),
        // No label of a linker script.
        draft()
            .section(".rodata", SHT_PROGBITS, SHF_ALLOC, &one)
            .symbol("__init_array_start", DATA, STT_OBJECT)
            .symbol("__init_array_end", DATA + 4, STT_OBJECT),
        // In the wrong order, or one alone.
        draft()
            .symbol("__init_array_start", ENTRY + 8, STT_NOTYPE)
            .symbol("__init_array_end", ENTRY, STT_NOTYPE),
        draft().symbol("__init_array_start", ENTRY, STT_NOTYPE),
        // Not in memory.
        draft()
            .symbol("__init_array_start", 0x4000_0000, STT_NOTYPE)
            .symbol("__init_array_end", u32::MAX, STT_NOTYPE),
        // A note of somebody else, and one that is cut off.
        draft().notes(&note(b"tapcourt\0", 2, &[1]), true),
        draft().notes(&[4, 0, 0], true),
    ] {
        assert_eq!(draft.warnings(), []);
    }
}

#[test]
fn the_note_or_a_library_shows_what_start_code_does() {
    let constructors = || Draft::default().constructors(&[ENTRY + 4]);
    let thread_locals = || Draft::default().thread_locals();
    let both = || constructors().thread_locals();
    let mut cases = 0;
    for bits in 0..8 {
        let runs = |error| matches!(error, ElfError::Constructors { .. });
        let sets = |error| matches!(error, ElfError::ThreadLocals { .. });
        let read = |draft: Draft| draft.marker(bits).read();
        assert_eq!(read(constructors()).is_err_and(runs), bits & 1 == 0);
        assert_eq!(read(thread_locals()).is_err_and(sets), bits & 2 == 0);
        assert_eq!(read(both()).is_ok(), bits & 3 == 3);
        cases += 3;
    }
    let libc = |draft: Draft| draft.symbol("__libc_init_array", ENTRY + 8, STT_FUNC);
    let tls = |draft: Draft| draft.symbol("_set_tls", ENTRY + 8, STT_FUNC);
    assert!(libc(constructors()).read().is_ok());
    assert!(tls(thread_locals()).read().is_ok());
    assert!(libc(tls(both())).read().is_ok());
    assert!(libc(thread_locals()).read().is_err());
    assert!(tls(constructors()).read().is_err());
    // A linker script of picolibc has it, whatever the start code does.
    assert!(
        thread_locals()
            .symbol("__tls_base", DATA, STT_NOTYPE)
            .read()
            .is_err()
    );
    // No function.
    assert!(
        constructors()
            .symbol("__libc_init_array", ENTRY, STT_OBJECT)
            .read()
            .is_err()
    );
    // None runs the arrays of old compilers.
    let old = Draft::default().section(".ctors", SHT_PROGBITS, SHF_ALLOC, &bytes_of(&[ENTRY]));
    let error = refused(&libc(old.marker(3)), "no start code runs .ctors");
    assert!(error.to_string().contains("(_start)"), "{error}");
    println!("{cases} marks and 8 libraries");
}

#[test]
fn notes_are_found_in_segments_and_sections_among_others() {
    let mine = note(b"tapcourt\0", 1, &1u32.to_le_bytes());
    let others = note(b"GNU\0", 3, &[7; 20]);
    let draft = || Draft::default().constructors(&[ENTRY + 4]);
    for bytes in [
        mine.clone(),
        [&*others, &mine].concat(),
        [&*mine, &others].concat(),
        [&*note(b"tapcourt\0", 2, &[3, 0]), &mine].concat(),
        [&*note(b"tapcourt\0", 1, &2u32.to_le_bytes()), &mine].concat(),
        note(b"tapcourt", 1, &1u32.to_le_bytes()),
    ] {
        for has_segment in [false, true] {
            assert!(draft().notes(&bytes, has_segment).read().is_ok());
        }
    }
    for bytes in [
        others.clone(),
        note(b"tapcourts\0", 1, &[1, 0, 0, 0]),
        note(b"tapcourt\0", 0, &[1, 0, 0, 0]),
        mine[..mine.len() - 4].to_vec(),
    ] {
        assert!(matches!(
            draft().notes(&bytes, true).read(),
            Err(ElfError::Constructors { .. })
        ));
    }
    let long = draft().notes(&note(b"tapcourt\0", 1, &[1; 8]), true);
    assert_eq!(
        refused(&long, "descriptor of 8 bytes, must have 4"),
        ElfError::Note { bytes: 8 }
    );
    // Where a note does not matter, a wrong one does not.
    assert!(
        Draft::default()
            .notes(&note(b"tapcourt\0", 1, &[1; 8]), true)
            .read()
            .is_ok()
    );
}

#[test]
fn thread_locals_are_found_by_segment_flags_and_names() {
    let flags = SHF_ALLOC | SHF_WRITE;
    let draft = Draft::default;
    refused(
        &draft().thread_locals(),
        "program header 2 (PT_TLS) has 8 bytes of thread-local variables (counter, zero)",
    );
    refused(
        &draft().thread_locals().stripped(),
        "(PT_TLS) has 8 bytes of thread-local variables, and",
    );
    let named = draft().section(".tdata.x", SHT_PROGBITS, flags, &[1]);
    refused(&named, ".tdata.x has 1 bytes");
    let flagged = draft().section("mine", SHT_NOBITS, flags | SHF_TLS, &[0; 12]);
    refused(&flagged, "mine has 12 bytes of thread-local variables, and");
}

#[test]
fn relocations_at_run_time_are_refused() {
    let rela = Draft::default().section(".rela.iplt", SHT_RELA, SHF_ALLOC, &[0; 12]);
    let error = refused(
        &rela.marker(3),
        "section .rela.iplt has 12 bytes of relocations",
    );
    assert!(error.to_string().contains("link without them"));
}

#[test]
fn destructors_and_missing_symbols_are_worth_a_warning() {
    let fini = Draft::default().section(
        ".fini_array",
        SHT_FINI_ARRAY,
        SHF_ALLOC,
        &bytes_of(&[ENTRY, 0, ENTRY + 4]),
    );
    assert_eq!(
        fini.warnings(),
        [ElfWarning::Destructors {
            section: ".fini_array".into(),
            count: 2
        }]
    );
    assert!(
        fini.warnings()[0]
            .to_string()
            .contains(".fini_array has 2 functions to run after")
    );
    assert_eq!(
        fini.symbol("__libc_fini_array", ENTRY, STT_FUNC).warnings(),
        []
    );
    assert_eq!(
        Draft::default().stripped().warnings(),
        [ElfWarning::NoSymbols]
    );
    assert_eq!(Draft::default().marker(1).stripped().warnings(), []);
}

/// C libraries for embedded systems copy variables from where they are in read-only memory.
#[test]
fn bytes_are_at_their_load_address_too_where_nothing_else_is() {
    let draft = Draft::default().section(".data", SHT_PROGBITS, SHF_ALLOC, &bytes_of(&[1, 2, 3]));
    let load_address = 52 + 32 + 12;
    let read = |address: u32| {
        let mut file = draft.file();
        file[load_address..load_address + 4].copy_from_slice(&address.to_le_bytes());
        Program::read_elf(&file).expect("it is read")
    };
    let usual = read(DATA);
    assert_eq!(usual.program.image().pieces().len(), 2);
    assert_eq!(read(0), usual);
    let data = bytes_of(&[1, 2, 3]);
    // Behind the code, which is one piece with it, and elsewhere.
    let behind = read(ENTRY + 12);
    assert_eq!(
        behind.program.image().pieces()[0],
        (ENTRY, [bytes_of(&CODE), data.clone()].concat())
    );
    let elsewhere = read(0x8000);
    assert_eq!(
        elsewhere.program.image().pieces()[0],
        (0x8000, data.clone())
    );
    assert_eq!(
        elsewhere.program.image().pieces()[1..],
        usual.program.image().pieces()[..]
    );
    assert_eq!(
        read(u32::MAX - 11).program.image().pieces()[2],
        (u32::MAX - 11, data)
    );
    for report in [&behind, &elsewhere] {
        assert_eq!(report.program.rom(), usual.program.rom());
        assert_eq!(report.warnings, []);
    }
    // Over the code, in part over the code or the data, beyond memory.
    for address in [
        ENTRY,
        ENTRY - 11,
        ENTRY + 11,
        DATA - 1,
        DATA + 8,
        u32::MAX - 10,
    ] {
        let report = read(address);
        assert_eq!(report.program, usual.program);
        let warning = ElfWarning::LoadAddress {
            header: 1,
            load_address: address,
            bytes: 12,
        };
        assert_eq!(report.warnings, [warning]);
        let said = format!("12 bytes to be copied from {address:#010x}");
        assert!(report.warnings[0].to_string().contains(&said));
    }
}

#[test]
fn compressed_padding_is_worth_a_warning() {
    let report = Program::read_elf(&data_file("start/rvc.elf")).expect("it is for rv32im");
    assert_eq!(report.warnings, [ElfWarning::Compressed { flags: 1 }]);
    assert!(report.warnings[0].to_string().contains("flags 0x1"));
    let mut engine = Engine::new(&report.program, &[]);
    engine.run_to(10);
    assert!(engine.state().accepted());
    let error = Program::from_elf(&data_file("start/compressed.elf")).expect_err("it begins so");
    assert!(
        matches!(error, ElfError::Compressed { half: 0x4501, .. }),
        "{error}"
    );
}

/// Names come from the file, and errors are shown on terminals.
#[test]
fn long_names_and_control_characters_are_not_told() {
    const LONG: &str = "\u{1b}[31mred\u{7}\u{9b}1nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    let flags = SHF_ALLOC | SHF_WRITE;
    let one = bytes_of(&[ENTRY + 4]);
    let array = Draft::default().section(LONG, SHT_INIT_ARRAY, flags, &one);
    let error = refused(&array.symbol(LONG, ENTRY + 4, STT_FUNC), "before main");
    let thread_local = Draft::default().section(".tbss", SHT_NOBITS, flags | SHF_TLS, &[0; 4]);
    let other = refused(&thread_local.symbol(LONG, 0, STT_TLS), "4 bytes");
    let misaligned = Draft::default().symbol(LONG, ENTRY + 2, STT_FUNC);
    for error in [error, other, refused(&misaligned, "no multiple of 4")] {
        let text = error.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
        assert!(
            text.contains("[31mred") && !text.contains(&"n".repeat(64)),
            "{text:?}"
        );
    }
}

/// Sections may overlap, so there is a limit to what is read of all of them.
#[test]
fn small_files_do_not_take_long() {
    let zeros = vec![0; 1 << 20];
    let mut draft = Draft::default().section(".init_array", SHT_INIT_ARRAY, SHF_ALLOC, &zeros);
    assert_eq!(draft.warnings(), []);
    // As many sections of the same bytes.
    for _ in 0..20 {
        draft = draft.section("again", SHT_INIT_ARRAY, SHF_ALLOC, &[]);
    }
    let mut file = draft.file();
    let end = file.len();
    let sections = end - 40 * 24;
    let first: Vec<u8> = file[sections + 40 + 16..sections + 40 + 24].to_vec();
    for section in 2..22 {
        let place = sections + 40 * section + 16;
        file[place..place + 8].copy_from_slice(&first);
    }
    assert_eq!(
        Program::from_elf(&file),
        Err(ElfError::StartTables { limit: 1 << 24 })
    );
}

/// Whatever headers, notes, sections and symbols say.
#[test]
fn damaged_files_do_not_panic() {
    let served = Draft::default()
        .constructors(&[ENTRY + 4])
        .thread_locals()
        .marker(3)
        .section(
            ".fini_array",
            SHT_FINI_ARRAY,
            SHF_ALLOC,
            &bytes_of(&[ENTRY]),
        )
        .symbol("__init_array_start", DATA, STT_NOTYPE)
        .symbol("__init_array_end", DATA + 4, STT_NOTYPE)
        .symbol("__libc_fini_array", ENTRY, STT_FUNC);
    assert_eq!(served.warnings(), []);
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut kinds = std::collections::BTreeMap::new();
    for original in [
        served.file(),
        data_file("start/picolibc.elf"),
        data_file("hunt/constructor.elf"),
    ] {
        for _ in 0..10_000 {
            let mut file = original.clone();
            for _ in 0..random.gen_range(1..5) {
                let near = [52, 300, file.len()][random.gen_range(0..3)].min(file.len());
                let place = match random.gen_range(0..2) {
                    0 => random.gen_range(0..near),
                    _ => file.len() - 1 - random.gen_range(0..file.len().min(900)),
                };
                file[place] = [random.r#gen(), 0, 0xff, 1][random.gen_range(0..4)];
            }
            let kind = match Program::read_elf(&file) {
                Ok(report) => {
                    let texts = report.warnings.iter().map(ElfWarning::to_string);
                    assert!(texts.into_iter().all(|text| text.len() < 500));
                    let again = report
                        .program
                        .to_elf()
                        .expect("what was read can be written");
                    assert!(Program::from_elf(&again).is_ok());
                    "read".to_owned()
                }
                Err(error) => {
                    assert!(error.to_string().len() < 2000, "{error}");
                    let kind = format!("{error:?}");
                    kind.split([' ', '(']).next().expect("a word").to_owned()
                }
            };
            *kinds.entry(kind).or_insert(0) += 1;
        }
    }
    println!("{kinds:?}");
    for kind in ["read", "Constructors", "ThreadLocals", "Note", "BeyondFile"] {
        assert!(kinds.contains_key(kind), "{kind}");
    }
}
