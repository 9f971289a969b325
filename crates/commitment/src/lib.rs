//! Winternitz and Lamport bit commitments: keys, openings, and the scripts that check them.
//!
//! A party commits to a value before it exists: it publishes a one-time key, and a transaction later forces it to *open* the key to
//! some value. Whoever sees the opening can show the value to any other script that holds the key, so that a leaf can
//! compute on what was once published, in another transaction.
//!
//! # The parts
//! - [`Parameters`] is the public shape: how a message is cut into digits, and the checksum. [`Parameters::cheapest`]
//!   chooses it by exact [`Size`]s, which are known without any key.
//! - [`Seed`] and [`KeyPath`] derive a [`SecretKey`], whose other half is a [`PublicKey`].
//! - [`SecretKey::sign`] gives an [`Opening`]. Sign one value only.
//! - Three scripts accept it: [`PublicKey::publish_script`] consumes it and leaves nothing; [`PublicKey::open_bits`] leaves the
//!   message bits on the altstack in an [`OpenOrder`]; [`PublicKey::open_digits`] leaves one number a digit, scaled and offset as
//!   [`OpenDigits`] says, on either stack. The two that open take the same items, in different orders.
//! - A key of one digit, [`Parameters::choice`], has two smaller scripts: [`PublicKey::choose_script`] selects one of up to 16
//!   options, and [`PublicKey::agree_script`] repeats under another key what was selected.
//! - [`PublicKey::recover`] reads the opening back from a witness that was seen on chain.
//!
//! # What holds
//! - An opening binds its signer. Nobody else can make one for another value, unless the key has signed two values.
//! - Every opening has exactly one witness that a script accepts, under consensus rules alone: nobody can make a transaction larger by
//!   encoding it differently.
//! - The off-chain check accepts what the scripts accept.
//! - A published opening can be opened again within standardness rules: every item has at most 20 bytes.
//!
//! # Sizes
//! Script and mean witness, in weight units a bit, of the cheapest shape to publish; each shape is base 16 with a checksum of one to
//! three digits, except the single bit, which is Lamport's. All values under one key share its checksum, and are opened together.
//!
//! | message bits | items | publish | open to bits | open to digits |
//! |---:|---:|---:|---:|---:|
//! | 1 | 1 | 74.0 | 72.0 | 72.0 |
//! | 8 | 16 | 37.8 | 38.7 | 38.4 |
//! | 32 | 49 | 27.8 | 29.1 | 29.2 |
//! | 64 | 90 | 25.4 | 26.8 | 26.9 |
//! | 128 | 171 | 24.1 | 25.5 | 25.6 |
//! | 160 | 212 | 23.9 | 25.3 | 25.5 |
//! | 256 | 332 | 23.4 | 24.8 | 24.9 |
//! | 512 | 654 | 23.0 | 24.4 | 24.5 |
//! | 1,120, within a stack of 950 | 948 | 22.8 | | |
//!
//! In the last line, seven values of 20 bytes, most digits are published by numbers ([`Parameters::with_picks`]), since the flags of
//! all would be 1,416 items. The openings do without numbers, so a message of that size is published in one go but not
//! opened within one leaf.
//!
//! # Example
//! ```
//! use tapcourt_commitment::{KeyPath, Objective, OpenOrder, Parameters, SecretKey, Seed};
//! use tapcourt_script::interpreter::{Rules, execute};
//! use tapcourt_script::script;
//!
//! let parameters = Parameters::cheapest(32, &Objective::default())?;
//! let path = KeyPath { contract: [1; 32], role: "prover", label: "output/0" };
//! let secret = SecretKey::derive(&Seed::new([2; 32]), &path, &parameters);
//! let key = secret.public_key();
//!
//! // The prover publishes a value; the challenger reads it from the witness.
//! let value: Vec<bool> = (0..32).map(|bit| 0xc0ffeeu32 >> bit & 1 == 1).collect();
//! let witness = secret.sign(&value).witness_for_publish();
//! let opening = key.recover(&witness)?;
//! assert_eq!(opening.message(), value);
//!
//! // A script takes it ...
//! let publish = script! { { key.publish_script() } OP_1 };
//! assert!(execute(&publish, witness, None, Rules::Policy).succeeded());
//!
//! // ... and a leaf of the challenger's opens it again, bit 0 on top of the altstack: it is 0, as 0xc0ffee is even.
//! let order = OpenOrder::natural(&parameters);
//! let leaf = script! { { key.open_bits(&order) } OP_FROMALTSTACK OP_NOT };
//! assert!(execute(&leaf, opening.witness_for_open(&order), None, Rules::Policy).succeeded());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chain;
mod choice;
mod cost;
mod derivation;
mod digits;
mod key;
mod opening;
mod order;
mod parameters;
mod verifier;

pub use self::chain::{ELEMENT_BYTES, Element};
pub use self::choice::MAX_OPTIONS;
pub use self::cost::{Objective, Size};
pub use self::derivation::{KeyPath, Seed};
pub use self::digits::{Destination, DigitsError, OpenDigits};
pub use self::key::{PublicKey, RecoverError, SecretKey, VerifyError, WrongEnds};
pub use self::opening::Opening;
pub use self::order::{OpenOrder, OrderError};
pub use self::parameters::{
    MAX_DIGIT_BITS, MAX_MESSAGE_BITS, PICK_BITS, Parameters, ParametersError, Scheme, checksum_bits,
};
