//! Netlists of the kinds that public collections have, generated here: each compiles into leaves
//! that a version 3 transaction can spend, and in few enough bits that no leaf is refused for its
//! width.

use tapcourt_compiler::circuit::{Compiled, Options, Role};
use tapcourt_program::circuit::{Circuit, library};
use tapcourt_script::limits::Profile;
use tapcourt_tests::textbook;

/// What a disprove transaction weighs at most besides its input's witness.
const TRANSACTION_WU: usize = 400;

/// Bits of a hexadecimal number, the bit of weight 1 first.
fn bits(hex: &str) -> Vec<bool> {
    hex.chars()
        .rev()
        .filter_map(|digit| digit.to_digit(16))
        .flat_map(|digit| (0..4).map(move |i| digit >> i & 1 == 1))
        .collect()
}

fn hex(bits: &[bool]) -> String {
    let digit = |nibble: &[bool]| {
        let value = nibble
            .iter()
            .rev()
            .fold(0, |n, &bit| 2 * n + u32::from(bit));
        char::from_digit(value, 16).expect("four bits")
    };
    bits.chunks(4).rev().map(digit).collect()
}

/// Compiles, and checks that every leaf fits a version 3 transaction, that honest values make none
/// spendable, and that any of some flipped bits does.
fn compiles_into_light_leaves(name: &str, circuit: &Circuit, input: &[bool], output: &str) {
    let compiled = Compiled::new(circuit, &Options::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let weights = (0..compiled.leaves().len()).map(|leaf| compiled.leaf_size(leaf).weight_wu_max);
    let heaviest = weights.max().expect("there is a leaf");
    let limit = Profile::Truc.max_weight_wu() as usize - TRANSACTION_WU; // cast ok: 40,000
    let published: usize = compiled
        .committed_groups()
        .iter()
        .filter_map(|group| Some(group.parameters()?.publish_size().weight_wu_max()))
        .sum();
    println!(
        "{name}: {} gates, {} leaves, heaviest {heaviest} WU, published {published} WU",
        compiled.source_gates(),
        compiled.leaves().len()
    );
    assert!(heaviest <= limit, "{name}: a leaf of {heaviest} WU");
    let answer = compiled
        .output(input)
        .expect("an input of the right length");
    assert_eq!(hex(&answer), output, "{name}");
    let honest = compiled
        .values(input)
        .expect("an input of the right length");
    assert!(compiled.spendable_leaves(&honest).is_empty(), "{name}");
    for (index, group) in compiled.committed_groups().iter().enumerate() {
        if group.role() == Role::Input {
            continue;
        }
        let mut lie = honest.clone();
        let bit = 7 * index % group.bits();
        lie[index][bit] ^= true;
        let found = compiled.spendable_leaves(&lie);
        assert!(!found.is_empty(), "{name}: {} bit {bit}", group.label());
    }
}

/// The padded block of the message "abc", the first `bytes` of which are shown; the length's place
/// is the hash function's.
fn abc(length: &str, digits: usize) -> String {
    let zeros = digits - "61626380".len() - length.len();
    format!("61626380{}{length}", "0".repeat(zeros))
}

#[test]
fn sha1() {
    let input = bits(&abc("0000000000000018", 128));
    let digest = "a9993e364706816aba3e25717850c26c9cd0d89d";
    compiles_into_light_leaves("SHA-1", &textbook::sha1(), &input, digest);
}

#[test]
fn md5() {
    let input = bits(&abc("1800000000000000", 128));
    let digest = "900150983cd24fb0d6963f7d28e17f72";
    compiles_into_light_leaves("MD5", &textbook::md5(), &input, digest);
}

/// FIPS 197, appendix C.
#[test]
fn aes192() {
    let key = "000102030405060708090a0b0c0d0e0f1011121314151617";
    let mut input = bits(key);
    input.extend(bits("00112233445566778899aabbccddeeff"));
    let ciphertext = "dda97ca4864cdfe06eaf70a0ec0d7191";
    compiles_into_light_leaves("AES-192", &library::aes192(), &input, ciphertext);
}

/// FIPS 197, appendix C.
#[test]
fn aes256() {
    let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let mut input = bits(key);
    input.extend(bits("00112233445566778899aabbccddeeff"));
    let ciphertext = "8ea2b7ca516745bfeafc49904b496089";
    compiles_into_light_leaves("AES-256", &library::aes256(), &input, ciphertext);
}

/// What two 64-bit words give.
fn words(circuit: &Circuit, a: u64, b: u64) -> u64 {
    let output = circuit.evaluate(&word_bits(a, b)).expect("128 bits");
    let low = output.iter().take(64).enumerate();
    low.fold(0, |n, (i, &bit)| n | u64::from(bit) << i)
}

fn word_bits(a: u64, b: u64) -> Vec<bool> {
    [a, b]
        .iter()
        .flat_map(|word| (0..64).map(move |i| word >> i & 1 == 1))
        .collect()
}

/// Pseudo-random words: xorshift64.
fn random_words() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(88_172_645_463_325_252_u64), |&word| {
        let word = word ^ word << 13;
        let word = word ^ word >> 7;
        Some(word ^ word << 17)
    })
}

#[test]
fn divide() {
    let circuit = textbook::divide(64);
    let mut random = random_words();
    for shift in 0..60 {
        let (a, b) = (
            random.next().expect("endless"),
            random.next().expect("endless") >> shift,
        );
        let quotient = (a as i64).wrapping_div(b as i64); // casts ok: two's complement
        assert_eq!(words(&circuit, a, b), quotient as u64, "{a:#x} / {b:#x}");
    }
    let quotient = format!("{:016x}", -1_000_000_007_i64 / 12_345);
    let input = word_bits(-1_000_000_007_i64 as u64, 12_345); // cast ok: two's complement
    compiles_into_light_leaves("signed division", &circuit, &input, &quotient);
}

/// Multiplies doubles of all kinds as the machine does, up to what a NaN looks like.
fn multiplies_doubles(circuit: &Circuit) {
    const EXPONENT: u64 = 0x7ff << 52;
    let special = [
        0,
        1,
        1 << 63,
        EXPONENT,
        EXPONENT + 1,
        0x3ff << 52,
        EXPONENT - 1,
    ];
    let mut random = random_words();
    let mut tried = 0;
    let mut check = |a: u64, b: u64| {
        let product = f64::from_bits(a) * f64::from_bits(b);
        let expected = if product.is_nan() {
            0x7ff8 << 48
        } else {
            product.to_bits()
        };
        assert_eq!(words(circuit, a, b), expected, "{a:#x} · {b:#x}");
        tried += 1;
    };
    for a in special {
        for b in special {
            check(a, b);
        }
    }
    for n in 0..200_u64 {
        let (a, b) = (
            random.next().expect("endless"),
            random.next().expect("endless"),
        );
        // Any, subnormal operands, and exponents whose sum is that of the smallest or the largest
        // numbers.
        let of_a = a >> 52 & 0x7ff;
        let exponent = match n % 4 {
            0 => b >> 52 & 0x7ff,
            1 => 0,
            2 => (1023 + n % 60).saturating_sub(of_a + 55),
            _ => (3066 + n % 3 - of_a).min(2046),
        };
        check(a, b & !EXPONENT | exponent << 52);
    }
    println!("{tried} products");
}

fn float_multiplication(name: &str, circuit: &Circuit) {
    multiplies_doubles(circuit);
    let (a, b) = (1.5e100_f64, -2.25e-7_f64);
    let product = format!("{:016x}", (a * b).to_bits());
    let input = word_bits(a.to_bits(), b.to_bits());
    compiles_into_light_leaves(name, circuit, &input, &product);
}

#[test]
fn float_multiply() {
    float_multiplication("IEEE multiplication", &textbook::float_multiply());
}

#[test]
fn float_multiply_by_tree() {
    let circuit = textbook::float_multiply_by_tree();
    float_multiplication("IEEE multiplication by a tree", &circuit);
}

#[test]
fn multiply_by_tree() {
    let circuit = textbook::multiply_by_tree(64);
    let (a, b) = (0xfedc_ba98_7654_3210_u64, 0x0f1e_2d3c_4b5a_6978_u64);
    let product = format!("{:032x}", u128::from(a) * u128::from(b));
    compiles_into_light_leaves(
        "multiplication by a tree",
        &circuit,
        &word_bits(a, b),
        &product,
    );
}

/// The whole of SHA-512 is right, and a part of it of 150,000 gates compiles.
#[test]
fn sha512() {
    let initial = "6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1\
                   510e527fade682d19b05688c2b3e6c1f1f83d9abfb41bd6b5be0cd19137e2179";
    let mut input = bits(&abc("18", 256));
    input.extend(bits(initial));
    let digest = textbook::sha512(80).evaluate(&input).expect("1,536 bits");
    assert_eq!(
        hex(&digest),
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    );
    let circuit = textbook::sha512(32);
    let state = circuit.evaluate(&input).expect("1,536 bits");
    compiles_into_light_leaves("32 rounds of SHA-512", &circuit, &input, &hex(&state));
}
