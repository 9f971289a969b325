//! Scripts as text and back.
//!
//! Words are separated by white space: opcodes by Bitcoin Core's names, pushes of 1…75 bytes as `<hex>`, longer or
//! non-minimal ones as `OP_PUSHDATA1 <hex>`. Decimal numbers are read as minimal pushes. Bytes at the end of a script
//! that form no whole instruction are written `#hex`, so any script survives the round trip.

use std::fmt::Write;

use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::{Script, ScriptBuf};

use crate::ScriptWriter;
use crate::instructions::instructions;
use crate::opcodes;

/// Writes a script as text.
///
/// ```
/// use tapcourt_script::{asm, script};
///
/// let script = script! { OP_SIZE { 20 } OP_EQUALVERIFY { 1 } };
/// assert_eq!(asm::to_text(&script), "OP_SIZE <14> OP_EQUALVERIFY OP_1");
/// assert_eq!(asm::from_text("OP_SIZE 20 OP_EQUALVERIFY 1"), Ok(script));
/// ```
#[allow(clippy::missing_panics_doc)] // writing to a string cannot fail
pub fn to_text(script: &Script) -> String {
    let mut text = String::with_capacity(script.len() * 8);
    for instruction in instructions(script) {
        if !text.is_empty() {
            text.push(' ');
        }
        match instruction {
            Ok(instruction) => match instruction.opcode.to_u8() {
                0x01..=0x4b => write!(text, "<{:x}>", instruction.data.as_hex()),
                0x4c..=0x4e => {
                    write!(
                        text,
                        "{} <{:x}>",
                        opcodes::name(instruction.opcode),
                        instruction.data.as_hex()
                    )
                }
                _ => write!(text, "{}", opcodes::name(instruction.opcode)),
            },
            Err(truncated) => write!(
                text,
                "#{:x}",
                script.as_bytes()[truncated.position..].as_hex()
            ),
        }
        .expect("writing to a string does not fail");
    }
    text
}

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The word is neither opcode, number, `<hex>` nor `#hex`.
    #[error("word {index}: unknown {word:?}")]
    UnknownWord {
        /// Index of the word.
        index: usize,
        /// The word.
        word: String,
    },
    /// A `<hex>` or `#hex` is not hexadecimal, or of odd length.
    #[error("word {index}: {word:?} is not hexadecimal")]
    NotHex {
        /// Index of the word.
        index: usize,
        /// The word.
        word: String,
    },
    /// The bytes do not fit the push: 1…75 without an opcode, and what the length prefix of `OP_PUSHDATA<n>` can hold.
    #[error("word {index}: {bytes} bytes do not fit the push")]
    PushLength {
        /// Index of the word.
        index: usize,
        /// How many bytes there are.
        bytes: usize,
    },
    /// `OP_PUSHDATA<n>` without a following `<hex>`.
    #[error("word {index}: {word} without <data>")]
    MissingData {
        /// Index of the word.
        index: usize,
        /// The word.
        word: String,
    },
}

/// Reads a script from text.
///
/// # Errors
/// Names the first word that is not understood.
pub fn from_text(text: &str) -> Result<ScriptBuf, ParseError> {
    let mut writer = ScriptWriter::new();
    let mut words = text.split_whitespace().enumerate();
    while let Some((index, word)) = words.next() {
        if let Some(data) = pushed_data(index, word)? {
            match u8::try_from(data.len()) {
                Ok(len @ 1..=0x4b) => writer.raw(&[len]).raw(&data),
                _ => {
                    return Err(ParseError::PushLength {
                        index,
                        bytes: data.len(),
                    });
                }
            };
        } else if let Some(hex) = word.strip_prefix('#') {
            writer.raw(&decode_hex(index, word, hex)?);
        } else if let Ok(number) = word.parse::<i64>() {
            writer.int(number);
        } else {
            let opcode = opcodes::from_name(word).ok_or_else(|| ParseError::UnknownWord {
                index,
                word: word.to_owned(),
            })?;
            writer.op(opcode);
            let length_bytes = match opcode.to_u8() {
                0x4c => 1,
                0x4d => 2,
                0x4e => 4,
                _ => continue,
            };
            let missing = || ParseError::MissingData {
                index,
                word: word.to_owned(),
            };
            let (data_index, data_word) = words.next().ok_or_else(missing)?;
            let data = pushed_data(data_index, data_word)?.ok_or_else(missing)?;
            let prefix = data.len().to_le_bytes();
            let (length, rest) = prefix.split_at(length_bytes);
            if rest.iter().any(|&byte| byte != 0) {
                return Err(ParseError::PushLength {
                    index: data_index,
                    bytes: data.len(),
                });
            }
            writer.raw(length).raw(&data);
        }
    }
    Ok(writer.into_script())
}

/// The bytes of a `<hex>` word, or none if it is another word.
fn pushed_data(index: usize, word: &str) -> Result<Option<Vec<u8>>, ParseError> {
    match word
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        Some(hex) => decode_hex(index, word, hex).map(Some),
        None => Ok(None),
    }
}

fn decode_hex(index: usize, word: &str, hex: &str) -> Result<Vec<u8>, ParseError> {
    Vec::from_hex(hex).map_err(|_| ParseError::NotHex {
        index,
        word: word.to_owned(),
    })
}
