//! The logic of the guests written in Rust, one module each, so that it can be tested natively. A binary of the same name makes
//! the module's `main` the entry point.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod difficulty;
pub mod light_client;
pub mod merkle_proof;
pub mod schnorr;
pub mod sha256;
pub mod sha256_preimage;
