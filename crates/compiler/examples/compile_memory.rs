//! Parses and compiles a program, hashes all its leaves, and prints what that took.
//!
//! `cargo run --release -p tapcourt-compiler --example compile_memory [netlist | program.elf | number]`. A number stands for a generated
//! RISC-V program of so many instructions.

use std::collections::BTreeMap;
use std::time::Instant;

use tapcourt_commitment::{KeyPath, Parameters, PublicKey, SecretKey, Seed};
use tapcourt_compiler::circuit::{Compiled, Options};
use tapcourt_compiler::riscv::{self, Search, Steps};
use tapcourt_program::circuit::Circuit;
use tapcourt_program::riscv::{Format, Instruction, Op, Program, Register};
use tapcourt_script::taptree::Taptree;

/// The x coordinate of secp256k1's generator: any key will do.
const CHALLENGER: &str = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "circuits/sha256.txt".into());
    let start = Instant::now();
    if let Ok(instructions) = path.parse() {
        riscv(&generated(instructions)?)?;
    } else {
        let file = std::fs::read(&path)?;
        match Program::from_elf(&file) {
            Ok(program) => riscv(&program)?,
            Err(_) => circuit(&file)?,
        }
    }
    println!("wall time   {:.3} s", start.elapsed().as_secs_f64());
    if let Some(seconds) = cpu_seconds() {
        println!("CPU time    {seconds:.2} s");
    }
    if let Some(peak) = peak_memory() {
        println!("peak memory {peak}");
    }
    Ok(())
}

fn key(label: &str, parameters: &Parameters) -> PublicKey {
    let path = KeyPath {
        contract: [2; 32],
        role: "prover",
        label,
    };
    SecretKey::derive(&Seed::new([1; 32]), &path, parameters).public_key()
}

fn circuit(netlist: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let circuit = Circuit::parse(netlist)?;
    let compiled = Compiled::new(&circuit, &Options::default())?;
    let groups = compiled.committed_groups().iter();
    let keys: Vec<_> = groups
        .filter_map(|group| Some(key(group.label(), group.parameters()?)))
        .collect();
    let tree = Taptree::build(&compiled.leaf_source(&keys, CHALLENGER.parse()?))?;
    println!("netlist     {} gates", circuit.gates.len());
    println!("leaves      {} in {} chunks", tree.len(), compiled.chunks());
    println!("root        {}", tree.root());
    Ok(())
}

fn riscv(program: &Program) -> Result<(), Box<dyn std::error::Error>> {
    let options = riscv::Options {
        fixed: Vec::new(),
        inputs: 8,
        search: Search::uniform(32, 3)?,
    };
    let steps = Steps::compile(program.clone(), [0; 20], options)?;
    let groups = steps.groups().into_iter();
    let keys: BTreeMap<_, _> = groups
        .map(|group| (group, key(&group.to_string(), &steps.parameters(group))))
        .collect();
    let tree = Taptree::build(&steps.leaf_source(keys, CHALLENGER.parse()?))?;
    println!("program     {} instructions", program.rom().len());
    println!("leaves      {}", tree.len());
    println!("root        {}", tree.root());
    Ok(())
}

/// Instructions of all kinds with different registers and immediates.
fn generated(instructions: u32) -> Result<Program, Box<dyn std::error::Error>> {
    let instructions: Vec<Instruction> = (0..instructions)
        .map(|place| {
            let op = Op::ALL[place as usize % Op::ALL.len()]; // cast ok: an index
            let mixed = place.wrapping_mul(0x9e37_79b9);
            let register = |low: u32| Register::new((mixed >> low & 31) as u8); // cast ok: five bits
            let imm = match op.format() {
                Format::I | Format::S | Format::B => (mixed as i32 >> 20) as u32 & !1, // cast ok: sign extended
                Format::Shift => mixed >> 27,
                Format::U => mixed & 0xffff_f000,
                Format::J => (mixed as i32 >> 12) as u32 & !1, // cast ok: sign extended
                Format::R | Format::None => 0,
            };
            Instruction::new(op, register(0), register(5), register(10), imm)
        })
        .collect();
    Ok(Program::from_instructions(0x1_0000, &instructions)?)
}

/// User and system time of this process; Linux only.
fn cpu_seconds() -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0; // USER_HZ, which is fixed
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses; user and system time are the 14th and 15th.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

/// The most memory this process ever held; Linux only.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
