//! The file itself: made whole, locked, and checked before it is trusted.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::Path;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::StoreError;

/// The first bytes of every redb file.
const REDB_MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

/// Cache that redb may hold: stores are small.
const CACHE_BYTES: usize = 8 << 20;

/// Makes a file under a name of its own, and gives it `path` when `fill` has succeeded. Only its
/// owner may read it.
///
/// No other process knows the name, so that whoever makes a store at the same time cannot write
/// into this one.
pub(super) fn create(
    path: &Path,
    fill: impl FnOnce(&Database) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let exists = || StoreError::Exists {
        path: path.to_owned(),
    };
    if path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    let draft = tempfile::Builder::new()
        .prefix(".store.")
        .tempfile_in(folder_of(path))
        .map_err(StoreError::io(path))?;
    let (file, draft) = draft.into_parts();
    let database = open_with(FileBackend::new(file), path)?;
    fill(&database)?;
    drop(database);
    draft
        .persist_noclobber(path)
        .map_err(|refused| match refused.error.kind() {
            ErrorKind::AlreadyExists => exists(),
            _ => StoreError::io(path)(refused.error),
        })?;
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(StoreError::io(folder))
}

/// Opens, locks and checks a file; `check` sees a copy of it first.
pub(super) fn open(
    path: &Path,
    check: impl FnOnce(&Database) -> Result<(), StoreError>,
) -> Result<Database, StoreError> {
    let foreign = || StoreError::Foreign {
        path: path.to_owned(),
    };
    // Reading a pipe would wait for ever.
    if !path.metadata().map_err(StoreError::io(path))?.is_file() {
        return Err(foreign());
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(StoreError::io(path))?;
    lock(&file, path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(StoreError::io(path))?;
    if !bytes.starts_with(&REDB_MAGIC) {
        return Err(foreign());
    }
    let mut copy = open_copy(&bytes).map_err(|error| StoreError::corrupt(path, &error))?;
    // Repaired means that pages were lost, perhaps those that say which keys are spent.
    match copy.check_integrity() {
        Ok(true) => check(&copy)?,
        Ok(false) => return Err(StoreError::corrupt(path, &"checksums do not match")),
        Err(error) => return Err(StoreError::corrupt(path, &error)),
    }
    open_with(FileBackend::new(file), path)
}

/// Opens a copy in memory, which repairs what a crash has left behind.
fn open_copy(bytes: &[u8]) -> Result<Database, DatabaseError> {
    let backend = InMemoryBackend::new();
    backend.set_len(bytes.len() as u64)?; // cast ok: a length in memory fits 64 bits
    backend.write(0, bytes)?;
    Builder::new()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .create_with_backend(backend)
}

fn open_with(
    backend: Result<FileBackend, DatabaseError>,
    path: &Path,
) -> Result<Database, StoreError> {
    let open = |backend| {
        Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(backend)
    };
    backend.and_then(open).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::Locked {
            path: path.to_owned(),
        },
        other => other.into(),
    })
}

fn lock(file: &File, path: &Path) -> Result<(), StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::Io {
            path: path.to_owned(),
            error,
        }),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
