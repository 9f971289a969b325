//! Signing, publishing, opening and recovering, at all bases.

use bitcoin::hashes::{Hash, hash160};
use proptest::prelude::*;
use rand::{Rng, RngCore};
use tapcourt_commitment::{
    Destination, DigitsError, MAX_MESSAGE_BITS, OpenDigits, OpenOrder, OrderError, Parameters,
    PublicKey, SecretKey,
};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::{encode_number, script};

use crate::{all_schemes, random_digits, random_message, random_order, rng, scale, secret};

/// Signs, publishes and opens one message by the scripts under policy rules, and off chain.
fn round_trip(secret: &SecretKey, key: &PublicKey, message: &[bool], rng: &mut impl RngCore) {
    let opening = secret.sign(message);
    assert_eq!(key.verify(&opening).as_deref(), Ok(message));

    let witness = opening.witness_for_publish();
    assert_eq!(key.recover(&witness).as_ref(), Ok(&opening));
    let publish = execute(
        &script! { { key.publish_script() } OP_1 },
        witness,
        None,
        Rules::Policy,
    );
    assert_eq!(publish.result, Ok(()), "publishing {:?}", key.parameters());
    assert!(publish.altstack.is_empty());

    let order = random_order(key.parameters(), rng);
    let witness = opening.witness_for_open(&order);
    assert_eq!(key.recover_open(&order, &witness).as_ref(), Ok(&opening));
    // What lies below the opening stays as it is.
    let below = [vec![9, 9], vec![]];
    let stack: Vec<_> = below.iter().cloned().chain(witness).collect();
    let open = execute(
        &script! { { key.open_bits(&order) } OP_2DROP OP_1 },
        stack,
        None,
        Rules::Policy,
    );
    assert_eq!(open.result, Ok(()), "opening {:?}", key.parameters());
    let expected: Vec<Vec<u8>> = order
        .bits()
        .iter()
        .rev()
        .map(|&bit| vec![1; message[bit as usize].into()])
        .collect();
    assert_eq!(open.altstack, expected);

    for destination in [Destination::Altstack, Destination::Stack] {
        let digits = random_digits(key.parameters(), rng).onto(destination);
        let witness = opening.witness_for_digits(&digits);
        assert_eq!(key.recover_digits(&digits, &witness).as_ref(), Ok(&opening));
        let stack: Vec<_> = below.iter().cloned().chain(witness).collect();
        let open = execute(
            &script! { { key.open_digits(&digits) } },
            stack,
            None,
            Rules::Policy,
        );
        let numbers = digits.order().iter().map(|&digit| {
            let digit = digit as usize;
            encode_number(digits.number(digit, opening.message_digits()[digit]))
        });
        let numbers: Vec<Vec<u8>> = numbers.rev().collect();
        match destination {
            Destination::Altstack => {
                assert_eq!(open.altstack, numbers);
                assert_eq!(open.stack, below);
            }
            Destination::Stack => {
                assert!(open.altstack.is_empty());
                assert_eq!(open.stack, [&below[..], &numbers].concat());
            }
        }
    }
}

#[test]
fn what_is_signed_can_be_published_opened_and_recovered() {
    let mut rng = rng(2);
    let mut openings = 0;
    for bits in [1, 2, 3, 8, 15, 32, 33, 64, 160] {
        for parameters in all_schemes(bits) {
            let secret = secret(&parameters);
            let key = secret.public_key();
            let mut messages = vec![vec![false; bits], vec![true; bits]];
            messages.extend((0..4 * scale()).map(|_| random_message(bits, &mut rng)));
            openings += messages.len();
            messages
                .iter()
                .for_each(|message| round_trip(&secret, &key, message, &mut rng));
        }
    }
    println!("covered: {openings} openings in random orders");
}

#[test]
fn the_longest_message_verifies_off_chain() {
    // Its items exceed the stack's 1,000 at some bases, so no script is run.
    for parameters in all_schemes(MAX_MESSAGE_BITS) {
        let secret = secret(&parameters);
        let message = random_message(MAX_MESSAGE_BITS, &mut rng(3));
        assert_eq!(
            secret.public_key().verify(&secret.sign(&message)),
            Ok(message)
        );
    }
}

#[test]
fn random_signatures_verify_off_chain() {
    let mut rng = rng(4);
    let count = 100_000 * scale();
    let parameters = Parameters::winternitz(32, 4).unwrap();
    let mut keys = 0;
    let mut published = 0;
    for index in 0..count / 1000 {
        let path = tapcourt_commitment::KeyPath {
            contract: rng.r#gen(),
            role: "prover",
            label: "random",
        };
        let secret = SecretKey::derive(
            &tapcourt_commitment::Seed::new(rng.r#gen()),
            &path,
            &parameters,
        );
        let key = secret.public_key();
        keys += 1;
        for message in 0..1000 {
            let message = if message == 0 {
                vec![index % 2 == 0; 32]
            } else {
                random_message(32, &mut rng)
            };
            assert_eq!(key.verify(&secret.sign(&message)), Ok(message));
        }
        for _ in 0..10 {
            round_trip(&secret, &key, &random_message(32, &mut rng), &mut rng);
            published += 1;
        }
    }
    println!(
        "covered: {count} signatures, {published} signatures through the scripts; under {keys} keys"
    );
}

#[test]
fn orders_that_are_no_permutation_or_split_a_digit_are_refused() {
    let parameters = Parameters::winternitz(8, 4).unwrap();
    let natural: Vec<u32> = (0..8).collect();
    assert_eq!(
        OpenOrder::new(&parameters, natural.clone()).unwrap(),
        OpenOrder::natural(&parameters)
    );
    let with = |position: usize, bit: u32| {
        let mut bits = natural.clone();
        bits[position] = bit;
        OpenOrder::new(&parameters, bits)
    };
    let not_a_permutation = Err(OrderError::NotAPermutation {
        named: 7,
        length: 8,
        bits: 8,
    });
    assert_eq!(with(0, 1), not_a_permutation);
    assert_eq!(with(0, 8), not_a_permutation);
    assert_eq!(with(7, u32::MAX), not_a_permutation);
    let split = OpenOrder::new(&parameters, vec![0, 1, 2, 4, 3, 5, 6, 7]);
    assert_eq!(split, Err(OrderError::SplitDigit { bit: 4, digit: 1 }));
    for bits in [vec![], natural[..7].to_vec(), [&natural[..], &[0]].concat()] {
        assert!(matches!(
            OpenOrder::new(&parameters, bits),
            Err(OrderError::NotAPermutation { .. })
        ));
    }
}

#[test]
fn deliveries_of_other_digits_or_by_large_numbers_are_refused() {
    let parameters = Parameters::winternitz(8, 4).unwrap();
    let natural = || OpenDigits::natural(&parameters);
    for order in [vec![], vec![0], vec![0, 0], vec![0, 2], vec![0, 1, 1]] {
        let error = DigitsError::NotAPermutation {
            length: order.len(),
            digits: 2,
        };
        assert_eq!(natural().ordered(order), Err(error));
    }
    assert_eq!(
        natural().scaled(9),
        Err(DigitsError::Scale { log2_scale: 9 })
    );
    for offset in [1 << 16, -1 << 16, i32::MIN, i32::MAX] {
        assert_eq!(
            natural().with_offsets(&[0, offset]),
            Err(DigitsError::Offset { offset })
        );
    }
    assert_eq!(
        natural().with_offsets(&[1]),
        Err(DigitsError::Offsets {
            offsets: 1,
            digits: 2
        })
    );
}

#[test]
fn first_use_orders_digits_then_bits() {
    let parameters = Parameters::winternitz(12, 4).unwrap();
    let order = OpenOrder::from_first_use(&parameters, [9, 10, 9, 2, 8, 0, 1, 99]);
    assert_eq!(order.bits(), [9, 10, 8, 11, 2, 0, 1, 3, 4, 5, 6, 7]);
    assert_eq!(
        OpenOrder::new(&parameters, order.bits().to_vec()),
        Ok(order)
    );
    assert_eq!(
        OpenOrder::from_first_use(&parameters, []),
        OpenOrder::natural(&parameters)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Lowering digits by hashing published elements further on never verifies, whatever else is claimed.
    #[test]
    fn a_changed_witness_is_refused_off_chain_and_by_the_script(
        bits in 1usize..100,
        scheme in any::<prop::sample::Index>(),
        seed in any::<u64>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let parameters = scheme.get(&all_schemes(bits)).clone();
        let secret = secret(&parameters);
        let key = secret.public_key();
        let honest = secret.sign(&random_message(bits, &mut rng(seed))).witness_for_publish();
        let mut witness = honest.clone();
        for (index, change) in changes {
            let item = index.get_mut(&mut witness);
            if item.len() == 20 && change % 2 == 0 {
                *item = hash160::Hash::hash(item).to_byte_array().to_vec();
            } else if item.len() <= 1 && change % 3 == 0 {
                *item = vec![change / 16; usize::from(change % 2 == 0)];
            } else if item.len() <= 1 {
                *item = vec![1; usize::from(item.is_empty())];
            } else {
                item[usize::from(change) % 20] ^= 1;
            }
        }
        let accepted = execute(&script! { { key.publish_script() } OP_1 }, witness.clone(), None, Rules::Consensus).succeeded();
        prop_assert_eq!(accepted, witness == honest);
        prop_assert_eq!(key.recover(&witness).is_ok(), accepted);
    }
}
