//! Sizes are exact, and as small as promised.

use tapcourt_commitment::{Objective, OpenDigits, OpenOrder, Parameters, ParametersError, Size};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::{Fragment, count_opcodes, script};

use crate::{all_schemes, random_digits, random_message, random_order, rng, secret, witness_bytes};

/// Mean weight of publishing and of opening, in weight units a bit.
fn per_bit(parameters: &Parameters) -> [f64; 2] {
    let bits = parameters.message_bits() as f64;
    [parameters.publish_size(), parameters.open_bits_size()]
        .map(|size| size.weight_wu_mean() / bits)
}

#[test]
fn openings_are_as_small_as_promised() {
    // (bits, most weight units a bit to publish, and to open)
    for (bits, publish_bound, open_bound) in [
        (1, 74.0, 72.0),
        (8, 37.9, 38.7),
        (32, 27.9, 29.2),
        (64, 25.5, 26.8),
        (128, 24.2, 25.6),
        (160, 24.0, 25.4),
        (256, 23.4, 24.8),
        (512, 23.0, 24.4),
        (1120, 22.8, 24.2),
    ] {
        let parameters = Parameters::cheapest(bits, &Objective::default()).unwrap();
        let [publish, open] = per_bit(&parameters);
        let items = parameters.signature_items();
        println!(
            "{bits} bits: {} digits of {} bits + {:?}, {items} items, {publish:.2} WU/bit to publish, {open:.2} to open",
            parameters.message_digits().len(),
            parameters.message_digits()[0],
            parameters.checksum_digits(),
        );
        let digits = parameters.open_digits_size(&OpenDigits::natural(&parameters));
        let digits = digits.weight_wu_mean() / bits as f64;
        println!("  {digits:.2} WU/bit to open to digits");
        // A repacked nibble would cost some 13 bytes more.
        assert!(digits <= open + 0.3, "{bits} bits: {digits}");
        assert!(
            publish <= publish_bound && open <= open_bound,
            "{bits} bits: {publish} {open}"
        );
    }
}

#[test]
fn the_cheapest_shape_is_no_dearer_than_any_base() {
    for bits in [1, 2, 5, 8, 31, 32, 33, 100, 160] {
        for (publish, open) in [(1.0, 0.0), (0.0, 1.0), (1.0, 3.0)] {
            let objective = Objective {
                publish,
                open,
                ..Objective::default()
            };
            let cost = |parameters: &Parameters| {
                let [publish_weight, open_weight] = per_bit(parameters);
                publish * publish_weight + open * open_weight
            };
            let cheapest = Parameters::cheapest(bits, &objective).unwrap();
            for other in all_schemes(bits) {
                assert!(
                    cost(&cheapest) <= cost(&other) + 1e-9,
                    "{bits} bits: {cheapest:?} against {other:?}"
                );
            }
        }
    }
}

#[test]
fn a_bound_on_items_is_kept_or_refused() {
    let bounded = |max_items| {
        Parameters::cheapest(
            160,
            &Objective {
                max_items: Some(max_items),
                ..Objective::default()
            },
        )
    };
    assert_eq!(
        bounded(212).unwrap().signature_items(),
        212,
        "what is cheapest without a bound"
    );
    for limit in [190, 195, 200, 211] {
        assert!(bounded(limit).unwrap().signature_items() <= limit);
    }
    assert_eq!(
        bounded(100),
        Err(ParametersError::Items {
            bits: 160,
            least: 118,
            limit: 100
        })
    );
}

#[test]
fn a_large_message_fits_the_stack_by_picks() {
    // Seven values of 20 bytes in one group; the items of an opening by flags alone are too many.
    let bits = 1120;
    let flags = Parameters::cheapest(bits, &Objective::default()).unwrap();
    assert!(flags.picks() == 0 && flags.publish_size().max_stack > 1000);
    for (max_stack, bound) in [(950, 22.8), (900, 22.9), (1000, 22.8)] {
        let objective = Objective {
            max_stack: Some(max_stack),
            ..Objective::default()
        };
        let parameters = Parameters::cheapest(bits, &objective).unwrap();
        let size = parameters.publish_size();
        let per_bit = size.weight_wu_mean() / bits as f64;
        println!(
            "stack of {max_stack}: {} digits of {} bits + {:?}, {} by numbers, {} items, {per_bit:.2} WU/bit",
            parameters.message_digits().len(),
            parameters.message_digits()[0],
            parameters.checksum_digits(),
            parameters.picks(),
            size.items,
        );
        assert!(size.max_stack <= max_stack && per_bit <= bound);
        let secret = secret(&parameters);
        let key = secret.public_key();
        let witnesses: Vec<_> = (0..4)
            .map(|label| secret.sign(&random_message(bits, &mut rng(label))))
            .map(|opening| {
                let witness = opening.witness_for_publish();
                assert_eq!(key.recover(&witness), Ok(opening));
                witness
            })
            .collect();
        check_exact(size, &key.publish_script(), &witnesses);
    }
    // Opened, it is all flags again: no shape fits, and this is said.
    let opened = Objective {
        publish: 0.0,
        open: 1.0,
        max_stack: Some(950),
        ..Objective::default()
    };
    assert_eq!(
        Parameters::cheapest(bits, &opened),
        Err(ParametersError::Bounds { bits })
    );
}

#[test]
fn bounds_on_script_and_witness_are_kept_or_refused() {
    let unbounded = Parameters::cheapest(64, &Objective::default()).unwrap();
    let size = unbounded.publish_size();
    let tighter = |script, witness| {
        let objective = Objective {
            max_script_bytes: Some(script),
            max_witness_bytes: Some(witness),
            ..Objective::default()
        };
        Parameters::cheapest(64, &objective)
    };
    let (script, witness) = (size.script_bytes, size.witness_bytes_max);
    assert_eq!(tighter(script, witness), Ok(unbounded));
    let small_witness = tighter(2 * script, witness - 60).unwrap().publish_size();
    assert!(small_witness.witness_bytes_max <= witness - 60);
    println!("within {witness} bytes less 60: {small_witness:?}");
    assert_eq!(
        tighter(script - 1, witness),
        Err(ParametersError::Bounds { bits: 64 })
    );
}

fn check_exact(size: Size, script: &Fragment, witnesses: &[Vec<Vec<u8>>]) {
    assert_eq!(size.script_bytes, script.len_bytes());
    assert_eq!(size.opcodes, count_opcodes(script.script()));
    let full = script! { { script } OP_1 };
    for witness in witnesses {
        assert_eq!(size.items, witness.len());
        assert!(witness_bytes(witness) <= size.witness_bytes_max);
        let execution = execute(&full, witness.clone(), None, Rules::Policy);
        assert!(execution.succeeded(), "{:?}", execution.result);
        assert_eq!(execution.max_stack, size.max_stack);
    }
}

#[test]
fn sizes_are_those_of_the_real_scripts() {
    let mut rng = rng(1);
    let mut scripts = 0;
    for bits in [1, 2, 7, 8, 33, 64] {
        for parameters in all_schemes(bits) {
            let secret = secret(&parameters);
            let key = secret.public_key();
            let natural = OpenOrder::natural(&parameters);
            assert_eq!(
                parameters.open_bits_size(),
                parameters.open_bits_size_in(&natural)
            );
            let order = random_order(&parameters, &mut rng);
            let mut messages = vec![vec![false; bits], vec![true; bits]];
            messages.extend((0..6).map(|_| random_message(bits, &mut rng)));
            let openings: Vec<_> = messages
                .iter()
                .map(|message| secret.sign(message))
                .collect();
            let publish: Vec<_> = openings
                .iter()
                .map(|opening| opening.witness_for_publish())
                .collect();
            let open: Vec<_> = openings
                .iter()
                .map(|opening| opening.witness_for_open(&order))
                .collect();
            check_exact(parameters.publish_size(), &key.publish_script(), &publish);
            check_exact(
                parameters.open_bits_size_in(&order),
                &key.open_bits(&order),
                &open,
            );
            let digits = random_digits(&parameters, &mut rng);
            let opened: Vec<_> = openings
                .iter()
                .map(|opening| opening.witness_for_digits(&digits))
                .collect();
            check_exact(
                parameters.open_digits_size(&digits),
                &key.open_digits(&digits),
                &opened,
            );
            if parameters.picks() == 0 {
                assert_eq!(
                    witness_bytes(&publish[1]),
                    parameters.publish_size().witness_bytes_max,
                    "all ones are largest"
                );
            }
            scripts += 3 * messages.len();
        }
    }
    println!("covered: {scripts} scripts measured");
}

#[test]
fn mean_and_largest_witness_are_exact_over_all_messages() {
    for bits in [1, 2, 3, 5, 8, 9] {
        for parameters in all_schemes(bits) {
            let secret = secret(&parameters);
            let sizes: Vec<usize> = (0..1u32 << bits)
                .map(|message| {
                    let message: Vec<bool> = (0..bits).map(|bit| message >> bit & 1 == 1).collect();
                    witness_bytes(&secret.sign(&message).witness_for_publish())
                })
                .collect();
            let mean = sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
            let size = parameters.publish_size();
            assert!(
                (mean - size.witness_bytes_mean).abs() < 1e-9,
                "{parameters:?}: {mean} {size:?}"
            );
            assert_eq!(
                sizes.iter().max(),
                Some(&size.witness_bytes_max),
                "{parameters:?}"
            );
        }
    }
}

#[test]
fn the_checksum_has_the_length_of_the_closed_form() {
    for bits in 1..=300usize {
        for log2_base in 1..=8u8 {
            let parameters = Parameters::winternitz(bits, log2_base).unwrap();
            let maximum: u64 = parameters
                .message_digits()
                .iter()
                .map(|&width| (1 << width) - 1)
                .sum();
            let checksum_bits: u32 = parameters
                .checksum_digits()
                .iter()
                .map(|&width| u32::from(width))
                .sum();
            assert!(
                maximum < 1 << checksum_bits && maximum >= 1 << (checksum_bits - 1),
                "{parameters:?}"
            );
        }
    }
}

#[test]
fn impossible_shapes_are_refused() {
    let expected = |bits| Err(ParametersError::MessageBits { bits });
    assert_eq!(Parameters::cheapest(0, &Objective::default()), expected(0));
    assert_eq!(Parameters::winternitz(2049, 4), expected(2049));
    assert_eq!(Parameters::lamport(usize::MAX), expected(usize::MAX));
    assert_eq!(
        Parameters::winternitz(8, 0),
        Err(ParametersError::DigitBits { width: 0 })
    );
    assert_eq!(
        Parameters::winternitz(8, 9),
        Err(ParametersError::DigitBits { width: 9 })
    );
    assert_eq!(
        Parameters::with_digits(&[4, 200], &[5]),
        Err(ParametersError::DigitBits { width: 200 })
    );
    for checksum in [&[4][..], &[6], &[]] {
        let actual = checksum.iter().map(|&width| u32::from(width)).sum();
        let expected = ParametersError::ChecksumBits {
            actual,
            expected: 5,
            maximum: 30,
        };
        assert_eq!(Parameters::with_digits(&[4, 4], checksum), Err(expected));
    }
}
