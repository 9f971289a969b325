//! A small RISC-V program and courts for it; the prover crate's tests use it too.

use std::sync::Arc;

use tapcourt_compiler::riscv::{Court, CourtOptions, Options, Search};
use tapcourt_program::riscv::{Instruction, Op, Program, Register};

pub(crate) const BASE: u32 = 0x1000;

pub(crate) fn register(number: u8) -> Register {
    Register::new(number)
}

/// Stores and loads in a loop, reads input, and accepts if the sum is `expected`: some 40 steps of all kinds.
pub(crate) fn program(expected: u32) -> Program {
    let [x0, a0, a7, t0, t1, s0] = [0, 10, 17, 5, 6, 8].map(register);
    let new = Instruction::new;
    let code = [
        new(Op::Lui, s0, x0, x0, 0x0200_0000),
        new(Op::Addi, t0, x0, x0, 3),
        // loop:
        new(Op::Addi, a0, t0, x0, 0u32.wrapping_sub(1)),
        new(Op::Addi, a7, x0, x0, 1024),
        Instruction::ECALL,
        new(Op::Lw, t1, s0, x0, 4),
        new(Op::Mul, a0, a0, t0, 0),
        new(Op::Add, t1, t1, a0, 0),
        new(Op::Sw, x0, s0, t1, 4),
        new(Op::Sb, x0, s0, t0, 9),
        new(Op::Addi, t0, t0, x0, 0u32.wrapping_sub(1)),
        new(Op::Bne, x0, t0, x0, 0u32.wrapping_sub(36)),
        // The sum, less what is expected, is the exit code.
        new(Op::Lw, a0, s0, x0, 4),
        new(
            Op::Lui,
            t1,
            x0,
            x0,
            expected.wrapping_add(0x800) & 0xffff_f000,
        ),
        new(Op::Addi, t1, t1, x0, ((expected << 20) as i32 >> 20) as u32), // cast ok: sign extended
        new(Op::Sub, a0, a0, t1, 0),
        new(Op::Addi, a7, x0, x0, 93),
        Instruction::ECALL,
    ];
    Program::from_instructions(BASE, &code).expect("a program")
}

/// Input words, and what the program makes of them: 1·w0 + 2·w1 + 3·w2.
pub(crate) const INPUT: [u32; 3] = [5, 7, 11];
pub(crate) const SUM: u32 = 5 + 2 * 7 + 3 * 11;

/// A court for a program that takes three words of input, with these arities of both searches.
pub(crate) fn court(program: Program, steps: Vec<u32>, path: Vec<u32>) -> Court {
    let options = CourtOptions {
        steps: Options {
            fixed: Vec::new(),
            inputs: 3,
            search: Search::new(steps).expect("some 64 steps"),
        },
        path: Some(Search::new(path).expect("some 32 levels")),
        space: None,
    };
    Court::compile(Arc::new(program), options).expect("it compiles")
}
