//! A small program in which every kind of step occurs, and where.

use std::fmt;

use tapcourt_program::riscv::{
    ACCEPT_PC, EXIT_CALL, Execution, INPUT_CALL, Instruction, Machine, Op, Program, Register,
    StepRecord,
};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepKind {
    /// It computes, and neither multiplies nor divides.
    Arithmetic,
    /// A branch that is taken.
    BranchTaken,
    /// One that is not.
    BranchNotTaken,
    /// A jump, a load, a store, a multiplication or a division, by its instruction.
    Instruction(Op),
    /// It reads a word of input.
    Input,
    /// It exits with code 0.
    Exit,
    /// It exits with another code.
    ExitWithCode,
    /// It stops in place by this instruction, or outside the program.
    Stop(Option<Op>),
    /// After the program has stopped.
    Virtual,
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arithmetic => f.write_str("arithmetic"),
            Self::BranchTaken => f.write_str("branch taken"),
            Self::BranchNotTaken => f.write_str("branch not taken"),
            Self::Instruction(op) => f.write_str(op.mnemonic()),
            Self::Input => f.write_str("input"),
            Self::Exit => f.write_str("exit"),
            Self::ExitWithCode => f.write_str("exit with a code"),
            Self::Stop(Some(op)) => write!(f, "stop at {}", op.mnemonic()),
            Self::Stop(None) => f.write_str("stop outside"),
            Self::Virtual => f.write_str("virtual"),
        }
    }
}

impl StepKind {
    /// Of all kinds, those that [`program`] makes steps of.
    pub fn all() -> Vec<Self> {
        let instructions = Op::ALL
            .into_iter()
            .filter(|op| op.accesses_memory())
            .chain([Op::Jal, Op::Jalr, Op::Mul, Op::Div]);
        let stops = [Op::Illegal, Op::Lw, Op::Sh, Op::Lbu, Op::Sb, Op::Ecall].map(Some);
        [Self::Arithmetic, Self::BranchTaken, Self::BranchNotTaken]
            .into_iter()
            .chain(instructions.map(Self::Instruction))
            .chain([Self::Input, Self::Exit, Self::ExitWithCode, Self::Virtual])
            .chain(stops.into_iter().chain([None]).map(Self::Stop))
            .collect()
    }

    /// What a step does that does not follow a stop.
    fn of(record: &StepRecord, program: &Program) -> Self {
        let Some(Instruction { op, .. }) = program.rom().get(record.pc) else {
            return Self::Stop(None);
        };
        if record.next_pc == ACCEPT_PC {
            return Self::Exit;
        }
        if record.stops_in_place() {
            return match (op, record.a.value) {
                (Op::Ecall, EXIT_CALL) => Self::ExitWithCode,
                _ => Self::Stop(Some(op)),
            };
        }
        match op {
            Op::Ecall => Self::Input,
            Op::Jal | Op::Jalr | Op::Mul | Op::Div => Self::Instruction(op),
            op if op.accesses_memory() => Self::Instruction(op),
            op if op.jumps() && record.next_pc == record.pc.wrapping_add(4) => Self::BranchNotTaken,
            op if op.jumps() => Self::BranchTaken,
            _ => Self::Arithmetic,
        }
    }
}

/// What each of the first steps does.
pub fn step_kinds(program: &Program, input: &[u32], steps: u64) -> Vec<StepKind> {
    let mut execution = Execution::new(program, input.to_vec());
    let records: Vec<StepRecord> = execution.records(0..steps).collect();
    let mut stopped = false;
    records
        .iter()
        .map(|record| {
            if stopped {
                return StepKind::Virtual;
            }
            let kind = StepKind::of(record, program);
            stopped = matches!(
                kind,
                StepKind::Exit | StepKind::ExitWithCode | StepKind::Stop(_)
            );
            kind
        })
        .collect()
}

/// How the program goes on after it has computed, as its first input word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exits, with code 0 if the second word is [`ACCEPTED`].
    Exit,
    /// It runs into an illegal instruction.
    Illegal,
    /// It loads a word from a misaligned address.
    Load,
    /// It stores half a word to a misaligned address.
    Store,
    /// It loads a byte from address 0, which is no memory.
    LoadNoMemory,
    /// It stores a byte behind the address space.
    StoreNoMemory,
    /// It jumps to where no instruction is.
    Outside,
    /// It reads a word of input that there is not.
    Input,
    /// It loops for ever.
    Loop,
}

impl Ending {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Exit,
        Self::Illegal,
        Self::Load,
        Self::Store,
        Self::LoadNoMemory,
        Self::StoreNoMemory,
        Self::Outside,
        Self::Input,
        Self::Loop,
    ];

    /// The input that leads to it: not accepted, unless `word` is [`ACCEPTED`].
    pub fn input(self, word: u32) -> Vec<u32> {
        vec![self as u32, word] // cast ok: a number below 9
    }
}

/// Words of input that the program reads.
pub const INPUTS: u32 = 2;

/// The second word of the only input that it accepts, [`Ending::Exit`] being the first.
pub const ACCEPTED: u32 = 0x0001_8b7d;

/// Another second word.
pub const REJECTED: u32 = ACCEPTED ^ 0x100;

/// Instructions of an ending, which the jump to it counts on.
const ENDING_INSTRUCTIONS: usize = 4;

/// Where the program is.
const BASE: u32 = 0x1000;

/// Some 50 steps: two rounds of a loop with loads and stores of each width, then an ending.
///
/// # Panics
/// Never: the program is one.
pub fn program() -> Program {
    let compared = Program::from_instructions(BASE, &code(0)).expect("a program");
    let input = Ending::Exit.input(ACCEPTED);
    let mut machine = Machine::new(&compared, &input);
    while machine.steps() < 64 {
        machine.step();
    }
    // What is left of nothing is the sum to subtract.
    let expected = machine.register(Register::A0);
    Program::from_instructions(BASE, &code(expected)).expect("a program")
}

/// The instructions, with the sum that is accepted.
fn code(expected: u32) -> Vec<Instruction> {
    let [x0, ra, t0, t1, t2, s0, s1, a0, a7, t3, t4, t5] =
        [0, 1, 5, 6, 7, 8, 9, 10, 17, 28, 29, 30].map(Register::new);
    let new = Instruction::new;
    let back = |instructions: u32| 0u32.wrapping_sub(4 * instructions);
    let mut code = vec![
        new(Op::Lui, s0, x0, x0, 0x0200_0000),
        new(Op::Addi, a7, x0, x0, INPUT_CALL),
        Instruction::ECALL,
        new(Op::Addi, s1, a0, x0, 0),
        new(Op::Addi, a0, x0, x0, 1),
        Instruction::ECALL,
        new(Op::Sw, x0, s0, a0, 0),
        new(Op::Addi, t0, x0, x0, 2),
        // loop:
        new(Op::Sb, x0, s0, a0, 5),
        new(Op::Sh, x0, s0, a0, 10),
        new(Op::Lb, t1, s0, x0, 5),
        new(Op::Lbu, t2, s0, x0, 5),
        new(Op::Lh, t3, s0, x0, 10),
        new(Op::Lhu, t4, s0, x0, 10),
        new(Op::Lw, t5, s0, x0, 0),
        new(Op::Mul, t1, t1, t5, 0),
        new(Op::Div, t2, t5, t2, 0),
        new(Op::Add, a0, t1, t2, 0),
        new(Op::Sw, x0, s0, a0, 12),
        new(Op::Beq, x0, t0, x0, 8),
        new(Op::Jal, ra, x0, x0, 8),
        Instruction::ILLEGAL,
        new(Op::Addi, t0, t0, x0, u32::MAX),
        new(Op::Bne, x0, t0, x0, back(15)),
        // The ending whose number is the first word of input.
        new(Op::Slli, s1, s1, x0, 4),
        new(Op::Auipc, t1, x0, x0, 0),
        new(Op::Add, t1, t1, s1, 0),
        new(Op::Jalr, ra, t1, x0, 12),
    ];
    let nothing = Instruction::ILLEGAL;
    let endings = |exit: u32| -> [[Instruction; ENDING_INSTRUCTIONS]; Ending::ALL.len()] {
        [
            [
                new(Op::Jal, x0, x0, x0, 4 * exit),
                nothing,
                nothing,
                nothing,
            ],
            [nothing; ENDING_INSTRUCTIONS],
            [new(Op::Lw, t1, s0, x0, 2), nothing, nothing, nothing],
            [new(Op::Sh, x0, s0, t1, 1), nothing, nothing, nothing],
            [new(Op::Lbu, t1, x0, x0, 0), nothing, nothing, nothing],
            [
                new(Op::Lui, t2, x0, x0, 0x0400_0000),
                new(Op::Sb, x0, t2, t1, 0),
                nothing,
                nothing,
            ],
            [new(Op::Jalr, x0, x0, x0, 16), nothing, nothing, nothing],
            [
                new(Op::Addi, a0, x0, x0, INPUTS),
                Instruction::ECALL,
                nothing,
                nothing,
            ],
            [
                new(Op::Addi, t1, t1, x0, 1),
                new(Op::Jal, x0, x0, x0, back(1)),
                nothing,
                nothing,
            ],
        ]
    };
    let length = Ending::ALL.len() * ENDING_INSTRUCTIONS;
    code.extend(endings(length as u32).concat()); // cast ok: 36
    code.extend([
        // What the sum is above the accepted one is the exit code.
        new(Op::Lw, a0, s0, x0, 12),
        new(
            Op::Lui,
            t1,
            x0,
            x0,
            expected.wrapping_add(0x800) & 0xffff_f000,
        ),
        new(Op::Addi, t1, t1, x0, ((expected << 20) as i32 >> 20) as u32), // cast ok: sign extended
        new(Op::Sub, a0, a0, t1, 0),
        new(Op::Addi, a7, x0, x0, EXIT_CALL),
        Instruction::ECALL,
    ]);
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_step_occurs_and_one_input_is_accepted() {
        let program = program();
        let mut seen = Vec::new();
        for ending in Ending::ALL {
            for word in [ACCEPTED, REJECTED] {
                let input = ending.input(word);
                let accepted = Execution::new(&program, input.clone()).accepts_within(64);
                assert_eq!(accepted, ending == Ending::Exit && word == ACCEPTED);
                seen.extend(step_kinds(&program, &input, 64));
            }
        }
        for kind in StepKind::all() {
            assert!(seen.contains(&kind), "{kind}");
        }
        for kind in seen {
            assert!(StepKind::all().contains(&kind), "{kind}");
        }
    }
}
