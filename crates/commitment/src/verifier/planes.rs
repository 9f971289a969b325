//! Digits checked in groups, their sum taken plane by plane.
//!
//! A group is a handful of digits of one width. On the stack, from the top: the revealed elements, then the flags of the
//! highest bit of every digit (a *plane*), then those of the next bit, and so on. Each element in turn is hashed as its flags say
//! (copied up from where they lie) and compared with the end of its chain. When all elements are gone, the flags are added up
//! by Horner's rule: a plane costs one `OP_ADD` a flag, and the doubling between planes is shared by the group. That is why
//! groups pay; they stop paying where flags lie deeper than 16, which takes a longer push to reach.

use super::{Builder, Item};
use crate::parameters::{Digit, Parameters};
use crate::{ELEMENT_BYTES, Element};

/// Largest group tried.
const MAX_GROUP: usize = 8;

/// Whether the size of revealed elements is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SizeCheck {
    Yes,
    No,
}

/// Digits of one width that count with the same place value.
struct Group {
    digits: Vec<Digit>,
    /// Place value of the digits' lowest bits in the sum, as a power of two.
    place: usize,
}

/// Checks every digit and leaves the sum of message digits and checksum on the stack.
pub(super) fn publish(builder: &mut Builder<'_>, parameters: &Parameters) {
    // The checksum's higher digits, highest first; its lowest digit counts like a message digit.
    let mut groups: Vec<Group> = place_values(parameters)
        .filter(|group| group.place > 0)
        .collect();
    let ones: Vec<Digit> = parameters
        .checksum()
        .take(1)
        .chain(parameters.message())
        .collect();
    for width in (1..=crate::MAX_DIGIT_BITS).rev() {
        let pool: Vec<Digit> = ones
            .iter()
            .copied()
            .filter(|digit| digit.width == width)
            .collect();
        let mut rest = pool.as_slice();
        for size in partition(pool.len(), width) {
            let (digits, after) = rest.split_at(size);
            groups.push(Group {
                digits: digits.to_vec(),
                place: 0,
            });
            rest = after;
        }
    }
    sum(builder, &groups, SizeCheck::Yes);
}

/// Checks the checksum's digits and leaves the checksum on the stack.
pub(super) fn checksum(builder: &mut Builder<'_>, parameters: &Parameters) {
    let groups: Vec<Group> = place_values(parameters).collect();
    sum(builder, &groups, SizeCheck::No);
}

/// The checksum's digits, highest first, each a group.
fn place_values(parameters: &Parameters) -> impl Iterator<Item = Group> + '_ {
    parameters.checksum().rev().map(|digit| Group {
        digits: vec![digit],
        place: digit.offset,
    })
}

/// Checks groups, given by falling place value, and leaves their sum on the stack.
fn sum(builder: &mut Builder<'_>, groups: &[Group], size_check: SizeCheck) {
    let mut parked = None;
    for group in groups {
        if parked.is_some() {
            emit!(builder; OP_TOALTSTACK);
        }
        write_group(
            builder,
            &group.digits,
            size_check,
            parked.map(|place: usize| place - group.place),
        );
        parked = Some(group.place);
    }
}

/// Checks one group and leaves its sum on the stack. If a sum is `parked` on the altstack, takes it from there and adds it
/// with the place value `2^parked`.
fn write_group(
    builder: &mut Builder<'_>,
    digits: &[Digit],
    size_check: SizeCheck,
    parked: Option<usize>,
) {
    let count = digits.len();
    let width = digits[0].width;

    for (position, digit) in digits.iter().enumerate() {
        builder.items.push(Item::Element { digit: digit.index });
        if size_check == SizeCheck::Yes {
            emit!(builder; OP_SIZE { ELEMENT_BYTES } OP_EQUALVERIFY);
        }
        for plane in 0..usize::from(width) {
            match flag_depth(count, position, plane) {
                1 => emit!(builder; OP_OVER OP_IF),
                depth => emit!(builder; { depth } OP_PICK OP_IF),
            }
            let hashes = 1 << (usize::from(width) - 1 - plane);
            emit!(builder; for _ in 0..hashes { OP_HASH160 } OP_ENDIF);
        }
        builder.end(digit);
    }

    for plane in 0..usize::from(width) {
        let bit = width - 1 - plane as u8; // cast ok: at most MAX_DIGIT_BITS planes
        let flag = |digit: &Digit| Item::Flag {
            digit: digit.index,
            bit,
        };
        match plane {
            0 => builder.items.extend(digits.iter().rev().map(flag)),
            _ => builder.items.extend(digits.iter().map(flag)),
        }
        let mut additions = count;
        if plane > 0 {
            emit!(builder; OP_DUP OP_ADD);
        } else if let Some(excess) = parked.and_then(|parked| parked.checked_sub(bit.into())) {
            // The parked sum counts at least as much as this plane: it opens the Horner scheme.
            emit!(builder; OP_FROMALTSTACK for _ in 0..excess { OP_DUP OP_ADD });
        } else {
            additions -= 1; // the first flag opens it
        }
        emit!(builder; for _ in 0..additions { OP_ADD });
        if plane > 0 && parked == Some(bit.into()) {
            emit!(builder; OP_FROMALTSTACK OP_ADD);
        }
    }
}

/// How deep a digit's flag lies when its element is on top.
///
/// Under the element lie the group's later elements and the planes. In every plane but the first the flags lie in the order of the
/// elements, so that this depth is the same for all of them; in the first they lie in reverse, which brings the last one right
/// under its element.
fn flag_depth(count: usize, position: usize, plane: usize) -> usize {
    let later = count - 1 - position;
    let within_plane = if plane == 0 { later } else { position };
    1 + later + plane * count + within_plane
}

/// The sizes of groups that check this many digits of this width in the fewest bytes.
fn partition(count: usize, width: u8) -> Vec<usize> {
    let cost_bytes: Vec<usize> = (1..=MAX_GROUP.min(count))
        .map(|size| group_bytes(size, width))
        .collect();
    // best[n] = (bytes for n digits, size of the last group)
    let mut best = vec![(0, 0)];
    for digits in 1..=count {
        let cheapest = (1..=MAX_GROUP.min(digits))
            .map(|size| (best[digits - size].0 + cost_bytes[size - 1], size))
            .min()
            .expect("a group of one digit is always possible");
        best.push(cheapest);
    }
    let mut sizes = Vec::new();
    let mut rest = count;
    while rest > 0 {
        sizes.push(best[rest].1);
        rest -= best[rest].1;
    }
    sizes
}

/// Script bytes of a group in the middle of a sum.
fn group_bytes(count: usize, width: u8) -> usize {
    let ends = vec![Element::default(); count];
    let digits: Vec<Digit> = (0..count)
        .map(|index| Digit {
            index,
            width,
            offset: 0,
        })
        .collect();
    let mut builder = Builder::new(&ends);
    write_group(&mut builder, &digits, SizeCheck::Yes, Some(0));
    1 + builder.writer.len() // OP_TOALTSTACK comes before
}
