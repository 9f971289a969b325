//! The leaves of a step with their exact sizes.

use tapcourt_program::riscv::{Format, Instruction, Op, Program, Register};

use super::{CompileError, Options, PathAccess, Paths, Search, Side, StepLeaf, Steps};
use crate::LeafSize;

/// Sizes of every kind of leaf, with names as in the ledger, such as `rv32/add`: its openings are counted.
///
/// Instructions are at address 0x00fedcb8, with immediates that are neither zero nor small, so that few digits are pushed in one byte; shifts are
/// by 13. The trace has 2^32 steps, searched in parts of eight. Leaves that differ in a selection or an address have the same
/// sizes but for the length of some pushes.
///
/// # Errors
/// Never: every kind of leaf fits the stack, which a test shows.
///
/// # Panics
/// Never: program and search are in range.
pub fn catalogue() -> Result<Vec<(String, LeafSize)>, CompileError> {
    let instructions: Vec<Instruction> = Op::ALL.into_iter().map(typical).collect();
    let program =
        Program::from_instructions(0x00fe_dcb8, &instructions).expect("addresses of a program");
    let options = Options {
        fixed: Vec::new(),
        inputs: 8,
        search: Search::uniform(32, 3).expect("in range"),
    };
    let steps = Steps::compile(program.clone(), [0; 20], options)?;
    let mut sizes: Vec<(String, LeafSize)> = Vec::new();
    for (index, instruction) in instructions.iter().enumerate() {
        let name = instruction.op.mnemonic();
        sizes.push((format!("rv32/{name}"), steps.leaf_size(index)));
    }
    let stop = |op| {
        let mut found = program.rom().iter();
        let found = found.find(|(_, instruction)| instruction.op == op);
        found.map(|(pc, _)| StepLeaf::Stop { pc })
    };
    let (pc, word) = (program.rom().iter(), 7);
    let call = pc
        .filter(|(_, instruction)| instruction.op == Op::Ecall)
        .map(|(pc, _)| pc)
        .next();
    let step_leaves = [
        ("step/stop-load", stop(Op::Lw)),
        ("step/stop-store", stop(Op::Sw)),
        ("step/input", call.map(|pc| StepLeaf::Input { pc, word })),
        ("step/outside-rom", Some(StepLeaf::OutsideRom)),
        ("step/start", Some(StepLeaf::Start)),
        ("step/accept", Some(StepLeaf::Accept)),
        (
            "step/digest",
            Some(StepLeaf::Digest {
                round: 0,
                index: 0,
                side: Side::Left,
            }),
        ),
    ];
    for (name, leaf) in step_leaves {
        let index = leaf
            .and_then(|leaf| steps.index(leaf))
            .expect("every program has it");
        sizes.push((name.into(), steps.leaf_size(index)));
    }
    let paths = Paths::compile(program.space(), Search::new(vec![6, 4]).expect("in range"))?;
    let path_leaves = [
        ("path/register-value", PathAccess::A, 0),
        ("path/register", PathAccess::A, 3),
        ("path/register-above", PathAccess::A, 5),
        ("path/memory-value", PathAccess::Memory, 0),
        ("path/memory", PathAccess::Memory, 11),
        ("path/old-value", PathAccess::Old, 0),
        ("path/old", PathAccess::Old, 11),
        ("path/new-value", PathAccess::New, 0),
        ("path/new", PathAccess::New, 11),
    ];
    for (name, access, level) in path_leaves {
        let index = paths
            .index(super::PathLeaf { access, level })
            .expect("24 levels");
        sizes.push((name.into(), paths.leaf_size(index)));
    }
    Ok(sizes)
}

/// An instruction with three different registers.
fn typical(op: Op) -> Instruction {
    let [rd, rs1, rs2] = [26, 27, 28].map(Register::new);
    let imm = match op.format() {
        Format::I | Format::S => 0xffff_fedc,
        Format::Shift => 13,
        Format::B => 0xffff_fedc,
        Format::U => 0xfedc_b000,
        Format::J => 0xfffe_dcba,
        Format::R | Format::None => 0,
    };
    Instruction::new(op, rd, rs1, rs2, imm)
}

#[cfg(test)]
mod tests {
    use tapcourt_script::limits::MAX_STACK_SIZE;

    use super::*;

    /// The bounds that the project has set itself; the ledger has the exact sizes.
    #[test]
    fn leaves_keep_within_bounds() {
        let sizes = catalogue().expect("every leaf fits");
        let instructions: Vec<_> = sizes
            .iter()
            .filter(|(name, _)| name.starts_with("rv32/"))
            .collect();
        assert_eq!(instructions.len(), 48);
        let mean = instructions
            .iter()
            .map(|(_, size)| size.script_bytes)
            .sum::<usize>()
            / instructions.len();
        let most = instructions
            .iter()
            .map(|(_, size)| size.script_bytes)
            .max()
            .expect("48 of them");
        println!("semantics leaves: {mean} script bytes on average, {most} at most");
        assert!(mean <= 6_500 && most <= 7_500, "{mean} {most}");
        for (name, size) in &sizes {
            let hashes = name.starts_with("path/") || name == "step/digest";
            let limit = match name.as_str() {
                // It opens a block of eight words.
                "step/input" => 12_000,
                _ if hashes => 64_000,
                _ => 10_000,
            };
            assert!(
                size.weight_wu_max <= limit,
                "{name}: {} WU",
                size.weight_wu_max
            );
            assert!(
                size.max_stack <= MAX_STACK_SIZE,
                "{name}: {} items",
                size.max_stack
            );
        }
    }
}
