//! Random circuits from a seed, made to be hard to compile.
//!
//! They are full of what an optimiser looks for and of what it may mistake for it: adders in every spelling, with
//! complemented operands and results, whose carries and inner gates are read elsewhere too; additions of many words reduced in
//! odd orders; subtractors, comparators, multiplexers; constants, copies and repeated gates in between. Outputs may be inputs,
//! constants, complements of each other, or the same wire twice.

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_program::circuit::{Circuit, Gate, Op};

/// Makes the circuit that belongs to a seed, of up to about `gates` gates.
///
/// # Panics
/// Never for want of a valid seed: all are.
pub fn random_circuit(seed: u64, gates: usize) -> Circuit {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let inputs: Vec<u32> = (0..rng.gen_range(1..4))
        .map(|_| {
            let most = *[4, 8, 16].choose(rng).expect("three widths");
            rng.gen_range(1..=most)
        })
        .collect();
    let input_bits = inputs.iter().sum();
    let mut netlist = Netlist {
        gates: Vec::new(),
        input_bits,
        pool: (0..input_bits).collect(),
    };
    // Some circuits are all arithmetic, others hardly have any.
    let arithmetic = *[0.1, 0.5, 0.9].choose(rng).expect("three shares");
    while netlist.gates.len() < gates {
        if rng.gen_bool(arithmetic) {
            netlist.arithmetic(rng);
        } else {
            for _ in 0..rng.gen_range(1..6) {
                netlist.any_gate(rng);
            }
        }
        // Forget wires, so that what is made later builds on what was made last.
        if netlist.pool.len() > 48 && rng.gen_bool(0.5) {
            for _ in 0..rng.gen_range(8..24) {
                let index = rng.gen_range(0..netlist.pool.len());
                netlist.pool.swap_remove(index);
            }
        }
    }
    netlist.finish(inputs, rng)
}

struct Netlist {
    gates: Vec<Gate>,
    input_bits: u32,
    /// Wires that may be read next.
    pool: Vec<u32>,
}

impl Netlist {
    fn gate(&mut self, op: Op, a: u32, b: u32) -> u32 {
        let out = self.input_bits + self.gates.len() as u32; // cast ok: a few thousand
        self.gates.push(Gate { op, a, b, out });
        out
    }

    fn xor(&mut self, a: u32, b: u32) -> u32 {
        self.gate(Op::Xor, a, b)
    }

    fn and(&mut self, a: u32, b: u32) -> u32 {
        self.gate(Op::And, a, b)
    }

    fn or(&mut self, a: u32, b: u32) -> u32 {
        self.gate(Op::Or, a, b)
    }

    fn not(&mut self, a: u32) -> u32 {
        self.gate(Op::Inv, a, 0)
    }

    /// A wire of the pool, late ones a little more often.
    fn any(&self, rng: &mut ChaCha8Rng) -> u32 {
        let len = self.pool.len();
        let recent = if rng.gen_bool(0.5) { len.min(8) } else { len };
        self.pool[len - 1 - rng.gen_range(0..recent)]
    }

    fn maybe_not(&mut self, a: u32, rng: &mut ChaCha8Rng) -> u32 {
        if rng.gen_bool(0.2) { self.not(a) } else { a }
    }

    fn word(&self, bits: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
        // Mostly wires next to each other, as in a word.
        let start = rng.gen_range(0..self.pool.len());
        (0..bits)
            .map(|bit| {
                if rng.gen_bool(0.9) {
                    self.pool[(start + bit) % self.pool.len()]
                } else {
                    self.any(rng)
                }
            })
            .collect()
    }

    fn any_gate(&mut self, rng: &mut ChaCha8Rng) {
        let (a, b) = (self.any(rng), self.any(rng));
        let out = match rng.gen_range(0..20) {
            0..=5 => self.xor(a, b),
            6..=11 => self.and(a, b),
            12..=14 => self.or(a, b),
            15..=16 => self.not(a),
            17 => self.gate(Op::Copy, a, 0),
            18 => {
                let c = self.any(rng);
                self.mux(a, b, c, rng)
            }
            _ => self.gate(if rng.r#gen() { Op::Zero } else { Op::One }, 0, 0),
        };
        self.pool.push(out);
    }

    /// `select ? a : b`.
    fn mux(&mut self, select: u32, a: u32, b: u32, rng: &mut ChaCha8Rng) -> u32 {
        match rng.gen_range(0..3) {
            0 => {
                let differ = self.xor(a, b);
                let change = self.and(select, differ);
                self.xor(change, b)
            }
            form => {
                let other = self.not(select);
                let (a, b) = (self.and(select, a), self.and(other, b));
                if form == 1 {
                    self.or(a, b)
                } else {
                    self.xor(a, b)
                }
            }
        }
    }

    fn majority(&mut self, a: u32, b: u32, c: u32, rng: &mut ChaCha8Rng) -> u32 {
        match rng.gen_range(0..3) {
            0 => {
                let (ac, bc) = (self.xor(a, c), self.xor(b, c));
                let both = self.and(ac, bc);
                self.xor(both, c)
            }
            1 => {
                let (ab, ac, bc) = (self.and(a, b), self.and(a, c), self.and(b, c));
                let some = self.or(ab, ac);
                self.or(some, bc)
            }
            _ => {
                let differ = self.xor(a, b);
                self.mux(differ, c, a, rng)
            }
        }
    }

    /// Sum and carry, in one of many spellings.
    fn full_adder(&mut self, a: u32, b: u32, c: u32, rng: &mut ChaCha8Rng) -> (u32, u32) {
        let mut operands = [a, b, c];
        operands.shuffle(rng);
        // Complementing all operands complements both results.
        let complement = rng.gen_bool(0.15);
        if complement {
            operands = operands.map(|wire| self.not(wire));
        }
        let [a, b, c] = operands;
        let half = self.xor(a, b);
        let mut sum = self.xor(half, c);
        let mut carry = match rng.gen_range(0..5) {
            0 | 1 => {
                let (both, through) = (self.and(a, b), self.and(half, c));
                if rng.r#gen() {
                    self.or(both, through)
                } else {
                    self.xor(both, through)
                }
            }
            2 => {
                let both = self.and(a, b);
                let either = self.or(a, b);
                let through = self.and(either, c);
                self.or(both, through)
            }
            _ => self.majority(a, b, c, rng),
        };
        if complement {
            (sum, carry) = (self.not(sum), self.not(carry));
        }
        if rng.gen_bool(0.05) {
            self.pool.push(half);
        }
        if rng.gen_bool(0.05) {
            self.pool.push(carry);
        }
        if rng.gen_bool(0.05) {
            self.pool.push(sum);
        }
        (sum, carry)
    }

    fn half_adder(&mut self, a: u32, b: u32, rng: &mut ChaCha8Rng) -> (u32, u32) {
        let (sum, carry) = (self.xor(a, b), self.and(a, b));
        if rng.gen_bool(0.1) {
            self.pool.push(carry);
        }
        (sum, carry)
    }

    /// `a + b + carry`, and the carry out.
    fn ripple(
        &mut self,
        a: &[u32],
        b: &[u32],
        carry: Option<u32>,
        rng: &mut ChaCha8Rng,
    ) -> (Vec<u32>, Option<u32>) {
        let mut carry = carry;
        let mut sums = Vec::new();
        for (&a, &b) in a.iter().zip(b) {
            let (sum, next) = match carry {
                Some(carry) => self.full_adder(a, b, carry, rng),
                None => self.half_adder(a, b, rng),
            };
            sums.push(sum);
            carry = Some(if rng.gen_bool(0.02) {
                self.any(rng)
            } else {
                next
            });
        }
        (sums, carry)
    }

    fn arithmetic(&mut self, rng: &mut ChaCha8Rng) {
        let bits = rng.gen_range(1..=10);
        match rng.gen_range(0..9) {
            0 => {
                let (a, b) = (self.word(bits, rng), self.word(bits, rng));
                let carry = match rng.gen_range(0..4) {
                    0 | 1 => None,
                    2 => Some(self.any(rng)),
                    _ => Some(self.gate(Op::One, 0, 0)),
                };
                let (sums, carry) = self.ripple(&a, &b, carry, rng);
                self.pool.extend(sums);
                self.pool.extend(carry.filter(|_| rng.gen_bool(0.5)));
            }
            1 => {
                // a − b, as a + ¬b + 1.
                let (a, b) = (self.word(bits, rng), self.word(bits, rng));
                let b: Vec<u32> = b.iter().map(|&bit| self.not(bit)).collect();
                let one = self.gate(Op::One, 0, 0);
                let (sums, carry) = self.ripple(&a, &b, Some(one), rng);
                self.pool.extend(sums);
                self.pool.extend(carry.filter(|_| rng.gen_bool(0.5)));
            }
            2 => {
                // a < b: only the borrow.
                let (a, b) = (self.word(bits, rng), self.word(bits, rng));
                let mut borrow = self.any(rng);
                for (&a, &b) in a.iter().zip(&b) {
                    let a = self.not(a);
                    borrow = self.majority(a, b, borrow, rng);
                }
                self.pool.push(borrow);
            }
            3 => {
                // Negation or increment: half adders with complemented operands.
                let a = self.word(bits, rng);
                let mut carry = self.any(rng);
                for &a in &a {
                    let a = self.maybe_not(a, rng);
                    let (sum, next) = self.half_adder(a, carry, rng);
                    let sum = self.maybe_not(sum, rng);
                    self.pool.push(sum);
                    carry = self.maybe_not(next, rng);
                }
                self.pool.push(carry);
            }
            4 | 5 => {
                // The sum of several words, one ripple after the other.
                let mut total = self.word(bits, rng);
                for _ in 0..rng.gen_range(2..6) {
                    let mut next = self.word(bits, rng);
                    if rng.gen_bool(0.2) {
                        next.rotate_left(1);
                    }
                    if rng.gen_bool(0.2) {
                        next = next.iter().map(|&bit| self.maybe_not(bit, rng)).collect();
                    }
                    (total, _) = self.ripple(&next, &total, None, rng);
                }
                self.pool.extend(total);
            }
            6 => self.compress(bits.min(5), rng),
            7 => {
                let (a, b) = (self.word(bits, rng), self.word(bits, rng));
                let select = self.any(rng);
                for (&a, &b) in a.iter().zip(&b) {
                    let out = self.mux(select, a, b, rng);
                    self.pool.push(out);
                }
            }
            _ => {
                // One adder by itself, perhaps on operands that repeat or depend on each other.
                let (a, b) = (self.any(rng), self.any(rng));
                let c = if rng.gen_bool(0.2) {
                    self.and(a, b)
                } else {
                    self.any(rng)
                };
                let (sum, carry) = self.full_adder(a, b, c, rng);
                let (sum, carry) = (self.maybe_not(sum, rng), self.maybe_not(carry, rng));
                if rng.gen_bool(0.8) {
                    self.pool.push(sum);
                }
                if rng.gen_bool(0.8) {
                    self.pool.push(carry);
                }
            }
        }
    }

    /// Columns of bits reduced by full and half adders in any order, as in a multiplier.
    fn compress(&mut self, columns: usize, rng: &mut ChaCha8Rng) {
        let mut heaps: Vec<Vec<u32>> = (0..columns)
            .map(|_| {
                let height = rng.gen_range(1..9);
                (0..height).map(|_| self.any(rng)).collect()
            })
            .collect();
        heaps.push(Vec::new());
        let last = heaps.len() - 1;
        let mut upwards = rng.gen_bool(0.5);
        loop {
            let high: Vec<usize> = (0..last).filter(|&i| heaps[i].len() > 1).collect();
            let Some(&lowest) = high.first() else { break };
            let column = if upwards {
                lowest
            } else {
                *high.choose(rng).expect("not empty")
            };
            if rng.gen_bool(0.02) {
                upwards = true;
            }
            heaps[column].shuffle(rng);
            let heap = &mut heaps[column];
            let (a, b) = (
                heap.pop().expect("at least two"),
                heap.pop().expect("at least two"),
            );
            let third = if rng.gen_bool(0.8) { heap.pop() } else { None };
            let (sum, carry) = match third {
                Some(c) => self.full_adder(a, b, c, rng),
                None => self.half_adder(a, b, rng),
            };
            heaps[column].push(sum);
            heaps[column + 1].push(carry);
        }
        for heap in heaps {
            self.pool.extend(heap);
        }
    }

    /// Adds the outputs: the last wires of the circuit.
    fn finish(mut self, inputs: Vec<u32>, rng: &mut ChaCha8Rng) -> Circuit {
        let outputs: Vec<u32> = (0..rng.gen_range(1..4))
            .map(|_| rng.gen_range(1..12))
            .collect();
        let count: u32 = outputs.iter().sum();
        let wires = self.input_bits + self.gates.len() as u32; // cast ok: a few thousand
        // Either gates as they come, or copies of chosen wires.
        if wires < count || rng.gen_bool(0.8) {
            let mut driven: Vec<u32> = Vec::new();
            for _ in 0..count {
                let wire = match rng.gen_range(0..20) {
                    0 => rng.gen_range(0..self.input_bits),
                    1 if !driven.is_empty() => *driven.choose(rng).expect("not empty"),
                    2 => rng.gen_range(0..wires),
                    _ => self.any(rng),
                };
                driven.push(wire);
            }
            for wire in driven {
                match rng.gen_range(0..20) {
                    0 => self.gate(Op::Zero, 0, 0),
                    1 => self.gate(Op::One, 0, 0),
                    2 | 3 => self.not(wire),
                    _ => self.gate(Op::Copy, wire, 0),
                };
            }
        }
        let wires = self.input_bits + self.gates.len() as u32; // cast ok: a few thousand
        Circuit::new(inputs, outputs, wires, self.gates).expect("gates read earlier wires only")
    }
}
