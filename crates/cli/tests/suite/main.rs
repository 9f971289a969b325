//! The binary, run as users run it: what it prints, and how it exits.

mod bad_input;
mod files;
mod inputs;
mod leaves;
mod login;
mod looking;
mod plan;
mod riscv;
mod search;
mod simulate;
mod size;
mod stalls;
mod support;
mod two_parties;
mod watch;
