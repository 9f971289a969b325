//! A Groth16 proof over BN254.
#![no_std]

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInt, One, PrimeField};
use tapcourt_guest::Inputs;

/// The most public inputs accepted.
pub const MAX_PUBLIC_INPUTS: u32 = 64;

/// Accepts if the proof holds for the verifying key and the public inputs:
/// e(A, B) = e(α, β) · e(Σ, γ) · e(C, δ), where Σ = IC₀ + Σᵢ xᵢ·ICᵢ.
///
/// Inputs: α in G1; β, γ and δ in G2; the number n of public inputs (at most 64); the n + 1 points IC in G1; the public inputs
/// x₁ … xₙ; the proof's A in G1, B in G2 and C in G1.
///
/// Numbers and points are encoded as in EIP-0196 and EIP-0197: a number is 32 bytes, highest first, and less than the modulus;
/// a point of G1 is x and y; a point of G2 is x and y with the imaginary part first; the point at infinity is all zeros.
///
/// Numbers that are not less than the modulus are refused, and points that are not on their curve or, for B, not in the
/// subgroup. The verifying key is taken as it is otherwise. A contract has to fix it: whoever can choose it can prove anything.
pub fn main() -> Option<()> {
    let mut inputs = Inputs::new();
    let alpha = read_g1(&mut inputs)?;
    let [beta, gamma, delta] = [
        read_g2(&mut inputs)?,
        read_g2(&mut inputs)?,
        read_g2(&mut inputs)?,
    ];
    let public = read_public_inputs(&mut inputs)?;
    let (a, b, c) = (
        read_g1(&mut inputs)?,
        read_g2(&mut inputs)?,
        read_g1(&mut inputs)?,
    );
    if !b.is_in_correct_subgroup_assuming_on_curve() {
        return None;
    }
    let product = Bn254::multi_pairing([-a, alpha, public, c], [b, beta, gamma, delta]);
    product.0.is_one().then_some(())
}

/// Reads the number of public inputs, the IC points and the inputs, and returns Σ.
fn read_public_inputs(inputs: &mut Inputs) -> Option<G1Affine> {
    let count = inputs.word();
    if count > MAX_PUBLIC_INPUTS {
        return None;
    }
    let mut points = [G1Affine::identity(); MAX_PUBLIC_INPUTS as usize];
    let mut sum: G1Projective = read_g1(inputs)?.into();
    let points = &mut points[..count as usize];
    for point in points.iter_mut() {
        *point = read_g1(inputs)?;
    }
    for point in points.iter() {
        sum += point.mul_bigint(read_field::<Fr>(inputs)?.into_bigint());
    }
    Some(sum.into_affine())
}

fn read_g1(inputs: &mut Inputs) -> Option<G1Affine> {
    let (x, y) = (read_field(inputs)?, read_field(inputs)?);
    let point = if (x, y) == (Fq::ZERO, Fq::ZERO) {
        G1Affine::identity()
    } else {
        G1Affine::new_unchecked(x, y)
    };
    // The curve has a prime number of points: each is in the subgroup.
    point.is_on_curve().then_some(point)
}

fn read_g2(inputs: &mut Inputs) -> Option<G2Affine> {
    let (x, y) = (read_fq2(inputs)?, read_fq2(inputs)?);
    let point = if (x, y) == (Fq2::ZERO, Fq2::ZERO) {
        G2Affine::identity()
    } else {
        G2Affine::new_unchecked(x, y)
    };
    point.is_on_curve().then_some(point)
}

fn read_fq2(inputs: &mut Inputs) -> Option<Fq2> {
    let (imaginary, real) = (read_field(inputs)?, read_field(inputs)?);
    Some(Fq2::new(real, imaginary))
}

/// Reads an element of a prime field: 32 bytes, highest first. Returns nothing if it is not less than the modulus.
fn read_field<F: PrimeField<BigInt = BigInt<4>>>(inputs: &mut Inputs) -> Option<F> {
    let bytes: [u8; 32] = inputs.bytes();
    let mut limbs = [0; 4];
    for (limb, part) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = part
            .iter()
            .fold(0, |limb, &byte| limb << 8 | u64::from(byte));
    }
    F::from_bigint(BigInt(limbs))
}
