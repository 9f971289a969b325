//! Script numbers: little-endian magnitude with a sign bit in the last byte (Bitcoin Core's `CScriptNum`).

use crate::limits::MAX_NUMBER_BYTES;

/// Why bytes are not a number that an opcode takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// More bytes than the operand may have.
    TooLong,
    /// A shorter encoding of the same number exists.
    NonMinimal,
}

/// Encodes a number minimally: the bytes are `buffer[..len]`.
#[inline]
pub(crate) fn encode(value: i64) -> ([u8; 9], usize) {
    let mut buffer = [0u8; 9];
    if value == 0 {
        return (buffer, 0);
    }
    let magnitude = value.unsigned_abs();
    buffer[..8].copy_from_slice(&magnitude.to_le_bytes());
    let mut len = 8 - magnitude.leading_zeros() as usize / 8; // cast ok: at most 64
    if buffer[len - 1] & 0x80 != 0 {
        len += 1;
    }
    if value < 0 {
        buffer[len - 1] |= 0x80;
    }
    (buffer, len)
}

/// Decodes an operand of at most `max_bytes` bytes; consensus allows superfluous zero bytes, policy does not.
#[inline]
pub(crate) fn decode(bytes: &[u8], max_bytes: usize, minimal: bool) -> Result<i64, NumberError> {
    if bytes.len() > max_bytes {
        return Err(NumberError::TooLong);
    }
    let Some((&last, rest)) = bytes.split_last() else {
        return Ok(0);
    };
    if minimal && last & 0x7f == 0 && rest.last().is_none_or(|before| before & 0x80 == 0) {
        return Err(NumberError::NonMinimal);
    }
    let mut magnitude = i64::from(last & 0x7f);
    for &byte in rest.iter().rev() {
        magnitude = magnitude << 8 | i64::from(byte);
    }
    Ok(if last & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    })
}

/// Returns the minimal encoding of a number, as arithmetic opcodes leave it on the stack.
///
/// ```
/// assert_eq!(tapcourt_script::encode_number(-129), [0x81, 0x80]);
/// ```
pub fn encode_number(value: i64) -> Vec<u8> {
    let (buffer, len) = encode(value);
    buffer[..len].to_vec()
}

/// Reads a stack item as an arithmetic opcode would: at most 4 bytes, superfluous zero bytes allowed as by consensus.
///
/// ```
/// assert_eq!(tapcourt_script::decode_number(&[0x81, 0x80]), Some(-129));
/// assert_eq!(tapcourt_script::decode_number(&[0x80]), Some(0)); // negative zero
/// assert_eq!(tapcourt_script::decode_number(&[0; 5]), None);
/// ```
pub fn decode_number(bytes: &[u8]) -> Option<i64> {
    decode(bytes, MAX_NUMBER_BYTES, false).ok()
}

/// Reads a stack item as a condition: false if every byte is zero, except that the last may be 0x80 (negative zero).
#[inline]
pub(crate) fn is_true(bytes: &[u8]) -> bool {
    match bytes.split_last() {
        None => false,
        Some((&last, rest)) => last & 0x7f != 0 || (rest.iter().any(|&byte| byte != 0)),
    }
}
