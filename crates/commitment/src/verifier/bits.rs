//! Digits opened to their bits, one at a time or in groups.
//!
//! Alone: the sum so far lies on top, the digit's element under it, its flags below. Two flags at a time are brought up,
//! copied to the altstack, and consumed: a set flag hashes the element and raises the sum. For several digits of one width,
//! groups by [`planes`] are cheaper.

use std::sync::LazyLock;

use bitcoin::ScriptBuf;
use tapcourt_script::script;

use super::planes::{self, GroupBytes};
use super::{Builder, Item};
use crate::OpenOrder;
use crate::parameters::{Digit, Parameters};

/// Opens the message digits: expects a sum on the stack, leaves the bits on the altstack and the sum raised by all digits.
pub(super) fn open(builder: &mut Builder<'_>, parameters: &Parameters, order: &OpenOrder) {
    let digits = order.pushes(parameters);
    for run in digits.chunk_by(|(a, _), (b, _)| a.width == b.width) {
        let width = run[0].0.width;
        let mut rest = run;
        for size in OPENED.partition(run.len(), width) {
            let (group, after) = rest.split_at(size);
            open_group(builder, group);
            rest = after;
        }
    }
}

/// Opens digits of one width.
fn open_group(builder: &mut Builder<'_>, group: &[(Digit, Vec<u8>)]) {
    match group {
        [(digit, bits)] => open_digit(builder, digit, bits),
        _ => planes::open_group(builder, group),
    }
}

/// Opened groups. The order of bits within a digit makes no difference.
static OPENED: LazyLock<GroupBytes> = LazyLock::new(|| {
    GroupBytes::measure(false, |builder, digits| {
        let group: Vec<_> = digits
            .iter()
            .map(|digit| (*digit, (0..digit.width).collect()))
            .collect();
        open_group(builder, &group);
    })
});

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
