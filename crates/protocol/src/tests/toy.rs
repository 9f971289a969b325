//! Toy contracts: a few small value groups, searches or not, and disprove leaves that anyone with the openings and the challenger's
//! key can spend.

use std::collections::BTreeMap;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, TxOut, Txid};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tapcourt_commitment::{
    KeyPath, Opening, Parameters as Shape, PublicKey as OneTimeKey, SecretKey, Seed,
};
use tapcourt_script::limits::Profile;
use tapcourt_script::script;
use tapcourt_script::taptree::LeafSource;

use crate::{
    ChallengerSession, DisproveLeaves, ExpiryPolicy, FundingInput, Graph, InstanceId, PackLimits,
    Parameters, Party, PresignedGraph, Publication, RelativeBlocks, Role, SessionSecret,
    SigningKey, Stage, Terms, Turn, complete, pack_turns, prover_sign,
};

/// A contract with all of its secrets.
pub(super) struct Toy {
    pub(super) name: &'static str,
    pub(super) prover: SigningKey,
    pub(super) challenger: SigningKey,
    /// Of all groups, both parties'.
    pub(super) secrets: Vec<SecretKey>,
    /// Those after the dispute: one for each of the prover's groups that are published by then.
    pub(super) leaves: Vec<ScriptBuf>,
    /// Those after the opening, if there is one: one for each of the prover's groups.
    pub(super) opening_leaves: Option<Vec<ScriptBuf>>,
    pub(super) terms: Terms,
}

/// A turn of a toy's dispute or opening.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    /// The prover's, by the widths of its groups in bits. It also repeats all choices that were not repeated yet.
    Assert(&'a [usize]),
    /// The challenger's, by the number of options of each choice.
    Select(&'a [u32]),
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

/// Numbers the groups of a toy, turn by turn.
#[derive(Default)]
struct Groups {
    shapes: Vec<Shape>,
    owners: Vec<Role>,
    /// Choices that are not repeated yet.
    open: Vec<(usize, u32)>,
}

impl Groups {
    fn add(&mut self, owner: Role, shape: Shape) -> usize {
        self.shapes.push(shape);
        self.owners.push(owner);
        self.shapes.len() - 1
    }

    fn value(&mut self, bits: usize) -> usize {
        let shape = match bits {
            1 => Shape::lamport(1),
            bits => Shape::winternitz(bits, 4),
        };
        self.add(Role::Prover, shape.unwrap())
    }

    fn turn(&mut self, step: &Step<'_>) -> Turn {
        match *step {
            Step::Assert(widths) => {
                let repeated: Vec<(usize, u32)> = self.open.drain(..).collect();
                let mut publications = Vec::new();
                for (theirs, options) in repeated {
                    let own = self.add(Role::Prover, Shape::choice(options).unwrap());
                    publications.push(Publication::Agreement { theirs, own });
                }
                for &bits in widths {
                    publications.push(Publication::Value(self.value(bits)));
                }
                Turn {
                    mover: Role::Prover,
                    publications,
                }
            }
            Step::Select(choices) => {
                let mut publications = Vec::new();
                for &options in choices {
                    let group = self.add(Role::Challenger, Shape::choice(options).unwrap());
                    self.open.push((group, options));
                    publications.push(Publication::Choice { group, options });
                }
                Turn {
                    mover: Role::Challenger,
                    publications,
                }
            }
        }
    }
}

/// Derives the one-time keys, each party's from a role of its own.
fn derive(instance: InstanceId, groups: &Groups) -> Vec<SecretKey> {
    let seed = Seed::new([0x22; 32]);
    let all = groups.shapes.iter().zip(&groups.owners).enumerate();
    all.map(|(group, (shape, owner))| {
        let (role, label) = (owner.to_string(), format!("group/{group}"));
        let path = KeyPath {
            contract: instance.to_bytes(),
            role: &role,
            label: &label,
        };
        SecretKey::derive(&seed, &path, shape)
    })
    .collect()
}

impl Toy {
    /// `claim` and `asserts` are group widths in bits.
    pub(super) fn new(
        name: &'static str,
        claim: &[usize],
        asserts: &[usize],
        limits: PackLimits,
    ) -> Self {
        let dispute = [Step::Assert(asserts)];
        let turns = if asserts.is_empty() { 0 } else { 1 };
        Self::search(name, claim, &dispute[..turns], &[], limits)
    }

    /// `claim` are group widths in bits.
    pub(super) fn search(
        name: &'static str,
        claim: &[usize],
        dispute: &[Step<'_>],
        opening: &[Step<'_>],
        limits: PackLimits,
    ) -> Self {
        let instance = InstanceId::from_bytes([0x11; 32]);
        let (prover, challenger) = (signing_key(1), signing_key(2));
        let mut groups = Groups::default();
        let claim: Vec<usize> = claim.iter().map(|&bits| groups.value(bits)).collect();
        let dispute: Vec<Turn> = dispute.iter().map(|step| groups.turn(step)).collect();
        let before_opening = groups.shapes.len();
        let opening: Vec<Turn> = opening.iter().map(|step| groups.turn(step)).collect();
        let layout = pack_turns(&groups.shapes, &claim, &dispute, &opening, &limits).unwrap();
        let secrets = derive(instance, &groups);
        let one_time_keys: Vec<OneTimeKey> = secrets.iter().map(SecretKey::public_key).collect();
        let challenger_key = challenger.public_key().x_only_public_key().0;
        let leaves = |groups: &[Role]| -> Vec<ScriptBuf> {
            let provers = groups.iter().zip(&one_time_keys);
            provers
                .filter(|(owner, _)| **owner == Role::Prover)
                .map(|(_, key)| script! { { challenger_key } OP_CHECKSIGVERIFY { key.publish_script().into_script() } OP_1 })
                .collect()
        };
        let opening_leaves = (!opening.is_empty()).then(|| leaves(&groups.owners));
        let leaves = leaves(&groups.owners[..before_opening]);
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
            opening_leaves,
            terms,
        }
    }

    /// One contract of each shape: no assert, one assert, several moves with several batches, a claim of several moves, and the
    /// searches.
    pub(super) fn shapes() -> Vec<Self> {
        let tight = PackLimits {
            stack_items: 60,
            weight_wu: 3_600,
        };
        let mut shapes = vec![
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
        ];
        shapes.extend(Self::searches());
        shapes
    }

    /// The contracts in which the parties take turns: two rounds and an opening with one, three options without an opening, rounds
    /// of several inputs and transactions, and an opening right after the challenge.
    pub(super) fn searches() -> Vec<Self> {
        use Step::{Assert, Select};

        let narrow = PackLimits {
            stack_items: 32,
            weight_wu: 2_600,
        };
        vec![
            Self::search(
                "search",
                &[16],
                &[
                    Assert(&[16]),
                    Select(&[2]),
                    Assert(&[16, 16, 16]),
                    Select(&[4]),
                    Assert(&[32, 8]),
                ],
                &[Select(&[6]), Assert(&[16]), Select(&[4]), Assert(&[8, 1])],
                PackLimits::default(),
            ),
            Self::search(
                "search by threes",
                &[8],
                &[
                    Assert(&[8, 8]),
                    Select(&[3]),
                    Assert(&[8, 8]),
                    Select(&[3]),
                    Assert(&[4]),
                ],
                &[],
                PackLimits::default(),
            ),
            Self::search(
                "wide search",
                &[16, 16, 8],
                &[
                    Assert(&[16, 16, 16, 16, 8, 8]),
                    Select(&[4, 4, 3, 2, 9, 16, 16]),
                    Assert(&[16, 16, 16, 8, 1]),
                    Select(&[5, 2]),
                    Assert(&[]),
                ],
                &[
                    Select(&[4, 2, 3]),
                    Assert(&[16, 16, 16, 16, 8, 8]),
                    Select(&[16, 16, 16, 16, 2, 4, 4]),
                    Assert(&[8, 8]),
                ],
                narrow,
            ),
            Self::search(
                "opening only",
                &[8],
                &[],
                &[Select(&[2, 11]), Assert(&[])],
                PackLimits::default(),
            ),
        ]
    }

    pub(super) fn disprove_leaves(&self) -> DisproveLeaves<'_> {
        let opening = self.opening_leaves.as_ref();
        DisproveLeaves {
            dispute: &self.leaves,
            opening: opening.map(|leaves| leaves as &dyn LeafSource),
        }
    }

    /// The groups that the leaves after a stage open, leaf by leaf.
    pub(super) fn leaf_groups(&self, stage: Stage) -> Vec<usize> {
        let leaves = match stage {
            Stage::Dispute => self.leaves.len(),
            Stage::Opening => self.opening_leaves.as_ref().map_or(0, Vec::len),
        };
        let provers = self.terms.keys_of(Role::Prover);
        provers.map(|(group, _)| group).take(leaves).collect()
    }

    pub(super) fn graph(&self) -> Graph {
        Graph::new(self.terms.clone(), &self.disprove_leaves()).unwrap()
    }

    /// Everything that is published, in order.
    pub(super) fn publications(&self) -> Vec<Publication> {
        let moves = self.terms.layout.all_kinds();
        moves
            .flat_map(|(_, step)| step.publications().copied())
            .collect()
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

    /// Signs a random message under every one-time key: an option where it is a choice, and what was chosen where it repeats one.
    pub(super) fn openings(&self, seed: u64) -> BTreeMap<usize, Opening> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut openings: BTreeMap<usize, Opening> = BTreeMap::new();
        for publication in self.publications() {
            let secret = &self.secrets[publication.group()];
            let bits = secret.parameters().message_bits();
            let message: Vec<bool> = match publication {
                Publication::Value(_) => (0..bits).map(|_| rng.r#gen()).collect(),
                Publication::Choice { options, .. } => digit(rng.gen_range(0..options), bits),
                Publication::Agreement { theirs, .. } => openings[&theirs].message(),
            };
            openings.insert(publication.group(), secret.sign(&message));
        }
        openings
    }

    /// Signs a number under a group's key.
    pub(super) fn sign(&self, group: usize, value: u32) -> Opening {
        let secret = &self.secrets[group];
        secret.sign(&digit(value, secret.parameters().message_bits()))
    }
}

/// The bits of a number, bit 0 first.
fn digit(value: u32, bits: usize) -> Vec<bool> {
    (0..bits).map(|bit| value >> bit & 1 == 1).collect()
}
