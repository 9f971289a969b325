//! The tests of the crate's public face, in one binary because each links Bitcoin Core's library.

mod chain;
mod core_verify;
mod fees;
mod market;
mod policy;
mod rpc;
mod support;
mod watch;
