//! Word gadgets against plain Rust arithmetic, and their sizes.

#[path = "common/random.rs"]
mod random;

use tapcourt_script::expression::{Datum, Expression, Template};
use tapcourt_script::gadgets::u32::{gadgets, rows};
use tapcourt_script::interpreter::{Execution, FailureReason, Rules, execute};
use tapcourt_script::{decode_number, encode_number};

use self::random::Random;

/// Numbers at which carries, signs and digits change.
const EDGES: [u32; 16] = [
    0,
    1,
    2,
    15,
    16,
    31,
    0xff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_fffe,
    0xffff_ffff,
    0x0f0f_0f0f,
    0xf0f0_f0f0,
];

impl Random {
    /// A word, often of few bits.
    fn word(&mut self) -> u32 {
        let word = (self.next() >> 32) as u32; // cast ok: the high half
        match self.next() % 4 {
            0 => word >> (self.next() % 32),
            1 => EDGES[self.next() as usize % EDGES.len()], // cast ok: reduced
            _ => word,
        }
    }
}

/// Runs a gadget on its tables.
fn run_on_tables(template: &Template, witness: Vec<Vec<u8>>) -> Execution {
    let tables = execute(&template.tables, Vec::new(), None, Rules::Policy);
    let stack = [tables.stack, witness].concat();
    execute(&template.script, stack, None, Rules::Consensus)
}

/// The stack that words leave, the first one deepest, the lowest nibble of each on top.
fn left(words: &[u32]) -> Vec<Vec<u8>> {
    words
        .iter()
        .flat_map(|word| (0..8).rev().map(move |nibble| word >> (4 * nibble) & 15))
        .map(|nibble| encode_number(2 * i64::from(nibble)))
        .collect()
}

/// What a gadget leaves: words, or one bit, or 32.
enum Left {
    Words(Vec<u32>),
    Bits(Vec<bool>),
}

/// Plain Rust semantics; for division and high products those of RISC-V (volume I, "M" extension).
fn expected(name: &str, words: &[u32], bit: bool) -> Left {
    let (a, b) = (words[0], words.get(1).copied().unwrap_or(0));
    let c = words.get(2).copied().unwrap_or(0);
    let d = words.get(3).copied().unwrap_or(0);
    let (sa, sb) = (a as i32, b as i32); // cast ok: the bits as they are
    let unsigned = |number: i32| number as u32; // cast ok: the bits as they are
    let high = |product: i128| (product >> 32) as u32; // cast ok: the high word
    let word = |word: u32| Left::Words(vec![word]);
    let truth = |bit: bool| Left::Bits(vec![bit]);
    match name {
        "u32/add" => word(a.wrapping_add(b)),
        "u32/add_constant" => word(a.wrapping_add(0x1234_5678)),
        "u32/add3" => word(a.wrapping_add(b).wrapping_add(c)),
        "u32/add4" => word(a.wrapping_add(b).wrapping_add(c).wrapping_add(d)),
        "u32/sub" => word(a.wrapping_sub(b)),
        "u32/and" => word(a & b),
        "u32/or" => word(a | b),
        "u32/xor" => word(a ^ b),
        "u32/and3" => word(a & b & c),
        "u32/or3" => word(a | b | c),
        "u32/xor3" => word(a ^ b ^ c),
        "u32/not" => word(!a),
        "u32/shl1" => word(a << 1),
        "u32/shr3" => word(a >> 3),
        "u32/sra7" => word(unsigned(sa >> 7)),
        "u32/rotr7" => word(a.rotate_right(7)),
        "u32/rotr8" => word(a.rotate_right(8)),
        "u32/rotr18" => word(a.rotate_right(18)),
        "u32/sll" => word(a << (b & 31)),
        "u32/srl" => word(a >> (b & 31)),
        "u32/sra" => word(unsigned(sa >> (b & 31))),
        "u32/rotr" => word(a.rotate_right(b & 31)),
        "u32/eq" => truth(a == b),
        "u32/ltu" => truth(a < b),
        "u32/leu" => truth(a <= b),
        "u32/lt" => truth(sa < sb),
        "u32/le" => truth(sa <= sb),
        "u32/select" => word(if bit { a } else { b }),
        "u32/negate_if" => word(if bit { a.wrapping_neg() } else { a }),
        "u32/mul" => word(a.wrapping_mul(b)),
        "u32/mul_wide" => {
            let product = u64::from(a) * u64::from(b);
            Left::Words(vec![(product >> 32) as u32, product as u32]) // cast ok: both words
        }
        "u32/mulhu" => word(high(i128::from(a) * i128::from(b))),
        "u32/mulh" => word(high(i128::from(sa) * i128::from(sb))),
        "u32/mulhsu" => word(high(i128::from(sa) * i128::from(b))),
        "u32/divrem" if b == 0 => Left::Words(vec![u32::MAX, a]),
        "u32/divrem" => Left::Words(vec![a / b, a % b]),
        "u32/divrem_signed" if b == 0 => Left::Words(vec![u32::MAX, a]),
        "u32/divrem_signed" => Left::Words(vec![
            unsigned(sa.wrapping_div(sb)),
            unsigned(sa.wrapping_rem(sb)),
        ]),
        "u32/to_bits" => Left::Bits((0..32).rev().map(|bit| a >> bit & 1 == 1).collect()),
        "u32/range_check" => word(a),
        _ => panic!("{name} has no reference"),
    }
}

/// Inputs of a gadget, and what it must leave.
fn case(
    name: &str,
    expression: &Expression,
    words: &[u32],
    bit: bool,
) -> (Vec<Datum>, Vec<Vec<u8>>) {
    if name == "u32/from_bits" {
        let bits = (0..32).map(|bit| Datum::Bit(words[0] >> bit & 1 == 1));
        return (bits.collect(), left(&words[..1]));
    }
    let mut words_left = words.iter();
    let inputs = expression.inputs().map(|(input, _)| match input {
        "bit" => Datum::Bit(bit),
        _ => Datum::Word(*words_left.next().expect("at most four words")),
    });
    let inputs = inputs.collect();
    let left = match expected(name, words, bit) {
        Left::Words(words) => left(&words),
        Left::Bits(bits) => bits
            .into_iter()
            .map(|bit| encode_number(bit.into()))
            .collect(),
    };
    (inputs, left)
}

#[test]
fn gadgets_compute_what_rust_computes() {
    const RANDOM_CASES: usize = 300;
    let mut random = Random(0x0123_4567_89ab_cdef);
    for (name, expression) in gadgets() {
        let template = expression.compile_on_tables().expect("fits the stack");
        let words = expression
            .inputs()
            .filter(|(name, _)| name.len() == 1)
            .count();
        let mut inputs: Vec<(Vec<u32>, bool)> = (0..RANDOM_CASES)
            .map(|_| {
                (
                    (0..4).map(|_| random.word()).collect(),
                    random.next() % 2 == 1,
                )
            })
            .collect();
        for a in EDGES {
            for b in if words > 1 { &EDGES[..] } else { &EDGES[..2] } {
                let more = [random.word(), random.word()];
                inputs.push((vec![a, *b, more[0], more[1]], a.count_ones() % 2 == b % 2));
            }
        }
        for (words, bit) in &inputs {
            let (data, left) = case(&name, &expression, words, *bit);
            let named = expression.inputs().map(|(name, _)| name).zip(data);
            let evaluation = expression.evaluate(named).expect("all inputs");
            let execution = run_on_tables(&template, template.witness(&evaluation));
            let failure = execution.result.as_ref().err().map(ToString::to_string);
            let tables = execution.stack.len().saturating_sub(left.len());
            assert_eq!(
                execution.stack[tables..],
                left,
                "{name} of {words:x?} and {bit}: {failure:?}"
            );
            assert!(
                execution.altstack.is_empty(),
                "{name} leaves the altstack empty"
            );
            assert!(
                execution.max_stack <= template.max_stack,
                "{name}: {} items, {} predicted",
                execution.max_stack,
                template.max_stack
            );
        }
        println!("covered: {} cases of word gadgets; {name}", inputs.len());
    }
}

/// A leaf made of a gadget, with tables, that asserts what the gadget leaves.
#[test]
fn gadgets_make_leaves() {
    let mut random = Random(77);
    for (name, gadget) in gadgets() {
        let inputs: Vec<(String, Datum)> = gadget
            .inputs()
            .map(|(name, of)| (name.to_owned(), of.datum(random.next())))
            .collect();
        let template = gadget.compile().expect("fits the stack");
        let borrowed = inputs
            .iter()
            .map(|(name, datum)| (name.as_str(), datum.clone()));
        let evaluation = gadget.evaluate(borrowed).expect("all inputs");
        let witness = template.witness(&evaluation);
        let whole = execute(&template.script, witness, None, Rules::Policy);
        let on_tables = gadget.compile_on_tables().expect("fits the stack");
        let same = run_on_tables(&on_tables, on_tables.witness(&evaluation));
        let tables = same.stack.len() - whole.stack.len();
        assert_eq!(
            whole.stack,
            same.stack[tables..],
            "{name}: {:?}",
            whole.result
        );
        assert!(whole.altstack.is_empty());
        // The prediction allows for operands of OP_ROLL and OP_PICK even where the highest moment needs none.
        let spare = template.max_stack.checked_sub(whole.max_stack);
        assert!(spare.is_some_and(|spare| spare <= 3), "{name}: {spare:?}");
    }
}

#[test]
fn sizes_keep_their_bounds() {
    let rows = rows();
    for row in &rows {
        println!(
            "{:18} {:5} bytes, tables {:4}, hints {:5.1}, {:4} opcodes, stack {:3}",
            row.name,
            row.script_bytes,
            row.table_bytes.unwrap_or(0),
            row.witness_bytes_mean,
            row.opcodes,
            row.max_stack
        );
    }
    for (name, bytes) in [
        ("u32/add", 80),
        ("u32/xor", 80),
        ("u32/mul", 1_500),
        ("u32/divrem", 2_000),
    ] {
        let row = rows.iter().find(|row| row.name == name).expect("a row");
        assert!(row.script_bytes <= bytes, "{name}: {}", row.script_bytes);
    }
    assert!(rows.iter().all(|row| row.max_stack <= 950));
}

/// Gadgets that are composed of others, with hints of which some are wrong: the true result, or a failure.
#[test]
fn wrong_hints_never_change_a_result() {
    const CASES: usize = 4_000;
    let mut random = Random(0xfeed_5eed);
    for (name, expression) in gadgets() {
        let template = expression.compile().expect("fits the stack");
        let hints: Vec<usize> = (0..template.hints().len())
            .filter(|&item| template.hints()[item])
            .collect();
        if hints.is_empty() {
            continue;
        }
        let mut accepted = 0;
        for _ in 0..CASES {
            let words: Vec<u32> = (0..4).map(|_| random.word()).collect();
            let (data, left) = case(&name, &expression, &words, false);
            let named = expression.inputs().map(|(name, _)| name).zip(data);
            let evaluation = expression.evaluate(named).expect("all inputs");
            let mut witness = template.witness(&evaluation);
            for _ in 0..1 + random.next() % 2 {
                let item = &mut witness[hints[random.next() as usize % hints.len()]]; // cast ok: reduced
                let number = decode_number(item).unwrap_or(0);
                *item = match random.next() % 5 {
                    0 => encode_number(number + 1),
                    1 => encode_number(number - 1),
                    2 => encode_number(-number),
                    3 => encode_number(i64::from(random.word()) - (1 << 31)),
                    _ => random.next().to_le_bytes()[..random.next() as usize % 6].to_vec(), // cast ok: reduced
                };
            }
            let execution = execute(&template.script, witness, None, Rules::Consensus);
            let ended = execution.result.as_ref().map_or_else(
                |failure| {
                    let reason = &failure.reason;
                    matches!(
                        reason,
                        FailureReason::CleanStack { .. } | FailureReason::EvalFalse
                    )
                },
                |()| true,
            );
            if ended {
                accepted += 1;
                assert_eq!(execution.stack, left, "{name} of {words:x?}");
            }
        }
        println!("covered: {CASES} wrong hints; {name}, {accepted} accepted with the true result");
    }
}
