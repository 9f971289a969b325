//! Values as text: bits in wire order and hexadecimal numbers.

use proptest::prelude::*;
use tapcourt_program::circuit::{
    ValueError, format_bits, format_hex, format_values, parse_bits, parse_value, parse_values,
};
use tapcourt_program::riscv::parse_words;

#[test]
fn bits_are_in_wire_order_and_numbers_are_numbers() {
    assert_eq!(parse_bits("0101"), Ok(vec![false, true, false, true]));
    assert_eq!(parse_value("0xA", 4), parse_bits("0101"));
    assert_eq!(parse_value(" 0Xa\n", 6), parse_bits("010100"));
    assert_eq!(parse_value("0x000a", 4), parse_bits("0101"));
    assert_eq!(parse_value("0x0", 3), parse_bits("000"));
    for text in ["0xf, 0x1", "1111100", "1111,0x1"] {
        assert_eq!(parse_values(text, &[4, 3]).ok(), parse_bits("1111100").ok());
    }
    assert_eq!(
        format_values(&[true, true, true, true, true, false, false], &[4, 3]),
        "0xf,0x1"
    );
}

#[test]
fn wrong_values_are_named() {
    let reason = |text| parse_values(text, &[4, 3]).map_err(|error| error.reason);
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
            parse_value("0x7461", 256),
            ValueError::TooFewDigits {
                value: 0,
                width: 256,
                expected: 64,
                actual: 4,
            },
            "value 0 has 4 hexadecimal digits, its 256 bits take 64: if a number is meant, write 60 zeros in front",
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
            reason("0x1,0x"),
            ValueError::Empty { value: 1 },
            "value 1 is empty",
        ),
        (
            reason("0x1,0x8"),
            ValueError::TooLarge {
                value: 1,
                limit: 3,
                actual: 4,
            },
            "value 1 is a number of 4 bits, and does not fit in 3",
        ),
        (
            reason("0x1"),
            ValueError::ValueCount {
                expected: 2,
                actual: 1,
            },
            "1 values are given, not 2",
        ),
        (
            reason("0x1,0x1,0x1"),
            ValueError::ValueCount {
                expected: 2,
                actual: 3,
            },
            "3 values are given, not 2",
        ),
        (
            reason("111"),
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

#[test]
fn values_stand_between_commas_blanks_and_line_breaks() {
    let expected = parse_bits("1111100").ok();
    for text in [
        "0xf,0x1",
        "0xf 0x1",
        "0xF\n0X1\n",
        "\u{feff}0xf,\r\n100\r\n",
        "# two values\n1111 # the first\n100",
        "1111100 # both",
    ] {
        assert_eq!(parse_values(text, &[4, 3]).ok(), expected, "{text:?}");
    }
    for text in ["", " \n", "# none"] {
        assert_eq!(parse_values(text, &[]), Ok(Vec::new()), "{text:?}");
    }
}

#[test]
fn a_value_that_is_wrong_has_a_place() {
    let cases = [
        ("0xf,0x1g", 1, 8),
        ("0xf\n 0x8", 2, 2),
        ("0xf\r\n102", 2, 3),
        ("0xf,,0x1", 1, 5),
        ("0xf,", 1, 5),
        ("0xf", 1, 4),
        ("0xf 0x1\n0x2", 2, 1),
        ("11111O0", 1, 6),
        ("", 1, 1),
        ("15,1", 1, 2),
    ];
    for (text, line, column) in cases {
        let error = parse_values(text, &[4, 3]).expect_err(text);
        println!("{text:?}: {error}");
        assert_eq!(
            (error.place.line, error.place.column),
            (line, column),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn leading_zeros_are_left_out_of_numbers_only() {
    for width in [1, 63, 64] {
        assert!(parse_value("0x1", width).is_ok(), "{width}");
    }
    for width in [65_u32, 128, 256] {
        let digits = width.div_ceil(4) as usize;
        let padded = |digits: usize| format!("0x{}1", "0".repeat(digits - 1));
        assert!(parse_value(&padded(digits - 1), width).is_err(), "{width}");
        assert!(parse_value(&padded(digits), width).is_ok(), "{width}");
        assert!(parse_value(&padded(digits + 1), width).is_ok(), "{width}");
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
    fn written_words_are_read_back(words in prop::collection::vec(any::<u32>(), 0..9)) {
        let decimal: Vec<String> = words.iter().map(u32::to_string).collect();
        let hexadecimal: Vec<String> = words.iter().map(|word| format!("{word:#x}")).collect();
        let bytes: String = words.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("{byte:02X}")).collect();
        for text in [decimal.join(","), hexadecimal.join("\r\n"), format!("hex:{bytes}")] {
            prop_assert_eq!(parse_words(&text).ok(), Some(words.clone()));
        }
    }

    #[test]
    fn any_text_is_words_or_has_a_place(text in "(hex:)?[0-9a-fxX ,#\n\r\u{feff}é]{0,40}|.{0,40}") {
        if let Err(error) = parse_words(&text) {
            let lines = text.split('\n').count();
            prop_assert!((1..=lines).contains(&error.place.line) && error.place.column > 0);
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".{0,40}", widths in prop::collection::vec(0..100_u32, 0..4)) {
        if let Ok(bits) = parse_values(&text, &widths) {
            prop_assert_eq!(bits.len(), widths.iter().sum::<u32>() as usize);
        }
    }
}
