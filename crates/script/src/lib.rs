//! Tapscript fragments, limits, the tracing interpreter and taptree hashing.

// Lets doc examples and the macros' own tests name this crate as others do.
extern crate self as tapcourt_script;

pub mod asm;
mod effect;
mod fragment;
mod instructions;
pub mod interpreter;
pub mod limits;
mod macros;
mod number;
pub mod opcodes;
pub mod taptree;
mod writer;

pub use self::effect::{Analysis, EffectError, analyze};
pub use self::fragment::{Fragment, StackEffect};
pub use self::instructions::{Instruction, Instructions, Truncated, count_opcodes, instructions};
pub use self::number::{decode_number, encode_number};
pub use self::writer::{Pushable, ScriptWriter};
