//! Gadgets: the computations that leaves are built from, and what each costs.

pub mod blake3;
mod catalogue;
pub mod sha256;
pub mod u32;

pub use self::catalogue::{GadgetSize, catalogue};
