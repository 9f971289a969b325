//! Digits opened to their bits.
//!
//! The sum so far lies on top, the digit's element under it, its flags below. Two flags at a time are brought up, copied
//! to the altstack, and consumed: a set flag hashes the element and raises the sum.

use bitcoin::ScriptBuf;
use tapcourt_script::script;

use super::{Builder, Item};
use crate::OpenOrder;
use crate::parameters::{Digit, Parameters};

/// Opens the message digits: expects a sum on the stack, leaves the bits on the altstack and the sum raised by all digits.
pub(super) fn open(builder: &mut Builder<'_>, parameters: &Parameters, order: &OpenOrder) {
    for (digit, bits) in order.pushes(parameters) {
        open_digit(builder, &digit, &bits);
    }
}

/// Opens one digit, pushing its bits to the altstack in the order given.
fn open_digit(builder: &mut Builder<'_>, digit: &Digit, bits: &[u8]) {
    builder.items.push(Item::Element { digit: digit.index });
    builder.items.extend(bits.iter().map(|&bit| Item::Flag {
        digit: digit.index,
        bit,
    }));

    // flags… element sum
    for bits in bits.chunks(2) {
        if let &[first, second] = bits {
            emit!(builder;
                OP_2SWAP                                // element sum second first
                OP_2DUP OP_TOALTSTACK OP_TOALTSTACK
                OP_IF
                    OP_ROT                              // sum second element
                    for _ in 0..(1 << first) { OP_HASH160 }
                    OP_ROT { add_power(first) }         // second element sum
                    OP_ROT                              // element sum second
                OP_ENDIF
                { raise(second) }
            );
        } else {
            emit!(builder; OP_ROT OP_DUP OP_TOALTSTACK { raise(bits[0]) });
        }
    }
    emit!(builder; OP_SWAP);
    builder.end(digit);
}

/// From `element sum flag`: consumes the flag and, if it is set, hashes the element and raises the sum as this bit does.
fn raise(bit: u8) -> ScriptBuf {
    script! {
        OP_IF
            { add_power(bit) } OP_SWAP
            for _ in 0..(1 << bit) { OP_HASH160 }
            OP_SWAP
        OP_ENDIF
    }
}

/// Adds `2^bit` to the number on top.
fn add_power(bit: u8) -> ScriptBuf {
    script! {
        if bit == 0 { OP_1ADD } else { { 1u32 << bit } OP_ADD }
    }
}
