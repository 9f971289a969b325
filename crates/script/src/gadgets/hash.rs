//! What the hash gadgets have in common: the message as nibbles on the stack, block after block.

use bitcoin::ScriptBuf;

use crate::ScriptWriter;
use crate::dataflow::{CompileError, Compiled, Flow, Linear, TableId, Value};
use crate::encode_number;
use crate::limits::MAX_STACK_SIZE;
use crate::opcodes::{OP_ADD, OP_DUP};
use crate::{script, script_items};

/// Why there is no such hash gadget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// The message is too short or too long.
    #[error("a message of {bytes} bytes: this hash gadget takes {least} to {limit}")]
    MessageLength {
        /// Bytes asked for.
        bytes: usize,
        /// Fewest bytes.
        least: usize,
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
/// It takes the message from the stack, packed as its [`Packing`] says, and leaves the digest there as nibbles. Nibbles are plain numbers from 0 to 15, the first byte's on top, of each byte the
/// low nibble above the high one. Tables are set up and removed by the script.
///
/// The nibbles have to be in range: they index tables, so with others the digest may be anything. Openings deliver nothing else.
#[derive(Clone, Debug)]
pub struct HashGadget {
    pub(crate) packing: Packing,
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
        match self.packing {
            Packing::Nibbles => nibble_items(message),
            Packing::Limbs => limb_items(message),
        }
    }
}

/// How a message lies on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Packing {
    /// A nibble an item.
    Nibbles,
    /// Seven nibbles an item, the first one most significant; block after block of 64 bytes, of which the last item has what is left. The script takes them
    /// apart, and fails if one is out of range.
    Limbs,
}

/// Nibbles of a limb: 28 bits, which opcodes take as a number.
pub(crate) const LIMB_NIBBLES: usize = 7;

/// Bytes of a block of both hash functions.
pub(crate) const BLOCK_BYTES: usize = 64;

/// The initial chaining value of both: the first 32 bits of the fractional parts of the square roots of the first eight primes (FIPS 180-4, section
/// 5.3.3; section 2.1 of the BLAKE3 paper).
pub(crate) const IV: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// Items that a message takes.
pub(crate) fn packed_items(bytes: usize) -> usize {
    let (blocks, rest) = (bytes / BLOCK_BYTES, bytes % BLOCK_BYTES);
    blocks * (2 * BLOCK_BYTES).div_ceil(LIMB_NIBBLES) + (2 * rest).div_ceil(LIMB_NIBBLES)
}

/// A message as limbs on the stack, bottom first: the first limb of the first block on top.
fn limb_items(message: &[u8]) -> Vec<Vec<u8>> {
    let mut items: Vec<Vec<u8>> = message
        .chunks(BLOCK_BYTES)
        .flat_map(|block| {
            let nibbles: Vec<u8> = block
                .iter()
                .flat_map(|byte| [byte & 15, byte >> 4])
                .collect();
            let limbs = nibbles.chunks(LIMB_NIBBLES).map(|limb| {
                let number = limb
                    .iter()
                    .fold(0, |number, &nibble| number << 4 | i64::from(nibble));
                encode_number(number)
            });
            limbs.collect::<Vec<_>>()
        })
        .collect();
    items.reverse();
    items
}

/// Takes the top item apart, a limb of so many nibbles times `unit`. They go to the altstack, times `scale`, the first one first, except for the last one,
/// which stays on the stack as it is.
fn take_apart(writer: &mut ScriptWriter, nibbles: usize, unit: i64, scale: i64) {
    for place in (1..nibbles).rev() {
        script_items!(writer; OP_0 OP_SWAP); // … nibble rest
        for bit in [8i64, 4, 2, 1] {
            script_items!(writer;
                { (unit * bit) << (4 * place) } OP_2DUP OP_GREATERTHANOREQUAL
                OP_IF OP_SUB OP_SWAP { scale * bit } OP_ADD OP_SWAP OP_ELSE OP_DROP OP_ENDIF
            );
        }
        script_items!(writer; OP_SWAP OP_TOALTSTACK);
    }
}

/// Takes a limb apart that is known to be in range: so many nibbles, each times `unit`. Returns them, the first one first.
pub(crate) fn unpack_known(flow: &mut Flow, limb: Value, nibbles: usize, unit: i64) -> Vec<Value> {
    let mut writer = ScriptWriter::new();
    take_apart(&mut writer, nibbles, unit, unit);
    script_items!(writer; for _ in 1..nibbles { OP_FROMALTSTACK });
    let code = writer.into_script().into_bytes();
    // At the highest, all nibbles and the number that is taken apart, a power of two, and copies of both.
    let mut unpacked = flow.apply_code(code, nibbles + 2, [limb.into()], nibbles);
    unpacked.reverse();
    unpacked
}

/// Appends a nibble to a limb, as its least significant one. A limb of one nibble is that nibble.
pub(crate) fn pack_step(flow: &mut Flow, limb: Value, nibble: Value) -> Value {
    let [packed] = flow.apply(
        &[
            OP_DUP, OP_ADD, OP_DUP, OP_ADD, OP_DUP, OP_ADD, OP_DUP, OP_ADD, OP_ADD,
        ],
        [nibble.into(), limb.into()],
    );
    packed
}

/// Takes limbs apart: from the stack, below `above` items, `nibbles` in all, which are left in their place, each times `scale`, with the first one on top.
///
/// From each limb the nibbles are subtracted bit by bit, the highest first. What is left in the end is its last nibble, if the limb was in range: that is
/// checked. A number that is out of range, negative ones included, leaves something else. The addition of zero makes the encoding minimal.
pub(crate) fn unpack(writer: &mut ScriptWriter, nibbles: usize, above: usize, scale: i64) {
    script_items!(writer; for _ in 0..above { OP_TOALTSTACK });
    let mut left = nibbles;
    while left > 0 {
        let limb = left.min(LIMB_NIBBLES);
        left -= limb;
        script_items!(writer; OP_0 OP_ADD);
        take_apart(writer, limb, 1, scale);
        script_items!(writer;
            OP_DUP OP_0 OP_16 OP_WITHIN OP_VERIFY
            for _ in 0..scale.ilog2() { OP_DUP OP_ADD }
            OP_TOALTSTACK
        );
    }
    script_items!(writer; for _ in 0..nibbles + above { OP_FROMALTSTACK });
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
    like: Option<TableId>,
) -> Vec<Value> {
    nibbles
        .iter()
        .map(|&nibble| scale_one(flow, nibble, doublings, like))
        .collect()
}

/// Multiplies a nibble by `2^doublings`, gives it the offset of what is read from a table, and puts it on the altstack.
pub(crate) fn scale_one(
    flow: &mut Flow,
    nibble: Value,
    doublings: usize,
    like: Option<TableId>,
) -> Value {
    let mut scaled = nibble;
    for doubling in 1..=doublings {
        let twice = Linear::from(scaled).plus(scaled);
        scaled = match like {
            Some(table) if doubling == doublings => flow.sum_like(twice, [table]),
            _ => flow.sum(twice),
        };
    }
    if doublings == 0 {
        scaled = flow.sum_like(nibble, like);
    }
    flow.keep_on_altstack(scaled);
    scaled
}

/// Brings values back from the altstack, onto which they were put in this order.
pub(crate) fn restore(flow: &mut Flow, values: &[Value]) {
    for &value in values.iter().rev() {
        flow.restore(value);
    }
}

/// A block of a message, with what surrounds it.
pub(crate) struct Part<'a> {
    pub(crate) compiled: &'a Compiled,
    /// Items that wait below it.
    pub(crate) waiting: usize,
    /// What is taken apart before, if the message is packed.
    pub(crate) packed: Option<PackedPart>,
}

/// The limbs of a block.
#[derive(Clone, Copy)]
pub(crate) struct PackedPart {
    /// How many nibbles they have.
    pub(crate) nibbles: usize,
    /// Items above them.
    pub(crate) above: usize,
    /// What the block takes the nibbles times.
    pub(crate) scale: i64,
}

/// Puts the scripts of all blocks one after the other.
pub(crate) fn join<'a>(
    parts: impl IntoIterator<Item = Part<'a>>,
    packing: Packing,
    message_bytes: usize,
    digest_bytes: usize,
) -> Result<HashGadget, HashError> {
    let mut gadget = HashGadget {
        packing,
        script: ScriptBuf::new(),
        message_bytes,
        digest_bytes,
        table_bytes: 0,
        max_stack: 0,
    };
    let mut writer = ScriptWriter::new();
    for part in parts {
        if let Some(packed) = part.packed {
            unpack(&mut writer, packed.nibbles, packed.above, packed.scale);
            // The number that is taken apart, a nibble, and a power of two with its copies.
            let items = part.waiting + packed.nibbles + packed.above + 6;
            gadget.max_stack = gadget.max_stack.max(items);
        }
        writer.script(&part.compiled.script);
        gadget.table_bytes += part.compiled.table_bytes;
        gadget.max_stack = gadget.max_stack.max(part.compiled.max_stack + part.waiting);
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

/// The gadget of the empty message, whose digest is known.
pub(crate) fn known(digest: &[u8]) -> HashGadget {
    let script = script! {
        for nibble in digest.iter().rev().flat_map(|byte| [byte >> 4, byte & 15]) {
            { nibble }
        }
    };
    HashGadget {
        packing: Packing::Nibbles,
        script,
        message_bytes: 0,
        digest_bytes: digest.len(),
        table_bytes: 0,
        max_stack: 2 * digest.len(),
    }
}

/// The error of a block that is part of a message of so many bytes.
pub(crate) fn block_error(error: &CompileError, bytes: usize) -> HashError {
    match *error {
        CompileError::StackSize { items } => HashError::StackSize { bytes, items },
    }
}
