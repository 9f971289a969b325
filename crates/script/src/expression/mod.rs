//! Typed expressions: bits, nibbles, words and hashes, from which a leaf is made.
//!
//! An [`Expression`] is built from typed handles ([`Bit`], [`Nibble`], [`Word`], [`Hash160`], [`Hash256`]) and knows no values. From it come
//!
//! - the [`Template`]: the script, made from types alone ([`Expression::compile`]). Stack positions and the order of the inputs are chosen
//!   there; operands are moved at their last use and copied otherwise; each table is set up once and shared;
//! - the [`Evaluation`]: all values and hints for given inputs ([`Expression::evaluate`]), from plain Rust arithmetic that knows nothing
//!   of the script. [`Template::witness`] puts them in the order in which the script takes them.
//!
//! Handles belong to the expression that made them.
//!
//! Values with names are reported as a script makes them by [`Template::trace`].
//!
//! # What may be trusted
//! [`Expression::input_word`] and its like take items that something before the script vouches for, such as an opening that delivers nibbles `2n`
//! itself. [`Expression::witness_word`] and its like take items as a spender gives them, plain nibbles, which the script checks. Hints
//! are always checked: a wrong one fails.
//!
//! The script takes numbers that are not minimally encoded for the numbers that they are; relay policy, not consensus, refuses those.

mod arithmetic;
mod evaluate;
mod lower;
mod operation;
mod tables;
mod template;
mod types;

pub use self::evaluate::{EvaluateError, Evaluation};
pub(crate) use self::operation::{Bitwise, Operation, Shift, Source, Step, ValueInfo};
pub use self::template::{NamedValue, Template};
pub use self::types::{Bit, Datum, Hash, Hash160, Hash256, Nibble, Type, Typed, Word};
use crate::gadgets::u32::Product;

/// A value of an [`Expression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(crate) u32);

impl ValueId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize // cast ok: u32 fits
    }
}

/// How the nibbles of an output are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As twice their value; bits as they are.
    Doubled,
    /// As they are.
    Plain,
}

/// A computation on typed values, with assertions. See the [module](self).
#[derive(Clone, Debug, Default)]
pub struct Expression {
    pub(crate) values: Vec<ValueInfo>,
    pub(crate) steps: Vec<Step>,
    pub(crate) outputs: Vec<(ValueId, Form)>,
}

/// Inputs, constants, assertions, names.
impl Expression {
    /// Starts an expression.
    pub fn new() -> Self {
        Self::default()
    }

    fn step<const N: usize>(
        &mut self,
        operation: Operation,
        arguments: impl Into<Vec<ValueId>>,
        results: [Type; N],
    ) -> [ValueId; N] {
        let results = results.map(|value_type| {
            self.values.push(ValueInfo {
                value_type,
                name: None,
            });
            ValueId(self.values.len() as u32 - 1) // cast ok: far fewer values
        });
        self.steps.push(Step {
            operation,
            arguments: arguments.into(),
            results: results.to_vec(),
        });
        results
    }

    fn input(&mut self, name: &str, source: Source, value_type: Type) -> ValueId {
        assert!(
            self.inputs().all(|(input, _)| input != name),
            "there is an input {name:?} already"
        );
        let operation = Operation::Input {
            name: name.to_owned(),
            source,
        };
        let [value] = self.step(operation, [], [value_type]);
        self.values[value.index()].name = Some(name.to_owned());
        value
    }

    /// A bit that something before the script vouches for.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn input_bit(&mut self, name: &str) -> Bit {
        Bit(self.input(name, Source::Opened, Type::Bit))
    }

    /// A nibble that something before the script vouches for, on the stack as `2n`.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn input_nibble(&mut self, name: &str) -> Nibble {
        Nibble(self.input(name, Source::Opened, Type::Nibble))
    }

    /// A word that something before the script vouches for, on the stack as eight nibbles `2n`.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn input_word(&mut self, name: &str) -> Word {
        Word(self.input(name, Source::Opened, Type::Word))
    }

    /// A word that something before the script vouches for, on the stack as eight plain nibbles.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn input_plain_word(&mut self, name: &str) -> Word {
        Word(self.input(name, Source::Plain, Type::Word))
    }

    /// A hash that something before the script vouches for, on the stack as nibbles `2n`.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn input_hash<H: Hash>(&mut self, name: &str) -> H {
        H::from_id(self.input(name, Source::Opened, H::TYPE))
    }

    /// A bit from the witness, checked by the script.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn witness_bit(&mut self, name: &str) -> Bit {
        Bit(self.input(name, Source::Witness, Type::Bit))
    }

    /// A nibble from the witness, on the stack as it is, checked by the script.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn witness_nibble(&mut self, name: &str) -> Nibble {
        Nibble(self.input(name, Source::Witness, Type::Nibble))
    }

    /// A word from the witness, on the stack as eight nibbles, checked by the script.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn witness_word(&mut self, name: &str) -> Word {
        Word(self.input(name, Source::Witness, Type::Word))
    }

    /// A hash from the witness, on the stack as nibbles, checked by the script.
    ///
    /// # Panics
    /// If there is an input of this name.
    pub fn witness_hash<H: Hash>(&mut self, name: &str) -> H {
        H::from_id(self.input(name, Source::Witness, H::TYPE))
    }

    /// A constant bit.
    pub fn bit(&mut self, bit: bool) -> Bit {
        let [value] = self.step(Operation::Constant(bit.into()), [], [Type::Bit]);
        Bit(value)
    }

    /// A constant nibble.
    ///
    /// # Panics
    /// If it is not below 16.
    pub fn nibble(&mut self, nibble: u8) -> Nibble {
        assert!(nibble < 16, "a nibble is below 16, not {nibble}");
        let constant = Operation::Constant(Datum::Nibble(nibble));
        let [value] = self.step(constant, [], [Type::Nibble]);
        Nibble(value)
    }

    /// A constant word.
    pub fn word(&mut self, word: u32) -> Word {
        let [value] = self.step(Operation::Constant(word.into()), [], [Type::Word]);
        Word(value)
    }

    /// Names a value, for traces. Inputs have names already.
    pub fn name(&mut self, value: impl Typed, name: &str) {
        self.values[value.id().index()].name = Some(name.to_owned());
    }

    /// Makes the script fail unless two values are equal.
    pub fn assert_equal<T: Typed>(&mut self, a: T, b: T) {
        let [] = self.step(Operation::AssertEqual, [a.id(), b.id()], []);
    }

    /// Makes the script fail unless a bit is 1.
    pub fn assert_true(&mut self, bit: Bit) {
        let [] = self.step(Operation::AssertTrue, [bit.0], []);
    }

    /// Leaves a value on the stack at the end, its lowest digit on top, above what was left before. Without outputs, the script leaves 1, so
    /// that it is a leaf by itself.
    pub fn output(&mut self, value: impl Typed) {
        self.outputs.push((value.id(), Form::Doubled));
    }

    /// Leaves a value as [`Self::output`] does, its nibbles as plain numbers.
    pub fn output_plain(&mut self, value: impl Typed) {
        let form = match value.value_type() {
            Type::Bit => Form::Doubled,
            _ => Form::Plain,
        };
        self.outputs.push((value.id(), form));
    }
}

/// What an expression is made of.
impl Expression {
    /// Names and types of all inputs, in the order in which they were made.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, Type)> {
        self.steps.iter().filter_map(|step| match &step.operation {
            Operation::Input { name, .. } => Some((
                name.as_str(),
                self.values[step.results[0].index()].value_type,
            )),
            _ => None,
        })
    }

    /// Whether a step takes this value.
    pub(crate) fn uses(&self, value: impl Typed) -> bool {
        self.steps
            .iter()
            .any(|step| step.arguments.contains(&value.id()))
    }
}

/// Words.
impl Expression {
    fn word_step(&mut self, operation: Operation, arguments: impl Into<Vec<ValueId>>) -> Word {
        let [word] = self.step(operation, arguments, [Type::Word]);
        Word(word)
    }

    /// The sum of words, modulo 2^32.
    ///
    /// # Panics
    /// If there are more than five, which is what the tables are made for, or none.
    pub fn add<const N: usize>(&mut self, words: [Word; N]) -> Word {
        assert!((1..=5).contains(&N), "between 1 and 5 words, not {N}");
        self.word_step(Operation::Sum { plus: N }, words.map(|word| word.0))
    }

    /// The difference of two words, modulo 2^32.
    pub fn subtract(&mut self, a: Word, b: Word) -> Word {
        self.word_step(Operation::Sum { plus: 1 }, [a.0, b.0])
    }

    /// Bit by bit, whether both are 1.
    pub fn and(&mut self, a: Word, b: Word) -> Word {
        self.word_step(Operation::Bitwise(Bitwise::And), [a.0, b.0])
    }

    /// Bit by bit, whether one is 1.
    pub fn or(&mut self, a: Word, b: Word) -> Word {
        self.word_step(Operation::Bitwise(Bitwise::Or), [a.0, b.0])
    }

    /// Bit by bit, whether just one is 1.
    pub fn xor(&mut self, a: Word, b: Word) -> Word {
        self.word_step(Operation::Bitwise(Bitwise::Xor), [a.0, b.0])
    }

    /// All three words in one exclusive or.
    pub fn xor3(&mut self, a: Word, b: Word, c: Word) -> Word {
        self.word_step(Operation::Bitwise(Bitwise::Xor), [a.0, b.0, c.0])
    }

    /// Bit by bit, whether all three are 1.
    pub fn and3(&mut self, a: Word, b: Word, c: Word) -> Word {
        self.word_step(Operation::Bitwise(Bitwise::And), [a.0, b.0, c.0])
    }

    /// Bit by bit, whether one of three is 1.
    pub fn or3(&mut self, a: Word, b: Word, c: Word) -> Word {
        self.word_step(Operation::Bitwise(Bitwise::Or), [a.0, b.0, c.0])
    }

    /// Every bit inverted.
    pub fn not(&mut self, a: Word) -> Word {
        self.word_step(Operation::Not, [a.0])
    }

    fn shift(&mut self, shift: Shift, a: Word, bits: u32) -> Word {
        assert!(
            bits < 32,
            "a word is shifted by at most 31 bits, not {bits}"
        );
        self.word_step(Operation::Shift(shift, bits), [a.0])
    }

    /// Shifted to the left by a constant.
    ///
    /// # Panics
    /// If it is not below 32, here and in the shifts that follow.
    pub fn shift_left(&mut self, a: Word, bits: u32) -> Word {
        self.shift(Shift::Left, a, bits)
    }

    /// Shifted to the right, zeros coming in.
    ///
    /// # Panics
    /// If the constant is not below 32.
    pub fn shift_right(&mut self, a: Word, bits: u32) -> Word {
        self.shift(Shift::Right, a, bits)
    }

    /// Shifted to the right, copies of the highest bit coming in.
    ///
    /// # Panics
    /// If the constant is not below 32.
    pub fn shift_right_arithmetic(&mut self, a: Word, bits: u32) -> Word {
        self.shift(Shift::RightArithmetic, a, bits)
    }

    /// Rotated to the right.
    ///
    /// # Panics
    /// If the constant is not below 32.
    pub fn rotate_right(&mut self, a: Word, bits: u32) -> Word {
        self.shift(Shift::RotateRight, a, bits)
    }

    fn shift_by(&mut self, shift: Shift, a: Word, amount: Word) -> Word {
        let low = self.word_nibble(amount, 0);
        let high = self.word_nibble(amount, 1);
        let [one, two, four, eight] = self.split(low);
        let [sixteen, ..] = self.split(high);
        let nibbles = Operation::ShiftNibbles(shift);
        let word = self.word_step(nibbles, [a.0, four.0, eight.0, sixteen.0]);
        let word = self.word_step(Operation::ShiftIf(shift, 2), [word.0, two.0]);
        self.word_step(Operation::ShiftIf(shift, 1), [word.0, one.0])
    }

    /// Shifted to the left by the lowest five bits of `amount`.
    pub fn shift_left_by(&mut self, a: Word, amount: Word) -> Word {
        self.shift_by(Shift::Left, a, amount)
    }

    /// Shifted to the right by the lowest five bits of `amount`, zeros coming in.
    pub fn shift_right_by(&mut self, a: Word, amount: Word) -> Word {
        self.shift_by(Shift::Right, a, amount)
    }

    /// Shifted to the right by the lowest five bits of `amount`, copies of the highest bit coming in.
    pub fn shift_right_arithmetic_by(&mut self, a: Word, amount: Word) -> Word {
        self.shift_by(Shift::RightArithmetic, a, amount)
    }

    /// Rotated to the right by the lowest five bits of `amount`.
    pub fn rotate_right_by(&mut self, a: Word, amount: Word) -> Word {
        self.shift_by(Shift::RotateRight, a, amount)
    }

    /// `a < b`, unsigned.
    pub fn less_than(&mut self, a: Word, b: Word) -> Bit {
        let [bit] = self.step(Operation::LessThan, [a.0, b.0], [Type::Bit]);
        Bit(bit)
    }

    /// `a ≤ b`, unsigned.
    pub fn at_most(&mut self, a: Word, b: Word) -> Bit {
        let above = self.less_than(b, a);
        self.bit_not(above)
    }

    /// `a < b`, signed.
    pub fn less_than_signed(&mut self, a: Word, b: Word) -> Bit {
        let unsigned = self.less_than(a, b);
        let (a, b) = (self.sign(a), self.sign(b));
        let differ = self.bit_xor(a, b);
        self.bit_xor(unsigned, differ)
    }

    /// `a ≤ b`, signed.
    pub fn at_most_signed(&mut self, a: Word, b: Word) -> Bit {
        let above = self.less_than_signed(b, a);
        self.bit_not(above)
    }

    /// Whether two values are equal.
    pub fn equal<T: Typed>(&mut self, a: T, b: T) -> Bit {
        let [bit] = self.step(Operation::Equal, [a.id(), b.id()], [Type::Bit]);
        Bit(bit)
    }

    /// `a` if the bit is 1, else `b`.
    pub fn select(&mut self, bit: Bit, a: Word, b: Word) -> Word {
        self.word_step(Operation::Select, [bit.0, a.0, b.0])
    }

    /// `-a` if the bit is 1, else `a`.
    pub fn negate_if(&mut self, bit: Bit, a: Word) -> Word {
        self.word_step(Operation::NegateIf, [a.0, bit.0])
    }

    /// The highest bit.
    pub fn sign(&mut self, a: Word) -> Bit {
        let [bit] = self.step(Operation::Sign, [a.0], [Type::Bit]);
        Bit(bit)
    }

    /// The product, modulo 2^32.
    pub fn multiply(&mut self, a: Word, b: Word) -> Word {
        self.word_step(Operation::Multiply(Product::Low), [a.0, b.0])
    }

    /// Both words of the unsigned product, the low one first.
    pub fn multiply_wide(&mut self, a: Word, b: Word) -> [Word; 2] {
        let full = Operation::Multiply(Product::Full);
        self.step(full, [a.0, b.0], [Type::Word; 2]).map(Word)
    }

    /// The high word of the unsigned product (RISC-V `mulhu`).
    pub fn multiply_high(&mut self, a: Word, b: Word) -> Word {
        self.multiply_wide(a, b)[1]
    }

    /// The high word of the product of two signed words (RISC-V `mulh`).
    pub fn multiply_high_signed(&mut self, a: Word, b: Word) -> Word {
        let high = self.multiply_high(a, b);
        let zero = self.word(0);
        // As unsigned, a negative word is 2^32 too large, which adds the other one to the high word.
        let (a_negative, b_negative) = (self.sign(a), self.sign(b));
        let excess = [
            self.select(a_negative, b, zero),
            self.select(b_negative, a, zero),
        ];
        self.word_step(
            Operation::Sum { plus: 1 },
            [high.0, excess[0].0, excess[1].0],
        )
    }

    /// The high word of the product of a signed and an unsigned word (RISC-V `mulhsu`).
    pub fn multiply_high_signed_unsigned(&mut self, a: Word, b: Word) -> Word {
        let high = self.multiply_high(a, b);
        let zero = self.word(0);
        let negative = self.sign(a);
        let excess = self.select(negative, b, zero);
        self.subtract(high, excess)
    }

    /// Quotient and remainder, unsigned, as RISC-V has them: by zero, the quotient is 2^32 - 1 and the remainder is the dividend.
    pub fn divide(&mut self, a: Word, b: Word) -> [Word; 2] {
        let results = [Type::Word; 2];
        self.step(Operation::Divide, [a.0, b.0], results).map(Word)
    }

    /// Quotient and remainder, signed, rounded toward zero, as RISC-V has them: by zero, -1 and the dividend; -2^31 by -1 is -2^31 and 0.
    pub fn divide_signed(&mut self, a: Word, b: Word) -> [Word; 2] {
        let (a_negative, b_negative) = (self.sign(a), self.sign(b));
        let dividend = self.negate_if(a_negative, a);
        let divisor = self.negate_if(b_negative, b);
        let [quotient, remainder] = self.divide(dividend, divisor);
        // The quotient by zero is -1, whatever the signs are.
        let zero = self.word(0);
        let by_zero = self.equal(b, zero);
        let by_something = self.bit_not(by_zero);
        let differ = self.bit_xor(a_negative, b_negative);
        let negative = self.bit_and(differ, by_something);
        [
            self.negate_if(negative, quotient),
            self.negate_if(a_negative, remainder),
        ]
    }
}

/// Bits, nibbles and conversions.
impl Expression {
    fn bit_step(&mut self, operation: Bitwise, a: Bit, b: Bit) -> Bit {
        let [bit] = self.step(Operation::BitLogic(operation), [a.0, b.0], [Type::Bit]);
        Bit(bit)
    }

    /// Whether both bits are 1.
    pub fn bit_and(&mut self, a: Bit, b: Bit) -> Bit {
        self.bit_step(Bitwise::And, a, b)
    }

    /// Whether one bit is 1.
    pub fn bit_or(&mut self, a: Bit, b: Bit) -> Bit {
        self.bit_step(Bitwise::Or, a, b)
    }

    /// Whether the bits differ.
    pub fn bit_xor(&mut self, a: Bit, b: Bit) -> Bit {
        self.bit_step(Bitwise::Xor, a, b)
    }

    /// The other bit.
    pub fn bit_not(&mut self, a: Bit) -> Bit {
        let [bit] = self.step(Operation::Not, [a.0], [Type::Bit]);
        Bit(bit)
    }

    /// The four bits of a nibble, the lowest first.
    pub fn split(&mut self, nibble: Nibble) -> [Bit; 4] {
        self.step(Operation::Split, [nibble.0], [Type::Bit; 4])
            .map(Bit)
    }

    /// The nibble of four bits, the lowest first.
    pub fn join(&mut self, bits: [Bit; 4]) -> Nibble {
        let bits = bits.map(|bit| bit.0);
        let [nibble] = self.step(Operation::Join, bits, [Type::Nibble]);
        Nibble(nibble)
    }

    /// All bits of a word, the lowest first.
    pub fn word_bits(&mut self, word: Word) -> [Bit; 32] {
        let nibbles = self.word_nibbles(word);
        let bits: Vec<Bit> = nibbles
            .into_iter()
            .flat_map(|nibble| self.split(nibble))
            .collect();
        std::array::from_fn(|bit| bits[bit])
    }

    /// The word of 32 bits, the lowest first.
    pub fn word_from_bits(&mut self, bits: [Bit; 32]) -> Word {
        let nibbles = std::array::from_fn(|nibble| {
            self.join(std::array::from_fn(|bit| bits[4 * nibble + bit]))
        });
        self.word_from_nibbles(nibbles)
    }

    /// A nibble of a word, 0 being the lowest.
    ///
    /// # Panics
    /// If the index is not below 8.
    pub fn word_nibble(&mut self, word: Word, index: usize) -> Nibble {
        assert!(index < 8, "a word has 8 nibbles, no nibble {index}");
        let digits = Operation::Digits { start: index };
        let [nibble] = self.step(digits, [word.0], [Type::Nibble]);
        Nibble(nibble)
    }

    /// All nibbles of a word, the lowest first.
    pub fn word_nibbles(&mut self, word: Word) -> [Nibble; 8] {
        std::array::from_fn(|index| self.word_nibble(word, index))
    }

    /// The word of eight nibbles, the lowest first.
    pub fn word_from_nibbles(&mut self, nibbles: [Nibble; 8]) -> Word {
        self.word_step(
            Operation::Digits { start: 0 },
            nibbles.map(|nibble| nibble.0),
        )
    }

    /// The word that is 0 or 1.
    pub fn word_from_bit(&mut self, bit: Bit) -> Word {
        let [nibble] = self.step(Operation::Widen, [bit.0], [Type::Nibble]);
        let zero = self.nibble(0);
        let mut nibbles = [zero; 8];
        nibbles[0] = Nibble(nibble);
        self.word_from_nibbles(nibbles)
    }

    /// A word of a hash.
    ///
    /// # Panics
    /// If the hash has not as many words.
    pub fn hash_word<H: Hash>(&mut self, hash: H, index: usize) -> Word {
        let words = H::WORDS;
        assert!(index < words, "a hash of {words} words has no word {index}");
        self.word_step(Operation::Digits { start: 8 * index }, [hash.id()])
    }

    /// The hash of words.
    ///
    /// # Panics
    /// If the number of words is another than the hash has.
    pub fn hash_from_words<H: Hash>(&mut self, words: &[Word]) -> H {
        assert_eq!(words.len(), H::WORDS, "as many words as the hash has");
        let words: Vec<ValueId> = words.iter().map(|word| word.0).collect();
        let [hash] = self.step(Operation::Digits { start: 0 }, words, [H::TYPE]);
        H::from_id(hash)
    }
}
