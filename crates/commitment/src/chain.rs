//! Hash chains: HASH160 applied again and again.

use bitcoin::hashes::{Hash, hash160};

/// One element of a chain, an output of HASH160.
pub type Element = [u8; ELEMENT_BYTES];

/// Size of an element: RIPEMD-160 gives 20 bytes.
pub const ELEMENT_BYTES: usize = 20;

/// HASH160 once: `RIPEMD160(SHA256(element))`, what `OP_HASH160` does.
pub(crate) fn step(element: &[u8]) -> Element {
    hash160::Hash::hash(element).to_byte_array()
}

/// HASH160 `steps` times.
pub(crate) fn advance(element: &Element, steps: u32) -> Element {
    (0..steps).fold(*element, |element, _| step(&element))
}
