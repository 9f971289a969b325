//! What one instruction does, as a script.
//!
//! A load or store has two leaves: one is about an access that is made, the other about one that
//! cannot be, so that the machine stops in place. Which one it is depends on the address alone.
//! Together they are smaller than one leaf would be that has to choose between two values for each
//! field.
//!
//! Most of a record is known when the instruction is: `pc`, the registers that are read, where the result goes, that a field is not used, and
//! usually `next_pc`. Those digits are compared with constants as they come from the altstack. For the rest there is an [`Expression`]
//! for each [`Kind`] of instruction, which takes the fields that depend on others, and constants such as the immediate as *parameters*.

use std::collections::BTreeMap;
use std::sync::Arc;

use tapcourt_program::riscv::{
    ACCEPT_PC, AddressSpace, Cell, EXIT_CALL, INPUT_CALL, Instruction, Op, Register,
};
use tapcourt_script::dataflow::CompileError;
use tapcourt_script::expression::{Bit, Datum, Evaluation, Expression, Nibble, Template, Word};

use super::Group;
use super::group::{SOURCE_DIGITS, WORD_DIGITS, WORDS_A, WORDS_B, WORDS_M, WORDS_W};
use super::leaf::Leaf;
use super::opening::Openings;
use super::published::{Published, PublishedError};
use super::tail::{Tail, nibble};

/// What instructions have in common that one compiled computation serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Kind {
    op: Op,
    /// Whether the result goes to `x0`, that is nowhere.
    discards: bool,
    /// By how much a shift by a constant shifts.
    shift: u32,
    /// Whether it is about a load or store that cannot be made: the machine stops in place.
    stops: bool,
}

impl Kind {
    pub(crate) fn of(instruction: Instruction) -> Self {
        let op = instruction.op;
        let discards = op.writes_rd() && instruction.rd == Register::ZERO;
        let shift = match op {
            Op::Slli | Op::Srli | Op::Srai if !discards => instruction.imm,
            _ => 0,
        };
        Self {
            op,
            discards,
            shift,
            stops: false,
        }
    }

    /// The kind of a load or store that cannot be made.
    pub(crate) fn stopped(instruction: Instruction) -> Option<Self> {
        let op = match instruction.op {
            Op::Lb | Op::Lbu => Op::Lb,
            Op::Lh | Op::Lhu => Op::Lh,
            op => op,
        };
        op.accesses_memory().then_some(Self {
            op,
            discards: false,
            shift: 0,
            stops: true,
        })
    }
}

/// A field of the record, one of those whose value depends on the instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    NextPc,
    Target,
    Memory,
    M,
    W,
    A,
    B,
}

impl Field {
    /// In the order in which they are compared or handed to the computation.
    const WORDS: [Self; 4] = [Self::M, Self::W, Self::A, Self::B];
    const OTHERS: [Self; 3] = [Self::NextPc, Self::Target, Self::Memory];

    /// Its group, and its place among that group's words.
    fn place(self) -> (Group, usize) {
        match self {
            Self::NextPc => (Group::NextPc, 0),
            Self::Target => (Group::Target, 0),
            Self::Memory => (Group::Memory, 0),
            Self::M => (Group::Words, WORDS_M),
            Self::W => (Group::Words, WORDS_W),
            Self::A => (Group::Words, WORDS_A),
            Self::B => (Group::Words, WORDS_B),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::NextPc => "next_pc",
            Self::Target => "target",
            Self::Memory => "memory",
            Self::M => "m",
            Self::W => "w",
            Self::A => "a",
            Self::B => "b",
        }
    }
}

/// A word that is known when the instruction and its address are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Zero,
    /// `pc`.
    Here,
    /// `pc + 4`.
    Next,
    /// `pc` plus the immediate.
    Jump,
    Immediate,
    /// The label of `rd`'s cell.
    Destination,
}

impl Known {
    fn word(self, pc: u32, instruction: Instruction) -> u32 {
        match self {
            Self::Zero => 0,
            Self::Here => pc,
            Self::Next => pc.wrapping_add(4),
            Self::Jump => pc.wrapping_add(instruction.imm),
            Self::Immediate => instruction.imm,
            Self::Destination => Cell::register(instruction.rd).label(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Here => "here",
            Self::Next => "next",
            Self::Jump => "jump",
            Self::Immediate => "immediate",
            Self::Destination => "destination",
        }
    }
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    /// Compared with a constant.
    Known(Known),
    /// Not looked at: its value does not matter to this instruction.
    Any,
    /// Part of the computation.
    Computed,
}

/// What a kind wants of a field.
fn want(kind: Kind, field: Field) -> Want {
    use Known::{Destination, Here, Immediate, Jump, Next, Zero};
    let op = kind.op;
    let load = op.load_log2_bytes();
    let store = op.store_log2_bytes();
    let accesses = load.or(store).is_some();
    if kind.stops {
        return match field {
            Field::A => Want::Computed,
            Field::B if op.reads_rs2() => Want::Any,
            Field::NextPc => Want::Known(Here),
            Field::B | Field::Target | Field::Memory | Field::M | Field::W => Want::Known(Zero),
        };
    }
    let branches = matches!(
        op,
        Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
    );
    match field {
        Field::NextPc => match op {
            _ if branches => Want::Computed,
            Op::Jalr | Op::Ecall => Want::Computed,
            Op::Jal => Want::Known(Jump),
            Op::Ebreak | Op::Illegal => Want::Known(Here),
            _ => Want::Known(Next),
        },
        Field::Target => match op {
            _ if store.is_some() => Want::Computed,
            Op::Ecall => Want::Computed,
            _ if !op.writes_rd() || kind.discards => Want::Known(Zero),
            _ => Want::Known(Destination),
        },
        Field::Memory => match op {
            Op::Sw => Want::Known(Zero),
            _ if accesses => Want::Computed,
            _ => Want::Known(Zero),
        },
        Field::M => match op {
            Op::Sw => Want::Known(Zero),
            _ if load.is_some() && kind.discards => Want::Any,
            _ if accesses => Want::Computed,
            _ => Want::Known(Zero),
        },
        Field::W => match op {
            _ if store.is_some() => Want::Computed,
            Op::Ecall => Want::Computed,
            _ if !op.writes_rd() || kind.discards => Want::Known(Zero),
            Op::Lui => Want::Known(Immediate),
            Op::Auipc => Want::Known(Jump),
            Op::Jal | Op::Jalr => Want::Known(Next),
            _ => Want::Computed,
        },
        Field::A if !op.reads_rs1() => Want::Known(Zero),
        Field::B if !op.reads_rs2() => Want::Known(Zero),
        Field::A | Field::B => {
            let matters =
                branches || accesses || matches!(op, Op::Jalr | Op::Ecall) || !kind.discards;
            if matters { Want::Computed } else { Want::Any }
        }
    }
}

/// The parameters of a kind's computation.
fn parameters(kind: Kind) -> Vec<Known> {
    use Known::{Here, Immediate, Jump, Next};
    match kind.op {
        Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => vec![Jump, Next],
        Op::Jalr => vec![Immediate],
        op if op.accesses_memory() => vec![Immediate],
        Op::Addi | Op::Slti | Op::Sltiu | Op::Xori | Op::Ori | Op::Andi => vec![Immediate],
        Op::Ecall => vec![Here, Next],
        _ => Vec::new(),
    }
}

/// All that instructions of a kind share.
#[derive(Debug)]
pub(crate) struct Class {
    kind: Kind,
    pub(crate) openings: Arc<Openings>,
    computation: Option<Computation>,
}

#[derive(Debug)]
struct Computation {
    expression: Expression,
    template: Template,
    parameters: Vec<Known>,
    fields: Vec<Field>,
}

impl Class {
    /// Compiles what instructions of a kind share, for a program with so many words of input and
    /// this memory.
    pub(crate) fn new(kind: Kind, inputs: u32, space: AddressSpace) -> Result<Self, CompileError> {
        let with = |wanted: fn(Want) -> bool, fields: &[Field]| -> Vec<Field> {
            let fields = fields.iter().copied();
            fields.filter(|&field| wanted(want(kind, field))).collect()
        };
        let is_known = |want| matches!(want, Want::Known(_));
        let is_any = |want| want == Want::Any;
        let is_computed = |want| want == Want::Computed;
        // Constants come first, then what is skipped, then what is computed with.
        let words = [
            with(is_known, &Field::WORDS),
            with(is_any, &Field::WORDS),
            with(is_computed, &Field::WORDS),
        ];
        let digits = words.iter().flatten().flat_map(|field| {
            let first = WORD_DIGITS * field.place().1;
            first..first + WORD_DIGITS
        });
        let mut openings = Openings::default()
            .then_natural(Group::Pc, false, 0)
            .then_natural(Group::Sources, false, 0);
        for field in with(is_known, &Field::OTHERS) {
            openings = openings.then_natural(field.place().0, false, 0);
        }
        openings = openings.then(Group::Words, digits, !words[2].is_empty(), 0);
        for field in with(is_computed, &Field::OTHERS) {
            openings = openings.then_natural(field.place().0, true, 0);
        }
        let fields = [
            with(is_computed, &Field::WORDS),
            with(is_computed, &Field::OTHERS),
        ]
        .concat();
        let computation = if fields.is_empty() {
            None
        } else {
            Some(Computation::new(kind, fields, inputs, space)?)
        };
        Ok(Self {
            kind,
            openings: Arc::new(openings),
            computation,
        })
    }

    /// The leaf of an instruction of this kind.
    pub(crate) fn leaf(&self, pc: u32, instruction: Instruction) -> Leaf {
        let digits = self.openings.digits();
        let mut tail = Tail::new(&digits);
        let of_word = |word: u32| move |digit: usize| nibble(word, digit % WORD_DIGITS);
        tail.require(Group::Pc, WORD_DIGITS, of_word(pc));
        tail.compare(Group::Sources, SOURCE_DIGITS, of_word(sources(instruction)));
        for fields in [&Field::OTHERS[..], &Field::WORDS] {
            for &field in fields {
                if let Want::Known(known) = want(self.kind, field) {
                    tail.compare(
                        field.place().0,
                        WORD_DIGITS,
                        of_word(known.word(pc, instruction)),
                    );
                }
            }
        }
        for field in Field::WORDS {
            if want(self.kind, field) == Want::Any {
                tail.skip(field.place().0, WORD_DIGITS);
            }
        }
        let mut hints = 0;
        let mut body_max_stack = digits.len() + 3;
        if let Some(computation) = &self.computation {
            let words: Vec<u32> = computation
                .parameters
                .iter()
                .map(|parameter| parameter.word(pc, instruction))
                .collect();
            tail.hand_over(&words);
            tail.writer().script(&computation.template.script);
            hints = computation.template.hints().len();
            body_max_stack = (body_max_stack + hints).max(computation.template.max_stack);
        }
        Leaf {
            openings: Arc::clone(&self.openings),
            body: tail.finish(),
            hints,
            body_max_stack,
            hashed: None,
        }
    }

    /// The hints for what was published, bottom first.
    pub(crate) fn hints(
        &self,
        pc: u32,
        instruction: Instruction,
        published: &Published,
    ) -> Result<Vec<Vec<u8>>, PublishedError> {
        match &self.computation {
            Some(computation) => {
                let evaluation = computation.evaluate(pc, instruction, published)?;
                Ok(computation.template.witness(&evaluation))
            }
            None => Ok(Vec::new()),
        }
    }
}

/// What an instruction's record has as [`Group::Sources`].
pub(crate) fn sources(instruction: Instruction) -> u32 {
    let register = |used, register: Register| {
        if used {
            u32::from(register.number())
        } else {
            0
        }
    };
    let op = instruction.op;
    register(op.reads_rs1(), instruction.rs1) | register(op.reads_rs2(), instruction.rs2) << 5
}

impl Computation {
    fn new(
        kind: Kind,
        fields: Vec<Field>,
        inputs: u32,
        space: AddressSpace,
    ) -> Result<Self, CompileError> {
        let mut expression = Expression::new();
        let differs = expression.input_bit("differs");
        let parameters = parameters(kind);
        let known = parameters
            .iter()
            .map(|known| (known.name(), expression.input_word(known.name())))
            .collect();
        let opened = fields
            .iter()
            .map(|field| (field.name(), expression.input_word(field.name())))
            .collect();
        let mut builder = Builder {
            kind,
            inputs,
            space,
            known,
            opened,
            e: &mut expression,
            differs,
        };
        builder.build();
        let differs = builder.differs;
        expression.name(differs, "disproved");
        expression.output(differs);
        let template = expression.compile_from_altstack()?;
        Ok(Self {
            expression,
            template,
            parameters,
            fields,
        })
    }

    fn evaluate(
        &self,
        pc: u32,
        instruction: Instruction,
        published: &Published,
    ) -> Result<Evaluation, PublishedError> {
        // No hint depends on it.
        let mut inputs = vec![("differs", Datum::Bit(false))];
        for parameter in &self.parameters {
            inputs.push((
                parameter.name(),
                Datum::Word(parameter.word(pc, instruction)),
            ));
        }
        for field in &self.fields {
            let word = match field.place() {
                (Group::Words, place) => published.one_of_words(place)?,
                (group, _) => published.word(group)?,
            };
            inputs.push((field.name(), Datum::Word(word)));
        }
        Ok(self
            .expression
            .evaluate(inputs)
            .expect("every input has its word"))
    }
}

/// Builds the computation of a kind.
struct Builder<'a> {
    e: &'a mut Expression,
    kind: Kind,
    inputs: u32,
    space: AddressSpace,
    known: BTreeMap<&'static str, Word>,
    opened: BTreeMap<&'static str, Word>,
    /// Whether anything differs so far.
    differs: Bit,
}

impl Builder<'_> {
    fn known(&self, known: Known) -> Word {
        self.known[known.name()]
    }

    fn field(&self, field: Field) -> Word {
        self.opened[field.name()]
    }

    /// Notes whether a field is what it should be.
    fn expect(&mut self, field: Field, expected: Word) {
        let same = self.e.equal(self.field(field), expected);
        self.expect_true(same);
    }

    fn expect_true(&mut self, bit: Bit) {
        let wrong = self.e.bit_not(bit);
        self.differs = self.e.bit_or(self.differs, wrong);
    }

    fn build(&mut self) {
        let op = self.kind.op;
        if op.accesses_memory() {
            self.access();
        } else {
            match op {
                Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => self.branch(),
                Op::Jalr => self.jump_to_register(),
                Op::Ecall => self.call(),
                _ => {
                    let result = self.arithmetic();
                    self.e.name(result, "result");
                    self.expect(Field::W, result);
                }
            }
        }
    }

    fn arithmetic(&mut self) -> Word {
        let a = self.field(Field::A);
        let shift = self.kind.shift;
        let b = match want(self.kind, Field::B) {
            Want::Computed => self.field(Field::B),
            _ => match self.known.get(Known::Immediate.name()) {
                Some(&immediate) => immediate,
                // A shift by a constant.
                None => a,
            },
        };
        let e = &mut *self.e;
        match self.kind.op {
            Op::Add | Op::Addi => e.add([a, b]),
            Op::Sub => e.subtract(a, b),
            Op::Xor | Op::Xori => e.xor(a, b),
            Op::Or | Op::Ori => e.or(a, b),
            Op::And | Op::Andi => e.and(a, b),
            Op::Slt | Op::Slti => {
                let less = e.less_than_signed(a, b);
                e.word_from_bit(less)
            }
            Op::Sltu | Op::Sltiu => {
                let less = e.less_than(a, b);
                e.word_from_bit(less)
            }
            Op::Slli => e.shift_left(a, shift),
            Op::Srli => e.shift_right(a, shift),
            Op::Srai => e.shift_right_arithmetic(a, shift),
            Op::Sll => e.shift_left_by(a, b),
            Op::Srl => e.shift_right_by(a, b),
            Op::Sra => e.shift_right_arithmetic_by(a, b),
            Op::Mul => e.multiply(a, b),
            Op::Mulh => e.multiply_high_signed(a, b),
            Op::Mulhsu => e.multiply_high_signed_unsigned(a, b),
            Op::Mulhu => e.multiply_high(a, b),
            Op::Div => e.divide_signed(a, b)[0],
            Op::Divu => e.divide(a, b)[0],
            Op::Rem => e.divide_signed(a, b)[1],
            Op::Remu => e.divide(a, b)[1],
            op => unreachable!("{op:?} computes no word from registers alone"),
        }
    }

    fn branch(&mut self) {
        let (a, b) = (self.field(Field::A), self.field(Field::B));
        let (jump, next) = (self.known(Known::Jump), self.known(Known::Next));
        let e = &mut *self.e;
        // `next` is where it goes if `decides`.
        let (decides, then, otherwise) = match self.kind.op {
            Op::Beq => (e.equal(a, b), jump, next),
            Op::Bne => (e.equal(a, b), next, jump),
            Op::Blt => (e.less_than_signed(a, b), jump, next),
            Op::Bge => (e.less_than_signed(a, b), next, jump),
            Op::Bltu => (e.less_than(a, b), jump, next),
            _ => (e.less_than(a, b), next, jump),
        };
        let goes = e.select(decides, then, otherwise);
        self.expect(Field::NextPc, goes);
    }

    fn jump_to_register(&mut self) {
        let sum = self.address();
        let [low, rest @ ..] = self.e.word_nibbles(sum);
        let [_, bits @ ..] = self.e.split(low);
        let even = self.even(bits);
        let mut nibbles = [even; WORD_DIGITS];
        nibbles[1..].copy_from_slice(&rest);
        let goes = self.e.word_from_nibbles(nibbles);
        self.expect(Field::NextPc, goes);
    }

    /// A nibble with bit 0 clear.
    fn even(&mut self, [b1, b2, b3]: [Bit; 3]) -> Nibble {
        let zero = self.e.bit(false);
        self.e.join([zero, b1, b2, b3])
    }

    /// `rs1` plus the immediate.
    fn address(&mut self) -> Word {
        let (a, immediate) = (self.field(Field::A), self.known(Known::Immediate));
        let address = self.e.add([a, immediate]);
        self.e.name(address, "address");
        address
    }

    /// Bits 0 and 1 of an address, and the label of its cell.
    fn take_apart(&mut self, address: Word) -> ([Bit; 2], Word) {
        let [low, rest @ ..] = self.e.word_nibbles(address);
        let [b0, b1, b2, b3] = self.e.split(low);
        let zero = self.e.bit(false);
        let mut nibbles = [self.e.join([zero, zero, b2, b3]); WORD_DIGITS];
        nibbles[1..].copy_from_slice(&rest);
        ([b0, b1], self.e.word_from_nibbles(nibbles))
    }

    /// Whether an access of `2^log2_bytes` bytes is made: whether the address is a multiple of
    /// that, and memory. The machine stops in place if not.
    fn is_made(&mut self, address: Word, [b0, b1]: [Bit; 2], log2_bytes: u32) -> Bit {
        let is_memory = self.is_memory(address);
        let misaligned = match log2_bytes {
            0 => return is_memory,
            1 => b0,
            _ => self.e.bit_or(b0, b1),
        };
        let aligned = self.e.bit_not(misaligned);
        self.e.bit_and(aligned, is_memory)
    }

    /// Whether an address is memory: some bit from [`AddressSpace::LOWEST`] on is set, and none
    /// that is beyond the space.
    fn is_memory(&mut self, address: Word) -> Bit {
        let nibbles = self.e.word_nibbles(address);
        // Casts ok: at most 32 bits.
        let lowest = (AddressSpace::LOWEST.trailing_zeros() / 4) as usize;
        let (whole, bits) = (self.space.log2_bytes() / 4, self.space.log2_bytes() % 4);
        let whole = whole as usize;
        let inside = whole + usize::from(bits > 0);
        let some = self.e.sum_is_within(&nibbles[lowest..inside], 1, u32::MAX);
        let mut is_memory = some;
        if bits > 0 {
            let below = self.e.sum_is_within(&nibbles[whole..inside], 0, 1 << bits);
            is_memory = self.e.bit_and(is_memory, below);
        }
        if inside < WORD_DIGITS {
            let none = self.e.sum_is_within(&nibbles[inside..], 0, 1);
            is_memory = self.e.bit_and(is_memory, none);
        }
        self.e.name(is_memory, "is memory");
        is_memory
    }

    /// A load or store. Whatever differs counts only if the access is made, or, in the other leaf,
    /// only if it is not.
    fn access(&mut self) {
        let op = self.kind.op;
        let log2_bytes = op.access_log2_bytes().expect("it accesses memory");
        let address = self.address();
        let (low_bits, label) = self.take_apart(address);
        let mut is_judged = self.is_made(address, low_bits, log2_bytes);
        if self.kind.stops {
            is_judged = self.e.bit_not(is_judged);
        } else if op.load_log2_bytes().is_some() {
            self.load(label, low_bits);
        } else {
            self.store(label, low_bits);
        }
        self.differs = self.e.bit_and(self.differs, is_judged);
    }

    fn load(&mut self, label: Word, low_bits: [Bit; 2]) {
        if !self.kind.discards {
            let value = self.loaded(self.field(Field::M), low_bits);
            self.e.name(value, "loaded");
            self.expect(Field::W, value);
        }
        self.expect(Field::Memory, label);
    }

    /// What a load gives of the word `m`.
    fn loaded(&mut self, m: Word, [b0, b1]: [Bit; 2]) -> Word {
        let op = self.kind.op;
        if op == Op::Lw {
            return m;
        }
        let nibbles = self.e.word_nibbles(m);
        // The half, and of it the byte.
        let mut part: Vec<Nibble> = (0..4)
            .map(|i| self.e.select(b1, nibbles[4 + i], nibbles[i]))
            .collect();
        if matches!(op, Op::Lb | Op::Lbu) {
            part = (0..2)
                .map(|i| self.e.select(b0, part[2 + i], part[i]))
                .collect();
        }
        let fill = if matches!(op, Op::Lb | Op::Lh) {
            let top = *part.last().expect("two or four nibbles");
            let [.., sign] = self.e.split(top);
            self.e.join([sign; 4])
        } else {
            self.e.nibble(0)
        };
        part.resize(WORD_DIGITS, fill);
        let nibbles: [Nibble; WORD_DIGITS] = part.try_into().expect("eight nibbles");
        self.e.word_from_nibbles(nibbles)
    }

    fn store(&mut self, label: Word, low_bits: [Bit; 2]) {
        let (op, b) = (self.kind.op, self.field(Field::B));
        let value = if op == Op::Sw {
            b
        } else {
            self.merged(self.field(Field::M), b, low_bits)
        };
        self.e.name(value, "stored");
        self.expect(Field::W, value);
        self.expect(Field::Target, label);
        if op != Op::Sw {
            self.expect(Field::Memory, label);
        }
    }

    /// The word `m` with a byte or half replaced by that of `b`.
    fn merged(&mut self, m: Word, b: Word, [b0, b1]: [Bit; 2]) -> Word {
        let (old, new) = (self.e.word_nibbles(m), self.e.word_nibbles(b));
        let [not_b0, not_b1] = [self.e.bit_not(b0), self.e.bit_not(b1)];
        let parts: Vec<Bit> = if self.kind.op == Op::Sh {
            vec![not_b1, b1]
        } else {
            let bytes = [(not_b0, not_b1), (b0, not_b1), (not_b0, b1), (b0, b1)];
            bytes.map(|(low, high)| self.e.bit_and(low, high)).to_vec()
        };
        let width = WORD_DIGITS / parts.len();
        let merged =
            std::array::from_fn(|i| self.e.select(parts[i / width], new[i % width], old[i]));
        self.e.word_from_nibbles(merged)
    }

    fn call(&mut self) {
        let (a, b, w) = (
            self.field(Field::A),
            self.field(Field::B),
            self.field(Field::W),
        );
        let (here, next) = (self.known(Known::Here), self.known(Known::Next));
        let e = &mut *self.e;
        let [exit, input, accept, zero, a0] = [
            EXIT_CALL,
            INPUT_CALL,
            ACCEPT_PC,
            0,
            Cell::register(Register::A0).label(),
        ]
        .map(|word| e.word(word));
        let exits = e.equal(a, exit);
        let succeeds = e.equal(b, zero);
        let accepts = e.bit_and(exits, succeeds);
        let asks = e.equal(a, input);
        let words = e.word(self.inputs);
        let exists = if self.inputs == 0 {
            e.bit(false)
        } else {
            e.less_than(b, words)
        };
        let reads = e.bit_and(asks, exists);
        let stays = e.select(reads, next, here);
        let goes = e.select(accepts, accept, stays);
        let target = e.select(reads, a0, zero);
        let unwritten = e.equal(w, zero);
        // Which word it is, `Input` leaves check.
        let right = e.bit_or(reads, unwritten);
        self.expect_true(right);
        self.expect(Field::NextPc, goes);
        self.expect(Field::Target, target);
    }
}
