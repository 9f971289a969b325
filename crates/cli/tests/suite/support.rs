//! Runs the binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the binary with these arguments.
pub(crate) fn tapcourt<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_tapcourt"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// Insists on an exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Reads standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Insists that the command could not do its work and says so in one line.
    #[track_caller]
    pub(crate) fn fails_in_one_line(self) -> String {
        let ran = self.exits(2);
        assert_eq!(ran.stdout, "", "data in spite of the failure");
        assert_eq!(ran.stderr.lines().count(), 1, "{:?}", ran.stderr);
        let reason = ran.stderr.trim_end().strip_prefix("tapcourt: ");
        let reason = reason.unwrap_or_else(|| panic!("{:?}", ran.stderr));
        assert!(
            reason.len() > 10 && !reason.contains("panicked"),
            "{reason}"
        );
        reason.to_owned()
    }
}

/// One of the repository's netlists.
pub(crate) fn circuit(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../circuits")
        .join(name);
    path.to_str().unwrap().to_owned()
}

/// One of the repository's RISC-V programs.
pub(crate) fn elf(name: &str) -> String {
    circuit(&format!("riscv/elf/{name}"))
}

/// Finds a Bitcoin Core daemon where the binary would.
pub(crate) fn bitcoind() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("BITCOIND_EXE") {
        return Some(path.into());
    }
    let on_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|directory| directory.join("bitcoind"))
            .find(|path| path.is_file())
    });
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")));
    on_path.or_else(|| {
        let builds = std::fs::read_dir(cache?.join("tapcourt")).ok()?.flatten();
        builds
            .map(|entry| entry.path().join("bitcoind"))
            .find(|path| path.is_file())
    })
}

/// Runs a shell script in which `$TAPCOURT` is the binary, and ends it if it hangs.
pub(crate) fn shell(directory: &Path, script: &str) -> Ran {
    let output = Command::new("timeout")
        .args(["300", "sh", "-c", script])
        .env("TAPCOURT", env!("CARGO_BIN_EXE_tapcourt"))
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The names of what is in a directory, in order.
pub(crate) fn list(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
