//! Changed fields of messages.

use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{PublicKey, Scalar, Secp256k1, SecretKey};
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, TxOut, Txid};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;
use tapcourt_commitment::{Parameters as Shape, PublicKey as OneTimeKey};
use tapcourt_protocol::messages::{
    Acceptance, ChallengerPartials, FixedList, Message, Offer, ProverPartials, Signatures,
};
use tapcourt_protocol::{ExpiryPolicy, FundingInput, InstanceId, Party, RelativeBlocks};
use tapcourt_script::limits::Profile;
use tapcourt_verifier::Program;

use super::setups::Set;
use crate::parties::{Parties, signing_key};

/// The messages of a setup, parsed.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) offer: Offer,
    pub(super) acceptance: Acceptance,
    prover: ProverPartials,
    challenger: ChallengerPartials,
    signatures: Signatures,
    /// The id of the contract before changes.
    id: [u8; 32],
}

impl Parsed {
    pub(super) fn of(parties: &Parties) -> Self {
        let (id, acceptance) = Acceptance::from_bytes(&parties.acceptance).unwrap();
        Self {
            offer: Offer::from_bytes(&parties.offer).unwrap().1,
            acceptance,
            prover: ProverPartials::from_bytes(&parties.prover_partials)
                .unwrap()
                .1,
            challenger: ChallengerPartials::from_bytes(&parties.challenger_partials)
                .unwrap()
                .1,
            signatures: Signatures::from_bytes(&parties.signatures).unwrap().1,
            id,
        }
    }

    /// Frames the messages, all about the contract that offer and acceptance make.
    pub(super) fn encode(&self, program: &Program) -> Set {
        let layout = program.layout().clone();
        let keys = &self.acceptance.one_time_keys;
        let challenger = self.acceptance.challenger.clone();
        let terms = self
            .offer
            .terms(challenger, keys, layout, program.groups().len());
        let id = terms.map_or(self.id, |terms| terms.contract_id().to_bytes());
        [
            self.offer.to_bytes(self.offer.instance.as_bytes()),
            self.acceptance.to_bytes(&id),
            self.prover.to_bytes(&id),
            self.challenger.to_bytes(&id),
            self.signatures.to_bytes(&id),
        ]
    }

    fn parties(&mut self) -> [&mut Party; 2] {
        [&mut self.offer.prover, &mut self.acceptance.challenger]
    }

    fn party(&mut self, rng: &mut ChaCha20Rng) -> &mut Party {
        let [prover, challenger] = self.parties();
        if rng.r#gen() { prover } else { challenger }
    }

    /// A party's one-time keys; the prover's where the challenger has none.
    fn keys(&mut self, rng: &mut ChaCha20Rng) -> &mut Vec<OneTimeKey> {
        if rng.r#gen() && !self.acceptance.one_time_keys.is_empty() {
            &mut self.acceptance.one_time_keys
        } else {
            &mut self.offer.one_time_keys
        }
    }
}

/// Changes messages in one way.
type Change = fn(&mut ChaCha20Rng, &mut Parsed);

/// The ways, by name.
pub(super) const STRUCTURED: [(&str, Change); 14] = [
    ("signing key", signing_keys),
    ("one-time key of another shape", key_shape),
    ("chain end of a one-time key", key_ends),
    ("list of one-time keys", key_list),
    ("parameter", parameter),
    ("program or instance", program_or_instance),
    ("payout script", |rng, set| {
        let others = set.parties().map(|party| party.payout_script.clone());
        set.party(rng).payout_script = script(rng, &others);
    }),
    ("coin", coin),
    ("change", change),
    ("nonces", |rng, set| {
        if rng.r#gen() {
            change_list(rng, &mut set.acceptance.nonces);
        } else {
            change_list(rng, &mut set.prover.nonces);
        }
    }),
    ("partial signatures", |rng, set| {
        if rng.r#gen() {
            change_list(rng, &mut set.challenger.partials);
        } else {
            change_list(rng, &mut set.prover.partials);
        }
    }),
    ("nonces between parties", |rng, set| {
        exchange(rng, &mut set.acceptance.nonces, &mut set.prover.nonces);
    }),
    ("partial signatures between parties", |rng, set| {
        let partials = (&mut set.prover.partials, &mut set.challenger.partials);
        if rng.r#gen() {
            exchange(rng, partials.0, partials.1);
        } else {
            shift(rng, partials.0, partials.1);
        }
    }),
    ("signatures", |rng, set| {
        change_list(rng, &mut set.signatures.signatures);
    }),
];

fn signing_keys(rng: &mut ChaCha20Rng, set: &mut Parsed) {
    let other = signing_key(rng.gen_range(3..=200)).public_key();
    let keys = set.parties().map(|party| party.key);
    let new = match rng.gen_range(0..5) {
        0 => keys.map(|_| other),
        1 => [keys[1], keys[0]],
        2 => [keys[0], other],
        3 => keys.map(|key: PublicKey| key.negate(&Secp256k1::new())),
        _ => [keys[0], keys[0].negate(&Secp256k1::new())],
    };
    for (party, key) in set.parties().into_iter().zip(new) {
        party.key = key;
    }
}

fn key_shape(rng: &mut ChaCha20Rng, set: &mut Parsed) {
    let key = set.keys(rng).choose_mut(rng).unwrap();
    let bits = key.parameters().message_bits();
    let shape = match rng.gen_range(0..3) {
        0 => Shape::lamport(bits),
        1 => Shape::winternitz(bits, rng.gen_range(1..=8)),
        _ => Shape::winternitz(rng.gen_range(1..=2048), rng.gen_range(1..=8)),
    }
    .unwrap();
    let ends = (0..shape.chains()).map(|index| {
        let known = key.ends().get(index);
        known.copied().unwrap_or_else(|| rng.r#gen())
    });
    let ends = ends.collect();
    *key = OneTimeKey::new(shape, ends).unwrap();
}

fn key_ends(rng: &mut ChaCha20Rng, set: &mut Parsed) {
    let other = *set
        .keys(rng)
        .choose(rng)
        .unwrap()
        .ends()
        .choose(rng)
        .unwrap();
    let key = set.keys(rng).choose_mut(rng).unwrap();
    let mut ends = key.ends().to_vec();
    let (one, two) = (rng.gen_range(0..ends.len()), rng.gen_range(0..ends.len()));
    match rng.gen_range(0..4) {
        0 => ends[one] = rng.r#gen(),
        1 => ends.swap(one, two),
        2 => ends[one] = ends[two],
        _ => ends[one] = other,
    }
    *key = OneTimeKey::new(key.parameters().clone(), ends).unwrap();
}

fn key_list(rng: &mut ChaCha20Rng, set: &mut Parsed) {
    let other = set.keys(rng).choose(rng).unwrap().clone();
    let keys = set.keys(rng);
    let (one, two) = (rng.gen_range(0..keys.len()), rng.gen_range(0..keys.len()));
    match rng.gen_range(0..5) {
        0 => drop(keys.remove(one)),
        1 => keys.insert(one, other),
        2 => keys.swap(one, two),
        3 => keys[one] = other,
        _ => keys.clear(),
    }
    if set.offer.one_time_keys.is_empty() {
        set.offer
            .one_time_keys
            .clone_from(&set.acceptance.one_time_keys);
    }
}

/// Amounts about every limit.
fn amount(rng: &mut ChaCha20Rng, now: Amount) -> Amount {
    const SATS: [u64; 12] = [
        0,
        1,
        329,
        330,
        545,
        546,
        2_100_000_000_000_000,
        2_100_000_000_000_001,
        u64::MAX / 2,
        u64::MAX / 2 + 1,
        u64::MAX - 1,
        u64::MAX,
    ];
    let now = now.to_sat();
    Amount::from_sat(match rng.gen_range(0..4) {
        0 => now.wrapping_add(1),
        1 => now.wrapping_sub(1),
        2 => rng.gen_range(0..1_000_000),
        _ => *SATS.choose(rng).unwrap(),
    })
}

fn parameter(rng: &mut ChaCha20Rng, set: &mut Parsed) {
    let parameters = &mut set.offer.parameters;
    let blocks = RelativeBlocks::new(*[1, 9, 11, 49, 51, u16::MAX].choose(rng).unwrap()).unwrap();
    match rng.gen_range(0..8) {
        0 => parameters.delta = blocks,
        1 => parameters.expiry = blocks,
        2 => parameters.expiry_policy = ExpiryPolicy::PotToChallenger,
        3 => parameters.prover_stake = amount(rng, parameters.prover_stake),
        4 => parameters.challenger_stake = amount(rng, parameters.challenger_stake),
        5 => parameters.bond = amount(rng, parameters.bond),
        6 => parameters.profile = *Profile::ALL.choose(rng).unwrap(),
        _ => {
            parameters.disprove_feerate =
                FeeRate::from_sat_per_kwu(amount(rng, Amount::ZERO).to_sat())
        }
    }
}

fn program_or_instance(rng: &mut ChaCha20Rng, set: &mut Parsed) {
    if rng.r#gen() {
        set.offer.program_digest[rng.gen_range(0..32)] ^= 1 << rng.gen_range(0..8);
    } else {
        set.offer.instance = InstanceId::from_bytes(rng.r#gen());
    }
}

/// A script of somebody else, of another kind, or none at all.
fn script(rng: &mut ChaCha20Rng, others: &[ScriptBuf]) -> ScriptBuf {
    let hash: [u8; 32] = rng.r#gen();
    let bytes = match rng.gen_range(0..9) {
        0 | 1 => return others.choose(rng).unwrap().clone(),
        2 => [&[0x51, 0x20][..], &hash].concat(),
        3 => [&[0x00, 0x20][..], &hash].concat(),
        4 => [&[0x00, 0x14][..], &hash[..20]].concat(),
        5 => [&[0xa9, 0x14][..], &hash[..20], &[0x87]].concat(),
        6 => [&[0x76, 0xa9, 0x14][..], &hash[..20], &[0x88, 0xac]].concat(),
        7 => vec![0x51, 0x02, 0x4e, 0x73],
        _ => vec![0x6a; rng.gen_range(0..100)],
    };
    ScriptBuf::from_bytes(bytes)
}

fn coin(rng: &mut ChaCha20Rng, set: &mut Parsed) {
    let scripts = set.parties().map(|party| party.payout_script.clone());
    let theirs = set.party(rng).inputs.first().cloned();
    let inputs = &mut set.party(rng).inputs;
    let Some(first) = inputs.first_mut() else {
        return inputs.extend(theirs);
    };
    match rng.gen_range(0..8) {
        0 => first.outpoint.vout ^= 1 << rng.gen_range(0..32),
        1 => first.outpoint.txid = Txid::from_byte_array(rng.r#gen()),
        2 => first.outpoint = OutPoint::null(),
        3 => first.prevout.value = amount(rng, first.prevout.value),
        4 => first.prevout.script_pubkey = script(rng, &scripts),
        5 => inputs.clear(),
        6 => inputs.extend(theirs),
        _ => {
            let more = FundingInput {
                outpoint: OutPoint {
                    txid: Txid::from_byte_array(rng.r#gen()),
                    vout: rng.r#gen(),
                },
                ..first.clone()
            };
            inputs.push(more);
        }
    }
}

fn change(rng: &mut ChaCha20Rng, set: &mut Parsed) {
    let scripts = set.parties().map(|party| party.payout_script.clone());
    let value = amount(rng, Amount::from_sat(10_000));
    let outputs = &mut set.party(rng).change;
    match (outputs.first_mut(), rng.gen_range(0..4)) {
        (Some(first), 0) => first.value = value,
        (Some(first), 1) => first.script_pubkey = script(rng, &scripts),
        (Some(_), 2) => outputs.clear(),
        _ => outputs.push(TxOut {
            value,
            script_pubkey: script(rng, &scripts),
        }),
    }
}

/// Exchanges entries of a list, drops one, adds one, or makes one another.
fn change_list<const N: usize>(rng: &mut ChaCha20Rng, list: &mut FixedList<N>) {
    let mut entries: Vec<[u8; N]> = list.iter().copied().collect();
    if entries.is_empty() {
        return;
    }
    let (one, two) = (
        rng.gen_range(0..entries.len()),
        rng.gen_range(0..entries.len()),
    );
    match rng.gen_range(0..8) {
        0 | 1 => entries.swap(one, two),
        2 => drop(entries.remove(one)),
        3 => entries.insert(one, entries[two]),
        4 => entries[one][rng.gen_range(0..N)] ^= 1 << rng.gen_range(0..8),
        5 => entries[one] = [*[0, 0xff].choose(rng).unwrap(); N],
        6 => entries[one] = entries[two],
        _ => entries[one].fill_with(|| rng.r#gen()),
    }
    *list = entries.into_iter().collect();
}

/// Exchanges what two parties have in one place of their lists.
fn exchange<const N: usize>(rng: &mut ChaCha20Rng, one: &mut FixedList<N>, two: &mut FixedList<N>) {
    let mut entries = [&*one, &*two].map(|list| list.iter().copied().collect::<Vec<_>>());
    let place = rng.gen_range(0..entries[0].len());
    let [first, second] = &mut entries;
    std::mem::swap(&mut first[place], &mut second[place]);
    let [first, second] = entries.map(|entries| entries.into_iter().collect());
    (*one, *two) = (first, second);
}

/// Adds a number to one party's partial signature and takes it from the other's: the sum is the same.
fn shift(rng: &mut ChaCha20Rng, one: &mut FixedList<32>, two: &mut FixedList<32>) {
    let place = rng.gen_range(0..one.len());
    let shift = SecretKey::from_slice(&[rng.gen_range(1..=255); 32])
        .unwrap_or(SecretKey::from_slice(&[1; 32]).expect("it is below the group order"));
    for (list, shift) in [(one, shift), (two, shift.negate())] {
        let mut entries: Vec<[u8; 32]> = list.iter().copied().collect();
        let partial = SecretKey::from_slice(&entries[place]).unwrap();
        let shifted = partial.add_tweak(&Scalar::from(shift)).unwrap();
        entries[place] = shifted.secret_bytes();
        *list = entries.into_iter().collect();
    }
}
