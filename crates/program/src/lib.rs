//! Input languages and their reference semantics: boolean circuits and RISC-V programs.
//!
//! Everything here is about programs alone: what they are, how they are read and written, and what they compute.
//! Nothing here knows Bitcoin.
//!
//! ```
//! use tapcourt_program::circuit::Circuit;
//!
//! let half_adder = Circuit::parse(b"2 4\n2 1 1\n1 2\n\n2 1 0 1 2 XOR\n2 1 0 1 3 AND\n")?;
//! assert_eq!(half_adder.evaluate(&[true, true])?, [false, true]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod circuit;
pub mod riscv;
pub mod text;
