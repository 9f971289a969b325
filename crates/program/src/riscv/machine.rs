//! The reference machine: a step at a time, and what it did.

use std::collections::BTreeMap;

use super::step::{self, View};
use super::{ACCEPT_PC, Cell, Program, Register, State, StepRecord};

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

    /// The machine in a state that an [`Engine`](super::Engine) has reached.
    pub fn from_state(program: &'a Program, inputs: &'a [u32], state: &State) -> Self {
        let pages = state.memory.pages();
        let words = pages.iter().flat_map(|&number| {
            let words = state.memory.page(number).into_iter().flatten();
            let first = number << 10;
            (first..).zip(words).filter(|&(_, &word)| word != 0)
        });
        Self {
            program,
            inputs,
            pc: state.pc,
            registers: state.registers,
            memory: words.map(|(number, &word)| (number, word)).collect(),
            steps: state.steps,
        }
    }

    /// The program.
    pub fn program(&self) -> &'a Program {
        self.program
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

    /// Writes a cell, as no step does: for tests and experiments. Cells in no state's use, and
    /// `x0`, stay zero.
    pub fn set_cell(&mut self, cell: Cell, value: u32) {
        match (cell.address(), cell.as_register()) {
            (Some(address), _) if self.program.space().contains(address) => {
                self.memory.insert(address / 4, value);
            }
            (Some(_), _) | (None, Some(Register::ZERO) | None) => {}
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
    let present = Present { inputs, cells };
    step::record(pc, program.rom().get(pc), program.space(), &present)
}

/// A state, as far as a step asks for it.
struct Present<'a, F> {
    inputs: &'a [u32],
    cells: F,
}

impl<F: Fn(Cell) -> u32> View for Present<'_, F> {
    fn first(&self, register: Register) -> u32 {
        (self.cells)(Cell::register(register))
    }

    fn second(&self, register: Register) -> u32 {
        (self.cells)(Cell::register(register))
    }

    fn memory(&self, cell: Cell) -> u32 {
        (self.cells)(cell)
    }

    fn replaced(&self, cell: Cell) -> u32 {
        (self.cells)(cell)
    }

    fn input(&self, number: u32) -> Option<u32> {
        self.inputs.get(number as usize).copied() // cast ok: usize has at least 32 bits here
    }
}
