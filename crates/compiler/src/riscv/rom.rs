//! The leaves for a `pc` in no instruction, and for a word of input.

use std::sync::Arc;

use tapcourt_program::riscv::{INPUT_CALL, Rom};
use tapcourt_script::dataflow::CompileError;
use tapcourt_script::expression::Expression;

use super::Group;
use super::group::{
    INPUT_BLOCK_WORDS, SOURCE_DIGITS, WORD_DIGITS, WORDS_A, WORDS_B, WORDS_M, WORDS_W,
};
use super::leaf::Leaf;
use super::opening::Openings;
use super::steps::InputWord;
use super::tail::{Tail, nibble};

/// The leaf that is spendable if `pc` is in no instruction, and the record is not that of a machine that stops in place.
pub(super) fn outside(rom: &Rom) -> Result<Leaf, CompileError> {
    let unused = [
        (Group::Sources, SOURCE_DIGITS),
        (Group::Target, WORD_DIGITS),
        (Group::Memory, WORD_DIGITS),
        (Group::Words, 4 * WORD_DIGITS),
    ];
    let mut openings = Openings::default();
    for (group, _) in unused {
        openings = openings.then_natural(group, false, 0);
    }
    let openings = openings
        .then_natural(Group::NextPc, true, 0)
        .then_natural(Group::Pc, true, 0);
    let digits = openings.digits();
    let mut tail = Tail::new(&digits);
    for (group, count) in unused {
        tail.compare(group, count, |_| 0);
    }
    let mut e = Expression::new();
    let differs = e.input_bit("differs");
    let next_pc = e.input_word("next_pc");
    let pc = e.input_word("pc");
    let low = e.word_nibble(pc, 0);
    let [b0, b1, ..] = e.split(low);
    let mut outside = e.bit_or(b0, b1);
    let mut in_none = e.bit(true);
    for segment in rom.segments() {
        let (base, end) = (e.word(segment.base()), e.word(segment.end()));
        let before = e.less_than(pc, base);
        let after = e.at_most(end, pc);
        let not_in = e.bit_or(before, after);
        in_none = e.bit_and(in_none, not_in);
    }
    outside = e.bit_or(outside, in_none);
    let stays = e.equal(next_pc, pc);
    let moves = e.bit_not(stays);
    let wrong = e.bit_or(differs, moves);
    let disproved = e.bit_and(outside, wrong);
    e.name(disproved, "disproved");
    e.output(disproved);
    let template = e.compile_from_altstack()?;
    tail.hand_over(&[]);
    tail.writer().script(&template.script);
    Ok(Leaf {
        body: tail.finish(),
        hints: 0,
        hashed: None,
        body_max_stack: template.max_stack.max(digits.len() + 3),
        openings: Arc::new(openings),
    })
}

/// How `Input` leaves of committed words open the record, and the block of `words` words that the word is in. Of the block the word's own
/// digits come first.
pub(super) fn input_openings(word: u32, words: u32) -> Openings {
    let digits_of = |place: usize| WORD_DIGITS * place..WORD_DIGITS * (place + 1);
    let order = [WORDS_A, WORDS_B, WORDS_M, WORDS_W]
        .map(digits_of)
        .into_iter()
        .flatten();
    // Of the written word the highest digit comes first, so that the lowest ends on top.
    let order: Vec<usize> = order
        .take(3 * WORD_DIGITS)
        .chain(digits_of(WORDS_W).rev())
        .collect();
    // Casts ok: at most 8 words.
    let own = digits_of((word % INPUT_BLOCK_WORDS) as usize);
    let digits = WORD_DIGITS * words as usize;
    let others = (0..digits).filter(|digit| !own.contains(digit));
    let bits = 4 * digits;
    Openings::default()
        .then_natural(Group::Pc, false, 0)
        .then(Group::Words, order, false, 0)
        .then(
            Group::of_input(word),
            own.clone().chain(others),
            false,
            bits,
        )
}

/// How `Input` leaves of fixed words open the record.
pub(super) fn fixed_input_openings() -> Openings {
    let order = [WORDS_A, WORDS_B, WORDS_M, WORDS_W];
    let order = order.map(|place| WORD_DIGITS * place..WORD_DIGITS * (place + 1));
    Openings::default().then_natural(Group::Pc, false, 0).then(
        Group::Words,
        order.into_iter().flatten(),
        false,
        0,
    )
}

/// The leaf that is spendable if the call at `pc` reads input word `word`, and gives another value than it has.
pub(super) fn input(openings: &Arc<Openings>, pc: u32, word: u32, value: InputWord) -> Leaf {
    let digits = openings.digits();
    let mut tail = Tail::new(&digits);
    let of_word = |word: u32| move |digit: usize| nibble(word, digit % WORD_DIGITS);
    tail.require(Group::Pc, WORD_DIGITS, of_word(pc));
    tail.require(Group::Words, WORD_DIGITS, of_word(INPUT_CALL));
    tail.require(Group::Words, WORD_DIGITS, of_word(word));
    tail.skip(Group::Words, WORD_DIGITS);
    match value {
        InputWord::Fixed(value) => tail.compare(Group::Words, WORD_DIGITS, of_word(value)),
        InputWord::Committed(word) => {
            tail.bring(Group::Words, WORD_DIGITS);
            tail.compare_with_brought(Group::of_input(word), WORD_DIGITS);
        }
    }
    tail.leave_rest();
    Leaf {
        body: tail.finish(),
        hints: 0,
        hashed: None,
        body_max_stack: digits.len() + 3,
        openings: Arc::clone(openings),
    }
}
