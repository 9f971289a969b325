//! Gadgets: the computations that leaves are built from, and what each costs.

mod catalogue;

pub use self::catalogue::{GadgetSize, catalogue};
