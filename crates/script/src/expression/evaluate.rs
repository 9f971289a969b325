//! Values and hints for given inputs, by plain arithmetic.

use std::collections::BTreeMap;

use super::{Datum, Expression, Operation, Type, Typed, ValueId};
use crate::gadgets::u32::{Divide, Multiply};

/// What an expression comes to for given inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Every value.
    pub(crate) values: Vec<Datum>,
    /// For each step its hints.
    pub(crate) hints: Vec<Vec<i64>>,
    holds: bool,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// An input is not given.
    #[error("no value for the input {name:?}")]
    Missing {
        /// Its name.
        name: String,
    },
    /// There is no such input.
    #[error("there is no input {name:?}")]
    Unknown {
        /// The name given.
        name: String,
    },
    /// An input has another type.
    #[error("the input {name:?} is a {expected}, not a {given}")]
    Type {
        /// Its name.
        name: String,
        /// The input's type.
        expected: Type,
        /// The type of what is given.
        given: Type,
    },
    /// A nibble is too large.
    #[error("the input {name:?} is a nibble, below 16, not {given}")]
    Nibble {
        /// Its name.
        name: String,
        /// What is given.
        given: u8,
    },
}

impl Evaluation {
    /// The value of a handle.
    pub fn value(&self, handle: impl Typed) -> &Datum {
        &self.values[handle.id().index()]
    }

    /// Whether every assertion holds.
    pub fn holds(&self) -> bool {
        self.holds
    }
}

impl Expression {
    /// Computes all values and hints. Assertions that do not hold are no error: see [`Evaluation::holds`].
    ///
    /// # Errors
    /// If an input is missing, unknown, or of another type.
    pub fn evaluate<'a>(
        &self,
        inputs: impl IntoIterator<Item = (&'a str, Datum)>,
    ) -> Result<Evaluation, EvaluateError> {
        let mut inputs: BTreeMap<&str, Datum> = inputs.into_iter().collect();
        let mut evaluation = Evaluation {
            values: Vec::with_capacity(self.values.len()),
            hints: Vec::with_capacity(self.steps.len()),
            holds: true,
        };
        for step in &self.steps {
            let types: Vec<Type> = step
                .results
                .iter()
                .map(|result| self.values[result.index()].value_type)
                .collect();
            let (results, hints) = match &step.operation {
                Operation::Input { name, .. } => {
                    (vec![take_input(&mut inputs, name, types[0])?], Vec::new())
                }
                operation => evaluation.step(operation, &step.arguments, &types),
            };
            // Values are numbered in the order of the steps that make them.
            evaluation.values.extend(results);
            evaluation.hints.push(hints);
        }
        match inputs.keys().next() {
            Some(name) => Err(EvaluateError::Unknown {
                name: (*name).to_owned(),
            }),
            None => Ok(evaluation),
        }
    }
}

fn take_input(
    inputs: &mut BTreeMap<&str, Datum>,
    name: &str,
    expected: Type,
) -> Result<Datum, EvaluateError> {
    let name_owned = || name.to_owned();
    let datum = inputs
        .remove(name)
        .ok_or_else(|| EvaluateError::Missing { name: name_owned() })?;
    match datum {
        Datum::Nibble(given @ 16..) => Err(EvaluateError::Nibble {
            name: name_owned(),
            given,
        }),
        _ if datum.value_type() != expected => Err(EvaluateError::Type {
            name: name_owned(),
            expected,
            given: datum.value_type(),
        }),
        _ => Ok(datum),
    }
}

impl Evaluation {
    fn word(&self, id: ValueId) -> u32 {
        match self.values[id.index()] {
            Datum::Word(word) => word,
            ref other => unreachable!("{other} is no word: handles are typed"),
        }
    }

    fn bit(&self, id: ValueId) -> bool {
        match self.values[id.index()] {
            Datum::Bit(bit) => bit,
            ref other => unreachable!("{other} is no bit: handles are typed"),
        }
    }

    fn step(
        &mut self,
        operation: &Operation,
        arguments: &[ValueId],
        types: &[Type],
    ) -> (Vec<Datum>, Vec<i64>) {
        let word = |argument: usize| self.word(arguments[argument]);
        let bit = |argument: usize| self.bit(arguments[argument]);
        let datum = |argument: usize| &self.values[arguments[argument].index()];
        let result: Datum = match operation {
            Operation::Input { .. } => unreachable!("taken from the inputs"),
            Operation::Constant(constant) => constant.clone(),
            Operation::Sum { plus } => (0..arguments.len())
                .fold(0u32, |sum, argument| {
                    if argument < *plus {
                        sum.wrapping_add(word(argument))
                    } else {
                        sum.wrapping_sub(word(argument))
                    }
                })
                .into(),
            Operation::Bitwise(operation) => (1..arguments.len())
                .fold(word(0), |all, argument| {
                    operation.apply(all, word(argument))
                })
                .into(),
            Operation::Not if types[0] == Type::Bit => (!bit(0)).into(),
            Operation::Not => (!word(0)).into(),
            Operation::Shift(shift, bits) => shift.apply(word(0), *bits).into(),
            Operation::ShiftIf(shift, bits) => {
                shift.apply(word(0), if bit(1) { *bits } else { 0 }).into()
            }
            Operation::ShiftNibbles(shift) => {
                let nibbles = (0..3).map(|index| u32::from(bit(1 + index)) << index);
                shift.apply(word(0), 4 * nibbles.sum::<u32>()).into()
            }
            Operation::LessThan => (word(0) < word(1)).into(),
            Operation::SumIsWithin { low, high } => {
                let nibbles = (0..arguments.len()).map(|argument| datum(argument).digits()[0]);
                let sum = nibbles.map(u32::from).sum::<u32>();
                (*low..*high).contains(&sum).into()
            }
            Operation::Equal => (datum(0) == datum(1)).into(),
            Operation::Select => datum(if bit(0) { 1 } else { 2 }).clone(),
            Operation::NegateIf if bit(1) => word(0).wrapping_neg().into(),
            Operation::NegateIf => word(0).into(),
            Operation::Multiply(product) => {
                let (a, b) = (u64::from(word(0)), u64::from(word(1)));
                let words = [(a * b) as u32, ((a * b) >> 32) as u32]; // cast ok: the low and the high word
                let hints = Multiply::new(8, *product).hints(a, b);
                return (
                    words[..types.len()]
                        .iter()
                        .map(|&word| word.into())
                        .collect(),
                    hints,
                );
            }
            Operation::Divide => {
                let (a, b) = (word(0), word(1));
                let quotient = a.checked_div(b).unwrap_or(u32::MAX);
                let remainder = a.checked_rem(b).unwrap_or(a);
                let hints = Divide::new(8).hints(a.into(), b.into());
                return (vec![quotient.into(), remainder.into()], hints);
            }
            Operation::Digits { start } => {
                let digits: Vec<u8> = (0..arguments.len())
                    .flat_map(|argument| datum(argument).digits())
                    .skip(*start)
                    .take(types[0].items())
                    .collect();
                Datum::from_digits(types[0], &digits).expect("as many digits as the type has")
            }
            Operation::Split => {
                let nibble = datum(0).digits()[0];
                return (
                    (0..4).map(|bit| (nibble >> bit & 1 == 1).into()).collect(),
                    Vec::new(),
                );
            }
            Operation::Join => {
                let nibble = (0..4).map(|index| u8::from(bit(index)) << index).sum();
                Datum::Nibble(nibble)
            }
            Operation::Sign => (word(0) >> 31 == 1).into(),
            Operation::BitLogic(operation) => operation.apply(bit(0), bit(1)).into(),
            Operation::Widen => Datum::Nibble(bit(0).into()),
            Operation::Hash(function) => {
                let nibbles: Vec<u8> = (0..arguments.len())
                    .flat_map(|argument| datum(argument).digits())
                    .collect();
                let bytes: Vec<u8> = nibbles
                    .chunks_exact(2)
                    .map(|pair| pair[0] | pair[1] << 4)
                    .collect();
                let digest = function.digest(&bytes);
                match types[0] {
                    Type::Hash160 => Datum::Hash160(std::array::from_fn(|byte| digest[byte])),
                    _ => Datum::Hash256(digest),
                }
            }
            Operation::AssertEqual => {
                self.holds &= datum(0) == datum(1);
                return (Vec::new(), Vec::new());
            }
            Operation::AssertTrue => {
                self.holds &= bit(0);
                return (Vec::new(), Vec::new());
            }
        };
        (vec![result], Vec::new())
    }
}
