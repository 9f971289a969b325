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
