//! RISC-V programs: what `run`, `compile` and `inspect leaf` do with an ELF file, and the commands that only these have.

pub(crate) mod compile;
pub(crate) mod digest;
pub(crate) mod leaf;
pub(crate) mod run;
pub(crate) mod trace;
