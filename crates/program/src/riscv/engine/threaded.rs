//! Threaded code: for each instruction a function that executes it, and often the one after it, and then calls the next.
//!
//! The call is the last thing that a function does, with the same arguments in the same registers, and compilers make a jump of it. Where one
//! does not, the stack still is bounded: instructions that jump return to the loop in [`Code::run`], and so does one of every [`MAX_RUN`]
//! others.
//!
//! What is rare these functions leave to the caller: calls, instructions that stop, misaligned accesses, jumps out of the program, jumps to
//! themselves, and the first store to a page that does not count as written.

use super::super::memory::Page;
use super::super::{Instruction, Memory, Op, Program};

/// Registers by number, with a place for what is written to `x0` at [`NOWHERE`]. There are as many as a byte can tell apart, so that no index
/// needs a check.
pub(super) type Registers = [u32; 256];

/// The place of a register that is written and never read.
const NOWHERE: u8 = 32;

/// The most instructions that are executed before the loop looks again at how many are left.
const MAX_RUN: u8 = 64;

/// Returned instead of a place: the instruction at [`Cpu::left_at`] is to be executed otherwise.
const LEAVE: usize = usize::MAX;

/// What instructions work on, besides memory.
struct Cpu<'a> {
    registers: &'a mut Registers,
    /// For each page its place in the arena.
    places: &'a [u32; Memory::PAGES as usize], // cast ok: usize has at least 32 bits here
    /// The same for pages that are known as written, and 0 for others.
    dirty_places: &'a [u32; Memory::PAGES as usize], // cast ok: as above
    code: &'a Code,
    /// The place of an instruction that was not executed.
    left_at: usize,
}

/// Executes the first of these instructions and those after it to the end of a run. Returns the place of the one to go on with, or [`LEAVE`].
type Handler = fn(&mut Cpu<'_>, &mut [Page], &[Threaded]) -> usize;

/// One instruction.
#[derive(Clone, Copy, Debug)]
struct Threaded {
    handler: Handler,
    /// The immediate; of `auipc` the sum, of `jal` and branches the place to go to.
    imm: u32,
    rd: u8,
    rs1: u8,
    rs2: u8,
    /// How many instructions are executed from here to the end of a run, if none is left.
    run: u8,
}

/// Instructions of consecutive addresses.
#[derive(Clone, Copy, Debug)]
struct Span {
    base: u32,
    length: u32,
    /// The place of the first.
    place: u32,
}

impl Span {
    /// The place of the instruction at `pc`.
    #[inline]
    fn place(&self, pc: u32) -> Option<usize> {
        // The remainder by 4, if there is one, makes this a large number.
        let index = pc.wrapping_sub(self.base).rotate_right(2);
        (index < self.length).then(|| (self.place + index) as usize) // cast ok: usize has at least 32 bits here
    }

    /// The address of the instruction at `place`, or of the end.
    #[inline]
    fn pc(&self, place: usize) -> Option<u32> {
        let index = (place as u32).wrapping_sub(self.place); // cast ok: less than 2^31
        (index <= self.length).then(|| self.base.wrapping_add(4 * index))
    }
}

/// All instructions of a program by place: those of one segment after the other, and after each segment one that is always left.
#[derive(Debug)]
pub(super) struct Code {
    threaded: Vec<Threaded>,
    /// By address.
    spans: Vec<Span>,
    /// The longest.
    main: Span,
}

impl Code {
    /// # Panics
    /// If there are no instructions; every program has an entry in one.
    pub(super) fn new(program: &Program) -> Self {
        let segments = program.rom().segments();
        let mut spans = Vec::with_capacity(segments.len());
        let mut place = 0;
        for segment in segments {
            let length = segment.instructions().len() as u32; // cast ok: less than 2^30
            spans.push(Span {
                base: segment.base(),
                length,
                place,
            });
            place += length + 1;
        }
        let end = Threaded {
            handler: leave,
            imm: 0,
            rd: NOWHERE,
            rs1: 0,
            rs2: 0,
            run: 1,
        };
        let longest = spans.iter().max_by_key(|span| span.length);
        let mut code = Self {
            threaded: vec![end; place as usize], // cast ok: usize has at least 32 bits here
            main: *longest.expect("a program has an instruction"),
            spans,
        };
        for segment in segments {
            let mut following = None;
            for (index, &instruction) in segment.instructions().iter().enumerate().rev() {
                let pc = segment.base() + 4 * index as u32; // cast ok: less than 2^30
                let place = code.place(pc).expect("it is in a segment");
                code.threaded[place] = code.thread(instruction, following, pc, place);
                following = Some(instruction);
            }
        }
        code
    }

    /// The place of the instruction at `pc`, if there is one.
    #[inline]
    fn place(&self, pc: u32) -> Option<usize> {
        self.main.place(pc).or_else(|| self.place_elsewhere(pc))
    }

    #[cold]
    fn place_elsewhere(&self, pc: u32) -> Option<usize> {
        let after = self.spans.partition_point(|span| span.base <= pc);
        self.spans[..after].last()?.place(pc)
    }

    /// The address of the instruction at `place`.
    #[inline]
    fn pc(&self, place: usize) -> u32 {
        match self.main.pc(place) {
            Some(pc) => pc,
            None => self.pc_elsewhere(place),
        }
    }

    #[cold]
    fn pc_elsewhere(&self, place: usize) -> u32 {
        let found = self.spans.iter().find_map(|span| span.pc(place));
        found.expect("every place is in a span or at its end")
    }

    /// Prepares the instruction at `pc`, when those after it are done.
    fn thread(
        &self,
        instruction: Instruction,
        following: Option<Instruction>,
        pc: u32,
        place: usize,
    ) -> Threaded {
        let (handler, run) = self.handler(instruction, following, pc, place);
        let imm = match instruction.op {
            Op::Auipc => pc.wrapping_add(instruction.imm),
            Op::Jalr => instruction.imm,
            op if op.jumps() => self.target(instruction, pc).unwrap_or(0) as u32, // cast ok: less than 2^31
            _ => instruction.imm,
        };
        let rd = match instruction.rd.number() {
            0 => NOWHERE,
            number => number,
        };
        Threaded {
            handler,
            imm,
            rd,
            rs1: instruction.rs1.number(),
            rs2: instruction.rs2.number(),
            run,
        }
    }

    /// What executes an instruction, and how many are executed with it.
    fn handler(
        &self,
        instruction: Instruction,
        following: Option<Instruction>,
        pc: u32,
        place: usize,
    ) -> (Handler, u8) {
        let jumps_within = |instruction: Instruction, pc| {
            instruction.op == Op::Jalr || self.target(instruction, pc).is_some()
        };
        let op = instruction.op;
        if op.jumps() {
            let handler = jump(op).filter(|_| jumps_within(instruction, pc));
            return (handler.unwrap_or(leave), 1);
        }
        if let Some(second) = following {
            if second.op.jumps() {
                let handler = simple_and_jump(op, second.op);
                if let Some(handler) = handler.filter(|_| jumps_within(second, pc.wrapping_add(4)))
                {
                    return (handler, 2);
                }
            } else if let Some(handler) = two_simple(op, second.op) {
                let run = self.threaded[place + 2].run + 2;
                if run <= MAX_RUN {
                    return (handler, run);
                }
            }
        }
        let run = self.threaded[place + 1].run + 1;
        match simple(op, run <= MAX_RUN) {
            None => (leave, 1),
            Some(handler) if run <= MAX_RUN => (handler, run),
            Some(handler) => (handler, 1),
        }
    }

    /// The place to which `jal` or a branch goes, unless that is itself or out of the program.
    fn target(&self, instruction: Instruction, pc: u32) -> Option<usize> {
        let goes = instruction.op.jumps() && instruction.imm != 0;
        let target = goes.then(|| pc.wrapping_add(instruction.imm));
        target.and_then(|target| self.place(target))
    }

    /// Executes instructions from the one at `pc` on, at most so many as are `left`, and counts that down. Returns the next `pc`.
    ///
    /// It returns early at what it leaves to the caller, or if there may be too few left for the next run.
    pub(super) fn run(
        &self,
        pc: u32,
        registers: &mut Registers,
        memory: &mut Memory,
        left: &mut u64,
    ) -> u32 {
        let Some(mut at) = self.place(pc) else {
            return pc;
        };
        let mut cpu = Cpu {
            registers,
            places: &memory.places,
            dirty_places: &memory.dirty_places,
            code: self,
            left_at: 0,
        };
        let pages = memory.arena.as_mut_slice();
        let mut budget = *left;
        loop {
            let rest = &self.threaded[at..];
            let run = u64::from(rest[0].run);
            if budget < run {
                break;
            }
            budget -= run;
            let next = (rest[0].handler)(&mut cpu, pages, rest);
            if next == LEAVE {
                let done = cpu.left_at - at;
                budget += run - done as u64; // cast ok: at most MAX_RUN
                at = cpu.left_at;
                break;
            }
            at = next;
        }
        *left = budget;
        self.pc(at)
    }
}

/// Leaves the first of these instructions.
#[cold]
fn leave(cpu: &mut Cpu<'_>, _: &mut [Page], rest: &[Threaded]) -> usize {
    cpu.left_at = cpu.code.threaded.len() - rest.len();
    LEAVE
}

/// An instruction that neither jumps nor calls.
trait Simple {
    /// Executes it, or returns `None` if it is to be left.
    fn execute(cpu: &mut Cpu<'_>, pages: &mut [Page], threaded: &Threaded) -> Option<()>;
}

/// An instruction that jumps.
trait Jump {
    /// Executes it and returns the place of the next, or returns `None` if it is to be left.
    fn execute(cpu: &mut Cpu<'_>, threaded: &Threaded, place: usize) -> Option<usize>;
}

fn place_of(cpu: &Cpu<'_>, rest: &[Threaded]) -> usize {
    cpu.code.threaded.len() - rest.len()
}

/// Goes on.
#[inline(always)]
fn proceed(cpu: &mut Cpu<'_>, pages: &mut [Page], rest: &[Threaded]) -> usize {
    match rest.first() {
        Some(next) => (next.handler)(cpu, pages, rest),
        None => leave(cpu, pages, rest),
    }
}

/// A simple instruction, and all after it to the end of the run.
fn one<A: Simple>(cpu: &mut Cpu<'_>, pages: &mut [Page], rest: &[Threaded]) -> usize {
    let [first, next @ ..] = rest else {
        return leave(cpu, pages, rest);
    };
    if A::execute(cpu, pages, first).is_none() {
        return leave(cpu, pages, rest);
    }
    proceed(cpu, pages, next)
}

/// A simple instruction at the end of a run.
fn last<A: Simple>(cpu: &mut Cpu<'_>, pages: &mut [Page], rest: &[Threaded]) -> usize {
    if A::execute(cpu, pages, &rest[0]).is_none() {
        return leave(cpu, pages, rest);
    }
    place_of(cpu, rest) + 1
}

/// Two simple instructions, and all after them to the end of the run.
fn two<A: Simple, B: Simple>(cpu: &mut Cpu<'_>, pages: &mut [Page], rest: &[Threaded]) -> usize {
    let [first, second, next @ ..] = rest else {
        return leave(cpu, pages, rest);
    };
    if A::execute(cpu, pages, first).is_none() {
        return leave(cpu, pages, rest);
    }
    if B::execute(cpu, pages, second).is_none() {
        return leave(cpu, pages, &rest[1..]);
    }
    proceed(cpu, pages, next)
}

/// A jump.
fn go<C: Jump>(cpu: &mut Cpu<'_>, pages: &mut [Page], rest: &[Threaded]) -> usize {
    let place = place_of(cpu, rest);
    match C::execute(cpu, &rest[0], place) {
        Some(next) => next,
        None => leave(cpu, pages, rest),
    }
}

/// A simple instruction and a jump.
fn one_and_go<A: Simple, C: Jump>(
    cpu: &mut Cpu<'_>,
    pages: &mut [Page],
    rest: &[Threaded],
) -> usize {
    let [first, second, ..] = rest else {
        return leave(cpu, pages, rest);
    };
    if A::execute(cpu, pages, first).is_none() {
        return leave(cpu, pages, rest);
    }
    let place = place_of(cpu, rest) + 1;
    match C::execute(cpu, second, place) {
        Some(next) => next,
        None => leave(cpu, pages, &rest[1..]),
    }
}

impl Cpu<'_> {
    #[inline(always)]
    fn get(&self, register: u8) -> u32 {
        self.registers[usize::from(register)]
    }

    #[inline(always)]
    fn set(&mut self, register: u8, value: u32) {
        self.registers[usize::from(register)] = value;
    }

    /// The word that holds `address`, if that is a multiple of `bytes`.
    #[inline(always)]
    fn load(&self, pages: &[Page], address: u32, bytes: u32) -> Option<u32> {
        let place = self.places[(address >> 12) as usize]; // cast ok: usize has at least 32 bits here
        let page = pages.get(place as usize)?; // cast ok: as above
        if address & (bytes - 1) != 0 {
            return None;
        }
        Some(page[(address >> 2) as usize % Memory::PAGE_WORDS]) // cast ok: as above
    }

    /// The word that holds `address`, to be written, if that is a multiple of `bytes` and its page counts as written.
    #[inline(always)]
    fn stored<'p>(&self, pages: &'p mut [Page], address: u32, bytes: u32) -> Option<&'p mut u32> {
        let place = self.dirty_places[(address >> 12) as usize]; // cast ok: usize has at least 32 bits here
        if place == 0 || address & (bytes - 1) != 0 {
            return None;
        }
        let page = pages.get_mut(place as usize)?; // cast ok: as above
        Some(&mut page[(address >> 2) as usize % Memory::PAGE_WORDS]) // cast ok: as above
    }
}

const fn signed(word: u32) -> i32 {
    word as i32 // cast ok: the same bits
}

const fn unsigned(word: i32) -> u32 {
    word as u32 // cast ok: the same bits
}

/// A type for each simple instruction.
macro_rules! simple {
    (
        registers { $($register:ident: |$a:ident, $b:ident| $value:expr;)* }
        immediate { $($immediate:ident: |$c:ident, $imm:ident| $sum:expr;)* }
        load { $($load:ident: $load_bytes:literal, |$word:ident, $shift:ident| $loaded:expr;)* }
        store { $($store:ident: $store_bytes:literal, $mask:literal;)* }
    ) => {
        $(struct $register;
        impl Simple for $register {
            #[inline(always)]
            fn execute(cpu: &mut Cpu<'_>, _: &mut [Page], threaded: &Threaded) -> Option<()> {
                let ($a, $b) = (cpu.get(threaded.rs1), cpu.get(threaded.rs2));
                cpu.set(threaded.rd, $value);
                Some(())
            }
        })*
        $(struct $immediate;
        impl Simple for $immediate {
            #[inline(always)]
            fn execute(cpu: &mut Cpu<'_>, _: &mut [Page], threaded: &Threaded) -> Option<()> {
                let ($c, $imm) = (cpu.get(threaded.rs1), threaded.imm);
                cpu.set(threaded.rd, $sum);
                Some(())
            }
        })*
        $(struct $load;
        impl Simple for $load {
            #[inline(always)]
            fn execute(cpu: &mut Cpu<'_>, pages: &mut [Page], threaded: &Threaded) -> Option<()> {
                let address = cpu.get(threaded.rs1).wrapping_add(threaded.imm);
                let ($word, $shift) = (cpu.load(pages, address, $load_bytes)?, address % 4 * 8);
                cpu.set(threaded.rd, $loaded);
                Some(())
            }
        })*
        $(struct $store;
        impl Simple for $store {
            #[inline(always)]
            fn execute(cpu: &mut Cpu<'_>, pages: &mut [Page], threaded: &Threaded) -> Option<()> {
                let address = cpu.get(threaded.rs1).wrapping_add(threaded.imm);
                let word = cpu.stored(pages, address, $store_bytes)?;
                let (shift, mask): (u32, u32) = (address % 4 * 8, $mask);
                let value = cpu.get(threaded.rs2);
                *word = if $store_bytes == 4 { value } else { *word & !(mask << shift) | (value & mask) << shift };
                Some(())
            }
        })*

        /// What executes such an instruction, and then goes on or not.
        fn simple(op: Op, goes_on: bool) -> Option<Handler> {
            match (op, goes_on) {
                $((Op::$register, true) => Some(one::<$register>),
                (Op::$register, false) => Some(last::<$register>),)*
                $((Op::$immediate, true) => Some(one::<$immediate>),
                (Op::$immediate, false) => Some(last::<$immediate>),)*
                $((Op::$load, true) => Some(one::<$load>),
                (Op::$load, false) => Some(last::<$load>),)*
                $((Op::$store, true) => Some(one::<$store>),
                (Op::$store, false) => Some(last::<$store>),)*
                _ => None,
            }
        }
    };
}

simple! {
    registers {
        Add: |a, b| a.wrapping_add(b);
        Sub: |a, b| a.wrapping_sub(b);
        Sll: |a, b| a << (b % 32);
        Slt: |a, b| u32::from(signed(a) < signed(b));
        Sltu: |a, b| u32::from(a < b);
        Xor: |a, b| a ^ b;
        Srl: |a, b| a >> (b % 32);
        Sra: |a, b| unsigned(signed(a) >> (b % 32));
        Or: |a, b| a | b;
        And: |a, b| a & b;
        Mul: |a, b| a.wrapping_mul(b);
        Mulh: |a, b| ((i64::from(signed(a)) * i64::from(signed(b))) >> 32) as u32; // cast ok: the upper half
        Mulhsu: |a, b| ((i64::from(signed(a)) * i64::from(b)) >> 32) as u32; // cast ok: as above
        Mulhu: |a, b| ((u64::from(a) * u64::from(b)) >> 32) as u32; // cast ok: as above
        Div: |a, b| if b == 0 { u32::MAX } else { unsigned(signed(a).wrapping_div(signed(b))) };
        Divu: |a, b| a.checked_div(b).unwrap_or(u32::MAX);
        Rem: |a, b| if b == 0 { a } else { unsigned(signed(a).wrapping_rem(signed(b))) };
        Remu: |a, b| a.checked_rem(b).unwrap_or(a);
    }
    immediate {
        Lui: |_a, imm| imm;
        Auipc: |_a, sum| sum;
        Addi: |a, imm| a.wrapping_add(imm);
        Slti: |a, imm| u32::from(signed(a) < signed(imm));
        Sltiu: |a, imm| u32::from(a < imm);
        Xori: |a, imm| a ^ imm;
        Ori: |a, imm| a | imm;
        Andi: |a, imm| a & imm;
        Slli: |a, imm| a << (imm % 32);
        Srli: |a, imm| a >> (imm % 32);
        Srai: |a, imm| unsigned(signed(a) >> (imm % 32));
        Fence: |_a, _imm| 0;
    }
    load {
        Lb: 1, |word, shift| unsigned(i32::from((word >> shift) as i8)); // cast ok: the byte
        Lbu: 1, |word, shift| word >> shift & 0xff;
        Lh: 2, |word, shift| unsigned(i32::from((word >> shift) as i16)); // cast ok: the half
        Lhu: 2, |word, shift| word >> shift & 0xffff;
        Lw: 4, |word, _shift| word;
    }
    store {
        Sb: 1, 0xff;
        Sh: 2, 0xffff;
        Sw: 4, 0xffff_ffff;
    }
}

/// The handler for `$op`, if it is one of the simple instructions that are executed often, with whose type `$made` begins.
macro_rules! frequent {
    ($op:expr, $made:ident) => {
        frequent!($op, $made: Addi Lui Slli Srli Andi Xori Ori Add Sub Xor Or And Sltu Mul Mulhu Lw Sw Lbu Sb)
    };
    ($op:expr, $made:ident: $($name:ident)*) => {
        match $op {
            $(Op::$name => $made!($name),)*
            _ => None,
        }
    };
}

/// A type for each branch.
macro_rules! branches {
    ($($branch:ident: |$a:ident, $b:ident| $taken:expr;)*) => {
        $(struct $branch;
        impl Jump for $branch {
            #[inline(always)]
            fn execute(cpu: &mut Cpu<'_>, threaded: &Threaded, place: usize) -> Option<usize> {
                let ($a, $b) = (cpu.get(threaded.rs1), cpu.get(threaded.rs2));
                Some(if $taken { threaded.imm as usize } else { place + 1 }) // cast ok: usize has at least 32 bits here
            }
        })*

        /// What executes a jump.
        fn jump(op: Op) -> Option<Handler> {
            match op {
                $(Op::$branch => Some(go::<$branch>),)*
                Op::Jal => Some(go::<Jal>),
                Op::Jalr => Some(go::<Jalr>),
                _ => None,
            }
        }

        /// What executes a simple instruction, of those that are often before a jump, and the jump.
        fn simple_and_jump(first: Op, jump: Op) -> Option<Handler> {
            fn and<A: Simple>(jump: Op) -> Option<Handler> {
                match jump {
                    $(Op::$branch => Some(one_and_go::<A, $branch>),)*
                    Op::Jal => Some(one_and_go::<A, Jal>),
                    Op::Jalr => Some(one_and_go::<A, Jalr>),
                    _ => None,
                }
            }
            macro_rules! and_jump {
                ($first:ident) => { and::<$first>(jump) };
            }
            frequent!(first, and_jump)
        }
    };
}

/// What executes two simple instructions, both of those that are executed often.
fn two_simple(first: Op, second: Op) -> Option<Handler> {
    fn and<A: Simple>(second: Op) -> Option<Handler> {
        macro_rules! both {
            ($second:ident) => {
                Some(two::<A, $second>)
            };
        }
        frequent!(second, both)
    }
    macro_rules! and_second {
        ($first:ident) => {
            and::<$first>(second)
        };
    }
    frequent!(first, and_second)
}

branches! {
    Beq: |a, b| a == b;
    Bne: |a, b| a != b;
    Blt: |a, b| signed(a) < signed(b);
    Bge: |a, b| signed(a) >= signed(b);
    Bltu: |a, b| a < b;
    Bgeu: |a, b| a >= b;
}

struct Jal;
impl Jump for Jal {
    #[inline(always)]
    fn execute(cpu: &mut Cpu<'_>, threaded: &Threaded, place: usize) -> Option<usize> {
        cpu.set(threaded.rd, cpu.code.pc(place).wrapping_add(4));
        Some(threaded.imm as usize) // cast ok: usize has at least 32 bits here
    }
}

struct Jalr;
impl Jump for Jalr {
    #[inline(always)]
    fn execute(cpu: &mut Cpu<'_>, threaded: &Threaded, place: usize) -> Option<usize> {
        let target = cpu.get(threaded.rs1).wrapping_add(threaded.imm) & !1;
        let next = cpu.code.place(target).filter(|&next| next != place)?;
        cpu.set(threaded.rd, cpu.code.pc(place).wrapping_add(4));
        Some(next)
    }
}
