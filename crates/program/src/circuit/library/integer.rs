//! Integer arithmetic.

use super::finish;
use crate::circuit::Circuit;
use crate::circuit::build::Builder;

/// Returns the circuit of `a + b mod 2^bits`, with a carry that ripples through full adders.
///
/// # Panics
/// When `bits` is 0 or above 2^19.
pub fn adder(bits: u32) -> Circuit {
    let mut builder = Builder::new();
    let (a, b) = (builder.input(bits), builder.input(bits));
    let sum = builder.add(&a, &b);
    finish(builder, &[sum])
}

/// Returns the circuit of `a < b`, unsigned: one output bit.
///
/// # Panics
/// When `bits` is 0 or above 2^19.
pub fn comparator(bits: u32) -> Circuit {
    let mut builder = Builder::new();
    let (a, b) = (builder.input(bits), builder.input(bits));
    let less = builder.less_than(&a, &b);
    finish(builder, &[vec![less]])
}

/// Returns the circuit of the unsigned product `a · b` of `2·bits` bits, row by row.
///
/// # Panics
/// When `bits` is 0 or above 2^15.
pub fn multiplier(bits: u32) -> Circuit {
    let mut builder = Builder::new();
    let (a, b) = (builder.input(bits), builder.input(bits));
    let product = builder.mul(&a, &b);
    finish(builder, &[product])
}
