//! Circuits to chunks to leaves.
//!
//! A circuit goes through these stages, one module each: `network` normalises it; `adders` finds the additions in it and
//! `cells` turns it into operations for Tapscript; `line` orders them and `cut` cuts that line into chunks by cost, which decides the
//! values that are committed to; `schedule` orders the operations of one leaf, `emit` writes them, `leaf` adds the openings.
//!
//! The result, [`Compiled`], knows no key: scripts are made for given keys by [`Compiled::leaf_source`].

mod adders;
mod assemble;
mod cells;
mod choose;
mod compiled;
mod cut;
mod emit;
mod error;
mod group;
mod leaf;
mod line;
mod network;
mod price;
mod schedule;
#[cfg(test)]
mod tests;

pub use compiled::{Compiled, Leaves, Options};
pub use error::CompileError;
pub use group::{Group, Role};
pub use leaf::Leaf;
