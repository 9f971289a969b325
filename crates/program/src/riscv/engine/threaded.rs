//! Threaded code: for each instruction a function that executes it, and often the one after it, and then calls the next.
//!
//! The call is the last thing that a function does, with the same arguments in the same registers, and compilers make a jump of it. Where one
//! does not, the stack still is bounded: instructions that jump return to the loop in [`Code::run`], and so does one of every [`MAX_RUN`]
//! others.
//!
//! What is rare these functions leave to the caller: exits, instructions that stop, misaligned
//! accesses and those to no memory, jumps out of the program, jumps to themselves, and the first
//! store to a page that does not count as written.

use super::super::memory::Page;
use super::super::{AddressSpace, INPUT_CALL, Instruction, Memory, Op, Program};

/// The place of a register that is written and never read.
const NOWHERE: u8 = 32;

/// The most instructions that are executed before the loop looks again at how many are left.
const MAX_RUN: u8 = 64;

/// Returned instead of a place: the instruction at [`Cpu::left_at`] is to be executed otherwise.
const LEAVE: u64 = u64::MAX;

/// What instructions work on, besides memory.
struct Cpu<'a> {
    /// By number, with a place for what is written to `x0` at [`NOWHERE`]. There are as many as a byte can tell apart, so that no index needs a
    /// check.
    registers: [u32; 256],
    /// For each page its place in the arena.
    places: &'a [u32; Memory::PAGES as usize], // cast ok: usize has at least 32 bits here
    /// The same for pages that are known as written, and 0 for others.
    dirty_places: &'a [u32; Memory::PAGES as usize], // cast ok: as above
    code: &'a Code,
    inputs: &'a [u32],
    /// How many addresses from [`AddressSpace::LOWEST`] on are memory.
    memory_bytes: u32,
    /// The place of an instruction that was not executed.
    left_at: usize,
}

/// Executes the first of these instructions and those after it to the end of a run, or a jump. Returns the place of the one to go on with, and in
/// the upper half how many there would have been after the jump; or [`LEAVE`].
type Handler = fn(&mut Cpu<'_>, &mut [Page], &[Threaded]) -> u64;

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
            op if jumps(op) => self.target(instruction, pc).unwrap_or(0) as u32, // cast ok: less than 2^31
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
        let within = |instruction: Instruction, pc| {
            instruction.op == Op::Jalr || self.target(instruction, pc).is_some()
        };
        let op = instruction.op;
        if jumps(op) && !within(instruction, pc) {
            return (leave, 1);
        }
        if let Some(second) = following
            && (!jumps(second.op) || within(second, pc.wrapping_add(4)))
        {
            let run = self.threaded[place + 2].run + 2;
            match two(op, second.op) {
                Some((handler, Goes::On)) if run <= MAX_RUN => return (handler, run),
                Some((handler, Goes::Away)) => return (handler, 2),
                _ => {}
            }
        }
        let run = self.threaded[place + 1].run + 1;
        let goes_on = run <= MAX_RUN;
        match one(op, goes_on) {
            None => (leave, 1),
            Some((handler, Goes::Away)) => (handler, 1),
            Some((handler, Goes::On)) => (handler, if goes_on { run } else { 1 }),
        }
    }

    /// The place to which `jal` or a branch goes, unless that is itself or out of the program.
    fn target(&self, instruction: Instruction, pc: u32) -> Option<usize> {
        let goes = jumps(instruction.op) && instruction.imm != 0;
        let target = goes.then(|| pc.wrapping_add(instruction.imm));
        target.and_then(|target| self.place(target))
    }

    /// Executes instructions from the one at `pc` on, at most so many as are `left`, and counts that down. Returns the next `pc`.
    ///
    /// It returns early at what it leaves to the caller, or if there may be too few left for the next run.
    pub(super) fn run(
        &self,
        pc: u32,
        inputs: &[u32],
        registers: &mut [u32; 32],
        memory: &mut Memory,
        left: &mut u64,
    ) -> u32 {
        let Some(mut at) = self.place(pc) else {
            return pc;
        };
        let mut cpu = Cpu {
            registers: [0; 256],
            places: &memory.places,
            dirty_places: &memory.dirty_places,
            code: self,
            inputs,
            memory_bytes: (memory.space().bytes() - u64::from(AddressSpace::LOWEST)) as u32, // cast ok: less than 2^32
            left_at: 0,
        };
        cpu.registers[..32].copy_from_slice(registers);
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
            budget += next >> 32;
            at = next as u32 as usize; // cast ok: the lower half, and usize has at least 32 bits here
        }
        registers.copy_from_slice(&cpu.registers[..32]);
        *left = budget;
        self.pc(at)
    }
}

/// Leaves the first of these instructions.
#[cold]
fn leave(cpu: &mut Cpu<'_>, _: &mut [Page], rest: &[Threaded]) -> u64 {
    cpu.left_at = cpu.place_of(rest);
    LEAVE
}

/// Whether an instruction is followed by the next in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    On,
    Away,
}

/// Whether it is a jump or a branch. Calls, as far as they are not left, are simple.
fn jumps(op: Op) -> bool {
    op.jumps() && op != Op::Ecall
}

/// An instruction that goes on to the next.
trait Simple {
    /// Whether it writes a register.
    const WRITES: bool = true;

    /// Executes it on the values of `rs1` and `rs2`, and returns that of `rd`; or `None` if it is to be left.
    fn execute(
        cpu: &Cpu<'_>,
        pages: &mut [Page],
        threaded: &Threaded,
        a: u32,
        b: u32,
    ) -> Option<u32>;
}

/// A branch.
trait Branch {
    /// Whether it is taken for these values of `rs1` and `rs2`.
    fn taken(a: u32, b: u32) -> bool;
}

/// Executes the next instruction.
#[inline(always)]
fn proceed(cpu: &mut Cpu<'_>, pages: &mut [Page], rest: &[Threaded]) -> u64 {
    match rest.first() {
        Some(next) => (next.handler)(cpu, pages, rest),
        None => leave(cpu, pages, rest),
    }
}

/// A simple instruction; with `ON` all after it to the end of the run.
fn simple<A: Simple, const ON: bool>(
    cpu: &mut Cpu<'_>,
    pages: &mut [Page],
    rest: &[Threaded],
) -> u64 {
    let [first, next @ ..] = rest else {
        return leave(cpu, pages, rest);
    };
    let (a, b) = (cpu.get(first.rs1), cpu.get(first.rs2));
    let Some(value) = A::execute(cpu, pages, first, a, b) else {
        return leave(cpu, pages, rest);
    };
    if A::WRITES {
        cpu.set(first.rd, value);
    }
    if ON {
        proceed(cpu, pages, next)
    } else {
        cpu.place_of(next) as u64 // cast ok: usize has at most 64 bits
    }
}

/// Two simple instructions, and all after them to the end of the run.
fn simple_simple<A: Simple, B: Simple>(
    cpu: &mut Cpu<'_>,
    pages: &mut [Page],
    rest: &[Threaded],
) -> u64 {
    let [first, second, next @ ..] = rest else {
        return leave(cpu, pages, rest);
    };
    // What the second reads is read before the first writes: a value that has just been written takes longer to read than to compute.
    let (a, b) = (cpu.get(first.rs1), cpu.get(first.rs2));
    let (mut c, mut d) = (cpu.get(second.rs1), cpu.get(second.rs2));
    let Some(value) = A::execute(cpu, pages, first, a, b) else {
        return leave(cpu, pages, rest);
    };
    if A::WRITES {
        cpu.set(first.rd, value);
        c = if first.rd == second.rs1 { value } else { c };
        d = if first.rd == second.rs2 { value } else { d };
    }
    let Some(value) = B::execute(cpu, pages, second, c, d) else {
        return leave(cpu, pages, &rest[1..]);
    };
    if B::WRITES {
        cpu.set(second.rd, value);
    }
    proceed(cpu, pages, next)
}

/// A branch; with `ON` all after it to the end of the run, if it is not taken.
fn branch<C: Branch, const ON: bool>(
    cpu: &mut Cpu<'_>,
    pages: &mut [Page],
    rest: &[Threaded],
) -> u64 {
    let [first, next @ ..] = rest else {
        return leave(cpu, pages, rest);
    };
    if C::taken(cpu.get(first.rs1), cpu.get(first.rs2)) {
        go::<ON>(first, next)
    } else if ON {
        proceed(cpu, pages, next)
    } else {
        cpu.place_of(next) as u64 // cast ok: usize has at most 64 bits
    }
}

/// A simple instruction, a branch, and all after it to the end of the run, if it is not taken.
fn simple_branch<A: Simple, C: Branch>(
    cpu: &mut Cpu<'_>,
    pages: &mut [Page],
    rest: &[Threaded],
) -> u64 {
    let [first, second, next @ ..] = rest else {
        return leave(cpu, pages, rest);
    };
    let (a, b) = (cpu.get(first.rs1), cpu.get(first.rs2));
    let (mut c, mut d) = (cpu.get(second.rs1), cpu.get(second.rs2));
    let Some(value) = A::execute(cpu, pages, first, a, b) else {
        return leave(cpu, pages, rest);
    };
    if A::WRITES {
        cpu.set(first.rd, value);
        c = if first.rd == second.rs1 { value } else { c };
        d = if first.rd == second.rs2 { value } else { d };
    }
    if C::taken(c, d) {
        go::<true>(second, next)
    } else {
        proceed(cpu, pages, next)
    }
}

/// A branch's place to go to, before these instructions, which were to be executed if `ON`.
#[inline(always)]
fn go<const ON: bool>(branch: &Threaded, next: &[Threaded]) -> u64 {
    let unused = next.first().map_or(0, |next| u64::from(next.run));
    u64::from(branch.imm) | if ON { unused << 32 } else { 0 }
}

fn jal(cpu: &mut Cpu<'_>, _: &mut [Page], rest: &[Threaded]) -> u64 {
    let place = cpu.place_of(rest);
    cpu.set(rest[0].rd, cpu.code.pc(place).wrapping_add(4));
    u64::from(rest[0].imm)
}

fn jalr(cpu: &mut Cpu<'_>, pages: &mut [Page], rest: &[Threaded]) -> u64 {
    let place = cpu.place_of(rest);
    let target = cpu.get(rest[0].rs1).wrapping_add(rest[0].imm) & !1;
    let Some(next) = cpu.code.place(target).filter(|&next| next != place) else {
        return leave(cpu, pages, rest);
    };
    cpu.set(rest[0].rd, cpu.code.pc(place).wrapping_add(4));
    next as u64 // cast ok: usize has at most 64 bits
}

impl Cpu<'_> {
    /// The place of the first of these instructions.
    #[inline(always)]
    fn place_of(&self, rest: &[Threaded]) -> usize {
        self.code.threaded.len() - rest.len()
    }

    #[inline(always)]
    fn get(&self, register: u8) -> u32 {
        self.registers[usize::from(register)]
    }

    #[inline(always)]
    fn set(&mut self, register: u8, value: u32) {
        self.registers[usize::from(register)] = value;
    }

    /// The word that holds `address`, if that is memory and a multiple of `bytes`.
    #[inline(always)]
    fn load(&self, pages: &[Page], address: u32, bytes: u32) -> Option<u32> {
        let place = self.places[(address >> 12) as usize]; // cast ok: usize has at least 32 bits here
        let page = pages.get(place as usize)?; // cast ok: as above
        let is_memory = address.wrapping_sub(AddressSpace::LOWEST) < self.memory_bytes;
        if address & (bytes - 1) != 0 || !is_memory {
            return None;
        }
        Some(page[(address >> 2) as usize % Memory::PAGE_WORDS]) // cast ok: as above
    }

    /// The word that holds `address`, to be written, if that is a multiple of `bytes` and its page
    /// counts as written, which no page does that is no memory.
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
            fn execute(_: &Cpu<'_>, _: &mut [Page], _: &Threaded, $a: u32, $b: u32) -> Option<u32> {
                Some($value)
            }
        })*
        $(struct $immediate;
        impl Simple for $immediate {
            #[inline(always)]
            fn execute(_: &Cpu<'_>, _: &mut [Page], threaded: &Threaded, $c: u32, _: u32) -> Option<u32> {
                let $imm = threaded.imm;
                Some($sum)
            }
        })*
        $(struct $load;
        impl Simple for $load {
            #[inline(always)]
            fn execute(cpu: &Cpu<'_>, pages: &mut [Page], threaded: &Threaded, a: u32, _: u32) -> Option<u32> {
                let address = a.wrapping_add(threaded.imm);
                let ($word, $shift) = (cpu.load(pages, address, $load_bytes)?, address % 4 * 8);
                Some($loaded)
            }
        })*
        $(struct $store;
        impl Simple for $store {
            const WRITES: bool = false;

            #[inline(always)]
            fn execute(cpu: &Cpu<'_>, pages: &mut [Page], threaded: &Threaded, a: u32, b: u32) -> Option<u32> {
                let address = a.wrapping_add(threaded.imm);
                let word = cpu.stored(pages, address, $store_bytes)?;
                let (shift, mask): (u32, u32) = (address % 4 * 8, $mask);
                *word = if $store_bytes == 4 { b } else { *word & !(mask << shift) | (b & mask) << shift };
                Some(0)
            }
        })*

        /// What executes a simple instruction, and then goes on or not.
        fn one_simple(op: Op, goes_on: bool) -> Option<Handler> {
            match (op, goes_on) {
                $((Op::$register, true) => Some(simple::<$register, true>),
                (Op::$register, false) => Some(simple::<$register, false>),)*
                $((Op::$immediate, true) => Some(simple::<$immediate, true>),
                (Op::$immediate, false) => Some(simple::<$immediate, false>),)*
                $((Op::$load, true) => Some(simple::<$load, true>),
                (Op::$load, false) => Some(simple::<$load, false>),)*
                $((Op::$store, true) => Some(simple::<$store, true>),
                (Op::$store, false) => Some(simple::<$store, false>),)*
                (Op::Ecall, true) => Some(simple::<Ecall, true>),
                (Op::Ecall, false) => Some(simple::<Ecall, false>),
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

/// A call for a word of input.
struct Ecall;
impl Simple for Ecall {
    #[inline(always)]
    fn execute(cpu: &Cpu<'_>, _: &mut [Page], _: &Threaded, call: u32, number: u32) -> Option<u32> {
        let word = cpu.inputs.get(number as usize); // cast ok: usize has at least 32 bits here
        word.filter(|_| call == INPUT_CALL).copied()
    }
}

/// The handler for `$op` that `$made` makes of its type, if it is one of the simple instructions that are executed often.
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
        impl Branch for $branch {
            #[inline(always)]
            fn taken($a: u32, $b: u32) -> bool {
                $taken
            }
        })*

        /// What executes one instruction, and whether it may go on.
        fn one(op: Op, goes_on: bool) -> Option<(Handler, Goes)> {
            match (op, goes_on) {
                $((Op::$branch, true) => Some((branch::<$branch, true>, Goes::On)),
                (Op::$branch, false) => Some((branch::<$branch, false>, Goes::On)),)*
                (Op::Jal, _) => Some((jal, Goes::Away)),
                (Op::Jalr, _) => Some((jalr, Goes::Away)),
                _ => one_simple(op, goes_on).map(|handler| (handler, Goes::On)),
            }
        }

        /// What executes two instructions, the first of them one of those that are executed often.
        fn two(first: Op, second: Op) -> Option<(Handler, Goes)> {
            fn then<A: Simple>(second: Op) -> Option<(Handler, Goes)> {
                macro_rules! simple_then {
                    ($second:ident) => {
                        Some((simple_simple::<A, $second>, Goes::On))
                    };
                }
                match second {
                    $(Op::$branch => Some((simple_branch::<A, $branch>, Goes::On)),)*
                    _ => frequent!(second, simple_then),
                }
            }
            macro_rules! then_second {
                ($first:ident) => {
                    then::<$first>(second)
                };
            }
            frequent!(first, then_second)
        }
    };
}

branches! {
    Beq: |a, b| a == b;
    Bne: |a, b| a != b;
    Blt: |a, b| signed(a) < signed(b);
    Bge: |a, b| signed(a) >= signed(b);
    Bltu: |a, b| a < b;
    Bgeu: |a, b| a >= b;
}
