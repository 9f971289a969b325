//! Signing sessions: one secret, one answer.

use bitcoin::hashes::{Hash, sha256};
use redb::{ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use tapcourt_protocol::SessionSecret;
use zeroize::Zeroize;

use super::{Store, StoreError};

/// The session's secret of 32 bytes, followed by the hash of what it has answered, once it has.
const SESSIONS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sessions");

const SECRET_BYTES: usize = 32;
const HASH_BYTES: usize = 32;

impl Store {
    /// Returns the secret of a session. The first call enters `fresh`, 32 bytes from a secure generator; later calls return
    /// what the first one has entered, so that a restarted party takes up its session.
    ///
    /// # Errors
    ///
    /// What the database says, or [`StoreError::Malformed`].
    pub fn session_secret(
        &self,
        session: &str,
        fresh: [u8; 32],
    ) -> Result<SessionSecret, StoreError> {
        let mut fresh = fresh;
        let transaction = self.begin()?;
        let secret = {
            let mut sessions = transaction.open_table(SESSIONS)?;
            let before = sessions
                .get(session)?
                .map(|entry| split(session, entry.value()).map(|(secret, _)| secret));
            match before {
                Some(secret) => secret?,
                None => {
                    sessions.insert(session, fresh.as_slice())?;
                    fresh
                }
            }
        };
        fresh.zeroize();
        transaction.commit()?;
        Ok(SessionSecret::from_bytes(secret))
    }

    /// Returns the secret of a session that was opened before.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSession`] if it was not, or what the database says.
    pub fn opened_session(&self, session: &str) -> Result<SessionSecret, StoreError> {
        let sessions = self.database.begin_read()?.open_table(SESSIONS)?;
        let entry = sessions
            .get(session)?
            .ok_or_else(|| StoreError::NoSession {
                session: session.to_owned(),
            })?;
        let (secret, _) = split(session, entry.value())?;
        Ok(SessionSecret::from_bytes(secret))
    }

    /// Enters what a session answers, and returns when that is on disk. The answer may leave only then.
    ///
    /// # Errors
    ///
    /// [`StoreError::SessionUsed`] if it has answered anything else, [`StoreError::NoSession`] if it was never opened.
    pub fn bind_session(&self, session: &str, message: &[u8]) -> Result<(), StoreError> {
        let hash = sha256::Hash::hash(message).to_byte_array();
        let transaction = self.begin()?;
        {
            let mut sessions = transaction.open_table(SESSIONS)?;
            let before = sessions
                .get(session)?
                .map(|entry| split(session, entry.value()));
            match before.ok_or_else(|| StoreError::NoSession {
                session: session.to_owned(),
            })?? {
                (_, Some(answered)) if answered != hash => {
                    return Err(StoreError::SessionUsed {
                        session: session.to_owned(),
                    });
                }
                (_, Some(_)) => {}
                (mut secret, None) => {
                    let mut entry = [secret, hash].concat();
                    secret.zeroize();
                    sessions.insert(session, entry.as_slice())?;
                    entry.zeroize();
                }
            }
        }
        Ok(transaction.commit()?)
    }
}

type Entry = ([u8; SECRET_BYTES], Option<[u8; HASH_BYTES]>);

fn split(session: &str, entry: &[u8]) -> Result<Entry, StoreError> {
    let malformed = || StoreError::Malformed {
        name: format!("signing session {session}"),
        reason: format!(
            "{} bytes, not {SECRET_BYTES} or {}",
            entry.len(),
            SECRET_BYTES + HASH_BYTES
        ),
    };
    let (secret, answered) = entry.split_first_chunk().ok_or_else(malformed)?;
    match answered {
        [] => Ok((*secret, None)),
        _ => Ok((*secret, Some(answered.try_into().map_err(|_| malformed())?))),
    }
}

pub(super) fn create_table(transaction: &WriteTransaction) -> Result<(), StoreError> {
    transaction.open_table(SESSIONS)?;
    Ok(())
}

pub(super) fn check_table(transaction: &ReadTransaction) -> Result<(), redb::TableError> {
    transaction.open_table(SESSIONS).map(drop)
}
