//! Walking over a script's instructions, as Bitcoin Core's `GetScriptOp` reads them.

use bitcoin::Script;
use bitcoin::opcodes::Opcode;

/// One instruction of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// Offset of its first byte.
    pub position: usize,
    /// The opcode; for a push, the push opcode.
    pub opcode: Opcode,
    /// The bytes pushed; empty unless the opcode is `OP_PUSHBYTES_<n>` or `OP_PUSHDATA<n>`.
    pub data: &'a [u8],
    /// Offset of the byte after it.
    pub end: usize,
}

/// A push that runs past the end of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the push at byte {position} runs past the end of the script")]
pub struct Truncated {
    /// Offset of the push opcode.
    pub position: usize,
}

/// Returns an iterator over the instructions of a script; it ends after the first error.
pub fn instructions(script: &Script) -> Instructions<'_> {
    Instructions {
        bytes: script.as_bytes(),
        position: 0,
    }
}

/// Iterator returned by [`instructions`].
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, Truncated>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let position = self.position;
        let code = *self.bytes.get(position)?;
        if code > 0x4e || code == 0 {
            self.position += 1;
            return Some(Ok(Instruction {
                position,
                opcode: Opcode::from(code),
                data: &[],
                end: self.position,
            }));
        }
        let length_bytes = match code {
            0x4c => 1,
            0x4d => 2,
            0x4e => 4,
            _ => 0,
        };
        let start = position + 1 + length_bytes;
        let length = match self.bytes.get(position + 1..start) {
            Some([]) => Some(usize::from(code)),
            Some(prefix) => Some(
                prefix
                    .iter()
                    .rev()
                    .fold(0, |length, &byte| length << 8 | usize::from(byte)),
            ),
            None => None,
        };
        let end = length.and_then(|length| start.checked_add(length));
        match end.and_then(|end| Some((self.bytes.get(start..end)?, end))) {
            Some((data, end)) => {
                self.position = end;
                Some(Ok(Instruction {
                    position,
                    opcode: Opcode::from(code),
                    data,
                    end,
                }))
            }
            None => {
                self.position = self.bytes.len();
                Some(Err(Truncated { position }))
            }
        }
    }
}

/// Counts the instructions of a script, pushes included, up to the first truncated push.
pub fn count_opcodes(script: &Script) -> usize {
    instructions(script).filter(Result::is_ok).count()
}
