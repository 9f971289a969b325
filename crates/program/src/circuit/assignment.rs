//! Input and output values as text: bits in wire order, or a number in hexadecimal for each value.
//!
//! A value of `n` bits is a number whose bit `i`, of weight `2^i`, is the value's wire `i`. So `0x` and the hexadecimal
//! digits as one writes the number, most significant first, stand for the value, and so do its bits in wire order,
//! *least* significant first. For keys, blocks and digests the usual hexadecimal string is that number: the netlists of
//! AES and SHA-256 number their wires from the last bit of the last byte.

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
/// # Errors
/// Names the first character that is wrong, or the width.
///
/// ```
/// # use tapcourt_program::circuit::parse_value;
/// assert_eq!(parse_value("0x6", 4), parse_value("0110", 4));
/// assert_eq!(parse_value("0x1", 3), Ok(vec![true, false, false]));
/// ```
pub fn parse_value(text: &str, width: u32) -> Result<Vec<bool>, ValueError> {
    value_of(0, text.trim(), width as usize)
}

/// Reads the values of widths `widths`, separated by commas, and returns their bits one value after the other.
///
/// A text of `0` and `1` alone, without comma, is taken for the bits of all values together.
///
/// # Errors
/// Names the first value that is wrong and why, or how many there should be.
///
/// ```
/// # use tapcourt_program::circuit::parse_values;
/// assert_eq!(parse_values("0x3,01", &[4, 2]), parse_values("110001", &[4, 2]));
/// ```
pub fn parse_values(text: &str, widths: &[u32]) -> Result<Vec<bool>, ValueError> {
    let text = text.trim();
    let total = widths.iter().map(|&width| width as usize).sum();
    if !text.contains(',') && hex_digits(text).is_none() {
        return value_of(0, text, total);
    }
    let values: Vec<&str> = text.split(',').map(str::trim).collect();
    if values.len() != widths.len() {
        return Err(ValueError::ValueCount {
            expected: widths.len(),
            actual: values.len(),
        });
    }
    let mut bits = Vec::with_capacity(total);
    for (value, (text, &width)) in values.into_iter().zip(widths).enumerate() {
        bits.extend(value_of(value, text, width as usize)?);
    }
    Ok(bits)
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
    bits.resize(width, false);
    Ok(bits)
}
