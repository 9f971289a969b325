//! The sizes of all word gadgets.

use crate::count_opcodes;
use crate::expression::{Expression, Word};
use crate::gadgets::GadgetSize;

/// Random inputs over which hints are measured.
const SAMPLES: u32 = 256;

/// A gadget of one operation: from words to what it leaves.
type Build = fn(&mut Expression, Word, Word);

/// A gadget that makes its inputs itself.
type BuildAll = fn(&mut Expression);

/// Names of operations on two words (those on one take the first), and how they are built.
const TWO: &[(&str, Build)] = &[
    ("add", |e, a, b| {
        let sum = e.add([a, b]);
        e.output(sum);
    }),
    ("add_constant", |e, a, _| {
        let constant = e.word(0x1234_5678);
        let sum = e.add([a, constant]);
        e.output(sum);
    }),
    ("sub", |e, a, b| {
        let difference = e.subtract(a, b);
        e.output(difference);
    }),
    ("and", |e, a, b| {
        let word = e.and(a, b);
        e.output(word);
    }),
    ("or", |e, a, b| {
        let word = e.or(a, b);
        e.output(word);
    }),
    ("xor", |e, a, b| {
        let word = e.xor(a, b);
        e.output(word);
    }),
    ("not", |e, a, _| {
        let word = e.not(a);
        e.output(word);
    }),
    ("shl1", |e, a, _| {
        let word = e.shift_left(a, 1);
        e.output(word);
    }),
    ("shr3", |e, a, _| {
        let word = e.shift_right(a, 3);
        e.output(word);
    }),
    ("sra7", |e, a, _| {
        let word = e.shift_right_arithmetic(a, 7);
        e.output(word);
    }),
    ("rotr7", |e, a, _| {
        let word = e.rotate_right(a, 7);
        e.output(word);
    }),
    ("rotr8", |e, a, _| {
        let word = e.rotate_right(a, 8);
        e.output(word);
    }),
    ("rotr18", |e, a, _| {
        let word = e.rotate_right(a, 18);
        e.output(word);
    }),
    ("sll", |e, a, b| {
        let word = e.shift_left_by(a, b);
        e.output(word);
    }),
    ("srl", |e, a, b| {
        let word = e.shift_right_by(a, b);
        e.output(word);
    }),
    ("sra", |e, a, b| {
        let word = e.shift_right_arithmetic_by(a, b);
        e.output(word);
    }),
    ("rotr", |e, a, b| {
        let word = e.rotate_right_by(a, b);
        e.output(word);
    }),
    ("eq", |e, a, b| {
        let bit = e.equal(a, b);
        e.output(bit);
    }),
    ("ltu", |e, a, b| {
        let bit = e.less_than(a, b);
        e.output(bit);
    }),
    ("leu", |e, a, b| {
        let bit = e.at_most(a, b);
        e.output(bit);
    }),
    ("lt", |e, a, b| {
        let bit = e.less_than_signed(a, b);
        e.output(bit);
    }),
    ("le", |e, a, b| {
        let bit = e.at_most_signed(a, b);
        e.output(bit);
    }),
    ("select", |e, a, b| {
        let bit = e.input_bit("bit");
        let word = e.select(bit, a, b);
        e.output(word);
    }),
    ("negate_if", |e, a, _| {
        let bit = e.input_bit("bit");
        let word = e.negate_if(bit, a);
        e.output(word);
    }),
    ("mul", |e, a, b| {
        let product = e.multiply(a, b);
        e.output(product);
    }),
    ("mul_wide", |e, a, b| {
        let [low, high] = e.multiply_wide(a, b);
        e.output(high);
        e.output(low);
    }),
    ("mulhu", |e, a, b| {
        let high = e.multiply_high(a, b);
        e.output(high);
    }),
    ("mulh", |e, a, b| {
        let high = e.multiply_high_signed(a, b);
        e.output(high);
    }),
    ("mulhsu", |e, a, b| {
        let high = e.multiply_high_signed_unsigned(a, b);
        e.output(high);
    }),
    ("divrem", |e, a, b| {
        let [quotient, remainder] = e.divide(a, b);
        e.output(quotient);
        e.output(remainder);
    }),
    ("divrem_signed", |e, a, b| {
        let [quotient, remainder] = e.divide_signed(a, b);
        e.output(quotient);
        e.output(remainder);
    }),
    ("to_bits", |e, a, _| {
        for bit in e.word_bits(a).into_iter().rev() {
            e.output(bit);
        }
    }),
];

/// Operations on three and four words, and from bits.
const MORE: &[(&str, BuildAll)] = &[
    ("add3", |e| {
        let words = ["a", "b", "c"].map(|name| e.input_word(name));
        let sum = e.add(words);
        e.output(sum);
    }),
    ("add4", |e| {
        let words = ["a", "b", "c", "d"].map(|name| e.input_word(name));
        let sum = e.add(words);
        e.output(sum);
    }),
    ("and3", |e| {
        let [a, b, c] = ["a", "b", "c"].map(|name| e.input_word(name));
        let word = e.and3(a, b, c);
        e.output(word);
    }),
    ("or3", |e| {
        let [a, b, c] = ["a", "b", "c"].map(|name| e.input_word(name));
        let word = e.or3(a, b, c);
        e.output(word);
    }),
    ("xor3", |e| {
        let [a, b, c] = ["a", "b", "c"].map(|name| e.input_word(name));
        let word = e.xor3(a, b, c);
        e.output(word);
    }),
    ("from_bits", |e| {
        let bits = std::array::from_fn(|bit| e.input_bit(&format!("bit {bit}")));
        let word = e.word_from_bits(bits);
        e.output(word);
    }),
    ("range_check", |e| {
        let word = e.witness_word("a");
        e.output(word);
    }),
];

/// Every word gadget as an expression: inputs, one operation, outputs. Words are named `a`, `b`, `c`, `d`, in that order.
pub fn gadgets() -> Vec<(String, Expression)> {
    let two = TWO.iter().map(|&(name, build)| {
        let mut expression = Expression::new();
        let a = expression.input_word("a");
        // Gadgets of one word have no second one.
        let mut probe = expression.clone();
        let b = probe.input_word("b");
        build(&mut probe, a, b);
        if probe.uses(b) {
            (name, probe)
        } else {
            build(&mut expression, a, a);
            (name, expression)
        }
    });
    let more = MORE.iter().map(|&(name, build)| {
        let mut expression = Expression::new();
        build(&mut expression);
        (name, expression)
    });
    two.chain(more)
        .map(|(name, expression)| (format!("u32/{name}"), expression))
        .collect()
}

/// Every word gadget, measured. Tables are left out of the script and counted by themselves; words are nibbles `2n` on the stack,
/// the lowest on top, interleaved as the gadget uses them.
///
/// # Panics
/// If a gadget does not fit the stack, which its tests rule out.
pub fn rows() -> Vec<GadgetSize> {
    let gadgets = gadgets().into_iter();
    gadgets
        .map(|(name, expression)| measure(name, &expression))
        .collect()
}

fn measure(name: String, expression: &Expression) -> GadgetSize {
    let template = expression
        .compile_on_tables()
        .expect("a gadget fits the stack");
    let as_written = expression.bytes_as_written().expect("as above");
    let hints = template.hints();
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut bytes = 0;
    if hints.contains(&true) {
        for _ in 0..SAMPLES {
            let evaluation = expression.evaluate(expression.inputs().map(|(name, of)| {
                // An xorshift generator (Marsaglia 2003): the sizes are the same in every run.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                (name, of.datum(random))
            }));
            let witness = template.witness(&evaluation.expect("every input has a value"));
            let items = witness.iter().zip(&hints).filter(|(_, hint)| **hint);
            bytes += items.map(|(item, _)| 1 + item.len()).sum::<usize>();
        }
    }
    GadgetSize {
        name,
        script_bytes: template.script.len(),
        table_bytes: Some(template.table_bytes),
        witness_bytes_mean: bytes as f64 / f64::from(SAMPLES), // cast ok: far below 2^52
        opcodes: count_opcodes(&template.script),
        max_stack: template.max_stack,
        unoptimised_bytes: Some(as_written),
    }
}
