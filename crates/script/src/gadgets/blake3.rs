//! BLAKE3 (the paper of 2020, "BLAKE3: one function, fast everywhere").

use crate::dataflow::{Bank, CompileError, Compiled, Flow, Linear};
use crate::words::{self, Carry, LowForm, Nibble, NibbleTables, SumTables, Word};

/// The initial chaining value (section 2.1 of the paper; SHA-256's).
const IV: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The permutation of message words between rounds (section 2.2, table 2).
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

/// The tables of a compression.
struct Tables {
    nibbles: NibbleTables,
    /// For the additions whose result is only needed for an exclusive or, and as part of a later sum.
    passing: SumTables,
}

impl Tables {
    fn new(bank: &mut Bank, gaps: [usize; 2]) -> Self {
        let [xor, double_xor] = words::add_xor(bank);
        let sum = SumTables::new(bank, 80, LowForm::Nibble, 1);
        bank.gap(gaps[0]);
        let passing = SumTables::new(bank, 48, LowForm::Spread, -1);
        bank.gap(gaps[1]);
        let [spread, half] = words::add_forms(bank);
        Self {
            nibbles: NibbleTables {
                sum,
                spread,
                xor,
                double_xor,
                half,
            },
            passing,
        }
    }
}

/// The mixing function of section 2.2.
fn g(
    tables: &Tables,
    flow: &mut Flow,
    state: &mut [Word; 16],
    [a, b, c, d]: [usize; 4],
    [mx, my]: [Word; 2],
) {
    let zero = words::constant(0);
    let pad = matches!(state[a][0], Nibble::Constant(_));
    let nibbles = &tables.nibbles;
    // The first two additions are not finished: what matters of them is the exclusive or, and the sums without carries.
    let (mut q, mut r) = (Vec::new(), Vec::new());
    let (mut x, mut y, mut z, mut w) = (zero, zero, zero, zero);
    let (mut a2, mut c2) = (zero, zero);

    let mut carry = Carry::None;
    for j in 0..8 {
        let sum = words::pending(flow, &[state[a][j], state[b][j]], &[mx[j]], nibbles.sum.low);
        q.push(sum);
        x[j] = pass(tables, flow, sum, &mut carry, state[d][j], j == 7);
        if pad {
            flow.unpad();
            flow.unpad();
        }
    }
    let x = words::rotate_right_nibbles(x, 4);
    let mut carry = Carry::None;
    for j in 0..8 {
        let sum = words::pending(flow, &[state[c][j], x[j]], &[], nibbles.sum.low);
        r.push(sum);
        y[j] = pass(tables, flow, sum, &mut carry, state[b][j], j == 7);
        if pad {
            flow.unpad();
            flow.unpad();
        }
    }
    let y = words::rotate_right_nibbles(y, 3);
    let mut carry = Carry::None;
    for j in 0..8 {
        let sum = words::sum_of(&[q[j], y[j], my[j]]);
        a2[j] = keep(tables, flow, sum, &mut carry, j == 7, |flow, a2| {
            z[j] = nibbles.xor_by(flow, nibbles.xor, a2, x[j]);
        });
    }
    let z = words::rotate_right_nibbles(z, 2);
    let mut carry = Carry::None;
    for j in 0..8 {
        let sum = words::sum_of(&[r[j], z[j]]);
        c2[j] = keep(tables, flow, sum, &mut carry, j == 7, |flow, c2| {
            // Twice the word that is rotated next.
            w[j] = nibbles.xor_by(flow, nibbles.double_xor, c2, y[j]);
        });
    }
    // By seven bits to the right: by two nibbles, and by one bit to the left, which is to double the word and add what is carried out at the top at
    // the bottom.
    let w = words::rotate_right_nibbles(w, 2);
    state[a] = a2;
    state[b] = rotate_doubled(tables, flow, w, 6);
    state[c] = c2;
    state[d] = z;
}

/// A column of an addition whose result is only needed for its exclusive or with `other`, which this returns.
fn pass(
    tables: &Tables,
    flow: &mut Flow,
    sum: Nibble,
    carry: &mut Carry,
    other: Nibble,
    last: bool,
) -> Nibble {
    let sum = words::sum_of(&[sum]);
    let spread = match words::with_carry(flow, sum, *carry, &tables.passing, last) {
        Ok(column) => {
            let spread = words::low(flow, column, tables.passing.low);
            let result = tables.nibbles.xor_spread(flow, spread, other);
            *carry = words::carried(flow, column, &tables.passing);
            return result;
        }
        Err(sum) => Nibble::Value(flow.lookup(tables.passing.low, sum)),
    };
    tables.nibbles.xor_spread(flow, spread, other)
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
    match words::with_carry(flow, sum, *carry, sums, last) {
        Ok(column) => {
            let low = words::low(flow, column, sums.low);
            then(flow, low);
            *carry = words::carried(flow, column, sums);
            low
        }
        Err(sum) => {
            let low = Nibble::Value(flow.lookup(sums.low, sum));
            then(flow, low);
            low
        }
    }
}

/// Rotates a word to the left by one bit, given twice its nibbles, working from nibble `start` up.
fn rotate_doubled(tables: &Tables, flow: &mut Flow, word: Word, start: usize) -> Word {
    let sums = &tables.nibbles.sum;
    let top = Linear::default();
    let mut rotated = words::constant(0);
    let below = word[(start + 7) % 8];
    let mut carry = match words::with_carry(flow, words::sum_of(&[below]), Carry::None, sums, false) {
        Ok(column) => words::carried(flow, column, sums),
        Err(_) => unreachable!("not the last column"),
    };
    let _ = top;
    for place in (start..start + 8).map(|place| place % 8) {
        let last = place == (start + 7) % 8;
        let sum = words::sum_of(&[word[place]]);
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

/// Compresses one block, with the input chaining value's constant key.
fn compress(
    tables: &Tables,
    flow: &mut Flow,
    chaining: [Word; 8],
    message: [Word; 16],
    block_len: u32,
    flags: u32,
    outputs: usize,
) -> Vec<[crate::dataflow::Linear; 8]> {
    let mut state = [words::constant(0); 16];
    state[..8].copy_from_slice(&chaining);
    for (word, iv) in state[8..12].iter_mut().zip(IV) {
        *word = words::constant(iv);
    }
    state[14] = words::constant(block_len);
    state[15] = words::constant(flags);
    // The first round meets a state of constants, which take no place on the stack.
    flow.pad(128);
    let mut schedule: [usize; 16] = std::array::from_fn(|word| word);
    for _ in 0..7 {
        let columns = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]];
        let diagonals = [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
        for (index, &words) in columns.iter().chain(&diagonals).enumerate() {
            let pair = [message[schedule[2 * index]], message[schedule[2 * index + 1]]];
            g(tables, flow, &mut state, words, pair);
        }
        schedule = std::array::from_fn(|word| schedule[PERMUTATION[word]]);
    }
    // What is not asked for stays, so that the stack keeps its height.
    for word in (outputs..8).flat_map(|word| [state[word], state[word + 8]]) {
        for nibble in word {
            if let Nibble::Value(value) = nibble {
                flow.leave(value);
            }
        }
    }
    // The last first, as they lie on the altstack.
    let mut out: Vec<[crate::dataflow::Linear; 8]> = (0..outputs)
        .rev()
        .map(|word| {
            let mut nibbles: [_; 8] = std::array::from_fn(|place| {
                let place = 7 - place;
                let nibbles = &tables.nibbles;
                let (fresh, other) = (state[word][place], state[word + 8][place]);
                let xor = nibbles.xor_by(flow, nibbles.xor, fresh, other);
                for nibble in [fresh, other] {
                    if let Nibble::Value(value) = nibble {
                        flow.leave(value);
                    }
                }
                let plain = nibbles.plain(flow, xor);
                if let [(value, _)] = plain.terms[..] {
                    flow.keep_on_altstack(value);
                }
                plain
            });
            nibbles.reverse();
            nibbles
        })
        .collect();
    out.reverse();
    out
}

thread_local! { pub static LAST: std::cell::RefCell<Option<Flow>> = const { std::cell::RefCell::new(None) }; }
/// Compiles.
pub fn block(len: usize, out_words: usize, gaps: [usize; 2]) -> Result<Compiled, CompileError> {
    let mut bank = Bank::default();
    let tables = Tables::new(&mut bank, gaps);
    let mut flow = Flow::new(bank);
    let mut inputs: Vec<[crate::dataflow::Value; 8]> = (0..len / 4)
        .map(|_| {
            let mut word: [crate::dataflow::Value; 8] = std::array::from_fn(|_| flow.input_below());
            word.reverse();
            word
        })
        .collect();
    inputs.reverse();
    let doubled: Vec<_> = inputs.iter().map(|&word| tables.nibbles.double(&mut flow, word)).collect();
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
        out_words,
    );
    for word in out {
        for nibble in word {
            flow.output(nibble);
        }
    }
    let c = flow.compile(); LAST.with(|l| *l.borrow_mut() = Some(flow)); c
}
