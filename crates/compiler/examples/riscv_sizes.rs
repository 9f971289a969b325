//! Sizes of the leaves that check a step.
use tapcourt_compiler::riscv::{Options, Paths, Search, Steps};
use tapcourt_program::riscv::{Instruction, Op, Program, Register};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (a, b, c) = (Register::new(5), Register::new(6), Register::new(7));
    let instructions: Vec<Instruction> = Op::ALL
        .iter()
        .map(|&op| {
            Instruction::new(
                op,
                a,
                b,
                c,
                if op.format() == tapcourt_program::riscv::Format::U {
                    0x12345000
                } else {
                    14
                },
            )
        })
        .collect();
    let program = Program::from_instructions(0x10000, &instructions)?;
    let start = std::time::Instant::now();
    let steps = Steps::compile(
        &program,
        [0; 20],
        Options {
            inputs: 8,
            search: Search::uniform(32, 3)?,
        },
    )?;
    println!("{:?}", start.elapsed());
    let mut total = 0;
    for index in 0..steps.len() {
        let size = steps.leaf_size(index);
        if index < 48 {
            total += size.script_bytes;
            println!(
                "{:8} {:6} body {:5} witness {:5} items {:4} stack {:4} WU {:6}",
                instructions[index].op.mnemonic(),
                size.script_bytes,
                steps.body(index).len(),
                size.witness_bytes_max,
                size.items,
                size.max_stack,
                size.weight_wu_max
            );
        } else if index < 60 || index + 3 > steps.len() {
            println!(
                "{:24} {:6} items {:4} stack {:4} WU {:6}",
                steps.leaf(index).to_string(),
                size.script_bytes,
                size.items,
                size.max_stack,
                size.weight_wu_max
            );
        }
    }
    println!("mean {}", total as f64 / 48.0);
    let paths = Paths::compile(Search::new(vec![3, 2])?)?;
    for (index, which) in paths.leaves().enumerate() {
        if [0, 1, 10, 30].contains(&which.level) {
            let size = paths.leaf_size(index);
            println!(
                "{which:?} {:6} items {:4} stack {:4} WU {:6}",
                size.script_bytes, size.items, size.max_stack, size.weight_wu_max
            );
        }
    }
    println!("{:?}", start.elapsed());
    Ok(())
}
