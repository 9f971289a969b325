//! The reference machine: a step at a time, and what it did.

use std::collections::BTreeMap;

use super::semantics::{self, Operands};
use super::{
    ACCEPT_PC, Cell, EXIT_CALL, INPUT_CALL, Instruction, Op, Program, Read, Register, StepRecord,
    Write,
};

/// The machine as the [module](super) defines it, written for reading: one step a call, and nothing kept that a step does not need.
///
/// ```
/// use tapcourt_program::riscv::{Instruction, Machine, Op, Program, Register};
///
/// let (a0, a7) = (Register::A0, Register::A7);
/// let program = Program::from_instructions(0x1000, &[
///     Instruction::new(Op::Addi, a7, Register::ZERO, Register::ZERO, 93),
///     Instruction::new(Op::Mul, a0, a0, a7, 0),
///     Instruction::ECALL,
/// ])?;
/// let mut machine = Machine::new(&program, &[]);
/// assert_eq!(machine.step().to_string(), "0x00001000 -> 0x00001004  w x17 = 0x5d (was 0x0)");
/// machine.step();
/// machine.step();
/// assert!(machine.accepted());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Machine<'a> {
    program: &'a Program,
    inputs: &'a [u32],
    pc: u32,
    registers: [u32; 32],
    /// By word number: words that are not zero, or were not.
    memory: BTreeMap<u32, u32>,
    steps: u64,
}

impl<'a> Machine<'a> {
    /// The state before the first step.
    pub fn new(program: &'a Program, inputs: &'a [u32]) -> Self {
        Self {
            program,
            inputs,
            pc: program.entry(),
            registers: [0; 32],
            memory: program
                .image()
                .words()
                .into_iter()
                .map(|(address, word)| (address / 4, word))
                .collect(),
            steps: 0,
        }
    }

    /// `pc`.
    pub fn pc(&self) -> u32 {
        self.pc
    }

    /// A register.
    pub fn register(&self, register: Register) -> u32 {
        self.registers[usize::from(register.number())]
    }

    /// The memory word that holds the byte at `address`.
    pub fn memory_word(&self, address: u32) -> u32 {
        self.memory.get(&(address / 4)).copied().unwrap_or(0)
    }

    /// A cell's word.
    pub fn cell(&self, cell: Cell) -> u32 {
        match (cell.address(), cell.as_register()) {
            (Some(address), _) => self.memory_word(address),
            (None, Some(register)) => self.register(register),
            (None, None) => 0,
        }
    }

    /// Writes a cell, as no step does: for tests and experiments. Cells in no state's use, and `x0`, stay zero.
    pub fn set_cell(&mut self, cell: Cell, value: u32) {
        match (cell.address(), cell.as_register()) {
            (Some(address), _) => {
                self.memory.insert(address / 4, value);
            }
            (None, Some(Register::ZERO) | None) => {}
            (None, Some(register)) => self.registers[usize::from(register.number())] = value,
        }
    }

    /// Sets `pc`, as no step does: for tests and experiments.
    pub fn set_pc(&mut self, pc: u32) {
        self.pc = pc;
    }

    /// All memory words that are not zero, ascending, with their addresses.
    pub fn memory(&self) -> impl Iterator<Item = (u32, u32)> {
        self.memory
            .iter()
            .filter(|&(_, &word)| word != 0)
            .map(|(&number, &word)| (number * 4, word))
    }

    /// How many steps were made, those in place included.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether the program has accepted.
    pub fn accepted(&self) -> bool {
        self.pc == ACCEPT_PC
    }

    /// Makes a step and says what it did.
    pub fn step(&mut self) -> StepRecord {
        let record = self.next_record();
        self.set_cell(record.w.cell, record.w.value);
        self.pc = record.next_pc;
        self.steps += 1;
        record
    }

    /// What the next step will do.
    pub fn next_record(&self) -> StepRecord {
        next_record(self.program, self.inputs, self.pc, |cell| self.cell(cell))
    }
}

/// What the step from a state does, given its `pc` and its cells.
pub(super) fn next_record(
    program: &Program,
    inputs: &[u32],
    pc: u32,
    cells: impl Fn(Cell) -> u32,
) -> StepRecord {
    Present {
        program,
        inputs,
        pc,
        cells,
    }
    .next_record()
}

/// A state, as far as a step asks for it.
struct Present<'a, F> {
    program: &'a Program,
    inputs: &'a [u32],
    pc: u32,
    cells: F,
}

impl<F: Fn(Cell) -> u32> Present<'_, F> {
    fn next_record(&self) -> StepRecord {
        let Some(instruction) = self.program.rom().get(self.pc) else {
            return StepRecord::stopped(self.pc);
        };
        let op = instruction.op;
        let stopped = StepRecord {
            a: self.read_if(op.reads_rs1(), instruction.rs1),
            b: self.read_if(op.reads_rs2(), instruction.rs2),
            ..StepRecord::stopped(self.pc)
        };
        if op == Op::Illegal || op == Op::Ebreak {
            stopped
        } else if op == Op::Ecall {
            self.call(stopped)
        } else if let Some(log2_bytes) = op.load_log2_bytes() {
            self.load(instruction, log2_bytes, stopped)
        } else if let Some(log2_bytes) = op.store_log2_bytes() {
            self.store(instruction, log2_bytes, stopped)
        } else {
            let operands = Operands {
                pc: self.pc,
                a: stopped.a.value,
                b: stopped.b.value,
                imm: instruction.imm,
            };
            let result = semantics::result(instruction, operands);
            StepRecord {
                next_pc: semantics::next_pc(instruction, operands),
                w: result.map_or_else(Write::default, |value| {
                    self.write(Cell::register(instruction.rd), value)
                }),
                ..stopped
            }
        }
    }

    fn call(&self, stopped: StepRecord) -> StepRecord {
        let (call, argument) = (stopped.a.value, stopped.b.value);
        if call == EXIT_CALL && argument == 0 {
            return StepRecord {
                next_pc: ACCEPT_PC,
                ..stopped
            };
        }
        let word = self.inputs.get(argument as usize); // cast ok: usize has at least 32 bits here
        match word {
            Some(&word) if call == INPUT_CALL => StepRecord {
                next_pc: self.pc.wrapping_add(4),
                w: self.write(Cell::register(Register::A0), word),
                ..stopped
            },
            _ => stopped,
        }
    }

    fn load(&self, instruction: Instruction, log2_bytes: u32, stopped: StepRecord) -> StepRecord {
        let address = stopped.a.value.wrapping_add(instruction.imm);
        if !address.is_multiple_of(1 << log2_bytes) {
            return stopped;
        }
        let m = self.read(Cell::memory(address));
        let value = semantics::loaded(instruction.op, address, m.value);
        StepRecord {
            next_pc: self.pc.wrapping_add(4),
            m,
            w: self.write(Cell::register(instruction.rd), value),
            ..stopped
        }
    }

    fn store(&self, instruction: Instruction, log2_bytes: u32, stopped: StepRecord) -> StepRecord {
        let address = stopped.a.value.wrapping_add(instruction.imm);
        if !address.is_multiple_of(1 << log2_bytes) {
            return stopped;
        }
        let cell = Cell::memory(address);
        let old = (self.cells)(cell);
        StepRecord {
            next_pc: self.pc.wrapping_add(4),
            m: if log2_bytes < 2 {
                self.read(cell)
            } else {
                Read::default()
            },
            w: self.write(
                cell,
                semantics::stored(instruction.op, address, old, stopped.b.value),
            ),
            ..stopped
        }
    }

    fn read_if(&self, used: bool, register: Register) -> Read {
        if used {
            self.read(Cell::register(register))
        } else {
            Read::default()
        }
    }

    fn read(&self, cell: Cell) -> Read {
        Read {
            cell,
            value: (self.cells)(cell),
        }
    }

    fn write(&self, cell: Cell, value: u32) -> Write {
        if cell == Cell::ZERO {
            return Write::default();
        }
        Write {
            cell,
            value,
            old: (self.cells)(cell),
        }
    }
}
