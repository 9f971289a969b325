//! HTTP to the RPC server of a node. Redirects are not followed: they would take the password
//! elsewhere.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bitreq::{Method, Url};
use jsonrpc::client::Transport;
use jsonrpc::{Request, Response};

use super::rpc::one_line;
use crate::ChainError;

/// How long a node may take to answer. Connecting a block of heavy transactions takes seconds.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The longest answer that is read: a block of 4 million weight units has 8 million hexadecimal
/// digits.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Characters that are shown of what a server says.
const SHOWN_CHARACTERS: usize = 200;

/// The address of a node's RPC server, without any secret.
#[derive(Debug, Clone)]
pub(super) struct Address(String);

impl Address {
    /// Checks an address.
    ///
    /// # Errors
    /// [`ChainError::NodeAddress`] if it is none, or has a user or a password.
    pub(super) fn parse(url: &str) -> Result<Self, ChainError> {
        let wrong = |reason: String| ChainError::NodeAddress {
            url: redact(url),
            reason,
        };
        let parsed = Url::parse(url).map_err(|error| wrong(one_line(&error.to_string())))?;
        if parsed.scheme() != "http" {
            return Err(wrong("nodes are spoken to over 'http' only".to_owned()));
        }
        if url.contains('@') {
            let reason =
                "user and password do not belong into an address, where others can see them";
            return Err(wrong(reason.to_owned()));
        }
        if parsed.base_url().is_empty() {
            return Err(wrong("it names no host".to_owned()));
        }
        Ok(Self(url.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0))
    }
}

/// Takes out of an address, well-formed or not, what may be secret: what stands before the last
/// `@`, and the query.
fn redact(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('@') => (format!("{scheme}://"), rest),
        _ => (String::new(), url),
    };
    let (secret, rest) = match rest.rsplit_once('@') {
        Some((_, rest)) => ("…@", rest),
        None => ("", rest),
    };
    let (rest, query) = match rest.find(['?', '#']) {
        Some(end) => (&rest[..end], "?…"),
        None => (rest, ""),
    };
    one_line(&format!("{scheme}{secret}{rest}{query}"))
}

/// Sends requests to one server, with one login.
pub(super) struct Http {
    address: Address,
    /// The value of the header `Authorization`.
    authorization: String,
    /// What to say of a login that the server refuses.
    login_hint: String,
}

impl Http {
    pub(super) fn new(address: Address, user: &str, password: &str, login_hint: String) -> Self {
        Self {
            address,
            authorization: format!("Basic {}", BASE64.encode(format!("{user}:{password}"))),
            login_hint,
        }
    }

    fn send(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let response = bitreq::Request::new(Method::Post, &self.address.0)
            .with_timeout(TIMEOUT)
            .with_max_redirects(0)
            .with_max_body_size(MAX_ANSWER_BYTES)
            .with_header("Authorization", &self.authorization)
            .with_json(request)
            .and_then(bitreq::Request::send)
            .map_err(|error| self.failed(&error))?;
        // A node puts what went wrong into JSON, whatever the status.
        if let Ok(answer) = serde_json::from_slice(response.as_bytes()) {
            return Ok(answer);
        }
        Err(self.refused(&response))
    }

    fn failed(&self, error: &bitreq::Error) -> HttpError {
        let url = self.address.to_string();
        let reason = one_line(&error.to_string());
        HttpError(match error {
            bitreq::Error::TooManyRedirections
            | bitreq::Error::InfiniteRedirectionLoop
            | bitreq::Error::RedirectLocationMissing
            // The address itself is valid, so this is the one that the answer points to.
            | bitreq::Error::InvalidUrl(_) => ChainError::NodeRedirects { url },
            bitreq::Error::IoError(error) if error.kind() == std::io::ErrorKind::Other => {
                if reason.contains("redirected") {
                    ChainError::NodeRedirects { url }
                } else {
                    ChainError::NodeUnreachable { url, reason }
                }
            }
            bitreq::Error::IoError(_) | bitreq::Error::AddressNotFound => {
                ChainError::NodeUnreachable { url, reason }
            }
            bitreq::Error::BodyOverflow => ChainError::NotANode {
                url,
                reason: format!("its answer is longer than {MAX_ANSWER_BYTES} bytes"),
            },
            _ => ChainError::NotANode { url, reason },
        })
    }

    /// Says what an answer means that is not JSON.
    // Bitcoin Core, src/httprpc.cpp, HTTPReq_JSONRPC, and src/httpserver.cpp, http_request_cb
    fn refused(&self, response: &bitreq::Response) -> HttpError {
        let url = self.address.to_string();
        let body = String::from_utf8_lossy(response.as_bytes());
        let said = shorten(&one_line(&body));
        let status = response.status_code;
        if (300..400).contains(&status) {
            return HttpError(ChainError::NodeRedirects { url });
        }
        if (200..300).contains(&status) {
            let reason = format!("its answer is not JSON-RPC: '{said}'");
            return HttpError(ChainError::NotANode { url, reason });
        }
        let reason = match status {
            401 => self.login_hint.clone(),
            403 => "the node's 'rpcallowip' or 'rpcwhitelist' forbids it".to_owned(),
            404 => "a node has nothing at this path".to_owned(),
            503 => format!("the node is busy, try again later: '{said}'"),
            _ => format!("'{said}'"),
        };
        let phrase = shorten(&one_line(&response.reason_phrase));
        HttpError(ChainError::NodeRefuses {
            url,
            status: format!("{status} {phrase}").trim_end().to_owned(),
            reason,
        })
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS).collect()
}

/// A failure of HTTP on its way through the RPC client.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct HttpError(pub(super) ChainError);

impl Transport for Http {
    fn send_request(&self, request: Request<'_>) -> Result<Response, jsonrpc::Error> {
        self.send(&request)
            .map_err(|error| jsonrpc::Error::Transport(Box::new(error)))
    }

    fn send_batch(&self, requests: &[Request<'_>]) -> Result<Vec<Response>, jsonrpc::Error> {
        let requests = requests.iter().cloned();
        requests.map(|request| self.send_request(request)).collect()
    }

    fn fmt_target(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for (url, shown) in [
            ("http://127.0.0.1:8332", "http://127.0.0.1:8332"),
            ("http://[::1]:8332/wallet/a", "http://[::1]:8332/wallet/a"),
            ("http://alice:secret@node:1", "http://…@node:1"),
            ("http://alice:sec@ret@node:1/", "http://…@node:1/"),
            ("http://alice:sec/ret@node:1/", "http://…@node:1/"),
            ("http://alice:sec://ret@node", "http://…@node"),
            ("alice:secret@node:8332", "…@node:8332"),
            ("al@ice://secret@node", "…@node"),
            ("http://node/?token=secret", "http://node/?…"),
            ("http://node#secret", "http://node?…"),
            ("http://no\u{1b}de\n", "http://node"),
        ] {
            assert_eq!(redact(url), shown);
        }
    }

    #[test]
    fn addresses_are_http_and_have_no_secrets() {
        for url in [
            "http://127.0.0.1:8332",
            "http://localhost",
            "HTTP://[::1]:1/",
        ] {
            assert!(Address::parse(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:8332",
            "no url",
            "http://",
            "https://node",
            "ftp://node",
            "http://node:99999",
            "http://alice:secret@node",
            "http://alice@node",
            "http://node/alice:secret@",
        ] {
            let error = Address::parse(url).unwrap_err().to_string();
            println!("{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
