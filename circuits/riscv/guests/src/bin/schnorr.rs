//! See [`tapcourt_guests::schnorr`].
#![cfg_attr(target_os = "none", no_std, no_main)]

tapcourt_guest::entry!(tapcourt_guests::schnorr::main);

#[cfg(not(target_os = "none"))]
fn main() {}
