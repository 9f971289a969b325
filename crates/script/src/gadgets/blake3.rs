//! BLAKE3 (the paper of 2020, "BLAKE3: one function, fast everywhere").

use crate::dataflow::{Bank, Compiled, CompileError, Flow};
use crate::words::{self, Carry, Nibble, NibbleTables, Word};

/// The initial chaining value (section 2.1 of the paper; SHA-256's).
const IV: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The permutation of message words between rounds (section 2.2, table 2).
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

/// Nibble operations of one quarter round, in an order: each step is a phase (0 to 3: the four additions, each with the exclusive or of its
/// result) and a column.
pub type Order = Vec<(u8, u8)>;

/// One phase after the other.
pub fn plain_order() -> Order {
    (0..4)
        .flat_map(|phase| (0..8).map(move |column| (phase, column)))
        .collect()
}

/// Rotates a word to the left by one bit: twice the word, with the carry from the top added at the bottom.
fn g(
    tables: &NibbleTables,
    flow: &mut Flow,
    state: &mut [Word; 16],
    [a, b, c, d]: [usize; 4],
    [mx, my]: [Word; 2],
    order: &Order,
) {
    let zero = words::constant(0);
    let mut carries: [Carry; 4] = Default::default();
    let (mut a1, mut c1, mut a2, mut c2) = (zero, zero, zero, zero);
    let (mut x, mut y, mut z, mut w) = (zero, zero, zero, zero);
    let mut doubling = Carry::default();
    let mut rotated = zero;
    for &(phase, column) in order {
        let j = usize::from(column);
        let last = j == 7;
        let carry = &mut carries[usize::from(phase)];
        match phase {
            0 => {
                let terms = [state[a][j], state[b][j], mx[j]];
                a1[j] = tables.add_column(flow, &terms, carry, last);
                x[j] = tables.xor_nibble(flow, a1[j], state[d][j]);
            }
            1 => {
                c1[j] = tables.add_column(flow, &[state[c][j], x[(j + 4) % 8]], carry, last);
                y[j] = tables.xor_nibble(flow, c1[j], state[b][j]);
            }
            2 => {
                let terms = [a1[j], y[(j + 3) % 8], my[j]];
                a2[j] = tables.add_column(flow, &terms, carry, last);
                z[j] = tables.xor_nibble(flow, a2[j], x[(j + 4) % 8]);
            }
            _ => {
                c2[j] = tables.add_column(flow, &[c1[j], z[(j + 2) % 8]], carry, last);
                w[j] = tables.xor_nibble(flow, c2[j], y[(j + 3) % 8]);
                // w >>> 7 is w >>> 8, doubled.
                rotated[j] = tables.add_column(flow, &[w[j], w[j]], &mut doubling, false);
            }
        }
    }
    // What the top column carries belongs to the lowest.
    rotated[0] = tables.finish_rotation(flow, rotated[0], doubling);
    state[a] = a2;
    state[b] = words::rotate_right_nibbles(rotated, 2);
    state[c] = c2;
    state[d] = words::rotate_right_nibbles(z, 2);
}

/// Compresses one block, with the input chaining value's constant key.
fn compress(
    tables: &NibbleTables,
    flow: &mut Flow,
    chaining: [Word; 8],
    message: [Word; 16],
    block_len: u32,
    flags: u32,
    order: &Order,
    outputs: usize,
) -> Vec<Word> {
    let mut state = [words::constant(0); 16];
    state[..8].copy_from_slice(&chaining);
    for (word, iv) in state[8..12].iter_mut().zip(IV) {
        *word = words::constant(iv);
    }
    state[14] = words::constant(block_len);
    state[15] = words::constant(flags);
    let mut schedule: [usize; 16] = std::array::from_fn(|word| word);
    for _ in 0..7 {
        let columns = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]];
        let diagonals = [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
        for (index, &words) in columns.iter().chain(&diagonals).enumerate() {
            let pair = [message[schedule[2 * index]], message[schedule[2 * index + 1]]];
            g(tables, flow, &mut state, words, pair, order);
        }
        schedule = std::array::from_fn(|word| schedule[PERMUTATION[word]]);
    }
    (0..outputs)
        .map(|word| tables.xor(flow, state[word], state[word + 8]))
        .collect()
}

thread_local! { pub static LAST: std::cell::RefCell<Option<Flow>> = const { std::cell::RefCell::new(None) }; }
/// Compiles.
pub fn block(len: usize, out_words: usize, order: &Order) -> Result<Compiled, CompileError> {
    let mut bank = Bank::default();
    let tables = NibbleTables::new(&mut bank, 48);
    let mut flow = Flow::new(bank);
    let mut inputs: Vec<[crate::dataflow::Value; 8]> = (0..len / 4)
        .map(|_| {
            let mut word: [crate::dataflow::Value; 8] = std::array::from_fn(|_| flow.input_below());
            word.reverse();
            word
        })
        .collect();
    inputs.reverse();
    let doubled: Vec<_> = inputs.iter().map(|&word| tables.double(&mut flow, word)).collect();
    for &nibble in doubled.iter().rev().flat_map(|word| word.iter().rev()) {
        flow.restore(nibble);
    }
    flow.set_up_tables();
    let mut message = [words::constant(0); 16];
    for (word, doubled) in message.iter_mut().zip(doubled) {
        *word = doubled.map(Nibble::Value);
    }
    let out = compress(
        &tables,
        &mut flow,
        IV.map(words::constant),
        message,
        len as u32,
        11,
        order,
        out_words,
    );
    for word in out {
        for nibble in word {
            tables.output(&mut flow, nibble);
        }
    }
    let c = flow.compile(); LAST.with(|l| *l.borrow_mut() = Some(flow)); c
}
