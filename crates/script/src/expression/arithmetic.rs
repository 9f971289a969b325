//! Words as digits in tables.

use super::lower::Lowering;
use super::tables::{Pair, PairTables, Single, shift_pair};
use super::{Bitwise, Shift};
use crate::ScriptWriter;
use crate::dataflow::{Linear, TableId};
use crate::gadgets::sha256::{self, SharedTables};
use crate::opcodes::*;

/// The digits of a value as logical numbers, the lowest first.
pub(crate) type Digits = Vec<Linear>;

/// Adds up two sums.
pub(crate) fn plus(a: &Linear, b: &Linear) -> Linear {
    let mut sum = a.clone().plus_constant(b.constant);
    sum.terms.extend_from_slice(&b.terms);
    sum
}

/// A nibble's complement, `15 - n`.
pub(crate) fn complement(digit: &Linear) -> Linear {
    use crate::dataflow::Sign::{Minus, Plus};
    let terms = digit.terms.iter().map(|&(value, sign)| match sign {
        Plus => (value, Minus),
        Minus => (value, Plus),
    });
    Linear {
        terms: terms.collect(),
        constant: 30 - digit.constant,
    }
}

impl Lowering<'_> {
    /// Reads a table.
    fn read(&mut self, table: TableId, index: Linear) -> Linear {
        match index.as_constant() {
            Some(index) => {
                let entry = self.flow.bank.table(table).get(index);
                entry
                    .expect("tables have all entries that nibbles lead to")
                    .into()
            }
            None => self.flow.lookup(table, index).into(),
        }
    }

    /// The lowest digit of a column.
    fn low(&mut self, tables: PairTables, column: Linear) -> Linear {
        let low = self.read(tables.low, column);
        match tables.then {
            Some(table) => self.read(table, low),
            None => low,
        }
    }

    /// Takes columns apart one after the other, each with what the one before carries: returns the digits, and what the last carries.
    pub(crate) fn columns(
        &mut self,
        pair: Pair,
        columns: &[Linear],
        carry: Linear,
    ) -> (Digits, Linear) {
        let tables = self.tables.pair(pair);
        let mut digits = Vec::with_capacity(columns.len());
        let mut carry = carry;
        for column in columns {
            let sum = plus(column, &carry);
            if sum.as_constant().is_some() {
                digits.push(self.low(tables, sum.clone()));
                carry = self.read(tables.carry, sum);
                continue;
            }
            let sum = self.flow.index(sum, tables.low);
            let digit = self.low(tables, sum.into());
            self.keep(&digit);
            digits.push(digit);
            carry = self.flow.lookup(tables.carry, sum).into();
        }
        (digits, carry)
    }

    /// The digits of columns of which the last carries nothing.
    fn closed_columns(&mut self, pair: Pair, columns: &[Linear], carry: Linear) -> Digits {
        let Some((last, before)) = columns.split_last() else {
            return Vec::new();
        };
        let (mut digits, carry) = self.columns(pair, before, carry);
        let last = self.low(self.tables.pair(pair), plus(last, &carry));
        self.keep(&last);
        digits.push(last);
        digits
    }

    /// Lets a digit wait on the altstack.
    fn keep(&mut self, digit: &Linear) {
        if let [(value, _)] = digit.terms[..] {
            self.flow.keep_on_altstack(value);
        }
    }

    /// Adds up the digits of words, and of others that are subtracted.
    fn sum_columns(plus_words: &[Digits], minus_words: &[Digits]) -> (Vec<Linear>, Linear) {
        let columns = (0..plus_words[0].len())
            .map(|digit| {
                let added = plus_words.iter().map(|word| word[digit].clone());
                let complements = minus_words.iter().map(|word| complement(&word[digit]));
                added
                    .chain(complements)
                    .fold(Linear::default(), |sum, term| plus(&sum, &term))
            })
            .collect();
        // -x is the complement plus one.
        (columns, Linear::from(2 * minus_words.len() as i64)) // cast ok: at most 4
    }

    /// The sum of words less others.
    pub(crate) fn sum(&mut self, plus_words: &[Digits], minus_words: &[Digits]) -> Digits {
        let (columns, carry) = Self::sum_columns(plus_words, minus_words);
        self.closed_columns(Pair::Sum, &columns, carry)
    }

    /// Whether one word is below another: whether nothing is carried out of their difference.
    pub(crate) fn less_than(&mut self, a: &Digits, b: &Digits) -> Linear {
        let (columns, mut carry) =
            Self::sum_columns(std::slice::from_ref(a), std::slice::from_ref(b));
        let table = self.tables.pair(Pair::Sum).carry;
        let (last, before) = columns.split_last().expect("words have digits");
        for column in before {
            carry = self.read(table, plus(column, &carry));
        }
        let sum = plus(last, &carry);
        match sum.as_constant() {
            Some(sum) => i64::from(sum < 32).into(),
            None => self.code(&[&[1, 32, OP_LESSTHAN.to_u8()]], [sum]).into(),
        }
    }

    /// An operation on nibbles, bit by bit.
    pub(crate) fn bitwise(&mut self, operation: Bitwise, words: &[Digits]) -> Digits {
        (0..words[0].len())
            .map(|place| {
                let digits: Vec<Linear> = words.iter().map(|word| word[place].clone()).collect();
                let digit = digits
                    .into_iter()
                    .reduce(|a, b| self.bitwise_nibble(operation, &a, &b))
                    .expect("there are words");
                self.keep(&digit);
                digit
            })
            .collect()
    }

    fn bitwise_nibble(&mut self, operation: Bitwise, a: &Linear, b: &Linear) -> Linear {
        match (operation, a.as_constant(), b.as_constant()) {
            (_, Some(a), Some(b)) => return (2 * operation.apply(a / 2, b / 2)).into(),
            (Bitwise::Xor | Bitwise::Or, Some(0), _) | (Bitwise::And, Some(30), _) => {
                return b.clone();
            }
            (Bitwise::Xor | Bitwise::Or, _, Some(0)) | (Bitwise::And, _, Some(30)) => {
                return a.clone();
            }
            (Bitwise::And, Some(0), _) | (Bitwise::And, _, Some(0)) => return 0.into(),
            (Bitwise::Or, Some(30), _) | (Bitwise::Or, _, Some(30)) => return 30.into(),
            (Bitwise::Xor, Some(30), _) => return complement(b),
            (Bitwise::Xor, _, Some(30)) => return complement(a),
            _ => {}
        }
        if let Some(shared) = self.tables.sha256.as_ref().map(sha256::Embedded::shared)
            && !self.tables.has(Single::Xor)
        {
            return self.bitwise_shared(shared, operation, [a, b]);
        }
        match operation {
            Bitwise::Xor if self.tables.has(Single::Xor) => {
                // The one that is known is put in spread form for free.
                let (a, b) = if b.as_constant().is_some() {
                    (b, a)
                } else {
                    (a, b)
                };
                let spread = self.read(self.tables.single(Single::Spread), a.clone());
                self.read(self.tables.single(Single::Xor), plus(&spread, b))
            }
            Bitwise::And | Bitwise::Or | Bitwise::Xor => {
                let forms = self.tables.single(Single::Ternary);
                let table = self.tables.single(match operation {
                    Bitwise::And => Single::And,
                    Bitwise::Or => Single::Or,
                    Bitwise::Xor => Single::TernaryXor,
                });
                let (a, b) = (self.read(forms, a.clone()), self.read(forms, b.clone()));
                self.read(table, plus(&a, &b))
            }
        }
    }

    /// An operation on two nibbles by the tables of SHA-256.
    fn bitwise_shared(
        &mut self,
        shared: SharedTables,
        operation: Bitwise,
        digits: [&Linear; 2],
    ) -> Linear {
        // From even to wide by two doublings, and from there to ternary.
        let forms = digits.map(|digit| {
            let wide = match digit.as_constant() {
                Some(digit) => (4 * digit).into(),
                None => {
                    let twice = self.flow.sum(plus(digit, digit));
                    Linear::from(twice).plus(twice)
                }
            };
            self.read(shared.to_ternary, wide)
        });
        let sum = plus(&forms[0], &forms[1]);
        if operation == Bitwise::Xor {
            return self.read(shared.xor_even, sum);
        }
        let both = self.read(shared.and, sum);
        // The exclusive or with zero.
        let both = self.read(shared.xor_even, both);
        match operation {
            Bitwise::Or => {
                let all = plus(digits[0], digits[1]);
                let [(value, _)] = both.terms[..] else {
                    unreachable!("constants are handled before");
                };
                let number = all.minus(value).plus_constant(-both.constant);
                self.flow.sum(number).into()
            }
            _ => both,
        }
    }

    /// A word shifted by a constant.
    pub(crate) fn shift(&mut self, shift: Shift, word: &Digits, bits: u32) -> Digits {
        let len = word.len() as i32; // cast ok: 8
        let fill: Linear = if shift == Shift::RightArithmetic && bits > 0 {
            self.fill(shift, word)
        } else {
            0.into()
        };
        let digit = |place: i32| match shift {
            Shift::RotateRight => word[place.rem_euclid(len) as usize].clone(), // cast ok: not negative
            _ if (0..len).contains(&place) => word[place as usize].clone(), // cast ok: not negative
            _ if place >= len => fill.clone(),
            _ => 0.into(),
        };
        let Some((pair, nibbles)) = shift_pair(shift, bits) else {
            let nibbles = (bits / 4) as i32; // cast ok: at most 7
            let nibbles = if shift == Shift::Left {
                -nibbles
            } else {
                nibbles
            };
            return (0..len).map(|place| digit(place + nibbles)).collect();
        };
        let carry = self.tables.pair(pair).carry;
        if pair == Pair::Right {
            // From the highest digit down.
            let incoming = self.read(carry, digit(len + nibbles));
            let columns: Vec<Linear> = (0..len).rev().map(|place| digit(place + nibbles)).collect();
            let mut digits = self.closed_columns(pair, &columns, incoming);
            digits.reverse();
            digits
        } else {
            let incoming = self.read(carry, digit(nibbles - 1));
            let columns: Vec<Linear> = (0..len).map(|place| digit(place + nibbles)).collect();
            self.closed_columns(pair, &columns, incoming)
        }
    }

    /// The state 1 of a pair of tables, as `16 ·` it, where a bit is 1, else the state 0.
    fn state(&mut self, bit: &Linear) -> Linear {
        let code = [
            OP_IF.to_u8(),
            1,
            32,
            OP_ELSE.to_u8(),
            OP_0.to_u8(),
            OP_ENDIF.to_u8(),
        ];
        match bit.as_constant() {
            Some(bit) => (32 * bit).into(),
            None => self.code(&[&code], [bit.clone()]).into(),
        }
    }

    /// The nibble that comes in where a word is shifted.
    fn fill(&mut self, shift: Shift, word: &Digits) -> Linear {
        match shift {
            Shift::Left | Shift::Right => 0.into(),
            Shift::RotateRight => word[0].clone(),
            Shift::RightArithmetic => {
                let top = word.last().expect("words have digits").clone();
                self.read(self.tables.single(Single::Fill), top)
            }
        }
    }

    /// A word shifted by one or two bits where a bit is 1.
    pub(crate) fn shift_if(
        &mut self,
        shift: Shift,
        word: &Digits,
        bits: u32,
        bit: &Linear,
    ) -> Digits {
        let left = shift == Shift::Left;
        let pair = Pair::ShiftIf { left, bits };
        let mut incoming = self.state(bit);
        if matches!(shift, Shift::RotateRight | Shift::RightArithmetic) {
            let fill = self.fill(shift, word);
            incoming = self.read(self.tables.pair(pair).carry, plus(&fill, &incoming));
        }
        let mut columns = word.clone();
        if left {
            return self.closed_columns(pair, &columns, incoming);
        }
        columns.reverse();
        let mut digits = self.closed_columns(pair, &columns, incoming);
        digits.reverse();
        digits
    }

    /// A word shifted by as many nibbles as three bits say, the lowest first.
    ///
    /// On the stack, what comes in lies deepest, then the word, so that what a digit is replaced by lies as many items deeper as there are nibbles to
    /// shift by.
    pub(crate) fn shift_nibbles(
        &mut self,
        shift: Shift,
        word: &Digits,
        bits: [Linear; 3],
    ) -> Digits {
        let len = word.len();
        let mut digits = word.clone();
        let incoming: Digits = if shift == Shift::RotateRight {
            word[..len - 1].iter().rev().cloned().collect()
        } else {
            vec![self.fill(shift, word); len - 1]
        };
        if shift != Shift::Left {
            digits.reverse();
        }
        let arguments: Vec<Linear> = incoming.into_iter().chain(digits).chain(bits).collect();
        let mut writer = ScriptWriter::new();
        // One more, since the amount itself lies above the digits.
        for opcode in [OP_DUP, OP_ADD, OP_ADD, OP_DUP, OP_ADD, OP_ADD, OP_1ADD] {
            writer.op(opcode);
        }
        for place in 0..len {
            let depth = if shift == Shift::Left {
                len - 1 - place
            } else {
                place
            };
            writer.op(OP_DUP);
            if depth > 0 {
                writer.int(depth as i64).op(OP_ADD); // cast ok: below 8
            }
            writer.op(OP_PICK).op(OP_TOALTSTACK);
        }
        // The amount, the word, and what came in.
        for _ in 0..len {
            writer.op(OP_2DROP);
        }
        for _ in 0..len {
            writer.op(OP_FROMALTSTACK);
        }
        // At the highest, all digits on the altstack, and two items more than the amount; the three bits are gone.
        let code = writer.into_script().into_bytes();
        let mut shifted = self.flow.apply_code(code, len, arguments, len);
        shifted.reverse();
        shifted.into_iter().map(Linear::from).collect()
    }

    /// A word, or its negative where a bit is 1.
    pub(crate) fn negate_if(&mut self, word: &Digits, bit: &Linear) -> Digits {
        let state = self.state(bit);
        self.closed_columns(Pair::Negate, word, state)
    }

    /// A nibble as a plain number.
    pub(crate) fn plain(&mut self, nibble: Linear) -> Linear {
        let number = self.read(self.tables.single(Single::Half), nibble);
        self.keep(&number);
        number
    }

    /// The bits of a nibble.
    pub(crate) fn split(&mut self, nibble: &Linear) -> Vec<Linear> {
        (0..4)
            .map(|bit| {
                let table = self.tables.single(Single::Bit(bit));
                self.read(table, nibble.clone())
            })
            .collect()
    }
}
