//! Two parties with everything they know, for tests of setups and disputes; the prover crate's tests use it too.

use std::collections::BTreeMap;
use std::path::Path;

use bitcoin::hashes::Hash;
use bitcoin::key::TweakedPublicKey;
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Witness};
use tapcourt_commitment::{KeyPath, Opening, SecretKey, Seed};
use tapcourt_compiler::circuit::{Compiled, Options};
use tapcourt_program::circuit::Circuit;
use tapcourt_protocol::messages::{Message, Offer};
use tapcourt_protocol::transactions::disprove::Disprove;
use tapcourt_protocol::{
    ChallengerSession, ExpiryPolicy, FundingInput, Graph, InstanceId, Parameters, Party,
    PresignedGraph, RelativeBlocks, Role, SessionSecret, SigningKey, TransactionKind, prover_sign,
};
use tapcourt_script::limits::Profile;
use tapcourt_verifier::{Messages, Program};

pub(crate) const DELTA_BLOCKS: u16 = 10;
pub(crate) const EXPIRY_BLOCKS: u16 = 50;
pub(crate) const SEED: [u8; 32] = [0x22; 32];
pub(crate) const INSTANCE: [u8; 32] = [0x11; 32];

/// A program, a contract about it, both parties' secrets and the messages of the setup.
pub(crate) struct Parties {
    pub(crate) netlist: Vec<u8>,
    pub(crate) options: Options,
    pub(crate) program: Program,
    pub(crate) prover: SigningKey,
    pub(crate) challenger: SigningKey,
    pub(crate) graph: Graph,
    pub(crate) presigned: PresignedGraph,
    pub(crate) offer: Vec<u8>,
    pub(crate) acceptance: Vec<u8>,
    pub(crate) prover_partials: Vec<u8>,
    pub(crate) challenger_partials: Vec<u8>,
    pub(crate) signatures: Vec<u8>,
}

/// Reads one of the repository's netlists.
pub(crate) fn netlist(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../circuits")
        .join(name);
    std::fs::read(path).unwrap()
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

/// The secret one-time keys of all groups.
pub(crate) fn secrets(compiled: &Compiled) -> Vec<SecretKey> {
    let seed = Seed::new(SEED);
    let groups = compiled.committed_groups().iter();
    let derive = groups.map(|group| {
        let path = KeyPath {
            contract: INSTANCE,
            role: "prover",
            label: group.label(),
        };
        SecretKey::derive(&seed, &path, group.parameters().unwrap())
    });
    derive.collect()
}

impl Parties {
    pub(crate) fn new(netlist: Vec<u8>, options: Options) -> Self {
        Self::with(netlist, options, parameters())
    }

    pub(crate) fn with(netlist: Vec<u8>, options: Options, parameters: Parameters) -> Self {
        let circuit = Circuit::parse(&netlist).unwrap();
        let program = Program::new(Compiled::new(&circuit, &options).unwrap()).unwrap();
        let (prover, challenger) = (signing_key(1), signing_key(2));
        let instance = InstanceId::from_bytes(INSTANCE);
        let offer = Offer {
            parameters,
            program_digest: program.compiled().program_digest(),
            instance,
            prover: party(&prover, 130_000, 10_000),
            one_time_keys: secrets(program.compiled())
                .iter()
                .map(SecretKey::public_key)
                .collect(),
        };
        let terms = offer.terms(
            party(&challenger, 100_000, 10_000),
            program.layout().clone(),
        );
        let keys = terms.one_time_keys.clone();
        let challenger_key = terms.challenger.x_only_key();
        let graph = Graph::new(
            terms,
            &program.compiled().leaf_source(&keys, challenger_key),
        )
        .unwrap();
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
            netlist,
            options,
            program,
            prover,
            challenger,
            graph,
            presigned,
        }
    }

    /// Adds two numbers of 64 bits: one leaf or a few, all outputs free.
    pub(crate) fn adder() -> Self {
        Self::new(netlist("adder64.txt"), Options::default())
    }

    /// Says whether one number of 64 bits is below another, and accepts only if it is.
    pub(crate) fn compare() -> Self {
        Self::new(
            netlist("compare64.txt"),
            Options {
                accept: vec![Some(true)],
            },
        )
    }

    /// Multiplies two numbers of 32 bits, with values to assert.
    pub(crate) fn multiplier() -> Self {
        Self::new(netlist("multiply32.txt"), Options::default())
    }

    pub(crate) fn messages(&self) -> Messages<'_> {
        Messages {
            offer: &self.offer,
            acceptance: &self.acceptance,
            partials: Some((&self.prover_partials, &self.challenger_partials)),
            signatures: &self.signatures,
        }
    }

    pub(crate) fn values(&self, input: &[bool]) -> Vec<Vec<bool>> {
        self.program.compiled().values(input).unwrap()
    }

    pub(crate) fn openings(&self, values: &[Vec<bool>]) -> BTreeMap<usize, Opening> {
        let secrets = secrets(self.program.compiled());
        values
            .iter()
            .zip(&secrets)
            .map(|(value, secret)| secret.sign(value))
            .enumerate()
            .collect()
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
    pub(crate) fn finish(&self, kind: TransactionKind, values: &[Vec<bool>]) -> Transaction {
        let openings = self.openings(values);
        self.presigned
            .finalise_with(&self.graph, kind, &openings, Some(&self.challenger))
            .unwrap()
    }

    /// The disprove transaction of a leaf, whether or not its witness is valid.
    pub(crate) fn disprove(&self, leaf: usize, values: &[Vec<bool>]) -> Transaction {
        let compiled = self.program.compiled();
        let witness = compiled.leaf_witness(leaf, &self.openings(values)).unwrap();
        let terms = self.graph.terms();
        let leaves = compiled.leaf_source(&terms.one_time_keys, terms.challenger.x_only_key());
        Disprove::new(&self.graph, &leaves, leaf, witness, None)
            .unwrap()
            .sign(&self.challenger)
    }

    /// The contract, the whole claim, the challenge and all asserts.
    pub(crate) fn disputed(&self, values: &[Vec<bool>]) -> Vec<Transaction> {
        let layout = &self.graph.terms().layout;
        let claim = (0..layout.claim.len()).map(TransactionKind::Kickoff);
        let asserts = (0..layout.asserts.len()).map(TransactionKind::Assert);
        let kinds = claim.chain([TransactionKind::Challenge]).chain(asserts);
        std::iter::once(self.contract())
            .chain(kinds.map(|kind| self.finish(kind, values)))
            .collect()
    }
}
