//! See [`tapcourt_guests::sha256_preimage`].
#![cfg_attr(target_os = "none", no_std, no_main)]

tapcourt_guest::entry!(tapcourt_guests::sha256_preimage::main);

#[cfg(not(target_os = "none"))]
fn main() {}
