//! Bytes and compile times of expressions: gadgets on shared tables, and computations on an altstack as the leaves of instructions have them.
//!
//! `cargo run --release -p tapcourt-script --example order_of_steps`; with the name of a computation it prints that one's script.

use std::time::Instant;

use tapcourt_script::asm;
use tapcourt_script::expression::{Bit, Expression, Word};
use tapcourt_script::gadgets::u32::gadgets;

/// What an instruction computes of two words.
type Compute = fn(&mut Expression, Word, Word) -> Word;

fn word_of_bit(e: &mut Expression, bit: Bit) -> Word {
    e.word_from_bit(bit)
}

/// Instructions that compare a computed word with one that is given.
const ARITHMETIC: [(&str, Compute); 22] = [
    ("add", |e, a, b| e.add([a, b])),
    ("sub", |e, a, b| e.subtract(a, b)),
    ("xor", |e, a, b| e.xor(a, b)),
    ("or", |e, a, b| e.or(a, b)),
    ("and", |e, a, b| e.and(a, b)),
    ("slt", |e, a, b| {
        let less = e.less_than_signed(a, b);
        word_of_bit(e, less)
    }),
    ("sltu", |e, a, b| {
        let less = e.less_than(a, b);
        word_of_bit(e, less)
    }),
    ("slli7", |e, a, _| e.shift_left(a, 7)),
    ("srli5", |e, a, _| e.shift_right(a, 5)),
    ("srai6", |e, a, _| e.shift_right_arithmetic(a, 6)),
    ("sll", |e, a, b| e.shift_left_by(a, b)),
    ("srl", |e, a, b| e.shift_right_by(a, b)),
    ("sra", |e, a, b| e.shift_right_arithmetic_by(a, b)),
    ("mul", |e, a, b| e.multiply(a, b)),
    ("mulh", |e, a, b| e.multiply_high_signed(a, b)),
    ("mulhsu", |e, a, b| e.multiply_high_signed_unsigned(a, b)),
    ("mulhu", |e, a, b| e.multiply_high(a, b)),
    ("div", |e, a, b| e.divide_signed(a, b)[0]),
    ("divu", |e, a, b| e.divide(a, b)[0]),
    ("rem", |e, a, b| e.divide_signed(a, b)[1]),
    ("remu", |e, a, b| e.divide(a, b)[1]),
    ("nothing", |_, a, _| a),
];

fn expect(e: &mut Expression, differs: Bit, field: Word, expected: Word) -> Bit {
    let same = e.equal(field, expected);
    expect_true(e, differs, same)
}

fn expect_true(e: &mut Expression, differs: Bit, bit: Bit) -> Bit {
    let wrong = e.bit_not(bit);
    e.bit_or(differs, wrong)
}

fn arithmetic(compute: Compute) -> Expression {
    let mut e = Expression::new();
    let differs = e.input_bit("differs");
    let [w, a, b] = ["w", "a", "b"].map(|name| e.input_word(name));
    let result = compute(&mut e, a, b);
    let differs = expect(&mut e, differs, w, result);
    e.output(differs);
    e
}

fn branch() -> Expression {
    let mut e = Expression::new();
    let differs = e.input_bit("differs");
    let [jump, next, a, b, goes_to] =
        ["jump", "next", "a", "b", "next_pc"].map(|name| e.input_word(name));
    let less = e.less_than_signed(a, b);
    let goes = e.select(less, jump, next);
    let differs = expect(&mut e, differs, goes_to, goes);
    e.output(differs);
    e
}

/// A load of a word, or of a byte.
fn load(byte: bool) -> Expression {
    let mut e = Expression::new();
    let mut differs = e.input_bit("differs");
    let [immediate, here, next, m, w, a, next_pc, memory] = [
        "immediate",
        "here",
        "next",
        "m",
        "w",
        "a",
        "next_pc",
        "memory",
    ]
    .map(|name| e.input_word(name));
    let address = e.add([a, immediate]);
    let [low, rest @ ..] = e.word_nibbles(address);
    let [b0, b1, b2, b3] = e.split(low);
    let (zero, one) = (e.bit(false), e.bit(true));
    let mut nibbles = [e.join([one, zero, b2, b3]); 8];
    nibbles[1..].copy_from_slice(&rest);
    let label = e.word_from_nibbles(nibbles);
    let none = e.word(0);
    if byte {
        let nibbles = e.word_nibbles(m);
        let half: [_; 4] = std::array::from_fn(|i| e.select(b1, nibbles[4 + i], nibbles[i]));
        let byte: [_; 2] = std::array::from_fn(|i| e.select(b0, half[2 + i], half[i]));
        let [.., sign] = e.split(byte[1]);
        let mut all = [e.join([sign; 4]); 8];
        all[..2].copy_from_slice(&byte);
        let value = e.word_from_nibbles(all);
        differs = expect(&mut e, differs, w, value);
        differs = expect(&mut e, differs, memory, label);
        e.output(differs);
        return e;
    }
    let misaligned = e.bit_or(b0, b1);
    let aligned = e.bit_not(misaligned);
    let unread = e.equal(m, none);
    let right = e.bit_or(aligned, unread);
    differs = expect_true(&mut e, differs, right);
    for (field, then, otherwise) in [(w, m, none), (memory, label, none), (next_pc, next, here)] {
        let expected = e.select(aligned, then, otherwise);
        differs = expect(&mut e, differs, field, expected);
    }
    e.output(differs);
    e
}

fn main() {
    let asked = std::env::args().nth(1);
    let mut computations: Vec<(&str, Expression)> = ARITHMETIC
        .map(|(name, compute)| (name, arithmetic(compute)))
        .into();
    computations.extend([
        ("branch", branch()),
        ("lb", load(true)),
        ("lw", load(false)),
    ]);
    let mut total = 0;
    for (name, expression) in &computations {
        let start = Instant::now();
        let template = expression.compile_from_altstack().expect("fits the stack");
        let time = start.elapsed();
        if asked.as_deref().is_none_or(|asked| asked == *name) {
            println!(
                "tail {name:16} {:6} bytes {:4} items {:4} for tables {:4} in corrections {:6.1} ms",
                template.script.len(),
                template.max_stack,
                template.table_bytes,
                template.correction_bytes,
                1e3 * time.as_secs_f64()
            );
        }
        if asked.as_deref() == Some(name) {
            println!("{}", asm::to_text(&template.script));
        }
        total += template.script.len();
    }
    println!("tail total {total}");
    for whole in [false, true] {
        let mut total = 0;
        for (name, expression) in gadgets() {
            let start = Instant::now();
            let template = if whole {
                expression.compile()
            } else {
                expression.compile_on_tables()
            };
            let template = template.expect("fits the stack");
            let time = start.elapsed();
            let scope = if whole { "whole" } else { "gadget" };
            if asked.is_none() {
                println!(
                    "{scope} {name:20} {:6} bytes {:4} items {:4} in corrections {:6.1} ms",
                    template.script.len(),
                    template.max_stack,
                    template.correction_bytes,
                    1e3 * time.as_secs_f64()
                );
            }
            total += template.script.len();
        }
        println!("{} total {total}", if whole { "whole" } else { "gadget" });
    }
}
