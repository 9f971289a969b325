//! Compiles a generated program of 177,000 instructions to its taptree root.
use bitcoin::XOnlyPublicKey;
use std::collections::BTreeMap;
use tapcourt_commitment::{KeyPath, SecretKey, Seed};
use tapcourt_compiler::riscv::{Options, Search, Steps};
use tapcourt_program::riscv::{Format, Instruction, Op, Program, Register};
use tapcourt_script::taptree::Taptree;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut state = 1u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as u32
    };
    let instructions: Vec<Instruction> = (0..177_367)
        .map(|_| {
            let op = Op::ALL[next() as usize % 48];
            let r = |x: u32| Register::new((x % 32) as u8);
            let imm = match op.format() {
                Format::I | Format::S => ((next() << 1) as i32 >> 20) as u32,
                Format::Shift => next() % 32,
                Format::B => (((next() << 1) as i32) >> 19) as u32 & !1,
                Format::U => next() << 12,
                Format::J => (((next() << 1) as i32) >> 11) as u32 & !1,
                _ => 0,
            };
            let (a, b, c) = (next(), next(), next());
            Instruction::new(op, r(a), r(b), r(c), imm)
        })
        .collect();
    let start = std::time::Instant::now();
    let program = Program::from_instructions(0x10000, &instructions)?;
    let steps = Steps::compile(
        &program,
        [0; 20],
        Options {
            inputs: 8,
            search: Search::uniform(32, 3)?,
        },
    )?;
    let seed = Seed::new([1; 32]);
    let keys: BTreeMap<_, _> = steps
        .groups()
        .into_iter()
        .map(|g| {
            let label = g.to_string();
            (
                g,
                SecretKey::derive(
                    &seed,
                    &KeyPath {
                        contract: [0; 32],
                        role: "prover",
                        label: &label,
                    },
                    &steps.parameters(g),
                )
                .public_key(),
            )
        })
        .collect();
    let challenger: XOnlyPublicKey =
        "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0".parse()?;
    println!("{:?}", start.elapsed());
    let source = steps.leaf_source(&keys, challenger);
    let tree = Taptree::build(&source)?;
    println!(
        "{:?} {} leaves {:?}",
        start.elapsed(),
        steps.len(),
        tree.root()
    );
    Ok(())
}
