//! Input words as text and as bytes.

use crate::text::{Item, Place, TextError, shorten, split};

/// What stands in front of bytes in hexadecimal.
const HEX: &str = "hex:";

/// Why a text is not a list of input words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// A comma has no word on one of its sides.
    #[error("a word is missing beside the comma")]
    Missing,
    /// A number has no digits.
    #[error("'{item}' has no digits")]
    NoDigits {
        /// What stands there, shortened.
        item: String,
    },
    /// A character that is no digit.
    #[error("{found:?} in '{item}' is not a digit of a {base} number")]
    NotADigit {
        /// The character.
        found: char,
        /// What it stands in, shortened.
        item: String,
        /// `decimal` or `hexadecimal`.
        base: &'static str,
    },
    /// A number that is no word.
    #[error(
        "{item} does not fit in a word of 32 bits: 4294967295, which is 0xffffffff, is the largest"
    )]
    TooLarge {
        /// The number, shortened.
        item: String,
    },
    /// A character that is no hexadecimal digit among the bytes.
    #[error("{found:?} is not a hexadecimal digit of the bytes after 'hex:'")]
    NotAHexDigit {
        /// The character.
        found: char,
    },
    /// The last byte has one digit.
    #[error("{digits} hexadecimal digits after 'hex:' are not a whole number of bytes")]
    HalfAByte {
        /// The digits.
        digits: usize,
    },
}

/// Reads input words: numbers, decimal or in hexadecimal after `0x` or `0X`, between commas, blanks
/// or line breaks; or `hex:` and bytes, two digits each, which [`pack_words`] makes words of.
///
/// A byte-order mark in front is left out, and so is a comment, from `#` to the end of its line. A
/// text without any word is no words.
///
/// # Errors
/// Says what is wrong first, with line and column.
///
/// ```
/// # use tapcourt_program::riscv::parse_words;
/// assert_eq!(parse_words("1, 0xff\n4294967295 # the largest"), Ok(vec![1, 255, u32::MAX]));
/// assert_eq!(parse_words("hex:01020304 05"), Ok(vec![0x0403_0201, 5]));
/// assert_eq!(
///     parse_words("47,29712l5073").unwrap_err().to_string(),
///     "line 1, column 9: 'l' in '29712l5073' is not a digit of a decimal number"
/// );
/// ```
pub fn parse_words(text: &str) -> Result<Vec<u32>, TextError<WordError>> {
    let split = split(text);
    if let Some(place) = split.missing {
        return Err(TextError {
            place,
            reason: WordError::Missing,
        });
    }
    match split.items.split_first() {
        Some((first, rest)) if first.text.starts_with(HEX) => {
            Ok(pack_words(&parse_bytes(first, rest)?))
        }
        _ => split.items.iter().map(parse_word).collect(),
    }
}

/// Packs bytes into words, the first byte lowest, with zeros behind the last.
pub fn pack_words(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(word)
    });
    words.collect()
}

fn parse_word(item: &Item<'_>) -> Result<u32, TextError<WordError>> {
    let wrong = |columns: usize, reason| TextError {
        place: item.place.right(columns),
        reason,
    };
    let prefixes = ["0x", "0X"];
    let hexadecimal = prefixes
        .iter()
        .find_map(|prefix| item.text.strip_prefix(prefix));
    let (digits, radix, base) = match hexadecimal {
        Some(digits) => (digits, 16, "hexadecimal"),
        None => (item.text, 10, "decimal"),
    };
    let prefix = item.text.len() - digits.len();
    if digits.is_empty() {
        let item = shorten(item.text);
        return Err(wrong(prefix, WordError::NoDigits { item }));
    }
    let mut digits = digits.chars().enumerate();
    digits.try_fold(0u32, |word, (place, found)| {
        let digit = found.to_digit(radix).ok_or_else(|| {
            let item = shorten(item.text);
            wrong(prefix + place, WordError::NotADigit { found, item, base })
        })?;
        let word = word
            .checked_mul(radix)
            .and_then(|word| word.checked_add(digit));
        word.ok_or_else(|| {
            let item = shorten(item.text);
            wrong(0, WordError::TooLarge { item })
        })
    })
}

/// Reads the bytes after `hex:`, whose digits may have blanks and line breaks between them.
fn parse_bytes(first: &Item<'_>, rest: &[Item<'_>]) -> Result<Vec<u8>, TextError<WordError>> {
    let not_a_digit = |place: Place, found| TextError {
        place,
        reason: WordError::NotAHexDigit { found },
    };
    let mut digits = Vec::new();
    let first = Item {
        text: &first.text[HEX.len()..],
        place: first.place.right(HEX.len()),
        comma: None,
    };
    for item in std::iter::once(&first).chain(rest) {
        if let Some(place) = item.comma {
            return Err(not_a_digit(place, ','));
        }
        for (column, found) in item.text.chars().enumerate() {
            let digit = found.to_digit(16);
            let digit = digit.ok_or_else(|| not_a_digit(item.place.right(column), found))?;
            digits.push(digit as u8); // cast ok: at most 15
        }
    }
    let (bytes, half) = digits.as_chunks::<2>();
    if !half.is_empty() {
        return Err(TextError {
            place: first.place,
            reason: WordError::HalfAByte {
                digits: digits.len(),
            },
        });
    }
    Ok(bytes.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_people_write_them() {
        for text in [
            "1,255,4294967295",
            " 1 , 0xff , 4294967295 ",
            "1\n255\n4294967295\n",
            "1,\r\n0XFF\r\n0xFFFFffff\r\n",
            "\u{feff}1 255 4294967295",
            "\u{feff}# three words\n1 # one\n\t255\n0x00000000ffffffff#",
        ] {
            assert_eq!(parse_words(text), Ok(vec![1, 255, u32::MAX]), "{text:?}");
        }
        for text in ["", "\n", "\u{feff}", "# none", "hex:", "hex: \n"] {
            assert_eq!(parse_words(text), Ok(Vec::new()), "{text:?}");
        }
        for text in [
            "hex:0102030405",
            "\u{feff}hex:01 02 03\r\n04 05\n",
            "# bytes\nhex:\n01020304\n05 # five\n",
        ] {
            assert_eq!(parse_words(text), Ok(vec![0x0403_0201, 5]), "{text:?}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_place() {
        let cases = [
            ("one", (1, 1)),
            ("-1", (1, 1)),
            ("+1", (1, 1)),
            ("0x+1", (1, 3)),
            ("0x", (1, 3)),
            ("1\n2\n3;4", (3, 2)),
            ("1,\n 4294967296", (2, 2)),
            ("0x100000000", (1, 1)),
            ("1 0xfg", (1, 6)),
            ("1,,2", (1, 3)),
            ("1,2,", (1, 5)),
            ("hex:12\n3", (1, 5)),
            ("hex:1z", (1, 6)),
            ("hex:12,34", (1, 7)),
            ("HEX:12", (1, 1)),
            ("1 hex:12", (1, 3)),
            ("1\0", (1, 2)),
            ("1\u{feff}", (1, 2)),
            ("１", (1, 1)),
        ];
        for (text, (line, column)) in cases {
            let error = parse_words(text).expect_err(text);
            println!("{text:?}: {error}");
            assert_eq!(error.place, Place { line, column }, "{text:?}: {error}");
        }
    }
}
