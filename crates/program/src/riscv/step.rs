//! One step, from the words that it reads: what happens to memory, calls, and when the machine stops in place.

use super::semantics::{self, Operands};
use super::{
    ACCEPT_PC, AddressSpace, Cell, EXIT_CALL, INPUT_CALL, Instruction, Op, Read, Register,
    StepRecord, Write,
};

/// Where the words come from that a step reads: a machine's state, or what somebody claims.
pub(super) trait View {
    /// The first register read.
    fn first(&self, register: Register) -> u32;
    /// The second register read.
    fn second(&self, register: Register) -> u32;
    /// The memory word read.
    fn memory(&self, cell: Cell) -> u32;
    /// The word that is replaced.
    fn replaced(&self, cell: Cell) -> u32;
    /// The input word of this number, if there is one.
    fn input(&self, number: u32) -> Option<u32>;
}

/// What the step at `pc` does, `instruction` being there and `space` being memory.
pub(super) fn record(
    pc: u32,
    instruction: Option<Instruction>,
    space: AddressSpace,
    view: &impl View,
) -> StepRecord {
    let Some(instruction) = instruction else {
        return StepRecord::stopped(pc);
    };
    let op = instruction.op;
    let read = |used: bool, register, word: &dyn Fn(Register) -> u32| {
        if !used {
            return Read::default();
        }
        Read {
            cell: Cell::register(register),
            value: word(register),
        }
    };
    let stopped = StepRecord {
        a: read(op.reads_rs1(), instruction.rs1, &|r| view.first(r)),
        b: read(op.reads_rs2(), instruction.rs2, &|r| view.second(r)),
        ..StepRecord::stopped(pc)
    };
    if op == Op::Illegal || op == Op::Ebreak {
        stopped
    } else if op == Op::Ecall {
        call(stopped, view)
    } else if let Some(log2_bytes) = op.load_log2_bytes() {
        load(instruction, log2_bytes, stopped, space, view)
    } else if let Some(log2_bytes) = op.store_log2_bytes() {
        store(instruction, log2_bytes, stopped, space, view)
    } else {
        let operands = Operands {
            pc,
            a: stopped.a.value,
            b: stopped.b.value,
            imm: instruction.imm,
        };
        let result = semantics::result(instruction, operands);
        let target = Cell::register(instruction.rd);
        StepRecord {
            next_pc: semantics::next_pc(instruction, operands),
            w: result.map_or_else(Write::default, |value| write(target, value, view)),
            ..stopped
        }
    }
}

fn call(stopped: StepRecord, view: &impl View) -> StepRecord {
    let (call, argument) = (stopped.a.value, stopped.b.value);
    if call == EXIT_CALL && argument == 0 {
        return StepRecord {
            next_pc: ACCEPT_PC,
            ..stopped
        };
    }
    match view.input(argument) {
        Some(word) if call == INPUT_CALL => StepRecord {
            next_pc: stopped.pc.wrapping_add(4),
            w: write(Cell::register(Register::A0), word, view),
            ..stopped
        },
        _ => stopped,
    }
}

fn load(
    instruction: Instruction,
    log2_bytes: u32,
    stopped: StepRecord,
    space: AddressSpace,
    view: &impl View,
) -> StepRecord {
    let address = stopped.a.value.wrapping_add(instruction.imm);
    if !space.allows(address, log2_bytes) {
        return stopped;
    }
    let cell = Cell::memory(address);
    let m = Read {
        cell,
        value: view.memory(cell),
    };
    let value = semantics::loaded(instruction.op, address, m.value);
    StepRecord {
        next_pc: stopped.pc.wrapping_add(4),
        m,
        w: write(Cell::register(instruction.rd), value, view),
        ..stopped
    }
}

fn store(
    instruction: Instruction,
    log2_bytes: u32,
    stopped: StepRecord,
    space: AddressSpace,
    view: &impl View,
) -> StepRecord {
    let address = stopped.a.value.wrapping_add(instruction.imm);
    if !space.allows(address, log2_bytes) {
        return stopped;
    }
    let cell = Cell::memory(address);
    // A whole word is written without looking at the one before.
    let m = if log2_bytes < 2 {
        Read {
            cell,
            value: view.memory(cell),
        }
    } else {
        Read::default()
    };
    let value = semantics::stored(instruction.op, address, m.value, stopped.b.value);
    StepRecord {
        next_pc: stopped.pc.wrapping_add(4),
        m,
        w: write(cell, value, view),
        ..stopped
    }
}

fn write(cell: Cell, value: u32, view: &impl View) -> Write {
    if cell == Cell::ZERO {
        return Write::default();
    }
    Write {
        cell,
        value,
        old: view.replaced(cell),
    }
}

/// What a record claims to have read.
struct Claim<'a> {
    record: &'a StepRecord,
    inputs: u32,
}

impl View for Claim<'_> {
    fn first(&self, _: Register) -> u32 {
        self.record.a.value
    }

    fn second(&self, _: Register) -> u32 {
        self.record.b.value
    }

    fn memory(&self, _: Cell) -> u32 {
        self.record.m.value
    }

    fn replaced(&self, _: Cell) -> u32 {
        self.record.w.old
    }

    fn input(&self, number: u32) -> Option<u32> {
        (number < self.inputs).then_some(self.record.w.value)
    }
}

impl StepRecord {
    /// What `instruction`, at this record's `pc`, does with the words that the record says were read: if the record follows from its own words, that is
    /// the record itself. `None` stands for a `pc` in no instruction. Memory is what `space` says.
    ///
    /// Of `inputs` words of input, the one that is read is taken to be what the record says. The word that is replaced matters to nothing and is
    /// taken over where one is replaced.
    #[must_use]
    pub fn consequence(
        &self,
        instruction: Option<Instruction>,
        inputs: u32,
        space: AddressSpace,
    ) -> Self {
        let claim = Claim {
            record: self,
            inputs,
        };
        record(self.pc, instruction, space, &claim)
    }
}
