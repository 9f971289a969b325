//! Instructions, states and lies, edge values first.

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_program::riscv::{
    ACCEPT_PC, AddressSpace, Cell, EXIT_CALL, Format, INPUT_CALL, Instruction, Machine, Op,
    Register, StepRecord,
};

/// A seeded source of words.
#[derive(Clone, Debug)]
pub struct Random(pub ChaCha8Rng);

/// Words at which something changes.
const EDGES: [u32; 16] = [
    0,
    1,
    2,
    3,
    0xf,
    0x10,
    0x1f,
    0x20,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_fffe,
    0xffff_ffff,
];

impl Random {
    /// A source for a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A word: an edge, one near another, or any.
    pub fn word(&mut self) -> u32 {
        match self.0.gen_range(0..4) {
            0 => EDGES[self.0.gen_range(0..EDGES.len())],
            1 => EDGES[self.0.gen_range(0..EDGES.len())].wrapping_add(self.0.gen_range(0..64)),
            2 => self.0.r#gen::<u32>() >> self.0.gen_range(0..32),
            _ => self.0.r#gen(),
        }
    }

    /// An address of memory, often near an end of it.
    pub fn address(&mut self, space: AddressSpace) -> u32 {
        let last = (space.bytes() - 1) as u32; // cast ok: at most 2^32 - 1
        match self.0.gen_range(0..4) {
            0 => AddressSpace::LOWEST + self.0.gen_range(0..64),
            1 => last - self.0.gen_range(0..64),
            _ => self.0.gen_range(AddressSpace::LOWEST..=last),
        }
    }

    /// An address next to memory, or any.
    pub fn address_outside(&mut self, space: AddressSpace) -> u32 {
        match self.0.gen_range(0..4) {
            0 => AddressSpace::LOWEST - 1 - self.0.gen_range(0..64),
            // From the first address beyond, which is 0 in the largest space.
            1 => (space.bytes() as u32).wrapping_add(self.0.gen_range(0..64)), // cast ok: meant
            2 => self.0.gen_range(0..AddressSpace::LOWEST),
            _ => self.word(),
        }
    }

    /// A register; often `x0`, or one of a few, so that operands coincide.
    pub fn register(&mut self) -> Register {
        Register::new(match self.0.gen_range(0..8) {
            0 => 0,
            1..=3 => self.0.gen_range(1..4),
            _ => self.0.gen_range(0..32),
        })
    }

    /// Whether something of this probability, in 256ths, happens.
    pub fn chance(&mut self, of_256: u32) -> bool {
        self.0.gen_range(0..256) < of_256
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.gen_range(0..bound)
    }
}

/// An instruction with random registers and immediate.
pub fn random_instruction(op: Op, random: &mut Random) -> Instruction {
    let (rd, rs1, rs2) = (random.register(), random.register(), random.register());
    let word = random.word();
    let small = match random.below(4) {
        0 => [0, 1, 4, 0x7ff, 0xffff_f800, u32::MAX][random.below(6)],
        _ => (word as i32 >> 20) as u32, // cast ok: sign extended
    };
    let imm = match op.format() {
        Format::I | Format::S => small,
        Format::Shift => word % 32,
        Format::B => ((word as i32 >> 19) as u32) & !1, // cast ok: sign extended
        Format::U => word & 0xffff_f000,
        Format::J => ((word as i32 >> 11) as u32) & !1, // cast ok: sign extended
        Format::R | Format::None => 0,
    };
    Instruction::new(op, rd, rs1, rs2, imm)
}

/// Puts a machine before an instruction, with words that make it interesting.
pub fn random_state(
    machine: &mut Machine<'_>,
    pc: u32,
    instruction: Instruction,
    random: &mut Random,
) {
    machine.set_pc(pc);
    for register in Register::all() {
        machine.set_cell(Cell::register(register), random.word());
    }
    // Equal operands, and those that differ by one.
    if random.chance(64) {
        let a = machine.register(instruction.rs1);
        let near = a.wrapping_add([0, 1, u32::MAX][random.below(3)]);
        machine.set_cell(Cell::register(instruction.rs2), near);
    }
    let op = instruction.op;
    if op.accesses_memory() {
        // Mostly aligned and memory, which is not all zeros.
        let space = machine.program().space();
        if random.chance(200) {
            let address = match random.chance(210) {
                true => random.address(space),
                false => random.address_outside(space),
            };
            let aligned = address & !3;
            let offset = [0, 0, 1, 2, 2, 3][random.below(6)];
            let base = aligned.wrapping_add(offset).wrapping_sub(instruction.imm);
            machine.set_cell(Cell::register(instruction.rs1), base);
        }
        let address = machine
            .register(instruction.rs1)
            .wrapping_add(instruction.imm);
        let word = random.word();
        if space.contains(address) {
            machine.set_cell(Cell::memory(address), word);
        }
    }
    if op == Op::Ecall {
        let (call, argument) = match random.below(6) {
            0 => (EXIT_CALL, 0),
            1 => (EXIT_CALL, random.word() | 1),
            2 | 3 => (INPUT_CALL, random.below(6) as u32), // cast ok: below 6
            4 => (INPUT_CALL, random.word()),
            _ => (random.word(), random.word()),
        };
        machine.set_cell(Cell::register(Register::A7), call);
        machine.set_cell(Cell::register(Register::A0), argument);
    }
}

/// Names of the fields that [`lies`] lies about, one at a time.
pub const FIELDS: [&str; 11] = [
    "pc", "next pc", "value a", "value b", "value m", "value w", "replaced", "cell a", "cell b",
    "cell m", "cell w",
];

/// Another word than this: near it, with one bit flipped, or any.
fn other(word: u32, random: &mut Random) -> u32 {
    loop {
        let lie = match random.below(4) {
            0 => word ^ 1 << random.below(32),
            1 => word.wrapping_add([1, u32::MAX, 4, 0xffff_fffc][random.below(4)]),
            2 => [0, ACCEPT_PC, u32::MAX, 1][random.below(4)],
            _ => random.word(),
        };
        if lie != word {
            return lie;
        }
    }
}

/// Another cell than this; a register if `register`.
fn other_cell(cell: Cell, register: bool, random: &mut Random) -> Cell {
    loop {
        let lie = match random.below(3) {
            _ if register => Cell::register(random.register()),
            0 => Cell::register(random.register()),
            1 => Cell::from_index(cell.index() ^ 1 << random.below(30)).expect("30 bits"),
            _ => Cell::memory(random.word().max(AddressSpace::LOWEST)),
        };
        if lie != cell {
            return lie;
        }
    }
}

/// Lies about one field, by its place in [`FIELDS`].
pub fn lie(record: &mut StepRecord, field: usize, random: &mut Random) {
    match field {
        0 => record.pc = other(record.pc, random),
        1 => record.next_pc = other(record.next_pc, random),
        2 => record.a.value = other(record.a.value, random),
        3 => record.b.value = other(record.b.value, random),
        4 => record.m.value = other(record.m.value, random),
        5 => record.w.value = other(record.w.value, random),
        6 => record.w.old = other(record.w.old, random),
        7 => record.a.cell = other_cell(record.a.cell, true, random),
        8 => record.b.cell = other_cell(record.b.cell, true, random),
        9 => record.m.cell = other_cell(record.m.cell, false, random),
        _ => record.w.cell = other_cell(record.w.cell, false, random),
    }
}

/// Every lie about a single field, and some about several, with what was lied about.
pub fn lies(
    truth: &StepRecord,
    several: usize,
    random: &mut Random,
) -> Vec<(Vec<usize>, StepRecord)> {
    let mut lies = Vec::new();
    for field in 0..FIELDS.len() {
        let mut record = *truth;
        lie(&mut record, field, random);
        lies.push((vec![field], record));
    }
    for _ in 0..several {
        let mut record = *truth;
        let mut fields = Vec::new();
        for field in 0..FIELDS.len() {
            if random.chance(90) {
                lie(&mut record, field, random);
                fields.push(field);
            }
        }
        if record != *truth {
            lies.push((fields, record));
        }
    }
    lies
}
