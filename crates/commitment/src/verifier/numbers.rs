//! Digits opened to numbers.
//!
//! A digit's flags are consumed where they lie, right below the sum. Its number grows on top of the altstack: the first flag
//! chooses between two constants, and each further one that is set adds its weight. Scale and offset are in these constants, so they
//! cost nothing but longer pushes. A finished number is added to the sum as it is; what scales and offsets contribute to the sum
//! is known.

use super::{Builder, Item};
use crate::OpenDigits;
use crate::parameters::Parameters;

/// Opens the message digits: expects the checksum on the stack, leaves the numbers on the altstack and, on the stack, the
/// checksum scaled like the numbers and raised by all of them.
pub(super) fn open(builder: &mut Builder<'_>, parameters: &Parameters, opened: &OpenDigits) {
    emit!(builder; for _ in 0..opened.log2_scale() { OP_DUP OP_ADD });
    for (digit, offset) in opened.processed(parameters) {
        let weight = |bit: u8| 1i64 << (bit + opened.log2_scale());
        builder.items.push(Item::Element { digit: digit.index });
        // flags… element sum
        emit!(builder; OP_SWAP);
        for bit in (0..digit.width).rev() {
            builder.items.push(Item::Flag {
                digit: digit.index,
                bit,
            });
            emit!(builder; OP_ROT OP_IF for _ in 0..(1 << bit) { OP_HASH160 }); // sum element
            if bit == digit.width - 1 {
                emit!(builder; { offset + weight(bit) } OP_ELSE { offset } OP_ENDIF OP_TOALTSTACK);
            } else if weight(bit) == 1 {
                emit!(builder; OP_FROMALTSTACK OP_1ADD OP_TOALTSTACK OP_ENDIF);
            } else {
                emit!(builder; OP_FROMALTSTACK { weight(bit) } OP_ADD OP_TOALTSTACK OP_ENDIF);
            }
        }
        builder.end(&digit);
        emit!(builder; OP_FROMALTSTACK OP_DUP OP_TOALTSTACK OP_ADD);
    }
}
