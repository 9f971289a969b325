//! The file itself: made whole, locked, and checked before it is trusted.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::StoreError;

/// The first bytes of every redb file.
const REDB_MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

/// Cache that redb may hold: stores are small.
const CACHE_BYTES: usize = 8 << 20;

/// Makes a file under another name, and gives it its own when `fill` has succeeded.
pub(super) fn create(
    path: &Path,
    fill: impl FnOnce(&Database) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if path.exists() {
        return Err(StoreError::Exists {
            path: path.to_owned(),
        });
    }
    let draft = draft_path(path);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&draft)
        .map_err(StoreError::io(&draft))?;
    lock(&file, &draft)?;
    file.set_len(0).map_err(StoreError::io(&draft))?;
    let database = open_with(FileBackend::new(file), &draft)?;
    fill(&database)?;
    drop(database);
    // Unlike a rename, a link does not replace a file that has appeared meanwhile.
    std::fs::hard_link(&draft, path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => StoreError::Exists {
            path: path.to_owned(),
        },
        _ => StoreError::Io {
            path: path.to_owned(),
            error,
        },
    })?;
    std::fs::remove_file(&draft).map_err(StoreError::io(&draft))?;
    sync_parent(path)
}

/// Opens, locks and checks a file; `check` sees a copy of it first.
pub(super) fn open(
    path: &Path,
    check: impl FnOnce(&Database) -> Result<(), StoreError>,
) -> Result<Database, StoreError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(StoreError::io(path))?;
    lock(&file, path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(StoreError::io(path))?;
    if !bytes.starts_with(&REDB_MAGIC) {
        return Err(StoreError::Foreign {
            path: path.to_owned(),
        });
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

fn draft_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Makes a new name in a directory durable.
fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(StoreError::io(parent))
}
