//! The compression function (FIPS 180-4, section 6.2.2).

use super::tables::{Part, Tables, even, ternary};
use crate::dataflow::{Flow, Linear, TableId, Value};
use crate::gadgets::hash::{self, LIMB_NIBBLES};
use crate::words::{self, Carry, Nibble, Word, balance};

/// How many nibbles an addition adds up, at most. The fewer, the smaller the tables of sums, and the longer the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sums {
    /// Seven: a round has the two additions of the standard, of which five terms are added up for both.
    Seven,
    /// Five, of which one is a sum of two that is not taken apart: a round has an addition more.
    Five,
    /// Three: a round has two additions more, and a word of the schedule one. The state is kept in ternary form, where only `a` and `e` are in wide form too.
    Three,
}

impl Sums {
    /// The sums, with carries, are below this.
    pub(super) fn bound(self) -> i64 {
        match self {
            Self::Seven => 112,
            Self::Five => 64,
            Self::Three => 48,
        }
    }

    /// Items that the state takes on the stack. Where words are in wide form: all of them; a, b, e, f and g in ternary form; and what differs between
    /// b and c. Else all in ternary form, a and e in wide form, what differs, and eight that have no use any more and keep the height.
    fn state_items(self) -> usize {
        match self {
            Self::Seven | Self::Five => 64 + 40 + 8,
            Self::Three => 64 + 16 + 8 + 8,
        }
    }
}

/// What the compressed state is added to.
#[derive(Clone, Copy, Debug)]
pub(super) enum FeedForward<'a> {
    /// The chaining value as it is: constants, or wide nibbles that stay on the stack.
    Words,
    /// The chaining value as limbs of seven even nibbles, in the order of words and of places in them.
    Limbs(&'a [Value]),
}

/// In what form the result is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Plain numbers.
    Plain,
    /// Twice that.
    Even,
}

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

    /// `e ? f : g`, bit by bit, in even form.
    fn choice(&mut self, [e, f, g]: [&Both; 3], place: usize) -> Nibble {
        let differ = self.xor(f.ternary[place], g.ternary[place]);
        self.flip(g.ternary[place], differ, e.ternary[place])
    }

    /// The function Σ1 of a word, in even form.
    fn upper_sigma_1(&mut self, word: &Both, place: usize) -> Nibble {
        let rotations = [Move::Rotate(6), Move::Rotate(11), Move::Rotate(25)];
        self.moved_xor(&word.wide, rotations, place)
    }

    /// The function Σ0 of a word, in even form.
    fn upper_sigma_0(&mut self, word: &Both, place: usize) -> Nibble {
        let rotations = [Move::Rotate(2), Move::Rotate(22), Move::Rotate(13)];
        self.moved_xor(&word.wide, rotations, place)
    }

    /// A nibble of a word of the state in even form.
    fn state_even(&mut self, sums: Sums, word: &Both, place: usize) -> Nibble {
        match sums {
            Sums::Seven | Sums::Five => self.even(word.wide[place]),
            // The exclusive or with zero.
            Sums::Three => self.unary(self.tables.xor_even, |x| x, word.ternary[place]),
        }
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

    /// An addition whose result is used in further additions. `column` gives, for each place, the sum, and what it uses up. The result is in even form.
    fn add(
        &mut self,
        is_computed: bool,
        mut column: impl FnMut(&mut Compression<'_>, usize) -> (Linear, Nibble),
    ) -> Word {
        let mut carry = self.first_carry(is_computed);
        std::array::from_fn(|place| {
            let (sum, used) = column(self, place);
            let low = self.tables.sum.low;
            let wide = self.column(sum, &mut carry, place == 7, low, |_, _| {});
            let even = self.even(wide);
            balance(self.flow, &[used], &[even]);
            even
        })
    }

    /// A word of the schedule, from those 16, 15, 7 and 2 places before it (section 6.2.2, step 1).
    fn schedule(&mut self, sums: Sums, is_computed: bool, [w16, w15, w7, w2]: [Word; 4]) -> Word {
        let sigmas = |at: &mut Compression<'_>, place: usize| {
            let moves = [Move::Shift(10), Move::Rotate(19), Move::Rotate(17)];
            let sigma_1 = at.moved_xor(&w2, moves, place);
            let moves = [Move::Rotate(7), Move::Shift(3), Move::Rotate(18)];
            [at.moved_xor(&w15, moves, place), sigma_1]
        };
        let first = match sums {
            Sums::Seven | Sums::Five => w16,
            Sums::Three => self.add(is_computed, |at, j| {
                let even = at.even(w16[j]);
                let [sigma_0, sigma_1] = sigmas(at, j);
                (sum_of(&[sigma_0, sigma_1, even]), w16[j])
            }),
        };
        let mut carry = self.first_carry(is_computed);
        std::array::from_fn(|j| {
            let w7 = self.even(w7[j]);
            let sum = match sums {
                Sums::Seven | Sums::Five => {
                    let w16 = self.even(w16[j]);
                    let [sigma_0, sigma_1] = sigmas(self, j);
                    sum_of(&[sigma_0, sigma_1, w7, w16])
                }
                Sums::Three => sum_of(&[w7, first[j]]),
            };
            let low = self.tables.sum.low;
            let next = self.column(sum, &mut carry, j == 7, low, |_, _| {});
            balance(self.flow, &[first[j]], &[next]);
            next
        })
    }

    /// Takes a nibble away that has no use any more.
    fn discard(&mut self, nibble: Nibble) -> Nibble {
        if let Nibble::Value(value) = nibble {
            self.flow.discard(value);
        }
        nibble
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

/// Adds up nibbles in even form.
fn sum_of(nibbles: &[Nibble]) -> Linear {
    nibbles
        .iter()
        .fold(Linear::default(), |sum, &nibble| plus(sum, nibble, even))
}

/// What a compression leaves.
pub(super) struct Compressed {
    /// The new chaining value.
    pub(super) digest: [Word; 8],
    /// Values that have no use any more, and are to stay on the stack until the end.
    pub(super) left: Vec<Value>,
}

/// Compresses a block into a chaining value, both in wide form. `align` is whether the height is to be the one of other compressions.
pub(super) fn compress(
    tables: &Tables,
    flow: &mut Flow,
    sums: Sums,
    chaining: [Word; 8],
    message: [Word; 16],
    feed_forward: FeedForward<'_>,
    result: Form,
    align: bool,
) -> Compressed {
    let round_constants = round_constants();
    let mut at = Compression { tables, flow };
    // Where the state is in wide form, c, d and h have no other; but what differs between b and c is needed.
    let mut word = 0;
    let mut state = chaining.map(|wide| {
        let is_ternary = sums == Sums::Three || ![2, 3, 7].contains(&word);
        word += 1;
        let ternary = match is_ternary {
            true => wide.map(|nibble| at.ternary(nibble)),
            false => wide,
        };
        Both { wide, ternary }
    });
    // For the majority function: what differs between a and b is what differs between b and c a round later.
    let mut differ_before: Word = std::array::from_fn(|j| {
        let c = match sums {
            Sums::Seven | Sums::Five => at.ternary(state[2].wide[j]),
            Sums::Three => state[2].ternary[j],
        };
        at.xor(state[1].ternary[j], c)
    });
    // Words of which the wide form has no use any more: in their place, it stays for a while, to keep the height.
    let mut stale = words::constant(0);
    // A chaining value that is not constant may be needed at the end again: it stays, where the words of a round are used up.
    let is_kept = |nibble: Nibble| {
        matches!(feed_forward, FeedForward::Words) && chaining.as_flattened().contains(&nibble)
    };
    let state_padding = match (constants(&chaining), feed_forward) {
        (0, FeedForward::Words) => 64,
        (0, FeedForward::Limbs(_)) if sums == Sums::Three => 8,
        (0, FeedForward::Limbs(_)) => 0,
        _ => sums.state_items(),
    };
    at.flow.pad(state_padding + constants(&message));
    if align {
        at.flow.align();
    }
    let mut left: Vec<Value> = Vec::new();
    let mut w = message;
    for round in 0..64 {
        let [a, b, c, d, e, f, g, h] = state;
        let now = w[round % 16];
        if round >= 48 {
            left.extend(now.iter().filter_map(Nibble::value));
        }
        let (mut e2, mut a2) = (d, d);
        let constant = |j: usize| 2 * i64::from(round_constants[round] >> (4 * j) & 15);
        // What is added up beforehand.
        let before_t1 = match sums {
            Sums::Seven => words::constant(0),
            Sums::Five => at.add(round > 0, |at, j| {
                let [h_even, w_even] = [h.wide[j], now[j]].map(|wide| at.even(wide));
                let sigma = at.upper_sigma_1(&e, j);
                let sum = sum_of(&[sigma, h_even, w_even]).plus_constant(constant(j));
                let used = match is_kept(h.wide[j]) {
                    true => Nibble::Constant(0),
                    false => h.wide[j],
                };
                (sum, used)
            }),
            Sums::Three => {
                let with_schedule = at.add(round > 0, |at, j| {
                    let h_even = at.state_even(sums, &h, j);
                    let w_even = at.even(now[j]);
                    let sum = sum_of(&[h_even, w_even]).plus_constant(constant(j));
                    (sum, h.ternary[j])
                });
                at.add(round > 0, |at, j| {
                    let sigma = at.upper_sigma_1(&e, j);
                    let choice = at.choice([&e, &f, &g], j);
                    (sum_of(&[with_schedule[j], sigma, choice]), with_schedule[j])
                })
            }
        };
        let mut t1 = before_t1;
        let mut carry = at.first_carry(round > 0);
        for j in 0..8 {
            let d_even = at.state_even(sums, &d, j);
            let sum = match sums {
                Sums::Seven => {
                    let [h_even, w_even] = [h.wide[j], now[j]].map(|wide| at.even(wide));
                    let sigma = at.upper_sigma_1(&e, j);
                    let choice = at.choice([&e, &f, &g], j);
                    let sum = sum_of(&[sigma, choice, h_even, w_even]);
                    Some(sum.plus_constant(constant(j)))
                }
                Sums::Five => {
                    let choice = at.choice([&e, &f, &g], j);
                    Some(sum_of(&[before_t1[j], choice]))
                }
                Sums::Three => None,
            };
            if let Some(sum) = sum {
                t1[j] = match sum.as_constant() {
                    Some(sum) => Nibble::Constant((sum / 2) as u8), // cast ok: at most 75
                    None => Nibble::Value(at.flow.sum(sum)),
                };
            }
            let sum = sum_of(&[t1[j], d_even]);
            e2.wide[j] = at.column(sum, &mut carry, j == 7, tables.sum.low, |at, low| {
                e2.ternary[j] = at.ternary(low);
            });
            let [d_wide, h_wide] = [d.wide[j], h.wide[j]].map(|wide| match is_kept(wide) {
                true => Nibble::Constant(0),
                false => wide,
            });
            match sums {
                Sums::Seven => {
                    let used = [h_wide, d_wide, g.ternary[j]];
                    balance(at.flow, &used, &[t1[j], e2.wide[j], e2.ternary[j]]);
                }
                Sums::Five => {
                    let used = [before_t1[j], d_wide, g.ternary[j]];
                    balance(at.flow, &used, &[t1[j], e2.wide[j], e2.ternary[j]]);
                }
                Sums::Three => {
                    let used = [d.ternary[j], at.discard(stale[j])];
                    balance(at.flow, &used, &[e2.wide[j], e2.ternary[j]]);
                }
            }
        }
        stale = e.wide;
        let mut carry = at.first_carry(round > 0);
        for j in 0..8 {
            let sigma = at.upper_sigma_0(&a, j);
            let differ = at.xor(a.ternary[j], b.ternary[j]);
            let before = std::mem::replace(&mut differ_before[j], differ);
            let maj = at.flip(b.ternary[j], differ, before);
            let sum = sum_of(&[t1[j], sigma, maj]);
            a2.wide[j] = at.column(sum, &mut carry, j == 7, tables.sum.low, |at, low| {
                a2.ternary[j] = at.ternary(low);
            });
            let last = match sums {
                Sums::Seven | Sums::Five => b.ternary[j],
                Sums::Three => at.discard(stale[j]),
            };
            let used = [t1[j], last, before];
            balance(at.flow, &used, &[a2.wide[j], a2.ternary[j], differ]);
        }
        stale = a.wide;
        state = [a2, a, b, c, e2, e, f, g];
        if round < 48 {
            let [w1, w9, w14] = [1, 9, 14].map(|ahead| w[(round + ahead) % 16]);
            let is_computed = |word: &Word| constants(&[*word]) == 0;
            let is_computed = [now, w1, w9, w14].iter().any(is_computed);
            w[round % 16] = at.schedule(sums, is_computed, [now, w1, w9, w14]);
        }
    }
    // What is left stays, so that the stack keeps its height, if there is room for it.
    if result == Form::Plain {
        let wide = state.map(|word| word.wide);
        left.extend(wide.as_flattened().iter().filter_map(Nibble::value));
    }
    let mut unpacked: Vec<Nibble> = Vec::new();
    let digest = std::array::from_fn(|word| {
        let mut carry = Carry::None;
        std::array::from_fn(|j| {
            let state_even = at.state_even(sums, &state[word], j);
            let chaining_even = match feed_forward {
                FeedForward::Words => at.even(chaining[word][j]),
                FeedForward::Limbs(limbs) => {
                    let place = 8 * word + j;
                    if place == unpacked.len() {
                        let nibbles = LIMB_NIBBLES.min(64 - place);
                        let limb = limbs[place / LIMB_NIBBLES];
                        let values = hash::unpack_known(at.flow, limb, nibbles, 2);
                        unpacked.extend(values.into_iter().map(Nibble::Value));
                    }
                    unpacked[place]
                }
            };
            let sum = sum_of(&[state_even, chaining_even]);
            match result {
                Form::Plain => {
                    let low = tables.low_plain.expect("set up where the result is plain");
                    at.column(sum, &mut carry, j == 7, low, |_, _| {})
                }
                Form::Even => {
                    let low = at.column(sum, &mut carry, j == 7, tables.sum.low, |_, _| {});
                    let even = at.even(low);
                    if let Nibble::Value(value) = even {
                        at.flow.keep_on_altstack(value);
                    }
                    even
                }
            }
        })
    });
    Compressed { digest, left }
}
