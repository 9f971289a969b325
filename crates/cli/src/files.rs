//! Files: read once and with a limit; written whole or not at all.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tapcourt_program::text;
use tapcourt_protocol::messages::MAX_MESSAGE_BYTES;
use tempfile::{NamedTempFile, PersistError};

use crate::error::{CliError, CliResult};

/// The longest netlist that is read: some ten million gates.
pub(crate) const MAX_NETLIST_BYTES: u64 = 512 << 20;

/// The longest file with an input or a transcript that is read.
pub(crate) const MAX_SMALL_FILE_BYTES: u64 = 64 << 20;

/// What stands for standard input in place of a file's name.
const STANDARD_INPUT: &str = "-";

/// Reads a file of at most `limit_bytes`, from its beginning to its end and once, so that it may be
/// a pipe. `-` is standard input.
pub(crate) fn read(path: &Path, limit_bytes: u64) -> CliResult<Vec<u8>> {
    let failed = |error| CliError::file(path, error);
    let contents = if path == Path::new(STANDARD_INPUT) {
        static IS_READ: AtomicBool = AtomicBool::new(false);
        if IS_READ.swap(true, Ordering::Relaxed) {
            return Err(CliError::new("standard input, '-', can be read only once"));
        }
        read_to(io::stdin().lock(), limit_bytes)
    } else {
        File::open(path).and_then(|file| read_to(file, limit_bytes))
    };
    let contents = contents.map_err(failed)?;
    check_length(path, &contents, limit_bytes)?;
    Ok(contents)
}

fn read_to(file: impl Read, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    file.take(limit_bytes + 1).read_to_end(&mut contents)?;
    Ok(contents)
}

/// Refuses contents that are too long.
pub(crate) fn check_length(path: &Path, contents: &[u8], limit_bytes: u64) -> CliResult<()> {
    if contents.len() as u64 > limit_bytes {
        return Err(CliError::file(
            path,
            format!("longer than {limit_bytes} bytes"),
        ));
    }
    Ok(())
}

/// Reads a text, without the byte-order mark that may be in front.
pub(crate) fn read_text(path: &Path, limit_bytes: u64) -> CliResult<String> {
    let contents = read(path, limit_bytes)?;
    text::decode(&contents).map_err(|error| CliError::file(path, error))?;
    // No copy is made: it may be a secret.
    let mut text = String::from_utf8(contents).map_err(|error| CliError::file(path, error))?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// Reads a message's file.
pub(crate) fn read_message(path: &Path) -> CliResult<Vec<u8>> {
    read(path, MAX_MESSAGE_BYTES as u64) // cast ok, usize is at most 64 bits
}

/// Writes an output.
///
/// What is no regular file, such as a device or a pipe, is written to as it is. A regular file
/// appears whole or not at all: it is written under another name in the same folder, synced, and
/// renamed; one that was there before keeps its mode, and its owner where that is permitted.
/// Symbolic links are followed, and stay.
pub(crate) fn write(path: &Path, contents: &[u8]) -> CliResult<()> {
    write_to(path, contents).map_err(|error| CliError::file(path, error))
}

fn write_to(path: &Path, contents: &[u8]) -> io::Result<()> {
    /// How often a file that appears meanwhile is looked at again.
    const ATTEMPTS: usize = 3;
    let mut result = Ok(());
    for _ in 0..ATTEMPTS {
        result = match fs::metadata(path) {
            Ok(existing) => return overwrite(path, contents, &existing),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create(&end_of_links(path)?, contents, 0o666)
            }
            Err(error) => Err(error),
        };
        match &result {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            _ => break,
        }
    }
    result
}

fn overwrite(path: &Path, contents: &[u8], existing: &Metadata) -> io::Result<()> {
    if let Some(mut stream) = standard_stream(existing)? {
        return stream.write_all(contents);
    }
    match path.canonicalize() {
        Ok(path) if existing.is_file() => replace(&path, contents, existing),
        // A device, a pipe, or an open file that has no name any more.
        _ => {
            let mut options = OpenOptions::new();
            let mut file = options
                .write(true)
                .truncate(existing.is_file())
                .open(path)?;
            file.write_all(contents)
        }
    }
}

/// Standard output or standard error, if this regular file is where it goes, such as `/dev/stdout`:
/// whoever replaced the file would lose what is printed.
fn standard_stream(file: &Metadata) -> io::Result<Option<File>> {
    let goes_there = |stream: BorrowedFd<'_>| -> io::Result<Option<File>> {
        let stream = File::from(stream.try_clone_to_owned()?);
        let metadata = stream.metadata()?;
        let is_same = (metadata.dev(), metadata.ino()) == (file.dev(), file.ino());
        Ok((is_same && file.is_file()).then_some(stream))
    };
    match goes_there(io::stdout().as_fd())? {
        Some(stream) => Ok(Some(stream)),
        None => goes_there(io::stderr().as_fd()),
    }
}

/// Replaces a regular file.
fn replace(path: &Path, contents: &[u8], existing: &Metadata) -> io::Result<()> {
    // Renaming asks the folder for permission, not the file.
    OpenOptions::new().write(true).open(path)?;
    let draft = draft(path, contents, 0o600)?;
    let file = draft.as_file();
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (existing.uid(), existing.gid()) {
        // Only the superuser gives files away; others may have the group.
        let _ = fchown(file, Some(existing.uid()), Some(existing.gid()))
            .or_else(|_| fchown(file, None, Some(existing.gid())));
    }
    file.set_permissions(existing.permissions())?;
    file.sync_all()?;
    draft.persist(path).map_err(|refused| refused.error)?;
    sync_folder_of(path)
}

/// Makes a file with this mode, less the process's mask.
///
/// # Errors
///
/// [`ErrorKind::AlreadyExists`] if the name is taken, and what the file system says.
fn create(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let draft = draft(path, contents, mode)?;
    draft.as_file().sync_all()?;
    let named = draft.persist_noclobber(path);
    named.map_err(|PersistError { error, .. }| error)?;
    sync_folder_of(path)
}

/// Writes a file under a name of its own beside `path`. It is removed when dropped.
fn draft(path: &Path, contents: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    let mut draft = tempfile::Builder::new()
        .prefix(&prefix)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder_of(path))?;
    draft.write_all(contents)?;
    Ok(draft)
}

/// Makes a file that only its owner may read, on disk when this returns. `false` if the name is
/// taken: whatever is there stays.
pub(crate) fn create_private(path: &Path, contents: &[u8]) -> CliResult<bool> {
    match create(path, contents, 0o600) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(CliError::file(path, error)),
    }
}

/// Makes a folder, and those above it that are missing; on disk when this returns.
pub(crate) fn create_folder(path: &Path) -> CliResult<()> {
    if path.is_dir() || path.as_os_str().is_empty() {
        return Ok(());
    }
    create_folder(folder_of(path))?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(CliError::file(path, error)),
        Ok(()) => sync_folder_of(path).map_err(|error| CliError::file(path, error)),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a new name durable.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Follows symbolic links to a name that nothing has.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::from(ErrorKind::NotFound))
}
