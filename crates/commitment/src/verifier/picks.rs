//! Digits of which the highest three bits are published as one number, which picks one of eight successive hashes.
//!
//! Such a digit takes two witness items less than one that is published by flags alone, for less than one byte more: it is for
//! messages whose flags would not fit the stack. Its other bits are flags, in [`planes`].
//!
//! # One digit
//! Let the number be `n` and `s` the weight of the lowest of the three bits. The element `e`, hashed as the flags say, is the
//! lowest item of a list of eight, each `s` hashes from the one before:
//!
//! ```text
//! … n sum e
//! OP_SIZE <20> OP_EQUALVERIFY             the element has 20 bytes
//! <flag> OP_IF OP_HASH160… OP_ENDIF …     … n sum h0
//! OP_DUP OP_HASH160… seven times          … n sum h0 h1 … h7
//! <9> OP_PICK OP_DUP                      … n sum h0 h1 … h7 n n
//! OP_SIZE OP_ROLL                         the same
//! OP_ROLL <end> OP_EQUALVERIFY            … n sum (seven of the list) n
//! OP_2DROP four times                     … n sum
//! OP_ADD                                  … sum
//! ```
//! The number 1 picks `h7`, 8 picks `h0`: the three bits say `8 − n`. The script sums up the numbers and takes the sum from a constant.
//! Below `n` lies the next digit's element; `OP_SWAP` brings it up, so that the sum wanders down.
//!
//! # Why no other number is accepted, in no other encoding
//! No opcode checks the number's range. A number that is not 1 to 8 in one byte makes the script fail as follows.
//!
//! - *Zero in one byte or none* (empty, `00`, `80`): `OP_SIZE OP_ROLL` leaves two equal items in place, and the next `OP_ROLL`
//!   takes `n` itself. It has one byte at most and the end 20: `OP_EQUALVERIFY` fails.
//! - *Negative in one byte*: `OP_ROLL` fails.
//! - *Two to nine bytes*: `OP_SIZE OP_ROLL` brings up one of `h7` to `h0`, where the next `OP_ROLL` wants a number. The list has
//!   20 bytes an item (`h0` because it was checked, or is a hash), and operands have four at most.
//! - *More than 8 in one byte, or ten bytes and more*: some item from below the list was rolled out, at one of the two
//!   `OP_ROLL`s, and at most one from the list. Then `OP_2DROP` four times leaves an item of the list on top, of 20 bytes. For a
//!   digit that is not its group's first, `OP_ADD` refuses it as an operand. For the first, if it is the only one,
//!   `OP_NEGATE` does; otherwise it comes to lie *below* what `OP_SWAP` brings up, as the sum of the next digit, whose `OP_ADD`
//!   refuses it, at the latest: whatever the next digit's number and element are, that digit ends with this item or one of its own
//!   list as an operand of `OP_ADD`.
//!
//! So range and encoding follow from what lies where. The tests try all numbers of one and two bytes and many longer ones, against witnesses
//! arranged to profit from them.

use std::sync::LazyLock;

use super::planes::{self, GroupBytes};
use super::{Builder, Item};
use crate::parameters::{Digit, Parameters};
use crate::{ELEMENT_BYTES, MAX_DIGIT_BITS, PICK_BITS};

/// Items of the list: the values of a pick.
const LIST: usize = 1 << PICK_BITS;

/// Checks the digits that are published by numbers and adds them to the sum on the stack, each less by `2^width`. Says by how
/// much in all.
pub(super) fn publish(builder: &mut Builder<'_>, parameters: &Parameters) -> i64 {
    let picked: Vec<Digit> = parameters.message().filter(|digit| digit.picked).collect();
    for width in (PICK_BITS..=MAX_DIGIT_BITS).rev() {
        let pool: Vec<Digit> = picked
            .iter()
            .copied()
            .filter(|digit| digit.width == width)
            .collect();
        let mut rest = pool.as_slice();
        for size in PICKED.partition(pool.len(), width) {
            let (digits, after) = rest.split_at(size);
            write_group(builder, digits);
            rest = after;
        }
    }
    picked.iter().map(|digit| 1 << digit.width).sum()
}

/// Checks one group, digits of one width.
fn write_group(builder: &mut Builder<'_>, digits: &[Digit]) {
    let flags = Flags::new(digits.len(), digits[0].flag_bits());
    emit!(builder; OP_TOALTSTACK);
    for (position, digit) in digits.iter().enumerate() {
        let has_sum = position > 0;
        builder.items.push(Item::Element { digit: digit.index });
        builder.items.push(Item::Pick {
            digit: digit.index,
            bit: flags.bits,
        });
        emit!(builder; if has_sum { OP_SWAP } OP_SIZE { ELEMENT_BYTES } OP_EQUALVERIFY);
        for bit in (0..flags.bits).rev() {
            planes::copy(builder, flags.depth(position, bit));
            emit!(builder; OP_IF for _ in 0..(1 << bit) { OP_HASH160 } OP_ENDIF);
        }
        emit!(builder; for _ in 1..LIST { OP_DUP for _ in 0..(1 << flags.bits) { OP_HASH160 } });
        planes::copy(builder, LIST + usize::from(has_sum));
        emit!(builder; OP_DUP OP_SIZE);
        builder.roll();
        builder.roll();
        builder.end(digit);
        emit!(builder; for _ in 0..(LIST / 2) { OP_2DROP } if has_sum { OP_ADD });
    }
    emit!(builder; OP_NEGATE);
    for bit in (0..flags.bits).rev() {
        builder
            .items
            .extend(flags.order(bit).map(|position| Item::Flag {
                digit: digits[position].index,
                bit,
            }));
        emit!(builder; OP_DUP OP_ADD for _ in 0..digits.len() { OP_ADD });
    }
    emit!(builder; OP_FROMALTSTACK OP_ADD);
}

/// Where the flags of a group lie: below all elements and numbers, plane by plane, the highest on top.
struct Flags {
    /// Digits in the group.
    count: usize,
    /// Flags of each digit.
    bits: u8,
    /// For each plane, whether its flags lie in the reverse order of the elements: whatever takes fewer bytes.
    reversed: [bool; MAX_DIGIT_BITS as usize], // cast ok: 8
}

impl Flags {
    fn new(count: usize, bits: u8) -> Self {
        let mut flags = Self {
            count,
            bits,
            reversed: Default::default(),
        };
        for bit in 0..bits {
            let mut bytes = |reversed| -> usize {
                flags.reversed[usize::from(bit)] = reversed;
                (0..count)
                    .map(|position| planes::copy_bytes(flags.depth(position, bit)))
                    .sum()
            };
            let reverse = bytes(true) < bytes(false);
            flags.reversed[usize::from(bit)] = reverse;
        }
        flags
    }

    /// How deep the flag of a digit lies when its element is on top: beneath the sum, its number, and two items for every later digit.
    fn depth(&self, position: usize, bit: u8) -> usize {
        let later = self.count - 1 - position;
        let plane = usize::from(self.bits - 1 - bit);
        let within_plane = if self.reversed[usize::from(bit)] {
            later
        } else {
            position
        };
        2 + usize::from(position > 0) + 2 * later + plane * self.count + within_plane
    }

    /// The digits' positions in the order of their flags in a plane, the top first.
    fn order(&self, bit: u8) -> impl Iterator<Item = usize> + use<> {
        let (count, reversed) = (self.count, self.reversed[usize::from(bit)]);
        (0..count).map(move |place| if reversed { count - 1 - place } else { place })
    }
}

/// Groups in the middle of a sum.
static PICKED: LazyLock<GroupBytes> = LazyLock::new(|| GroupBytes::measure(true, write_group));
