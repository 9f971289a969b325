//! Digits checked in groups, their sum taken plane by plane.
//!
//! A group is a handful of digits of one width. On the stack, from the top: the revealed elements, then the flags of the
//! highest bit of every digit (a *plane*), then those of the next bit, and so on. Each element in turn is hashed as its flags say
//! (copied up from where they lie) and compared with the end of its chain. When all elements are gone, the flags are added up
//! by Horner's rule: a plane costs one `OP_ADD` a flag, and the doubling between planes is shared by the group. That is why
//! groups pay; they stop paying where flags lie deeper than 16, which takes a longer push to reach.
//!
//! To open a value, each flag is also copied to the altstack when it is used, digit by digit. The sum so far then cannot
//! wait on the altstack; it wanders down the elements, always right under the one at work.

use std::sync::LazyLock;

use super::{Builder, Item};
use crate::parameters::{Digit, Parameters};
use crate::{ELEMENT_BYTES, Element, MAX_DIGIT_BITS, PICK_BITS};

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
    for width in (1..=MAX_DIGIT_BITS).rev() {
        let pool: Vec<Digit> = ones
            .iter()
            .copied()
            .filter(|digit| digit.width == width && !digit.picked)
            .collect();
        let mut rest = pool.as_slice();
        for size in PUBLISHED.partition(pool.len(), width) {
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
    let planes = Planes::new(digits.len(), digits[0].width, 0);
    for (position, digit) in digits.iter().enumerate() {
        builder.items.push(Item::Element { digit: digit.index });
        if size_check == SizeCheck::Yes {
            emit!(builder; OP_SIZE { ELEMENT_BYTES } OP_EQUALVERIFY);
        }
        for bit in (0..digit.width).rev() {
            copy(builder, planes.depth(position, bit));
            emit!(builder; OP_IF for _ in 0..(1 << bit) { OP_HASH160 } OP_ENDIF);
        }
        builder.end(digit);
    }
    add_planes(builder, &planes, digits, parked);
}

/// Opens one group: expects a sum on the stack, copies the digits' bits to the altstack in the order given for each, and leaves
/// the sum raised by the digits.
pub(super) fn open_group(builder: &mut Builder<'_>, group: &[(Digit, Vec<u8>)]) {
    let planes = Planes::new(group.len(), group[0].0.width, 1);
    for (position, (digit, bits)) in group.iter().enumerate() {
        builder.items.push(Item::Element { digit: digit.index });
        emit!(builder; OP_SWAP); // … sum element
        for &bit in bits {
            copy(builder, planes.depth(position, bit));
            emit!(builder; OP_DUP OP_TOALTSTACK);
            emit!(builder; OP_IF for _ in 0..(1 << bit) { OP_HASH160 } OP_ENDIF);
        }
        builder.end(digit);
    }
    emit!(builder; OP_TOALTSTACK);
    let digits: Vec<Digit> = group.iter().map(|&(digit, _)| digit).collect();
    add_planes(builder, &planes, &digits, Some(0));
}

/// Adds up the flags of a group whose elements are gone, and the sum that is `parked` on the altstack, if any.
fn add_planes(builder: &mut Builder<'_>, planes: &Planes, digits: &[Digit], parked: Option<usize>) {
    for bit in (0..planes.width).rev() {
        let flags = planes.order(bit).map(|position| Item::Flag {
            digit: digits[position].index,
            bit,
        });
        builder.items.extend(flags);
        let mut additions = digits.len();
        if bit < planes.width - 1 {
            emit!(builder; OP_DUP OP_ADD);
        } else if let Some(excess) = parked.and_then(|parked| parked.checked_sub(bit.into())) {
            // The parked sum counts at least as much as this plane: it opens the Horner scheme.
            emit!(builder; OP_FROMALTSTACK for _ in 0..excess { OP_DUP OP_ADD });
        } else {
            additions -= 1; // the first flag opens it
        }
        emit!(builder; for _ in 0..additions { OP_ADD });
        if bit < planes.width - 1 && parked == Some(bit.into()) {
            emit!(builder; OP_FROMALTSTACK OP_ADD);
        }
    }
}

/// Where the flags of a group lie.
struct Planes {
    /// Digits in the group.
    count: usize,
    /// Bits of each digit.
    width: u8,
    /// Items that lie between the element at work and the later ones.
    between: usize,
    /// For each bit, whether its flags lie in the reverse order of the elements. In the same order, all lie equally deep when
    /// they are used; in reverse, the later digits' flags are nearer and the earlier ones' farther. Whatever takes fewer bytes.
    reversed: [bool; MAX_DIGIT_BITS as usize], // cast ok: 8
}

impl Planes {
    fn new(count: usize, width: u8, between: usize) -> Self {
        let mut planes = Self {
            count,
            width,
            between,
            reversed: Default::default(),
        };
        for bit in 0..width {
            let mut bytes = |reversed| -> usize {
                planes.reversed[usize::from(bit)] = reversed;
                (0..count)
                    .map(|position| copy_bytes(planes.depth(position, bit)))
                    .sum()
            };
            let reverse = bytes(true) < bytes(false);
            planes.reversed[usize::from(bit)] = reverse;
        }
        planes
    }

    /// How deep the flag of a digit lies when its element is on top.
    fn depth(&self, position: usize, bit: u8) -> usize {
        let later = self.count - 1 - position;
        let plane = usize::from(self.width - 1 - bit);
        let within_plane = if self.reversed[usize::from(bit)] {
            later
        } else {
            position
        };
        1 + self.between + later + plane * self.count + within_plane
    }

    /// The digits' positions in the order of their flags in a plane, the top first.
    fn order(&self, bit: u8) -> impl Iterator<Item = usize> + use<> {
        let (count, reversed) = (self.count, self.reversed[usize::from(bit)]);
        (0..count).map(move |place| if reversed { count - 1 - place } else { place })
    }
}

/// Copies the item this deep to the top.
pub(super) fn copy(builder: &mut Builder<'_>, depth: usize) {
    if depth == 1 {
        emit!(builder; OP_OVER);
    } else {
        emit!(builder; { depth } OP_PICK);
    }
}

/// Script bytes of [`copy`].
pub(super) fn copy_bytes(depth: usize) -> usize {
    match depth {
        1 => 1,
        0..=16 => 2,
        17..=127 => 3,
        _ => 4,
    }
}

/// Script bytes of one group, by width in bits and number of digits, both from 1.
pub(super) struct GroupBytes([[usize; MAX_GROUP]; MAX_DIGIT_BITS as usize]); // cast ok: 8

impl GroupBytes {
    /// Measures groups by writing them.
    pub(super) fn measure(picked: bool, write: impl Fn(&mut Builder<'_>, &[Digit])) -> Self {
        let ends = [Element::default(); MAX_GROUP];
        let mut bytes = [[0; MAX_GROUP]; MAX_DIGIT_BITS as usize]; // cast ok: 8
        let least_width = if picked { PICK_BITS } else { 1 };
        for (width, bytes) in (1..).zip(&mut bytes) {
            if width < least_width {
                continue;
            }
            let digits: Vec<Digit> = (0..MAX_GROUP)
                .map(|index| Digit {
                    index,
                    width,
                    offset: 0,
                    picked,
                })
                .collect();
            for (count, bytes) in (1..).zip(bytes) {
                let mut builder = Builder::new(&ends);
                write(&mut builder, &digits[..count]);
                *bytes = builder.writer.len();
            }
        }
        Self(bytes)
    }

    /// The sizes of groups that cover so many digits of this width in the fewest bytes.
    pub(super) fn partition(&self, count: usize, width: u8) -> Vec<usize> {
        let bytes = &self.0[usize::from(width) - 1];
        // best[n] = (bytes for n digits, size of the last group)
        let mut best = vec![(0, 0)];
        for digits in 1..=count {
            let cheapest = (1..=MAX_GROUP.min(digits))
                .map(|size| (best[digits - size].0 + bytes[size - 1], size))
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
}

/// Published groups in the middle of a sum.
static PUBLISHED: LazyLock<GroupBytes> = LazyLock::new(|| {
    GroupBytes::measure(false, |builder, digits| {
        emit!(builder; OP_TOALTSTACK);
        write_group(builder, digits, SizeCheck::Yes, Some(0));
    })
});
