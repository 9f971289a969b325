//! Targets for what comes from another party or from the chain: messages, setups, transcripts.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bitcoin::hashes::Hash;
use bitcoin::key::TweakedPublicKey;
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Witness, consensus};
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use tapcourt_commitment::{KeyPath, SecretKey, Seed};
use tapcourt_compiler::circuit;
use tapcourt_compiler::riscv::{Court, CourtOptions, Options, Search};
use tapcourt_program::circuit::Circuit;
use tapcourt_program::riscv::{self, Instruction, Op, Register};
use tapcourt_protocol::messages::{
    Acceptance, ChallengerPartials, FundingWitnesses, MAX_MESSAGE_BYTES, Message, Offer,
    ProverPartials, Signatures,
};
use tapcourt_protocol::{
    ChallengerSession, ExpiryPolicy, FundingInput, Graph, InstanceId, Parameters, Party,
    PresignedGraph, RelativeBlocks, Role, SessionSecret, SigningKey, prover_sign,
};
use tapcourt_script::limits::Profile;
use tapcourt_verifier::{GroupInfo, Messages, Program, verify_presigning};

/// A contract with everything that both parties know.
struct Small {
    program: Program,
    graph: Graph,
    /// Offer, acceptance, both answers, signatures.
    messages: [Vec<u8>; 5],
    /// Every transaction but the disproves, finished. All that they publish is zero.
    transactions: Vec<Transaction>,
}

/// Both inputs and the output of one gate.
static CIRCUIT: LazyLock<Small> = LazyLock::new(|| {
    let netlist = b"1 3\n2 1 1\n1 1\n\n2 1 0 1 2 AND\n";
    let program = Program::read(netlist, &circuit::Options::default());
    Small::new(program.expect("it compiles"))
});

/// Four steps of a program that only stops.
static TRACE: LazyLock<Small> = LazyLock::new(|| {
    let [zero, a7] = [0, 17].map(Register::new);
    let code = [
        Instruction::new(Op::Addi, a7, zero, zero, 93),
        Instruction::ECALL,
    ];
    let program = riscv::Program::from_instructions(0x1000, &code).expect("a program");
    let options = CourtOptions {
        steps: Options {
            fixed: Vec::new(),
            inputs: 1,
            search: Search::new(vec![2, 2]).expect("four steps"),
        },
        path: Some(Search::new(vec![6, 6]).expect("as many levels as there are")),
        space: None,
    };
    let court = Court::compile(Arc::new(program), options).expect("it compiles");
    Small::new(Program::trace(court).expect("it fits transactions"))
});

const INSTANCE: [u8; 32] = [0x11; 32];

/// A party whose coin and payout are its own key, untweaked.
fn party(key: &SigningKey) -> Party {
    let key = key.public_key();
    let own = TweakedPublicKey::dangerous_assume_tweaked(key.x_only_public_key().0);
    let script_pubkey = ScriptBuf::new_p2tr_tweaked(own);
    Party {
        key,
        payout_script: script_pubkey.clone(),
        inputs: vec![FundingInput {
            outpoint: OutPoint {
                txid: Txid::from_byte_array([key.serialize()[1]; 32]),
                vout: 0,
            },
            prevout: TxOut {
                value: Amount::from_sat(200_000),
                script_pubkey,
            },
        }],
        change: Vec::new(),
    }
}

fn secret(group: &GroupInfo, offer: &[u8; 32]) -> SecretKey {
    let (contract, role) = match group.owner {
        Role::Prover => (INSTANCE, "prover"),
        Role::Challenger => (*offer, "challenger"),
    };
    let path = KeyPath {
        contract,
        role,
        label: &group.label,
    };
    SecretKey::derive(&Seed::new([0x22; 32]), &path, &group.shape)
}

impl Small {
    fn new(program: Program) -> Self {
        let [prover, challenger] =
            [1, 2].map(|byte| SigningKey::from_bytes([byte; 32]).expect("a key"));
        let keys = |role: Role, offer: &[u8; 32]| {
            let groups = program.groups_of(role);
            groups
                .map(|(_, group)| secret(group, offer).public_key())
                .collect::<Vec<_>>()
        };
        let blocks = |blocks| RelativeBlocks::new(blocks).expect("not zero");
        let offer = Offer {
            parameters: Parameters {
                delta: blocks(10),
                expiry: blocks(50),
                expiry_policy: ExpiryPolicy::Refund,
                prover_stake: Amount::from_sat(100_000),
                challenger_stake: Amount::from_sat(50_000),
                bond: Amount::from_sat(30_000),
                profile: Profile::Standard,
                disprove_feerate: FeeRate::from_sat_per_kwu(250),
            },
            program_digest: program.digest(),
            instance: InstanceId::from_bytes(INSTANCE),
            prover: party(&prover),
            one_time_keys: keys(Role::Prover, &[0; 32]),
        };
        let graph = program
            .graph(
                &offer,
                party(&challenger),
                &keys(Role::Challenger, &offer.digest()),
                None,
            )
            .expect("a sound contract");
        let session = |byte| SessionSecret::from_bytes([byte; 32]);
        let challengers =
            ChallengerSession::new(&graph, &challenger, session(4)).expect("its own key");
        let acceptance = challengers.acceptance();
        let answer =
            prover_sign(&graph, &prover, &session(5), &acceptance).expect("it fits the graph");
        let (presigned, partials) = challengers.sign(&answer).expect("it verifies");
        let id = graph.id().to_bytes();
        let messages = [
            offer.to_bytes(&INSTANCE),
            acceptance.to_bytes(&id),
            answer.to_bytes(&id),
            partials.to_bytes(&id),
            presigned.to_message().to_bytes(&id),
        ];
        let transactions = finished(&program, &offer, &graph, &presigned, [&prover, &challenger]);
        Self {
            program,
            graph,
            messages,
            transactions,
        }
    }

    fn verify(&self, messages: &[Vec<u8>; 5], is_other_graph: bool) -> Result<(), String> {
        let [offer, acceptance, prover, challenger, signatures] = messages;
        let messages = Messages {
            offer,
            acceptance,
            partials: Some((prover, challenger)),
            signatures,
        };
        if is_other_graph {
            let verified = self.program.verify_setup(&messages);
            verified.map(drop).map_err(|fault| fault.to_string())
        } else {
            let verified = verify_presigning(&self.graph, &messages);
            verified.map(drop).map_err(|fault| fault.to_string())
        }
    }
}

/// The contract, and every presigned transaction.
fn finished(
    program: &Program,
    offer: &Offer,
    graph: &Graph,
    presigned: &PresignedGraph,
    keys: [&SigningKey; 2],
) -> Vec<Transaction> {
    let digest = offer.digest();
    let groups = program.groups().iter().enumerate();
    let openings: BTreeMap<usize, _> = groups
        .map(|(number, group)| {
            let zeros = vec![false; group.shape.message_bits()];
            (number, secret(group, &digest).sign(&zeros))
        })
        .collect();
    let coin = |role: Role, key: &SigningKey| -> Vec<Witness> {
        let sighashes = graph.contract().key_path_sighashes(role);
        let signed = sighashes.iter().map(|(_, sighash)| key.sign(sighash));
        signed
            .map(|signature| Witness::from_slice(&[signature]))
            .collect()
    };
    let [prover, challenger] = keys;
    let contract = graph.contract().finalise(
        &coin(Role::Prover, prover),
        &coin(Role::Challenger, challenger),
    );
    let finish = |kind| {
        let finished = presigned.finalise_with(graph, kind, &openings, Some(challenger));
        finished.expect("every opening is there")
    };
    std::iter::once(contract.expect("both have signed"))
        .chain(graph.presigned().iter().map(|one| finish(one.kind)))
        .collect()
}

const HEADER_BYTES: usize = 43;
const DIGEST_BYTES: usize = 32;

/// Puts the right digest at the end of a message.
fn reframe(message: &mut [u8]) {
    let Some(end) = message.len().checked_sub(DIGEST_BYTES) else {
        return;
    };
    let tag = Sha256::digest(b"tapcourt/message/1");
    let digest = Sha256::new()
        .chain_update(tag)
        .chain_update(tag)
        .chain_update(&message[..end])
        .finalize();
    message[end..].copy_from_slice(&digest);
}

/// Changes bytes as four bytes say: how, where (two), and a value.
fn edit(bytes: &mut Vec<u8>, [how, low, high, value]: [u8; 4]) {
    let place = usize::from(u16::from_le_bytes([low, high])) % (bytes.len() + 1);
    let end = (place + usize::from(value)).min(bytes.len());
    match how % 6 {
        0 if place < bytes.len() => bytes[place] ^= value,
        1 if place < bytes.len() => bytes[place] = value,
        2 => bytes.truncate(place),
        3 => drop(bytes.drain(place..end)),
        4 => bytes.extend_from_within(place..end),
        _ => bytes.insert(place, value),
    }
}

/// The edits in a target's input.
fn edits(data: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    data.as_chunks().0.iter().copied().take(16)
}

/// No bytes make the parser of a kind of message panic, by themselves or in a right frame; what parses is encoded as the same bytes,
/// and so takes memory in proportion to them. The first byte chooses the kind, the rest is the body.
///
/// # Panics
/// If that does not hold.
pub fn messages(data: &[u8]) {
    let Some((&kind, body)) = data.split_first() else {
        return;
    };
    match kind % 6 {
        0 => parses_alike::<Offer>(data, body),
        1 => parses_alike::<Acceptance>(data, body),
        2 => parses_alike::<ProverPartials>(data, body),
        3 => parses_alike::<ChallengerPartials>(data, body),
        4 => parses_alike::<FundingWitnesses>(data, body),
        _ => parses_alike::<Signatures>(data, body),
    }
}

fn parses_alike<M: Message>(data: &[u8], body: &[u8]) {
    let header = [&b"tapcourt\x02\x00"[..], &[M::KIND], &INSTANCE].concat();
    let mut framed = [&header, body, &[0; DIGEST_BYTES]].concat();
    reframe(&mut framed);
    for bytes in [data, &framed] {
        if let Ok((id, message)) = M::from_bytes(bytes) {
            assert!(bytes.len() <= MAX_MESSAGE_BYTES);
            assert_eq!(message.to_bytes(&id), bytes, "{}", M::NAME);
        }
    }
}

/// A setup with a changed message is refused. The first byte chooses the message. Of the second, a first bit says that its digest is
/// right, and a second one that the setup is about the changed contract throughout. The rest are edits.
///
/// # Panics
/// If that does not hold.
pub fn setup(data: &[u8]) {
    let [which, flags, rest @ ..] = data else {
        return;
    };
    let small = &*CIRCUIT;
    let mut messages = small.messages.clone();
    let place = usize::from(*which) % messages.len();
    let message = &mut messages[place];
    if flags & 1 == 1 {
        let mut body = message[HEADER_BYTES..message.len() - DIGEST_BYTES].to_vec();
        edits(rest).for_each(|one| edit(&mut body, one));
        message.truncate(HEADER_BYTES);
        message.extend(body);
        message.extend([0; DIGEST_BYTES]);
        reframe(message);
    } else {
        edits(rest).for_each(|one| edit(message, one));
    }
    if flags & 2 == 2
        && let Some(id) = contract_id(&small.program, &messages)
    {
        for message in &mut messages[1..] {
            if message.len() >= HEADER_BYTES + DIGEST_BYTES {
                message[11..HEADER_BYTES].copy_from_slice(&id);
                reframe(message);
            }
        }
    }
    if messages == small.messages {
        return;
    }
    let [offer, acceptance, ..] = &messages;
    if place < 2 {
        // Whether the parts by themselves are refused depends on the change.
        let _ = small.program.verify_offer(offer);
        let _ = small.program.verify_graph(offer, acceptance);
    }
    assert!(
        small.verify(&messages, place < 2).is_err(),
        "a changed message is accepted"
    );
}

/// The contract that offer and acceptance make, if they parse.
fn contract_id(program: &Program, messages: &[Vec<u8>; 5]) -> Option<[u8; 32]> {
    let (_, offer) = Offer::from_bytes(&messages[0]).ok()?;
    let (_, acceptance) = Acceptance::from_bytes(&messages[1]).ok()?;
    let terms = offer.terms(
        acceptance.challenger,
        &acceptance.one_time_keys,
        program.layout().clone(),
        program.groups().len(),
    );
    Some(terms.ok()?.contract_id().to_bytes())
}

/// A transcript is accepted only if it is made of the contract's own transactions. Every five bytes choose one, for the end of the
/// list, and an edit of it as consensus encodes it; `ff` is no edit.
///
/// # Panics
/// If that does not hold.
pub fn transcript(data: &[u8]) {
    static CONTRACT: LazyLock<tapcourt_verifier::Contract<'static>> = LazyLock::new(|| {
        let [offer, acceptance, prover, challenger, signatures] = &TRACE.messages;
        let messages = Messages {
            offer,
            acceptance,
            partials: Some((prover, challenger)),
            signatures,
        };
        let contract = TRACE.program.verify_setup(&messages);
        contract.expect("the setup is sound")
    });
    let small = &*TRACE;
    let mut moves = Vec::new();
    for &[which, how, low, high, value] in data.as_chunks().0.iter().take(64) {
        let original = &small.transactions[usize::from(which) % small.transactions.len()];
        if how == 0xff {
            moves.push(original.clone());
            continue;
        }
        let mut bytes = consensus::serialize(original);
        edit(&mut bytes, [how, low, high, value]);
        moves.extend(consensus::deserialize::<Transaction>(&bytes));
    }
    if let Ok(report) = CONTRACT.verify_transcript(&moves) {
        assert_eq!(report.moves.len(), moves.len());
        let is_own = |one: &Transaction| small.transactions.contains(one);
        assert!(
            moves.iter().all(is_own),
            "a changed transaction is accepted: {report}"
        );
    }
}

/// Any bytes are refused or are a circuit, which survives being written.
///
/// # Panics
/// If that does not hold.
pub fn netlist(data: &[u8]) {
    if let Ok(circuit) = Circuit::parse(data) {
        let written = circuit.to_bristol();
        let again = Circuit::parse(written.as_bytes());
        assert_eq!(again.as_ref(), Ok(&circuit), "{written}");
    }
}

/// A body of a message of the small contract, with few bytes changed.
pub(super) fn random_message(random: &mut ChaCha8Rng) -> Vec<u8> {
    let small = &*CIRCUIT;
    let which = random.gen_range(0..small.messages.len());
    let kind = [0, 1, 2, 3, 5][which];
    let message = &small.messages[which];
    let mut body = message[HEADER_BYTES..message.len() - DIGEST_BYTES].to_vec();
    for _ in 0..random.gen_range(0..4) {
        edit(&mut body, random.r#gen());
    }
    body.insert(0, kind);
    body
}

/// A few edits of a message, most of them of single bytes.
pub(super) fn random_setup(random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut input = vec![random.gen_range(0..5), random.gen_range(0..4)];
    for _ in 0..random.gen_range(1..3) {
        let ways = if random.r#gen() { 2 } else { 6 };
        let how = random.gen_range(0..ways);
        input.extend([how, random.r#gen(), random.gen_range(0..4), random.r#gen()]);
    }
    input
}

/// The transactions in order up to some place, one of which may be changed, dropped, repeated, or another's.
pub(super) fn random_transcript(random: &mut ChaCha8Rng) -> Vec<u8> {
    let count = TRACE.transactions.len() as u8; // cast ok: few transactions
    let mut which: Vec<u8> = (0..random.gen_range(1..=count)).collect();
    if random.r#gen() {
        which.retain(|_| random.gen_bool(0.6));
    }
    let changed = random.gen_range(0..16);
    let mut input = Vec::new();
    for (place, which) in which.into_iter().enumerate() {
        let is_changed = place == changed;
        let how = if is_changed {
            random.gen_range(0..6)
        } else {
            0xff
        };
        input.extend([
            which,
            how,
            random.r#gen(),
            random.gen_range(0..8),
            random.r#gen(),
        ]);
    }
    input
}

/// A small circuit as text, some of whose bytes are others.
pub(super) fn random_netlist(random: &mut ChaCha8Rng) -> Vec<u8> {
    let gates = random.gen_range(0..12);
    let mut text = format!("{gates} {}\n2 2 2\n1 1\n\n", 4 + gates);
    for out in 4..4 + gates {
        let [a, b] = [0; 2].map(|_| random.gen_range(0..out));
        let line = match random.gen_range(0..4) {
            0 => format!("1 1 {a} {out} INV\n"),
            1 => format!("2 1 {a} {b} {out} AND\n"),
            2 => format!("1 1 1 {out} EQ\n"),
            _ => format!("2 1 {a} {b} {out} XOR\n"),
        };
        text.push_str(&line);
    }
    let mut bytes = text.into_bytes();
    for _ in 0..[0, 1, 1, 2, 4][random.gen_range(0..5)] {
        let place = random.gen_range(0..bytes.len());
        bytes[place] = *b"0123456789 \n\tAXIE-".choose(random).expect("not empty");
    }
    bytes
}
