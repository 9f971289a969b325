//! Operations on words.

use super::{Bit, Bitwise, Expression, Operation, Shift, Type, Typed, ValueId, Word};
use crate::gadgets::u32::Product;

/// Words.
impl Expression {
    pub(super) fn word_step(
        &mut self,
        operation: Operation,
        arguments: impl Into<Vec<ValueId>>,
    ) -> Word {
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
    pub fn select<T: Typed>(&mut self, bit: Bit, a: T, b: T) -> T {
        let arguments = [bit.0, a.id(), b.id()];
        let [value] = self.step(Operation::Select, arguments, [T::TYPE]);
        T::from_id(value)
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
