//! Input and output values as text: bits in wire order, or a number in hexadecimal for each value.
//!
//! A value of `n` bits is a number whose bit `i`, of weight `2^i`, is the value's wire `i`. So `0x` and the hexadecimal
//! digits as one writes the number, most significant first, stand for the value, and so do its bits in wire order,
//! *least* significant first. For keys, blocks and digests the usual hexadecimal string is that number: the netlists of
//! AES and SHA-256 number their wires from the last bit of the last byte.
//!
//! A value of more than [`MAX_SHORT_BITS`] bits is a key, a block or a digest rather than a number,
//! so all of its digits are wanted: zeros that nobody wrote would make it another one.

use crate::text::{Place, TextError, split};

/// Bits of the widest value whose leading zeros may be left out in hexadecimal.
pub const MAX_SHORT_BITS: usize = 64;

/// Why a text is not the value of circuit wires. Values and characters are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A value has no digits.
    #[error("value {value} is empty")]
    Empty {
        /// The value.
        value: usize,
    },
    /// A character that is no bit.
    #[error("value {value}: {found:?} at position {position} is not a bit, 0 or 1")]
    NotABit {
        /// The value.
        value: usize,
        /// The character's position in the value.
        position: usize,
        /// The character.
        found: char,
    },
    /// A character that is no hexadecimal digit.
    #[error("value {value}: {found:?} at position {position} is not a hexadecimal digit")]
    NotAHexDigit {
        /// The value.
        value: usize,
        /// The character's position in the value, after `0x`.
        position: usize,
        /// The character.
        found: char,
    },
    /// A value given as bits has not as many as the circuit's.
    #[error("value {value} has {actual} bits, not {expected}")]
    BitCount {
        /// The value.
        value: usize,
        /// The bits of the circuit's value.
        expected: usize,
        /// The bits given.
        actual: usize,
    },
    /// A number does not fit in the bits of the circuit's value.
    #[error("value {value} is a number of {actual} bits, and does not fit in {limit}")]
    TooLarge {
        /// The value.
        value: usize,
        /// The bits of the circuit's value.
        limit: usize,
        /// The bits that the number needs.
        actual: usize,
    },
    /// A wide value has fewer hexadecimal digits than it takes.
    #[error(
        "value {value} has {actual} hexadecimal digits, its {width} bits take {expected}: if a number is meant, write {} zeros in front",
        expected - actual
    )]
    TooFewDigits {
        /// The value.
        value: usize,
        /// The bits of the circuit's value.
        width: usize,
        /// The digits that it takes.
        expected: usize,
        /// The digits given.
        actual: usize,
    },
    /// There are more or fewer values than the circuit has.
    #[error("{actual} values are given, not {expected}")]
    ValueCount {
        /// The circuit's values.
        expected: usize,
        /// The values given.
        actual: usize,
    },
}

/// Reads bits in wire order: character `i` is wire `i`.
///
/// # Errors
/// When the text is empty, or has a character other than `0` and `1`.
///
/// ```
/// # use tapcourt_program::circuit::parse_bits;
/// assert_eq!(parse_bits("011"), Ok(vec![false, true, true]));
/// ```
pub fn parse_bits(text: &str) -> Result<Vec<bool>, ValueError> {
    bits_of(0, text)
}

/// Reads one value of `width` bits: `0x` and a number of at most `width` bits, or exactly `width` bits in wire order.
///
/// A number may be written without its leading zeros up to a width of [`MAX_SHORT_BITS`].
///
/// # Errors
/// Names the first character that is wrong, or the width, or the number of digits.
///
/// ```
/// # use tapcourt_program::circuit::parse_value;
/// assert_eq!(parse_value("0x6", 4), parse_value("0110", 4));
/// assert_eq!(parse_value("0x1", 3), Ok(vec![true, false, false]));
/// ```
pub fn parse_value(text: &str, width: u32) -> Result<Vec<bool>, ValueError> {
    value_of(0, text.trim(), width as usize)
}

/// Reads the values of widths `widths`, between commas, blanks or line breaks, each as of
/// [`parse_value`], and returns their bits one value after the other.
///
/// A text of `0` and `1` alone, in one piece, is taken for the bits of all values together. A
/// byte-order mark in front is left out, and so is a comment, from `#` to the end of its line. An
/// empty text is no values.
///
/// # Errors
/// Names the first value that is wrong and why, or how many there should be, with line and column.
///
/// ```
/// # use tapcourt_program::circuit::parse_values;
/// assert_eq!(parse_values("0x3,01", &[4, 2]), parse_values("110001", &[4, 2]));
/// assert_eq!(
///     parse_values("0x3\n02", &[4, 2]).unwrap_err().to_string(),
///     "line 2, column 2: value 1: '2' at position 1 is not a bit, 0 or 1"
/// );
/// assert_eq!(parse_values("", &[]), Ok(vec![]));
/// ```
pub fn parse_values(text: &str, widths: &[u32]) -> Result<Vec<bool>, TextError<ValueError>> {
    let split = split(text);
    let wrong = |place, reason| Err(TextError { place, reason });
    if let Some(place) = split.missing {
        let before = |place: Place| (place.line, place.column);
        let value = split
            .items
            .partition_point(|item| before(item.place) < before(place));
        return wrong(place, ValueError::Empty { value });
    }
    let total = widths.iter().map(|&width| width as usize).sum();
    if let [item] = split.items.as_slice()
        && hex_digits(item.text).is_none()
    {
        return value_of(0, item.text, total).map_err(|reason| reason.at(item.place, item.text));
    }
    if split.items.len() != widths.len() {
        let surplus = split.items.get(widths.len());
        let counts = ValueError::ValueCount {
            expected: widths.len(),
            actual: split.items.len(),
        };
        return wrong(surplus.map_or(split.end, |item| item.place), counts);
    }
    let mut bits = Vec::with_capacity(total);
    for (value, (item, &width)) in split.items.into_iter().zip(widths).enumerate() {
        let value = value_of(value, item.text, width as usize);
        bits.extend(value.map_err(|reason| reason.at(item.place, item.text))?);
    }
    Ok(bits)
}

impl ValueError {
    /// Adds where it is in a text, for a value that begins at `place`.
    fn at(self, place: Place, value: &str) -> TextError<Self> {
        let column = match &self {
            Self::NotABit { position, .. } => *position,
            Self::NotAHexDigit { position, .. } => {
                position + hex_digits(value).map_or(0, |digits| value.len() - digits.len())
            }
            _ => 0,
        };
        TextError {
            place: place.right(column),
            reason: self,
        }
    }
}

/// Writes bits in wire order: character `i` is wire `i`.
pub fn format_bits(bits: &[bool]) -> String {
    bits.iter()
        .map(|&bit| if bit { '1' } else { '0' })
        .collect()
}

/// Writes one value in hexadecimal, `0x` and as many digits as its width needs.
///
/// ```
/// # use tapcourt_program::circuit::format_hex;
/// assert_eq!(format_hex(&[true, false, true, false, true]), "0x15");
/// ```
pub fn format_hex(bits: &[bool]) -> String {
    let digit = |nibble: &[bool]| {
        let number = nibble
            .iter()
            .rev()
            .fold(0, |number, &bit| 2 * number + usize::from(bit));
        char::from(b"0123456789abcdef"[number])
    };
    "0x".chars()
        .chain(bits.chunks(4).rev().map(digit))
        .collect()
}

/// Writes values of widths `widths` in hexadecimal, separated by commas.
///
/// `bits` holds one value after the other; bits after the last value are left out, missing ones shorten it.
pub fn format_values(bits: &[bool], widths: &[u32]) -> String {
    let mut rest = bits;
    let values = widths.iter().map(|&width| {
        let (value, after) = rest.split_at(rest.len().min(width as usize));
        rest = after;
        format_hex(value)
    });
    values.collect::<Vec<_>>().join(",")
}

fn hex_digits(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn value_of(value: usize, text: &str, width: usize) -> Result<Vec<bool>, ValueError> {
    if let Some(digits) = hex_digits(text) {
        return number_of(value, digits, width);
    }
    let bits = bits_of(value, text)?;
    if bits.len() != width {
        return Err(ValueError::BitCount {
            value,
            expected: width,
            actual: bits.len(),
        });
    }
    Ok(bits)
}

fn bits_of(value: usize, text: &str) -> Result<Vec<bool>, ValueError> {
    if text.is_empty() {
        return Err(ValueError::Empty { value });
    }
    let bit = |(position, found)| match found {
        '0' => Ok(false),
        '1' => Ok(true),
        _ => Err(ValueError::NotABit {
            value,
            position,
            found,
        }),
    };
    text.chars().enumerate().map(bit).collect()
}

fn number_of(value: usize, digits: &str, width: usize) -> Result<Vec<bool>, ValueError> {
    if digits.is_empty() {
        return Err(ValueError::Empty { value });
    }
    let digit = |(position, found): (usize, char)| {
        found.to_digit(16).ok_or(ValueError::NotAHexDigit {
            value,
            position,
            found,
        })
    };
    let nibbles = digits
        .chars()
        .enumerate()
        .map(digit)
        .collect::<Result<Vec<_>, _>>()?;
    let mut bits: Vec<bool> = nibbles
        .iter()
        .rev()
        .flat_map(|nibble| (0..4).map(move |i| nibble >> i & 1 == 1))
        .collect();
    let actual = bits
        .iter()
        .rposition(|&bit| bit)
        .map_or(0, |highest| highest + 1);
    if actual > width {
        return Err(ValueError::TooLarge {
            value,
            limit: width,
            actual,
        });
    }
    let expected = width.div_ceil(4);
    if width > MAX_SHORT_BITS && nibbles.len() < expected {
        return Err(ValueError::TooFewDigits {
            value,
            width,
            expected,
            actual: nibbles.len(),
        });
    }
    bits.resize(width, false);
    Ok(bits)
}
