//! What the hash gadgets have in common: the message as nibbles on the stack, block after block.

use bitcoin::ScriptBuf;

use crate::ScriptWriter;
use crate::dataflow::{CompileError, Compiled, Flow, Linear, Value};
use crate::encode_number;
use crate::limits::MAX_STACK_SIZE;

/// Why there is no such hash gadget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// The message is empty or too long.
    #[error("a message of {bytes} bytes: this hash gadget takes 1 to {limit}")]
    MessageLength {
        /// Bytes asked for.
        bytes: usize,
        /// Most bytes.
        limit: usize,
    },
    /// The digest is empty, too long, or not whole words.
    #[error("a digest of {bytes} bytes: it has 4 to 32 bytes, a multiple of 4")]
    DigestLength {
        /// Bytes asked for.
        bytes: usize,
    },
    /// Too many items on the stacks at once.
    #[error(
        "{items} items on the stacks at once for {bytes} bytes, where {MAX_STACK_SIZE} are allowed"
    )]
    StackSize {
        /// Bytes of the message.
        bytes: usize,
        /// Items at the highest moment.
        items: usize,
    },
}

/// A script that hashes a message of a fixed length.
///
/// It takes the message from the stack and leaves the digest there, both as nibbles: plain numbers from 0 to 15, the first byte's on top, of each byte the
/// low nibble above the high one. Tables are set up and removed by the script.
///
/// The nibbles have to be in range: they index tables, so with others the digest may be anything. Openings deliver nothing else.
#[derive(Clone, Debug)]
pub struct HashGadget {
    pub(crate) script: ScriptBuf,
    pub(crate) message_bytes: usize,
    pub(crate) digest_bytes: usize,
    pub(crate) table_bytes: usize,
    pub(crate) max_stack: usize,
}

impl HashGadget {
    /// The script.
    pub fn script(&self) -> &bitcoin::Script {
        &self.script
    }

    /// Bytes of the message.
    pub fn message_bytes(&self) -> usize {
        self.message_bytes
    }

    /// Bytes of the digest.
    pub fn digest_bytes(&self) -> usize {
        self.digest_bytes
    }

    /// Of the script's bytes, those that set up and remove tables.
    pub fn table_bytes(&self) -> usize {
        self.table_bytes
    }

    /// Most items on stack and altstack together, if nothing but the message lies there.
    pub fn max_stack(&self) -> usize {
        self.max_stack
    }

    /// The stack items of a message, bottom first.
    ///
    /// # Panics
    /// If the message has another length than the gadget's.
    pub fn message_items(&self, message: &[u8]) -> Vec<Vec<u8>> {
        assert_eq!(
            message.len(),
            self.message_bytes,
            "the message has the gadget's length"
        );
        nibble_items(message)
    }
}

/// Bytes as nibbles on the stack, bottom first: the first byte's on top, of each byte the low nibble above the high one.
pub fn nibble_items(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes
        .iter()
        .rev()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| encode_number(nibble.into()))
        .collect()
}

/// Takes nibbles from the stack, from the top down.
pub(crate) fn take_nibbles(flow: &mut Flow, count: usize) -> Vec<Value> {
    let mut nibbles: Vec<Value> = (0..count).map(|_| flow.input_below()).collect();
    nibbles.reverse();
    nibbles
}

/// Multiplies nibbles, taken from the top of the stack down, by `2^doublings`, and puts them on the altstack.
pub(crate) fn scale(
    flow: &mut Flow,
    nibbles: &[Value],
    doublings: usize,
    like: Option<crate::dataflow::TableId>,
) -> Vec<Value> {
    let scale_one = |flow: &mut Flow, nibble: Value| {
        let mut scaled = nibble;
        for doubling in 1..=doublings {
            let twice = Linear::from(scaled).plus(scaled);
            scaled = match like {
                Some(table) if doubling == doublings => flow.sum_like(twice, [table]),
                _ => flow.sum(twice),
            };
        }
        flow.keep_on_altstack(scaled);
        scaled
    };
    nibbles
        .iter()
        .map(|&nibble| scale_one(flow, nibble))
        .collect()
}

/// Brings values back from the altstack, onto which they were put in this order.
pub(crate) fn restore(flow: &mut Flow, values: &[Value]) {
    for &value in values.iter().rev() {
        flow.restore(value);
    }
}

/// Puts the scripts of all blocks one after the other. Each is given with the number of items that wait below it.
pub(crate) fn join(
    blocks: &[(Compiled, usize)],
    message_bytes: usize,
    digest_bytes: usize,
) -> Result<HashGadget, HashError> {
    let mut gadget = HashGadget {
        script: ScriptBuf::new(),
        message_bytes,
        digest_bytes,
        table_bytes: 0,
        max_stack: 0,
    };
    let mut writer = ScriptWriter::new();
    for (block, waiting) in blocks {
        writer.script(&block.script);
        gadget.table_bytes += block.table_bytes;
        gadget.max_stack = gadget.max_stack.max(block.max_stack + waiting);
    }
    if gadget.max_stack > MAX_STACK_SIZE {
        return Err(HashError::StackSize {
            bytes: message_bytes,
            items: gadget.max_stack,
        });
    }
    gadget.script = writer.into_script();
    Ok(gadget)
}

/// The error of a block that is part of a message of so many bytes.
pub(crate) fn block_error(error: &CompileError, bytes: usize) -> HashError {
    match *error {
        CompileError::StackSize { items } => HashError::StackSize { bytes, items },
    }
}
