//! The fast machine.

mod threaded;

use std::borrow::Cow;
use std::sync::Arc;

use self::threaded::Code;
use super::semantics::{self, Operands};
use super::{ACCEPT_PC, Cell, EXIT_CALL, INPUT_CALL, Memory, Op, Program, Register};

/// All that a machine's next steps depend on, besides program and inputs, and how many steps led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// `pc`.
    pub pc: u32,
    /// `x0`, which is zero, to `x31`.
    pub registers: [u32; 32],
    /// Data memory.
    pub memory: Memory,
    /// How many steps were made, those in place included.
    pub steps: u64,
}

impl State {
    /// The state before the first step.
    pub fn new(program: &Program) -> Self {
        Self {
            pc: program.entry(),
            registers: [0; 32],
            memory: Memory::new(program.image(), program.space()),
            steps: 0,
        }
    }

    /// A register.
    pub fn register(&self, register: Register) -> u32 {
        self.registers[usize::from(register.number())]
    }

    /// A cell's word.
    pub fn cell(&self, cell: Cell) -> u32 {
        match (cell.address(), cell.as_register()) {
            (Some(address), _) => self.memory.word(address),
            (None, Some(register)) => self.register(register),
            (None, None) => 0,
        }
    }

    /// Whether the program has accepted.
    pub fn accepted(&self) -> bool {
        self.pc == ACCEPT_PC
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// All steps asked for were made, and each changed something. The next may stop in place.
    Reached,
    /// The program has accepted: this state is its own successor.
    Accepted,
    /// The machine has stopped in place, or goes round in one place, without accepting: this state is its own successor.
    InPlace,
}

/// Executes a program, many steps at a time: the same states as of [`Machine`](super::Machine), at any step asked for, and nothing in between.
#[derive(Clone, Debug)]
pub struct Engine<'a> {
    program: &'a Program,
    inputs: Cow<'a, [u32]>,
    code: Arc<Code>,
    state: State,
}

impl<'a> Engine<'a> {
    /// An engine before the first step.
    pub fn new(program: &'a Program, inputs: impl Into<Cow<'a, [u32]>>) -> Self {
        Self::resume(program, inputs, State::new(program))
    }

    /// An engine that goes on from a state. Its `x0` has to be zero.
    pub fn resume(program: &'a Program, inputs: impl Into<Cow<'a, [u32]>>, state: State) -> Self {
        Self {
            program,
            inputs: inputs.into(),
            code: Arc::new(Code::new(program)),
            state,
        }
    }

    /// The state that it was in.
    pub fn into_state(self) -> State {
        self.state
    }

    /// The state that it is in.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state, to ask it which pages were written, or to go back to a snapshot. `x0` has to stay zero.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Runs until `step` steps have been made since the first state, exactly.
    ///
    /// After the machine has stopped all later states are equal, and it makes any number of further steps at once.
    ///
    /// # Panics
    /// If it has already made more.
    pub fn run_to(&mut self, step: u64) -> Stop {
        let steps = self.state.steps;
        assert!(step >= steps, "step {step} is past: {steps} were made");
        let stop = self.run(step - steps);
        self.state.steps = step;
        stop
    }

    /// Runs until the machine stops, but makes at most `limit` steps more. Steps that change nothing it does not make.
    pub fn run(&mut self, limit: u64) -> Stop {
        let limit = limit.min(u64::MAX - self.state.steps);
        let mut left = limit;
        let mut stopped = false;
        while left > 0 && !stopped {
            let State {
                pc,
                registers,
                memory,
                ..
            } = &mut self.state;
            *pc = self
                .code
                .run(*pc, &self.inputs, registers, memory, &mut left);
            if left > 0 {
                stopped = !self.step();
                left -= u64::from(!stopped);
            }
        }
        self.state.steps += limit - left;
        if self.state.accepted() {
            Stop::Accepted
        } else if stopped {
            Stop::InPlace
        } else {
            Stop::Reached
        }
    }

    /// Makes a step, or returns whether it would change nothing.
    fn step(&mut self) -> bool {
        let State {
            pc,
            registers,
            memory,
            ..
        } = &mut self.state;
        let Some(instruction) = self.program.rom().get(*pc) else {
            return false;
        };
        let op = instruction.op;
        let operands = Operands {
            pc: *pc,
            a: registers[usize::from(instruction.rs1.number())],
            b: registers[usize::from(instruction.rs2.number())],
            imm: instruction.imm,
        };
        let address = operands.a.wrapping_add(operands.imm);
        let mut result = semantics::result(instruction, operands);
        let mut next_pc = semantics::next_pc(instruction, operands);
        if op == Op::Illegal || op == Op::Ebreak {
            return false;
        } else if op == Op::Ecall {
            let input = self.inputs.get(operands.b as usize); // cast ok: usize has at least 32 bits here
            match (operands.a, input) {
                (EXIT_CALL, _) if operands.b == 0 => next_pc = ACCEPT_PC,
                (INPUT_CALL, Some(&word)) => result = Some(word),
                _ => return false,
            }
        } else if let Some(log2_bytes) = op.load_log2_bytes() {
            if !memory.space().allows(address, log2_bytes) {
                return false;
            }
            result = Some(semantics::loaded(op, address, memory.word(address)));
        } else if let Some(log2_bytes) = op.store_log2_bytes() {
            if !memory.space().allows(address, log2_bytes) {
                return false;
            }
            let old = memory.word(address);
            memory.set_word(address, semantics::stored(op, address, old, operands.b));
        }
        let mut changed = next_pc != *pc;
        if let Some(value) = result.filter(|_| instruction.rd != Register::ZERO) {
            let register = &mut registers[usize::from(instruction.rd.number())];
            changed |= *register != value;
            *register = value;
        }
        *pc = next_pc;
        changed
    }
}
