//! Makes circuits: gates and words of bits, with constants folded and equal gates shared.
//!
//! ```
//! use tapcourt_program::circuit::build::Builder;
//!
//! let mut builder = Builder::new();
//! let (a, b) = (builder.input(8), builder.input(8));
//! let sum = builder.add(&a, &b);
//! let circuit = builder.finish(&[sum])?;
//! assert_eq!(circuit.inputs, [8, 8]);
//! assert_eq!(circuit.outputs, [8]);
//! # Ok::<(), tapcourt_program::circuit::CircuitError>(())
//! ```
//!
//! A word is a slice of [`Bit`]s, the bit of weight 1 first. Functions of two words panic when their widths differ, and
//! bits belong to the builder that made them.

mod netlist;

use std::collections::HashMap;

use self::netlist::Netlist;
use super::{Circuit, CircuitError};

/// A bit that a [`Builder`] knows: a constant, an input, or what a gate computes, or the complement of one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bit(u32);

impl Bit {
    /// The constant 0.
    pub const ZERO: Self = Self(0);
    /// The constant 1.
    pub const ONE: Self = Self(1);

    fn plain(node: usize) -> Self {
        Self(
            u32::try_from(node)
                .ok()
                .and_then(|n| n.checked_mul(2))
                .expect("under 2^31 nodes"),
        )
    }

    fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn is_complement(self) -> bool {
        self.0 & 1 == 1
    }

    fn complement_if(self, condition: bool) -> Self {
        Self(self.0 ^ u32::from(condition))
    }
}

impl From<bool> for Bit {
    fn from(value: bool) -> Self {
        Self::ZERO.complement_if(value)
    }
}

impl std::ops::Not for Bit {
    type Output = Self;

    fn not(self) -> Self {
        self.complement_if(true)
    }
}

/// What a node computes. Operands are earlier nodes, the smaller first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    /// Node 0 alone: the constant 0.
    Zero,
    /// An input bit, by wire.
    Input(u32),
    /// At most one operand is a complement.
    And(Bit, Bit),
    /// Neither operand is a complement.
    Or(Bit, Bit),
    /// The operands are plain: a complement passes through an exclusive or.
    Xor(Bit, Bit),
}

/// Makes one circuit.
#[derive(Clone, Debug)]
pub struct Builder {
    nodes: Vec<Node>,
    known: HashMap<Node, Bit>,
    inputs: Vec<u32>,
    input_bits: u32,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Begins a circuit without inputs and gates.
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::Zero],
            known: HashMap::new(),
            inputs: Vec::new(),
            input_bits: 0,
        }
    }

    /// Adds an input value of `bits` bits and returns it as a word.
    ///
    /// # Panics
    /// When the inputs come to 2^31 bits or more.
    pub fn input(&mut self, bits: u32) -> Vec<Bit> {
        let first = self.input_bits;
        self.input_bits = first.checked_add(bits).expect("under 2^31 input bits");
        let wires = first..self.input_bits;
        self.inputs.push(bits);
        wires.map(|wire| self.push(Node::Input(wire))).collect()
    }

    /// Returns `a & b`.
    pub fn and(&mut self, a: Bit, b: Bit) -> Bit {
        let (a, b) = (a.min(b), a.max(b));
        if a == Bit::ZERO || a == !b {
            return Bit::ZERO;
        }
        if a == Bit::ONE || a == b {
            return b;
        }
        if a.is_complement() && b.is_complement() {
            return !self.share(Node::Or(!a, !b)); // needs no inverter
        }
        self.share(Node::And(a, b))
    }

    /// Returns `a | b`.
    pub fn or(&mut self, a: Bit, b: Bit) -> Bit {
        !self.and(!a, !b)
    }

    /// Returns `a ^ b`.
    pub fn xor(&mut self, a: Bit, b: Bit) -> Bit {
        let complement = a.is_complement() ^ b.is_complement();
        let (a, b) = (Bit(a.0 & !1), Bit(b.0 & !1));
        let (a, b) = (a.min(b), a.max(b));
        let plain = match self.nodes[b.node()] {
            _ if a == b => Bit::ZERO,
            _ if a == Bit::ZERO => b,
            Node::Xor(p, q) if p == a => q,
            Node::Xor(p, q) if q == a => p,
            _ => self.share(Node::Xor(a, b)),
        };
        plain.complement_if(complement)
    }

    /// Returns `if_one` where `select` is 1, and `if_zero` where it is 0: one AND and two XORs.
    pub fn mux(&mut self, select: Bit, if_one: Bit, if_zero: Bit) -> Bit {
        let differ = self.xor(if_one, if_zero);
        // both forms are right; this choice needs no inverter
        let (select, otherwise) = match select.is_complement() == differ.is_complement() {
            true => (select, if_zero),
            false => (!select, if_one),
        };
        let flip = self.and(select, differ);
        self.xor(flip, otherwise)
    }

    /// Returns the majority of three bits: one AND and three XORs.
    pub fn majority(&mut self, a: Bit, b: Bit, c: Bit) -> Bit {
        self.full_adder(a, b, c).1
    }

    /// Returns sum and carry of three bits: `a ^ b ^ carry` and `((a ^ carry) & (b ^ carry)) ^ carry`.
    ///
    /// One AND and four XORs. The carry, being symmetric, may be written with its operands exchanged.
    pub fn full_adder(&mut self, a: Bit, b: Bit, carry: Bit) -> (Bit, Bit) {
        let (x, y, pivot) = pivot_last(a, b, carry);
        if pivot.node() == 0 {
            let half = self.xor(x, y);
            let carry = if pivot == Bit::ONE {
                self.or(x, y)
            } else {
                self.and(x, y)
            };
            return (self.xor(half, pivot), carry);
        }
        let (left, right) = (self.xor(x, pivot), self.xor(y, pivot));
        let flip = self.and(left, right);
        (self.xor(left, y), self.xor(flip, pivot))
    }

    /// Returns `a & b`, bit by bit.
    pub fn and_words(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        pairs(a, b).map(|(a, b)| self.and(a, b)).collect()
    }

    /// Returns `a | b`, bit by bit.
    pub fn or_words(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        pairs(a, b).map(|(a, b)| self.or(a, b)).collect()
    }

    /// Returns `a ^ b`, bit by bit.
    pub fn xor_words(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        pairs(a, b).map(|(a, b)| self.xor(a, b)).collect()
    }

    /// Returns the word `if_one` where `select` is 1, and `if_zero` where it is 0.
    pub fn mux_words(&mut self, select: Bit, if_one: &[Bit], if_zero: &[Bit]) -> Vec<Bit> {
        pairs(if_one, if_zero)
            .map(|(one, zero)| self.mux(select, one, zero))
            .collect()
    }

    /// Returns `a + b` modulo `2^width`.
    pub fn add(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        self.add_with_carry(a, b, Bit::ZERO).0
    }

    /// Returns `a + b + carry` as a word and the carry out of it.
    pub fn add_with_carry(&mut self, a: &[Bit], b: &[Bit], mut carry: Bit) -> (Vec<Bit>, Bit) {
        let mut sum = Vec::with_capacity(a.len());
        for (a, b) in pairs(a, b) {
            let (bit, carry_out) = self.full_adder(a, b, carry);
            sum.push(bit);
            carry = carry_out;
        }
        (sum, carry)
    }

    /// Returns `a - b` modulo `2^width`.
    pub fn sub(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        self.add_with_carry(a, &not_word(b), Bit::ONE).0
    }

    /// Returns whether `a < b` as unsigned numbers.
    pub fn less_than(&mut self, a: &[Bit], b: &[Bit]) -> Bit {
        pairs(a, b).fold(Bit::ZERO, |borrow, (a, b)| self.majority(!a, b, borrow))
    }

    /// Returns whether `a == b`.
    pub fn equal(&mut self, a: &[Bit], b: &[Bit]) -> Bit {
        let same: Vec<Bit> = pairs(a, b).map(|(a, b)| !self.xor(a, b)).collect();
        self.all(&same)
    }

    /// Returns whether all bits are 1; true for none.
    pub fn all(&mut self, bits: &[Bit]) -> Bit {
        bits.iter().fold(Bit::ONE, |all, &bit| self.and(all, bit))
    }

    /// Returns the product of two unsigned numbers, as wide as both together.
    pub fn mul(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        let mut product = vec![Bit::ZERO; a.len() + b.len()];
        for (shift, &bit) in b.iter().enumerate() {
            let row: Vec<Bit> = a.iter().map(|&a| self.and(a, bit)).collect();
            let place = shift..shift + a.len();
            let (sum, carry) = self.add_with_carry(&product[place.clone()], &row, Bit::ZERO);
            product[place].copy_from_slice(&sum);
            product[shift + a.len()] = carry;
        }
        product
    }

    /// Ends the circuit: its outputs are `outputs`, a word each. Gates that no output depends on are left out.
    ///
    /// # Errors
    /// When there is no output, a value has no bits, or the inputs are too many.
    pub fn finish(self, outputs: &[Vec<Bit>]) -> Result<Circuit, CircuitError> {
        let widths = outputs.iter().map(|word| word.len() as u32).collect(); // casts ok, under 2^31 nodes
        let mut netlist = Netlist::new(self.input_bits, self.nodes.len());
        let bits: Vec<Bit> = outputs.iter().flatten().copied().collect();
        netlist.emit_nodes(&self.nodes, &bits);
        let (wires, gates) = netlist.into_gates(&bits);
        Circuit::new(self.inputs, widths, wires, gates)
    }

    fn push(&mut self, node: Node) -> Bit {
        let bit = Bit::plain(self.nodes.len());
        self.nodes.push(node);
        bit
    }

    fn share(&mut self, node: Node) -> Bit {
        if let Some(&bit) = self.known.get(&node) {
            return bit;
        }
        let bit = self.push(node);
        self.known.insert(node, bit);
        bit
    }
}

/// Returns the word of `width` bits for the low bits of `value`.
pub fn constant(value: u64, width: usize) -> Vec<Bit> {
    (0..width)
        .map(|i| Bit::from(i < 64 && value >> i & 1 == 1))
        .collect()
}

/// Returns the complement of each bit.
pub fn not_word(word: &[Bit]) -> Vec<Bit> {
    word.iter().map(|&bit| !bit).collect()
}

/// Returns `word` rotated by `amount` bits towards the lower weights.
pub fn rotate_right(word: &[Bit], amount: usize) -> Vec<Bit> {
    let mut rotated = word.to_vec();
    rotated.rotate_left(amount % word.len().max(1)); // bits are stored low weight first
    rotated
}

/// Returns `word` rotated by `amount` bits towards the higher weights.
pub fn rotate_left(word: &[Bit], amount: usize) -> Vec<Bit> {
    let mut rotated = word.to_vec();
    rotated.rotate_right(amount % word.len().max(1));
    rotated
}

/// Returns `word` shifted by `amount` bits towards the lower weights; zeros come in.
pub fn shift_right(word: &[Bit], amount: usize) -> Vec<Bit> {
    let zeros = std::iter::repeat_n(Bit::ZERO, amount);
    word.iter()
        .copied()
        .skip(amount)
        .chain(zeros)
        .take(word.len())
        .collect()
}

/// Puts last the operand that a full adder adds to the other two: a constant, or else the only one that is a complement
/// or the only one that is not, so that both XORs have the same polarity and no inverter is needed; or else `c`.
fn pivot_last(a: Bit, b: Bit, c: Bit) -> (Bit, Bit, Bit) {
    let constant = |bit: Bit| bit.node() == 0;
    let differs = |bit: Bit, p: Bit, q: Bit| {
        bit.is_complement() != p.is_complement() && bit.is_complement() != q.is_complement()
    };
    if constant(c) {
        (a, b, c)
    } else if constant(a) || (!constant(b) && differs(a, b, c)) {
        (b, c, a)
    } else if constant(b) || differs(b, a, c) {
        (a, c, b)
    } else {
        (a, b, c)
    }
}

fn pairs<'a>(a: &'a [Bit], b: &'a [Bit]) -> impl Iterator<Item = (Bit, Bit)> + use<'a> {
    assert_eq!(a.len(), b.len(), "words of different widths");
    a.iter().copied().zip(b.iter().copied())
}
