//! Appending opcodes and pushes to a script, and what the [`script!`](crate::script) macro can push.

use bitcoin::key::XOnlyPublicKey;
use bitcoin::opcodes::Opcode;
use bitcoin::{Script, ScriptBuf};

use crate::Fragment;
use crate::number;
use crate::opcodes::{OP_0, OP_1NEGATE, OP_PUSHDATA1, OP_PUSHDATA2, OP_PUSHDATA4};

/// A script under construction: bytes, appended to in amortised constant time.
///
/// Every push is minimal, as relay policy asks (`SCRIPT_VERIFY_MINIMALDATA`).
///
/// ```
/// use tapcourt_script::ScriptWriter;
/// use tapcourt_script::opcodes::*;
///
/// let mut writer = ScriptWriter::new();
/// writer.int(16).int(17).op(OP_ADD);
/// assert_eq!(writer.len(), 4);
/// assert_eq!(writer.into_script().to_hex_string(), "60011193");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptWriter {
    bytes: Vec<u8>,
}

impl ScriptWriter {
    /// Creates an empty script.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty script with room for `bytes` bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// Appends one opcode.
    #[inline]
    pub fn op(&mut self, opcode: Opcode) -> &mut Self {
        self.bytes.push(opcode.to_u8());
        self
    }

    /// Appends the shortest push of a number: `OP_0`, `OP_1NEGATE`, `OP_1`…`OP_16`, otherwise its script number.
    #[inline]
    pub fn int(&mut self, value: i64) -> &mut Self {
        match value {
            0 => self.bytes.push(OP_0.to_u8()),
            -1 | 1..=16 => self.bytes.push(small_number_code(value)),
            _ => {
                let (buffer, len) = number::encode(value);
                self.bytes.push(len as u8); // cast ok: a script number of an i64 has at most 9 bytes
                self.bytes.extend_from_slice(&buffer[..len]);
            }
        }
        self
    }

    /// Appends the shortest push of a byte string.
    ///
    /// # Panics
    /// If there are more than 2^32 - 1 bytes, which no script can push.
    pub fn data(&mut self, data: &[u8]) -> &mut Self {
        match *data {
            [] => self.bytes.push(OP_0.to_u8()),
            [value @ 1..=16] => self.bytes.push(small_number_code(i64::from(value))),
            [0x81] => self.bytes.push(OP_1NEGATE.to_u8()),
            _ => {
                // The casts below are within the range that their arm states.
                match data.len() {
                    len @ 0..=0x4b => self.bytes.push(len as u8),
                    len @ 0x4c..=0xff => self
                        .bytes
                        .extend_from_slice(&[OP_PUSHDATA1.to_u8(), len as u8]),
                    len @ 0x100..=0xffff => {
                        self.bytes.push(OP_PUSHDATA2.to_u8());
                        self.bytes.extend_from_slice(&(len as u16).to_le_bytes());
                    }
                    len => {
                        let len = u32::try_from(len).expect("a push holds less than 2^32 bytes");
                        self.bytes.push(OP_PUSHDATA4.to_u8());
                        self.bytes.extend_from_slice(&len.to_le_bytes());
                    }
                }
                self.bytes.extend_from_slice(data);
            }
        }
        self
    }

    /// Appends a whole script, not as a push but spliced in.
    #[inline]
    pub fn script(&mut self, script: &Script) -> &mut Self {
        self.bytes.extend_from_slice(script.as_bytes());
        self
    }

    /// Appends anything that [`script!`](crate::script) accepts in braces.
    #[inline]
    pub fn push<T: Pushable + ?Sized>(&mut self, value: &T) -> &mut Self {
        value.push_onto(self);
        self
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The script so far.
    pub fn as_script(&self) -> &Script {
        Script::from_bytes(&self.bytes)
    }

    /// Finishes the script.
    pub fn into_script(self) -> ScriptBuf {
        ScriptBuf::from_bytes(self.bytes)
    }

    /// Appends raw bytes, for callers inside the crate that already hold an encoded piece of script.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
}

/// The opcode that pushes -1 or 1…16: they lie around `OP_RESERVED` (0x50) in order.
#[inline]
fn small_number_code(value: i64) -> u8 {
    (0x50 + value) as u8 // cast ok: callers pass -1 or 1..=16
}

/// A value that `{ … }` in [`script!`](crate::script) can append.
///
/// Numbers and byte strings become minimal pushes; scripts and fragments are spliced in as they are.
pub trait Pushable {
    /// Appends this value.
    fn push_onto(&self, writer: &mut ScriptWriter);
}

impl<T: Pushable + ?Sized> Pushable for &T {
    #[inline]
    fn push_onto(&self, writer: &mut ScriptWriter) {
        (**self).push_onto(writer);
    }
}

macro_rules! pushable_integers {
    ($($integer:ty)*) => {$(
        impl Pushable for $integer {
            #[inline]
            fn push_onto(&self, writer: &mut ScriptWriter) {
                writer.int(i64::from(*self));
            }
        }
    )*};
}
pushable_integers!(i8 i16 i32 i64 u8 u16 u32);

/// # Panics
/// Above `i64::MAX`, far beyond the 4 bytes that any opcode takes as an operand.
impl Pushable for usize {
    #[inline]
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.int(i64::try_from(*self).expect("a script number fits i64"));
    }
}

/// # Panics
/// Above `i64::MAX`, far beyond the 4 bytes that any opcode takes as an operand.
impl Pushable for u64 {
    #[inline]
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.int(i64::try_from(*self).expect("a script number fits i64"));
    }
}

impl Pushable for bool {
    #[inline]
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.int(i64::from(*self));
    }
}

impl Pushable for [u8] {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.data(self);
    }
}

impl<const N: usize> Pushable for [u8; N] {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.data(self);
    }
}

impl Pushable for Vec<u8> {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.data(self);
    }
}

impl Pushable for XOnlyPublicKey {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.data(&self.serialize());
    }
}

impl Pushable for Opcode {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.op(*self);
    }
}

impl Pushable for Script {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.script(self);
    }
}

impl Pushable for ScriptBuf {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.script(self);
    }
}

impl Pushable for ScriptWriter {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.script(self.as_script());
    }
}

impl Pushable for Fragment {
    fn push_onto(&self, writer: &mut ScriptWriter) {
        writer.script(self.script());
    }
}

macro_rules! pushable_sequences {
    ($($element:ty)*) => {$(
        impl Pushable for [$element] {
            fn push_onto(&self, writer: &mut ScriptWriter) {
                self.iter().for_each(|element| element.push_onto(writer));
            }
        }

        impl Pushable for Vec<$element> {
            fn push_onto(&self, writer: &mut ScriptWriter) {
                self.as_slice().push_onto(writer);
            }
        }
    )*};
}
pushable_sequences!(ScriptBuf Fragment Opcode);
