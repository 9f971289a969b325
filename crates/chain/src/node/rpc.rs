//! JSON-RPC calls and their errors.

use std::path::PathBuf;
use std::time::Duration;

use jsonrpc::http::bitreq_http;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::ChainError;

/// How long a node may take to answer. Connecting a block of heavy transactions takes seconds.
const TIMEOUT: Duration = Duration::from_secs(120);

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
    url: String,
}

impl Rpc {
    pub(super) fn new(url: &str, credentials: &Credentials) -> Result<Self, ChainError> {
        let unreachable = |reason: String| ChainError::NodeUnreachable {
            url: url.to_owned(),
            reason,
        };
        let (user, password) = match credentials {
            Credentials::UserPassword { user, password } => (user.clone(), password.clone()),
            Credentials::Cookie(path) => {
                let name = path.display();
                let cookie = std::fs::read_to_string(path).map_err(|error| {
                    unreachable(format!("cannot read cookie file '{name}': {error}"))
                })?;
                let parts = cookie.trim().split_once(':');
                let (user, password) =
                    parts.ok_or_else(|| unreachable(format!("no cookie in file '{name}'")))?;
                (user.to_owned(), password.to_owned())
            }
        };
        let transport = bitreq_http::Builder::new()
            .timeout(TIMEOUT)
            .url(url)
            .map_err(|error| unreachable(one_line(&error.to_string())))?
            .basic_auth(user, Some(password))
            .build();
        Ok(Self {
            client: jsonrpc::Client::with_transport(transport),
            url: url.to_owned(),
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
        let other = |reason: String| {
            CallError::Other(ChainError::NodeUnreachable {
                url: self.url.clone(),
                reason,
            })
        };
        let response = self
            .client
            .send_request(request)
            .map_err(|error| other(one_line(&error.to_string())))?;
        match response.result::<Value>() {
            Ok(value) => Ok(value),
            Err(jsonrpc::Error::Rpc(error)) => Err(CallError::Answer {
                code: error.code,
                message: error.message,
            }),
            Err(error) => Err(CallError::Other(ChainError::Rpc {
                method,
                reason: one_line(&error.to_string()),
            })),
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

/// Puts a text of several lines into one.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
