//! Toy contracts: a few small value groups, and disprove leaves that anyone with the openings and the challenger's key can spend.

use std::collections::BTreeMap;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, TxOut, Txid};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tapcourt_commitment::{KeyPath, Opening, Parameters as Shape, SecretKey, Seed};
use tapcourt_script::limits::Profile;
use tapcourt_script::script;

use crate::{
    ChallengerSession, ExpiryPolicy, FundingInput, Graph, InstanceId, PackLimits, Parameters,
    Party, PresignedGraph, RelativeBlocks, SessionSecret, SigningKey, Terms, complete,
    pack_batches, prover_sign,
};

/// A contract with all of its secrets.
pub(super) struct Toy {
    pub(super) name: &'static str,
    pub(super) prover: SigningKey,
    pub(super) challenger: SigningKey,
    pub(super) secrets: Vec<SecretKey>,
    pub(super) leaves: Vec<ScriptBuf>,
    pub(super) terms: Terms,
}

pub(super) fn signing_key(byte: u8) -> SigningKey {
    SigningKey::from_bytes([byte; 32]).unwrap()
}

/// A party whose coins and payouts are its own key, untweaked.
pub(super) fn party(key: &SigningKey, coins: &[u64], change: u64) -> Party {
    let public = key.public_key();
    let own = script! { OP_1 { public.x_only_public_key().0.serialize() } };
    let id = public.serialize()[1];
    let inputs = coins.iter().enumerate().map(|(index, value)| FundingInput {
        outpoint: OutPoint {
            txid: Txid::from_byte_array([id; 32]),
            vout: index as u32,
        },
        prevout: TxOut {
            value: Amount::from_sat(*value),
            script_pubkey: own.clone(),
        },
    });
    Party {
        key: public,
        payout_script: own.clone(),
        inputs: inputs.collect(),
        change: vec![TxOut {
            value: Amount::from_sat(change),
            script_pubkey: own,
        }],
    }
}

pub(super) fn parameters() -> Parameters {
    Parameters {
        delta: RelativeBlocks::new(144).unwrap(),
        expiry: RelativeBlocks::new(1_008).unwrap(),
        expiry_policy: ExpiryPolicy::Refund,
        prover_stake: Amount::from_sat(100_000),
        challenger_stake: Amount::from_sat(50_000),
        bond: Amount::from_sat(30_000),
        profile: Profile::Truc,
        disprove_feerate: FeeRate::from_sat_per_vb(2).unwrap(),
    }
}

impl Toy {
    /// `claim` and `asserts` are group widths in bits.
    pub(super) fn new(
        name: &'static str,
        claim: &[usize],
        asserts: &[usize],
        limits: PackLimits,
    ) -> Self {
        let instance = InstanceId::from_bytes([0x11; 32]);
        let (prover, challenger) = (signing_key(1), signing_key(2));
        let seed = Seed::new([0x22; 32]);
        let shapes: Vec<Shape> = claim
            .iter()
            .chain(asserts)
            .map(|&bits| {
                if bits == 1 {
                    Shape::lamport(1).unwrap()
                } else {
                    Shape::winternitz(bits, 4).unwrap()
                }
            })
            .collect();
        let secrets: Vec<SecretKey> = shapes
            .iter()
            .enumerate()
            .map(|(group, shape)| {
                let label = format!("group/{group}");
                let path = KeyPath {
                    contract: instance.to_bytes(),
                    role: "prover",
                    label: &label,
                };
                SecretKey::derive(&seed, &path, shape)
            })
            .collect();
        let claim_groups: Vec<usize> = (0..claim.len()).collect();
        let assert_groups: Vec<usize> = (claim.len()..shapes.len()).collect();
        let layout = pack_batches(&shapes, &claim_groups, &assert_groups, &limits).unwrap();
        let one_time_keys: Vec<_> = secrets.iter().map(SecretKey::public_key).collect();
        let challenger_key = challenger.public_key().x_only_public_key().0;
        let leaves = one_time_keys
            .iter()
            .map(|key| script! { { challenger_key } OP_CHECKSIGVERIFY { key.publish_script().into_script() } OP_1 })
            .collect();
        let terms = Terms {
            parameters: parameters(),
            program_digest: [0x33; 32],
            instance,
            prover: party(&prover, &[90_000, 30_000], 10_000),
            challenger: party(&challenger, &[100_000], 19_000),
            one_time_keys,
            layout,
        };
        Self {
            name,
            prover,
            challenger,
            secrets,
            leaves,
            terms,
        }
    }

    /// One contract of each shape: no assert, one assert, several moves with several batches, a claim of several moves.
    pub(super) fn shapes() -> Vec<Self> {
        let tight = PackLimits {
            stack_items: 60,
            weight_wu: 3_600,
        };
        vec![
            Self::new("claim only", &[8], &[], PackLimits::default()),
            Self::new("one assert", &[8, 1], &[16, 1, 4], PackLimits::default()),
            Self::new(
                "several asserts",
                &[16, 8],
                &[32, 24, 16, 16, 16, 8, 8, 4, 1, 1, 1],
                tight,
            ),
            Self::new(
                "several kickoffs",
                &[32, 32, 16, 16, 8, 1],
                &[16, 16, 32],
                tight,
            ),
        ]
    }

    pub(super) fn graph(&self) -> Graph {
        Graph::new(self.terms.clone(), &self.leaves).unwrap()
    }

    pub(super) fn presign(&self, graph: &Graph) -> PresignedGraph {
        let session =
            ChallengerSession::new(graph, &self.challenger, SessionSecret::from_bytes([4; 32]))
                .unwrap();
        let acceptance = session.acceptance();
        let answer = prover_sign(
            graph,
            &self.prover,
            &SessionSecret::from_bytes([5; 32]),
            &acceptance,
        )
        .unwrap();
        let (presigned, partials) = session.sign(&answer).unwrap();
        assert_eq!(
            complete(graph, &acceptance, &answer, &partials).unwrap(),
            presigned
        );
        presigned
    }

    /// Signs a random message under every one-time key.
    pub(super) fn openings(&self, seed: u64) -> BTreeMap<usize, Opening> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let sign = |(group, secret): (usize, &SecretKey)| {
            let bits = secret.parameters().message_bits();
            let message: Vec<bool> = (0..bits).map(|_| rng.r#gen()).collect();
            (group, secret.sign(&message))
        };
        self.secrets.iter().enumerate().map(sign).collect()
    }
}
