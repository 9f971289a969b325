//! Division: quotient and remainder are hints, digit by digit, and `quotient · divisor + remainder = dividend` is checked in columns.
//!
//! The multiples of the divisor's limbs lie on the stack, as in [`multiply`](super::multiply). Every digit of quotient and remainder is checked to
//! be one. In each column, what the dividend's digit leaves must be `16 ·` the hint for the carry, which needs no check of its own: over all
//! columns the carries cancel, and what remains is the equation, in integers. Two more checks:
//!
//! - nothing exceeds the dividend's columns: the divisor's high limb is 0, or those digits of the quotient are whose multiples would;
//! - the remainder is below the divisor, or the divisor is 0 and the quotient all ones, as RISC-V has it (volume I, "M" extension, table of
//!   "semantics for division by zero and division overflow"); then the equation says that the remainder is the dividend.

use super::block::{Block, Slot};
use super::multiply::{Argument, Hinted, Limb, Multiples, digit, limb_digits};
use crate::opcodes::*;

/// A script that divides numbers of some digits, given as nibbles `2n`.
#[derive(Clone, Debug)]
pub struct Divide {
    digits: usize,
}

impl Divide {
    /// A division of numbers of this many digits.
    ///
    /// # Panics
    /// If there are no digits, or more than 8.
    pub fn new(digits: usize) -> Self {
        assert!(
            (1..=8).contains(&digits),
            "between 1 and 8 digits, not {digits}"
        );
        Self { digits }
    }

    /// Quotient and remainder of operand 0 by operand 1.
    pub fn expected(&self, a: u64, b: u64) -> Vec<u64> {
        let all_ones = (1 << (4 * self.digits)) - 1;
        vec![
            a.checked_div(b).unwrap_or(all_ones),
            a.checked_rem(b).unwrap_or(a),
        ]
    }

    /// The digits of the quotient, of the remainder, and what each column but the last carries.
    pub fn hints(&self, a: u64, b: u64) -> Vec<i64> {
        let results = self.expected(a, b);
        self.hints_for([a, b], [results[0], results[1]])
    }

    /// The hints that a prover gives who claims this quotient and remainder: rejected unless they are the true ones.
    pub fn hints_for(&self, [a, b]: [u64; 2], [quotient, remainder]: [u64; 2]) -> Vec<i64> {
        let limb = limb_digits(self.digits);
        let number = |number: u64| number as i64; // cast ok: below 2^32
        let digits_of = |of: u64| (0..self.digits).map(move |index| digit(of, index) as i64); // cast ok: below 16
        let mut carry = 0;
        let carries = (0..self.digits - 1).map(|column| {
            carry += number((b & ((1 << (4 * limb)) - 1)) * digit(quotient, column));
            if column >= limb {
                carry += number((b >> (4 * limb)) * digit(quotient, column - limb));
            }
            carry += number(digit(remainder, column)) - number(digit(a, column));
            carry /= 16;
            carry
        });
        digits_of(quotient)
            .chain(digits_of(remainder))
            .chain(carries.collect::<Vec<_>>())
            .collect()
    }

    /// The script.
    pub fn hinted(&self) -> Hinted {
        let digits = self.digits;
        let divisor = |digit| (Argument::Digit { operand: 1, digit }, ("b", digit));
        let mut arguments: Vec<(Argument, Slot)> = (0..digits).map(divisor).collect();
        arguments.extend(
            (0..digits)
                .rev()
                .map(|digit| (Argument::Hint(digits + digit), ("remainder", digit))),
        );
        for digit in 0..digits {
            arguments.push((Argument::Hint(digit), ("quotient", digit)));
            arguments.push((Argument::Digit { operand: 0, digit }, ("a", digit)));
            if digit + 1 < digits {
                arguments.push((Argument::Hint(2 * digits + digit), ("hint", digit)));
            }
        }
        let slots: Vec<Slot> = arguments.iter().map(|&(_, slot)| slot).collect();
        let mut block = Block::new(&slots);
        for _ in digits..slots.len() {
            block.stash();
        }
        let multiples = Multiples::build(&mut block, "b", digits);
        self.remainder(&mut block);
        for column in 0..digits {
            self.column(&mut block, &multiples, column);
        }
        self.check(&mut block);
        let order: Vec<Slot> = ["quotient", "remainder"]
            .into_iter()
            .flat_map(|name| (0..digits).rev().map(move |digit| (name, digit)))
            .collect();
        for &slot in order.iter().rev() {
            block.bring(slot);
            block.stash();
        }
        block.drop(Multiples::ITEMS);
        block.fetch_all();
        let (code, peak) = block.finish(&order);
        Hinted {
            code,
            peak,
            arguments: arguments
                .into_iter()
                .map(|(argument, _)| argument)
                .collect(),
            results: (0..2)
                .flat_map(|word| (0..digits).rev().map(move |digit| (word, digit)))
                .collect(),
        }
    }

    /// Checks the remainder's digits, and leaves them and whether it is below the divisor.
    fn remainder(&self, block: &mut Block) {
        let limb = limb_digits(self.digits);
        let limbs = [(Limb::High, limb, self.digits), (Limb::Low, 0, limb)];
        for (limb, from, to) in limbs {
            let number = ("number", 0);
            for digit in (from..to).rev() {
                let name = ("remainder", digit);
                block.fetch(name);
                block.check_below(16);
                block.double(1);
                if digit + 1 == to {
                    block.copy(name);
                } else {
                    block.op(&[OP_TUCK, OP_SWAP], 2, &[name, name, number]);
                    block.double(4);
                    block.op(&[OP_ADD], 2, &[number]);
                }
                block.name(number);
            }
            if limb == Limb::High {
                if from == to {
                    continue;
                }
                block.copy(number);
                block.copy(limb.by(1));
                block.op(&[OP_LESSTHAN], 2, &[("less", 0)]);
                block.bring(number);
                block.copy(limb.by(1));
                block.op(&[OP_NUMEQUAL], 2, &[("same", 0)]);
            } else {
                block.copy(limb.by(1));
                block.op(&[OP_LESSTHAN], 2, &[("below", 0)]);
                if self.digits > to {
                    block.bring(("same", 0));
                    block.op(&[OP_BOOLAND], 2, &[("below", 0)]);
                    block.bring(("less", 0));
                    block.op(&[OP_BOOLOR], 2, &[("below", 0)]);
                }
            }
        }
    }

    fn column(&self, block: &mut Block, multiples: &Multiples, column: usize) {
        let limb = multiples.limb();
        let total = ("column", column);
        let quotient = ("quotient", column);
        block.fetch(quotient);
        block.check_below(16);
        block.double(1);
        block.copy(quotient);
        multiples.pick(block, Limb::Low, total);
        if column > 0 {
            block.bring(("carry", column));
            block.op(&[OP_ADD], 2, &[total]);
        }
        if column >= limb {
            block.copy(("quotient", column - limb));
            multiples.pick(block, Limb::High, ("high by", 0));
            block.op(&[OP_ADD], 2, &[total]);
        }
        block.copy(("remainder", column));
        block.op(&[OP_ADD], 2, &[total]);
        block.fetch(("a", column));
        block.op(&[OP_SUB], 2, &[total]);
        if column + 1 < self.digits {
            block.fetch(("hint", column));
            block.double(1);
            let next = ("carry", column + 1);
            block.op(&[OP_TUCK], 2, &[next, total, next]);
            block.double(4);
            block.op(&[OP_NUMEQUALVERIFY], 2, &[]);
        } else {
            block.op(&[OP_NOT, OP_VERIFY], 1, &[]);
        }
    }

    /// Checks that nothing exceeds the columns, and the remainder, or that this is a division by zero.
    fn check(&self, block: &mut Block) {
        let limb = limb_digits(self.digits);
        let sum = ("sum", 0);
        // In these, the high limb's multiples would exceed the columns.
        let beyond = self.digits - limb..self.digits;
        let mut first = true;
        let mut add = |block: &mut Block, digit: usize| {
            block.copy(("quotient", digit));
            if !first {
                block.op(&[OP_ADD], 2, &[sum]);
            }
            block.name(sum);
            first = false;
        };
        for digit in beyond.clone() {
            add(block, digit);
        }
        block.copy(sum);
        block.op(&[OP_NOT], 1, &[("none", 0)]);
        block.copy(Limb::High.by(1));
        block.op(&[OP_NOT, OP_BOOLOR, OP_VERIFY], 2, &[]);
        for digit in 0..beyond.start {
            add(block, digit);
        }
        block.int(30 * self.digits as i64, ("all ones", 0)); // cast ok: at most 8
        block.op(&[OP_NUMEQUAL], 2, &[("ones", 0)]);
        block.copy(Limb::Low.by(1));
        block.copy(Limb::High.by(1));
        block.op(&[OP_ADD, OP_NOT, OP_BOOLAND], 3, &[("by zero", 0)]);
        block.bring(("below", 0));
        block.op(&[OP_BOOLOR, OP_VERIFY], 2, &[]);
    }
}
