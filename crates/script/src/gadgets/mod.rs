//! Gadgets: the computations that leaves are built from, and what each costs.

pub mod blake3;
mod catalogue;
mod hash;
pub mod sha256;
pub mod u32;

pub use self::catalogue::{GadgetSize, catalogue};
pub use self::hash::{HashError, HashGadget, Packing, nibble_items};
