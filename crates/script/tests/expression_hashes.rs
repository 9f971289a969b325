//! Hash functions in expressions: against reference implementations, alone and among other operations.

use blake3::hash as blake3_of;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use sha2::{Digest, Sha256};
use tapcourt_script::expression::{
    Datum, Expression, Hash160, Hash256, Part, Template, Typed, Word,
};
use tapcourt_script::interpreter::{FailureReason, Rules, execute};

/// Executes a template's script on inputs, and with each of some nibbles of its witness flipped. It has to accept the first, and refuse the others.
fn check(name: &str, expression: &Expression, inputs: &[(&str, Datum)], flips: usize) -> Template {
    let template = expression
        .compile()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let evaluation = expression
        .evaluate(inputs.iter().cloned())
        .expect("all inputs");
    assert!(evaluation.holds(), "{name}");
    let witness = template.witness(&evaluation);
    let execution = execute(&template.script, witness.clone(), None, Rules::Policy);
    assert!(execution.succeeded(), "{name}: {:?}", execution.result);
    assert!(execution.max_stack <= template.max_stack, "{name}");
    let mut rng = ChaCha12Rng::seed_from_u64(3);
    for _ in 0..flips {
        let place = rng.gen_range(0..witness.len());
        let mut other = witness.clone();
        let number = tapcourt_script::decode_number(&other[place]).expect("a number");
        // Nibbles are even or plain; both stay what they are.
        other[place] = tapcourt_script::encode_number(number ^ 2);
        let execution = execute(&template.script, other, None, Rules::Policy);
        let failure = execution.result.expect_err("another message");
        assert!(
            matches!(
                failure.reason,
                FailureReason::NumEqualVerify | FailureReason::EvalFalse
            ),
            "{name}: {failure}"
        );
    }
    println!(
        "{name}: {} bytes, {} of them corrections, stack {}",
        template.script.len(),
        template.correction_bytes,
        template.max_stack
    );
    template
}

/// An expression that hashes words from the witness and compares with an opened hash.
fn preimage(words: usize, hash: impl Fn(&mut Expression, &[Part]) -> Hash256) -> Expression {
    let mut expression = Expression::new();
    let message: Vec<Word> = (0..words)
        .map(|word| expression.witness_word(&format!("word {word}")))
        .collect();
    let parts: Vec<Part> = message.into_iter().map(Part::from).collect();
    let digest = hash(&mut expression, &parts);
    expression.name(digest, "digest");
    let published = expression.input_hash::<Hash256>("published");
    expression.assert_equal(digest, published);
    expression
}

fn preimage_case(
    words: usize,
    expression: &Expression,
    digest: impl Fn(&[u8]) -> [u8; 32],
    name: &str,
) {
    let mut rng = ChaCha12Rng::seed_from_u64(words as u64);
    let values: Vec<u32> = (0..words).map(|_| rng.r#gen()).collect();
    let bytes: Vec<u8> = values.iter().flat_map(|word| word.to_le_bytes()).collect();
    let names: Vec<String> = (0..words).map(|word| format!("word {word}")).collect();
    let mut inputs: Vec<(&str, Datum)> = names
        .iter()
        .zip(&values)
        .map(|(name, &word)| (name.as_str(), word.into()))
        .collect();
    inputs.push(("published", digest(&bytes).into()));
    let template = check(name, expression, &inputs, 2);
    let evaluation = expression.evaluate(inputs).expect("all inputs");
    let mut named = Vec::new();
    template.trace(
        template.witness(&evaluation),
        None,
        Rules::Policy,
        &mut |value| {
            named.push((value.name.to_owned(), value.value));
        },
    );
    assert!(named.contains(&("digest".to_owned(), Some(digest(&bytes).into()))));
    assert_eq!(named.len(), words + 2);
}

#[test]
fn words_are_hashed_in_little_endian_order() {
    for words in [1, 5, 13, 14, 16, 17, 30] {
        let expression = preimage(words, |expression, parts| expression.sha256(parts));
        let name = format!("SHA-256 of {words} words");
        preimage_case(
            words,
            &expression,
            |bytes| Sha256::digest(bytes).into(),
            &name,
        );
        let expression = preimage(words, |expression, parts| expression.blake3(parts));
        let name = format!("BLAKE3 of {words} words");
        preimage_case(
            words,
            &expression,
            |bytes| *blake3_of(bytes).as_bytes(),
            &name,
        );
    }
}

/// A Merkle path with bits that say on which side a node is.
#[test]
fn merkle_path_with_sides() {
    for levels in [1, 3] {
        let mut expression = Expression::new();
        let mut node = expression.witness_hash::<Hash160>("leaf");
        for level in 0..levels {
            let sibling = expression.witness_hash::<Hash160>(&format!("sibling {level}"));
            let is_right = expression.witness_bit(&format!("side {level}"));
            let left = expression.select(is_right, sibling, node);
            let right = expression.select(is_right, node, sibling);
            node = expression.blake3(&[left.into(), right.into()]);
        }
        let root = expression.input_hash::<Hash160>("root");
        let same = expression.equal(node, root);
        expression.assert_true(same);

        let hash = |byte: u8| [byte; 20];
        let mut node = hash(1);
        let mut inputs = vec![("leaf".to_owned(), Datum::from(node))];
        for level in 0..levels {
            let (sibling, is_right) = (hash(17 * level + 2), level % 2 == 1);
            let pair = if is_right {
                [sibling, node]
            } else {
                [node, sibling]
            };
            node = blake3_of(&pair.concat()).as_bytes()[..20]
                .try_into()
                .expect("20 bytes");
            inputs.push((format!("sibling {level}"), sibling.into()));
            inputs.push((format!("side {level}"), is_right.into()));
        }
        inputs.push(("root".to_owned(), node.into()));
        let inputs: Vec<(&str, Datum)> = inputs
            .iter()
            .map(|(name, datum)| (name.as_str(), datum.clone()))
            .collect();
        check(&format!("path of {levels}"), &expression, &inputs, 0);
        for place in 0..inputs.len() - 1 {
            let mut other = inputs.clone();
            other[place].1 = match &other[place].1 {
                Datum::Bit(bit) => Datum::Bit(!bit),
                _ => hash(99).into(),
            };
            let evaluation = expression.evaluate(other).expect("all inputs");
            assert!(!evaluation.holds());
            let template = expression.compile().expect("fits the stack");
            let witness = template.witness(&evaluation);
            let execution = execute(&template.script, witness, None, Rules::Policy);
            assert!(!execution.succeeded());
        }
    }
}

/// Word operations before, between and after hashes, on values that are used again; the results are left on the stack.
fn mixed(hash: impl Fn(&mut Expression, &[Part]) -> Hash256) -> Expression {
    let mut e = Expression::new();
    let (a, b) = (e.witness_word("a"), e.input_word("b"));
    let sum = e.add([a, b]);
    let inverted = e.not(sum);
    let differ = e.xor(inverted, a);
    let constant = e.word(0x0123_4567);
    let first = hash(
        &mut e,
        &[
            a.into(),
            sum.into(),
            inverted.into(),
            a.into(),
            constant.into(),
        ],
    );
    let low = e.hash_word(first, 2);
    let both = e.and(low, differ);
    let either = e.or(both, a);
    let rotated = e.rotate_right(either, 7);
    let second = hash(
        &mut e,
        &[first.into(), rotated.into(), sum.into(), both.into()],
    );
    let high = e.hash_word(second, 7);
    let result = e.add([high, a, low]);
    let less = e.less_than(result, sum);
    e.output(second);
    e.output_plain(result);
    e.output(less);
    e
}

#[test]
fn hashes_among_word_operations() {
    let mut rng = ChaCha12Rng::seed_from_u64(9);
    type Function = fn(&mut Expression, &[Part]) -> Hash256;
    type Reference = fn(&[u8]) -> [u8; 32];
    let functions: [(&str, Function, Reference); 2] = [
        (
            "BLAKE3",
            |e, parts| e.blake3(parts),
            |bytes| *blake3_of(bytes).as_bytes(),
        ),
        (
            "SHA-256",
            |e, parts| e.sha256(parts),
            |bytes| Sha256::digest(bytes).into(),
        ),
    ];
    for (name, function, digest) in functions {
        let expression = mixed(function);
        let on_tables = expression.compile_on_tables().expect("fits the stack");
        let whole = expression.compile().expect("fits the stack");
        println!(
            "{name} among others: {} bytes, {} corrections, stack {}",
            whole.script.len(),
            whole.correction_bytes,
            whole.max_stack
        );
        for _ in 0..3 {
            let (a, b): (u32, u32) = (rng.r#gen(), rng.r#gen());
            let inputs = [("a", Datum::from(a)), ("b", Datum::from(b))];
            let evaluation = expression.evaluate(inputs).expect("all inputs");

            // By hand.
            let sum = a.wrapping_add(b);
            let message = [a, sum, !sum, a, 0x0123_4567]
                .map(u32::to_le_bytes)
                .concat();
            let first = digest(&message);
            let low = u32::from_le_bytes(first[8..12].try_into().expect("4 bytes"));
            let both = low & (!sum ^ a);
            let rest = [(both | a).rotate_right(7), sum, both]
                .map(u32::to_le_bytes)
                .concat();
            let second = digest(&[&first[..], &rest].concat());
            let high = u32::from_le_bytes(second[28..].try_into().expect("4 bytes"));
            let result = high.wrapping_add(a).wrapping_add(low);
            let left = whole.left(&evaluation);
            let nibble = |item: &Vec<u8>| tapcourt_script::decode_number(item).expect("a number");
            assert_eq!(nibble(&left[72]), i64::from(result < sum));
            let plain = left[64..72]
                .iter()
                .fold(0, |word, item| word << 4 | nibble(item));
            assert_eq!(plain, i64::from(result));
            let doubled: Vec<u8> = left[..64]
                .iter()
                .rev()
                .map(|item| (nibble(item) / 2) as u8)
                .collect();
            let bytes: Vec<u8> = doubled
                .chunks(2)
                .map(|pair| pair[0] | pair[1] << 4)
                .collect();
            assert_eq!(bytes, second);

            let witness = whole.witness(&evaluation);
            let execution = execute(&whole.script, witness, None, Rules::Policy);
            assert_eq!(execution.stack, left, "{name}");
            assert!(execution.max_stack <= whole.max_stack);

            let tables = execute(&on_tables.tables, Vec::new(), None, Rules::Policy).stack;
            let stack = [tables.clone(), on_tables.witness(&evaluation)].concat();
            let execution = execute(&on_tables.script, stack, None, Rules::Policy);
            assert_eq!(execution.stack, [tables, left].concat(), "{name} on tables");
            assert!(execution.max_stack <= on_tables.max_stack);
        }
    }
}

/// Tables that hashes and words have in common are set up once.
#[test]
fn words_share_the_tables_of_blake3() {
    let make = |hash: bool, xor: bool| {
        let mut e = Expression::new();
        let words = ["a", "b", "c"].map(|name| e.input_word(name));
        if xor {
            let sum = e.add(words);
            let differ = e.xor(sum, words[0]);
            e.output_plain(differ);
        }
        if hash {
            let digest = e.blake3::<Hash160>(&words.map(Part::from));
            e.output(digest);
        }
        e.compile().expect("fits the stack").table_bytes
    };
    let (both, hash, words) = (make(true, true), make(true, false), make(false, true));
    println!("bytes of tables: {both} for both, {hash} for a hash, {words} for words");
    assert!(both < hash + 20 && words > 100);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut e = Expression::new();
    let a = e.witness_word("a");
    let [blake3, sha256]: [Hash256; 2] = [e.blake3(&[a.into()]), e.sha256(&[a.into()])];
    e.assert_equal(blake3, sha256);
    let error = e.compile().expect_err("tables of both").to_string();
    assert!(error.contains("where 1000 are allowed"), "{error}");

    let mut e = Expression::new();
    let words: Vec<Part> = (0..257).map(|word| e.word(word).into()).collect();
    let refused = std::panic::catch_unwind(move || e.sha256(&words).id());
    let message = *refused
        .expect_err("1,028 bytes")
        .downcast::<String>()
        .expect("a message");
    assert_eq!(message, "a message has 1 to 1024 bytes, not 1028");
}

/// What is known when the script is written is not computed by it, and parts may be.
#[test]
fn hashes_of_constants() {
    for (name, words) in [("BLAKE3", 3), ("SHA-256", 3), ("BLAKE3", 2), ("SHA-256", 2)] {
        let mut e = Expression::new();
        let third = e.input_word("third");
        let mut parts: Vec<Part> = (1..=words).map(|word| e.word(word).into()).collect();
        let known = words == 3;
        if !known {
            parts.push(third.into());
        }
        let published = e.input_hash::<Hash256>("published");
        let bytes = [1u32, 2, 3].map(u32::to_le_bytes).concat();
        let (digest, expected): (Hash256, [u8; 32]) = match name {
            "BLAKE3" => (e.blake3(&parts), *blake3_of(&bytes).as_bytes()),
            _ => (e.sha256(&parts), Sha256::digest(&bytes).into()),
        };
        e.assert_equal(digest, published);
        let inputs = [("published", expected.into()), ("third", 3.into())];
        let template = check(name, &e, &inputs, if known { 0 } else { 4 });
        assert_eq!(known, template.script.len() < 4_000);
    }
}
