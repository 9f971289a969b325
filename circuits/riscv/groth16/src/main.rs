//! See the library.
#![cfg_attr(target_os = "none", no_std, no_main)]

tapcourt_guest::heap!();
tapcourt_guest::entry!(groth16::main);

#[cfg(not(target_os = "none"))]
fn main() {}
