//! The engine against the reference machine and against `rrs-lib`, on random programs and on edge values.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::env;

use rand::Rng;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rrs_lib::instruction_executor::InstructionExecutor;
use rrs_lib::{HartState, MemAccessSize};
use tapcourt_program::riscv::{
    ACCEPT_PC, AddressSpace, Cell, EXIT_CALL, Engine, Format, INPUT_CALL, Image, Instruction,
    Machine, Op, Program, Register, Rom, State, StepRecord, Stop, Symbols,
};

/// Values at which instructions change their mind.
const EDGES: [u32; 10] = [
    0,
    1,
    u32::MAX,
    0x8000_0000,
    0x7fff_ffff,
    2,
    31,
    32,
    0xffff_0000,
    0x0001_0001,
];

/// Logarithms of the address spaces of random programs: the largest, the default, and the smallest
/// in which data has places of its own.
const SPACES: [u32; 3] = [32, 26, 16];

/// Where random programs have their data: in the middle of a page, at the borders of two, and at
/// both ends of memory.
fn data(space: AddressSpace) -> [u32; 5] {
    let end = space.bytes();
    let places = [
        end / 2 + 0x800,
        end / 4 - 16,
        end / 4,
        AddressSpace::LOWEST.into(),
        end - 16,
    ];
    places.map(|address| address as u32) // cast ok: below the end
}

/// Where there is no memory, next to where there is.
fn no_data(space: AddressSpace) -> [u32; 3] {
    [AddressSpace::LOWEST - 16, space.bytes() as u32, 0] // cast ok: 0 stands for 2^32
}

/// Inputs of random programs.
const INPUTS: [u32; 3] = [0xdead_beef, 0, 0x8000_0001];

/// A number of cases, multiplied by the environment variable `TAPCOURT_SCALE` where it is set.
fn scaled(cases: u64) -> u64 {
    let scale = env::var("TAPCOURT_SCALE").map_or(1.0, |scale| {
        scale.parse::<f64>().expect("TAPCOURT_SCALE is a number")
    });
    ((cases as f64 * scale) as u64).max(1) // cast ok: a rough number
}

fn x(number: u8) -> Register {
    Register::new(number)
}

/// Memory for `rrs-lib`, with another for instructions: what is read first in a step.
struct Harvard {
    space: AddressSpace,
    instruction: Option<u32>,
    words: HashMap<u32, u32>,
}

impl rrs_lib::Memory for Harvard {
    fn read_mem(&mut self, address: u32, size: MemAccessSize) -> Option<u32> {
        if let Some(word) = self.instruction.take() {
            return Some(word);
        }
        if !self.space.contains(address) {
            return None;
        }
        let word = self.words.get(&(address / 4)).copied().unwrap_or(0);
        let shifted = word >> (address % 4 * 8);
        Some(match size {
            MemAccessSize::Byte => shifted & 0xff,
            MemAccessSize::HalfWord => shifted & 0xffff,
            MemAccessSize::Word => shifted,
        })
    }

    fn write_mem(&mut self, address: u32, size: MemAccessSize, value: u32) -> bool {
        if !self.space.contains(address) {
            return false;
        }
        let mask = match size {
            MemAccessSize::Byte => 0xff,
            MemAccessSize::HalfWord => 0xffff,
            MemAccessSize::Word => u32::MAX,
        };
        let (word, shift) = (self.words.entry(address / 4).or_default(), address % 4 * 8);
        *word = *word & !(mask << shift) | (value & mask) << shift;
        true
    }
}

/// `rrs-lib`, following the reference.
struct Peer {
    hart: HartState,
    memory: Harvard,
    /// Words of instructions, which have to be those that the decoder was given: an illegal one cannot be encoded again.
    rom: HashMap<u32, u32>,
}

impl Peer {
    fn new(machine: &Machine<'_>, space: AddressSpace, rom: HashMap<u32, u32>) -> Self {
        let mut hart = HartState::new();
        hart.pc = machine.pc();
        for register in Register::all() {
            hart.registers[usize::from(register.number())] = machine.register(register);
        }
        let words = machine.memory().map(|(address, word)| (address / 4, word));
        Self {
            hart,
            memory: Harvard {
                space,
                instruction: None,
                words: words.collect(),
            },
            rom,
        }
    }

    /// Makes the step of which the reference made this record, and compares.
    fn follow(&mut self, op: Option<Op>, record: &StepRecord, machine: &Machine<'_>) {
        let Some(&word) = self.rom.get(&record.pc) else {
            return;
        };
        if op == Some(Op::Ecall) {
            // It knows no calls.
            self.hart.pc = record.next_pc;
            self.hart.registers[10] = machine.register(Register::A0);
            return;
        }
        self.memory.instruction = Some(word);
        let mut executor = InstructionExecutor {
            mem: &mut self.memory,
            hart_state: &mut self.hart,
        };
        let result = executor.step();
        let executes = !record.stops_in_place() || op.is_some_and(Op::jumps);
        assert_eq!(result.is_ok(), executes, "{record}: {result:?}");
        assert_eq!(self.hart.pc, machine.pc(), "{record}");
        for register in Register::all().skip(1) {
            let theirs = self.hart.registers[usize::from(register.number())];
            assert_eq!(machine.register(register), theirs, "{record}: {register}");
        }
        if let Some(address) = record.w.cell.address() {
            let theirs = self.memory.words.get(&(address / 4)).copied();
            assert_eq!(theirs.unwrap_or(0), record.w.value, "{record}");
        }
    }
}

fn assert_same_registers(engine: &Engine<'_>, machine: &Machine<'_>) {
    let state = engine.state();
    assert_eq!(state.steps, machine.steps());
    assert_eq!(state.pc, machine.pc(), "pc after step {}", state.steps);
    for register in Register::all() {
        let (ours, theirs) = (state.register(register), machine.register(register));
        assert_eq!(ours, theirs, "{register} after step {}", state.steps);
    }
}

fn assert_same(engine: &Engine<'_>, machine: &Machine<'_>) {
    assert_same_registers(engine, machine);
    let memory = &engine.state().memory;
    let words = memory.pages().into_iter().flat_map(|page| {
        let words = memory.page(page).expect("it is listed");
        let words = (0u32..).zip(words.iter().copied());
        words.map(move |(index, word)| (page << 12 | index << 2, word))
    });
    assert!(
        words.filter(|&(_, word)| word != 0).eq(machine.memory()),
        "memory after step {}",
        machine.steps()
    );
}

/// Programs with random instructions.
struct Generator {
    space: AddressSpace,
    random: ChaCha8Rng,
}

impl Generator {
    fn word(&mut self) -> u32 {
        if self.random.gen_bool(0.5) {
            *EDGES.choose(&mut self.random).expect("there are some")
        } else {
            self.random.r#gen()
        }
    }

    /// One of few, so that instructions meet in them. `x8` and `x9`, which point to data, are written rarely.
    fn register(&mut self, written: bool) -> Register {
        const NUMBERS: [u8; 12] = [0, 1, 2, 3, 5, 10, 11, 17, 31, 8, 9, 9];
        let few = if written && self.random.gen_bool(0.97) {
            9
        } else {
            NUMBERS.len()
        };
        x(*NUMBERS[..few].choose(&mut self.random).expect("not empty"))
    }

    fn instruction(&mut self, index: usize, length: usize, jumps: f64) -> Instruction {
        let op = match self.random.gen_range(0..400) {
            0..2 => Op::Illegal,
            2 => Op::Ebreak,
            3..8 => Op::Ecall,
            _ => loop {
                let op = *Op::ALL.choose(&mut self.random).expect("48");
                let rare = matches!(op, Op::Ebreak | Op::Ecall);
                if !rare && (!op.jumps() || self.random.gen_bool(jumps)) {
                    break op;
                }
            },
        };
        let accesses = op.access_log2_bytes();
        let random = &mut self.random;
        let imm = match op.format() {
            Format::Shift => random.gen_range(0..32),
            Format::U => random.r#gen::<u32>() & 0xffff_f000,
            Format::B | Format::J => {
                let target = match random.gen_range(0..50) {
                    0 => 4 * index as i64 + 2,
                    1 => 4 * random.gen_range(-20..60),
                    _ => 4 * random.gen_range(0..=length) as i64,
                };
                (target - 4 * index as i64) as u32 // cast ok: small; cut to 32 bits as intended
            }
            _ if accesses.is_some() && random.gen_bool(0.95) => {
                let log2_bytes = accesses.expect("it accesses memory");
                random.gen_range(-16i32..16).wrapping_shl(log2_bytes) as u32 // cast ok: the same bits
            }
            _ if op == Op::Jalr && random.gen_bool(0.8) => random.gen_range(0..8),
            _ => *[0, 1, u32::MAX, 2, 4, 2047, -2048i32 as u32, 0x7a] // cast ok: the same bits
                .choose(random)
                .expect("not empty"),
        };
        let base = if accesses.is_some() && self.random.gen_bool(0.9) {
            x(self.random.gen_range(8..10))
        } else if op == Op::Jalr && self.random.gen_bool(0.8) {
            x(1)
        } else {
            self.register(false)
        };
        Instruction::new(op, self.register(true), base, self.register(false), imm)
    }

    /// A program in one to three segments, and the words of its instructions.
    fn program(&mut self) -> (Program, HashMap<u32, u32>) {
        // Some are long and have few jumps: longer than what the engine executes at once.
        let (length, jumps) = match self.random.gen_range(0..10) {
            0 => (self.random.gen_range(60..300), 0.02),
            _ => (self.random.gen_range(2..40), 1.0),
        };
        let high = 0xffff_fffc - 0x800;
        let mut base: u32 = *[0x1000, 0, 0x10_0000, 0x2000_1000, high]
            .choose(&mut self.random)
            .expect("not empty");
        let entry = base;
        let mut parts: Vec<(u32, Vec<u32>)> = vec![(base, Vec::new())];
        for index in 0..length {
            if self.random.gen_bool(0.03) {
                base += 4 * self.random.gen_range(1..4);
                parts.push((base, Vec::new()));
            }
            let instruction = self.instruction(index, length, jumps);
            let word = match instruction.op {
                Op::Illegal => *[0, u32::MAX, 0x0000_100f, 0x3000_2573, 0x0000_0001]
                    .choose(&mut self.random)
                    .expect("not empty"),
                _ => instruction.encode(),
            };
            parts.last_mut().expect("not empty").1.push(word);
            base += 4;
        }
        if parts[0].1.is_empty() {
            parts[0].1.push(Instruction::ILLEGAL.encode());
            parts.truncate(1);
        }
        let words = parts.iter().flat_map(|&(base, ref words)| {
            let words = (0u32..).zip(words.iter().copied());
            words.map(move |(index, word)| (base + 4 * index, word))
        });
        let words = words.collect();
        let rom = Rom::new(parts).expect("they do not overlap");
        let pieces = data(self.space).map(|address| {
            let bytes = (0..16).map(|_| self.random.r#gen()).collect();
            (address, bytes)
        });
        let pieces = pieces[..].to_vec();
        let image = Image::new(pieces).expect("they do not overlap");
        let program = Program::new(entry, rom, image, Symbols::default());
        let program = program.expect("the entry is the first");
        (
            program.with_space(self.space).expect("data are inside"),
            words,
        )
    }

    /// First registers: pointers to code and data, numbers of calls, edges and others.
    fn registers(&mut self, program: &Program) -> [u32; 32] {
        let mut registers = [0; 32].map(|_: u32| self.word());
        registers[0] = 0;
        let entry = program.entry();
        registers[1] = entry + 4 * self.random.gen_range(0..12);
        for register in &mut registers[8..10] {
            *register = if self.random.gen_bool(0.03) {
                *no_data(self.space)
                    .choose(&mut self.random)
                    .expect("not empty")
            } else {
                *data(self.space)
                    .choose(&mut self.random)
                    .expect("not empty")
            };
        }
        if self.random.gen_bool(0.5) {
            registers[10] = self.random.gen_range(0..5);
        }
        if self.random.gen_bool(0.8) {
            registers[17] = *[EXIT_CALL, INPUT_CALL, INPUT_CALL]
                .choose(&mut self.random)
                .expect("not empty");
        }
        registers
    }
}

/// What a comparison went over.
#[derive(Default)]
struct Coverage {
    programs: u64,
    steps: u64,
    ops: BTreeMap<Op, u64>,
    ends: BTreeMap<&'static str, u64>,
}

impl Coverage {
    fn count(&mut self, program: &Program, record: &StepRecord, machine: &Machine<'_>) {
        let instruction = program.rom().get(record.pc);
        let op = instruction.map(|found| found.op);
        self.steps += 1;
        if let Some(op) = op {
            *self.ops.entry(op).or_default() += 1;
        }
        let end = match op {
            _ if !record.stops_in_place() && record.next_pc == ACCEPT_PC => "accepted",
            _ if !record.stops_in_place() => return,
            None => "pc in no instruction",
            Some(Op::Illegal) => "illegal",
            Some(Op::Ebreak) => "ebreak",
            Some(Op::Ecall) => "call in place",
            Some(op) if op.jumps() => "jump to itself",
            Some(_) => {
                let instruction = instruction.expect("it is one");
                let base = machine.register(instruction.rs1);
                let address = base.wrapping_add(instruction.imm);
                match program.space().contains(address) {
                    true => "misaligned",
                    false => "no memory",
                }
            }
        };
        *self.ends.entry(end).or_default() += 1;
    }

    fn print(&self) {
        println!(
            "covered: {} random programs, {} steps of random programs",
            self.programs, self.steps
        );
        for op in Op::ALL.into_iter().chain([Op::Illegal]) {
            let count = self.ops.get(&op).copied().unwrap_or(0);
            println!("  {:8} {count}", op.mnemonic());
        }
        println!("{:?}", self.ends);
    }
}

/// Goes back to the state before the first step, in the same memory: making a new one takes longer than most of these programs run.
fn reset(state: &mut State, program: &Program) {
    state.pc = program.entry();
    state.registers = [0; 32];
    state.steps = 0;
    for page in state.memory.pages() {
        state.memory.set_page(page, None);
    }
    for (address, word) in program.image().words() {
        state.memory.set_word(address, word);
    }
    state.memory.take_dirty();
}

/// Runs a program in all three, the engine from stop to stop, which are `every` steps apart or less. Takes and gives back a state of the engine.
fn compare(
    generator: &mut Generator,
    mut state: State,
    (program, words): &(Program, HashMap<u32, u32>),
    every: u64,
    coverage: &mut Coverage,
) -> State {
    let mut machine = Machine::new(program, &INPUTS);
    reset(&mut state, program);
    assert_eq!(state.pc, machine.pc());
    let mut engine = Engine::resume(program, &INPUTS, state);
    let registers = generator.registers(program);
    for (register, value) in Register::all().zip(registers) {
        machine.set_cell(Cell::register(register), value);
    }
    engine.state_mut().registers = registers;
    let mut peer = Peer::new(&machine, program.space(), words.clone());
    let limit = generator.random.gen_range(1..400);
    let mut stopped = false;
    let mut in_place = false;
    let mut dirty = BTreeSet::new();
    let mut stop_at = generator.random.gen_range(1..=every);
    while machine.steps() < limit && !stopped {
        let op = program.rom().get(machine.pc()).map(|found| found.op);
        let record = machine.step();
        coverage.count(program, &record, &machine);
        in_place |= record.stops_in_place();
        dirty.extend(record.w.cell.address().map(|address| address >> 12));
        peer.follow(op, &record, &machine);
        stopped = in_place;
        if machine.steps() == stop_at || machine.steps() == limit || stopped {
            let stop = engine.run_to(machine.steps());
            assert_same_registers(&engine, &machine);
            let expected = match in_place {
                _ if machine.accepted() => Stop::Accepted,
                true => Stop::InPlace,
                false => Stop::Reached,
            };
            assert_eq!(stop, expected, "after step {}", machine.steps());
            stop_at = machine.steps() + generator.random.gen_range(1..=every);
        }
    }
    assert_same(&engine, &machine);
    let pages = engine.state_mut().memory.take_dirty();
    assert!(pages.into_iter().eq(dirty), "other pages were written");
    coverage.programs += 1;
    engine.into_state()
}

#[test]
fn random_programs_agree() {
    let steps = scaled(1_200_000);
    let mut coverage = Coverage::default();
    let random = ChaCha8Rng::seed_from_u64(4);
    let space = AddressSpace::LARGEST;
    let mut generator = Generator { space, random };
    for (share, log2_bytes) in (1..).zip(SPACES) {
        generator.space = AddressSpace::new(log2_bytes).expect("13 to 32");
        let mut state = State::new(&generator.program().0);
        while coverage.steps < steps * share / SPACES.len() as u64 {
            let program = generator.program();
            for every in [1, 7, 100, 300] {
                state = compare(&mut generator, state, &program, every, &mut coverage);
            }
        }
    }
    coverage.print();
    for op in Op::ALL.into_iter().chain([Op::Illegal]) {
        let count = coverage.ops.get(&op).copied().unwrap_or(0);
        assert!(count as f64 > steps as f64 / 10_000.0, "{op:?}: {count}"); // cast ok: a rough number
    }
    assert_eq!(coverage.ends.len(), 8, "{:?}", coverage.ends);
}

/// Every instruction that computes, alone and before and after others, on all pairs of edges, with its registers the same or not.
#[test]
fn edges_agree() {
    let base = 0x1000;
    let empty = Program::from_instructions(base, &[Instruction::ECALL])
        .and_then(|program| program.with_space(AddressSpace::LARGEST));
    let mut state = State::new(&empty.expect("the entry is the first"));
    let aliases = [
        (3, 1, 2),
        (1, 1, 2),
        (2, 1, 2),
        (3, 1, 1),
        (1, 1, 1),
        (0, 1, 2),
        (3, 0, 2),
        (0, 0, 0),
    ];
    let mut compared = 0u64;
    for op in Op::ALL {
        for (rd, rs1, rs2) in aliases {
            for imm in [0u32, 1, 31, 4, u32::MAX, 0x7ff, -0x800i32 as u32] {
                let imm = match op.format() {
                    Format::Shift if imm > 31 => continue,
                    Format::Shift | Format::I | Format::S => imm,
                    Format::B | Format::J => imm & 0xffe,
                    Format::U => imm << 12,
                    Format::R | Format::None if imm > 0 => continue,
                    Format::R | Format::None => 0,
                };
                let instruction = Instruction::new(
                    op,
                    x(rd),
                    x(rs1),
                    x(rs2),
                    if op.format() == Format::B && imm >= 0x800 {
                        imm | 0xffff_f000
                    } else {
                        imm
                    },
                );
                let around = Instruction::new(Op::Addi, x(4), x(rd), x(0), 1);
                let before = Instruction::new(Op::Addi, x(1), x(1), x(0), 0);
                let program =
                    Program::from_instructions(base, &[instruction, before, instruction, around])
                        .and_then(|program| program.with_space(AddressSpace::LARGEST))
                        .expect("the entry is the first");
                let mut engine = Engine::resume(&program, &INPUTS, state);
                for a in EDGES {
                    for b in EDGES {
                        let mut machine = Machine::new(&program, &INPUTS);
                        reset(engine.state_mut(), &program);
                        for (number, value) in [(1, a), (2, b), (10, b), (17, INPUT_CALL)] {
                            machine.set_cell(Cell::register(x(number)), value);
                            engine.state_mut().registers[usize::from(number)] = value;
                        }
                        for _ in 0..4 {
                            machine.step();
                        }
                        engine.run_to(4);
                        assert_same(&engine, &machine);
                        compared += 1;
                    }
                }
                state = engine.into_state();
            }
        }
    }
    println!("covered: {compared} states at edges");
}

/// Every instruction that sets `pc`, with targets at and around that of acceptance.
#[test]
fn only_the_exit_call_leads_to_acceptance() {
    let near = [0, 1, 2, 3, 4, 5, 8].map(|below| ACCEPT_PC.wrapping_sub(below));
    let mut tried = 0u64;
    // By distance: from the first address, from the middle, and from the last instruction there can
    // be.
    for base in [0x1000, 0x8000_0000, 0xffff_fff8] {
        for op in Op::ALL {
            let imms: Vec<u32> = match op.format() {
                Format::J | Format::B => {
                    let reach: u32 = if op.format() == Format::J {
                        1 << 20
                    } else {
                        1 << 12
                    };
                    let near = near.map(|target| target.wrapping_sub(base));
                    let fits = |imm: &u32| *imm < reach || *imm >= reach.wrapping_neg();
                    let even = near.into_iter().filter(fits).map(|imm| imm & !1);
                    even.chain([0, 2, 4, reach - 2, reach.wrapping_neg()])
                        .collect()
                }
                Format::I | Format::S => vec![0, 1, 2, 3, u32::MAX, 0x7ff, 0x800u32.wrapping_neg()],
                Format::Shift => vec![0, 1, 31],
                Format::U => vec![0, 0xffff_f000],
                Format::R | Format::None => vec![0],
            };
            for imm in imms {
                let instruction = Instruction::new(op, x(5), x(6), x(7), imm);
                let rom = Rom::new(vec![(base, vec![instruction.encode()])]).expect("it fits");
                let program = Program::new(base, rom, Image::default(), Symbols::default());
                let program = program.expect("the entry is the first");
                let calls = [0, EXIT_CALL, INPUT_CALL, u32::MAX];
                let pairs = near.iter().flat_map(|&a| [0, 1, a].map(|b| (a, b)));
                for (a, b) in pairs.chain(calls.iter().flat_map(|&a| [0, 1, 2].map(|b| (a, b)))) {
                    let (mut machine, mut engine) = (
                        Machine::new(&program, &INPUTS),
                        Engine::new(&program, &INPUTS[..]),
                    );
                    for number in [6, 7] {
                        let value = if number == 6 { a } else { b };
                        machine.set_cell(Cell::register(x(number)), value);
                        engine.state_mut().registers[usize::from(number)] = value;
                    }
                    machine.set_cell(Cell::register(Register::A7), a);
                    machine.set_cell(Cell::register(Register::A0), b);
                    engine.state_mut().registers[17] = a;
                    engine.state_mut().registers[10] = b;
                    let exits = op == Op::Ecall && a == EXIT_CALL && b == 0;
                    machine.step();
                    let stop = engine.run(1);
                    assert_eq!(machine.accepted(), exits, "{instruction:?} {a:#x} {b:#x}");
                    assert_eq!(
                        stop == Stop::Accepted,
                        exits,
                        "{instruction:?} {a:#x} {b:#x}"
                    );
                    assert!(
                        exits || machine.pc().is_multiple_of(2),
                        "{instruction:?} {a:#x}"
                    );
                    tried += 1;
                }
            }
        }
    }
    println!("{tried} steps, of which only exits with code 0 accept");
}
