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
//! # Order of bytes
//! A word is four bytes, the lowest first, wherever bytes matter: in a hash that is made of words, and in a message that is hashed. Of a byte, the low nibble
//! comes first. On the stack, what comes first lies on top.
//!
//! # What may be trusted
//! [`Expression::input_word`] and its like take items that something before the script vouches for, such as an opening that delivers nibbles `2n`
//! itself. [`Expression::witness_word`] and its like take items as a spender gives them, plain nibbles, which the script checks. Hints
//! are always checked: a wrong one fails.
//!
//! The script takes numbers that are not minimally encoded for the numbers that they are; relay policy, not consensus, refuses those.

mod arithmetic;
mod bits;
mod evaluate;
mod hashes;
mod lower;
mod operation;
mod search;
mod tables;
mod template;
mod types;
mod words;

pub use self::evaluate::{EvaluateError, Evaluation};
pub use self::hashes::Part;
pub(crate) use self::operation::{
    Bitwise, HashFunction, Operation, Shift, Source, Step, ValueInfo,
};
pub use self::template::{NamedValue, Template};
pub use self::types::{Bit, Datum, Hash, Hash160, Hash256, Nibble, Type, Typed, Word};

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
    pub fn output_plain<T: Typed>(&mut self, value: T) {
        let form = match T::TYPE {
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
