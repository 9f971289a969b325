//! Values as text: bits in wire order and hexadecimal numbers.

use proptest::prelude::*;
use tapcourt_program::circuit::{
    ValueError, format_bits, format_hex, format_values, parse_bits, parse_value, parse_values,
};

#[test]
fn bits_are_in_wire_order_and_numbers_are_numbers() {
    assert_eq!(parse_bits("0101"), Ok(vec![false, true, false, true]));
    assert_eq!(parse_value("0xA", 4), parse_bits("0101"));
    assert_eq!(parse_value(" 0Xa\n", 6), parse_bits("010100"));
    assert_eq!(parse_value("0x000a", 4), parse_bits("0101"));
    assert_eq!(parse_value("0x0", 3), parse_bits("000"));
    assert_eq!(parse_values("0xf, 0x1", &[4, 3]), parse_bits("1111100"));
    assert_eq!(parse_values("1111100", &[4, 3]), parse_bits("1111100"));
    assert_eq!(parse_values("1111,0x1", &[4, 3]), parse_bits("1111100"));
    assert_eq!(
        format_values(&[true, true, true, true, true, false, false], &[4, 3]),
        "0xf,0x1"
    );
}

#[test]
fn wrong_values_are_named() {
    let cases = [
        (
            parse_bits(""),
            ValueError::Empty { value: 0 },
            "value 0 is empty",
        ),
        (
            parse_bits("01021"),
            ValueError::NotABit {
                value: 0,
                position: 3,
                found: '2',
            },
            "value 0: '2' at position 3 is not a bit, 0 or 1",
        ),
        (
            parse_value("0x12é4", 16),
            ValueError::NotAHexDigit {
                value: 0,
                position: 2,
                found: 'é',
            },
            "value 0: 'é' at position 2 is not a hexadecimal digit",
        ),
        (
            parse_value("010", 4),
            ValueError::BitCount {
                value: 0,
                expected: 4,
                actual: 3,
            },
            "value 0 has 3 bits, not 4",
        ),
        (
            parse_value("0x10", 4),
            ValueError::TooLarge {
                value: 0,
                limit: 4,
                actual: 5,
            },
            "value 0 is a number of 5 bits, and does not fit in 4",
        ),
        (
            parse_values("0x1,0x", &[4, 3]),
            ValueError::Empty { value: 1 },
            "value 1 is empty",
        ),
        (
            parse_values("0x1,0x8", &[4, 3]),
            ValueError::TooLarge {
                value: 1,
                limit: 3,
                actual: 4,
            },
            "value 1 is a number of 4 bits, and does not fit in 3",
        ),
        (
            parse_values("0x1", &[4, 3]),
            ValueError::ValueCount {
                expected: 2,
                actual: 1,
            },
            "1 values are given, not 2",
        ),
        (
            parse_values("0x1,0x1,0x1", &[4, 3]),
            ValueError::ValueCount {
                expected: 2,
                actual: 3,
            },
            "3 values are given, not 2",
        ),
        (
            parse_values("111", &[4, 3]),
            ValueError::BitCount {
                value: 0,
                expected: 7,
                actual: 3,
            },
            "value 0 has 3 bits, not 7",
        ),
    ];
    for (parsed, error, message) in cases {
        assert_eq!(parsed, Err(error.clone()));
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #[test]
    fn written_values_are_read_back(values in prop::collection::vec(prop::collection::vec(any::<bool>(), 1..70), 1..5)) {
        let widths: Vec<u32> = values.iter().map(|value| value.len() as u32).collect();
        let bits = values.concat();
        prop_assert_eq!(parse_bits(&format_bits(&bits)), Ok(bits.clone()));
        prop_assert_eq!(parse_value(&format_hex(&values[0]), widths[0]), Ok(values[0].clone()));
        prop_assert_eq!(parse_values(&format_values(&bits, &widths), &widths), Ok(bits.clone()));
        prop_assert_eq!(parse_values(&format_bits(&bits), &widths), Ok(bits));
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".{0,40}", widths in prop::collection::vec(0..100_u32, 0..4)) {
        if let Ok(bits) = parse_values(&text, &widths) {
            prop_assert_eq!(bits.len(), widths.iter().sum::<u32>() as usize);
        }
    }
}
