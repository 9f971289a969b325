//! See [`tapcourt_guests::light_client`].
#![cfg_attr(target_os = "none", no_std, no_main)]

tapcourt_guest::entry!(tapcourt_guests::light_client::main);

#[cfg(not(target_os = "none"))]
fn main() {}
