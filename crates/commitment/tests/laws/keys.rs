//! Keys: derivation, what is secret, and what arrives from elsewhere.

use std::collections::HashSet;

use tapcourt_commitment::{
    KeyPath, Objective, Parameters, ParametersError, PublicKey, RecoverError, SecretKey, Seed,
    VerifyError, WrongEnds,
};

use crate::secret;

fn key(seed: [u8; 32], contract: [u8; 32], role: &str, label: &str) -> PublicKey {
    let parameters = Parameters::winternitz(8, 4).unwrap();
    SecretKey::derive(
        &Seed::new(seed),
        &KeyPath {
            contract,
            role,
            label,
        },
        &parameters,
    )
    .public_key()
}

#[test]
fn different_paths_share_no_chain() {
    let names = [
        "",
        "a",
        "b",
        "ab",
        "ba",
        "a\0",
        "\0a",
        "\u{1}",
        "a\u{1}\0\0\0\0\0\0\0b",
    ];
    let mut ends = HashSet::new();
    let mut keys = 0;
    for seed in [[0; 32], [1; 32]] {
        for contract in [[0; 32], [1; 32]] {
            for role in names {
                for label in names {
                    ends.extend(key(seed, contract, role, label).ends().to_vec());
                    keys += 1;
                }
            }
        }
    }
    assert_eq!(
        ends.len(),
        keys * Parameters::winternitz(8, 4).unwrap().chains()
    );
    println!("{keys} keys, {} chains, all different", ends.len());
}

#[test]
fn derivation_is_pinned() {
    // Computed from the documented formula with Python's hashlib; the chains have 15, 15 and 31 hashes.
    let key = key([1; 32], [2; 32], "prover", "output/0");
    let ends: Vec<String> = key
        .ends()
        .iter()
        .map(|end| end.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    let expected = [
        "14aaa6a39fc26325010293f01f02b3db39ebf9fa",
        "c470ecf5338cb570f4df2b1b15e7db1779ca5ff9",
        "1ab6b52d8e12cbb8723848420cb32570cd451250",
    ];
    assert_eq!(ends, expected);
}

#[test]
fn keys_and_shapes_survive_serialisation_and_damaged_ones_are_refused() {
    for parameters in [
        Parameters::cheapest(160, &Objective::default()).unwrap(),
        Parameters::winternitz(33, 3).unwrap(),
        Parameters::lamport(5).unwrap(),
        Parameters::winternitz(33, 4)
            .unwrap()
            .with_picks(7)
            .unwrap(),
    ] {
        let key = secret(&parameters).public_key();
        let bytes = postcard::to_allocvec(&key).unwrap();
        assert_eq!(postcard::from_bytes::<PublicKey>(&bytes), Ok(key.clone()));
        for cut in 0..bytes.len() {
            assert!(postcard::from_bytes::<PublicKey>(&bytes[..cut]).is_err());
        }
        // A changed byte gives no key, or another one; never a panic.
        let mut refused = 0;
        for position in 0..bytes.len() {
            for change in [1, 0x40, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[position] ^= change;
                match postcard::from_bytes::<PublicKey>(&damaged) {
                    Ok(other) => assert_ne!(other, key),
                    Err(_) => refused += 1,
                }
            }
        }
        println!("{} bytes, {refused} damaged encodings refused", bytes.len());

        let ends = key.ends()[1..].to_vec();
        let expected = WrongEnds {
            actual: ends.len(),
            expected: parameters.chains(),
        };
        assert_eq!(PublicKey::new(parameters, ends), Err(expected));
    }
}

#[test]
fn a_shape_has_one_encoding() {
    // Variant 2 is that of shapes with picks; none of them is variant 0.
    let flags = Parameters::winternitz(12, 4).unwrap();
    let picked = postcard::to_allocvec(&flags.with_picks(2).unwrap()).unwrap();
    assert_eq!((picked[0], picked.last()), (2, Some(&2)));
    for (picks, is_shape) in [(0, false), (1, true), (3, true), (4, false), (127, false)] {
        let mut bytes = picked.clone();
        *bytes.last_mut().unwrap() = picks;
        let read = postcard::from_bytes::<Parameters>(&bytes);
        assert_eq!(read.is_ok(), is_shape, "{picks} picks: {read:?}");
    }
    assert_eq!(
        flags.with_picks(4),
        Err(ParametersError::Picks {
            asked: 4,
            possible: 3
        })
    );
    assert!(Parameters::lamport(8).unwrap().with_picks(1).is_err());
    assert!(Parameters::winternitz(8, 2).unwrap().with_picks(1).is_err());
}

#[test]
fn an_opening_verifies_under_its_own_key_only() {
    let parameters = Parameters::winternitz(16, 4).unwrap();
    let path = |label| KeyPath {
        contract: [0; 32],
        role: "prover",
        label,
    };
    let seed = Seed::new([7; 32]);
    let [mine, other] =
        ["mine", "other"].map(|label| SecretKey::derive(&seed, &path(label), &parameters));
    let opening = mine.sign(&[true; 16]);
    let error = VerifyError::WrongElement {
        digit: 0,
        value: 15,
    };
    assert_eq!(other.public_key().verify(&opening), Err(error.clone()));
    assert_eq!(
        other.public_key().recover(&opening.witness_for_publish()),
        Err(RecoverError::Verify(error))
    );

    let shape = Parameters::winternitz(16, 2).unwrap();
    let error = secret(&shape).public_key().verify(&opening);
    assert_eq!(error, Err(VerifyError::OtherParameters));
}

#[test]
#[should_panic(expected = "the message has the key's number of bits")]
fn a_message_of_another_length_is_not_signed() {
    secret(&Parameters::lamport(3).unwrap()).sign(&[true; 4]);
}
