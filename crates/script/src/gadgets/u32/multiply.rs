//! Multiplication: multiples of one operand are looked up by the digits of the other.
//!
//! One operand `a` is split into a low and a high limb of half its digits. All sixteen multiples of both are put on the stack, so that a digit
//! of the other operand, which counts from the deepest pair, picks its multiple. Columns are added up from the lowest: column `k` has the low
//! limb's multiple by digit `k`, the high limb's by digit `k - limb`, and what the column before carries. A hint tells what a column carries:
//! `16 · hint` is subtracted, and what is left must be a digit. Only one hint does that, so no other is accepted.
//!
//! Nothing exceeds 2·(15·0xffff·2 + 2^18) < 2^23, far below the 31 bits that opcodes take; a hint whose multiple by 32 exceeds them makes the script fail.

use super::block::{Block, Slot};
use crate::opcodes::*;

/// Which digits of a product are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// As many digits as each factor has.
    Low,
    /// All of them, twice as many.
    Full,
}

/// A script that multiplies numbers of some digits, given as nibbles `2n`.
#[derive(Clone, Debug)]
pub struct Multiply {
    digits: usize,
    product: Product,
}

/// What a script that takes hints takes from the stack and leaves there.
#[derive(Clone, Debug)]
pub struct Hinted {
    /// The script.
    pub code: Vec<u8>,
    /// By how many items both stacks, at their highest, exceed what it takes.
    pub peak: usize,
    /// What it takes, the deepest first.
    pub arguments: Vec<Argument>,
    /// Digits that it leaves, the deepest first: result and digit.
    pub results: Vec<(usize, usize)>,
}

/// An item that a script with hints takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A digit `n` of an operand, as the number `2n`.
    Digit {
        /// Which operand.
        operand: usize,
        /// Which digit, 0 being the lowest.
        digit: usize,
    },
    /// A hint, a number as it is.
    Hint(usize),
}

impl Hinted {
    /// The stack that the script takes, the deepest item first.
    pub fn stack(&self, operands: &[u64], hints: &[i64]) -> Vec<i64> {
        self.arguments
            .iter()
            .map(|&argument| match argument {
                Argument::Digit { operand, digit } => {
                    2 * (operands[operand] >> (4 * digit) & 15) as i64 // cast ok: masked
                }
                Argument::Hint(hint) => hints[hint],
            })
            .collect()
    }

    /// The stack that the script leaves for these results, the deepest item first.
    pub fn left(&self, results: &[u64]) -> Vec<i64> {
        self.results
            .iter()
            .map(|&(result, digit)| 2 * (results[result] >> (4 * digit) & 15) as i64) // cast ok: masked
            .collect()
    }
}

/// The multiples of an operand that lie on the stack: by 0 deepest, by 15 on top, the high limb's below the low limb's.
pub(super) struct Multiples {
    limb: usize,
}

/// A limb of the operand whose multiples are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limb {
    Low,
    High,
}

impl Limb {
    /// The slot of a multiple.
    pub(super) fn by(self, multiple: usize) -> Slot {
        match self {
            Self::Low => ("low", multiple),
            Self::High => ("high", multiple),
        }
    }
}

/// Digits of a low limb.
pub(super) fn limb_digits(digits: usize) -> usize {
    digits.div_ceil(2)
}

impl Multiples {
    /// Items of all multiples.
    pub(super) const ITEMS: usize = 32;

    /// Splits an operand into limbs, of digits that are named `name`, and puts all multiples of the limbs on the stack.
    pub(super) fn build(block: &mut Block, name: &'static str, digits: usize) -> Self {
        let limb = limb_digits(digits);
        let named = |from: usize, to: usize| (from..to).rev().map(|digit| (name, digit));
        let high: Vec<Slot> = named(limb, digits).collect();
        let low: Vec<Slot> = named(0, limb).collect();
        if high.is_empty() {
            block.int(0, Limb::High.by(1));
        } else {
            block.join(&high, Limb::High.by(1));
        }
        block.join(&low, Limb::Low.by(1));
        let first: Vec<Slot> = (0..2)
            .flat_map(|multiple| [Limb::High.by(multiple), Limb::Low.by(multiple)])
            .collect();
        block.op(&[OP_0, OP_0, OP_2SWAP], 2, &first);
        for multiple in 2..16 {
            for limb in [Limb::High, Limb::Low] {
                if multiple % 2 == 0 {
                    block.copy(limb.by(multiple / 2));
                    block.double(1);
                } else {
                    block.copy(limb.by(multiple - 1));
                    block.copy(limb.by(1));
                    block.op(&[OP_ADD], 2, &[limb.by(multiple)]);
                }
                block.name(limb.by(multiple));
            }
        }
        Self { limb }
    }

    /// Digits of the low limb.
    pub(super) fn limb(&self) -> usize {
        self.limb
    }

    /// Replaces the digit on top, as `2n`, by the multiple of a limb by it.
    pub(super) fn pick(&self, block: &mut Block, limb: Limb, name: Slot) {
        // Without the digit itself.
        let above = block.depth(Limb::Low.by(15)) - 1;
        let by_zero = above + 30 + usize::from(limb == Limb::High);
        block.int(by_zero as i64, ("depth", 0)); // cast ok: at most 1,000
        block.op(&[OP_SWAP, OP_SUB, OP_PICK], 2, &[name]);
    }
}

/// Reads a digit.
pub(super) fn digit(number: u64, digit: usize) -> u64 {
    number >> (4 * digit) & 15
}

impl Multiply {
    /// A multiplication of numbers of this many digits.
    ///
    /// # Panics
    /// If there are no digits, or more than 8.
    pub fn new(digits: usize, product: Product) -> Self {
        assert!(
            (1..=8).contains(&digits),
            "between 1 and 8 digits, not {digits}"
        );
        Self { digits, product }
    }

    /// Digits of the product.
    fn columns(&self) -> usize {
        match self.product {
            Product::Low => self.digits,
            Product::Full => 2 * self.digits,
        }
    }

    /// Columns whose carry is a hint: the last one of a full product is a digit by itself.
    fn hint_count(&self) -> usize {
        match self.product {
            Product::Low => self.digits,
            Product::Full => 2 * self.digits - 1,
        }
    }

    /// What each column but, of a full product, the last carries.
    pub fn hints(&self, a: u64, b: u64) -> Vec<i64> {
        let limb = limb_digits(self.digits);
        let mut carry = 0;
        (0..self.hint_count())
            .map(|column| {
                let by = |column: usize| {
                    if column < self.digits {
                        digit(b, column)
                    } else {
                        0
                    }
                };
                carry += (a & ((1 << (4 * limb)) - 1)) * by(column);
                if column >= limb {
                    carry += (a >> (4 * limb)) * by(column - limb);
                }
                carry >>= 4;
                carry as i64 // cast ok: below 2^22
            })
            .collect()
    }

    /// The products for these factors: the low word and, of a full product, the high one, each of as many digits as a factor.
    pub fn expected(&self, a: u64, b: u64) -> Vec<u64> {
        let bits = 4 * self.digits;
        let words = [(a * b) & ((1 << bits) - 1), (a * b) >> bits];
        words[..self.columns() / self.digits].to_vec()
    }

    /// The script. Operand 0 is split; operand 1 is read digit by digit.
    pub fn hinted(&self) -> Hinted {
        let (digits, columns) = (self.digits, self.columns());
        let mut arguments: Vec<(Argument, Slot)> = (0..digits)
            .map(|digit| (Argument::Digit { operand: 0, digit }, ("a", digit)))
            .collect();
        for column in 0..columns {
            if column < digits {
                let argument = Argument::Digit {
                    operand: 1,
                    digit: column,
                };
                arguments.push((argument, ("b", column)));
            }
            if column < self.hint_count() {
                arguments.push((Argument::Hint(column), ("hint", column)));
            }
        }
        let slots: Vec<Slot> = arguments.iter().map(|&(_, slot)| slot).collect();
        let mut block = Block::new(&slots);
        // They come back in the order in which they are needed.
        for _ in digits..slots.len() {
            block.stash();
        }
        let multiples = Multiples::build(&mut block, "a", digits);
        for column in 0..columns {
            self.column(&mut block, &multiples, column);
        }
        for column in 0..columns {
            block.bring(("product", column));
            block.stash();
        }
        block.drop(Multiples::ITEMS);
        block.fetch_all();
        let order = || (0..columns).rev();
        let left: Vec<Slot> = order().map(|column| ("product", column)).collect();
        let (code, peak) = block.finish(&left);
        Hinted {
            code,
            peak,
            arguments: arguments
                .into_iter()
                .map(|(argument, _)| argument)
                .collect(),
            results: order()
                .map(|column| (column / digits, column % digits))
                .collect(),
        }
    }

    fn column(&self, block: &mut Block, multiples: &Multiples, column: usize) {
        let limb = multiples.limb();
        let total = ("column", column);
        let carry = ("carry", column);
        let mut started = column > 0;
        if started {
            block.name(carry);
        }
        if column < self.digits {
            block.fetch(("b", column));
            if column + limb < self.columns() {
                block.copy(("b", column));
                multiples.pick(block, Limb::High, ("later", column));
                block.bring(("b", column));
            }
            multiples.pick(block, Limb::Low, total);
            if started {
                block.bring(carry);
                block.op(&[OP_ADD], 2, &[total]);
            }
            started = true;
        }
        debug_assert!(started, "the first column has a digit");
        block.name(total);
        if column >= limb && column - limb < self.digits {
            block.bring(("later", column - limb));
            block.op(&[OP_ADD], 2, &[total]);
        }
        let product = ("product", column);
        if column + 1 < self.columns() {
            block.fetch(("hint", column));
            block.double(1);
            let next = ("carry", column + 1);
            block.op(&[OP_TUCK], 2, &[next, total, next]);
            block.double(4);
            block.op(&[OP_SUB], 2, &[product]);
            block.check_below(32);
            block.op(&[OP_SWAP], 2, &[product, next]);
        } else if self.product == Product::Low {
            block.fetch(("hint", column));
            block.double(5);
            block.op(&[OP_SUB], 2, &[product]);
            block.check_below(32);
        } else {
            block.name(product);
        }
    }
}
