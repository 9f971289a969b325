//! Bitcoin as the rest of the system meets it: submit, mine, look up.
//!
//! [`Chain`] is what can be read ([`ChainView`]), sent ([`Broadcast`]) and mined ([`Regtest`]). It has two implementations, which behave alike and run the same test suite:
//!
//! - [`Embedded`]: a regtest in this process. Bitcoin Core's own consensus code connects the blocks (through the
//!   `bitcoinkernel` crate), and the relay policy that Core's mempool would apply is in [`policy`].
//! - [`Node`]: a Bitcoin Core daemon, started for a test with an empty regtest, or one that is already there.
//!
//! [`core_verify`] runs Core's script verification on one input, without any chain. [`Wallet`] is the plain taproot key
//! that pays fees in tests and simulations.
//!
//! **Invariant**: this crate and the command line are the only ones with I/O, and no input makes it panic.

mod core_verify;
mod embedded;
mod error;
mod interface;
mod ledger;
mod mempool;
mod node;
pub mod policy;
mod wallet;

pub use core_verify::{CoreVerifier, CoreVerifyError, core_verify};
pub use embedded::Embedded;
pub use error::{ChainError, Refusal};
pub use interface::{
    Broadcast, COINBASE_MATURITY_BLOCKS, Chain, ChainView, Link, MempoolEntry, Regtest, Spend, Tip,
    Utxo,
};
pub use ledger::Interest;
pub use node::{Credentials, Node};
pub use wallet::{Wallet, WalletError};
