//! JSON-RPC calls and their errors.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;

use super::http::{Address, Http, HttpError};
use crate::ChainError;

/// RPC error: the node is not ready yet.
// Bitcoin Core, src/rpc/protocol.h: RPC_IN_WARMUP
const IN_WARMUP: i32 = -28;

/// The longest cookie that is read.
const MAX_COOKIE_BYTES: u64 = 4096;

/// How to log in to a node.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The cookie file that the node writes into its data directory.
    Cookie(PathBuf),
    /// User and password (`rpcauth` or `rpcuser` of the node's configuration).
    UserPassword {
        /// User name.
        user: String,
        /// Password.
        password: String,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cookie(path) => f.debug_tuple("Cookie").field(path).finish(),
            Self::UserPassword { user, .. } => f
                .debug_struct("UserPassword")
                .field("user", user)
                .finish_non_exhaustive(),
        }
    }
}

/// Why a call failed, before it is known what that means.
#[derive(Debug)]
pub(super) enum CallError {
    /// The node answered with an error.
    Answer { code: i32, message: String },
    /// The node did not answer, or not in JSON.
    Other(ChainError),
}

impl CallError {
    pub(super) fn into_chain_error(self, method: &'static str) -> ChainError {
        match self {
            Self::Answer { code, message } => ChainError::Rpc {
                method,
                reason: format!("{} (code {code})", one_line(&message)),
            },
            Self::Other(error) => error,
        }
    }
}

/// A connection to the RPC server of a node.
#[derive(Debug)]
pub(super) struct Rpc {
    client: jsonrpc::Client,
    address: Address,
}

impl Rpc {
    pub(super) fn new(url: &str, credentials: &Credentials) -> Result<Self, ChainError> {
        let address = Address::parse(url)?;
        let (user, password, hint) = match credentials {
            Credentials::UserPassword { user, password } => {
                let hint = format!("wrong password, or no user '{}'", one_line(user));
                (user.clone(), password.clone(), hint)
            }
            Credentials::Cookie(path) => {
                let (user, password) = read_cookie(path)?;
                let hint = format!(
                    "the cookie in '{}' is not of this node, or not of its present run",
                    path.display()
                );
                (user, password, hint)
            }
        };
        if user.contains(':') {
            let reason = "a user's name has no colon".to_owned();
            return Err(ChainError::Login { reason });
        }
        let transport = Http::new(address.clone(), &user, &password, hint);
        Ok(Self {
            client: jsonrpc::Client::with_transport(transport),
            address,
        })
    }

    /// Calls a method, and leaves errors that the node answers to the caller.
    pub(super) fn try_call(
        &self,
        method: &'static str,
        arguments: &[Value],
    ) -> Result<Value, CallError> {
        let arguments: Vec<Box<RawValue>> = arguments.iter().map(jsonrpc::arg).collect();
        let arguments = jsonrpc::arg(arguments);
        let request = self.client.build_request(method, Some(&arguments));
        let response = self
            .client
            .send_request(request)
            .map_err(|error| CallError::Other(self.failed(method, error)))?;
        match response.result::<Value>() {
            Ok(value) => Ok(value),
            Err(jsonrpc::Error::Rpc(error)) if error.code == IN_WARMUP => {
                Err(CallError::Other(ChainError::NodeStarting {
                    url: self.address.to_string(),
                    reason: one_line(&error.message),
                }))
            }
            Err(jsonrpc::Error::Rpc(error)) => Err(CallError::Answer {
                code: error.code,
                message: error.message,
            }),
            Err(error) => Err(CallError::Other(self.failed(method, error))),
        }
    }

    fn failed(&self, method: &'static str, error: jsonrpc::Error) -> ChainError {
        let unexpected = |error: &dyn std::fmt::Display| ChainError::Rpc {
            method,
            reason: one_line(&error.to_string()),
        };
        match error {
            jsonrpc::Error::Transport(error) => match error.downcast::<HttpError>() {
                Ok(error) => error.0,
                Err(error) => unexpected(&error),
            },
            error => unexpected(&error),
        }
    }

    /// Calls a method that is not expected to fail.
    pub(super) fn call(
        &self,
        method: &'static str,
        arguments: &[Value],
    ) -> Result<Value, ChainError> {
        self.try_call(method, arguments)
            .map_err(|error| error.into_chain_error(method))
    }

    /// Calls a method whose answer is a string, and parses that.
    pub(super) fn parse<T: std::str::FromStr>(
        &self,
        method: &'static str,
        arguments: &[Value],
    ) -> Result<T, ChainError> {
        parse(method, &self.call(method, arguments)?)
    }
}

/// Parses an answer that is a string.
pub(super) fn parse<T: std::str::FromStr>(
    method: &'static str,
    answer: &Value,
) -> Result<T, ChainError> {
    answer
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| invalid(method, answer))
}

/// The error for an answer of an unexpected form.
pub(super) fn invalid(method: &'static str, answer: &Value) -> ChainError {
    let text: String = answer.to_string().chars().take(200).collect();
    ChainError::Rpc {
        method,
        reason: format!("unexpected form: {text}"),
    }
}

/// Puts a text of several lines into one, without what a terminal would take for a command.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).collect()
}

/// Reads user and password from a cookie file.
fn read_cookie(path: &Path) -> Result<(String, String), ChainError> {
    let failed = |what: &dyn std::fmt::Display| ChainError::Login {
        reason: format!("cookie file '{}': {what}", path.display()),
    };
    let mut cookie = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_COOKIE_BYTES).read_to_string(&mut cookie))
        .map_err(|error| failed(&error))?;
    let parts = cookie.trim().split_once(':');
    let (user, password) = parts.ok_or_else(|| failed(&"there is no cookie in it"))?;
    Ok((user.to_owned(), password.to_owned()))
}
