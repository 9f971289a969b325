//! Digests of states: the Merkle tree, and executions that give digests, records and paths at any step.

mod definition;
mod execution;
mod tree;
