//! The three steps in which something is signed.

use secp256k1::musig::{AggregatedNonce, PartialSignature, PublicNonce, SecretNonce, Session};

use super::PresignError;
use super::nonce::{SessionSecret, nonce_pair};
use super::signatures::PresignedGraph;
use crate::graph::{Graph, Slot};
use crate::keys::{SigningKey, to_musig_key};
use crate::messages::{Acceptance, ChallengerPartials, Fixed, FixedList, ProverPartials};
use crate::role::Role;

/// The challenger's side between its acceptance and the prover's answer. Signing consumes it.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct ChallengerSession<'a> {
    graph: &'a Graph,
    key: &'a SigningKey,
    secret: SessionSecret,
}

/// The challenger's nonces depend on nothing but its secret and the graph: they are sent first.
const NO_BINDING: [u8; 32] = [0; 32];

impl<'a> ChallengerSession<'a> {
    /// Opens the session.
    ///
    /// # Errors
    ///
    /// [`PresignError::WrongKey`] when the key is not the challenger's.
    pub fn new(
        graph: &'a Graph,
        key: &'a SigningKey,
        secret: SessionSecret,
    ) -> Result<Self, PresignError> {
        check_key(graph, key, Role::Challenger)?;
        Ok(Self { graph, key, secret })
    }

    /// Returns the message that accepts the offer: the challenger's part of the terms, and its public nonces.
    pub fn acceptance(&self) -> Acceptance {
        let slots = self.graph.slots().iter().enumerate();
        let nonces = slots.map(|(index, slot)| self.nonce(index, slot).1.serialize());
        let terms = self.graph.terms();
        Acceptance {
            challenger: terms.challenger.clone(),
            one_time_keys: terms
                .keys_of(Role::Challenger)
                .map(|(_, key)| key.clone())
                .collect(),
            nonces: nonces.collect(),
        }
    }

    /// Completes and verifies every signature, and returns them with the message that lets the prover do the same.
    ///
    /// The prover's message must be on record before the answer leaves: see the [module](super)'s notes on nonces.
    ///
    /// # Errors
    ///
    /// When a signature does not verify. Nothing of the challenger's has been released then.
    pub fn sign(
        self,
        answer: &ProverPartials,
    ) -> Result<(PresignedGraph, ChallengerPartials), PresignError> {
        let slots = self.graph.slots();
        check_count("nonces", answer.nonces.len(), slots.len())?;
        check_count("partial signatures", answer.partials.len(), slots.len())?;
        let mut signatures = Vec::with_capacity(slots.len());
        let mut partials = Vec::with_capacity(slots.len());
        for (index, slot) in slots.iter().enumerate() {
            let theirs = parse_nonce(Role::Prover, slot, answer.nonces.get(index))?;
            let their_partial = parse_partial(Role::Prover, slot, answer.partials.get(index))?;
            let (secret, ours) = self.nonce(index, slot);
            let session = session(self.graph, slot, &theirs, &ours);
            let partial = partial_sign(self.graph, self.key, &session, secret);
            signatures.push(aggregate(&session, &their_partial, &partial));
            partials.push(partial.serialize());
        }
        let presigned = PresignedGraph::new(self.graph, signatures)?;
        Ok((
            presigned,
            ChallengerPartials {
                partials: partials.into_iter().collect(),
            },
        ))
    }

    fn nonce(&self, index: usize, slot: &Slot) -> (SecretNonce, PublicNonce) {
        nonce_pair(self.graph, self.key, &self.secret, &NO_BINDING, index, slot)
    }
}

/// The prover's answer to an acceptance: its nonces and partial signatures for every slot.
///
/// The nonces depend on the whole acceptance, so calling it twice is safe; see the [module](super)'s notes.
///
/// # Errors
///
/// When the key is not the prover's, or the acceptance does not fit the graph.
pub fn prover_sign(
    graph: &Graph,
    key: &SigningKey,
    secret: &SessionSecret,
    acceptance: &Acceptance,
) -> Result<ProverPartials, PresignError> {
    check_key(graph, key, Role::Prover)?;
    check_acceptance(graph, acceptance)?;
    let binding = acceptance.digest();
    let mut nonces = Vec::with_capacity(graph.slots().len());
    let mut partials = Vec::with_capacity(graph.slots().len());
    for (index, slot) in graph.slots().iter().enumerate() {
        let theirs = parse_nonce(Role::Challenger, slot, acceptance.nonces.get(index))?;
        let (secret, ours) = nonce_pair(graph, key, secret, &binding, index, slot);
        let session = session(graph, slot, &ours, &theirs);
        partials.push(partial_sign(graph, key, &session, secret).serialize());
        nonces.push(ours.serialize());
    }
    Ok(ProverPartials {
        nonces: nonces.into_iter().collect(),
        partials: partials.into_iter().collect(),
    })
}

/// Completes and verifies every signature from the messages alone: no secret is needed.
///
/// # Errors
///
/// When a message does not fit the graph, or a signature does not verify.
pub fn complete(
    graph: &Graph,
    acceptance: &Acceptance,
    prover: &ProverPartials,
    challenger: &ChallengerPartials,
) -> Result<PresignedGraph, PresignError> {
    check_acceptance(graph, acceptance)?;
    let slots = graph.slots();
    check_count("nonces", prover.nonces.len(), slots.len())?;
    check_count("partial signatures", prover.partials.len(), slots.len())?;
    check_count("partial signatures", challenger.partials.len(), slots.len())?;
    let signature = |(index, slot): (usize, &Slot)| {
        let prover_nonce = parse_nonce(Role::Prover, slot, prover.nonces.get(index))?;
        let challenger_nonce = parse_nonce(Role::Challenger, slot, acceptance.nonces.get(index))?;
        let prover_partial = parse_partial(Role::Prover, slot, prover.partials.get(index))?;
        let challenger_partial =
            parse_partial(Role::Challenger, slot, challenger.partials.get(index))?;
        let session = session(graph, slot, &prover_nonce, &challenger_nonce);
        Ok(aggregate(&session, &prover_partial, &challenger_partial))
    };
    let signatures = slots
        .iter()
        .enumerate()
        .map(signature)
        .collect::<Result<Vec<_>, PresignError>>()?;
    PresignedGraph::new(graph, signatures)
}

/// Verifies a party's partial signatures by themselves, given both parties' public nonces, the prover's first.
///
/// [`complete`] sees the sums only: it takes what one party signed from the other as well.
///
/// # Errors
///
/// When a list does not fit the graph, or the first partial signature that does not verify.
pub fn verify_partials(
    graph: &Graph,
    role: Role,
    nonces: [&FixedList<66>; 2],
    partials: &FixedList<32>,
) -> Result<(), PresignError> {
    let slots = graph.slots();
    for list in nonces {
        check_count("nonces", list.len(), slots.len())?;
    }
    check_count("partial signatures", partials.len(), slots.len())?;
    let key = to_musig_key(graph.terms().party(role).key);
    for (index, slot) in slots.iter().enumerate() {
        let prover = parse_nonce(Role::Prover, slot, nonces[0].get(index))?;
        let challenger = parse_nonce(Role::Challenger, slot, nonces[1].get(index))?;
        let partial = parse_partial(role, slot, partials.get(index))?;
        let session = session(graph, slot, &prover, &challenger);
        let own = match role {
            Role::Prover => &prover,
            Role::Challenger => &challenger,
        };
        if !session.partial_verify(graph.aggregate_key().cache(), &partial, own, key) {
            return Err(PresignError::Partial {
                role,
                transaction: slot.transaction,
                vin: slot.vin,
            });
        }
    }
    Ok(())
}

fn session(graph: &Graph, slot: &Slot, prover: &PublicNonce, challenger: &PublicNonce) -> Session {
    let nonce = AggregatedNonce::new(&[prover, challenger]);
    Session::new(graph.aggregate_key().cache(), nonce, &slot.sighash)
}

fn partial_sign(
    graph: &Graph,
    key: &SigningKey,
    session: &Session,
    nonce: SecretNonce,
) -> PartialSignature {
    let mut keypair = key.keypair();
    let partial = session.partial_sign(nonce, &keypair, graph.aggregate_key().cache());
    keypair.non_secure_erase();
    partial
}

/// Adds two partial signatures up; the result is not yet verified.
fn aggregate(session: &Session, one: &PartialSignature, other: &PartialSignature) -> [u8; 64] {
    session
        .partial_sig_agg(&[one, other])
        .assume_valid()
        .to_byte_array()
}

fn check_key(graph: &Graph, key: &SigningKey, role: Role) -> Result<(), PresignError> {
    if graph.terms().party(role).key == key.public_key() {
        Ok(())
    } else {
        Err(PresignError::WrongKey { role })
    }
}

fn check_acceptance(graph: &Graph, acceptance: &Acceptance) -> Result<(), PresignError> {
    let terms = graph.terms();
    let keys = terms.keys_of(Role::Challenger).map(|(_, key)| key);
    if acceptance.challenger != terms.challenger || !keys.eq(&acceptance.one_time_keys) {
        return Err(PresignError::OtherChallenger);
    }
    check_count("nonces", acceptance.nonces.len(), graph.slots().len())
}

fn check_count(what: &'static str, got: usize, expected: usize) -> Result<(), PresignError> {
    if got == expected {
        Ok(())
    } else {
        Err(PresignError::Count {
            what,
            got,
            expected,
        })
    }
}

fn parse_nonce(role: Role, slot: &Slot, bytes: &Fixed<66>) -> Result<PublicNonce, PresignError> {
    PublicNonce::from_byte_array(&bytes.0).map_err(|_| malformed(role, "nonce", slot))
}

fn parse_partial(
    role: Role,
    slot: &Slot,
    bytes: &Fixed<32>,
) -> Result<PartialSignature, PresignError> {
    PartialSignature::from_byte_array(&bytes.0)
        .map_err(|_| malformed(role, "partial signature", slot))
}

fn malformed(role: Role, what: &'static str, slot: &Slot) -> PresignError {
    PresignError::Malformed {
        role,
        what,
        transaction: slot.transaction,
        vin: slot.vin,
    }
}
