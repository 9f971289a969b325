//! 32-bit words as eight nibbles, computed with tables.
//!
//! A nibble `n` is the logical number `2n` of a [`Flow`]: even numbers leave room to interleave two tables, so that two look-ups of one sum, made at
//! stack heights that differ by one, both need no correction.

mod tables;

pub use self::tables::NibbleTables;
use crate::dataflow::{Flow, Linear, Value};

/// A nibble, known or computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nibble {
    /// Known when the script is written.
    Constant(u8),
    /// On the stack, as twice its value.
    Value(Value),
}

/// A 32-bit word, the lowest nibble first.
pub type Word = [Nibble; 8];

/// A constant word.
pub fn constant(word: u32) -> Word {
    std::array::from_fn(|nibble| Nibble::Constant((word >> (4 * nibble) & 15) as u8)) // cast ok: masked
}

/// Rotates a word to the right by whole nibbles, which costs nothing.
pub fn rotate_right_nibbles(word: Word, nibbles: usize) -> Word {
    std::array::from_fn(|nibble| word[(nibble + nibbles) % 8])
}

/// Adds a nibble to a sum.
fn plus(sum: Linear, nibble: Nibble) -> Linear {
    match nibble {
        Nibble::Constant(nibble) => sum.plus_constant(2 * i64::from(nibble)),
        Nibble::Value(value) => sum.plus(value),
    }
}

/// An addition under way, from the lowest nibble up.
#[derive(Clone, Debug, Default)]
pub struct Carry(Option<Linear>);

impl NibbleTables {
    /// Adds one column: the nibbles of one place and the carry from the place below. `last` is whether the carry from this one is not wanted.
    pub fn add_column(
        &self,
        flow: &mut Flow,
        nibbles: &[Nibble],
        carry: &mut Carry,
        last: bool,
    ) -> Nibble {
        let mut sum = carry.0.take().unwrap_or_default();
        for &nibble in nibbles {
            sum = plus(sum, nibble);
        }
        if let Some(sum) = sum.as_constant() {
            carry.0 = Some(Linear::from(sum / 32 * 2));
            return Nibble::Constant((sum / 2 % 16) as u8); // cast ok: below 16
        }
        if last {
            return Nibble::Value(flow.lookup(self.modulo, sum));
        }
        let sum = flow.sum(sum);
        let high = flow.lookup(self.carry, sum);
        flow.keep_on_altstack(high);
        carry.0 = Some(high.into());
        Nibble::Value(flow.lookup(self.modulo, sum))
    }

    /// Adds the carry of the top column of a doubling to the lowest nibble, which is even: a rotation by one bit.
    pub fn finish_rotation(&self, flow: &mut Flow, lowest: Nibble, carry: Carry) -> Nibble {
        let sum = plus(carry.0.unwrap_or_default(), lowest);
        match sum.as_constant() {
            Some(constant) => Nibble::Constant((constant / 2) as u8), // cast ok: a nibble
            None => Nibble::Value(flow.lookup(self.modulo, sum)),
        }
    }

    /// Takes a word of plain nibbles from the top of the stack, the lowest on top, and puts it on the altstack.
    pub fn double(&self, flow: &mut Flow, word: [Value; 8]) -> [Value; 8] {
        word.map(|nibble| {
            let doubled = flow.sum(Linear::from(nibble).plus(nibble));
            flow.keep_on_altstack(doubled);
            doubled
        })
    }

    /// Leaves a nibble as a plain number at the end.
    pub fn output(&self, flow: &mut Flow, nibble: Nibble) {
        let plain = match nibble {
            Nibble::Constant(constant) => Linear::from(i64::from(constant)),
            Nibble::Value(value) => flow.lookup(self.half, value).into(),
        };
        flow.output(plain);
    }

    /// Adds words modulo 2^32.
    pub fn add(&self, flow: &mut Flow, words: &[Word]) -> Word {
        let mut carry = Carry::default();
        std::array::from_fn(|place| {
            let column: Vec<Nibble> = words.iter().map(|word| word[place]).collect();
            self.add_column(flow, &column, &mut carry, place == 7)
        })
    }

    /// The exclusive or of two nibbles. The first is better the one made last.
    pub fn xor_nibble(&self, flow: &mut Flow, fresh: Nibble, other: Nibble) -> Nibble {
        match (fresh, other) {
            (Nibble::Constant(a), Nibble::Constant(b)) => Nibble::Constant(a ^ b),
            (Nibble::Value(value), Nibble::Constant(constant))
            | (Nibble::Constant(constant), Nibble::Value(value)) => {
                if constant == 0 {
                    return Nibble::Value(value);
                }
                let index = Linear::from(value).plus_constant(self.spread(constant));
                Nibble::Value(flow.lookup(self.xor, index))
            }
            (Nibble::Value(fresh), Nibble::Value(other)) => {
                let spread = flow.lookup(self.spread, fresh);
                Nibble::Value(flow.lookup(self.xor, Linear::from(spread).plus(other)))
            }
        }
    }

    /// The exclusive or of two words.
    pub fn xor(&self, flow: &mut Flow, a: Word, b: Word) -> Word {
        std::array::from_fn(|place| self.xor_nibble(flow, a[place], b[place]))
    }
}
