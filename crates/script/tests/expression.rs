//! The typed layer: names in traces, hashes, inputs from openings and from the witness, errors.

#[path = "common/random.rs"]
mod random;
#[path = "common/scale.rs"]
mod scale;

use tapcourt_script::expression::{Datum, EvaluateError, Expression, Hash160, Hash256, Part, Type};
use tapcourt_script::interpreter::{FailureReason, Rules, execute};
use tapcourt_script::opcodes::{OP_NUMEQUAL, OP_PICK};
use tapcourt_script::{encode_number, instructions, script};

use self::random::Random;
use self::scale::scaled;

/// A trace has every named value that the result depends on, once it is made, with its type.
#[test]
fn named_values_survive_into_the_trace() {
    let mut expression = Expression::new();
    let a = expression.witness_word("a");
    let b = expression.input_word("b");
    let negative = expression.input_bit("negative");
    let product = expression.multiply(a, b);
    expression.name(product, "product");
    let signed = expression.negate_if(negative, product);
    expression.name(signed, "signed");
    let rotated = expression.rotate_right(signed, 5);
    expression.name(rotated, "rotated");
    let inverted = expression.not(rotated);
    expression.name(inverted, "inverted");
    let small = expression.less_than(inverted, b);
    expression.name(small, "small");
    let unused = expression.add([a, b]);
    expression.name(unused, "unused");
    expression.output(small);
    expression.output(inverted);

    let inputs = [
        ("a", 1_000_003.into()),
        ("b", 77_777.into()),
        ("negative", true.into()),
    ];
    let evaluation = expression.evaluate(inputs).expect("all inputs");
    for template in [expression.compile(), expression.compile_on_tables()] {
        let template = template.expect("fits the stack");
        let tables = execute(&template.tables, Vec::new(), None, Rules::Policy);
        let stack = [tables.stack, template.witness(&evaluation)].concat();
        let mut seen = Vec::new();
        template.trace(stack, None, Rules::Policy, &mut |named| {
            seen.push((named.name.to_owned(), named.position, named.value));
        });
        assert!(seen.is_sorted_by_key(|&(_, position, _)| position));
        let mut expected = vec![
            ("a", evaluation.value(a)),
            ("b", evaluation.value(b)),
            ("negative", evaluation.value(negative)),
            ("product", evaluation.value(product)),
            ("signed", evaluation.value(signed)),
            ("rotated", evaluation.value(rotated)),
            ("inverted", evaluation.value(inverted)),
            ("small", evaluation.value(small)),
        ];
        let mut seen: Vec<(&str, &Datum)> = seen
            .iter()
            .map(|(name, _, value)| (name.as_str(), value.as_ref().expect("a value of its type")))
            .collect();
        seen.sort_by_key(|(name, _)| *name);
        expected.sort_by_key(|(name, _)| *name);
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_leaf_without_outputs_is_spent_only_if_it_holds() {
    let mut expression = Expression::new();
    let hash = expression.witness_hash::<Hash160>("hash");
    let words: Vec<_> = (0..5)
        .map(|word| expression.hash_word(hash, word))
        .collect();
    let sum = expression.add([words[0], words[4]]);
    let more = expression.witness_word("more");
    let same = expression.equal(sum, more);
    expression.assert_true(same);
    let reversed: Vec<_> = words.into_iter().rev().collect();
    let reversed = expression.hash_from_words::<Hash160>(&reversed);
    let opened = expression.input_hash::<Hash160>("reversed");
    expression.assert_equal(reversed, opened);
    let template = expression.compile().expect("fits the stack");

    let hash: [u8; 20] = std::array::from_fn(|byte| 13 * byte as u8); // cast ok: below 20
    let word = |word: usize| u32::from_le_bytes(std::array::from_fn(|byte| hash[4 * word + byte]));
    let mut reversed = [0; 20];
    for (place, bytes) in hash.rchunks(4).enumerate() {
        reversed[4 * place..][..4].copy_from_slice(bytes);
    }
    let more = word(0).wrapping_add(word(4));
    for (more, reversed, holds) in [
        (more, reversed, true),
        (more + 1, reversed, false),
        (more, hash, false),
    ] {
        let inputs = [
            ("hash", hash.into()),
            ("more", more.into()),
            ("reversed", reversed.into()),
        ];
        let evaluation = expression.evaluate(inputs).expect("all inputs");
        assert_eq!(evaluation.holds(), holds);
        let witness = template.witness(&evaluation);
        let execution = execute(&template.script, witness, None, Rules::Policy);
        assert_eq!(execution.succeeded(), holds, "{:?}", execution.result);
    }
}

/// Every item of a witness at every value near its range, in every encoding: a wrong one fails, another encoding of a right one is
/// refused by relay policy.
#[test]
fn witness_items_are_checked() {
    let mut expression = Expression::new();
    let word = expression.witness_word("word");
    let nibble = expression.witness_nibble("nibble");
    let bit = expression.witness_bit("bit");
    expression.output(word);
    expression.output(nibble);
    expression.output(bit);
    let template = expression.compile().expect("fits the stack");
    let data = [
        ("word", 0x0123_4567.into()),
        ("nibble", Datum::Nibble(9)),
        ("bit", true.into()),
    ];
    let honest = template.witness(&expression.evaluate(data).expect("all inputs"));
    assert_eq!(honest.len(), 10);
    let run = |witness: Vec<Vec<u8>>, rules| {
        let execution = execute(&template.script, witness, None, rules);
        let ended = execution.result.map_or_else(
            |failure| matches!(failure.reason, FailureReason::CleanStack { .. }),
            |()| true,
        );
        ended.then_some(execution.stack)
    };
    let left = run(honest.clone(), Rules::Policy).expect("true inputs are taken");
    let mut cases = 0;
    for item in 0..honest.len() {
        let digits = |number: i64| (0..16).contains(&number);
        let mut taken = 0;
        for number in -40..=300 {
            let mut witness = honest.clone();
            witness[item] = encode_number(number);
            cases += 1;
            if run(witness, Rules::Policy).is_some() {
                assert!(digits(number), "item {item} may not be {number}");
                taken += 1;
            }
        }
        assert!(taken == 16 || taken == 2, "{taken} values are taken");
        let mut witness = honest.clone();
        if witness[item].is_empty() {
            witness[item].push(0x80);
        } else {
            witness[item].push(0);
        }
        cases += 1;
        let number = run(witness.clone(), Rules::Consensus);
        assert_eq!(
            number,
            Some(left.clone()),
            "taken for the number that it is"
        );
        assert_eq!(run(witness, Rules::Policy), None, "not relayed");
    }
    println!("covered: {cases} cases of expressions");
}

#[test]
fn errors_name_what_is_wrong() {
    let mut expression = Expression::new();
    let word = expression.input_word("word");
    let nibble = expression.input_nibble("nibble");
    expression.output(word);
    expression.output(nibble);
    let evaluate = |inputs: &[(&'static str, Datum)]| {
        let error = expression
            .evaluate(inputs.iter().cloned())
            .expect_err("an error");
        (error.to_string(), error)
    };
    let word = ("word", Datum::Word(3));
    let nibble = ("nibble", Datum::Nibble(3));
    let (text, error) = evaluate(std::slice::from_ref(&word));
    assert_eq!(text, "no value for the input \"nibble\"");
    assert!(matches!(error, EvaluateError::Missing { .. }));
    let (text, _) = evaluate(&[word.clone(), nibble.clone(), ("more", true.into())]);
    assert_eq!(text, "there is no input \"more\"");
    let (text, error) = evaluate(&[("word", [0; 32].into()), nibble]);
    assert_eq!(text, "the input \"word\" is a word, not a hash of 256 bits");
    assert!(matches!(
        error,
        EvaluateError::Type {
            given: Type::Hash256,
            ..
        }
    ));
    let (text, _) = evaluate(&[word, ("nibble", Datum::Nibble(16))]);
    assert_eq!(text, "the input \"nibble\" is a nibble, below 16, not 16");

    let mut large = Expression::new();
    for hash in 0..16 {
        let hash = large.input_hash::<Hash256>(&format!("hash {hash}"));
        large.output(hash);
    }
    let error = large.compile().expect_err("1,024 items");
    assert!(
        error.to_string().contains("where 1000 are allowed"),
        "{error}"
    );
}

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 20) as usize % bound // cast ok: reduced
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// A hash function of an expression.
type HashFunction = fn(&mut Expression, &[Part]) -> Hash256;

/// An expression of random operations on inputs, constants and earlier results; all inputs opened, or some from the witness; many of its
/// operations are hashes, if there is a function.
fn random_expression(random: &mut Random, opened: bool, hash: Option<HashFunction>) -> Expression {
    let mut e = Expression::new();
    let (b, d) = if opened {
        (e.input_word("b"), e.input_word("d"))
    } else {
        (e.witness_word("b"), e.input_plain_word("d"))
    };
    let mut words = vec![
        e.input_word("a"),
        b,
        e.input_word("c"),
        d,
        e.word(random.next() as u32), // cast ok: its lowest bits
        e.word(random.pick(&[0, 1, u32::MAX, 0xff00])),
    ];
    let q = if opened {
        e.input_bit("q")
    } else {
        e.witness_bit("q")
    };
    let mut bits = vec![e.input_bit("p"), q, e.bit(true)];
    for _ in 0..1 + random.below(14) {
        let [a, b, c] = std::array::from_fn(|_| random.pick(&words));
        let [p, q] = std::array::from_fn(|_| random.pick(&bits));
        let by = random.below(32) as u32; // cast ok: below 32
        match random.below(if hash.is_some() { 36 } else { 31 }) {
            0 => words.push(e.add([a, b])),
            1 => words.push(e.add([a, b, c])),
            2 => words.push(e.add([a, b, c, a])),
            3 => words.push(e.subtract(a, b)),
            4 => words.push(e.and(a, b)),
            5 => words.push(e.or(a, b)),
            6 => words.push(e.xor(a, b)),
            7 => words.push(e.xor3(a, b, c)),
            8 => words.push(e.not(a)),
            9 => words.push(e.shift_left(a, by)),
            10 => words.push(e.shift_right(a, by)),
            11 => words.push(e.shift_right_arithmetic(a, by)),
            12 => words.push(e.rotate_right(a, by)),
            13 => words.push(e.select(p, a, b)),
            14 => words.push(e.negate_if(p, a)),
            15 => words.push(e.multiply(a, b)),
            16 => words.extend(e.multiply_wide(a, b)),
            17 => words.push(e.multiply_high_signed(a, b)),
            18 => words.extend(e.divide(a, b)),
            19 => words.extend(e.divide_signed(a, b)),
            20 => words.push(e.shift_right_arithmetic_by(a, b)),
            21 => bits.push(e.less_than(a, b)),
            22 => bits.push(e.at_most_signed(a, b)),
            23 => bits.push(e.equal(a, b)),
            24 => bits.push(e.bit_and(p, q)),
            25 => bits.push(e.bit_xor(p, q)),
            26 => {
                let nibble = e.word_nibble(a, random.below(8));
                let split = e.split(nibble);
                let joined = e.join([split[3], p, split[0], q]);
                let mut nibbles = e.word_nibbles(b);
                nibbles[random.below(8)] = joined;
                words.push(e.word_from_nibbles(nibbles));
            }
            27 => words.push(e.word_from_bit(p)),
            28 => {
                let r = random.pick(&bits);
                bits.push(e.select(p, q, r));
            }
            29 => {
                let hashes =
                    [a, b].map(|word| e.hash_from_words::<Hash160>(&[word, a, b, c, word]));
                let hash = e.select(p, hashes[0], hashes[1]);
                bits.push(e.equal(hash, hashes[0]));
                words.push(e.hash_word(hash, 4));
            }
            30 => bits.push(e.sign(a)),
            _ => {
                let hash = hash.expect("drawn where there is a function");
                let message: Vec<Part> = (0..1 + random.below(12))
                    .map(|_| random.pick(&words).into())
                    .collect();
                let hash = hash(&mut e, &message);
                words.extend([0, 3, 7].map(|word| e.hash_word(hash, word)));
            }
        }
    }
    for _ in 0..1 + random.below(4) {
        let word = random.pick(&words);
        if random.below(4) == 0 {
            e.output_plain(word);
        } else {
            e.output(word);
        }
        let bit = random.pick(&bits);
        e.output(bit);
    }
    e
}

/// Whatever is composed, the script leaves what the evaluator says.
#[test]
fn random_expressions_compile_to_what_they_mean() {
    check_random_expressions(scaled(500), None);
}

#[test]
fn random_expressions_with_hashes_compile_to_what_they_mean() {
    check_random_expressions(scaled(8), Some(|e, message| e.blake3(message)));
    check_random_expressions(scaled(4), Some(|e, message| e.sha256(message)));
}

fn check_random_expressions(expressions: usize, hash: Option<HashFunction>) {
    const INPUTS: usize = 4;
    let (mut cases, mut too_large) = (0, 0);
    for seed in 1..=expressions as u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let expression = random_expression(&mut random, false, hash);
        for template in [expression.compile(), expression.compile_on_tables()] {
            let Ok(template) = template else {
                too_large += 1;
                continue;
            };
            let tables = execute(&template.tables, Vec::new(), None, Rules::Policy);
            for _ in 0..INPUTS {
                let inputs = expression.inputs().map(|(name, of)| {
                    let number = random.next() >> (8 * random.below(5));
                    (name, of.datum(number))
                });
                let evaluation = expression.evaluate(inputs).expect("all inputs");
                let stack = [tables.stack.clone(), template.witness(&evaluation)].concat();
                let execution = execute(&template.script, stack, None, Rules::Policy);
                let left = template.left(&evaluation);
                let kept = execution.stack.len().saturating_sub(left.len());
                assert_eq!(
                    execution.stack[kept..],
                    left,
                    "seed {seed}: {:?}",
                    execution.result
                );
                assert!(execution.altstack.is_empty());
                let (most, predicted) = (execution.max_stack, template.max_stack);
                assert!(
                    most <= predicted,
                    "seed {seed}: {most} items, {predicted} predicted"
                );
                assert_eq!(kept, tables.stack.len(), "nothing else is left");
                cases += 1;
            }
        }
    }
    println!(
        "covered: {expressions} random expressions, {cases} cases of expressions; {too_large} with too many items"
    );
}

/// The search for the order of steps depends on nothing but the expression.
#[test]
fn the_same_expression_makes_the_same_script() {
    for seed in 1..=20u64 {
        let make = || {
            let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let expression = random_expression(&mut random, true, None);
            let templates = [
                expression.compile(),
                expression.compile_on_tables(),
                expression.compile_from_altstack(),
            ];
            templates.map(|template| template.map(|template| template.script))
        };
        assert_eq!(make(), make(), "seed {seed}");
    }
}

/// A digit of a sum is compared before the next one is made, which takes fewer moves than comparing the words afterwards.
#[test]
fn comparisons_come_in_between() {
    let mut expression = Expression::new();
    let [w, a, b] = ["w", "a", "b"].map(|name| expression.input_word(name));
    let sum = expression.add([a, b]);
    let same = expression.equal(w, sum);
    expression.output(same);
    let template = expression.compile_from_altstack().expect("fits the stack");
    let bytes = template.script.len();
    assert!(bytes <= 245, "{bytes} bytes, 262 without a search");
    let instructions = instructions(&template.script).map(|read| read.expect("no cut push"));
    let opcodes: Vec<_> = instructions.map(|read| read.opcode).collect();
    let first = opcodes.iter().position(|&opcode| opcode == OP_NUMEQUAL);
    let last = opcodes.iter().rposition(|&opcode| opcode == OP_PICK);
    assert!(first < last, "{opcodes:?}");
}

/// Random expressions again, with inputs on the altstack, as openings leave them.
#[test]
fn random_expressions_take_inputs_from_the_altstack() {
    const EXPRESSIONS: u64 = 500;
    const INPUTS: usize = 4;
    let (mut cases, mut too_large) = (0, 0);
    for seed in 1..=EXPRESSIONS {
        let mut random = Random(seed.wrapping_mul(0xd134_2543_de82_ef95));
        let expression = random_expression(&mut random, true, None);
        let Ok(template) = expression.compile_from_altstack() else {
            too_large += 1;
            continue;
        };
        for _ in 0..INPUTS {
            let inputs = expression.inputs().map(|(name, of)| {
                let number = random.next() >> (8 * random.below(5));
                (name, of.datum(number))
            });
            let evaluation = expression.evaluate(inputs).expect("all inputs");
            let altstack = template.altstack(&evaluation);
            let setup = script! { for _ in 0..altstack.len() { OP_TOALTSTACK } };
            let script = script! { { &setup } { &template.script } };
            let stack: Vec<Vec<u8>> = template
                .witness(&evaluation)
                .into_iter()
                .chain(altstack.into_iter().rev())
                .collect();
            let execution = execute(&script, stack, None, Rules::Policy);
            assert_eq!(
                execution.stack,
                template.left(&evaluation),
                "seed {seed}: {:?}",
                execution.result
            );
            assert!(execution.altstack.is_empty());
            let (most, predicted) = (execution.max_stack, template.max_stack);
            assert!(
                most <= predicted,
                "seed {seed}: {most} items, {predicted} predicted"
            );
            cases += 1;
        }
    }
    println!(
        "covered: {EXPRESSIONS} random expressions, {cases} cases of expressions; {too_large} with too many items"
    );
}

/// Where nibbles of a sum come from.
#[derive(Clone, Copy, Debug)]
enum Addends {
    Opened,
    FromWitness,
    /// The first is a constant.
    WithConstant(u8),
    Constants(u8),
    /// The same nibble every time.
    Repeated,
    /// Those of a word's complement.
    Complemented,
    /// Put together from bits.
    Joined,
}

/// Whether a sum of nibbles is within bounds: evaluator and script say what integers say. One nibble is
/// held against all bounds, more against those near both ends.
#[test]
fn sums_of_nibbles_are_held_against_all_bounds() {
    let kinds = [
        Addends::Opened,
        Addends::FromWitness,
        Addends::WithConstant(0),
        Addends::WithConstant(7),
        Addends::WithConstant(15),
        Addends::Constants(0),
        Addends::Constants(15),
        Addends::Repeated,
        Addends::Complemented,
        Addends::Joined,
    ];
    let (mut cases, mut scripts) = (0, 0);
    for count in 1..=8u32 {
        let most = 15 * count;
        let bounds: Vec<u32> = match count {
            1 => (0..=most + 2).chain([u32::MAX]).collect(),
            _ => vec![
                0,
                1,
                2,
                16,
                most / 2,
                most - 1,
                most,
                most + 1,
                most + 2,
                1 << 31,
                u32::MAX,
            ],
        };
        let pairs = bounds
            .iter()
            .flat_map(|&low| bounds.iter().map(move |&high| (low, high)));
        let pairs: Vec<(u32, u32)> = pairs.collect();
        for addends in kinds {
            // One script for each pair where they are few, else some at a time.
            for pairs in pairs.chunks(if count < 4 { 9 } else { 24 }) {
                let mut e = Expression::new();
                let word = match addends {
                    Addends::FromWitness => e.witness_word("w"),
                    _ => e.input_word("w"),
                };
                let complement = e.not(word);
                let nibbles: Vec<_> = (0..count as usize) // cast ok: at most 8
                    .map(|place| match addends {
                        Addends::WithConstant(nibble) if place == 0 => e.nibble(nibble),
                        Addends::Constants(nibble) => e.nibble(nibble),
                        Addends::Repeated => e.word_nibble(word, 0),
                        Addends::Complemented => e.word_nibble(complement, place),
                        Addends::Joined => {
                            let nibble = e.word_nibble(word, place);
                            let bits = e.split(nibble);
                            e.join(bits)
                        }
                        _ => e.word_nibble(word, place),
                    })
                    .collect();
                for &(low, high) in pairs {
                    let within = e.sum_is_within(&nibbles, low, high);
                    e.output(within);
                }
                let mut templates = vec![(e.compile(), false)];
                // Where something is from the witness, nothing waits on the altstack.
                if !matches!(addends, Addends::FromWitness) {
                    templates.push((e.compile_from_altstack(), true));
                }
                scripts += templates.len();
                let templates: Vec<_> = templates
                    .into_iter()
                    .map(|(template, opened)| (template.expect("fits the stack"), opened))
                    .collect();
                // Of one or two nibbles every sum, of more some, both ends among them.
                let words = (0..=most)
                    .step_by(if count < 3 { 1 } else { 11 })
                    .chain([most]);
                for sum in words {
                    let word = (0..count).fold(0, |word, place| {
                        word | sum.saturating_sub(15 * place).min(15) << (4 * (count - 1 - place))
                    });
                    let evaluation = e.evaluate([("w", word.into())]).expect("its input");
                    let nibble = |word: u32, place: u32| word >> (4 * place) & 15;
                    let sum: u32 = (0..count)
                        .map(|place| match addends {
                            Addends::WithConstant(nibble) if place == 0 => nibble.into(),
                            Addends::Constants(nibble) => nibble.into(),
                            Addends::Repeated => nibble(word, 0),
                            Addends::Complemented => nibble(!word, place),
                            _ => nibble(word, place),
                        })
                        .sum();
                    let expected: Vec<Vec<u8>> = pairs
                        .iter()
                        .map(|&(low, high)| encode_number((low <= sum && sum < high).into()))
                        .collect();
                    for (template, opened) in &templates {
                        let altstack = match opened {
                            true => template.altstack(&evaluation),
                            false => Vec::new(),
                        };
                        let setup = script! { for _ in 0..altstack.len() { OP_TOALTSTACK } };
                        let script = script! { { &setup } { &template.script } };
                        let waiting = altstack.into_iter().rev();
                        let stack = template.witness(&evaluation).into_iter().chain(waiting);
                        let stack: Vec<Vec<u8>> = stack.collect();
                        let execution = execute(&script, stack, None, Rules::Policy);
                        assert_eq!(
                            execution.stack, expected,
                            "{addends:?}, {count} nibbles, sum {sum}, bounds {pairs:?}: {:?}",
                            execution.result
                        );
                        cases += pairs.len();
                    }
                }
            }
        }
    }
    println!("covered: {cases} sums of nibbles against bounds; in {scripts} scripts");
}
