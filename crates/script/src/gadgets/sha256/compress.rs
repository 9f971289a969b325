//! The compression function (FIPS 180-4, section 6.2.2).

use super::tables::{Part, Tables, even, ternary};
use crate::dataflow::{Flow, Linear, TableId};
use crate::words::{self, Carry, Nibble, Word, balance};

/// Items that the state takes on the stack: all words in wide form; a, b, e, f and g in ternary form; and what differs between b and c.
const STATE_ITEMS: usize = 64 + 40 + 8;

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

/// Adds a nibble to a sum, given its form.
fn plus(sum: Linear, nibble: Nibble, form: fn(u8) -> i64) -> Linear {
    match nibble {
        Nibble::Constant(nibble) => sum.plus_constant(form(nibble)),
        Nibble::Value(value) => sum.plus(value),
    }
}

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
    fn binary(
        &mut self,
        table: TableId,
        function: fn(u8, u8) -> u8,
        [x, y]: [&[Nibble]; 2],
    ) -> Nibble {
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

    /// What the first column of an addition gets. Where the sum is not a constant, a zero takes the place that a carry has in the other columns.
    fn first_carry(&mut self, is_computed: bool) -> Carry {
        match is_computed {
            true => Carry::Value(self.flow.zero(self.tables.sum.carry)),
            false => Carry::None,
        }
    }

    /// Adds a column: looks the lowest nibble up in `low`, after which `then` is done before the carry is read.
    fn column(
        &mut self,
        sum: Linear,
        carry: &mut Carry,
        last: bool,
        low: TableId,
        then: impl FnOnce(&mut Compression<'_>, Nibble),
    ) -> Nibble {
        let tables = self.tables;
        words::column(
            self.flow,
            sum,
            carry,
            &tables.sum,
            low,
            last,
            |flow, nibble| {
                then(&mut Compression { tables, flow }, nibble);
            },
        )
    }
}

/// A word of the state in both forms.
#[derive(Clone, Copy)]
struct Both {
    wide: Word,
    ternary: Word,
}

/// Items that are constants, so that padding has to stand in for them.
fn constants(words: &[Word]) -> usize {
    let nibbles = words.as_flattened().iter();
    nibbles.filter(|nibble| nibble.value().is_none()).count()
}

/// Compresses a block into a chaining value, both in wide form. The result is plain nibbles.
pub(super) fn compress(
    tables: &Tables,
    flow: &mut Flow,
    chaining: [Word; 8],
    message: [Word; 16],
) -> [Word; 8] {
    let round_constants = round_constants();
    let mut at = Compression { tables, flow };
    let mut state = chaining.map(|wide| Both {
        wide,
        ternary: wide.map(|nibble| at.ternary(nibble)),
    });
    // For the majority function: what differs between a and b is what differs between b and c a round later.
    let mut differ_before: Word =
        std::array::from_fn(|j| at.xor(state[1].ternary[j], state[2].ternary[j]));
    // A chaining value that is not constant is needed at the end again: it stays, where the words of a round are used up.
    let is_kept = |nibble: Nibble| chaining.as_flattened().contains(&nibble);
    let state_items = match constants(&chaining) {
        0 => 64,
        _ => STATE_ITEMS,
    };
    at.flow.pad(state_items + constants(&message));
    let mut w = message;
    for round in 0..64 {
        let [a, b, c, d, e, f, g, h] = state;
        let now = w[round % 16];
        if round >= 48 {
            now.iter()
                .filter_map(Nibble::value)
                .for_each(|value| at.flow.leave(value));
        }
        let (mut t1, mut e2, mut a2) = ([Nibble::Constant(0); 8], d, d);
        let mut carry = at.first_carry(round > 0);
        for j in 0..8 {
            let d_even = at.even(d.wide[j]);
            let [h_even, w_even] = [h.wide[j], now[j]].map(|wide| at.even(wide));
            let rotations = [Move::Rotate(6), Move::Rotate(11), Move::Rotate(25)];
            let sigma = at.moved_xor(&e.wide, rotations, j);
            let differ = at.xor(f.ternary[j], g.ternary[j]);
            let ch = at.flip(g.ternary[j], differ, e.ternary[j]);
            let constant = round_constants[round] >> (4 * j) & 15;
            let sum = [sigma, ch, h_even, w_even]
                .iter()
                .fold(Linear::default(), |sum, &term| plus(sum, term, even))
                .plus_constant(2 * i64::from(constant));
            t1[j] = match sum.as_constant() {
                Some(sum) => Nibble::Constant((sum / 2) as u8), // cast ok: at most 75
                None => Nibble::Value(at.flow.sum(sum)),
            };
            let sum = plus(plus(Linear::default(), t1[j], even), d_even, even);
            e2.wide[j] = at.column(sum, &mut carry, j == 7, tables.sum.low, |at, low| {
                e2.ternary[j] = at.ternary(low);
            });
            let used: Vec<Nibble> = [h.wide[j], d.wide[j]]
                .into_iter()
                .filter(|&nibble| !is_kept(nibble))
                .chain([g.ternary[j]])
                .collect();
            balance(at.flow, &used, &[t1[j], e2.wide[j], e2.ternary[j]]);
        }
        let mut carry = at.first_carry(round > 0);
        for j in 0..8 {
            let rotations = [Move::Rotate(2), Move::Rotate(22), Move::Rotate(13)];
            let sigma = at.moved_xor(&a.wide, rotations, j);
            let differ = at.xor(a.ternary[j], b.ternary[j]);
            let before = std::mem::replace(&mut differ_before[j], differ);
            let maj = at.flip(b.ternary[j], differ, before);
            let sum = [t1[j], sigma, maj]
                .iter()
                .fold(Linear::default(), |sum, &term| plus(sum, term, even));
            a2.wide[j] = at.column(sum, &mut carry, j == 7, tables.sum.low, |at, low| {
                a2.ternary[j] = at.ternary(low);
            });
            let used = [t1[j], b.ternary[j], before];
            balance(at.flow, &used, &[a2.wide[j], a2.ternary[j], differ]);
        }
        state = [a2, a, b, c, e2, e, f, g];
        if round < 48 {
            let [w1, w9, w14] = [1, 9, 14].map(|ahead| w[(round + ahead) % 16]);
            let is_computed = |word: &Word| constants(&[*word]) == 0;
            let mut carry = at.first_carry([now, w1, w9, w14].iter().any(is_computed));
            w[round % 16] = std::array::from_fn(|j| {
                let [w9, w0] = [w9[j], now[j]].map(|wide| at.even(wide));
                let moves = [Move::Shift(10), Move::Rotate(19), Move::Rotate(17)];
                let s1 = at.moved_xor(&w14, moves, j);
                let moves = [Move::Rotate(7), Move::Shift(3), Move::Rotate(18)];
                let s0 = at.moved_xor(&w1, moves, j);
                let sum = [s0, s1, w9, w0]
                    .iter()
                    .fold(Linear::default(), |sum, &term| plus(sum, term, even));
                let next = at.column(sum, &mut carry, j == 7, tables.sum.low, |_, _| {});
                balance(at.flow, &[now[j]], &[next]);
                next
            });
        }
    }
    // What is left stays, so that the stack keeps its height.
    for value in state
        .iter()
        .flat_map(|word| word.wide)
        .filter_map(|nibble| nibble.value())
    {
        at.flow.leave(value);
    }
    std::array::from_fn(|word| {
        let mut carry = Carry::None;
        std::array::from_fn(|j| {
            let terms = [state[word].wide[j], chaining[word][j]].map(|wide| at.even(wide));
            let sum = terms
                .iter()
                .fold(Linear::default(), |sum, &term| plus(sum, term, even));
            at.column(sum, &mut carry, j == 7, tables.low_plain, |_, _| {})
        })
    })
}
