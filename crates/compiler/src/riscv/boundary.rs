//! The leaves for the two ends of the disputed step.

use std::sync::Arc;

use tapcourt_program::riscv::ACCEPT_PC;

use super::group::{NODE_DIGITS, WORD_DIGITS};
use super::leaf::{Leaf, SharedHash};
use super::opening::Openings;
use super::search::Search;
use super::tail::{Tail, nibble};
use super::{Group, Side};

/// What was selected in the rounds that decide on an end.
pub(super) type Selected = Vec<(u32, u32)>;

/// The selections, from a round on, that make a revealed digest an end of the disputed step.
pub(super) fn selected(search: &Search, round: u32, index: u32, side: Side) -> Selected {
    let later = round + 1..search.rounds();
    let first = match side {
        Side::Left => index + 1,
        Side::Right => index,
    };
    let rest = later.map(|round| match side {
        Side::Left => (round, 0),
        Side::Right => (round, search.arity(round) - 1),
    });
    std::iter::once((round, first)).chain(rest).collect()
}

/// The selections that make an end of the whole trace an end of the disputed step.
pub(super) fn selected_end(search: &Search, side: Side) -> Selected {
    (0..search.rounds())
        .map(|round| match side {
            Side::Left => (round, 0),
            Side::Right => (round, search.arity(round) - 1),
        })
        .collect()
}

/// Opens selections, the first one on top.
pub(super) fn open_selections(
    mut openings: Openings,
    group: fn(u32) -> Group,
    search: &Search,
    selected: &Selected,
) -> Openings {
    for &(round, _) in selected {
        let bits = search.selection_bits(round);
        openings = openings.then_natural(group(round), false, bits.into());
    }
    openings
}

/// Makes the script fail unless this was selected.
pub(super) fn require_selections(tail: &mut Tail, group: fn(u32) -> Group, selected: &Selected) {
    for &(round, selection) in selected {
        tail.require(group(round), 1, |_| selection as u8); // cast ok: less than 16
    }
}

/// The digits of a node that is a constant.
fn node_digit(node: &[u8; 20]) -> impl Fn(usize) -> u8 {
    move |digit| node[digit / 2] >> (4 * (digit % 2)) & 15
}

/// The leaf that is spendable if the first step was selected, and `pc` or root are not the first ones.
pub(super) fn start(search: &Search, pc: u32, root: &[u8; 20]) -> Leaf {
    let selected = selected_end(search, Side::Left);
    let openings = open_selections(Openings::default(), Group::Selection, search, &selected)
        .then_natural(Group::Pc, false, 0)
        .then_natural(Group::Root, false, 0);
    let digits = openings.digits();
    let mut tail = Tail::new(&digits);
    require_selections(&mut tail, Group::Selection, &selected);
    tail.compare(Group::Pc, WORD_DIGITS, |digit| nibble(pc, digit));
    tail.compare(Group::Root, NODE_DIGITS, node_digit(root));
    Leaf {
        hashed: tail.hashed(),
        body: tail.finish(),
        hints: 0,
        body_max_stack: digits.len() + 3,
        openings: Arc::new(openings),
    }
}

/// The leaf that is spendable if the last step was selected, and it does not lead to acceptance.
pub(super) fn accept(search: &Search) -> Leaf {
    let selected = selected_end(search, Side::Right);
    let openings = open_selections(Openings::default(), Group::Selection, search, &selected)
        .then_natural(Group::NextPc, false, 0);
    let digits = openings.digits();
    let mut tail = Tail::new(&digits);
    require_selections(&mut tail, Group::Selection, &selected);
    tail.compare(Group::NextPc, WORD_DIGITS, |digit| nibble(ACCEPT_PC, digit));
    Leaf {
        hashed: tail.hashed(),
        body: tail.finish(),
        hints: 0,
        body_max_stack: digits.len() + 3,
        openings: Arc::new(openings),
    }
}

/// The leaf that is spendable if a revealed digest is at this side of the disputed step, and is not that of the `pc` and root there.
pub(super) fn digest(
    search: &Search,
    hash: &SharedHash,
    round: u32,
    index: u32,
    side: Side,
) -> Leaf {
    let selected = selected(search, round, index, side);
    let (pc, root) = match side {
        Side::Left => (Group::Pc, Group::Root),
        Side::Right => (Group::NextPc, Group::NextRoot),
    };
    let committed = Group::Digest { round, index };
    // The last byte of the message comes first, so that its first one ends on top.
    let openings = open_selections(Openings::default(), Group::Selection, search, &selected)
        .then_reversed(root, false, 0)
        .then_reversed(pc, false, 0)
        .then_natural(committed, false, 0);
    let digits = openings.digits();
    let mut tail = Tail::new(&digits);
    require_selections(&mut tail, Group::Selection, &selected);
    tail.bring(root, NODE_DIGITS);
    tail.bring(pc, WORD_DIGITS);
    tail.hash(hash);
    tail.compare_with_brought(committed, NODE_DIGITS);
    Leaf {
        hashed: tail.hashed(),
        body: tail.finish(),
        hints: 0,
        body_max_stack: hash.max_stack() + NODE_DIGITS,
        openings: Arc::new(openings),
    }
}
