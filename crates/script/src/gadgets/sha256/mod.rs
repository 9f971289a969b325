//! SHA-256 (FIPS 180-4), and Bitcoin's double SHA-256.
//!
//! # Forms of a nibble
//! | form | logical number | for |
//! |---|---|---|
//! | wide | `8n` | rotations: eight interleaved tables give, at eight consecutive stack heights, the parts of a nibble that a rotation sends to its two neighbours, and the two other forms |
//! | ternary | `3·Σ bit·3^i` | boolean functions: the sum of two tells for each bit whether none, one or both are set; three tables are interleaved |
//! | even | `2n` | additions |
//!
//! # Layouts
//! What is left of a long message waits below the tables, 19 items a block, and the chaining value waits until it is added in the end. The more waits, the
//! smaller the tables have to be. Those for sums take two places for each value that a column can come to; with further additions, no column adds up more than
//! five nibbles, or three. The other means are to keep the chaining value in ten limbs of seven nibbles, which are taken apart at the end, and to keep
//! words of the state in fewer forms. Each block is computed by the first of five layouts that fits: here a block in the middle of a message, its items at
//! the highest, and how many further blocks may wait if all is to stay within 990 items.
//!
//! | nibbles in a sum | chaining value | bytes | items | further blocks |
//! |---|---|---:|---:|---:|
//! | seven | nibbles | 121,132 | 910 | 4 |
//! | seven | limbs | 123,375 | 855 | 7 |
//! | five | nibbles | 127,372 | 813 | 9 |
//! | five | limbs | 130,172 | 759 | 12 |
//! | three | limbs | 145,915 | 710 | 14 |
//!
//! # Computation
//! `Ch(e, f, g)` is computed as `g ^ (e & (f ^ g))` and `Maj(a, b, c)` as `b ^ ((a ^ b) & (b ^ c))`, of which `b ^ c` is known from the round before. The stack
//! keeps its height at every step, as described for [`blake3`](super::blake3).

mod compress;
mod tables;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use self::compress::{Compressed, FeedForward, Form, Manner, Sums, compress};
use self::tables::Tables;
use super::hash::{
    self, BLOCK_BYTES, HashError, HashGadget, IV, LIMB_NIBBLES, PackedPart, Packing, Part,
};
use crate::dataflow::{Bank, CompileError, Compiled, Effort, Flow, Linear, TableId, Value};
use crate::limits::MAX_STACK_SIZE;
use crate::words::{self, Nibble, SumTables, Word};

/// Most bytes of a message.
pub const MAX_MESSAGE_BYTES: usize = 1024;

/// A script that hashes `message_bytes` bytes to their SHA-256 digest.
///
/// ```
/// use tapcourt_script::gadgets::{nibble_items, sha256};
/// use tapcourt_script::interpreter::{Rules, execute};
///
/// let gadget = sha256::hash(3)?;
/// let left = execute(gadget.script(), gadget.message_items(b"abc"), None, Rules::Policy).stack;
/// let digest = nibble_items(&hex_literal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
/// assert_eq!(left, digest);
/// # fn hex_literal(hex: &str) -> Vec<u8> {
/// #     (0..hex.len() / 2).map(|byte| u8::from_str_radix(&hex[2 * byte..][..2], 16).unwrap()).collect()
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the message is longer than [`MAX_MESSAGE_BYTES`], or takes too many stack items: it lies there as nibbles, which leaves room for some 200 bytes;
/// see [`hash_packed`].
pub fn hash(message_bytes: usize) -> Result<HashGadget, HashError> {
    hash_with(message_bytes, Packing::Nibbles, Effort::Full)
}

/// The same for a message that lies on the stack as limbs of seven nibbles, of which every length up to [`MAX_MESSAGE_BYTES`] fits.
///
/// ```
/// let gadget = tapcourt_script::gadgets::sha256::hash_packed(300)?;
/// assert!(gadget.script().len() < 640_000 && gadget.max_stack() <= 990);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the message is longer than [`MAX_MESSAGE_BYTES`].
pub fn hash_packed(message_bytes: usize) -> Result<HashGadget, HashError> {
    hash_with(message_bytes, Packing::Limbs, Effort::Full)
}

/// All choices.
pub(crate) fn hash_with(
    message_bytes: usize,
    packing: Packing,
    effort: Effort,
) -> Result<HashGadget, HashError> {
    if message_bytes == 0 {
        return Ok(hash::known(&Sha256::digest([])));
    }
    let mut chain = Chain::new(effort);
    let links = chain.links(message_bytes, packing)?;
    hash::join(chain.parts(&links), packing, message_bytes, 32)
}

/// A script that hashes `message_bytes` bytes to the SHA-256 digest of their SHA-256 digest, as Bitcoin does with block headers of 80 bytes.
///
/// # Errors
/// As for [`hash`].
pub fn hash256(message_bytes: usize) -> Result<HashGadget, HashError> {
    hash256_with(message_bytes, Effort::Full)
}

/// The same with a choice of effort.
pub(crate) fn hash256_with(message_bytes: usize, effort: Effort) -> Result<HashGadget, HashError> {
    if message_bytes == 0 {
        return Ok(hash::known(&Sha256::digest(Sha256::digest([]))));
    }
    let packing = Packing::Nibbles;
    let mut chain = Chain::new(effort);
    let mut links = chain.links(message_bytes, packing)?;
    links.extend(chain.links(32, packing)?);
    hash::join(chain.parts(&links), packing, message_bytes, 32)
}

/// A script that compresses one block of 64 bytes into the initial chaining value, without padding (section 6.2.2).
///
/// # Errors
/// None: the block fits the stack.
pub fn compression() -> Result<HashGadget, HashError> {
    compression_with(Effort::Full)
}

/// The same with a choice of effort.
pub(crate) fn compression_with(effort: Effort) -> Result<HashGadget, HashError> {
    let block = Block {
        bytes: std::array::from_fn(Byte::Message),
        message: Packing::Nibbles,
        chaining: Chaining::Initial,
        layout: LAYOUTS[0],
        result: Form::Plain,
    };
    let compiled = block
        .flow(effort)
        .compile()
        .map_err(|error| hash::block_error(&error, BLOCK_BYTES))?;
    let part = Part {
        compiled: &compiled,
        waiting: 0,
        packed: None,
    };
    hash::join([part], Packing::Nibbles, BLOCK_BYTES, 32)
}

/// A message with its padding (section 5.1.1): `None` for a byte that is not known.
fn padded(message_bytes: usize) -> Vec<Option<u8>> {
    let mut padded: Vec<Option<u8>> = vec![None; message_bytes];
    padded.push(Some(0x80));
    while padded.len() % BLOCK_BYTES != BLOCK_BYTES - 8 {
        padded.push(Some(0));
    }
    let bits = 8 * message_bytes as u64; // cast ok: at most 1024
    padded.extend(bits.to_be_bytes().map(Some));
    padded
}

/// Stack items that a block keeps to, if it can, so that something is left for what surrounds it.
const COMFORTABLE_STACK: usize = 990;

/// How a block is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Layout {
    sums: Sums,
    /// Whether the chaining value waits in limbs until it is added in the end.
    limbs: bool,
}

/// Tried in turn, until one fits: from the shortest script to the smallest stack.
const LAYOUTS: [Layout; 5] = [
    Layout {
        sums: Sums::Seven,
        limbs: false,
    },
    Layout {
        sums: Sums::Seven,
        limbs: true,
    },
    Layout {
        sums: Sums::Five,
        limbs: false,
    },
    Layout {
        sums: Sums::Five,
        limbs: true,
    },
    Layout {
        sums: Sums::Three,
        limbs: true,
    },
];

/// A byte of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Byte {
    /// Of the message: so many bytes lie above it.
    Message(usize),
    Padding(u8),
}

/// Where a block's chaining value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Chaining {
    /// It is the initial one.
    Initial,
    /// It lies on top of the block, as the one before leaves it.
    Nibbles(Form),
}

/// One block of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    bytes: [Byte; BLOCK_BYTES],
    /// Nibbles are plain, those that limbs have been taken apart to are wide.
    message: Packing,
    chaining: Chaining,
    layout: Layout,
    result: Form,
}

/// Places of a word's nibbles in the order of its bytes, of each byte the low nibble first.
const BYTE_ORDER: [usize; 8] = [6, 7, 4, 5, 2, 3, 0, 1];

impl Block {
    /// Bytes of the message.
    fn own(&self) -> usize {
        let is_own = |byte: &&Byte| matches!(byte, Byte::Message(_));
        self.bytes.iter().filter(is_own).count()
    }

    fn flow(&self, effort: Effort) -> Flow {
        let mut bank = Bank::default();
        let tables = Tables::new(&mut bank, self.layout.sums, self.result);
        let mut flow = Flow::new(bank);
        flow.set_effort(effort);
        // From the top down: the chaining value, then the message.
        let message = hash::take_nibbles(&mut flow, 2 * self.own());
        let low = Some(tables.sum.low);
        let (chaining, limbs) = match self.chaining {
            Chaining::Initial => (Vec::new(), Vec::new()),
            Chaining::Nibbles(form) => {
                let nibbles = hash::take_nibbles(&mut flow, 64);
                let doublings = match form {
                    Form::Plain => 3,
                    Form::Even => 2,
                };
                match self.layout.limbs {
                    true => pack(&mut flow, &nibbles, doublings, low),
                    false => (hash::scale(&mut flow, &nibbles, doublings, low), Vec::new()),
                }
            }
        };
        let doublings = match self.message {
            Packing::Nibbles => 3,
            Packing::Limbs => 0,
        };
        let message = hash::scale(&mut flow, &message, doublings, low);
        flow.set_up_tables();
        hash::restore(&mut flow, &message);
        hash::restore(&mut flow, &chaining);
        for &limb in &limbs {
            flow.restore(limb);
        }

        let mut words = IV.map(words::constant);
        let chaining_order = match self.chaining {
            Chaining::Nibbles(Form::Even) => std::array::from_fn(|place| place),
            Chaining::Initial | Chaining::Nibbles(Form::Plain) => BYTE_ORDER,
        };
        for (index, &nibble) in chaining.iter().enumerate() {
            words[index / 8][chaining_order[index % 8]] = Nibble::Value(nibble);
        }
        let mut block = [words::constant(0); 16];
        for (place, byte) in self.bytes.iter().enumerate() {
            let pair = match *byte {
                Byte::Message(index) => {
                    [message[2 * index], message[2 * index + 1]].map(Nibble::Value)
                }
                Byte::Padding(byte) => [byte & 15, byte >> 4].map(Nibble::Constant),
            };
            for (nibble, half) in pair.into_iter().zip([0, 1]) {
                block[place / 4][BYTE_ORDER[2 * (place % 4) + half]] = nibble;
            }
        }
        let feed_forward = match limbs.is_empty() {
            true => FeedForward::Words,
            false => FeedForward::Limbs(&limbs),
        };
        let manner = Manner {
            sums: self.layout.sums,
            feed_forward,
            result: self.result,
            align: false,
        };
        let Compressed { digest, left } = compress(&tables, &mut flow, words, block, manner);
        left.into_iter().for_each(|value| flow.leave(value));
        // The first nibble on top.
        let order = match self.result {
            Form::Plain => BYTE_ORDER,
            Form::Even => std::array::from_fn(|place| place),
        };
        for word in digest.iter().rev() {
            for &place in order.iter().rev() {
                flow.output(match word[place] {
                    Nibble::Constant(nibble) => Linear::from(i64::from(nibble)),
                    Nibble::Value(value) => Linear::from(value),
                });
            }
        }
        flow
    }
}

/// Multiplies nibbles as [`hash::scale`] does, and puts them together to limbs, too.
fn pack(
    flow: &mut Flow,
    nibbles: &[Value],
    doublings: usize,
    like: Option<TableId>,
) -> (Vec<Value>, Vec<Value>) {
    let mut scaled = Vec::new();
    let limbs = nibbles.chunks(LIMB_NIBBLES).map(|nibbles| {
        let mut limb = None;
        for &nibble in nibbles {
            scaled.push(hash::scale_one(flow, nibble, doublings, like));
            limb = Some(match limb {
                None => nibble,
                Some(limb) => hash::pack_step(flow, limb, nibble),
            });
        }
        let limb = limb.expect("chunks have nibbles");
        let waiting = flow.sum(limb);
        flow.keep_on_altstack(waiting);
        waiting
    });
    let limbs = limbs.collect();
    (scaled, limbs)
}

/// Tables of SHA-256 that operations on words can read, too. For the forms of nibbles see the [module](self).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedTables {
    /// Sums are below this.
    pub(crate) bound: i64,
    /// From a sum of even nibbles to its lowest nibble in wide form, and to what is carried.
    pub(crate) sum: SumTables,
    /// From wide to ternary.
    pub(crate) to_ternary: TableId,
    /// From wide to even.
    pub(crate) to_even: TableId,
    /// From a sum of two ternaries to their and, in ternary form.
    pub(crate) and: TableId,
    /// … to their exclusive or, in even form.
    pub(crate) xor_even: TableId,
}

/// SHA-256 as part of a larger flow.
#[derive(Debug)]
pub(crate) struct Embedded {
    tables: Tables,
    layout: Layout,
}

impl Embedded {
    /// Layouts that [`Self::new`] can be asked for.
    pub(crate) const LAYOUTS: usize = LAYOUTS.len();

    /// Puts the tables into a bank. Later layouts take fewer items, and make longer scripts.
    pub(crate) fn new(bank: &mut Bank, layout: usize) -> Self {
        let layout = LAYOUTS[layout];
        Self {
            tables: Tables::new(bank, layout.sums, Form::Even),
            layout,
        }
    }

    /// The tables that operations on words can read, too.
    pub(crate) fn shared(&self) -> SharedTables {
        SharedTables {
            bound: self.layout.sums.bound(),
            sum: self.tables.sum,
            to_ternary: self.tables.to_ternary,
            to_even: self.tables.to_even,
            and: self.tables.and,
            xor_even: self.tables.xor_even,
        }
    }

    /// The digest of a message, both as nibbles `2n` in the order of bytes, of each byte the low one first. It is left on the altstack.
    pub(crate) fn digest(&self, flow: &mut Flow, message: &[Nibble]) -> Vec<Nibble> {
        let low = self.tables.sum.low;
        // A computed nibble in wide form.
        let wide = |flow: &mut Flow, nibble: Nibble| match nibble {
            Nibble::Constant(_) => nibble,
            Nibble::Value(value) => {
                let twice = flow.sum(Linear::from(value).plus(value));
                let wide = Linear::from(twice).plus(twice);
                Nibble::Value(flow.sum_like(wide, [low]))
            }
        };
        let mut chaining: Option<[Word; 8]> = None;
        let padded = padded(message.len() / 2);
        for (index, bytes) in padded.chunks(BLOCK_BYTES).enumerate() {
            // What waits on the altstack comes before the height is kept.
            let rest = message.iter().skip(2 * BLOCK_BYTES * index);
            let before = chaining.iter().flat_map(|words| words.as_flattened());
            for value in rest.chain(before).filter_map(Nibble::value) {
                flow.restore(value);
            }
            let mut limbs: Vec<Value> = Vec::new();
            let words = match chaining {
                None => IV.map(words::constant),
                Some(words) => {
                    let values: Vec<Value> = words
                        .as_flattened()
                        .iter()
                        .filter_map(Nibble::value)
                        .collect();
                    if self.layout.limbs && values.len() == 64 {
                        let pack = |nibbles: &[Value]| {
                            let first = flow.corrected(nibbles[0]);
                            let rest = nibbles[1..].iter();
                            rest.fold(first, |limb, &nibble| hash::pack_step(flow, limb, nibble))
                        };
                        limbs = values.chunks(LIMB_NIBBLES).map(pack).collect();
                    }
                    words.map(|word| word.map(|nibble| wide(flow, nibble)))
                }
            };
            let mut block = [words::constant(0); 16];
            for (place, byte) in bytes.iter().enumerate() {
                for half in [0, 1] {
                    let nibble = match *byte {
                        Some(byte) => Nibble::Constant(byte >> (4 * half) & 15),
                        None => wide(flow, message[2 * (BLOCK_BYTES * index + place) + half]),
                    };
                    block[place / 4][BYTE_ORDER[2 * (place % 4) + half]] = nibble;
                }
            }
            let feed_forward = match limbs.is_empty() {
                true => FeedForward::Words,
                false => FeedForward::Limbs(&limbs),
            };
            let manner = Manner {
                sums: self.layout.sums,
                feed_forward,
                result: Form::Even,
                align: true,
            };
            let Compressed { digest, left } = compress(&self.tables, flow, words, block, manner);
            flow.discard_all(left);
            chaining = Some(digest);
        }
        let digest = chaining.expect("there is at least one block");
        let in_order = |word: Word| BYTE_ORDER.map(|place| word[place]);
        digest.into_iter().flat_map(in_order).collect()
    }
}

/// A block in its place in a message.
#[derive(Clone, Copy)]
struct Link {
    block: Block,
    /// Items that wait below it.
    waiting: usize,
}

/// The blocks of messages, each compiled once: those in the middle of a long message are the same.
struct Chain {
    effort: Effort,
    compiled: BTreeMap<Block, Result<Compiled, CompileError>>,
}

impl Chain {
    fn new(effort: Effort) -> Self {
        Self {
            effort,
            compiled: BTreeMap::new(),
        }
    }

    /// The blocks of a message, compiled: as those of short messages are, if they fit, else each by the first layout that does.
    fn links(&mut self, message_bytes: usize, packing: Packing) -> Result<Vec<Link>, HashError> {
        if message_bytes > MAX_MESSAGE_BYTES {
            return Err(HashError::MessageLength {
                bytes: message_bytes,
                least: 0,
                limit: MAX_MESSAGE_BYTES,
            });
        }
        let mut rest = message_bytes;
        let padded = padded(message_bytes);
        let blocks = padded
            .chunks(BLOCK_BYTES)
            .enumerate()
            .map(|(index, bytes)| {
                let block = Block {
                    bytes: std::array::from_fn(|byte| {
                        bytes[byte].map_or(Byte::Message(byte), Byte::Padding)
                    }),
                    message: packing,
                    chaining: match index {
                        0 => Chaining::Initial,
                        _ => Chaining::Nibbles(Form::Plain),
                    },
                    layout: LAYOUTS[0],
                    result: Form::Plain,
                };
                rest -= block.own();
                let waiting = match packing {
                    Packing::Nibbles => 2 * rest,
                    Packing::Limbs => hash::packed_items(rest),
                };
                Link { block, waiting }
            });
        let mut links: Vec<Link> = blocks.collect();
        if links.iter().all(|link| self.fits(link, MAX_STACK_SIZE)) {
            return Ok(links);
        }
        let last = links.len() - 1;
        for (index, link) in links.iter_mut().enumerate() {
            if index > 0 {
                link.block.chaining = Chaining::Nibbles(Form::Even);
            }
            if index < last {
                link.block.result = Form::Even;
            }
            let fits = LAYOUTS.into_iter().any(|mut layout| {
                layout.limbs &= index > 0;
                link.block.layout = layout;
                self.fits(link, COMFORTABLE_STACK)
            });
            if !fits {
                // The last layout is the lowest.
                self.compile(&link.block)
                    .map_err(|error| hash::block_error(&error, message_bytes))?;
            }
        }
        Ok(links)
    }

    /// Whether a block keeps to so many items, with those that wait below it.
    fn fits(&mut self, link: &Link, items: usize) -> bool {
        let compiled = self.compile(&link.block);
        compiled.is_ok_and(|compiled| compiled.max_stack + link.waiting <= items)
    }

    /// Compiles a block, unless this has been done.
    fn compile(&mut self, block: &Block) -> Result<&Compiled, CompileError> {
        let compiled = self.compiled.entry(*block);
        let compiled = compiled.or_insert_with(|| block.flow(self.effort).compile());
        compiled.as_ref().map_err(Clone::clone)
    }

    /// The scripts of blocks.
    fn parts(&self, links: &[Link]) -> Vec<Part<'_>> {
        let part = |link: &Link| Part {
            compiled: self.compiled[&link.block]
                .as_ref()
                .expect("the layouts that were chosen have scripts"),
            waiting: link.waiting,
            packed: (link.block.message == Packing::Limbs).then(|| PackedPart {
                nibbles: 2 * link.block.own(),
                above: match link.block.chaining {
                    Chaining::Initial => 0,
                    Chaining::Nibbles(_) => 64,
                },
                scale: 8,
            }),
        };
        links.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block in the middle of a message.
    fn middle(layout: Layout) -> Block {
        Block {
            bytes: std::array::from_fn(Byte::Message),
            message: Packing::Limbs,
            chaining: Chaining::Nibbles(Form::Even),
            layout,
            result: Form::Even,
        }
    }

    #[test]
    fn layouts_go_from_the_shortest_script_to_the_smallest_stack() {
        let mut chain = Chain::new(Effort::Full);
        let measured = LAYOUTS.map(|layout| {
            let compiled = chain.compile(&middle(layout)).expect("fits the stack");
            (compiled.script.len(), compiled.max_stack)
        });
        println!("{measured:?}");
        for pair in measured.windows(2) {
            assert!(pair[0].0 < pair[1].0 && pair[0].1 > pair[1].1);
        }
        let [.., (_, lowest)] = measured;
        assert!(lowest + hash::packed_items(14 * BLOCK_BYTES) <= COMFORTABLE_STACK);
    }

    /// Every fourth length, `TAPCOURT_SCALE` times as many: at 4, as in `scripts/test`, it is every
    /// one.
    #[test]
    fn every_length_fits() {
        let scale = std::env::var("TAPCOURT_SCALE").map_or(1.0, |scale| {
            scale.parse::<f64>().expect("TAPCOURT_SCALE is a number")
        });
        let step = (4.0 / scale).clamp(1.0, 1000.0) as usize; // cast ok: at most 1,000
        let lengths = (1..=MAX_MESSAGE_BYTES).step_by(step);
        let mut chain = Chain::new(Effort::Full);
        let mut highest = (0, 0);
        for bytes in lengths.clone() {
            let links = chain.links(bytes, Packing::Limbs).expect("fits the stack");
            let parts = chain.parts(&links);
            let gadget = hash::join(parts, Packing::Limbs, bytes, 32).expect("fits the stack");
            highest = highest.max((gadget.max_stack, bytes));
        }
        println!("{} items at {} bytes", highest.0, highest.1);
        println!("covered: {} lengths of SHA-256", lengths.count());
        assert!(highest.0 <= MAX_STACK_SIZE);
    }
}
