//! The messages two parties send each other as files, and the frame that all of them share.
//!
//! A frame is: magic `tapcourt` (8 bytes), format version (2, little-endian), kind (1), id (32), body (postcard), digest (32).
//! The id is the contract's, but in an offer, whose contract does not exist yet, it is the instance's. The digest is a tagged
//! hash of all that precedes it: it catches damage, not malice.
//!
//! Parsing refuses what is too long, damaged, of another kind or version, followed by more bytes, or not encoded as this
//! program would encode it. It does not panic, and it allocates no more than a constant times the length of its input.

mod bodies;
mod fixed;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub use bodies::{
    Acceptance, ChallengerPartials, FundingWitnesses, Offer, ProverPartials, Signatures,
};
pub use fixed::{Fixed, FixedList};

use crate::hash::tagged_hash;

/// The first bytes of every message.
pub const MAGIC: [u8; 8] = *b"tapcourt";
/// The version of the format that this program reads and writes.
pub const FORMAT_VERSION: u16 = 2;
/// The longest message that is read: one-time keys for some 100,000 digits, and nonces for some 100,000 inputs.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

const HEADER_BYTES: usize = 8 + 2 + 1 + 32;
const DIGEST_BYTES: usize = 32;

/// A body that can be sent.
pub trait Message: Serialize + DeserializeOwned {
    /// What tells it from other bodies.
    const KIND: u8;
    /// What it is called in errors.
    const NAME: &'static str;

    /// Frames the message. `id` is the contract's id, or the instance's in an offer.
    fn to_bytes(&self, id: &[u8; 32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.push(Self::KIND);
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(
            &postcard::to_stdvec(self).expect("messages hold no type that postcard cannot encode"),
        );
        let digest = tagged_hash("tapcourt/message/1", &[&bytes]);
        bytes.extend_from_slice(&digest);
        bytes
    }

    /// Parses a frame into its id and body.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    fn from_bytes(bytes: &[u8]) -> Result<([u8; 32], Self), MessageError> {
        let name = Self::NAME;
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(MessageError::TooLong {
                name,
                bytes: bytes.len(),
                limit: MAX_MESSAGE_BYTES,
            });
        }
        let least = HEADER_BYTES + DIGEST_BYTES;
        if bytes.len() < least {
            return Err(MessageError::Truncated {
                name,
                bytes: bytes.len(),
                least,
            });
        }
        if bytes[..8] != MAGIC {
            return Err(MessageError::Magic { name });
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != FORMAT_VERSION {
            return Err(MessageError::Version {
                name,
                got: version,
                supported: FORMAT_VERSION,
            });
        }
        if bytes[10] != Self::KIND {
            return Err(MessageError::Kind {
                name,
                got: bytes[10],
                expected: Self::KIND,
            });
        }
        let (framed, digest) = bytes.split_at(bytes.len() - DIGEST_BYTES);
        if tagged_hash("tapcourt/message/1", &[framed]) != digest {
            return Err(MessageError::Damaged { name });
        }
        let id = framed[11..HEADER_BYTES]
            .try_into()
            .expect("the header ends with 32 bytes of id");
        let body = &framed[HEADER_BYTES..];
        let (message, rest): (Self, &[u8]) =
            postcard::take_from_bytes(body).map_err(|error| MessageError::Body {
                name,
                reason: error.to_string(),
            })?;
        if !rest.is_empty() {
            return Err(MessageError::Trailing {
                name,
                bytes: rest.len(),
            });
        }
        if postcard::to_stdvec(&message).ok().as_deref() != Some(body) {
            return Err(MessageError::NotCanonical { name });
        }
        Ok((id, message))
    }
}

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Longer than [`MAX_MESSAGE_BYTES`].
    #[error("the {name} has {bytes} bytes, the limit is {limit}")]
    TooLong {
        /// What was expected.
        name: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Shorter than the frame.
    #[error("the {name} is cut off: {bytes} bytes, the frame alone has {least}")]
    Truncated {
        /// What was expected.
        name: &'static str,
        /// Its length.
        bytes: usize,
        /// The least length.
        least: usize,
    },
    /// Not a message of this program.
    #[error("the {name} does not begin as a tapcourt message does")]
    Magic {
        /// What was expected.
        name: &'static str,
    },
    /// Another version of the format.
    #[error("the {name} has format version {got}, this program reads {supported}")]
    Version {
        /// What was expected.
        name: &'static str,
        /// Its version.
        got: u16,
        /// What this program reads.
        supported: u16,
    },
    /// Another kind of message.
    #[error("the file is no {name}: kind {got}, expected {expected}")]
    Kind {
        /// What was expected.
        name: &'static str,
        /// Its kind.
        got: u8,
        /// The expected kind.
        expected: u8,
    },
    /// The digest differs.
    #[error("the {name} is damaged: its digest does not match")]
    Damaged {
        /// What was expected.
        name: &'static str,
    },
    /// The body does not parse.
    #[error("the {name} does not parse: {reason}")]
    Body {
        /// What was expected.
        name: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// More bytes follow.
    #[error("the {name} is followed by {bytes} bytes")]
    Trailing {
        /// What was expected.
        name: &'static str,
        /// How many.
        bytes: usize,
    },
    /// Two encodings of one message would have two digests.
    #[error("the {name} is not encoded canonically")]
    NotCanonical {
        /// What was expected.
        name: &'static str,
    },
}
