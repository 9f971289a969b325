//! One file a contract, for what must survive a crash: spent one-time keys, signing sessions, artefacts, engine state.
//!
//! The file is a `redb` database. Whatever guards a secret is committed in two phases and synced before the call returns,
//! so that nothing that depends on it can leave earlier. The file is locked while it is open.
//!
//! # What a store cannot do
//!
//! A store that is restored from an old copy has forgotten what was signed since. What the chain shows by then is entered
//! again by [`OneTimeKeys::observe`](crate::OneTimeKeys::observe), which the engines' driver calls before every release.
//! What was broadcast but is not confirmed is known to nobody but the lost file: after restoring a copy, wait until the
//! transactions of the contract have confirmed or can no longer do so. Signing sessions cannot be observed at all: a contract
//! whose presigning was not finished is to be given up, not restored.

mod artefacts;
mod error;
mod file;
mod guard;
mod session;

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, TableDefinition, WriteTransaction};
use tapcourt_protocol::InstanceId;

pub use self::artefacts::Artefact;
pub use self::error::StoreError;
pub use self::guard::{KeyId, MessageHash, Spent};

/// Version of the file's layout that this program reads and writes.
pub const STORE_FORMAT: u32 = 1;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const FORMAT: &str = "format";
const INSTANCE: &str = "instance";

/// An open store. Closed, and unlocked, when dropped.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
    instance: InstanceId,
}

impl Store {
    /// Makes the store of one contract. The file appears complete or not at all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if there is a file already; otherwise what the file system says.
    pub fn create(path: &Path, instance: InstanceId) -> Result<Self, StoreError> {
        file::create(path, |database| {
            let transaction = begin_durable(database)?;
            {
                let mut meta = transaction.open_table(META)?;
                meta.insert(FORMAT, STORE_FORMAT.to_le_bytes().as_slice())?;
                meta.insert(INSTANCE, instance.as_bytes().as_slice())?;
            }
            guard::create_table(&transaction)?;
            session::create_table(&transaction)?;
            artefacts::create_table(&transaction)?;
            Ok(transaction.commit()?)
        })?;
        Self::open(path)
    }

    /// Opens a store.
    ///
    /// The whole file is checked on a copy first, so that a damaged one is refused as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if another process has it open, [`StoreError::Foreign`], [`StoreError::Corrupt`] or
    /// [`StoreError::Format`] if it is not a whole store of this version. Nothing is written then.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = file::open(path, |copy| read_meta(copy, path).map(drop))?;
        let instance = read_meta(&database, path)?;
        Ok(Self {
            database,
            path: path.to_owned(),
            instance,
        })
    }

    /// Returns the instance whose contract this is.
    pub fn instance(&self) -> InstanceId {
        self.instance
    }

    /// Returns where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn begin(&self) -> Result<WriteTransaction, StoreError> {
        begin_durable(&self.database)
    }

    fn check_instance(&self, instance: InstanceId) -> Result<(), StoreError> {
        if instance == self.instance {
            Ok(())
        } else {
            Err(StoreError::OtherInstance {
                got: instance,
                expected: self.instance,
            })
        }
    }
}

/// Begins a transaction that is on disk, and stays there after any crash, once its commit returns.
fn begin_durable(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Checks that this is a store of this version with all of its tables, and returns its instance.
fn read_meta(database: &Database, path: &Path) -> Result<InstanceId, StoreError> {
    let foreign = |_| StoreError::Foreign {
        path: path.to_owned(),
    };
    let transaction = database.begin_read()?;
    let meta = transaction.open_table(META).map_err(foreign)?;
    let format = meta
        .get(FORMAT)?
        .and_then(|bytes| bytes.value().try_into().ok().map(u32::from_le_bytes));
    match format {
        Some(STORE_FORMAT) => {}
        Some(got) => {
            return Err(StoreError::Format {
                path: path.to_owned(),
                got,
                supported: STORE_FORMAT,
            });
        }
        None => {
            return Err(StoreError::Foreign {
                path: path.to_owned(),
            });
        }
    }
    guard::check_table(&transaction)
        .and_then(|()| session::check_table(&transaction))
        .and_then(|()| artefacts::check_table(&transaction))
        .map_err(|error| StoreError::corrupt(path, &error))?;
    let instance = meta
        .get(INSTANCE)?
        .and_then(|bytes| bytes.value().try_into().ok());
    instance
        .map(InstanceId::from_bytes)
        .ok_or_else(|| StoreError::Foreign {
            path: path.to_owned(),
        })
}
