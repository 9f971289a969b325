//! The one-time guard: which one-time key has signed which value.

use std::fmt;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use redb::{ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use tapcourt_protocol::{InstanceId, Role};

use super::{Store, StoreError};

const GUARD: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("one_time_keys");

/// The name of a one-time key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    /// The context it derives from.
    pub instance: InstanceId,
    /// Whose it is.
    pub role: Role,
    /// The label of its value group.
    pub label: String,
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.instance, self.role, self.label)
    }
}

/// The hash of a message, by its number of bits and their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageHash([u8; 32]);

impl MessageHash {
    /// Hashes a message; bit 0 first.
    pub fn of(message: &[bool]) -> Self {
        let mut engine = sha256::Hash::engine();
        engine.input(b"tapcourt/one-time-message/1");
        engine.input(&(message.len() as u64).to_le_bytes()); // cast ok: a length in memory fits 64 bits
        for byte in message.chunks(8) {
            engine.input(&[byte
                .iter()
                .rev()
                .fold(0, |byte, bit| byte << 1 | u8::from(*bit))]);
        }
        Self(sha256::Hash::from_engine(engine).to_byte_array())
    }
}

/// What the guard says to a value that a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// The key had signed nothing before.
    First,
    /// The key has signed the same value before.
    Again,
}

impl Store {
    /// Enters that each key signs its message, all of them or none, and returns when that is on disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeySpent`] naming the first key that has signed another message. Nothing is entered then.
    pub fn spend_keys(&self, messages: &[(KeyId, MessageHash)]) -> Result<Vec<Spent>, StoreError> {
        let transaction = self.begin()?;
        let mut spent = Vec::with_capacity(messages.len());
        {
            let mut guard = transaction.open_table(GUARD)?;
            for (key, message) in messages {
                self.check_instance(key.instance)?;
                let name = key.to_string();
                let before = guard
                    .get(name.as_str())?
                    .map(|hash| hash.value() == message.0);
                match before {
                    Some(false) => return Err(StoreError::KeySpent { key: key.clone() }),
                    Some(true) => spent.push(Spent::Again),
                    None => {
                        guard.insert(name.as_str(), message.0.as_slice())?;
                        spent.push(Spent::First);
                    }
                }
            }
        }
        if spent.contains(&Spent::First) {
            transaction.commit()?;
        } else {
            transaction.abort()?;
        }
        Ok(spent)
    }

    /// Returns the hash of what a key has signed, if it has.
    ///
    /// # Errors
    ///
    /// What the database says, or [`StoreError::Malformed`].
    pub fn spent(&self, key: &KeyId) -> Result<Option<MessageHash>, StoreError> {
        let guard = self.database.begin_read()?.open_table(GUARD)?;
        let Some(hash) = guard.get(key.to_string().as_str())? else {
            return Ok(None);
        };
        let bytes = hash.value().try_into().map_err(|_| StoreError::Malformed {
            name: format!("one-time key {key}"),
            reason: format!("{} bytes, a hash has 32", hash.value().len()),
        })?;
        Ok(Some(MessageHash(bytes)))
    }
}

pub(super) fn create_table(transaction: &WriteTransaction) -> Result<(), StoreError> {
    transaction.open_table(GUARD)?;
    Ok(())
}

pub(super) fn check_table(transaction: &ReadTransaction) -> Result<(), redb::TableError> {
    transaction.open_table(GUARD).map(drop)
}
