//! Publishing and opening scripts of one-time keys: the interpreter and Bitcoin Core's code agree on right and tampered witnesses.

use bitcoin::ScriptBuf;
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_commitment::{
    KeyPath, MAX_OPTIONS, Objective, OpenDigits, OpenOrder, Opening, PICK_BITS, Parameters,
    PublicKey, SecretKey, Seed,
};
use tapcourt_script::script;
use tapcourt_tests::leaf::is_accepted;
use tapcourt_tests::scale::scaled;

/// One change to a witness that leaves it different.
fn tamper(stack: &[Vec<u8>], other: &[Vec<u8>], rng: &mut ChaCha8Rng) -> Vec<Vec<u8>> {
    loop {
        let mut tampered = stack.to_vec();
        let index = rng.gen_range(0..stack.len());
        let item = &mut tampered[index];
        match rng.gen_range(0..9) {
            0 if !item.is_empty() => {
                let byte = rng.gen_range(0..item.len());
                item[byte] ^= 1 << rng.gen_range(0..8);
            }
            1 => *item = if item.is_empty() { vec![1] } else { Vec::new() },
            2 => item.push(0),
            3 => {
                let odd: [&[u8]; 8] = [
                    &[0],
                    &[0x80],
                    &[2],
                    &[1, 0],
                    &[0x81],
                    &[0xff; 4],
                    &[9],
                    &[5, 0],
                ];
                *item = odd.choose(rng).expect("eight encodings").to_vec();
            }
            4 => tampered[index] = other[index].clone(),
            5 => {
                let with = rng.gen_range(0..stack.len());
                tampered.swap(index, with);
            }
            6 => {
                tampered.remove(index);
            }
            7 => tampered.insert(index, Vec::new()),
            _ => {
                // Part of an opening of another value, under the same key.
                let end = rng.gen_range(index..stack.len());
                tampered[index..=end].clone_from_slice(&other[index..=end]);
            }
        }
        if tampered != stack && tampered != other {
            return tampered;
        }
    }
}

/// A leaf that opens a value and ends true exactly if it is `message`.
fn opening_leaf(key: &PublicKey, order: &OpenOrder, message: &[bool]) -> ScriptBuf {
    let mut bits = order.bits().iter().map(|&bit| message[bit as usize]); // cast ok: usize has at least 32 bits here
    let first = bits.next().expect("a message has a bit");
    script! {
        { key.open_bits(order) }
        OP_FROMALTSTACK { first } OP_EQUAL
        for bit in bits {
            OP_FROMALTSTACK { bit } OP_EQUAL OP_BOOLAND
        }
    }
}

/// A leaf that opens a value to numbers and ends true exactly if they are those of `opening`.
fn digits_leaf(key: &PublicKey, digits: &OpenDigits, opening: &Opening) -> ScriptBuf {
    let mut numbers = digits
        .order()
        .iter()
        .map(|&digit| digit as usize) // cast ok: usize has at least 32 bits here
        .map(|digit| digits.number(digit, opening.message_digits()[digit]));
    let first = numbers.next().expect("a message has a digit");
    script! {
        { key.open_digits(digits) }
        OP_FROMALTSTACK { first } OP_EQUAL
        for number in numbers {
            OP_FROMALTSTACK { number } OP_EQUAL OP_BOOLAND
        }
    }
}

#[test]
fn interpreter_and_core_agree_on_openings() {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    let mut shapes: Vec<Parameters> = Vec::new();
    for bits in [1, 2, 3, 5, 8, 13, 32, 77, 160] {
        shapes.push(Parameters::lamport(bits).expect("bits in range"));
        shapes.push(Parameters::cheapest(bits, &Objective::default()).expect("bits in range"));
        for log2_base in [1, 2, 3, 4, 5, 8] {
            let flags = Parameters::winternitz(bits, log2_base).expect("bits in range");
            let wide = flags
                .message_digits()
                .iter()
                .take_while(|&&width| width >= PICK_BITS);
            let picks = wide.count();
            if picks > 0 {
                shapes.push(flags.with_picks(picks).expect("so many are wide enough"));
            }
            shapes.push(flags);
        }
    }
    let (mut accepted, mut refused) = (0, 0);
    for (number, parameters) in shapes.iter().enumerate() {
        let bits = parameters.message_bits();
        let path = KeyPath {
            contract: [5; 32],
            role: "prover",
            label: &format!("shape/{number}"),
        };
        let secret = SecretKey::derive(&Seed::new([4; 32]), &path, parameters);
        let key = secret.public_key();
        let message: Vec<bool> = (0..bits).map(|_| rng.r#gen()).collect();
        let other: Vec<bool> = message.iter().map(|bit| bit ^ rng.gen_bool(0.4)).collect();
        let (opening, other) = (secret.sign(&message), secret.sign(&other));
        let mut wanted: Vec<u32> = (0..bits as u32).collect(); // cast ok: at most 160
        wanted.shuffle(rng);
        let order = OpenOrder::from_first_use(parameters, wanted);
        let publishing = script! { { key.publish_script() } { 1 } };
        let opening_leaf = opening_leaf(&key, &order, &message);
        let digits = OpenDigits::natural(parameters)
            .scaled(1)
            .and_then(|digits| digits.with_offsets(&vec![5; parameters.message_digits().len()]))
            .expect("a scale of 2 and an offset of 5");
        let digits_leaf = digits_leaf(&key, &digits, &opening);
        let forms = [
            (
                digits_leaf,
                opening.witness_for_digits(&digits),
                other.witness_for_digits(&digits),
                other.message() == message,
            ),
            (
                publishing,
                opening.witness_for_publish(),
                other.witness_for_publish(),
                true,
            ),
            (
                opening_leaf,
                opening.witness_for_open(&order),
                other.witness_for_open(&order),
                other.message() == message,
            ),
        ];
        for (leaf, stack, other, other_accepted) in forms {
            assert!(is_accepted(&leaf, &stack), "{parameters:?}");
            assert_eq!(is_accepted(&leaf, &other), other_accepted);
            accepted += 2;
            for _ in 0..scaled(30) {
                // Two openings under one key can be put together to a third, which must then be well-formed itself;
                // any other change is refused.
                let tampered = tamper(&stack, &other, rng);
                if is_accepted(&leaf, &tampered) {
                    accepted += 1;
                    let mixed = tampered.iter().zip(stack.iter().zip(&other));
                    assert!(tampered.len() == stack.len());
                    assert!(
                        mixed.clone().all(|(item, (a, b))| item == a || item == b),
                        "{parameters:?}: a change that no opening explains was accepted"
                    );
                } else {
                    refused += 1;
                }
            }
        }
    }
    println!(
        "{} shapes, three scripts each: {accepted} witnesses accepted, {refused} refused",
        shapes.len()
    );
    println!("covered: {} witnesses of openings", accepted + refused);
    assert!(refused > accepted);
}

/// Every selection from 2 to 16 options, and every repetition of one.
#[test]
fn interpreter_and_core_agree_on_selections() {
    let rng = &mut ChaCha8Rng::seed_from_u64(12);
    let (mut accepted, mut refused) = (0, 0);
    for options in 2..=MAX_OPTIONS {
        let parameters = Parameters::choice(options).expect("so many options are possible");
        let secret = |role| {
            let path = KeyPath {
                contract: [6; 32],
                role,
                label: "choice",
            };
            SecretKey::derive(&Seed::new([4; 32]), &path, &parameters)
        };
        let (own, theirs) = (secret("prover"), secret("challenger"));
        let (own_key, their_key) = (own.public_key(), theirs.public_key());
        let choosing = script! { { their_key.choose_script(options) } OP_1 };
        let agreeing = script! { { own_key.agree_script(&their_key) } OP_1 };
        let bits = parameters.message_bits();
        let openings = |secret: &SecretKey| -> Vec<Opening> {
            (0..1u32 << bits)
                .map(|value| {
                    let message: Vec<bool> = (0..bits).map(|bit| value >> bit & 1 == 1).collect();
                    secret.sign(&message)
                })
                .collect()
        };
        let pairs: Vec<(Opening, Opening)> =
            openings(&own).into_iter().zip(openings(&theirs)).collect();
        for (value, (own, theirs)) in pairs.iter().enumerate() {
            let selection = theirs.witness_for_choice(options);
            let is_option = value < options as usize; // cast ok: usize has at least 32 bits here
            assert_eq!(is_accepted(&choosing, &selection), is_option);
            let repetition = own.witness_for_agreement(theirs);
            assert!(is_accepted(&agreeing, &repetition));
            accepted += 1 + usize::from(is_option);
            refused += usize::from(!is_option);

            let (other_own, other_theirs) = pairs.choose(rng).expect("a digit has values");
            let other_selection = other_theirs.witness_for_choice(options);
            let other_repetition = other_own.witness_for_agreement(other_theirs);
            for _ in 0..scaled(20) {
                let tampered = tamper(&selection, &other_selection, rng);
                let is_opening = pairs
                    .iter()
                    .any(|(_, theirs)| theirs.witness_for_choice(options) == tampered);
                let selected = is_accepted(&choosing, &tampered);
                assert!(is_opening || !selected, "{tampered:02x?}");
                refused += usize::from(!selected);
                let tampered = tamper(&repetition, &other_repetition, rng);
                let is_opening = pairs
                    .iter()
                    .any(|(own, theirs)| own.witness_for_agreement(theirs) == tampered);
                let repeated = is_accepted(&agreeing, &tampered);
                assert_eq!(repeated, is_opening, "{tampered:02x?}");
                refused += usize::from(!repeated);
            }
        }
    }
    println!("2 to {MAX_OPTIONS} options: {accepted} witnesses accepted, {refused} refused");
    println!("covered: {} witnesses of selections", accepted + refused);
}
