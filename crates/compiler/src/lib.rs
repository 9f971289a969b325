//! Programs to leaves of bit commitments.
//!
//! One module an input language: [`circuit`] cuts netlists into chunks, each checked by a leaf; [`riscv`] has the leaves that check one step of
//! a RISC-V program. What comes out knows no key: scripts are made for given keys, on demand, by a
//! [`LeafSource`](tapcourt_script::taptree::LeafSource).

pub mod circuit;
pub mod riscv;
mod size;

pub use size::LeafSize;
