//! AES encryption (FIPS 197), key schedule included.

use super::{finish, join_words, words_of};
use crate::circuit::Circuit;
use crate::circuit::build::{Bit, Builder, constant};

/// A byte on 8 wires, the bit of weight 1 first.
type Byte = Vec<Bit>;

/// Returns the circuit of AES-128: inputs key and plaintext, output ciphertext, 128 bits each.
pub fn aes128() -> Circuit {
    aes(4)
}

/// Returns the circuit of AES-192: inputs key (192 bits) and plaintext, output ciphertext, 128 bits
/// each.
pub fn aes192() -> Circuit {
    aes(6)
}

/// Returns the circuit of AES-256: inputs key (256 bits) and plaintext, output ciphertext, 128 bits
/// each.
pub fn aes256() -> Circuit {
    aes(8)
}

/// The circuit for a key of so many words of 32 bits.
fn aes(key_words: usize) -> Circuit {
    let mut builder = Builder::new();
    let (key, plaintext) = (builder.input(32 * key_words as u32), builder.input(128)); // cast ok: 4 to 8
    let rounds = key_words + 6;
    let mut schedule = KeySchedule::new(&words_of(&key, 8));
    let first = schedule.round_key(&mut builder, 0);
    let mut state = add_round_key(&mut builder, &words_of(&plaintext, 8), &first);
    for round in 1..=rounds {
        let key = schedule.round_key(&mut builder, round);
        state = state.iter().map(|byte| s_box(&mut builder, byte)).collect();
        state = shift_rows(&state);
        if round < rounds {
            state = state
                .chunks(4)
                .flat_map(|column| mix_column(&mut builder, column))
                .collect();
        }
        state = add_round_key(&mut builder, &state, &key);
    }
    finish(builder, &[join_words(&state)])
}

fn add_round_key(builder: &mut Builder, state: &[Byte], key: &[Byte]) -> Vec<Byte> {
    state
        .iter()
        .zip(key)
        .map(|(byte, key)| builder.xor_words(byte, key))
        .collect()
}

/// The key expansion (FIPS 197, section 5.2), as far as it was asked for.
struct KeySchedule {
    key_bytes: usize,
    /// The key, and what follows from it.
    bytes: Vec<Byte>,
    round_constant: u64,
}

impl KeySchedule {
    fn new(key: &[Byte]) -> Self {
        Self {
            key_bytes: key.len(),
            bytes: key.to_vec(),
            round_constant: 1,
        }
    }

    /// The 16 bytes for a round, 0 being before the first.
    fn round_key(&mut self, builder: &mut Builder, round: usize) -> Vec<Byte> {
        while self.bytes.len() < 16 * (round + 1) {
            self.extend(builder);
        }
        self.bytes[16 * round..16 * (round + 1)].to_vec()
    }

    /// Adds the next four bytes.
    fn extend(&mut self, builder: &mut Builder) {
        let mut word = self.bytes[self.bytes.len() - 4..].to_vec();
        let place = self.bytes.len() % self.key_bytes;
        if place == 0 {
            word.rotate_left(1);
        }
        if place == 0 || (self.key_bytes == 32 && place == 16) {
            word = word.iter().map(|byte| s_box(builder, byte)).collect();
        }
        if place == 0 {
            word[0] = builder.xor_words(&word[0], &constant(self.round_constant, 8));
            self.round_constant = times_x(self.round_constant);
        }
        for byte in &word {
            let before = &self.bytes[self.bytes.len() - self.key_bytes];
            let next = builder.xor_words(before, byte);
            self.bytes.push(next);
        }
    }
}

/// Row `r` of the state is bytes `r, r + 4, …`, and moves `r` columns back.
fn shift_rows(state: &[Byte]) -> Vec<Byte> {
    (0..16)
        .map(|i| state[(i + 4 * (i % 4)) % 16].clone())
        .collect()
}

/// `out_i = 2·(in_i + in_{i+1}) + in_{i+1} + (in_{i+2} + in_{i+3})` in GF(2^8).
fn mix_column(builder: &mut Builder, column: &[Byte]) -> Vec<Byte> {
    let sums: Vec<Byte> = (0..4)
        .map(|i| builder.xor_words(&column[i], &column[(i + 1) % 4]))
        .collect();
    (0..4)
        .map(|i| {
            let doubled = double(builder, &sums[i]);
            let rest = builder.xor_words(&column[(i + 1) % 4], &sums[(i + 2) % 4]);
            builder.xor_words(&doubled, &rest)
        })
        .collect()
}

/// Multiplies by x in GF(2^8), modulo x^8 + x^4 + x^3 + x + 1.
fn double(builder: &mut Builder, byte: &[Bit]) -> Byte {
    let top = byte[7];
    let mut doubled = vec![top];
    doubled.extend_from_slice(&byte[..7]);
    for i in [1, 3, 4] {
        doubled[i] = builder.xor(doubled[i], top);
    }
    doubled
}

fn times_x(byte: u64) -> u64 {
    let doubled = byte << 1;
    if doubled > 0xff {
        doubled ^ 0x11b
    } else {
        doubled
    }
}

/// Writes a straight-line program of `^` and `&` as calls of a builder.
macro_rules! straight_line {
    ($builder:ident: $($out:ident = $left:ident $op:tt $right:ident;)*) => {
        $(let $out = straight_line!(@ $builder $left $op $right);)*
    };
    (@ $builder:ident $left:ident ^ $right:ident) => { $builder.xor($left, $right) };
    (@ $builder:ident $left:ident & $right:ident) => { $builder.and($left, $right) };
}

/// The S-box in 32 ANDs and 83 XORs: the circuit of Boyar and Peralta, "A new combinational logic minimization
/// technique with applications to cryptology" (SEA 2010).
///
/// A linear map spreads the byte to 22 bits; an inversion in a tower of GF(2^4) works on them; a second linear map
/// collects the 18 products. Four outputs are complemented, for the constant 0x63 of the affine map.
fn s_box(builder: &mut Builder, byte: &[Bit]) -> Byte {
    let &[x7, x6, x5, x4, x3, x2, x1, x0] = byte else {
        unreachable!("a byte has 8 bits")
    };
    straight_line! { builder:
        y14 = x3 ^ x5; y13 = x0 ^ x6; y9 = x0 ^ x3; y8 = x0 ^ x5; t0 = x1 ^ x2; y1 = t0 ^ x7;
        y4 = y1 ^ x3; y12 = y13 ^ y14; y2 = y1 ^ x0; y5 = y1 ^ x6; y3 = y5 ^ y8; t1 = x4 ^ y12;
        y15 = t1 ^ x5; y20 = t1 ^ x1; y6 = y15 ^ x7; y10 = y15 ^ t0; y11 = y20 ^ y9;
        y7 = x7 ^ y11; y17 = y10 ^ y11; y19 = y10 ^ y8; y16 = t0 ^ y11; y21 = y13 ^ y16;
        y18 = x0 ^ y16;

        t2 = y12 & y15; t3 = y3 & y6; t4 = t3 ^ t2; t5 = y4 & x7; t6 = t5 ^ t2; t7 = y13 & y16;
        t8 = y5 & y1; t9 = t8 ^ t7; t10 = y2 & y7; t11 = t10 ^ t7; t12 = y9 & y11; t13 = y14 & y17;
        t14 = t13 ^ t12; t15 = y8 & y10; t16 = t15 ^ t12; t17 = t4 ^ t14; t18 = t6 ^ t16;
        t19 = t9 ^ t14; t20 = t11 ^ t16; t21 = t17 ^ y20; t22 = t18 ^ y19; t23 = t19 ^ y21;
        t24 = t20 ^ y18; t25 = t21 ^ t22; t26 = t21 & t23; t27 = t24 ^ t26; t28 = t25 & t27;
        t29 = t28 ^ t22; t30 = t23 ^ t24; t31 = t22 ^ t26; t32 = t31 & t30; t33 = t32 ^ t24;
        t34 = t23 ^ t33; t35 = t27 ^ t33; t36 = t24 & t35; t37 = t36 ^ t34; t38 = t27 ^ t36;
        t39 = t29 & t38; t40 = t25 ^ t39; t41 = t40 ^ t37; t42 = t29 ^ t33; t43 = t29 ^ t40;
        t44 = t33 ^ t37; t45 = t42 ^ t41;
        z0 = t44 & y15; z1 = t37 & y6; z2 = t33 & x7; z3 = t43 & y16; z4 = t40 & y1; z5 = t29 & y7;
        z6 = t42 & y11; z7 = t45 & y17; z8 = t41 & y10; z9 = t44 & y12; z10 = t37 & y3;
        z11 = t33 & y4; z12 = t43 & y13; z13 = t40 & y5; z14 = t29 & y2; z15 = t42 & y9;
        z16 = t45 & y14; z17 = t41 & y8;

        t46 = z15 ^ z16; t47 = z10 ^ z11; t48 = z5 ^ z13; t49 = z9 ^ z10; t50 = z2 ^ z12;
        t51 = z2 ^ z5; t52 = z7 ^ z8; t53 = z0 ^ z3; t54 = z6 ^ z7; t55 = z16 ^ z17;
        t56 = z12 ^ t48; t57 = t50 ^ t53; t58 = z4 ^ t46; t59 = z3 ^ t54; t60 = t46 ^ t57;
        t61 = z14 ^ t57; t62 = t52 ^ t58; t63 = t49 ^ t58; t64 = z4 ^ t59; t65 = t61 ^ t62;
        t66 = z1 ^ t63; s0 = t59 ^ t63; s6 = t56 ^ t62; s7 = t48 ^ t60; t67 = t64 ^ t65;
        s3 = t53 ^ t66; s4 = t51 ^ t66; s5 = t47 ^ t65; s1 = t64 ^ s3; s2 = t55 ^ t67;
    }
    vec![!s7, !s6, s5, s4, s3, !s2, !s1, s0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The S-box by its definition (FIPS 197, section 5.1.1): inverse in GF(2^8), then an affine map.
    fn s_box_by_definition(byte: u8) -> u8 {
        let multiply = |a: u8, b: u8| {
            let powers = std::iter::successors(Some(u64::from(a)), |&power| Some(times_x(power)));
            let terms = powers.take(8).enumerate().filter(|(i, _)| b >> i & 1 == 1);
            terms.fold(0, |sum, (_, power)| sum ^ power as u8)
        };
        let inverse = (0..=255)
            .find(|&candidate| multiply(byte, candidate) == 1)
            .unwrap_or(0);
        (0..5).fold(0x63, |sum, amount| sum ^ inverse.rotate_left(amount))
    }

    #[test]
    fn s_box_is_right_for_every_byte() {
        let mut builder = Builder::new();
        let byte = builder.input(8);
        let out = s_box(&mut builder, &byte);
        let circuit = finish(builder, &[out]);
        for byte in 0..=255_u8 {
            let bits: Vec<bool> = (0..8).map(|i| byte >> i & 1 == 1).collect();
            let out = circuit.evaluate(&bits).expect("8 bits");
            let value = (0..8).fold(0, |value, i| value | u8::from(out[i]) << i);
            assert_eq!(value, s_box_by_definition(byte), "S-box of {byte:#04x}");
        }
        println!("256 bytes through {} gates", circuit.gates.len());
    }
}
