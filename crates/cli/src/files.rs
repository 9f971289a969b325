//! Files: read with a limit, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use tapcourt_protocol::messages::MAX_MESSAGE_BYTES;

use crate::error::{CliError, CliResult};

/// The longest netlist that is read: some ten million gates.
pub(crate) const MAX_NETLIST_BYTES: u64 = 512 << 20;

/// The longest file with an input, a seed or a transcript that is read.
pub(crate) const MAX_SMALL_FILE_BYTES: u64 = 64 << 20;

/// Reads a file of at most `limit_bytes`.
pub(crate) fn read(path: &Path, limit_bytes: u64) -> CliResult<Vec<u8>> {
    let failed = |error| CliError::file(path, error);
    let file = File::open(path).map_err(failed)?;
    let mut contents = Vec::new();
    file.take(limit_bytes + 1)
        .read_to_end(&mut contents)
        .map_err(failed)?;
    if contents.len() as u64 > limit_bytes {
        return Err(CliError::file(
            path,
            format!("longer than {limit_bytes} bytes"),
        ));
    }
    Ok(contents)
}

/// Reads a text.
pub(crate) fn read_text(path: &Path, limit_bytes: u64) -> CliResult<String> {
    String::from_utf8(read(path, limit_bytes)?).map_err(|_| CliError::file(path, "not a text"))
}

/// Reads a message's file.
pub(crate) fn read_message(path: &Path) -> CliResult<Vec<u8>> {
    read(path, MAX_MESSAGE_BYTES as u64) // cast ok, usize is at most 64 bits
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Public,
    /// Its owner only.
    Private,
}

/// Writes a file under another name, syncs it, and renames it, so that nobody ever sees a part of it.
pub(crate) fn write(path: &Path, contents: &[u8], access: Access) -> CliResult<()> {
    let draft = draft_path(path);
    let written = write_draft(&draft, contents, access).and_then(|()| fs::rename(&draft, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&draft); // the first error is the one to tell
        CliError::file(path, error)
    })
}

fn write_draft(draft: &Path, contents: &[u8], access: Access) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = access;
    let mut file = options.open(draft)?;
    file.write_all(contents)?;
    file.sync_all()
}

fn draft_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}
