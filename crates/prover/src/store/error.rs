//! Why a store refuses.

use std::path::{Path, PathBuf};

use tapcourt_protocol::InstanceId;
use thiserror::Error;

use super::guard::KeyId;

/// Why a store cannot be opened, or refuses to enter something.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is a file already.
    #[error("{path} exists already")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another process has the store open.
    #[error("{path} is open in another process")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Not a store.
    #[error("{path} is not a tapcourt store")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A store that was damaged since it was written.
    #[error("{path} is damaged: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A store of another version.
    #[error("{path} has format {got}, this program reads {supported}")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its version.
        got: u32,
        /// What this program reads.
        supported: u32,
    },
    /// An entry of another contract.
    #[error("this is the store of instance {expected}, not {got}")]
    OtherInstance {
        /// The entry's.
        got: InstanceId,
        /// The store's.
        expected: InstanceId,
    },
    /// A one-time key that has signed another value.
    #[error(
        "one-time key {key} has signed another value: a second one would let anybody forge a third"
    )]
    KeySpent {
        /// The key.
        key: KeyId,
    },
    /// A signing session that has answered another message.
    #[error(
        "signing session {session} has answered another message: a second answer would reveal the signing key"
    )]
    SessionUsed {
        /// The session.
        session: String,
    },
    /// A session that was never opened.
    #[error("there is no signing session {session}")]
    NoSession {
        /// The session.
        session: String,
    },
    /// An artefact that is there already, with other contents.
    #[error("the store has another {name} already")]
    ArtefactExists {
        /// Its name.
        name: String,
    },
    /// An entry that does not parse.
    #[error("the store's {name} has {reason}")]
    Malformed {
        /// The entry.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it says.
        error: std::io::Error,
    },
    /// The database.
    #[error("store: {0}")]
    Database(Box<redb::Error>),
}

impl StoreError {
    pub(super) fn corrupt(path: &Path, reason: &dyn std::fmt::Display) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        })*
    };
}

from_redb!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError
);
