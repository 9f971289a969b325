//! Why a machine stops in place.

use std::fmt;

use super::{AddressSpace, EXIT_CALL, INPUT_CALL, Instruction, Op, Program, State};

/// Why a state is its own successor without being that of acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The program exits with a code other than 0: it rejects.
    Exit {
        /// The code.
        code: u32,
    },
    /// The program asks for an input word that there is not.
    MissingInput {
        /// The number of the word, from 0.
        index: u32,
        /// How many there are.
        words: usize,
    },
    /// An `ecall` that is neither an exit nor asks for input.
    UnknownCall {
        /// `a7`.
        call: u32,
    },
    /// `ebreak`.
    Breakpoint,
    /// A word that is no instruction of RV32IM.
    IllegalInstruction {
        /// The word.
        word: u32,
    },
    /// A load or store at an address that is no multiple of its size.
    Misaligned {
        /// The address.
        address: u32,
        /// Its size.
        bytes: u32,
    },
    /// A load or store where there is no memory.
    OutsideMemory {
        /// The address.
        address: u32,
        /// Which addresses are memory.
        space: AddressSpace,
    },
    /// The program has jumped to an address that is in none of its instructions.
    OutsideProgram {
        /// The address.
        pc: u32,
    },
    /// A jump or branch to itself.
    Loop,
}

impl StopReason {
    /// Why the machine stops in this state; `None` if it goes on, or has accepted.
    pub fn of(program: &Program, inputs: &[u32], state: &State) -> Option<Self> {
        if state.accepted() {
            return None;
        }
        let pc = state.pc;
        let Some(instruction) = program.rom().get(pc) else {
            return Some(Self::OutsideProgram { pc });
        };
        let next = super::machine::next_record(program, inputs, pc, |cell| state.cell(cell));
        next.stops_in_place()
            .then(|| Self::at(program, instruction, inputs, state))
    }

    fn at(program: &Program, instruction: Instruction, inputs: &[u32], state: &State) -> Self {
        let op = instruction.op;
        let [a, b] = [instruction.rs1, instruction.rs2].map(|register| state.register(register));
        if let Some(log2_bytes) = op.access_log2_bytes() {
            let (address, bytes) = (a.wrapping_add(instruction.imm), 1 << log2_bytes);
            return if address.is_multiple_of(bytes) {
                let space = program.space();
                Self::OutsideMemory { address, space }
            } else {
                Self::Misaligned { address, bytes }
            };
        }
        match op {
            Op::Illegal => Self::IllegalInstruction {
                word: program.rom().word(state.pc).unwrap_or_default(),
            },
            Op::Ebreak => Self::Breakpoint,
            Op::Ecall if a == EXIT_CALL => Self::Exit { code: b },
            Op::Ecall if a == INPUT_CALL => Self::MissingInput {
                index: b,
                words: inputs.len(),
            },
            Op::Ecall => Self::UnknownCall { call: a },
            _ => Self::Loop,
        }
    }

    /// A short name, for machines to read: `exit`, `missing-input` …
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Exit { .. } => "exit",
            Self::MissingInput { .. } => "missing-input",
            Self::UnknownCall { .. } => "unknown-call",
            Self::Breakpoint => "breakpoint",
            Self::IllegalInstruction { .. } => "illegal-instruction",
            Self::Misaligned { .. } => "misaligned",
            Self::OutsideMemory { .. } => "outside-memory",
            Self::OutsideProgram { .. } => "outside-program",
            Self::Loop => "loop",
        }
    }
}

/// What a word is that is no instruction of RV32IM, as far as its opcode tells.
fn extension(word: u32) -> &'static str {
    match (word & 0x7f, word >> 12 & 7) {
        (opcode, _) if opcode & 3 != 3 => "a compressed instruction (extension C)",
        (0x0f, 1) => "fence.i (extension Zifencei)",
        (0x2f, _) => "an atomic instruction (extension A)",
        (0x07 | 0x27 | 0x43 | 0x47 | 0x4b | 0x4f | 0x53, _) => {
            "a floating-point or vector instruction (extensions F, D, V)"
        }
        (0x57, _) => "a vector instruction (extension V)",
        (0x73, 1..) => "a CSR instruction (extension Zicsr)",
        (0x73, 0) => "a privileged instruction",
        (0x03 | 0x23, 3) | (0x1b | 0x3b, _) => "an instruction of RV64",
        _ => "an unknown word",
    }
}

/// A clause: `it exits with code 1`.
impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exit { code } => write!(f, "it exits with code {code}"),
            Self::MissingInput { index, words } => write!(
                f,
                "it asks for input word {index}, and the input has {words}, numbered from 0"
            ),
            Self::UnknownCall { call } => write!(
                f,
                "an ecall with a7 = {call}, where only {EXIT_CALL} (exit) and {INPUT_CALL} (input) are known"
            ),
            Self::Breakpoint => f.write_str("ebreak, which panics and aborts end in"),
            Self::IllegalInstruction { word } => {
                write!(
                    f,
                    "{word:#010x} is no instruction of RV32IM but {}",
                    extension(word)
                )
            }
            Self::Misaligned { address, bytes } => write!(
                f,
                "an access of {bytes} bytes at {address:#010x}, which is no multiple of {bytes}"
            ),
            Self::OutsideMemory { address, space } => write!(
                f,
                "an access at {address:#010x}, and memory is from {:#010x} to {space} - 1",
                AddressSpace::LOWEST
            ),
            Self::OutsideProgram { pc } => {
                write!(f, "a jump to {pc:#010x}, where there is no instruction")
            }
            Self::Loop => f.write_str("it jumps to itself forever"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::riscv::{Engine, Image, Register, Rom, Stop, Symbols};

    /// Runs words from 0x1000 on until the machine stops, and says why.
    fn reason(words: &[u32], inputs: &[u32]) -> Option<StopReason> {
        let rom = Rom::new(vec![(0x1000, words.to_vec())]).expect("aligned");
        let program = Program::new(0x1000, rom, Image::default(), Symbols::default());
        let program = program.expect("the entry is the first word");
        let mut engine = Engine::new(&program, inputs);
        while engine.run(1_000) == Stop::Reached {
            assert_eq!(StopReason::of(&program, inputs, engine.state()), None);
        }
        StopReason::of(&program, inputs, engine.state())
    }

    fn addi(rd: Register, rs1: Register, imm: u32) -> u32 {
        Instruction::new(Op::Addi, rd, rs1, Register::ZERO, imm).encode()
    }

    #[test]
    fn every_reason_is_told_apart() {
        let (a0, a7, zero) = (Register::A0, Register::A7, Register::ZERO);
        let call = |number, argument| {
            vec![
                addi(a7, zero, number),
                addi(a0, zero, argument),
                Instruction::ECALL.encode(),
            ]
        };
        let load = |op, address: u32| {
            let lui = Instruction::new(Op::Lui, a0, zero, zero, address & 0xffff_f000);
            let load = Instruction::new(op, a0, a0, zero, address & 0xfff);
            vec![lui.encode(), load.encode()]
        };
        let space = AddressSpace::DEFAULT;
        let cases: [(Vec<u32>, Option<StopReason>); 17] = [
            (call(EXIT_CALL, 0), None),
            (call(EXIT_CALL, 7), Some(StopReason::Exit { code: 7 })),
            (
                call(INPUT_CALL, 1),
                Some(StopReason::MissingInput { index: 1, words: 1 }),
            ),
            (call(64, 0), Some(StopReason::UnknownCall { call: 64 })),
            (vec![0x0010_0073], Some(StopReason::Breakpoint)),
            (
                vec![0x0000_100f],
                Some(StopReason::IllegalInstruction { word: 0x0000_100f }),
            ),
            (vec![0], Some(StopReason::IllegalInstruction { word: 0 })),
            (
                load(Op::Lw, 0x2002),
                Some(StopReason::Misaligned {
                    address: 0x2002,
                    bytes: 4,
                }),
            ),
            (
                load(Op::Lh, 0x2001),
                Some(StopReason::Misaligned {
                    address: 0x2001,
                    bytes: 2,
                }),
            ),
            (
                load(Op::Lw, 0),
                Some(StopReason::OutsideMemory { address: 0, space }),
            ),
            (
                load(Op::Lb, 0x7ff),
                Some(StopReason::OutsideMemory {
                    address: 0x7ff,
                    space,
                }),
            ),
            (
                load(Op::Lbu, 1 << 26),
                Some(StopReason::OutsideMemory {
                    address: 1 << 26,
                    space,
                }),
            ),
            (
                load(Op::Sw, 0),
                Some(StopReason::OutsideMemory { address: 0, space }),
            ),
            (
                vec![addi(a0, zero, 1)],
                Some(StopReason::OutsideProgram { pc: 0x1004 }),
            ),
            (
                vec![Instruction::new(Op::Jal, zero, zero, zero, 0).encode()],
                Some(StopReason::Loop),
            ),
            (
                vec![Instruction::new(Op::Jalr, zero, zero, zero, 0x7fc).encode()],
                Some(StopReason::OutsideProgram { pc: 0x7fc }),
            ),
            (
                vec![
                    addi(a0, zero, 1),
                    Instruction::new(Op::Bne, zero, a0, zero, 0).encode(),
                ],
                Some(StopReason::Loop),
            ),
        ];
        for (words, expected) in cases {
            assert_eq!(reason(&words, &[5]), expected, "{words:x?}");
        }
    }

    #[test]
    fn what_is_said_names_the_value() {
        let say = |word| StopReason::IllegalInstruction { word }.to_string();
        assert!(say(0x0000_100f).contains("fence.i"));
        assert!(say(0x00b5_202f).contains("atomic"));
        assert!(say(0x0001).contains("compressed"));
        assert!(say(0x3000_2573).contains("CSR"));
        let missing = StopReason::MissingInput { index: 3, words: 3 };
        assert_eq!(
            missing.to_string(),
            "it asks for input word 3, and the input has 3, numbered from 0"
        );
        assert_eq!(missing.name(), "missing-input");
    }
}
