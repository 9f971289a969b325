//! Presigning with the store's records in the right order: a session is bound to one message before its answer leaves.

use tapcourt_protocol::messages::{Acceptance, ChallengerPartials, Message, ProverPartials};
use tapcourt_protocol::{
    ChallengerSession, Graph, PresignError, PresignedGraph, SigningKey, prover_sign,
};
use thiserror::Error;

use crate::store::{Store, StoreError};

/// The name of a contract's session in the store.
fn session_name(graph: &Graph) -> String {
    format!("presign/{}", graph.id())
}

/// The challenger's first message. `fresh` are 32 bytes from a secure generator, used if this is the first call for this
/// contract; repeating the call repeats the message.
///
/// # Errors
///
/// When the key is not the challenger's, or the store fails.
pub fn accept(
    store: &Store,
    graph: &Graph,
    key: &SigningKey,
    fresh: [u8; 32],
) -> Result<Acceptance, PresigningError> {
    let secret = store.session_secret(&session_name(graph), fresh)?;
    Ok(ChallengerSession::new(graph, key, secret)?.acceptance())
}

/// The prover's answer to an acceptance. It binds its session too, so that one store signs for one acceptance only.
///
/// # Errors
///
/// [`StoreError::SessionUsed`] if the session has answered another acceptance; what is wrong with this one.
pub fn answer(
    store: &Store,
    graph: &Graph,
    key: &SigningKey,
    fresh: [u8; 32],
    acceptance: &Acceptance,
) -> Result<ProverPartials, PresigningError> {
    let session = session_name(graph);
    let secret = store.session_secret(&session, fresh)?;
    let answer = prover_sign(graph, key, &secret, acceptance)?;
    store.bind_session(&session, &acceptance.to_bytes(graph.id().as_bytes()))?;
    Ok(answer)
}

/// The challenger's answer to the prover's, with all signatures, which are verified first.
///
/// # Errors
///
/// [`StoreError::SessionUsed`] if the session has answered another message; a signature that does not verify, in which case the
/// session is still free for a right message, since nothing has been released.
pub fn countersign(
    store: &Store,
    graph: &Graph,
    key: &SigningKey,
    answer: &ProverPartials,
) -> Result<(PresignedGraph, ChallengerPartials), PresigningError> {
    let session = session_name(graph);
    let secret = store.opened_session(&session)?;
    let signed = ChallengerSession::new(graph, key, secret)?.sign(answer)?;
    store.bind_session(&session, &answer.to_bytes(graph.id().as_bytes()))?;
    Ok(signed)
}

/// Why presigning stops.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PresigningError {
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
    /// See [`PresignError`].
    #[error(transparent)]
    Presign(#[from] PresignError),
}
