//! Executions against the reference machine, a step at a time.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tapcourt_program::riscv::{
    AddressSpace, Cell, Digest, EXIT_CALL, Engine, Execution, INPUT_CALL, Image, Instruction,
    Machine, Op, Program, Register, Rom, SnapshotLimits, StepRecord, Symbols, Tree,
};

use crate::definition::Definition;

const ZERO: Register = Register::ZERO;

/// Points to data; never written in the loop.
const POINTER: Register = Register::new(8);
const COUNTER: Register = Register::new(9);

fn x(number: u8) -> Register {
    Register::new(number)
}

fn add_immediate(rd: Register, rs1: Register, imm: i32) -> Instruction {
    Instruction::new(Op::Addi, rd, rs1, ZERO, imm as u32) // cast ok: the same bits
}

/// How a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Accept,
    Reject,
    /// Goes on for ever.
    Never,
}

/// A loop of random instructions: `rounds` times, over data from `data` on in strides of `stride` bytes.
fn random_loop(
    rng: &mut ChaCha8Rng,
    rounds: u32,
    data: u32,
    stride: i32,
    ending: Ending,
) -> Program {
    // Data at the end of memory are in the largest space.
    let space = if u64::from(data) < AddressSpace::DEFAULT.bytes() {
        AddressSpace::DEFAULT
    } else {
        AddressSpace::LARGEST
    };
    let mut code = vec![
        Instruction::new(Op::Lui, POINTER, ZERO, ZERO, data & !0xfff),
        add_immediate(POINTER, POINTER, (data & 0x7ff) as i32), // cast ok: 11 bits
        Instruction::new(Op::Lui, COUNTER, ZERO, ZERO, rounds & !0xfff),
        add_immediate(COUNTER, COUNTER, (rounds & 0x7ff) as i32), // cast ok: 11 bits
        add_immediate(Register::A7, ZERO, INPUT_CALL as i32),     // cast ok: small
        Instruction::ECALL,
    ];
    let start = code.len();
    for _ in 0..rng.gen_range(3..14) {
        let (a, b, c) = (
            x(rng.gen_range(0..8)),
            x(rng.gen_range(0..8)),
            x(rng.gen_range(0..8)),
        );
        let offset = rng.gen_range(0u32..30) * 4;
        code.push(match rng.gen_range(0..9) {
            0 => Instruction::new(Op::Add, a, b, COUNTER, 0),
            1 => Instruction::new(Op::Mul, a, b, c, 0),
            2 => Instruction::new(Op::Sub, a, b, c, 0),
            3 => Instruction::new(Op::Lw, a, POINTER, ZERO, offset),
            4 => Instruction::new(Op::Lbu, a, POINTER, ZERO, offset + 1),
            5 => Instruction::new(Op::Sb, ZERO, POINTER, b, offset + 3),
            6 => Instruction::new(Op::Sh, ZERO, POINTER, b, offset + 2),
            _ => Instruction::new(Op::Sw, ZERO, POINTER, COUNTER, offset),
        });
    }
    code.push(Instruction::new(Op::Sw, ZERO, POINTER, COUNTER, 0));
    code.push(add_immediate(POINTER, POINTER, stride));
    code.push(add_immediate(COUNTER, COUNTER, -1));
    let back = 4 * (code.len() - start) as u32; // cast ok: few
    let (op, right) = match ending {
        Ending::Never => (Op::Beq, COUNTER),
        _ => (Op::Bne, ZERO),
    };
    code.push(Instruction::new(
        op,
        ZERO,
        COUNTER,
        right,
        back.wrapping_neg(),
    ));
    let code_of_exit = i32::from(ending == Ending::Reject);
    code.extend([
        add_immediate(Register::A0, ZERO, code_of_exit),
        add_immediate(Register::A7, ZERO, EXIT_CALL as i32), // cast ok: small
        Instruction::ECALL,
    ]);
    Program::from_instructions(0x1_0000, &code)
        .and_then(|program| program.with_space(space))
        .expect("instructions and memory are in place")
}

fn random_limits(rng: &mut ChaCha8Rng) -> SnapshotLimits {
    SnapshotLimits {
        budget_bytes: [0, 10_000, 40_000, 200_000, usize::MAX][rng.gen_range(0..5)],
        spacing_steps: [0, 1, 7, 64, 1 << 22, u64::MAX][rng.gen_range(0..6)],
        count: [0, 1, 3, 10, 100][rng.gen_range(0..5)],
    }
}

/// All states of a program, by the reference machine and the definition of digests.
struct Reference {
    digests: Vec<Digest>,
    records: Vec<StepRecord>,
    /// The step after which nothing changes.
    last_step: Option<u64>,
}

impl Reference {
    fn new(definition: &Definition, program: &Program, inputs: &[u32], steps: u64) -> Self {
        let mut machine = Machine::new(program, inputs);
        let mut reference = Self {
            digests: Vec::new(),
            records: Vec::new(),
            last_step: None,
        };
        for step in 0..steps {
            let digest = Digest::from_bytes(definition.digest(&machine, program.space().levels()));
            reference.digests.push(digest);
            reference.records.push(machine.next_record());
            if machine.next_record().stops_in_place() {
                reference.last_step = Some(step);
                break;
            }
            machine.step();
        }
        reference
    }

    fn digest(&self, step: u64) -> Digest {
        self.digests[self.at(step)]
    }

    fn at(&self, step: u64) -> usize {
        let last = self.digests.len() as u64 - 1; // cast ok: few
        step.min(last) as usize // cast ok: as above
    }

    /// Some step of which it knows the state.
    fn step(&self, rng: &mut ChaCha8Rng) -> u64 {
        let known = self.digests.len() as u64; // cast ok: few
        match self.last_step {
            Some(_) if rng.gen_bool(0.2) => rng.r#gen(),
            _ => rng.gen_range(0..known),
        }
    }
}

#[test]
fn every_step_is_as_by_the_reference_machine() {
    let definition = Definition::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut states, mut asked, mut paths, mut thinned) = (0, 0, 0, 0);
    for number in 0..16 {
        let ending = [Ending::Accept, Ending::Reject, Ending::Never][number % 3];
        let data = [0x1_0000, 0x8000_0100, 0xffff_ff80, 0x1000][number % 4];
        let stride = [4, 64, 1024, 2044, -4][number % 5];
        let rounds = rng.gen_range(1..40);
        let program = random_loop(&mut rng, rounds, data, stride, ending);
        let inputs = [rng.r#gen(), rng.r#gen()];
        let reference = Reference::new(&definition, &program, &inputs, 400);
        states += reference.digests.len();
        for _ in 0..8 {
            let limits = random_limits(&mut rng);
            let mut execution = Execution::with_limits(&program, &inputs, limits);
            for _ in 0..12 {
                let step = reference.step(&mut rng);
                let expected = reference.digest(step);
                let record = reference.records[reference.at(step)];
                match rng.gen_range(0..6) {
                    0 => assert_eq!(execution.digest_at(step), expected),
                    1 => assert_eq!(execution.record_at(step), record),
                    2 => {
                        let disputed = execution.step_at(step);
                        assert_eq!(disputed.record, record);
                        assert_eq!(disputed.digest(), expected);
                        let next = step.saturating_add(1);
                        if reference.at(next) as u64 == next || reference.last_step.is_some() {
                            assert_eq!(disputed.next_digest(), reference.digest(next));
                        }
                        let roots = (disputed.root, disputed.next_root);
                        assert_eq!(disputed.write_pairs().pop(), Some(roots));
                    }
                    3 => {
                        let cell = match rng.gen_range(0..3) {
                            0 => record.a.cell,
                            1 => record.m.cell,
                            _ => Cell::memory(rng.gen_range(AddressSpace::LOWEST..=u32::MAX)),
                        };
                        let (word, path) = execution.path_at(step, cell);
                        let root = path.root(word);
                        assert_eq!(Digest::new(record.pc, root), expected);
                        assert_ne!(path.root(word ^ 1), root);
                        paths += 1;
                    }
                    _ => {
                        let steps: Vec<u64> = (0..rng.gen_range(0..20))
                            .map(|_| reference.step(&mut rng))
                            .collect();
                        let expected: Vec<Digest> =
                            steps.iter().map(|&step| reference.digest(step)).collect();
                        assert_eq!(execution.digests(&steps), expected);
                        asked += steps.len();
                    }
                }
                asked += 1;
                let snapshots = execution.snapshot_steps();
                assert!(snapshots.len() <= 2 * limits.count.max(2) + 2);
                thinned += usize::from(snapshots.len() > 2);
            }
            execution.digest_at(399);
            assert_eq!(execution.last_step(), reference.last_step);
        }
    }
    println!(
        "{states} states, asked for {asked} times, {paths} paths, {thinned} times with snapshots in between"
    );
    println!("covered: {states} states digested, {paths} paths to words");
}

#[test]
fn snapshots_keep_to_their_budget() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let program = random_loop(&mut rng, 0, 0x8000_0000, 64, Ending::Never);
    let steps: Vec<u64> = (1..=16).map(|i| i * 25_000).collect();
    let mut engine = Engine::new(&program, &[1]);
    let expected: Vec<Digest> = steps
        .iter()
        .map(|&step| digest(&mut engine, step))
        .collect();
    for (budget_bytes, spacing_steps, count) in [
        (0, 1000, 64),
        (2_000_000, 1000, 64),
        (8_000_000, 333, 8),
        (usize::MAX, 5000, 20),
    ] {
        let limits = SnapshotLimits {
            budget_bytes,
            spacing_steps,
            count,
        };
        let mut execution = Execution::with_limits(&program, &[1], limits);
        assert_eq!(execution.digests(&steps), expected);
        let pages = execution
            .tree_at(steps[15])
            .bytes_beyond(&Tree::new(program.space()));
        assert!(execution.snapshot_bytes() <= budget_bytes.max(4 * pages));
        for i in [3, 15, 0, 7, 8, 8] {
            assert_eq!(execution.digest_at(steps[i]), expected[i]);
        }
        println!(
            "budget {budget_bytes}: {} snapshots in {} bytes",
            execution.snapshot_steps().len(),
            execution.snapshot_bytes()
        );
    }
}

/// The digest after `step` steps, from nothing but the engine's state.
fn digest(engine: &mut Engine<'_>, step: u64) -> Digest {
    engine.run_to(step);
    let state = engine.state();
    let mut tree = Tree::new(state.memory.space());
    tree.set_registers(&state.registers);
    let pages = state.memory.pages().into_iter();
    tree.set_pages(pages.map(|number| (number, state.memory.page(number))));
    Digest::new(state.pc, tree.root())
}

#[test]
fn digests_do_not_depend_on_the_number_of_threads() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let program = random_loop(&mut rng, 0, 0x2000_0000, 4, Ending::Never);
    let steps: Vec<u64> = (0..40).map(|_| rng.gen_range(0..2_000_000)).collect();
    let limits = SnapshotLimits {
        spacing_steps: 50_000,
        ..SnapshotLimits::default()
    };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| {
            let mut execution = Execution::with_limits(&program, &[7], limits);
            let digests = execution.digests(&steps);
            (
                digests,
                execution.snapshot_steps(),
                execution.snapshot_bytes(),
            )
        })
    };
    let (digests, ..) = &run(1);
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(4));
    let mut engine = Engine::new(&program, &[7]);
    let mut ascending: Vec<usize> = (0..steps.len()).collect();
    ascending.sort_by_key(|&i| steps[i]);
    for i in ascending {
        assert_eq!(digests[i], digest(&mut engine, steps[i]));
    }
}

#[test]
fn a_stopped_machine_costs_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for ending in [Ending::Accept, Ending::Reject] {
        let program = random_loop(&mut rng, 100, 0x8000_0000, 4, ending);
        let mut execution = Execution::new(&program, &[7]);
        assert_eq!(execution.last_step(), None);
        let steps: Vec<u64> = (0..64).map(|log2| 1 << log2).chain([u64::MAX]).collect();
        let digests = execution.digests(&steps);
        assert_eq!(digests[40], digests[64]);
        let last = execution.last_step().expect("it stops");
        assert!(execution.record_at(last).stops_in_place());
        assert!(!execution.record_at(last - 1).stops_in_place());
        assert_eq!(execution.state_at(1 << 40).steps, last);
        assert_eq!(execution.accepts_within(1 << 40), ending == Ending::Accept);
        assert!(!execution.accepts_within(last - 1));
        let disputed = execution.step_at(1 << 40);
        assert_eq!(disputed.digest(), disputed.next_digest());
        assert_eq!(disputed.digest(), digests[40]);
    }
}

#[test]
fn the_first_state_is_the_image() {
    let image = Image::new(vec![(0x17ff, vec![1; 0x1802]), (0xffff_fff0, vec![2; 16])]);
    let rom = Program::from_instructions(0x1000, &[Instruction::ECALL]);
    let rom = rom.expect("an instruction").rom().clone();
    let program = Program::new(0x1000, rom, image.expect("no overlap"), Symbols::default());
    let program = program.expect("the entry is in it");
    let digest = Definition::new().digest(&Machine::new(&program, &[]), 30);
    let mut execution = Execution::new(&program, &[]);
    assert_eq!(execution.digest_at(0).to_bytes(), digest);
    assert_eq!(execution.digests(&[5, 0, 5])[2].to_bytes(), digest);
    assert_eq!(execution.last_step(), Some(0));
    assert_eq!(execution.digests(&[]), []);
}

/// In every space loads and stores near both ends of memory, the last of them where there is none:
/// the reference machine, the engine at every step, and executions that go back and forth have the
/// same states, and these the digests of the definition.
#[test]
fn states_at_the_borders_of_every_space() {
    let definition = Definition::new();
    let mut rng = ChaCha8Rng::seed_from_u64(0xb0d);
    let (mut states, mut asked, mut stopped) = (0, 0, 0);
    let [pointer, a, b] = [8, 5, 6].map(x);
    let accesses_memory: Vec<Op> = Op::ALL
        .into_iter()
        .filter(|op| op.accesses_memory())
        .collect();
    for log2_bytes in 13..=32u32 {
        let space = AddressSpace::new(log2_bytes).expect("13 to 32");
        let end = space.bytes() as u32; // cast ok: 0 stands for 2^32
        for _ in 0..8 {
            let mut code = vec![add_immediate(a, ZERO, rng.gen_range(-2048..2048))];
            let accesses = rng.gen_range(1..14u64);
            for access in 0..accesses {
                let op = accesses_memory[rng.gen_range(0..accesses_memory.len())];
                let bytes = 1u32 << op.access_log2_bytes().expect("an access");
                let at = bytes * rng.gen_range(0..4);
                let last = access + 1 == accesses;
                let address = match rng.gen_range(0..4) {
                    0 if last => AddressSpace::LOWEST - bytes - at,
                    1 if last => end.wrapping_add(at),
                    2 if last => [0, !(bytes - 1), 0x8000_0000][rng.gen_range(0..3)],
                    0 | 1 => AddressSpace::LOWEST + at,
                    2 => end.wrapping_sub(bytes + at),
                    _ => end.wrapping_div(2).max(0x1000) + at,
                };
                let imm = [0, 1, -1, 2047, -2048, 4][rng.gen_range(0..6)] as u32; // cast ok: the same bits
                let base = address.wrapping_sub(imm);
                let low = (base << 20) as i32 >> 20; // casts ok: sign extended
                let high = base.wrapping_sub(low as u32); // cast ok: the same bits
                code.push(Instruction::new(Op::Lui, pointer, ZERO, ZERO, high));
                code.push(add_immediate(pointer, pointer, low));
                let rd = [ZERO, a, b][rng.gen_range(0..3)];
                code.push(Instruction::new(
                    op,
                    rd,
                    pointer,
                    [a, b][rng.gen_range(0..2)],
                    imm,
                ));
                code.push(Instruction::new(Op::Add, b, a, b, 0));
            }
            code.push(Instruction::ECALL);
            let words = code.iter().map(Instruction::encode).collect();
            // Code is no memory here, and may be where no memory is.
            let base = [0, 0x1000, 0xffff_f000][rng.gen_range(0..3)];
            let rom = Rom::new(vec![(base, words)]).expect("aligned");
            let image = [
                (0x1000, vec![1, 2, 3, 0x84]),
                (end.wrapping_sub(4), vec![5, 6, 7, 0x88]),
            ];
            let image = Image::new(image[..rng.gen_range(0..3)].to_vec()).expect("apart");
            let program = Program::new(base, rom, image, Symbols::default());
            let program = program.and_then(|program| program.with_space(space));
            let program = program.expect("the entry is the first");
            let reference = Reference::new(&definition, &program, &[], 100);
            states += reference.digests.len();
            // The last access is the third of the last four instructions, before the call.
            let last_access = Some(4 * accesses - 1);
            stopped += usize::from(reference.last_step == last_access);
            let mut engine = Engine::new(&program, &[]);
            for step in 0..reference.digests.len() as u64 {
                assert_eq!(
                    digest(&mut engine, step),
                    reference.digest(step),
                    "{space}, step {step}"
                );
            }
            let limits = random_limits(&mut rng);
            let mut execution = Execution::with_limits(&program, &[], limits);
            for _ in 0..20 {
                let step = reference.step(&mut rng);
                assert_eq!(
                    execution.digest_at(step),
                    reference.digest(step),
                    "{space}, step {step}"
                );
                let record = reference.records[reference.at(step)];
                assert_eq!(execution.record_at(step), record);
                let disputed = execution.step_at(step);
                assert_eq!(
                    disputed.next_digest(),
                    reference.digest(step.saturating_add(1))
                );
                asked += 1;
            }
        }
    }
    println!(
        "covered: {states} states at borders of memory; asked for {asked} times, {stopped} of 160 programs stopped at a last access"
    );
    assert!(stopped > 40, "{stopped}");
}
