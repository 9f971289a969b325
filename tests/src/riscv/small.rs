//! Programs of eight steps over eight words of memory, for tests that go through everything.

use std::sync::Arc;

use tapcourt_compiler::riscv::{Court, CourtOptions, Options, Search};
use tapcourt_program::riscv::{Image, Instruction, Op, Program, Register, Rom, Symbols};
use tapcourt_verifier::Program as Disputed;

/// Where the program begins.
pub const BASE: u32 = 0x1000;

/// The input that is accepted.
pub const INPUT: u32 = 5;

/// An input that is not.
pub const OTHER_INPUT: u32 = 6;

/// What a program does about a wrong input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It exits with another code than 0.
    Rejects,
    /// It loops forever, over three steps.
    Loops,
}

/// Where its memory begins: what is reached from `x0`.
const MEMORY: u32 = 0xffff_f800;

/// Reads an input word, stores its lowest byte into one of eight words of memory and loads that word: it accepts after eight steps if the word is as
/// expected.
///
/// # Panics
/// Never.
pub fn program(wrong: Wrong) -> Program {
    let [x0, a0, a7, t0, t1] = [0, 10, 17, 5, 6].map(Register::new);
    let new = Instruction::new;
    let expected = 3 + (INPUT << 8);
    let code = [
        new(Op::Addi, a7, x0, x0, 1024),
        Instruction::ECALL,
        new(Op::Sb, x0, x0, a0, MEMORY + 9),
        // loop:
        new(Op::Lw, t0, x0, x0, MEMORY + 8),
        new(Op::Addi, a0, t0, x0, expected.wrapping_neg()),
        match wrong {
            Wrong::Rejects => new(Op::Mul, t1, t0, a0, 0),
            Wrong::Loops => new(Op::Bne, x0, a0, x0, 8u32.wrapping_neg()),
        },
        new(Op::Addi, a7, x0, x0, 93),
        Instruction::ECALL,
    ];
    let words = [1u32, 2, 3, 4, 5, 6, 7, 8];
    let memory = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let code = code
        .iter()
        .map(|instruction| instruction.encode())
        .collect();
    Program::new(
        BASE,
        Rom::new(vec![(BASE, code)]).expect("some instructions"),
        Image::new(vec![(MEMORY, memory)]).expect("eight words"),
        Symbols::default(),
    )
    .expect("a program")
}

/// A contract's program with these searches over steps and levels.
///
/// # Panics
/// If the searches are not possible.
pub fn disputed(wrong: Wrong, steps: &[u32], path: &[u32]) -> Disputed {
    let options = CourtOptions {
        steps: Options {
            fixed: Vec::new(),
            inputs: 1,
            search: Search::new(steps.to_vec()).expect("a search over steps"),
        },
        path: Some(Search::new(path.to_vec()).expect("a search over levels")),
        space: None,
    };
    let court = Court::compile(Arc::new(program(wrong)), options).expect("it compiles");
    Disputed::trace(court).expect("its groups fit transactions")
}

/// The court of such a program.
///
/// # Panics
/// If it is a circuit.
pub fn court(program: &Disputed) -> &Court {
    match program.source() {
        tapcourt_verifier::Source::Trace(court) => court,
        tapcourt_verifier::Source::Circuit(_) => panic!("the program is no trace"),
    }
}
