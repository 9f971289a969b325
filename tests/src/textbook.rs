//! Textbook circuits that are generated where a test wants them: what public collections of
//! netlists have, made by our own means.
//!
//! They are larger than what the project ships and spelled as those collections spell them: full
//! adders of AND, OR and XOR in which no gate is shared, arrays of rows, barrel shifters.
//!
//! Words have the bit of weight 1 first. Blocks and digests are the integers that their bytes
//! spell, as in the project's own netlists.

use tapcourt_program::circuit::Circuit;
use tapcourt_program::circuit::build::{
    Bit, Builder, constant, not_word, rotate_left, rotate_right, shift_right,
};

/// A word of bits, the bit of weight 1 first.
type Word = Vec<Bit>;

fn finish(builder: Builder, outputs: &[Word]) -> Circuit {
    builder
        .finish(outputs)
        .expect("inputs and outputs have bits, and the inputs are few")
}

/// Splits a number into words, the most significant first.
fn words_of(number: &[Bit], bits: usize) -> Vec<Word> {
    number.chunks(bits).rev().map(<[Bit]>::to_vec).collect()
}

/// Joins words, the most significant first.
fn join_words(words: &[Word]) -> Word {
    words.iter().rev().flatten().copied().collect()
}

/// A word with the order of its bytes reversed.
fn swap_bytes(word: &[Bit]) -> Word {
    words_of(word, 8).concat()
}

/// `a + b + carry` and the carry out, by full adders of two XORs, two ANDs and two ORs:
/// `sum = b ^ (a ^ c)`, `carry = a·b | c·(a | b)`.
fn add_with_carry(builder: &mut Builder, a: &[Bit], b: &[Bit], mut carry: Bit) -> (Word, Bit) {
    assert_eq!(a.len(), b.len(), "words of different widths");
    let mut sum = Vec::with_capacity(a.len());
    for (&a, &b) in a.iter().zip(b) {
        let with_carry = builder.xor(a, carry);
        sum.push(builder.xor(b, with_carry));
        let (both, either) = (builder.and(a, b), builder.or(a, b));
        let passed = builder.and(carry, either);
        carry = builder.or(both, passed);
    }
    (sum, carry)
}

fn add(builder: &mut Builder, a: &[Bit], b: &[Bit]) -> Word {
    add_with_carry(builder, a, b, Bit::ZERO).0
}

/// `a - b` modulo `2^width`, and whether `a >= b`.
fn sub(builder: &mut Builder, a: &[Bit], b: &[Bit]) -> (Word, Bit) {
    add_with_carry(builder, a, &not_word(b), Bit::ONE)
}

/// The negative of `word` where `condition` holds.
fn negate_if(builder: &mut Builder, condition: Bit, word: &[Bit]) -> Word {
    let flipped: Word = word.iter().map(|&b| builder.xor(b, condition)).collect();
    let zero = vec![Bit::ZERO; word.len()];
    add_with_carry(builder, &flipped, &zero, condition).0
}

fn any(builder: &mut Builder, bits: &[Bit]) -> Bit {
    bits.iter()
        .fold(Bit::ZERO, |any, &bit| builder.or(any, bit))
}

fn bitwise(
    builder: &mut Builder,
    [x, y, z]: [&[Bit]; 3],
    of: impl Fn(&mut Builder, Bit, Bit, Bit) -> Bit,
) -> Word {
    (0..x.len())
        .map(|i| of(builder, x[i], y[i], z[i]))
        .collect()
}

/// `x·y | ¬x·z`
fn choice(builder: &mut Builder, x: Bit, y: Bit, z: Bit) -> Bit {
    let (yes, no) = (builder.and(x, y), builder.and(!x, z));
    builder.or(yes, no)
}

fn parity(builder: &mut Builder, x: Bit, y: Bit, z: Bit) -> Bit {
    let both = builder.xor(x, y);
    builder.xor(both, z)
}

/// `x·y | x·z | y·z`
fn majority(builder: &mut Builder, x: Bit, y: Bit, z: Bit) -> Bit {
    let (xy, xz, yz) = (builder.and(x, y), builder.and(x, z), builder.and(y, z));
    let some = builder.or(xy, xz);
    builder.or(some, yz)
}

/// SHA-1's compression of one padded block of 512 bits, with the initial state built in; the result
/// has 160 bits (FIPS 180-4).
pub fn sha1() -> Circuit {
    const INITIAL: [u32; 5] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
    const ROUND_CONSTANTS: [u32; 4] = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];
    let mut builder = Builder::new();
    let b = &mut builder;
    let mut schedule = words_of(&b.input(512), 32);
    for t in 16..80 {
        let mut word = schedule[t - 3].clone();
        for back in [8, 14, 16] {
            word = b.xor_words(&word, &schedule[t - back]);
        }
        schedule.push(rotate_left(&word, 1));
    }
    let initial: Vec<Word> = INITIAL.map(|w| constant(w.into(), 32)).to_vec();
    let mut state = initial.clone();
    for (t, word) in schedule.iter().enumerate() {
        let [v, x, y, z, w] = &state[..] else {
            unreachable!("the state has five words")
        };
        let of: fn(&mut Builder, Bit, Bit, Bit) -> Bit = match t / 20 {
            0 => choice,
            2 => majority,
            _ => parity,
        };
        let mixed = bitwise(b, [x, y, z], of);
        let sum = add(b, &rotate_left(v, 5), &mixed);
        let sum = add(b, &sum, w);
        let sum = add(b, &sum, &constant(ROUND_CONSTANTS[t / 20].into(), 32));
        let next = add(b, &sum, word);
        state = [&next, v, &rotate_left(x, 30), y, z]
            .map(Clone::clone)
            .to_vec();
    }
    let digest: Vec<Word> = (0..5).map(|i| add(b, &initial[i], &state[i])).collect();
    finish(builder, &[join_words(&digest)])
}

/// MD5's compression of one padded block of 512 bits, with the initial state built in; the result
/// has 128 bits (RFC 1321).
pub fn md5() -> Circuit {
    const INITIAL: [u32; 4] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
    const SHIFTS: [[usize; 4]; 4] = [
        [7, 12, 17, 22],
        [5, 9, 14, 20],
        [4, 11, 16, 23],
        [6, 10, 15, 21],
    ];
    let mut builder = Builder::new();
    let bld = &mut builder;
    let block: Vec<Word> = words_of(&bld.input(512), 32)
        .iter()
        .map(|word| swap_bytes(word))
        .collect();
    let initial: Vec<Word> = INITIAL.map(|w| constant(w.into(), 32)).to_vec();
    let mut state = initial.clone();
    for i in 0..64 {
        let [a, b, c, d] = &state[..] else {
            unreachable!("the state has four words")
        };
        let (mixed, word) = match i / 16 {
            0 => (bitwise(bld, [b, c, d], choice), i),
            1 => (bitwise(bld, [d, b, c], choice), 5 * i + 1),
            2 => (bitwise(bld, [b, c, d], parity), 3 * i + 5),
            _ => {
                let either = bld.or_words(b, &not_word(d));
                (bld.xor_words(c, &either), 7 * i)
            }
        };
        // floor(2^32·|sin(i + 1)|), by a sine that is exact enough on any machine: see
        // `sine_constant`.
        let sum = add(bld, a, &mixed);
        let sum = add(bld, &sum, &constant(sine_constant(i as u32 + 1), 32));
        let sum = add(bld, &sum, &block[word % 16]);
        let turned = rotate_left(&sum, SHIFTS[i / 16][i % 4]);
        let next = add(bld, b, &turned);
        state = [d, &next, b, c].map(Clone::clone).to_vec();
    }
    let digest: Vec<Word> = (0..4)
        .map(|i| swap_bytes(&add(bld, &initial[i], &state[i])))
        .collect();
    finish(builder, &[join_words(&digest)])
}

/// `floor(2^32·|sin(n)|)`, MD5's constants.
fn sine_constant(n: u32) -> u64 {
    (f64::from(n).sin().abs() * 4_294_967_296.0) as u64 // cast ok: below 2^32
}

/// Signed division of 64-bit numbers, truncated towards zero: restoring, a row of full adders and
/// of multiplexers for each bit of the quotient.
pub fn divide(bits: u32) -> Circuit {
    let mut builder = Builder::new();
    let b = &mut builder;
    let (dividend, divisor) = (b.input(bits), b.input(bits));
    let (sign_a, sign_b) = (dividend[bits as usize - 1], divisor[bits as usize - 1]);
    let dividend = negate_if(b, sign_a, &dividend);
    let divisor = negate_if(b, sign_b, &divisor);
    let quotient = restoring(b, &dividend, &divisor);
    let sign = b.xor(sign_a, sign_b);
    let quotient = negate_if(b, sign, &quotient);
    finish(builder, &[quotient])
}

/// Unsigned division, as [`divide`].
pub fn divide_unsigned(bits: u32) -> Circuit {
    let mut builder = Builder::new();
    let b = &mut builder;
    let (dividend, divisor) = (b.input(bits), b.input(bits));
    let quotient = restoring(b, &dividend, &divisor);
    finish(builder, &[quotient])
}

/// The quotient of two unsigned numbers.
fn restoring(builder: &mut Builder, dividend: &[Bit], divisor: &[Bit]) -> Word {
    let width = divisor.len();
    let mut wide = divisor.to_vec();
    wide.push(Bit::ZERO);
    let mut remainder = vec![Bit::ZERO; width];
    let mut quotient = Vec::with_capacity(dividend.len());
    for &bit in dividend.iter().rev() {
        let mut shifted = vec![bit];
        shifted.extend_from_slice(&remainder);
        let (less, fits) = sub(builder, &shifted, &wide);
        remainder = builder.mux_words(fits, &less[..width], &shifted[..width]);
        quotient.push(fits);
    }
    quotient.reverse();
    quotient
}

/// The product of two unsigned numbers: an array of rows of full adders.
pub fn multiply(bits: u32) -> Circuit {
    let mut builder = Builder::new();
    let b = &mut builder;
    let (x, y) = (b.input(bits), b.input(bits));
    let product = multiply_words(b, &x, &y);
    finish(builder, &[product])
}

/// The product of two unsigned numbers: a tree of full adders, and an adder whose carries are
/// looked ahead.
pub fn multiply_by_tree(bits: u32) -> Circuit {
    let mut builder = Builder::new();
    let b = &mut builder;
    let (x, y) = (b.input(bits), b.input(bits));
    let product = multiply_words_by_tree(b, &x, &y);
    finish(builder, &[product])
}

/// Adds up all partial products column by column, three bits at a time, until two rows are left
/// (Dadda, Wallace).
fn multiply_words_by_tree(builder: &mut Builder, a: &[Bit], b: &[Bit]) -> Word {
    let width = a.len() + b.len();
    let mut columns: Vec<Vec<Bit>> = vec![Vec::new(); width];
    for (i, &a) in a.iter().enumerate() {
        for (j, &b) in b.iter().enumerate() {
            columns[i + j].push(builder.and(a, b));
        }
    }
    while columns.iter().any(|column| column.len() > 2) {
        let mut next: Vec<Vec<Bit>> = vec![Vec::new(); width];
        for (place, column) in columns.iter().enumerate() {
            for bits in column.chunks(3) {
                let &[x, y, z] = bits else {
                    next[place].extend_from_slice(bits);
                    continue;
                };
                let (sum, carry) = add_with_carry(builder, &[x], &[y], z);
                next[place].extend(sum);
                if place + 1 < width {
                    next[place + 1].push(carry);
                }
            }
        }
        columns = next;
    }
    let row = |which: usize| -> Word {
        let bit = |column: &Vec<Bit>| column.get(which).copied().unwrap_or(Bit::ZERO);
        columns.iter().map(bit).collect()
    };
    add_by_prefixes(builder, &row(0), &row(1))
}

/// `a + b` modulo `2^width`, with all carries in logarithmic depth (Kogge, Stone).
fn add_by_prefixes(builder: &mut Builder, a: &[Bit], b: &[Bit]) -> Word {
    let half = builder.xor_words(a, b);
    let (mut generate, mut propagate) = (builder.and_words(a, b), half.clone());
    let mut distance = 1;
    while distance < a.len() {
        for i in (distance..a.len()).rev() {
            let passed = builder.and(propagate[i], generate[i - distance]);
            generate[i] = builder.or(generate[i], passed);
            propagate[i] = builder.and(propagate[i], propagate[i - distance]);
        }
        distance *= 2;
    }
    let mut carries = vec![Bit::ZERO];
    carries.extend_from_slice(&generate[..a.len() - 1]);
    builder.xor_words(&half, &carries)
}

fn multiply_words(builder: &mut Builder, a: &[Bit], b: &[Bit]) -> Word {
    let mut product = vec![Bit::ZERO; a.len() + b.len()];
    for (shift, &bit) in b.iter().enumerate() {
        let row: Word = a.iter().map(|&a| builder.and(a, bit)).collect();
        let place = shift..shift + a.len();
        let (sum, carry) = add_with_carry(builder, &product[place.clone()], &row, Bit::ZERO);
        product[place].copy_from_slice(&sum);
        product[shift + a.len()] = carry;
    }
    product
}

/// Shifts left by `amount`, and says by how much the top bit then is below: a word is normalised by
/// shifting in powers of two.
fn normalise(builder: &mut Builder, word: &[Bit]) -> (Word, Word) {
    let (mut word, mut amount) = (word.to_vec(), Vec::new());
    let steps = usize::BITS - (word.len() - 1).leading_zeros();
    for step in (0..steps).rev() {
        let by = 1 << step;
        if by >= word.len() {
            continue;
        }
        let top = word[word.len() - by..].to_vec();
        let empty = !any(builder, &top);
        let mut shifted = vec![Bit::ZERO; by];
        shifted.extend_from_slice(&word[..word.len() - by]);
        word = builder.mux_words(empty, &shifted, &word);
        amount.push(empty);
    }
    amount.reverse();
    (word, amount)
}

/// Shifts right; what falls out is gathered in bit 0.
fn shift_right_jam(builder: &mut Builder, word: &[Bit], amount: &[Bit]) -> Word {
    let mut word = word.to_vec();
    let mut lost = Bit::ZERO;
    for (step, &bit) in amount.iter().enumerate() {
        let by = word
            .len()
            .min(1usize.checked_shl(step as u32).unwrap_or(usize::MAX)); // cast ok: a dozen steps
        let falls = any(builder, &word[..by]);
        let falls = builder.and(bit, falls);
        lost = builder.or(lost, falls);
        let shifted = shift_right(&word, by);
        word = builder.mux_words(bit, &shifted, &word);
    }
    word[0] = builder.or(word[0], lost);
    word
}

/// Multiplication of IEEE 754 doubles, rounded to nearest, ties to even, with subnormal numbers,
/// infinities and NaN (which is always `0x7ff8000000000000`).
pub fn float_multiply() -> Circuit {
    float_multiply_with(multiply_words)
}

/// As [`float_multiply`], with the significands multiplied by a tree.
pub fn float_multiply_by_tree() -> Circuit {
    float_multiply_with(multiply_words_by_tree)
}

fn float_multiply_with(multiply: fn(&mut Builder, &[Bit], &[Bit]) -> Word) -> Circuit {
    const EXPONENT_BITS: usize = 13; // biased sums of both, with a sign
    let mut builder = Builder::new();
    let b = &mut builder;
    let inputs = [b.input(64), b.input(64)];
    let mut parts = Vec::new();
    for input in &inputs {
        let (fraction, exponent) = (&input[..52], &input[52..63]);
        let subnormal = !any(b, exponent);
        let special = b.all(exponent);
        let some = any(b, fraction);
        let mut significand = fraction.to_vec();
        significand.push(!subnormal);
        let (significand, shift) = normalise(b, &significand);
        // The exponent of a subnormal number is 1, less what it was shifted by.
        let mut exponent = exponent.to_vec();
        exponent[0] = b.or(exponent[0], subnormal);
        exponent.resize(EXPONENT_BITS, Bit::ZERO);
        let mut shift = shift;
        shift.resize(EXPONENT_BITS, Bit::ZERO);
        let exponent = sub(b, &exponent, &shift).0;
        let zero = b.and(subnormal, !some);
        let infinite = b.and(special, !some);
        let nan = b.and(special, some);
        parts.push((significand, exponent, zero, infinite, nan));
    }
    let sign = b.xor(inputs[0][63], inputs[1][63]);
    let (x, y) = (&parts[0], &parts[1]);
    let product = multiply(b, &x.0, &y.0); // 106 bits, the top or the one below is set
    let exponent = add(b, &x.1, &y.1);
    let exponent = sub(b, &exponent, &constant(1023, EXPONENT_BITS)).0;
    // Top bit set: one more in the exponent. Otherwise shift left by one.
    let top = product[105];
    let mut shifted = vec![Bit::ZERO];
    shifted.extend_from_slice(&product[..105]);
    let product = b.mux_words(top, &product, &shifted);
    let mut one = vec![Bit::ZERO; EXPONENT_BITS];
    one[0] = top;
    let exponent = add(b, &exponent, &one);
    // 53 bits, a guard bit, and whether anything follows.
    let sticky = any(b, &product[..52]);
    let mut kept = vec![sticky];
    kept.extend_from_slice(&product[52..]);
    // An exponent below 1: shift right by what it lacks.
    let (lacks, below) = sub(b, &constant(1, EXPONENT_BITS), &exponent);
    let negative = lacks[EXPONENT_BITS - 1];
    let below = b.and(below, !negative);
    let below = b.or(below, exponent[EXPONENT_BITS - 1]);
    let amount: Word = lacks[..12].iter().map(|&bit| b.and(bit, below)).collect();
    let far = any(b, &amount[6..]);
    let amount: Word = amount[..6].iter().map(|&bit| b.or(bit, far)).collect();
    let kept = shift_right_jam(b, &kept, &amount);
    let (guard, odd) = (kept[1], kept[2]);
    let tie_breaker = b.or(kept[0], odd);
    let up = b.and(guard, tie_breaker);
    let mut biased: Word = exponent[..12]
        .iter()
        .map(|&bit| b.and(bit, !below))
        .collect();
    // The leading bit of the significand counts into the exponent, which is 0 for a subnormal
    // number.
    let mut lead = vec![Bit::ZERO; 12];
    lead[0] = !below;
    biased = sub(b, &biased, &lead).0;
    let mut packed = kept[2..54].to_vec();
    let mut high = vec![Bit::ZERO; 12];
    high[0] = kept[54];
    let biased = add(b, &biased, &high);
    packed.extend_from_slice(&biased);
    let zeros = vec![Bit::ZERO; packed.len()];
    let rounded = add_with_carry(b, &packed, &zeros, up).0;
    // 2047 or more is infinity.
    let full = b.all(&rounded[52..63]);
    let overflow = b.or(full, rounded[63]);
    let overflow = b.and(overflow, !below);
    let (zero, infinite) = (b.or(x.2, y.2), b.or(x.3, y.3));
    let undefined = b.and(zero, infinite);
    let nan = b.or(x.4, y.4);
    let nan = b.or(nan, undefined);
    let infinite = b.or(infinite, overflow);
    let infinite = b.and(infinite, !zero);
    let infinite = b.or(infinite, nan);
    let clear = b.or(infinite, zero);
    let mut result: Word = rounded[..63]
        .iter()
        .map(|&bit| b.and(bit, !clear))
        .collect();
    for bit in &mut result[52..] {
        *bit = b.or(*bit, infinite);
    }
    result[51] = b.or(result[51], nan);
    result.push(b.and(sign, !nan));
    finish(builder, &[result])
}

/// The first `rounds` of SHA-512's compression: inputs block (1,024 bits) and chaining state (512
/// bits). All 80 give the next chaining state (FIPS 180-4); the message schedule ends where the
/// rounds do.
pub fn sha512(rounds: usize) -> Circuit {
    let mut builder = Builder::new();
    let b = &mut builder;
    let mut schedule = words_of(&b.input(1024), 64);
    let initial = words_of(&b.input(512), 64);
    let sigma = |b: &mut Builder, [first, second, third]: [Word; 3]| {
        let both = b.xor_words(&first, &second);
        b.xor_words(&both, &third)
    };
    let small = |word: &Word, by: [usize; 3]| {
        [
            rotate_right(word, by[0]),
            rotate_right(word, by[1]),
            shift_right(word, by[2]),
        ]
    };
    for t in 16..rounds {
        let one = sigma(b, small(&schedule[t - 2], [19, 61, 6]));
        let zero = sigma(b, small(&schedule[t - 15], [1, 8, 7]));
        let sum = add(b, &one, &schedule[t - 7]);
        let sum = add(b, &sum, &zero);
        schedule.push(add(b, &sum, &schedule[t - 16]));
    }
    let constants = cube_roots(80);
    let mut state = initial.clone();
    for t in 0..rounds {
        let [a, bb, c, d, e, f, g, h] = &state[..] else {
            unreachable!("the state has eight words")
        };
        let one = sigma(b, [14, 18, 41].map(|by| rotate_right(e, by)));
        let zero = sigma(b, [28, 34, 39].map(|by| rotate_right(a, by)));
        let chosen = bitwise(b, [e, f, g], choice);
        let most = bitwise(b, [a, bb, c], majority);
        let sum = add(b, h, &one);
        let sum = add(b, &sum, &chosen);
        let sum = add(b, &sum, &constant(constants[t], 64));
        let first = add(b, &sum, &schedule[t]);
        let second = add(b, &zero, &most);
        let (new_e, new_a) = (add(b, d, &first), add(b, &first, &second));
        state = [&new_a, a, bb, c, &new_e, e, f, g]
            .map(Clone::clone)
            .to_vec();
    }
    let next: Vec<Word> = (0..8).map(|i| add(b, &initial[i], &state[i])).collect();
    finish(builder, &[join_words(&next)])
}

/// The first 64 bits of the fractional parts of the cube roots of the first primes: SHA-512's round
/// constants.
fn cube_roots(count: usize) -> Vec<u64> {
    let primes = (2u64..).filter(|&n| (2..n).take_while(|d| d * d <= n).all(|d| n % d != 0));
    primes.take(count).map(cube_root_fraction).collect()
}

/// `floor(2^64 · ∛n) mod 2^64`, by bisection over products of limbs.
fn cube_root_fraction(n: u64) -> u64 {
    // Largest r of 68 bits with r^3 <= n·2^192.
    let fits = |r: u128| cube_at_most(r, n);
    let (mut low, mut high) = (0u128, 1 << 68);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u64 // cast ok: the fraction is what is wanted
}

/// Whether `r^3 <= n·2^192`, for `r` below 2^68.
fn cube_at_most(r: u128, n: u64) -> bool {
    const LIMB: u128 = 1 << 32;
    let limbs = |mut x: u128| {
        let mut limbs = [0u128; 8];
        for limb in &mut limbs {
            *limb = x % LIMB;
            x /= LIMB;
        }
        limbs
    };
    let times = |a: [u128; 8], b: [u128; 8]| {
        let mut product = [0u128; 8];
        for i in 0..8 {
            for j in 0..8 - i {
                product[i + j] += a[i] * b[j];
            }
        }
        for i in 0..7 {
            product[i + 1] += product[i] / LIMB;
            product[i] %= LIMB;
        }
        product
    };
    let r = limbs(r);
    let cube = times(times(r, r), r);
    let mut bound = [0u128; 8];
    bound[6] = u128::from(n);
    cube.iter().rev().le(bound.iter().rev())
}
