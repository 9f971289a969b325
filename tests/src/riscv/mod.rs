//! RISC-V steps: states, records, lies about them, and leaves run against both.

pub mod cases;
pub mod games;
pub mod guests;
pub mod opening;
pub mod restart;
pub mod small;
pub mod spend;
pub mod steps;
pub mod strategies;

pub use self::cases::{Random, lies, random_instruction, random_state};
pub use self::spend::{StepKeys, body_verdict};
