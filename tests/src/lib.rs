//! Shared set-up of the tests that cross crates.

pub mod chains;
pub mod dispute;
pub mod fuzzing;
pub mod gadgets;
pub mod leaf;
pub mod netlists;
pub mod random_circuit;
pub mod random_script;
pub mod riscv;
pub mod scale;
pub mod soundness;
pub mod textbook;
pub mod threads;
pub mod trial;
