//! The sub-commands, one file each: arguments, work, printed data.

pub(crate) mod challenge;
pub(crate) mod compile;
pub(crate) mod inspect;
pub(crate) mod plan;
pub(crate) mod prove;
pub(crate) mod respond;
pub(crate) mod riscv;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod simulate;
pub(crate) mod size;
pub(crate) mod verify;
pub(crate) mod watch;
