//! Winternitz and Lamport bit commitments: keys, openings, and the scripts that check them.

mod chain;
mod cost;
mod derivation;
mod key;
mod opening;
mod order;
mod parameters;
mod verifier;

pub use self::chain::{ELEMENT_BYTES, Element};
pub use self::cost::{Objective, Size};
pub use self::derivation::{KeyPath, Seed};
pub use self::key::{PublicKey, RecoverError, SecretKey, VerifyError, WrongEnds};
pub use self::opening::Opening;
pub use self::order::{OpenOrder, OrderError};
pub use self::parameters::{
    MAX_DIGIT_BITS, MAX_MESSAGE_BITS, Parameters, ParametersError, Scheme, checksum_bits,
};
