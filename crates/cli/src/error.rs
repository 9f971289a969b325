//! One kind of failure: a line for the user.

use std::fmt;
use std::path::Path;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum CliError {
    /// Something to tell the user. Ends in exit code 2.
    Message(String),
    /// Nobody reads standard output any more, so there is nobody to tell. Ends in exit code 141.
    BrokenPipe,
}

/// What a command returns.
pub(crate) type CliResult<T> = Result<T, CliError>;

impl CliError {
    /// Makes the one line from a message that may have more.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        let message = message.to_string();
        let words: Vec<&str> = message.split_whitespace().collect();
        Self::Message(words.join(" "))
    }

    /// A failure with a file.
    pub(crate) fn file(path: &Path, error: impl fmt::Display) -> Self {
        Self::new(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => f.write_str(message),
            Self::BrokenPipe => f.write_str("nobody reads standard output any more"),
        }
    }
}

impl<E: std::error::Error> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// How a command ended that did its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// True, paid, or simply done: exit code 0.
    Accept,
    /// Rejected, or a fault found: exit code 1.
    Reject,
}

impl Verdict {
    /// Accepts if the condition holds.
    pub(crate) fn accept_if(condition: bool) -> Self {
        if condition {
            Self::Accept
        } else {
            Self::Reject
        }
    }
}
