//! Two parties with everything they know, for tests of setups and disputes; the prover crate's tests use it too.

use std::collections::BTreeMap;

use bitcoin::hashes::Hash;
use bitcoin::key::TweakedPublicKey;
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Witness};
use tapcourt_commitment::{KeyPath, Opening, SecretKey, Seed};
use tapcourt_compiler::riscv::End;
use tapcourt_protocol::messages::{Message, Offer};
use tapcourt_protocol::transactions::disprove::Disprove;
use tapcourt_protocol::{
    ChallengerSession, ExpiryPolicy, FundingInput, Graph, InstanceId, Parameters, Party,
    PresignedGraph, RelativeBlocks, Role, SessionSecret, SigningKey, Stage, TransactionKind,
    prover_sign,
};
use tapcourt_script::limits::Profile;
use tapcourt_verifier::{GroupInfo, Messages, Part, Program, Source};

pub(crate) const DELTA_BLOCKS: u16 = 10;
pub(crate) const EXPIRY_BLOCKS: u16 = 50;
pub(crate) const SEED: [u8; 32] = [0x22; 32];
pub(crate) const INSTANCE: [u8; 32] = [0x11; 32];

/// Values of groups, by group number.
pub(crate) type Values = BTreeMap<usize, Vec<bool>>;

/// Makes one bit of a group another.
pub(crate) fn flip(values: &mut Values, group: usize, bit: usize) {
    values.get_mut(&group).unwrap()[bit] ^= true;
}

/// A program, a contract about it, both parties' secrets and the messages of the setup.
pub(crate) struct Parties {
    pub(crate) program: Program,
    pub(crate) prover: SigningKey,
    pub(crate) challenger: SigningKey,
    pub(crate) offered: Offer,
    pub(crate) graph: Graph,
    pub(crate) presigned: PresignedGraph,
    pub(crate) offer: Vec<u8>,
    pub(crate) acceptance: Vec<u8>,
    pub(crate) prover_partials: Vec<u8>,
    pub(crate) challenger_partials: Vec<u8>,
    pub(crate) signatures: Vec<u8>,
}

pub(crate) fn signing_key(byte: u8) -> SigningKey {
    SigningKey::from_bytes([byte; 32]).unwrap()
}

fn own_script(key: &SigningKey) -> ScriptBuf {
    let output_key = key.public_key().x_only_public_key().0;
    ScriptBuf::new_p2tr_tweaked(TweakedPublicKey::dangerous_assume_tweaked(output_key))
}

/// A party whose coins and payouts are its own key, untweaked.
fn party(key: &SigningKey, coin: u64, change: u64) -> Party {
    let public = key.public_key();
    let coin = FundingInput {
        outpoint: OutPoint {
            txid: Txid::from_byte_array([public.serialize()[1]; 32]),
            vout: 0,
        },
        prevout: TxOut {
            value: Amount::from_sat(coin),
            script_pubkey: own_script(key),
        },
    };
    Party {
        key: public,
        payout_script: own_script(key),
        inputs: vec![coin],
        change: vec![TxOut {
            value: Amount::from_sat(change),
            script_pubkey: own_script(key),
        }],
    }
}

pub(crate) fn parameters() -> Parameters {
    Parameters {
        delta: RelativeBlocks::new(DELTA_BLOCKS).unwrap(),
        expiry: RelativeBlocks::new(EXPIRY_BLOCKS).unwrap(),
        expiry_policy: ExpiryPolicy::Refund,
        prover_stake: Amount::from_sat(100_000),
        challenger_stake: Amount::from_sat(50_000),
        bond: Amount::from_sat(30_000),
        profile: Profile::Standard,
        disprove_feerate: FeeRate::from_sat_per_vb(1).unwrap(),
    }
}

/// The secret one-time key of a group. `context` is the offer's digest for the challenger's, the instance for the prover's.
fn secret(group: &GroupInfo, context: [u8; 32]) -> SecretKey {
    let path = KeyPath {
        contract: context,
        role: match group.owner {
            Role::Prover => "prover",
            Role::Challenger => "challenger",
        },
        label: &group.label,
    };
    SecretKey::derive(&Seed::new(SEED), &path, &group.shape)
}

impl Parties {
    /// Goes through the whole setup.
    pub(crate) fn of(program: Program, parameters: Parameters) -> Self {
        let (prover, challenger) = (signing_key(1), signing_key(2));
        let instance = InstanceId::from_bytes(INSTANCE);
        let one_time_keys = |role: Role, context: [u8; 32]| {
            let groups = program.groups_of(role);
            groups
                .map(|(_, group)| secret(group, context).public_key())
                .collect::<Vec<_>>()
        };
        let offer = Offer {
            parameters,
            program_digest: program.digest(),
            instance,
            prover: party(&prover, 130_000, 10_000),
            one_time_keys: one_time_keys(Role::Prover, INSTANCE),
        };
        let terms = offer
            .terms(
                party(&challenger, 100_000, 10_000),
                &one_time_keys(Role::Challenger, offer.digest()),
                program.layout().clone(),
                program.groups().len(),
            )
            .unwrap();
        let keys = terms.one_time_keys.clone();
        let leaves = program.leaves(&keys, terms.challenger.x_only_key());
        let graph = Graph::new(terms, &leaves.all()).unwrap();
        drop(leaves);
        let session =
            ChallengerSession::new(&graph, &challenger, SessionSecret::from_bytes([4; 32]))
                .unwrap();
        let acceptance = session.acceptance();
        let answer = prover_sign(
            &graph,
            &prover,
            &SessionSecret::from_bytes([5; 32]),
            &acceptance,
        )
        .unwrap();
        let (presigned, partials) = session.sign(&answer).unwrap();
        let id = *graph.id().as_bytes();
        Self {
            offer: offer.to_bytes(instance.as_bytes()),
            acceptance: acceptance.to_bytes(&id),
            prover_partials: answer.to_bytes(&id),
            challenger_partials: partials.to_bytes(&id),
            signatures: presigned.to_message().to_bytes(&id),
            offered: offer,
            program,
            prover,
            challenger,
            graph,
            presigned,
        }
    }

    pub(crate) fn messages(&self) -> Messages<'_> {
        Messages {
            offer: &self.offer,
            acceptance: &self.acceptance,
            partials: Some((&self.prover_partials, &self.challenger_partials)),
            signatures: &self.signatures,
        }
    }

    /// The messages in the order of a setup.
    pub(crate) fn parts(&self) -> [(Part, &[u8]); 5] {
        [
            (Part::Offer, &self.offer),
            (Part::Acceptance, &self.acceptance),
            (Part::ProverPartials, &self.prover_partials),
            (Part::ChallengerPartials, &self.challenger_partials),
            (Part::Signatures, &self.signatures),
        ]
    }

    /// The setup with one message replaced.
    pub(crate) fn replaced<'a>(&'a self, part: Part, bytes: &'a [u8]) -> Messages<'a> {
        let all = self
            .parts()
            .map(|(each, original)| if each == part { bytes } else { original });
        Messages {
            offer: all[0],
            acceptance: all[1],
            partials: Some((all[2], all[3])),
            signatures: all[4],
        }
    }

    /// The openings of values, each under its owner's key.
    pub(crate) fn openings(&self, values: &Values) -> BTreeMap<usize, Opening> {
        let open = |(&number, value): (&usize, &Vec<bool>)| {
            let group = &self.program.groups()[number];
            let context = match group.owner {
                Role::Prover => INSTANCE,
                Role::Challenger => self.offered.digest(),
            };
            (number, secret(group, context).sign(value))
        };
        values.iter().map(open).collect()
    }

    /// The funding transaction, signed by both.
    pub(crate) fn contract(&self) -> Transaction {
        let contract = self.graph.contract();
        let sign = |role: Role, key: &SigningKey| -> Vec<Witness> {
            let sighashes = contract.key_path_sighashes(role);
            sighashes
                .iter()
                .map(|(_, sighash)| Witness::from_slice(&[key.sign(sighash)]))
                .collect()
        };
        contract
            .finalise(
                &sign(Role::Prover, &self.prover),
                &sign(Role::Challenger, &self.challenger),
            )
            .unwrap()
    }

    /// A presigned transaction, finished.
    pub(crate) fn finish(&self, kind: TransactionKind, values: &Values) -> Transaction {
        let openings = self.openings(values);
        self.presigned
            .finalise_with(&self.graph, kind, &openings, Some(&self.challenger))
            .unwrap()
    }

    /// The disprove transaction of a leaf, whether or not its witness is valid; `None` if it opens what was not published.
    pub(crate) fn disprove(
        &self,
        stage: Stage,
        leaf: usize,
        values: &Values,
    ) -> Option<Transaction> {
        let openings = self.openings(values);
        let witness = match self.program.source() {
            Source::Circuit(compiled) => compiled.leaf_witness(leaf, &openings)?,
            Source::Trace(court) => {
                let end = match stage {
                    Stage::Dispute => End::Step,
                    Stage::Opening => End::Path,
                };
                court.witness(end, leaf, &openings)?
            }
        };
        let terms = self.graph.terms();
        let leaves = self
            .program
            .leaves(&terms.one_time_keys, terms.challenger.x_only_key());
        let leaves = leaves.all().stage(stage).unwrap();
        let disprove = Disprove::new(&self.graph, stage, leaves, leaf, witness, None).unwrap();
        Some(disprove.sign(&self.challenger))
    }

    /// The contract, the whole claim, the challenge and all moves of the dispute.
    pub(crate) fn disputed(&self, values: &Values) -> Vec<Transaction> {
        let layout = &self.graph.terms().layout;
        let claim = (0..layout.claim.len()).map(TransactionKind::Kickoff);
        let moves = layout.kinds(Stage::Dispute).map(|(kind, _)| kind);
        let kinds = claim.chain([TransactionKind::Challenge]).chain(moves);
        std::iter::once(self.contract())
            .chain(kinds.map(|kind| self.finish(kind, values)))
            .collect()
    }
}
