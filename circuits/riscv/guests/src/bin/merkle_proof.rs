//! See [`tapcourt_guests::merkle_proof`].
#![cfg_attr(target_os = "none", no_std, no_main)]

tapcourt_guest::entry!(tapcourt_guests::merkle_proof::main);

#[cfg(not(target_os = "none"))]
fn main() {}
