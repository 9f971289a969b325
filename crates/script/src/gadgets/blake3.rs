//! BLAKE3, as its authors specify it (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", 2021), for messages of
//! one chunk.
//!
//! # How it is computed
//! Words are eight nibbles. Of the four additions of a mixing step, the first two are not finished: of `a + b + m`, the exclusive or with `d` takes
//! the lowest nibble of each column's sum, straight in the form that it needs, and the third addition starts from the sums without carries. The last rotation, by
//! seven bits, is one by two nibbles to the right and one by one bit to the left; the exclusive or before it is read from a table of doubled ones, so that
//! the rotation is an addition of carries.
//!
//! The state keeps its height on the stack at every step, so that nearly all look-ups need no correction (see [`dataflow`](crate::dataflow)). At the start it is made of
//! constants, which take no place: padding stands in for them.

use super::hash::{self, BLOCK_BYTES, HashError, HashGadget, IV, PackedPart, Packing, Part};
use crate::dataflow::{Bank, CompileError, Compiled, Effort, Flow, Linear, Value};
use crate::words::{self, Carry, LowForm, Nibble, NibbleTables, SumTables, Word};

/// Most bytes of a chunk (section 2.4), beyond which BLAKE3 builds a tree.
pub const CHUNK_BYTES: usize = 1024;

/// Flags of blocks (section 2.1, table 3).
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const ROOT: u32 = 8;

/// Stack items that a gadget for one block keeps to, if it can, so that something is left for what surrounds it.
const COMFORTABLE_STACK: usize = 950;

/// How the tables are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// With places left free between tables, which decide about the carries' offsets: where these are zero, the first column of an addition needs no
    /// correction.
    Gaps([usize; 2]),
    /// In as few places as possible, with a longer script: every addition is finished, and the tables of forms lie in the gaps of another.
    Compact,
}

/// Tried in turn; the cheapest that keeps to [`COMFORTABLE_STACK`] is taken.
const LAYOUTS: [Layout; 5] = [
    Layout::Gaps([35, 99]),
    Layout::Gaps([0, 99]),
    Layout::Gaps([7, 0]),
    Layout::Gaps([0, 0]),
    Layout::Compact,
];

/// The permutation of message words between rounds (section 2.2, table 2).
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

/// A script that hashes `message_bytes` bytes to the first `digest_bytes` bytes of their BLAKE3 digest.
///
/// ```
/// use tapcourt_script::gadgets::blake3;
/// use tapcourt_script::gadgets::nibble_items;
/// use tapcourt_script::interpreter::{Rules, execute};
///
/// // A node of a Merkle tree with hashes of 20 bytes.
/// let node = blake3::hash(40, 20)?;
/// assert!(node.script().len() < 44_000 && node.max_stack() <= 950);
///
/// let message = [7; 40];
/// let left = execute(node.script(), node.message_items(&message), None, Rules::Policy).stack;
/// assert_eq!(left, nibble_items(&::blake3::hash(&message).as_bytes()[..20]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the message is longer than a chunk, the digest is not 4 to 32 bytes in whole words, or the message takes too many stack items: it
/// lies there as nibbles, which leaves room for some 100 bytes; see [`hash_packed`].
pub fn hash(message_bytes: usize, digest_bytes: usize) -> Result<HashGadget, HashError> {
    hash_with(message_bytes, digest_bytes, Packing::Nibbles, Effort::Full)
}

/// The same for a message of up to a whole chunk, which lies on the stack as limbs of seven nibbles.
///
/// # Errors
/// If the message is longer than a chunk, or the digest is not 4 to 32 bytes in whole words.
pub fn hash_packed(message_bytes: usize, digest_bytes: usize) -> Result<HashGadget, HashError> {
    hash_with(message_bytes, digest_bytes, Packing::Limbs, Effort::Full)
}

/// All choices.
pub(crate) fn hash_with(
    message_bytes: usize,
    digest_bytes: usize,
    packing: Packing,
    effort: Effort,
) -> Result<HashGadget, HashError> {
    if message_bytes > CHUNK_BYTES {
        return Err(HashError::MessageLength {
            bytes: message_bytes,
            least: 0,
            limit: CHUNK_BYTES,
        });
    }
    if !(4..=32).contains(&digest_bytes) || !digest_bytes.is_multiple_of(4) {
        return Err(HashError::DigestLength {
            bytes: digest_bytes,
        });
    }
    let mut blocks = Vec::new();
    let mut rest = message_bytes;
    for input in inputs(message_bytes, digest_bytes / 4) {
        let first = rest == message_bytes;
        rest -= input.bytes;
        let block = Block {
            input,
            chained: !first,
            effort,
        };
        let waiting = match packing {
            Packing::Nibbles => 2 * rest,
            Packing::Limbs => hash::packed_items(rest),
        };
        let compiled = block
            .cheapest(waiting)
            .map_err(|error| hash::block_error(&error, message_bytes))?;
        let packed = (packing == Packing::Limbs).then_some(PackedPart {
            nibbles: 2 * input.bytes,
            above: if first { 0 } else { 64 },
            scale: 1,
        });
        blocks.push((compiled, waiting, packed));
    }
    let parts = blocks.iter().map(|&(ref compiled, waiting, packed)| Part {
        compiled,
        waiting,
        packed,
    });
    hash::join(parts, packing, message_bytes, digest_bytes)
}

/// The blocks of a message of one chunk (section 2.4).
fn inputs(message_bytes: usize, digest_words: usize) -> Vec<Input> {
    let blocks = message_bytes.div_ceil(BLOCK_BYTES).max(1);
    let input = |index: usize| {
        let (first, last) = (index == 0, index == blocks - 1);
        let start = if first { CHUNK_START } else { 0 };
        let end = if last { CHUNK_END | ROOT } else { 0 };
        Input {
            bytes: BLOCK_BYTES.min(message_bytes - BLOCK_BYTES * index),
            flags: start | end,
            words: if last { digest_words } else { 8 },
        }
    };
    (0..blocks).map(input).collect()
}

/// BLAKE3 as part of a larger flow.
#[derive(Debug)]
pub(crate) struct Embedded {
    tables: Tables,
}

impl Embedded {
    /// Layouts that [`Self::new`] can be asked for.
    pub(crate) const LAYOUTS: usize = 2;

    /// Puts the tables into a bank, of which those for sums take sums below `sums`, at least. The second layout takes fewer items, and makes longer
    /// scripts.
    pub(crate) fn new(bank: &mut Bank, layout: usize, sums: i64) -> Self {
        let layout = [Layout::Gaps([0, 0]), Layout::Compact][layout];
        Self {
            tables: Tables::new(bank, layout, sums),
        }
    }

    /// The tables that take a nibble `2n`, and sums of them.
    pub(crate) fn nibbles(&self) -> &NibbleTables {
        &self.tables.nibbles
    }

    /// The first words of the digest of a message, both as nibbles `2n` in the order of bytes, of each byte the low one first. It is left on the
    /// altstack.
    pub(crate) fn digest(
        &self,
        flow: &mut Flow,
        message: &[Nibble],
        digest_words: usize,
    ) -> Vec<Nibble> {
        let low = self.tables.nibbles.sum.low;
        let mut chaining: Option<Vec<Nibble>> = None;
        let inputs = inputs(message.len() / 2, digest_words);
        for (input, nibbles) in inputs.iter().zip(message.chunks(2 * BLOCK_BYTES)) {
            // What waits on the altstack comes before the height is kept.
            let before = chaining.iter().flatten();
            for value in nibbles.iter().chain(before).filter_map(Nibble::value) {
                flow.restore(value);
            }
            let exact = |flow: &mut Flow, nibble: Nibble| match nibble {
                Nibble::Value(value) if !flow.is_exact(value) => {
                    Nibble::Value(flow.corrected(value))
                }
                _ => nibble,
            };
            let mut block = [words::constant(0); 16];
            for (place, &nibble) in block.as_flattened_mut().iter_mut().zip(nibbles) {
                *place = exact(flow, nibble);
            }
            let mut words = IV.map(words::constant);
            let before = chaining.iter().flatten();
            for (place, &nibble) in words.as_flattened_mut().iter_mut().zip(before) {
                *place = match nibble {
                    Nibble::Constant(_) => nibble,
                    Nibble::Value(value) => Nibble::Value(flow.sum_like(value, [low])),
                };
            }
            let corrected = |flow: &mut Flow, xor: Nibble| match xor {
                Nibble::Constant(nibble) => Linear::from(2 * i64::from(nibble)),
                Nibble::Value(value) => flow.corrected(value).into(),
            };
            let (digest, mut left) =
                input.compress(&self.tables, flow, words, block, true, corrected);
            // The message stays until the end of the last round.
            left.extend(block.as_flattened().iter().filter_map(Nibble::value));
            flow.discard_all(left);
            let nibble = |number: Linear| match number.as_constant() {
                Some(number) => Nibble::Constant((number / 2) as u8), // cast ok: a nibble, doubled
                None => Nibble::Value(number.terms[0].0),
            };
            chaining = Some(digest.into_iter().map(nibble).collect());
        }
        chaining.expect("there is at least one block")
    }
}

/// One block of a message.
struct Block {
    input: Input,
    /// Whether a chaining value lies on top of the block.
    chained: bool,
    effort: Effort,
}

impl Block {
    /// The smallest script that keeps to [`COMFORTABLE_STACK`] with so many items waiting below, or else the lowest.
    fn cheapest(&self, waiting: usize) -> Result<Compiled, CompileError> {
        let mut best: Option<Compiled> = None;
        for layout in LAYOUTS {
            let compiled = match self.flow(layout).compile() {
                Ok(compiled) => compiled,
                Err(_) if layout != Layout::Compact => continue,
                Err(error) => return Err(error),
            };
            let key = |compiled: &Compiled| match compiled.max_stack + waiting {
                ..=COMFORTABLE_STACK => (0, compiled.script.len()),
                items => (items, 0),
            };
            if best.as_ref().is_none_or(|best| key(&compiled) < key(best)) {
                best = Some(compiled);
            }
        }
        Ok(best.expect("the last layout has a script, or its error was returned"))
    }

    fn flow(&self, layout: Layout) -> Flow {
        let mut bank = Bank::default();
        let tables = Tables::new(&mut bank, layout, 0);
        let mut flow = Flow::new(bank);
        flow.set_effort(self.effort);
        // From the top down: the chaining value, then the message.
        let message = hash::take_nibbles(&mut flow, 2 * self.input.bytes);
        let chaining = hash::take_nibbles(&mut flow, if self.chained { 64 } else { 0 });
        let low = tables.nibbles.sum.low;
        let chaining = hash::scale(&mut flow, &chaining, 1, Some(low));
        let message = hash::scale(&mut flow, &message, 1, None);
        hash::restore(&mut flow, &message);
        flow.set_up_tables();
        hash::restore(&mut flow, &chaining);

        let mut words = IV.map(words::constant);
        fill(&mut words, &chaining);
        let mut block = [words::constant(0); 16];
        fill(&mut block, &message);
        let plain = |flow: &mut Flow, xor: Nibble| tables.nibbles.plain(flow, xor);
        let (digest, state) = self
            .input
            .compress(&tables, &mut flow, words, block, false, plain);
        state.into_iter().for_each(|value| flow.leave(value));
        // The first nibble on top.
        for nibble in digest.into_iter().rev() {
            flow.output(nibble);
        }
        flow
    }
}

/// What is compressed, but for the words.
#[derive(Clone, Copy)]
struct Input {
    bytes: usize,
    flags: u32,
    /// Words of the result that are wanted.
    words: usize,
}

impl Input {
    /// The compression function of section 2.2: the nibbles of the words wanted, as `finish` makes them, and the values of the state, which are
    /// to stay on the stack until the end. `align` is whether the height is to be the one of other compressions.
    fn compress(
        self,
        tables: &Tables,
        flow: &mut Flow,
        chaining: [Word; 8],
        message: [Word; 16],
        align: bool,
        finish: impl Fn(&mut Flow, Nibble) -> Linear,
    ) -> (Vec<Linear>, Vec<Value>) {
        let mut state = [words::constant(0); 16];
        state[..8].copy_from_slice(&chaining);
        for (word, iv) in state[8..12].iter_mut().zip(IV) {
            *word = words::constant(iv);
        }
        state[14] = words::constant(self.bytes as u32); // cast ok: at most 64
        state[15] = words::constant(self.flags);
        flow.pad(
            state
                .as_flattened()
                .iter()
                .filter(|nibble| nibble.value().is_none())
                .count(),
        );
        if align {
            flow.align();
        }
        let mut schedule: [usize; 16] = std::array::from_fn(|word| word);
        for _ in 0..7 {
            let columns = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]];
            let diagonals = [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
            for (index, &places) in columns.iter().chain(&diagonals).enumerate() {
                let pair = [
                    message[schedule[2 * index]],
                    message[schedule[2 * index + 1]],
                ];
                g(tables, flow, &mut state, places, pair);
            }
            schedule = std::array::from_fn(|word| schedule[PERMUTATION[word]]);
        }
        // The first nibble, which is to end on top, goes to the altstack first.
        let nibbles = &tables.nibbles;
        let digest = (0..8 * self.words)
            .map(|nibble| {
                let (word, place) = (nibble / 8, nibble % 8);
                let xor = nibbles.xor_by(
                    flow,
                    nibbles.xor,
                    state[word][place],
                    state[word + 8][place],
                );
                let finished = finish(flow, xor);
                if let [(value, _)] = finished.terms[..] {
                    flow.keep_on_altstack(value);
                }
                finished
            })
            .collect();
        let state = state.as_flattened().iter().filter_map(Nibble::value);
        (digest, state.collect())
    }
}

/// Replaces the first nibbles of words.
fn fill(words: &mut [Word], values: &[Value]) {
    for (nibble, &value) in words.as_flattened_mut().iter_mut().zip(values) {
        *nibble = Nibble::Value(value);
    }
}

/// The tables of a compression.
#[derive(Debug)]
struct Tables {
    nibbles: NibbleTables,
    /// For the additions whose result is only needed for an exclusive or, and as part of a later sum. If there is no room for these tables, such
    /// additions are finished like others.
    passing: Option<SumTables>,
}

impl Tables {
    /// Tables for sums take sums below `sums`, or more if that is needed.
    fn new(bank: &mut Bank, layout: Layout, sums: i64) -> Self {
        let gaps = match layout {
            Layout::Gaps(gaps) => gaps,
            Layout::Compact => {
                let sum = SumTables::new(bank, sums.max(48), LowForm::Nibble, 1);
                let [xor, spread, half] = words::add_compact_xor(bank);
                return Self {
                    nibbles: NibbleTables {
                        sum,
                        spread,
                        xor,
                        double_xor: None,
                        half,
                    },
                    passing: None,
                };
            }
        };
        let [xor, double_xor] = words::add_xor(bank);
        let sum = SumTables::new(bank, sums.max(80), LowForm::Nibble, 1);
        bank.gap(gaps[0]);
        let passing = SumTables::new(bank, 48, LowForm::Spread, -1);
        bank.gap(gaps[1]);
        let [spread, half] = words::add_forms(bank);
        Self {
            nibbles: NibbleTables {
                sum,
                spread,
                xor,
                double_xor: Some(double_xor),
                half,
            },
            passing: Some(passing),
        }
    }
}

/// The mixing function of section 2.2. In every column, as many values are made as used up.
fn g(
    tables: &Tables,
    flow: &mut Flow,
    state: &mut [Word; 16],
    [a, b, c, d]: [usize; 4],
    [mx, my]: [Word; 2],
) {
    let zero = words::constant(0);
    let nibbles = &tables.nibbles;
    // The first two additions are not finished: what matters of them is the exclusive or, and the sums without carries.
    let (mut q, mut r) = (Vec::new(), Vec::new());
    let (mut x, mut y, mut z, mut w) = (zero, zero, zero, zero);
    let (mut a2, mut c2) = (zero, zero);

    let mut carry = Carry::None;
    for j in 0..8 {
        let (terms, more, other) = ([state[a][j], state[b][j]], [mx[j]], state[d][j]);
        let (sum, xored) = first_half(tables, flow, [&terms, &more], &mut carry, other, j == 7);
        q.push(sum);
        x[j] = xored;
        words::balance(flow, &[state[a][j], state[d][j]], &[sum, x[j]]);
    }
    let x = words::rotate_right_nibbles(x, 4);
    let mut carry = Carry::None;
    for j in 0..8 {
        let (terms, other) = ([state[c][j], x[j]], state[b][j]);
        let (sum, xored) = first_half(tables, flow, [&terms, &[]], &mut carry, other, j == 7);
        r.push(sum);
        y[j] = xored;
        words::balance(flow, &[state[c][j], state[b][j]], &[sum, y[j]]);
    }
    let y = words::rotate_right_nibbles(y, 3);
    let mut carry = Carry::None;
    for j in 0..8 {
        let sum = words::sum_of(&[q[j], y[j], my[j]]);
        a2[j] = keep(tables, flow, sum, &mut carry, j == 7, |flow, a2| {
            z[j] = nibbles.xor_by(flow, nibbles.xor, a2, x[j]);
        });
        words::balance(flow, &[q[j], x[j]], &[a2[j], z[j]]);
    }
    let z = words::rotate_right_nibbles(z, 2);
    let mut carry = Carry::None;
    for j in 0..8 {
        let sum = words::sum_of(&[r[j], z[j]]);
        c2[j] = keep(tables, flow, sum, &mut carry, j == 7, |flow, c2| {
            // Twice the word that is rotated next, if there is a table for it.
            let table = nibbles.double_xor.unwrap_or(nibbles.xor);
            w[j] = nibbles.xor_by(flow, table, c2, y[j]);
        });
        words::balance(flow, &[r[j], y[j]], &[c2[j], w[j]]);
    }
    // By seven bits to the right: by two nibbles, and by one bit to the left, which is to double the word and add what is carried out at the top at
    // the bottom.
    let w = words::rotate_right_nibbles(w, 2);
    state[a] = a2;
    state[b] = rotate_left_one(tables, flow, w, 6);
    state[c] = c2;
    state[d] = z;
}

/// A column of one of the first two additions: what the later addition of the same word starts from, and the exclusive or of this one's result with
/// `other`. More nibbles than terms have no offset: those of the message.
fn first_half(
    tables: &Tables,
    flow: &mut Flow,
    [terms, more]: [&[Nibble]; 2],
    carry: &mut Carry,
    other: Nibble,
    last: bool,
) -> (Nibble, Nibble) {
    let nibbles = &tables.nibbles;
    match &tables.passing {
        Some(passing) => {
            let sum = words::pending(flow, terms, more, nibbles.sum.low);
            let xored = pass(nibbles, passing, flow, sum, carry, other, last);
            (sum, xored)
        }
        None => {
            let mut xored = other;
            let sum = words::sum_of(&[terms, more].concat());
            let kept = keep(tables, flow, sum, carry, last, |flow, low| {
                xored = nibbles.xor_by(flow, nibbles.xor, low, other);
            });
            (kept, xored)
        }
    }
}

/// A column of an addition whose result is only needed for its exclusive or with `other`, which this returns.
fn pass(
    nibbles: &NibbleTables,
    passing: &SumTables,
    flow: &mut Flow,
    sum: Nibble,
    carry: &mut Carry,
    other: Nibble,
    last: bool,
) -> Nibble {
    let sum = words::sum_of(&[sum]);
    let spread = match words::with_carry(flow, sum, *carry, passing, last) {
        Ok(column) => {
            let spread = words::low(flow, column, passing.low);
            let result = nibbles.xor_spread(flow, spread, other);
            *carry = words::carried(flow, column, passing);
            return result;
        }
        Err(sum) => Nibble::Value(flow.lookup(passing.low, sum)),
    };
    nibbles.xor_spread(flow, spread, other)
}

/// A column of an addition whose result is kept; `then` uses it before the carry is read.
fn keep(
    tables: &Tables,
    flow: &mut Flow,
    sum: Linear,
    carry: &mut Carry,
    last: bool,
    then: impl FnOnce(&mut Flow, Nibble),
) -> Nibble {
    let sums = &tables.nibbles.sum;
    words::column(flow, sum, carry, sums, sums.low, last, then)
}

/// Rotates a word to the left by one bit, working from nibble `start` up. Where there is a table of doubled exclusive ors, the word is given doubled.
fn rotate_left_one(tables: &Tables, flow: &mut Flow, word: Word, start: usize) -> Word {
    let sums = &tables.nibbles.sum;
    let times = if tables.nibbles.double_xor.is_some() {
        1
    } else {
        2
    };
    let doubled = |place: usize| words::sum_of(&vec![word[place]; times]);
    let mut rotated = words::constant(0);
    let below = doubled((start + 7) % 8);
    let mut carry = match words::with_carry(flow, below, Carry::None, sums, false) {
        Ok(column) => words::carried(flow, column, sums),
        Err(_) => unreachable!("not the last column"),
    };
    for place in (start..start + 8).map(|place| place % 8) {
        let last = place == (start + 7) % 8;
        let sum = doubled(place);
        rotated[place] = match words::with_carry(flow, sum, carry, sums, last) {
            Ok(column) => {
                carry = words::carried(flow, column, sums);
                if let Carry::Value(value) = carry {
                    flow.keep_on_altstack(value);
                }
                words::low(flow, column, sums.low)
            }
            Err(sum) => Nibble::Value(flow.lookup(sums.low, sum)),
        };
    }
    rotated
}
