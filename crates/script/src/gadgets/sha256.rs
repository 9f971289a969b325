//! SHA-256 (FIPS 180-4).
//!
//! # Forms of a nibble
//! | form | logical number | for |
//! |---|---|---|
//! | wide | `8n` | rotations: eight interleaved tables give, at eight consecutive stack heights, the parts of a nibble that a rotation sends to its two neighbours, and the two other forms |
//! | ternary | `2·Σ bit·3^i` | boolean functions: the sum of two tells for each bit whether none, one or both are set |
//! | even | `2n` | additions |
//!
//! `Ch(e, f, g)` is computed as `g ^ (e & (f ^ g))`, and `Maj(a, b, c)` as `(a & b) + (c & (a ^ b))`, whose terms share no bit.

use crate::dataflow::{Bank, CompileError, Compiled, Flow, Linear, Table, TableId, Value};

/// The first 32 bits of the fractional parts of the square roots of the first eight primes (section 5.3.3).
const IV: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2).
fn round_constants() -> [u32; 64] {
    let mut primes = (2u64..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    std::array::from_fn(|_| {
        let prime = u128::from(primes.next().expect("there are infinitely many primes"));
        // The cube root times 2^32, rounded down, by bisection.
        let target = prime << 96;
        let (mut low, mut high) = (0u128, 1u128 << 36);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if middle * middle * middle <= target {
                low = middle;
            } else {
                high = middle;
            }
        }
        low as u32 // cast ok: the fractional part is what is wanted
    })
}

/// A nibble in some form.
#[derive(Clone, Copy, Debug)]
enum Nibble {
    Constant(u8),
    Value(Value),
}

/// A word in some form, the lowest nibble first.
type Word = [Nibble; 8];

fn constant(word: u32) -> Word {
    std::array::from_fn(|nibble| Nibble::Constant((word >> (4 * nibble) & 15) as u8)) // cast ok: masked
}

fn ternary(nibble: u8) -> i64 {
    (0..4)
        .map(|bit| i64::from(nibble >> bit & 1) * 2 * 3i64.pow(bit))
        .sum()
}

fn even(nibble: u8) -> i64 {
    2 * i64::from(nibble)
}

fn wide(nibble: u8) -> i64 {
    8 * i64::from(nibble)
}

/// Adds a nibble to a sum, given its form.
fn plus(sum: Linear, nibble: Nibble, form: fn(u8) -> i64) -> Linear {
    match nibble {
        Nibble::Constant(nibble) => sum.plus_constant(form(nibble)),
        Nibble::Value(value) => sum.plus(value),
    }
}

fn value_of(nibble: Nibble) -> Option<Value> {
    match nibble {
        Nibble::Constant(_) => None,
        Nibble::Value(value) => Some(value),
    }
}

/// A function of a nibble, as a table from its wide form.
#[derive(Clone, Copy, Debug)]
struct Part {
    table: TableId,
    function: fn(u8) -> u8,
}

#[derive(Debug)]
struct Tables {
    /// What a rotation by `4k + s` to the right takes from nibble `k` on, and from the one above it, in ternary form, for `s` of 1 to 3.
    rotated: [[Part; 2]; 3],
    /// From wide to ternary.
    to_ternary: TableId,
    /// From wide to even.
    to_even: TableId,
    /// From a sum of two ternaries to their exclusive or, in ternary form.
    xor: TableId,
    /// … in even form.
    xor_even: TableId,
    /// … to their and, in ternary form.
    and: TableId,
    /// From a sum of evens to its lowest nibble in wide form.
    low: TableId,
    /// … to what is carried.
    carry: TableId,
}

impl Tables {
    fn new(bank: &mut Bank) -> Self {
        let pairs = || (0..16u8).flat_map(|x| (0..16u8).map(move |y| (x, y)));
        let binary = |function: fn(u8, u8) -> u8, form: fn(u8) -> i64| {
            Table::new(pairs().map(|(x, y)| (ternary(x) + ternary(y), form(function(x, y)))))
        };
        let xor: fn(u8, u8) -> u8 = |x, y| x ^ y;
        let and: fn(u8, u8) -> u8 = |x, y| x & y;
        let low = Table::new((0..112).map(|sum| (2 * sum, wide((sum % 16) as u8)))); // cast ok: below 16
        let carry = Table::new((0..112).map(|sum| (2 * sum, 2 * (sum / 16))));
        let [low, carry] = bank.add([(low, 0), (carry, SHIFTS[0])]);
        let [xor_even] = bank.add([(binary(xor, even).exact(), 0)]);
        let [xor, and] = bank.add([(binary(xor, ternary), 0), (binary(and, ternary), SHIFTS[1])]);
        let unary = |function: fn(u8) -> u8, form: fn(u8) -> i64| {
            Table::new((0..16u8).map(|x| (wide(x), form(function(x)))))
        };
        let parts: [fn(u8) -> u8; 6] = [
            |x| x >> 1,
            |x| x << 3 & 15,
            |x| x >> 2,
            |x| x << 2 & 15,
            |x| x >> 3,
            |x| x << 1 & 15,
        ];
        let [to_ternary, to_even, a, b, c, d, e, f] = bank.add([
            (unary(|x| x, ternary), 0),
            (unary(|x| x, even).exact(), 1),
            (unary(parts[0], ternary), 2),
            (unary(parts[1], ternary), 3),
            (unary(parts[2], ternary), 4),
            (unary(parts[3], ternary), 5),
            (unary(parts[4], ternary), 6),
            (unary(parts[5], ternary), 7),
        ]);
        let part = |index: usize, table| Part {
            table,
            function: parts[index],
        };
        Self {
            rotated: [
                [part(0, a), part(1, b)],
                [part(2, c), part(3, d)],
                [part(4, e), part(5, f)],
            ],
            to_ternary,
            to_even,
            xor,
            xor_even,
            and,
            low,
            carry,
        }
    }
}

/// Shifts of interleaved tables that fit the heights at which they are read.
const SHIFTS: [i64; 2] = [1, 1];

/// A rotation, or a shift, to the right, by so many bits.
#[derive(Clone, Copy, Debug)]
enum Move {
    Rotate(usize),
    Shift(usize),
}

struct Compression<'a> {
    tables: &'a Tables,
    flow: &'a mut Flow,
}

impl Compression<'_> {
    /// Looks a function of a nibble up.
    fn unary(&mut self, table: TableId, function: fn(u8) -> u8, wide: Nibble) -> Nibble {
        match wide {
            Nibble::Constant(nibble) => Nibble::Constant(function(nibble)),
            Nibble::Value(value) => Nibble::Value(self.flow.lookup(table, value)),
        }
    }

    /// Looks a function of two nibbles up, each of which is a sum of ternaries.
    fn binary(&mut self, table: TableId, function: fn(u8, u8) -> u8, [x, y]: [&[Nibble]; 2]) -> Nibble {
        let constant_of = |parts: &[Nibble]| {
            parts.iter().try_fold(0u8, |sum, part| match part {
                Nibble::Constant(nibble) => Some(sum | nibble),
                Nibble::Value(_) => None,
            })
        };
        if let (Some(x), Some(y)) = (constant_of(x), constant_of(y)) {
            return Nibble::Constant(function(x, y));
        }
        let index = x
            .iter()
            .chain(y)
            .fold(Linear::default(), |sum, &part| plus(sum, part, ternary));
        Nibble::Value(self.flow.lookup(table, index))
    }

    /// One part of one nibble of a moved word: what comes from the lower (0) or the upper (1) of the two nibbles it takes bits from.
    fn moved(&mut self, word: &Word, by: Move, place: usize, part: usize) -> Option<Nibble> {
        let (bits, rotate) = match by {
            Move::Rotate(bits) => (bits, true),
            Move::Shift(bits) => (bits, false),
        };
        let Part { table, function } = self.tables.rotated[bits % 4 - 1][part];
        let from = place + bits / 4 + part;
        (rotate || from < 8).then(|| self.unary(table, function, word[from % 8]))
    }

    /// One nibble of the exclusive or of three moved words, in even form.
    ///
    /// The parts are looked up in the order of their tables, the third move's first, and added up at the end: so each is read at the height that its
    /// table is made for.
    fn moved_xor(&mut self, word: &Word, [a, b, c]: [Move; 3], place: usize) -> Nibble {
        let bits = |by| match by {
            Move::Rotate(bits) | Move::Shift(bits) => bits,
        };
        let third: Vec<Nibble> = [0, 1]
            .iter()
            .filter_map(|&part| self.moved(word, c, place, part))
            .collect();
        let order = match bits(a) % 4 == bits(b) % 4 {
            true => [(a, 0), (b, 0), (a, 1), (b, 1)],
            false => [(a, 0), (a, 1), (b, 0), (b, 1)],
        };
        let parts: Vec<(usize, Nibble)> = order
            .iter()
            .filter_map(|&(by, part)| Some((bits(by), self.moved(word, by, place, part)?)))
            .collect();
        let of = |by| -> Vec<Nibble> {
            let mine = parts.iter().filter(|(bits_of, _)| *bits_of == bits(by));
            mine.map(|&(_, nibble)| nibble).collect()
        };
        let xor = |x, y| x ^ y;
        let both = self.binary(self.tables.xor, xor, [&of(a), &of(b)]);
        self.binary(self.tables.xor_even, xor, [&[both], &third])
    }

    fn xor(&mut self, x: Nibble, y: Nibble) -> Nibble {
        self.binary(self.tables.xor, |x, y| x ^ y, [&[x], &[y]])
    }

    /// `x` where the bits of `differ` are 0, elsewhere what `chosen` says.
    fn flip(&mut self, x: Nibble, differ: Nibble, chosen: Nibble) -> Nibble {
        let flipped = self.binary(self.tables.and, |x, y| x & y, [&[differ], &[chosen]]);
        self.binary(self.tables.xor_even, |x, y| x ^ y, [&[flipped], &[x]])
    }

    fn even(&mut self, wide: Nibble) -> Nibble {
        self.unary(self.tables.to_even, |x| x, wide)
    }

    fn ternary(&mut self, wide: Nibble) -> Nibble {
        self.unary(self.tables.to_ternary, |x| x, wide)
    }

    /// Adds a column: returns the lowest nibble in wide form, after which `then` is done before the carry is read.
    fn column(
        &mut self,
        mut sum: Linear,
        carry: &mut Option<Nibble2>,
        last: bool,
        then: impl FnOnce(&mut Self, Nibble),
    ) -> Nibble {
        let mut like = Vec::new();
        match carry.take() {
            None => like.push(self.tables.carry),
            Some(Nibble2::Constant(carry)) => {
                sum = sum.plus_constant(carry);
                like.push(self.tables.carry);
            }
            Some(Nibble2::Value(value)) => sum = sum.plus(value),
        }
        if let Some(sum) = sum.as_constant() {
            *carry = Some(Nibble2::Constant(sum / 32 * 2));
            let low = Nibble::Constant((sum / 2 % 16) as u8); // cast ok: below 16
            then(self, low);
            return low;
        }
        if last {
            let low = Nibble::Value(self.flow.lookup(self.tables.low, sum));
            then(self, low);
            return low;
        }
        let sum = self.flow.sum_like(sum, like);
        let low = Nibble::Value(self.flow.lookup(self.tables.low, sum));
        then(self, low);
        *carry = Some(Nibble2::Value(self.flow.lookup(self.tables.carry, sum)));
        low
    }
}

/// A carry.
#[derive(Clone, Copy, Debug)]
enum Nibble2 {
    Constant(i64),
    Value(Value),
}

/// A word of the state in both forms.
#[derive(Clone, Copy)]
struct Both {
    wide: Word,
    ternary: Word,
}

/// Compresses a block into a chaining value. Message and result are in wide form.
fn compress(tables: &Tables, flow: &mut Flow, chaining: [Word; 8], message: [Word; 16]) -> [Word; 8] {
    let constants = round_constants();
    let mut at = Compression { tables, flow };
    let mut state = chaining.map(|wide| Both {
        wide,
        ternary: wide.map(|nibble| at.ternary(nibble)),
    });
    let mut w = message;
    // For the majority function: what differs between a and b is what differs between b and c a round later.
    let mut differ_before: Word =
        std::array::from_fn(|j| at.xor(state[1].ternary[j], state[2].ternary[j]));
    at.flow.pad(112);
    for round in 0..64 {
        let [a, b, c, d, e, f, g, h] = state;
        let now = w[round % 16];
        if round >= 48 {
            for value in now.iter().filter_map(|&nibble| value_of(nibble)) {
                at.flow.leave(value);
            }
        }
        let is_constant = |nibble: Nibble| usize::from(value_of(nibble).is_none());
        let (mut t1, mut e2, mut a2) = ([Nibble::Constant(0); 8], d, d);
        let mut carry = None;
        for j in 0..8 {
            let d_even = at.even(d.wide[j]);
            let [h_even, w_even] = [h.wide[j], now[j]].map(|wide| at.even(wide));
            let sigma = at.moved_xor(&e.wide, [Move::Rotate(6), Move::Rotate(11), Move::Rotate(25)], j);
            let differ = at.xor(f.ternary[j], g.ternary[j]);
            let ch = at.flip(g.ternary[j], differ, e.ternary[j]);
            let terms = [sigma, ch, h_even, w_even];
            let sum = terms
                .iter()
                .fold(Linear::default(), |sum, &term| plus(sum, term, even))
                .plus_constant(2 * i64::from(constants[round] >> (4 * j) & 15));
            t1[j] = match sum.as_constant() {
                Some(sum) => Nibble::Constant((sum / 2) as u8), // cast ok: at most 75
                None => Nibble::Value(at.flow.sum(sum)),
            };
            let sum = plus(plus(Linear::default(), t1[j], even), d_even, even);
            e2.wide[j] = at.column(sum, &mut carry, j == 7, |at, low| e2.ternary[j] = at.ternary(low));
            let unpads = is_constant(h.wide[j]) + is_constant(d.wide[j]) + is_constant(g.ternary[j]);
            for _ in 0..unpads {
                at.flow.unpad();
            }
        }
        let mut carry = None;
        for j in 0..8 {
            let sigma = at.moved_xor(&a.wide, [Move::Rotate(2), Move::Rotate(22), Move::Rotate(13)], j);
            let differ = at.xor(a.ternary[j], b.ternary[j]);
            let maj = at.flip(b.ternary[j], differ, differ_before[j]);
            differ_before[j] = differ;
            let sum = [t1[j], sigma, maj]
                .iter()
                .fold(Linear::default(), |sum, &term| plus(sum, term, even));
            a2.wide[j] = at.column(sum, &mut carry, j == 7, |at, low| a2.ternary[j] = at.ternary(low));
            if is_constant(b.ternary[j]) == 1 {
                at.flow.unpad();
            }
        }
        state = [a2, a, b, c, e2, e, f, g];
        if round < 48 {
            let (w1, w9, w14) = (w[(round + 1) % 16], w[(round + 9) % 16], w[(round + 14) % 16]);
            let mut next = now;
            let mut carry = None;
            for j in 0..8 {
                let [w9, now] = [w9[j], now[j]].map(|wide| at.even(wide));
                let s1 = at.moved_xor(&w14, [Move::Shift(10), Move::Rotate(19), Move::Rotate(17)], j);
                let s0 = at.moved_xor(&w1, [Move::Rotate(7), Move::Shift(3), Move::Rotate(18)], j);
                let sum = [s0, s1, w9, now]
                    .iter()
                    .fold(Linear::default(), |sum, &term| plus(sum, term, even));
                next[j] = at.column(sum, &mut carry, j == 7, |_, _| {});
            }
            w[round % 16] = next;
        }
    }
    // What the state consists of in the end, in the order of the chaining value.
    let mut result = [constant(0); 8];
    for (word, result) in result.iter_mut().enumerate() {
        let mut carry = None;
        for j in 0..8 {
            let sum = plus(Linear::default(), at.even(state[word].wide[j]), even);
            let other = at.even(chaining[word][j]);
            result[j] = at.column(plus(sum, other, even), &mut carry, j == 7, |_, _| {});
        }
    }
    result
}

/// One compression.
pub fn block() -> Result<(Compiled, Flow), CompileError> {
    let mut bank = Bank::default();
    let tables = Tables::new(&mut bank);
    let mut flow = Flow::new(bank);
    let mut inputs: Vec<[Value; 8]> = (0..16)
        .map(|_| {
            let mut word: [Value; 8] = std::array::from_fn(|_| flow.input_below());
            word.reverse();
            word
        })
        .collect();
    inputs.reverse();
    let converted: Vec<[Value; 8]> = inputs
        .iter()
        .map(|word| {
            word.map(|nibble| {
                let twice = flow.sum(Linear::from(nibble).plus(nibble));
                let four = flow.sum(Linear::from(twice).plus(twice));
                let eight = flow.sum_like(Linear::from(four).plus(four), [tables.low]);
                flow.keep_on_altstack(eight);
                eight
            })
        })
        .collect();
    flow.set_up_tables();
    for &nibble in converted.iter().rev().flat_map(|word| word.iter().rev()) {
        flow.restore(nibble);
    }
    let mut message = [constant(0); 16];
    for (word, converted) in message.iter_mut().zip(converted) {
        *word = converted.map(Nibble::Value);
    }
    let out = compress(&tables, &mut flow, IV.map(constant), message);
    for word in out {
        for nibble in word {
            if let Nibble::Value(v) = nibble {
                flow.output(v);
            }
        }
    }
    Ok((flow.compile()?, flow))
}
