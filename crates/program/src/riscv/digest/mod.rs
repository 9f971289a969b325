//! The digest of a state: a sparse Merkle tree over its cells, and `pc`.
//!
//! The tree has as many levels above the words as the program's [`AddressSpace`] needs, by
//! [`Cell::index`]: the registers first, memory behind them. With BLAKE3 as everywhere in this protocol:
//!
//! | what | is |
//! |---|---|
//! | a leaf | the word, little-endian, and 16 zero bytes |
//! | a node above | the first 20 bytes of `BLAKE3(left ‖ right)` |
//! | the digest | the first 20 bytes of `BLAKE3(pc ‖ root)`, `pc` little-endian |
//!
//! A [`Tree`] holds a state's cells and whichever nodes were asked for; copies share what they have in common. A [`Path`] leads from
//! one cell to the root.
//!
//! [`AddressSpace`]: super::AddressSpace
//! [`Cell::index`]: super::Cell::index

mod hash;
mod path;
mod tree;

pub use self::hash::{Digest, Node};
pub use self::path::Path;
pub use self::tree::Tree;
