//! See the library.
#![cfg_attr(target_os = "none", no_std, no_main)]

tapcourt_guest::heap!(1 << 18);
tapcourt_guest::entry!(groth16::main, stack_bytes = 1 << 17);

#[cfg(not(target_os = "none"))]
fn main() {}
