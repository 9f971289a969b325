//! The meaning of a circuit: its value for given inputs.

use std::ops::{BitAnd, BitOr, BitXor, Not};

use super::{Circuit, Op};

/// Why a circuit could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// The assignment has the wrong number of input bits.
    #[error("the assignment has {actual} bits, but the circuit's inputs have {expected}")]
    InputLength {
        /// The circuit's input bits.
        expected: usize,
        /// The bits given.
        actual: usize,
    },
}

/// What a wire carries: one assignment, or as many as a word has bits.
trait Lanes:
    Copy + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> + Not<Output = Self>
{
    const ZERO: Self;
}

impl Lanes for bool {
    const ZERO: Self = false;
}

impl Lanes for u64 {
    const ZERO: Self = 0;
}

impl Circuit {
    /// Evaluates one assignment: input bit `i` is wire `i`. Returns the output bits in wire order.
    ///
    /// # Errors
    /// When `inputs` has not exactly [`Circuit::input_bits`] bits.
    pub fn evaluate(&self, inputs: &[bool]) -> Result<Vec<bool>, EvaluateError> {
        Ok(self.outputs_of(self.run(inputs)?))
    }

    /// Evaluates 64 assignments at once: bit `k` of word `i` is input bit `i` of assignment `k`.
    /// Returns the outputs in the same shape.
    ///
    /// # Errors
    /// When `inputs` has not exactly [`Circuit::input_bits`] words.
    pub fn evaluate64(&self, inputs: &[u64]) -> Result<Vec<u64>, EvaluateError> {
        Ok(self.outputs_of(self.run(inputs)?))
    }

    /// Evaluates one assignment and returns the value of every wire, inputs first.
    ///
    /// # Errors
    /// When `inputs` has not exactly [`Circuit::input_bits`] bits.
    pub fn evaluate_wires(&self, inputs: &[bool]) -> Result<Vec<bool>, EvaluateError> {
        self.run(inputs)
    }

    fn run<W: Lanes>(&self, inputs: &[W]) -> Result<Vec<W>, EvaluateError> {
        let expected = self.input_bits();
        if inputs.len() != expected {
            return Err(EvaluateError::InputLength {
                expected,
                actual: inputs.len(),
            });
        }
        let mut wires = vec![W::ZERO; self.wires as usize];
        wires[..expected].copy_from_slice(inputs);
        for gate in &self.gates {
            let a = wires[gate.a as usize];
            let b = wires[gate.b as usize];
            wires[gate.out as usize] = match gate.op {
                Op::Xor => a ^ b,
                Op::And => a & b,
                Op::Or => a | b,
                Op::Inv => !a,
                Op::Zero => W::ZERO,
                Op::One => !W::ZERO,
                Op::Copy => a,
            };
        }
        Ok(wires)
    }

    fn outputs_of<W: Lanes>(&self, mut wires: Vec<W>) -> Vec<W> {
        wires.split_off(self.first_output_wire() as usize)
    }
}
