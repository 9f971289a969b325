//! The guests in `circuits/riscv`, their test vectors, and QEMU's user mode to compare with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tapcourt_program::riscv::{AddressSpace, EXIT_CALL, Instruction, Op, Program, Register};

/// A guest and what it should say to some inputs.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Its name.
    pub name: String,
    /// Its ELF file.
    pub elf: Vec<u8>,
    /// The program in it.
    pub program: Program,
    /// Inputs and exit codes.
    pub vectors: Vec<Vector>,
}

/// An input, and what a guest should say to it.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Its name.
    pub name: String,
    /// The input words.
    pub input: Vec<u32>,
    /// The exit code, 0 for accept; none if the guest stops in place.
    pub exit_code: Option<u32>,
    /// Whether it stops because it needs more memory than there is, and not because it asks for
    /// input that there is not.
    pub leaves_memory: bool,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../circuits/riscv")
}

/// Every guest, by name.
///
/// # Panics
/// If one cannot be read.
pub fn guests() -> Vec<Guest> {
    let files = std::fs::read_dir(folder().join("elf")).expect("the folder of guests");
    let mut names: Vec<String> = files
        .filter_map(|file| {
            let name = file.expect("a file").file_name().into_string().ok()?;
            Some(name.strip_suffix(".elf")?.to_owned())
        })
        .collect();
    names.sort();
    names.iter().map(|name| guest(name)).collect()
}

/// One guest.
///
/// # Panics
/// If it cannot be read.
pub fn guest(name: &str) -> Guest {
    let elf = std::fs::read(folder().join(format!("elf/{name}.elf"))).expect("the guest's file");
    let text = std::fs::read_to_string(folder().join(format!("vectors/{name}.json")))
        .expect("its vectors");
    let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a list");
    let vectors = vectors.iter().map(|vector| {
        let bytes = bytes(vector["input"].as_str().expect("hexadecimal"));
        assert!(bytes.len().is_multiple_of(4), "whole words");
        Vector {
            name: vector["name"].as_str().expect("a name").to_owned(),
            input: bytes
                .chunks(4)
                .map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")))
                .collect(),
            exit_code: vector["exit_code"]
                .as_u64()
                .map(|code| code.try_into().expect("a word")),
            leaves_memory: vector["stop"] == "address",
        }
    });
    Guest {
        name: name.to_owned(),
        program: Program::from_elf(&elf).expect("a program"),
        elf,
        vectors: vectors.collect(),
    }
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).expect("a digit") as u8)
        .collect(); // cast ok: below 16
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Whether QEMU's user mode is there. Where `CI` is set it has to be.
///
/// # Panics
/// If it has to be there and is not.
pub fn has_qemu() -> bool {
    let found = Command::new("qemu-riscv32")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    assert!(
        found || std::env::var_os("CI").is_none(),
        "no qemu-riscv32: scripts/setup installs it"
    );
    found
}

/// The exit code of a guest under QEMU, none if a signal ends it. QEMU knows exits but not our call
/// for input: that one instruction is replaced by a jump to a piece of code in a segment of its
/// own, with the input words behind it.
///
/// # Panics
/// If QEMU does not run.
pub fn qemu_exit_code(guest: &Guest, input: &[u32]) -> Option<u32> {
    let elf = with_input(guest, input);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(&guest.name);
    std::fs::write(&path, elf).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("permissions");
    }
    let status = Command::new("qemu-riscv32")
        .arg(&path)
        .status()
        .expect("qemu runs");
    status.code().map(|code| code as u32) // cast ok: 0 to 255
}

const PROGRAM_HEADER_BYTES: usize = 32;
const PT_LOAD: u32 = 1;
const PT_TLS: u32 = 7;
const PF_W: u32 = 2;
/// The lowest address that QEMU can map.
const LOWEST: u32 = 0x1_0000;

/// A guest's file with its call for input replaced.
fn with_input(guest: &Guest, input: &[u32]) -> Vec<u8> {
    let mut elf = guest.elf.clone();
    let word =
        |elf: &[u8], at: usize| u32::from_le_bytes(elf[at..at + 4].try_into().expect("four bytes"));
    let half = |elf: &[u8], at: usize| {
        usize::from(u16::from_le_bytes(
            elf[at..at + 2].try_into().expect("two bytes"),
        ))
    };
    let table = word(&elf, 28) as usize; // cast ok: an offset in the file
    let headers: Vec<usize> = (0..half(&elf, 44))
        .map(|header| table + header * PROGRAM_HEADER_BYTES)
        .collect();
    let is_load = |elf: &[u8], header: usize| word(elf, header) == PT_LOAD;

    // Behind the address space, which is memory from the last variable on. QEMU maps only what it
    // is told.
    let end_of = |elf: &[u8], header: usize| word(elf, header + 8) + word(elf, header + 20);
    let loads = headers.iter().filter(|&&header| is_load(&elf, header));
    let last = *loads
        .max_by_key(|&&header| end_of(&elf, header))
        .expect("segments");
    let base = 1 << AddressSpace::DEFAULT.log2_bytes();
    assert!(
        end_of(&elf, last) <= base,
        "the image fits the address space"
    );
    if word(&elf, last + 24) & PF_W != 0 {
        let bytes = base - word(&elf, last + 8);
        elf[last + 20..last + 24].copy_from_slice(&bytes.to_le_bytes());
    }
    let shim = shim(base, input);

    // The call, `li a7, 1024; ecall; ret`, becomes a jump there.
    let call = guest
        .program
        .symbols()
        .named("tapcourt_input")
        .expect("the call")
        .address;
    let (high, low) = split(base);
    let jump = [
        Instruction::new(Op::Lui, T0, ZERO, ZERO, high),
        Instruction::new(Op::Jalr, ZERO, T0, ZERO, low),
    ];
    let inside = |elf: &[u8], header: usize| {
        let start = word(elf, header + 8);
        is_load(elf, header) && (start..start + word(elf, header + 16)).contains(&call)
    };
    let holder = *headers
        .iter()
        .find(|&&header| inside(&elf, header))
        .expect("it is in the file");
    let offset = (word(&elf, holder + 4) + call - word(&elf, holder + 8)) as usize; // cast ok: an offset in the file
    for (place, instruction) in jump.iter().enumerate() {
        elf[offset + 4 * place..offset + 4 * place + 4]
            .copy_from_slice(&instruction.encode().to_le_bytes());
    }

    // Headers that are not needed here make room for two segments: ours, and the stack below the
    // image, which QEMU maps only if told.
    let kind = |elf: &[u8], header: usize| word(elf, header);
    let mut spare = headers
        .iter()
        .filter(|&&header| ![PT_LOAD, PT_TLS].contains(&kind(&guest.elf, header)));
    let mut put = |elf: &mut [u8], fields: [u32; 8]| {
        let spare = *spare.next().expect("a header that loads nothing");
        for (place, field) in fields.into_iter().enumerate() {
            elf[spare + 4 * place..spare + 4 * place + 4].copy_from_slice(&field.to_le_bytes());
        }
    };
    elf.resize(elf.len().next_multiple_of(0x1000), 0);
    let at = elf.len() as u32; // cast ok: a small file
    let bytes = shim.len() as u32; // cast ok: likewise
    put(&mut elf, [PT_LOAD, at, base, base, bytes, bytes, 5, 0x1000]);
    let starts = headers
        .iter()
        .filter(|&&header| is_load(&guest.elf, header));
    let start = starts
        .map(|&header| word(&guest.elf, header + 8))
        .min()
        .expect("segments")
        & !0xfff;
    // Systems do not map the lowest 64 KiB.
    let stack = start - LOWEST;
    put(&mut elf, [PT_LOAD, 0, LOWEST, LOWEST, 0, stack, 6, 0x1000]);
    elf.extend(shim);
    elf
}

const ZERO: Register = Register::ZERO;
const T0: Register = Register::new(5);
const T1: Register = Register::new(6);
const RA: Register = Register::new(1);

/// The parts of an address for `lui` and an instruction with a signed immediate.
fn split(address: u32) -> (u32, u32) {
    let low = ((address << 20) as i32 >> 20) as u32; // cast ok: sign extended
    (address.wrapping_sub(low), low)
}

/// Code at `base` that returns input word `a0`, or exits with 1 if there is none; and the words.
fn shim(base: u32, input: &[u32]) -> Vec<u8> {
    const INSTRUCTIONS: u32 = 12;
    let (a0, a7) = (Register::A0, Register::A7);
    let (table_high, table_low) = split(base + 4 * INSTRUCTIONS);
    let (count_high, count_low) = split(input.len() as u32); // cast ok: few words
    let code = [
        Instruction::new(Op::Lui, T1, ZERO, ZERO, count_high),
        Instruction::new(Op::Addi, T1, T1, ZERO, count_low),
        Instruction::new(Op::Bgeu, ZERO, a0, T1, 7 * 4),
        Instruction::new(Op::Lui, T0, ZERO, ZERO, table_high),
        Instruction::new(Op::Addi, T0, T0, ZERO, table_low),
        Instruction::new(Op::Slli, a0, a0, ZERO, 2),
        Instruction::new(Op::Add, T0, T0, a0, 0),
        Instruction::new(Op::Lw, a0, T0, ZERO, 0),
        Instruction::new(Op::Jalr, ZERO, RA, ZERO, 0),
        Instruction::new(Op::Addi, a0, ZERO, ZERO, 1),
        Instruction::new(Op::Addi, a7, ZERO, ZERO, EXIT_CALL),
        Instruction::ECALL,
    ];
    assert_eq!(code.len(), INSTRUCTIONS as usize); // cast ok: twelve
    let words = code
        .iter()
        .map(Instruction::encode)
        .chain(input.iter().copied());
    words.flat_map(u32::to_le_bytes).collect()
}
