//! Signatures and proofs.

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, UniformRand};
use ark_groth16::{Groth16, Proof, VerifyingKey};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use ark_relations::lc;
use ark_snark::SNARK;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::{Guest, Words};

/// The order of secp256k1 and the modulus of its field.
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const MODULUS: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";

/// The vectors of BIP-0340 with messages of 32 bytes, without those of signing only.
pub(crate) fn schnorr() -> Guest {
    const KEY: &str = "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659";
    const MESSAGE: &str = "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89";
    const SIGNATURE: [&str; 2] = [
        "6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341",
        "8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a",
    ];
    let input = |key: &str, [r, s]: [&str; 2], message: &str| {
        Words::default()
            .bytes(&hex::decode([key, r, s, message].concat()).expect("all of it is hexadecimal"))
    };
    let [r, s] = SIGNATURE;
    let no_key = "eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34";
    let large_key = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30";
    let odd_r = [
        "fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a1460297556",
        "3cc27944640ac607cd107ae10923d9ef7a73c643e166be5ebeafa34b1ac553e2",
    ];
    let negated_message = [
        "1fa62e331edbc21c394792d2ab1100a7b432b013df3f6ff4f99fcb33e0e1515f",
        "28890b3edb6e7189b630448b515ce4f8622a954cfe545735aaea5134fccdb2bd",
    ];
    Guest::new("schnorr")
        .accepts(
            "bip340_0",
            &input(
                "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
                [
                    "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215",
                    "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0",
                ],
                &"0".repeat(64),
            ),
        )
        .accepts("bip340_1", &input(KEY, SIGNATURE, MESSAGE))
        .rejects(
            "bip340_5_key_not_on_the_curve",
            &input(no_key, SIGNATURE, MESSAGE),
        )
        .rejects("bip340_6_odd_r", &input(KEY, odd_r, MESSAGE))
        .rejects(
            "bip340_7_negated_message",
            &input(KEY, negated_message, MESSAGE),
        )
        .rejects("r_is_the_modulus", &input(KEY, [MODULUS, s], MESSAGE))
        .rejects("s_is_the_order", &input(KEY, [r, ORDER], MESSAGE))
        .rejects(
            "bip340_14_key_above_the_modulus",
            &input(large_key, SIGNATURE, MESSAGE),
        )
        .rejects(
            "other_message",
            &input(KEY, SIGNATURE, &MESSAGE.replace("24", "25")),
        )
        .rejects(
            "other_key",
            &input(&KEY.replace("df", "de"), SIGNATURE, MESSAGE),
        )
        .rejects(
            "signature_of_zeros",
            &input(KEY, [&"0".repeat(64); 2], MESSAGE),
        )
        .stops("message_missing", &input(KEY, SIGNATURE, &MESSAGE[..56]))
}

/// Somebody knows two numbers with this sum and this product.
#[derive(Clone, Copy)]
struct SumAndProduct {
    numbers: Option<[Fr; 2]>,
}

impl ConstraintSynthesizer<Fr> for SumAndProduct {
    fn generate_constraints(self, system: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let numbers = || self.numbers.ok_or(SynthesisError::AssignmentMissing);
        let sum = system.new_input_variable(|| numbers().map(|[a, b]| a + b))?;
        let product = system.new_input_variable(|| numbers().map(|[a, b]| a * b))?;
        let a = system.new_witness_variable(|| numbers().map(|[a, _]| a))?;
        let b = system.new_witness_variable(|| numbers().map(|[_, b]| b))?;
        system.enforce_r1cs_constraint(|| lc!() + a, || lc!() + b, || lc!() + product)?;
        system.enforce_r1cs_constraint(
            || lc!() + a + b,
            || lc!() + ark_relations::gr1cs::Variable::One,
            || lc!() + sum,
        )
    }
}

/// A statement with its proof, to be spoilt.
#[derive(Clone)]
struct Claim {
    key: VerifyingKey<Bn254>,
    public: Vec<Fr>,
    proof: Proof<Bn254>,
}

impl Claim {
    fn input(&self) -> Words {
        let Self { key, public, proof } = self;
        let mut words = g1(Words::default(), key.alpha_g1);
        words = [key.beta_g2, key.gamma_g2, key.delta_g2]
            .into_iter()
            .fold(words, g2);
        words = words.word(public.len() as u32);
        words = key.gamma_abc_g1.iter().copied().fold(words, g1);
        words = public.iter().copied().fold(words, field);
        g1(g2(g1(words, proof.a), proof.b), proof.c)
    }

    fn but(&self, change: impl FnOnce(&mut Self)) -> Words {
        let mut claim = self.clone();
        change(&mut claim);
        claim.input()
    }
}

fn field(words: Words, value: impl PrimeField) -> Words {
    words.bytes(&value.into_bigint().to_bytes_be())
}

/// Both coordinates; zeros for the point at infinity.
fn g1(words: Words, point: G1Affine) -> Words {
    let (x, y) = point.xy().unwrap_or_default();
    field(field(words, x), y)
}

fn g2(words: Words, point: G2Affine) -> Words {
    let (x, y) = point.xy().unwrap_or_default();
    [x.c1, x.c0, y.c1, y.c0].into_iter().fold(words, field)
}

/// A point of the twist that is not in the subgroup: almost any.
fn point_outside_the_subgroup() -> G2Affine {
    (1_u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(x), false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .expect("the subgroup is a small part of the curve")
}

pub(crate) fn groth16() -> Guest {
    let mut randomness = ChaCha20Rng::seed_from_u64(0);
    let mut prove = |numbers: [Fr; 2]| {
        let (proving_key, key) = Groth16::<Bn254>::circuit_specific_setup(
            SumAndProduct { numbers: None },
            &mut randomness,
        )
        .expect("the circuit has no assignment to miss");
        let proof = Groth16::<Bn254>::prove(
            &proving_key,
            SumAndProduct {
                numbers: Some(numbers),
            },
            &mut randomness,
        )
        .expect("the assignment satisfies the circuit");
        Claim {
            key,
            public: vec![numbers[0] + numbers[1], numbers[0] * numbers[1]],
            proof,
        }
    };
    let claim = prove([83, 97].map(Fr::from));
    let other = prove([3, 5].map(Fr::from));
    let long = prove([3, 7].map(|number| Fr::ONE / Fr::from(number)));
    let proof_words = 16 + 32 + 16;
    let proof_start = claim.input().0.len() - proof_words;
    // The sum plus the order of the field: the same number, encoded in another way.
    let mut sum_plus_order = claim.input();
    let sum_start = proof_start - 16;
    let mut order = Fr::MODULUS;
    order.add_with_carry(&claim.public[0].into_bigint());
    sum_plus_order.0[sum_start..sum_start + 8]
        .copy_from_slice(&tapcourt_guest::host::pack(&order.to_bytes_be()));
    let mut too_many = claim.input();
    too_many.0[16 + 3 * 32] = 65;
    let random_g1 = G1Affine::rand(&mut randomness);
    Guest::new("groth16")
        .accepts("sum_180_product_8051", &claim.input())
        .accepts("sum_8_product_15", &other.input())
        .accepts("sum_and_product_of_fractions", &long.input())
        .rejects("other_sum", &claim.but(|claim| claim.public[0] += Fr::ONE))
        .rejects(
            "sum_and_product_exchanged",
            &claim.but(|claim| claim.public.swap(0, 1)),
        )
        .rejects("sum_encoded_in_another_way", &sum_plus_order)
        .rejects(
            "proof_of_another_statement",
            &claim.but(|claim| claim.proof = other.proof.clone()),
        )
        .rejects(
            "key_of_another_setup",
            &claim.but(|claim| claim.key = other.key.clone()),
        )
        .rejects(
            "a_negated",
            &claim.but(|claim| claim.proof.a = -claim.proof.a),
        )
        .rejects("other_c", &claim.but(|claim| claim.proof.c = random_g1))
        .rejects(
            "a_at_infinity",
            &claim.but(|claim| claim.proof.a = G1Affine::identity()),
        )
        .rejects(
            "a_not_on_the_curve",
            &claim.but(|claim| claim.proof.a.y += Fq::ONE),
        )
        .rejects(
            "b_not_on_the_curve",
            &claim.but(|claim| claim.proof.b.y += Fq2::ONE),
        )
        .rejects(
            "b_outside_the_subgroup",
            &claim.but(|claim| claim.proof.b = point_outside_the_subgroup()),
        )
        .rejects(
            "proof_of_zeros",
            &claim.but(|claim| {
                claim.proof = Proof {
                    a: G1Affine::identity(),
                    b: G2Affine::identity(),
                    c: G1Affine::identity(),
                };
                claim.public = vec![Fr::ZERO; 2];
            }),
        )
        .rejects("too_many_public_inputs", &too_many)
        .stops("proof_cut_short", &claim.input().without_last())
}
