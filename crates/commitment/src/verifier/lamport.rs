//! Lamport openings: one preimage a bit, and no flags, since the hash itself says which bit it is.

use super::{Builder, Item};
use crate::parameters::{Digit, Parameters};
use crate::{ELEMENT_BYTES, OpenDigits, OpenOrder};

/// Checks one preimage a bit and leaves nothing.
pub(super) fn publish(builder: &mut Builder<'_>, parameters: &Parameters) {
    for digit in parameters.message() {
        emit!(builder; OP_SIZE { ELEMENT_BYTES } OP_EQUALVERIFY);
        compare(builder, &digit);
        emit!(builder; OP_BOOLOR OP_VERIFY);
    }
}

/// Checks one preimage a bit and leaves the bits on the altstack.
pub(super) fn open(builder: &mut Builder<'_>, parameters: &Parameters, order: &OpenOrder) {
    for (digit, _) in order.pushes(parameters) {
        compare(builder, &digit);
        emit!(builder; OP_DUP OP_TOALTSTACK OP_BOOLOR OP_VERIFY);
    }
}

/// Checks one preimage a bit and leaves each bit as a number on the altstack.
pub(super) fn open_digits(builder: &mut Builder<'_>, parameters: &Parameters, opened: &OpenDigits) {
    for (digit, offset) in opened.processed(parameters) {
        let set = offset + (1 << opened.log2_scale());
        compare(builder, &digit);
        emit!(builder; OP_DUP);
        if (offset, set) != (0, 1) {
            emit!(builder; OP_IF { set } OP_ELSE { offset } OP_ENDIF);
        }
        emit!(builder; OP_TOALTSTACK OP_BOOLOR OP_VERIFY);
    }
}

/// Replaces a preimage by two bits: whether it is the one for 0 and, on top, whether it is the one for 1.
fn compare(builder: &mut Builder<'_>, digit: &Digit) {
    builder.items.push(Item::Element { digit: digit.index });
    let [zero, one] = [0, 1].map(|value| builder.ends[2 * digit.index + value]);
    emit!(builder; OP_HASH160 { zero } OP_OVER OP_EQUAL OP_SWAP { one } OP_EQUAL);
}
