//! Stacks that grow towards what a program has loaded, and those that do not.

use std::path::Path;

use tapcourt_program::riscv::{
    AddressSpace, ElfReport, ElfWarning, Image, Instruction, MisplacedStack, Op, Program, Register,
    Rom, StackHazard, Symbol, Symbols,
};

const BASE: u32 = 0x1_0000;
const SP: Register = Register::SP;
const ZERO: Register = Register::ZERO;

fn addi(rd: Register, rs1: Register, imm: i32) -> Instruction {
    Instruction::new(Op::Addi, rd, rs1, ZERO, imm.cast_unsigned())
}

fn lui(rd: Register, imm: u32) -> Instruction {
    Instruction::new(Op::Lui, rd, ZERO, ZERO, imm)
}

/// `sw zero, 0(sp)`.
fn store() -> Instruction {
    Instruction::new(Op::Sw, ZERO, SP, ZERO, 0)
}

fn jump(imm: i32) -> Instruction {
    Instruction::new(Op::Jal, ZERO, ZERO, ZERO, imm.cast_unsigned())
}

/// Instructions at [`BASE`], bytes elsewhere, and symbols.
fn program(
    instructions: &[Instruction],
    data: &[(u32, usize)],
    symbols: &[(&str, u32, u32)],
) -> Program {
    let words: Vec<u32> = instructions.iter().map(Instruction::encode).collect();
    let code = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut pieces = vec![(BASE, code)];
    pieces.extend(
        data.iter()
            .map(|&(address, bytes)| (address, vec![1; bytes])),
    );
    let symbols = symbols.iter().map(|&(name, address, bytes)| Symbol {
        address,
        bytes,
        name: name.into(),
    });
    Program::new(
        BASE,
        Rom::new(vec![(BASE, words)]).expect("one segment"),
        Image::new(pieces).expect("they do not overlap"),
        Symbols::new(symbols.collect()),
    )
    .expect("the entry is an instruction")
}

fn hazard(sp: u32, start: u32, end: u32) -> StackHazard {
    let free_bytes = sp.saturating_sub(end);
    StackHazard {
        sp,
        start,
        end,
        free_bytes,
    }
}

/// Accepted more than its source allows after a deep recursion had written over a constant.
#[test]
fn a_stack_above_constants_is_worth_a_warning() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hunt/stack-overflow.elf");
    let file = std::fs::read(path).expect("it is committed");
    let report = Program::read_elf(&file).expect("it is a program");
    let expected = StackHazard {
        sp: 0x2_2640,
        start: 0x1_2240,
        end: 0x1_2640,
        free_bytes: 0x1_0000,
    };
    assert_eq!(report.warnings, [ElfWarning::Stack(expected)]);
    assert_eq!(
        report.warnings[0].to_string(),
        "the stack begins at 0x00022640 and grows towards the program's bytes from 0x00012240 to \
         0x00012640: one that needs more than 65536 bytes overwrites them without notice. Put the \
         stack below the program, where it ends in a stop at address 0, as tapcourt.h and entry! do"
    );
}

#[test]
fn the_first_value_of_sp_counts() {
    let end = BASE + 4 * 4;
    let exit = Instruction::ECALL;
    for (instructions, expected) in [
        // Two halves, with something between; the first alone is another address.
        (
            vec![
                lui(SP, 0x2_0000),
                addi(Register::A0, ZERO, 1),
                addi(SP, SP, -0x800),
                store(),
            ],
            Some(0x1_f800),
        ),
        (
            vec![lui(SP, 0x1_0000), addi(SP, SP, 0x7ff), store(), exit],
            Some(0x1_07ff),
        ),
        (
            vec![
                lui(SP, 0x1_1000),
                addi(SP, SP, -0x800),
                addi(SP, SP, -0x7ff),
                exit,
            ],
            Some(0x1_0800),
        ),
        // The upper half is all of it: then a function has its stack.
        (
            vec![lui(SP, 0x2_0000), store(), addi(SP, SP, -16), exit],
            Some(0x2_0000),
        ),
        (
            vec![lui(SP, 0x2_0000), jump(4), addi(SP, SP, -16), exit],
            Some(0x2_0000),
        ),
        (vec![lui(SP, 0x2_0000), exit, exit, exit], Some(0x2_0000)),
        // By way of another register.
        (
            vec![
                lui(Register::A0, 0x3_0000),
                addi(SP, Register::A0, 16),
                store(),
                exit,
            ],
            Some(0x3_0010),
        ),
        // Below the program, also where the upper half is above, and at its beginning.
        (
            vec![
                lui(SP, 0x1_1000),
                addi(SP, SP, -0x800),
                addi(SP, SP, -0x800),
                exit,
            ],
            Some(0x1_0800),
        ),
        (
            vec![lui(SP, 0x1_0000), addi(SP, SP, -16), store(), exit],
            None,
        ),
        (vec![lui(SP, 0x1_0000), store(), exit, exit], None),
        (vec![addi(SP, ZERO, 0x7f0), store(), exit, exit], None),
        // Never set, not within the steps, not set at all by a stop.
        (vec![exit, store(), exit, exit], None),
        (vec![jump(0), lui(SP, 0x2_0000), exit, exit], None),
        (vec![jump(4), jump(-4), lui(SP, 0x2_0000), exit], None),
        (vec![jump(0x100), lui(SP, 0x2_0000), exit, exit], None),
    ] {
        let found = program(&instructions, &[], &[]).stack_hazard();
        let start = BASE;
        assert_eq!(
            found,
            expected.map(|sp| hazard(sp, start, end)),
            "{instructions:?}"
        );
    }
}

#[test]
fn the_nearest_bytes_below_are_told() {
    let code = [lui(SP, 0x2_0000), store(), Instruction::ECALL];
    let code_end = BASE + 12;
    for (data, symbols, expected) in [
        (&[][..], &[][..], hazard(0x2_0000, BASE, code_end)),
        (&[(0x1_8000, 16)], &[], hazard(0x2_0000, 0x1_8000, 0x1_8010)),
        (&[(0x3_0000, 16)], &[], hazard(0x2_0000, BASE, code_end)),
        // Just below, around, and just above.
        (&[(0x1_fff0, 16)], &[], hazard(0x2_0000, 0x1_fff0, 0x2_0000)),
        (&[(0x1_fff0, 32)], &[], hazard(0x2_0000, 0x1_fff0, 0x2_0010)),
        (&[(0x2_0000, 16)], &[], hazard(0x2_0000, BASE, code_end)),
        // Zeros have a name; what ends at the stack's beginning is the stack.
        (
            &[],
            &[("zeros", 0x1_9000, 4)],
            hazard(0x2_0000, 0x1_9000, 0x1_9004),
        ),
        (
            &[],
            &[("stack", 0x1_9000, 0x7000)],
            hazard(0x2_0000, BASE, code_end),
        ),
        (
            &[],
            &[("label", 0x1_9000, 0)],
            hazard(0x2_0000, BASE, code_end),
        ),
        (
            &[],
            &[("high", u32::MAX, u32::MAX)],
            hazard(0x2_0000, BASE, code_end),
        ),
    ] {
        let found = program(&code, data, symbols).stack_hazard();
        assert_eq!(found, Some(expected));
    }
    // Nothing is below but zeros with a name.
    let low = [lui(SP, 0x1_0000), store(), Instruction::ECALL];
    assert_eq!(program(&low, &[], &[]).stack_hazard(), None);
    let zeros = program(&low, &[], &[("zeros", 0x8000, 8)]).stack_hazard();
    assert_eq!(zeros, Some(hazard(0x1_0000, 0x8000, 0x8008)));
}

/// Zeros need no name to be overwritten; those that reach the stack may be the stack.
#[test]
fn zeros_below_the_stack_are_a_hazard() {
    let low = [lui(SP, 0x1_0000), store(), Instruction::ECALL];
    for (zeros, expected) in [
        (vec![(0x8000, 8)], Some(hazard(0x1_0000, 0x8000, 0x8008))),
        (
            vec![(0x8000, 0x7fff)],
            Some(hazard(0x1_0000, 0x8000, 0xffff)),
        ),
        (vec![(0x8000, 0x8000)], None),
        (vec![(0x1_1000, 8)], None),
        (
            vec![(0x8000, 8), (0x9000, 8)],
            Some(hazard(0x1_0000, 0x9000, 0x9008)),
        ),
    ] {
        let program = program(&low, &[], &[]).with_zeros(zeros.clone());
        let found = program.expect("they overlap nothing").stack_hazard();
        assert_eq!(found, expected, "{zeros:x?}");
    }
}

#[test]
fn a_stack_without_memory_is_worth_a_warning() {
    let space = |log2_bytes| AddressSpace::new(log2_bytes).expect("13 to 32");
    let stack = |sp: u32, log2_bytes| {
        let code = [
            lui(SP, sp & !0xfff),
            addi(SP, SP, (sp & 0xfff) as i32),
            store(),
        ]; // cast ok: 12 bits
        let program = program(&code, &[], &[]).with_space(space(log2_bytes));
        program.expect("it holds the code").misplaced_stack()
    };
    // The word below the stack's beginning is at 2^26 - 4, 2^26, or 2^32 - 4.
    for (sp, log2_bytes, least) in [
        (0x400_0004, 26, Some(27)),
        (0x400_0010, 26, Some(27)),
        (0x8000_0000, 26, Some(31)),
        (0x8000_0004, 31, Some(32)),
        (0, 31, Some(32)),
        (0x1000, 26, None),
        (0x7f0, 26, None),
    ] {
        let expected = MisplacedStack {
            sp,
            space: space(log2_bytes),
            least: least.map(space),
        };
        assert_eq!(stack(sp, log2_bytes), Some(expected), "{sp:#x}");
        if let Some(least) = least {
            assert_eq!(stack(sp, least), None, "{sp:#x}");
        }
    }
    for (sp, log2_bytes) in [(0x1004, 26), (0x1_0000, 17), (0x400_0000, 26), (0, 32)] {
        assert_eq!(stack(sp, log2_bytes), None, "{sp:#x}");
    }
    assert_eq!(
        stack(0x400_0010, 26).expect("beyond").to_string(),
        "the stack begins at 0x04000010 and grows down, where an address space of 2^26 has no \
         memory: a store there stops the machine in place; 2^27 is the least that has some"
    );
    assert_eq!(
        stack(0x1000, 26).expect("below").to_string(),
        "the stack begins at 0x00001000 and grows down, where an address space of 2^26 has no \
         memory: a store there stops the machine in place, and it would in any address space"
    );
}

/// A report's warnings are about the address space that its program has.
#[test]
fn another_address_space_has_other_warnings() {
    // The stack is the last that the space has.
    let code = [lui(SP, 0x400_0000), store(), Instruction::ECALL];
    let program = program(&code, &[], &[]);
    let file = program.to_elf().expect("instructions are in memory");
    let report = Program::read_elf(&file).expect("a program");
    let towards = ElfWarning::Stack(hazard(0x400_0000, BASE, BASE + 12));
    assert_eq!(report.warnings, std::slice::from_ref(&towards));
    let space = |log2_bytes| AddressSpace::new(log2_bytes).expect("13 to 32");
    let misplaced = ElfWarning::MisplacedStack(MisplacedStack {
        sp: 0x400_0000,
        space: space(25),
        least: Some(space(26)),
    });
    let smaller: ElfReport = report
        .clone()
        .with_space(space(25))
        .expect("it holds the code");
    assert_eq!(smaller.warnings, [towards, misplaced]);
    assert_eq!(smaller.with_space(space(26)), Ok(report.clone()));
    report
        .with_space(space(16))
        .expect_err("it does not hold the code");
}
