//! Chains to play on.

use std::path::{Path, PathBuf};

use tapcourt_chain::{Chain, Embedded, Node};

use crate::args::ChainName;
use crate::error::{CliError, CliResult};

/// Starts a fresh regtest.
pub(crate) fn start(name: ChainName) -> CliResult<Box<dyn Chain>> {
    Ok(match name {
        ChainName::Embedded => Box::new(Embedded::new()?),
        ChainName::Bitcoind => Box::new(Node::spawn(&find_bitcoind()?)?),
    })
}

/// Finds a Bitcoin Core daemon as `scripts/bitcoind --find` does: `BITCOIND_EXE`, `PATH`, the user's cache directory.
fn find_bitcoind() -> CliResult<PathBuf> {
    if let Some(path) = std::env::var_os("BITCOIND_EXE").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let on_path = std::env::var_os("PATH").and_then(|directories| {
        std::env::split_paths(&directories)
            .map(|directory| directory.join("bitcoind"))
            .find(|path| path.is_file())
    });
    on_path
        .or_else(|| in_cache(&cache_directory()?))
        .ok_or_else(|| {
            CliError::new(
                "no bitcoind in BITCOIND_EXE, on PATH or in the cache: run scripts/bitcoind to build one",
            )
        })
}

fn cache_directory() -> Option<PathBuf> {
    let given = |name| std::env::var_os(name).filter(|path| !path.is_empty());
    let cache = given("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&given("HOME")?).join(".cache")))?;
    Some(cache.join("tapcourt"))
}

/// The newest build by name in a cache directory.
fn in_cache(cache: &Path) -> Option<PathBuf> {
    let builds = std::fs::read_dir(cache).ok()?.flatten();
    builds
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("bitcoind-"))
        .map(|entry| entry.path().join("bitcoind"))
        .filter(|path| path.is_file())
        .max()
}
