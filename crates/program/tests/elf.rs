//! ELF files: what is read, what is refused, and that nothing makes the reader panic.

use std::path::Path;

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tapcourt_program::riscv::{
    AddressSpace, ElfError, Image, Instruction, Op, Program, ProgramError, Rom, Symbol, Symbols,
};

/// `addi a0, a0, 1`.
const ADDI: u32 = 0x0015_0513;
const ECALL: u32 = 0x0000_0073;

/// Offsets in the header.
const E_TYPE: usize = 16;
const E_MACHINE: usize = 18;
const E_ENTRY: usize = 24;
const E_PHOFF: usize = 28;
const E_SHOFF: usize = 32;
const E_FLAGS: usize = 36;
const E_PHENTSIZE: usize = 42;
const E_PHNUM: usize = 44;
const E_SHENTSIZE: usize = 46;

/// Offsets in a program header, and the size of one.
const P_TYPE: usize = 0;
const P_OFFSET: usize = 4;
const P_VADDR: usize = 8;
const P_FILESZ: usize = 16;
const P_MEMSZ: usize = 20;
const P_FLAGS: usize = 24;
const PHDR: usize = 32;

fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Two instructions at 0x10000, data at 0x20000, and a symbol for each.
fn sample() -> Program {
    let words = vec![ADDI, ECALL];
    let image = vec![(0x1_0000, bytes_of(&words)), (0x2_0000, vec![1, 2, 3])];
    let symbol = |address, bytes, name: &str| Symbol {
        address,
        bytes,
        name: name.into(),
    };
    let symbols = vec![symbol(0x1_0000, 8, "_start"), symbol(0x2_0000, 3, "three")];
    Program::new(
        0x1_0000,
        Rom::new(vec![(0x1_0000, words)]).expect("one segment"),
        Image::new(image).expect("they do not overlap"),
        Symbols::new(symbols),
    )
    .expect("the entry is an instruction")
}

fn sample_file() -> Vec<u8> {
    sample().to_elf().expect("instructions are in memory")
}

fn set_word(file: &mut [u8], offset: usize, word: u32) {
    file[offset..offset + 4].copy_from_slice(&word.to_le_bytes());
}

fn set_half(file: &mut [u8], offset: usize, half: u16) {
    file[offset..offset + 2].copy_from_slice(&half.to_le_bytes());
}

/// Where a field of a program header of [`sample_file`] is.
fn header(number: usize, field: usize) -> usize {
    52 + PHDR * number + field
}

/// An ELF file of these segments, each an address, bytes, how many more there are in memory, and flags; without section headers.
fn file_of(entry: u32, segments: &[(u32, &[u8], u32, u32)]) -> Vec<u8> {
    let mut file = sample_file()[..52].to_vec();
    set_word(&mut file, E_ENTRY, entry);
    file[E_SHOFF..E_SHOFF + 4].fill(0);
    file[E_SHENTSIZE..52].fill(0);
    set_half(&mut file, E_PHNUM, segments.len() as u16); // cast ok: few
    let mut offset = 52 + PHDR * segments.len();
    for (address, bytes, more, flags) in segments {
        let length = bytes.len() as u32; // cast ok: short
        let fields = [
            1,
            offset as u32,
            *address,
            *address,
            length,
            length + more,
            *flags,
            1,
        ]; // cast ok: short
        file.extend(bytes_of(&fields));
        offset += bytes.len();
    }
    for (_, bytes, ..) in segments {
        file.extend(*bytes);
    }
    file
}

#[test]
fn writing_and_reading_gives_the_program_back() {
    let program = sample();
    assert_eq!(Program::from_elf(&sample_file()), Ok(program.clone()));
    assert_eq!(
        program.symbols().at(0x1_0004).map(|symbol| &*symbol.name),
        Some("_start")
    );

    // Instructions between data in one piece, and again later.
    let code = bytes_of(&[ADDI, ADDI, 0, ECALL]);
    let bytes = [&[7; 6], &*code, &[9; 5]].concat();
    let rom = vec![
        (0x1_0000, vec![ADDI, ADDI, 0, ECALL]),
        (0xffff_fff8, vec![ECALL]),
    ];
    let image = vec![(0xfffa, bytes), (0xffff_fff8, bytes_of(&[ECALL, u32::MAX]))];
    let program = Program::new(
        0x1_000c,
        Rom::new(rom).expect("they do not overlap"),
        Image::new(image).expect("they do not overlap"),
        Symbols::default(),
    )
    .expect("the entry is an instruction");
    let file = program.to_elf().expect("instructions are in memory");
    assert_eq!(Program::from_elf(&file), Ok(program));
}

#[test]
fn programs_that_are_no_elf_file_are_not_written() {
    let rom = || Rom::new(vec![(0x1000, vec![ADDI, ECALL])]).expect("one segment");
    for (image, address) in [
        (vec![], 0x1000),
        (vec![(0x1000, bytes_of(&[ADDI]))], 0x1000),
        (vec![(0x1002, vec![1; 20])], 0x1000),
        (vec![(0x1000, bytes_of(&[ADDI, ADDI]))], 0x1004),
    ] {
        let image = Image::new(image).expect("one piece");
        let program = Program::new(0x1000, rom(), image, Symbols::default());
        let written = program.expect("the entry is an instruction").to_elf();
        assert_eq!(written, Err(ElfError::NotInMemory { address }));
    }
}

#[test]
fn what_ordinary_linkers_write_is_read() {
    let text = bytes_of(&[ADDI, ECALL]);
    // Text and rodata in one segment that begins with the headers' last two bytes, .data with .bss, only .bss, and an empty one.
    let first = [&[0x13, 0], &*text, b"const"].concat();
    let file = file_of(
        0x1_0004,
        &[
            (0x1_0002, &first, 0, 5),
            (0x2_0000, &[1, 2, 3], 0x1_0000, 6),
            (0x8000_0000, &[], 0x7fff_ffff, 6),
            (0x2_0001, &[], 0, 4),
        ],
    );
    let program = Program::from_elf(&file).expect("it is well formed");
    assert_eq!(program.entry(), 0x1_0004);
    // `cons` is a word, and no instruction; `t` is none.
    let instructions: Vec<_> = program
        .rom()
        .iter()
        .map(|(pc, found)| (pc, found.op))
        .collect();
    assert_eq!(
        instructions,
        [
            (0x1_0004, Op::Addi),
            (0x1_0008, Op::Ecall),
            (
                0x1_000c,
                Instruction::decode(u32::from_le_bytes(*b"cons")).op
            )
        ]
    );
    let pieces: Vec<_> = program
        .image()
        .pieces()
        .iter()
        .map(|(base, bytes)| (*base, bytes.len()))
        .collect();
    assert_eq!(pieces, [(0x1_0002, 15), (0x2_0000, 3)]);
    assert_eq!(program.symbols().iter().count(), 0);

    // Other kinds of program headers do not matter: PT_GNU_STACK, PT_NOTE, PT_RISCV_ATTRIBUTES.
    for kind in [0x6474_e551, 4, 0x7000_0003] {
        let mut file = sample_file();
        set_word(&mut file, header(1, P_TYPE), kind);
        set_word(&mut file, header(1, P_OFFSET), u32::MAX);
        let program = Program::from_elf(&file).expect("the second segment does not matter");
        assert_eq!(program.image().pieces().len(), 1);
    }
}

#[test]
fn names_come_from_functions_objects_and_labels() {
    let mut file = sample_file();
    // The symbol `_start` becomes a label, then a mapping symbol, then a section's.
    let names = file
        .windows(6)
        .position(|name| name == b"_start")
        .expect("a name");
    let symbols = file.len() - 3 * 40 - 48 - (b"\0.symtab\0.strtab\0_start\0three\0".len());
    let info = symbols + 16 + 12;
    let count =
        |file: &[u8]| Program::from_elf(file).map(|program| program.symbols().iter().count());
    assert_eq!(file[info], 0x12);
    assert_eq!(count(&file), Ok(2));
    file[info] = 0x10;
    assert_eq!(count(&file), Ok(2));
    file[info] = 0x13;
    assert_eq!(count(&file), Ok(1));
    file[info] = 0x12;
    file[names] = b'$';
    assert_eq!(count(&file), Ok(1));
    file[names] = 0xff;
    assert_eq!(count(&file), Ok(2));
    // Escape, which would control a terminal.
    file[names] = 0x1b;
    let program = Program::from_elf(&file).expect("a name does not matter");
    assert!(program.symbols().named("\u{fffd}start").is_some());
    file[names] = 0;
    assert_eq!(count(&file), Ok(1));
    file[names] = b'f';
    set_word(&mut file, symbols + 16 + 4, 0x1_0002);
    assert_eq!(
        count(&file),
        Err(ElfError::MisalignedFunction {
            name: "fstart".into(),
            address: 0x1_0002
        })
    );
}

/// Names overlap: the file is small, and what it names is not.
#[test]
fn names_longer_than_the_file_are_refused() {
    let mut program = sample();
    let long = Symbol {
        address: 0x1_0000,
        bytes: 0,
        name: "n".repeat(100_000),
    };
    let mut symbols = vec![long];
    symbols.extend((0..1000).map(|index| Symbol {
        address: 0x2_0000 + index,
        bytes: 0,
        name: "n".into(),
    }));
    program = Program::new(
        program.entry(),
        program.rom().clone(),
        program.image().clone(),
        Symbols::new(symbols),
    )
    .expect("the entry is an instruction");
    let mut file = program.to_elf().expect("instructions are in memory");
    assert_eq!(Program::from_elf(&file), Ok(program));
    // All names begin where the long one does.
    let names = file
        .windows(2)
        .rposition(|name| name == b"nn")
        .expect("a name")
        + 2
        - 100_000;
    let table = names - 17 - 16 * 1002;
    for symbol in 0..1001 {
        set_word(&mut file, table + 16 * (symbol + 1), 17);
    }
    let limit = 1 << 26;
    assert_eq!(Program::from_elf(&file), Err(ElfError::Names { limit }));
    // Those of local labels are not kept, and take as long to find.
    for symbol in 0..1001 {
        file[table + 16 * (symbol + 1) + 12] = 0;
    }
    assert_eq!(Program::from_elf(&file), Err(ElfError::Names { limit }));
}

/// What is refused, and how that is said.
#[test]
fn refusals_name_what_is_wrong() {
    type Damage = fn(&mut Vec<u8>);
    let cases: &[(Damage, ElfError, &str)] = &[
        (
            |file| file.truncate(3),
            ElfError::TooShort { bytes: 3 },
            "3 bytes are no ELF file",
        ),
        (
            |file| file.truncate(51),
            ElfError::TooShort { bytes: 51 },
            "its header alone has 52",
        ),
        (
            |file| file[0] = b'M',
            ElfError::Magic { found: *b"MELF" },
            "begins with [4d, 45, 4c, 46]",
        ),
        (|file| file[4] = 2, ElfError::Class { found: 2 }, "64-bit"),
        (
            |file| file[5] = 2,
            ElfError::ByteOrder { found: 2 },
            "big-endian",
        ),
        (
            |file| set_half(file, E_MACHINE, 62),
            ElfError::Machine { found: 62 },
            "machine 62",
        ),
        (
            |file| set_half(file, E_TYPE, 1),
            ElfError::Type { found: 1 },
            "type 1",
        ),
        (
            |file| set_half(file, E_TYPE, 3),
            ElfError::Type { found: 3 },
            "position independent",
        ),
        (
            // `c.li a0, 0`, then `c.nop`.
            |file| {
                set_word(file, E_FLAGS, 1);
                set_word(file, 0x1000, 0x0001_4501);
            },
            ElfError::Compressed {
                flags: 1,
                entry: 0x1_0000,
                half: 0x4501,
            },
            "begins with one, 0x4501 at 0x00010000: the machine has none; build all of it, libraries included, for rv32im",
        ),
        (
            |file| {
                set_word(file, E_FLAGS, 1);
                set_word(file, E_ENTRY, 0x1_0002);
            },
            ElfError::Compressed {
                flags: 1,
                entry: 0x1_0002,
                half: 0x15,
            },
            "at 0x00010002",
        ),
        (
            |file| set_word(file, E_FLAGS, 4),
            ElfError::FloatingPoint { flags: 4 },
            "floating-point",
        ),
        (
            |file| set_half(file, E_PHENTSIZE, 56),
            ElfError::HeaderSize {
                table: "program header table",
                found: 56,
                expected: 32,
            },
            "56 bytes each, must have 32",
        ),
        (
            |file| set_half(file, E_SHENTSIZE, 64),
            ElfError::HeaderSize {
                table: "section header table",
                found: 64,
                expected: 40,
            },
            "64 bytes each, must have 40",
        ),
        (
            |file| set_word(file, E_PHOFF, u32::MAX),
            ElfError::BeyondFile {
                part: "program header table",
                offset: u32::MAX.into(),
                bytes: 64,
                file_bytes: 0,
            },
            "program header table of 64 bytes at offset 4294967295",
        ),
        (
            |file| set_half(file, E_PHNUM, u16::MAX),
            ElfError::BeyondFile {
                part: "program header table",
                offset: 52,
                bytes: 32 * 65_535,
                file_bytes: 0,
            },
            "2097120 bytes at offset 52",
        ),
        (
            |file| set_word(file, E_SHOFF, 0x7fff_ffff),
            ElfError::BeyondFile {
                part: "section header table",
                offset: 0x7fff_ffff,
                bytes: 120,
                file_bytes: 0,
            },
            "section header table of 120 bytes",
        ),
        (
            |file| set_word(file, header(0, P_OFFSET), 0x10_0000),
            ElfError::BeyondFile {
                part: "segment",
                offset: 0x10_0000,
                bytes: 8,
                file_bytes: 0,
            },
            "segment of 8 bytes at offset 1048576",
        ),
        (
            |file| {
                set_word(file, header(1, P_FILESZ), 0x4000_0000);
                set_word(file, header(1, P_MEMSZ), 0x4000_0000);
            },
            ElfError::BeyondFile {
                part: "segment",
                offset: 0x2000,
                bytes: 0x4000_0000,
                file_bytes: 0,
            },
            "segment of 1073741824 bytes",
        ),
        (
            |file| {
                let section = file.len() - 80;
                set_word(file, section + 20, 0x1000_0000);
            },
            ElfError::BeyondFile {
                part: "symbol table",
                offset: 0x2003,
                bytes: 0x1000_0000,
                file_bytes: 0,
            },
            "symbol table of 268435456 bytes",
        ),
        (
            |file| {
                let section = file.len() - 40;
                set_word(file, section + 16, 0x1000_0000);
            },
            ElfError::BeyondFile {
                part: "table of names",
                offset: 0x1000_0000,
                bytes: 30,
                file_bytes: 0,
            },
            "table of names of 30 bytes",
        ),
        (
            |file| {
                let section = file.len() - 80;
                set_word(file, section + 24, 3);
            },
            ElfError::NoNames {
                section: 3,
                count: 3,
            },
            "section 3 of 3",
        ),
        (
            |file| set_word(file, header(1, P_TYPE), 2),
            ElfError::Dynamic {
                header: 1,
                kind: "PT_DYNAMIC",
            },
            "PT_DYNAMIC",
        ),
        (
            |file| set_word(file, header(1, P_TYPE), 3),
            ElfError::Dynamic {
                header: 1,
                kind: "PT_INTERP",
            },
            "linked statically",
        ),
        (
            // Both segments, and one byte too many.
            |file| {
                let bytes = file.len() as u32; // cast ok: short
                set_word(file, header(1, P_OFFSET), 0);
                set_word(file, header(1, P_FILESZ), bytes - 7);
                set_word(file, header(1, P_MEMSZ), bytes);
            },
            ElfError::SharedBytes {
                bytes: 0,
                file_bytes: 0,
            },
            "from a file of",
        ),
        (
            |file| set_word(file, header(1, P_MEMSZ), 2),
            ElfError::FileSize {
                header: 1,
                file_bytes: 3,
                memory_bytes: 2,
            },
            "fills 2 bytes of memory with 3",
        ),
        (
            |file| set_word(file, header(1, P_VADDR), 0xffff_fffe),
            ElfError::BeyondMemory {
                header: 1,
                address: 0xffff_fffe,
                memory_bytes: 3,
            },
            "3 bytes at 0xfffffffe, beyond 2^32",
        ),
        (
            |file| set_word(file, header(1, P_MEMSZ), u32::MAX),
            ElfError::BeyondMemory {
                header: 1,
                address: 0x2_0000,
                memory_bytes: u32::MAX,
            },
            "4294967295 bytes at 0x00020000",
        ),
        (
            |file| set_word(file, header(1, P_VADDR), 0x1_0007),
            ElfError::Overlap {
                first: 0,
                second: 1,
                address: 0x1_0007,
            },
            "headers 0 and 1 both fill 0x00010007",
        ),
        (
            // Only what is not in the file overlaps.
            |file| {
                set_word(file, header(1, P_VADDR), 0x8000);
                set_word(file, header(1, P_MEMSZ), 0x8001);
            },
            ElfError::Overlap {
                first: 1,
                second: 0,
                address: 0x1_0000,
            },
            "headers 1 and 0 both fill 0x00010000",
        ),
        (
            |file| set_word(file, E_ENTRY, 0x2_0000),
            ElfError::Program(ProgramError::Entry { entry: 0x2_0000 }),
            "entry 0x00020000 is in no instruction",
        ),
        (
            |file| set_word(file, E_ENTRY, 0x1_0002),
            ElfError::Program(ProgramError::Entry { entry: 0x1_0002 }),
            "entry 0x00010002",
        ),
        (
            // .bss of an executable segment is no instructions.
            |file| {
                set_word(file, header(0, P_MEMSZ), 0x100);
                set_word(file, E_ENTRY, 0x1_0008);
            },
            ElfError::Program(ProgramError::Entry { entry: 0x1_0008 }),
            "entry 0x00010008",
        ),
        (
            |file| set_word(file, header(0, P_FLAGS), 4),
            ElfError::Program(ProgramError::Entry { entry: 0x1_0000 }),
            "entry 0x00010000",
        ),
        (
            |file| set_half(file, E_PHNUM, 0),
            ElfError::Program(ProgramError::Entry { entry: 0x1_0000 }),
            "entry 0x00010000",
        ),
        (
            |file| set_word(file, header(0, P_VADDR), 0xffff_fff8),
            ElfError::Program(ProgramError::RomTooHigh {
                base: 0xffff_fff8,
                words: 2,
            }),
            "0xfffffffc, the last word of all",
        ),
    ];
    for (damage, expected, said) in cases {
        let mut file = sample_file();
        damage(&mut file);
        let mut expected = expected.clone();
        match &mut expected {
            ElfError::BeyondFile { file_bytes, .. } => *file_bytes = file.len(),
            ElfError::SharedBytes { bytes, file_bytes } => {
                *file_bytes = file.len();
                *bytes = file.len() as u64 + 1; // cast ok: short
            }
            _ => {}
        }
        let error = Program::from_elf(&file).expect_err(said);
        assert_eq!(error, expected);
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// Each field of each header at each edge, and random bytes at random places, several at once.
#[test]
fn damaged_files_do_not_panic() {
    let files = [sample_file(), guest("fibonacci").unwrap_or_default()];
    let (mut read, mut refused) = (0, 0);
    let mut try_file = |file: &[u8]| match Program::from_elf(file) {
        Ok(program) => {
            read += 1;
            let written = program.to_elf().expect("what was read can be written");
            assert_eq!(Program::from_elf(&written), Ok(program));
        }
        Err(error) => {
            refused += 1;
            assert!(!error.to_string().is_empty());
        }
    };
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for file in files {
        let end = file.len();
        for length in 0..end.min(300) {
            try_file(&file[..length]);
        }
        let headers = (0..end.min(200)).chain(end.saturating_sub(300)..end.saturating_sub(4));
        for offset in headers.filter(|&offset| offset + 4 <= end) {
            for word in [
                0,
                1,
                3,
                4,
                0x7fff_ffff,
                0x8000_0000,
                u32::MAX,
                end as u32,
                0x1_0000,
            ] {
                // cast ok: a small file
                let mut file = file.clone();
                set_word(&mut file, offset, word);
                try_file(&file);
            }
        }
        for _ in 0..5_000 {
            let mut file = file.clone();
            for _ in 0..random.gen_range(1..6) {
                if let Some(length) = file.len().checked_sub(1) {
                    let near = if random.gen_bool(0.7) { 200 } else { length };
                    file[random.gen_range(0..=near.min(length))] = random.r#gen();
                }
            }
            try_file(&file);
        }
    }
    println!(
        "covered: {} damaged ELF files; {read} read, {refused} refused",
        read + refused
    );
    assert!(read > 1000 && refused > 1000);
}

proptest! {
    #[test]
    fn any_program_of_an_elf_file_comes_back(
        words in prop::collection::vec(any::<u32>(), 1..40),
        base in 0u32..0x3fff_0000,
        entry in any::<prop::sample::Index>(),
        before in prop::collection::vec(any::<u8>(), 0..20),
        after in prop::collection::vec(any::<u8>(), 0..20),
        far in prop::collection::vec(any::<u8>(), 0..5000),
        zeros in (0u32..3, 0u64..100, 0u32..0x1000_0000, 0u64..0x1000_0000),
        names in prop::collection::vec(("[a-zA-Z_][a-zA-Z0-9_$.]{0,20}", any::<u32>(), any::<u32>()), 0..10),
    ) {
        let base = base.max(0x408) * 4;
        let entry = base + 4 * entry.index(words.len()) as u32; // cast ok: few
        let bytes = [&*before, &bytes_of(&words), &after].concat();
        let end = base + 4 * words.len() as u32 + after.len() as u32; // cast ok: few
        let symbols = names.into_iter().map(|(name, address, bytes)| Symbol { address: address & !3, bytes, name });
        let pieces = vec![(base - before.len() as u32, bytes), (0xffff_0000, far)]; // cast ok: few
        let program = Program::new(
            entry,
            Rom::new(vec![(base, words)]).expect("one segment"),
            Image::new(pieces).expect("they do not overlap"),
            Symbols::new(symbols.collect()),
        ).expect("the entry is an instruction");
        // Some that begin where the code ends, or just behind it, and others.
        let (gap, near_bytes, start, bytes) = zeros;
        let start = start + if base < 0x8000_0000 { 0xd000_0000 } else { 0x1000_0000 };
        let program = program.with_zeros(vec![(start, bytes), (end + gap, near_bytes)])
            .expect("they overlap nothing");
        let file = program.to_elf().expect("instructions are in memory");
        prop_assert_eq!(Program::from_elf(&file), Ok(program));
    }
}

/// A shipped guest, if there is one of that name.
fn guest(name: &str) -> Option<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../circuits/riscv/elf");
    std::fs::read(folder.join(name).with_extension("elf")).ok()
}

#[test]
fn guests_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../circuits/riscv/elf");
    let entries = std::fs::read_dir(&folder).expect("the folder of guests");
    for entry in entries {
        let path = entry.expect("a folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "elf") {
            continue;
        }
        let file = std::fs::read(&path).expect("a file can be read");
        let program =
            Program::from_elf(&file).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let illegal = program
            .rom()
            .iter()
            .filter(|(_, found)| found.op == Op::Illegal)
            .count();
        let symbols = program.symbols().iter().count();
        println!(
            "{}: {} instructions, {illegal} illegal, {symbols} symbols",
            path.display(),
            program.rom().len()
        );
        let written = program.to_elf().expect("instructions are in memory");
        assert_eq!(Program::from_elf(&written), Ok(program));
    }
}

/// Zeros that are not in the file are memory of the program: its address space holds them as well.
#[test]
fn the_address_space_holds_zeros_that_are_not_in_the_file() {
    const MIB: u32 = 1 << 20;
    let code = bytes_of(&[ADDI, ECALL]);
    let space = |more: u32| {
        let segments: [(u32, &[u8], u32, u32); 2] =
            [(0x1_0000, &code, 0, 5), (0x10_0000, &[1, 2, 3, 4], more, 6)];
        let program = Program::from_elf(&file_of(0x1_0000, &segments)).expect("a program");
        program.space().log2_bytes()
    };
    assert_eq!(AddressSpace::DEFAULT.log2_bytes(), 26);
    // A mebibyte is free behind them, and one is before them.
    assert_eq!(space(62 * MIB - 4), 26);
    assert_eq!(space(62 * MIB), 27);
    assert_eq!(space(100 * MIB), 27);
    assert_eq!(space(0xffe0_0000), 32);
}

/// Zeros are what a segment has in memory and not in the file; they come back from what is written.
#[test]
fn zeros_that_are_not_in_the_file_are_known_and_written() {
    let code = bytes_of(&[ADDI, ECALL]);
    let read = |segments: &[(u32, &[u8], u32, u32)]| {
        let program = Program::from_elf(&file_of(0x1_0000, segments)).expect("a program");
        let written = program.to_elf().expect("instructions are in memory");
        assert_eq!(Program::from_elf(&written).as_ref(), Ok(&program));
        (program.zeros().to_vec(), program.space().log2_bytes())
    };
    // Behind code, behind data, on their own, and touching each other; nothing where there are
    // none.
    let found = read(&[
        (0x1_0000, &code, 8, 5),
        (0x2_0000, &[1, 2, 3], 13, 6),
        (0x2_0010, &[], 0x20, 6),
        (0x5000_0000, &[], 0x1000, 6),
        (0x2000, &[], 4, 4),
        (0x7000_0000, &[], 0, 4),
    ]);
    let zeros = vec![
        (0x2000, 4),
        (0x1_0008, 8),
        (0x2_0003, 0x2d),
        (0x5000_0000, 0x1000),
    ];
    assert_eq!(found, (zeros, 31));
    assert_eq!(read(&[(0x1_0000, &code, 0, 5)]), (vec![], 26));
    // Up to the last address.
    let all_above = 0xffff_ffff - 0x1_0007;
    let found = read(&[(0x1_0000, &code, all_above, 5)]);
    assert_eq!(found, (vec![(0x1_0008, all_above.into())], 32));
}

#[test]
fn an_address_space_that_does_not_hold_the_program_is_refused() {
    let code = bytes_of(&[ADDI, ECALL]);
    let segments: [(u32, &[u8], u32, u32); 3] = [
        (0x1_0000, &code, 0, 5),
        (0x1_4000, &[1, 2, 3, 4], 0x2_0000, 6),
        (0x8_0000, &[], 0x8_0001, 6),
    ];
    let program = Program::from_elf(&file_of(0x1_0000, &segments)).expect("a program");
    let space = |log2_bytes| AddressSpace::new(log2_bytes).expect("13 to 32");
    let least = space(21);
    let refusal = |first, last, zeros, log2_bytes| ProgramError::BeyondSpace {
        first,
        last,
        zeros,
        space: space(log2_bytes),
        least,
    };
    for (log2_bytes, first, last, zeros) in [
        (13, 0x1_0000, 0x1_0007, false),
        (16, 0x1_0000, 0x1_0007, false),
        (17, 0x1_4004, 0x3_4003, true),
        (18, 0x8_0000, 0x10_0000, true),
        (20, 0x8_0000, 0x10_0000, true),
    ] {
        let refused = program.clone().with_space(space(log2_bytes));
        assert_eq!(refused, Err(refusal(first, last, zeros, log2_bytes)));
    }
    for log2_bytes in 21..=32 {
        let held = program.clone().with_space(space(log2_bytes));
        assert_eq!(held.map(|program| program.space()), Ok(space(log2_bytes)));
    }
    assert_eq!(
        refusal(0x8_0000, 0x10_0000, true, 20).to_string(),
        "the program's zeros (.bss) from 0x00080000 to 0x00100000 go beyond its address space of \
         2^20: it needs 2^21 at least"
    );
    assert_eq!(
        refusal(0x1_0000, 0x1_0007, false, 16).to_string(),
        "the program's bytes from 0x00010000 to 0x00010007 go beyond its address space of 2^16: \
         it needs 2^21 at least"
    );
    // A file says nothing about a space that is not what suits the program.
    let chosen = program
        .clone()
        .with_space(least)
        .expect("it holds the program");
    let written = chosen.to_elf().expect("instructions are in memory");
    let again = Program::from_elf(&written).expect("a program");
    assert_eq!(again, program);
    assert_eq!(again.with_space(least), Ok(chosen));
}

#[test]
fn programs_in_the_first_page_are_refused() {
    let code = bytes_of(&[ADDI, ECALL]);
    let read = |segments: &[(u32, &[u8], u32, u32)]| {
        let read = Program::from_elf(&file_of(0x1_0000, segments));
        read.map(|program| program.space().log2_bytes())
    };
    let first_page = |first, last, zeros| {
        Err(ElfError::Program(ProgramError::FirstPage {
            first,
            last,
            zeros,
        }))
    };
    let text: (u32, &[u8], u32, u32) = (0x1_0000, &code, 0, 5);
    for (segment, expected) in [
        ((0x1000, &[1][..], 0, 6), Ok(26)),
        ((0xfff, &[1], 0, 6), first_page(0xfff, 0xfff, false)),
        ((0xff0, &[1; 32], 0, 6), first_page(0xff0, 0x100f, false)),
        ((0, &[1], 0, 6), first_page(0, 0, false)),
        ((0x1000, &[], 1, 6), Ok(26)),
        ((0xfff, &[], 1, 6), first_page(0xfff, 0xfff, true)),
        ((0xff0, &[], 0x20, 6), first_page(0xff0, 0x100f, true)),
        ((0, &[], 0x1_0000, 6), first_page(0, 0xffff, true)),
    ] {
        assert_eq!(read(&[text, segment]), expected, "{segment:x?}");
    }
    let error = first_page(0xff0, 0x100f, true).map(|_: u32| ());
    assert_eq!(
        error.map_err(|error: ElfError| error.to_string()),
        Err(
            "the program's zeros (.bss) from 0x00000ff0 to 0x0000100f are not all memory, which \
             begins at 0x00001000: link it to higher addresses"
                .to_owned()
        )
    );
}

#[test]
fn zeros_overlap_nothing() {
    let with = |zeros: &[(u32, u64)]| {
        let program = sample().with_zeros(zeros.to_vec());
        program.map(|program| program.zeros().to_vec())
    };
    let refused = |base, bytes| Err(ProgramError::Image { base, bytes });
    for (zeros, expected) in [
        (&[(0x1_0008, 0)][..], Ok(vec![])),
        (&[(0x1_0008, 0xfff8)], Ok(vec![(0x1_0008, 0xfff8)])),
        (&[(0x1_0008, 0xfff9)], refused(0x2_0000, 3)),
        (&[(0x1_0007, 1)], refused(0x1_0007, 1)),
        (&[(0x5000, 4), (0x5004, 4)], Ok(vec![(0x5000, 8)])),
        (&[(0x5000, 5), (0x5004, 4)], refused(0x5004, 4)),
        (&[(0xffff_fff0, 16)], Ok(vec![(0xffff_fff0, 16)])),
        (&[(0xffff_fff0, 17)], refused(0xffff_fff0, 17)),
        (&[(0xffff_fff0, u64::MAX)], refused(0xffff_fff0, usize::MAX)),
    ] {
        assert_eq!(with(zeros), expected, "{zeros:x?}");
    }
}
