//! RISC-V programs to the leaves that check one step.
//!
//! A dispute over a trace ends at one step (and, if that step's record is consistent in itself, at one node of a Merkle path). What the prover
//! has published then lies in [`Group`]s, each under a one-time key of its own. A leaf opens some of them, and can be spent only if what they
//! say is false. The challenger chooses the leaf.
//!
//! | [`StepLeaf`] | spendable only if |
//! |---|---|
//! | `Semantics` | the record has this `pc`, and is not what the instruction there does; of a load or store, the access being made |
//! | `Stop` | the record has this `pc`, the load or store there cannot be made, and the machine does not stop in place |
//! | `Input` | the record has this `pc`, reads this input word, and its value is not the one committed to |
//! | `OutsideRom` | the record's `pc` is in no instruction, and it does not stop in place |
//! | `Start` | the first step was selected, and `pc` and root are not those at the start |
//! | `Accept` | the last step was selected, and `next_pc` is not [`ACCEPT_PC`](tapcourt_program::riscv::ACCEPT_PC) |
//! | `Digest` | the selections say that this digest is that of the step's left (or right) end, and it is not |
//!
//! | [`PathLeaf`] | spendable only if |
//! |---|---|
//! | one an access and level | the selections end at this level, and the parent is not the hash of child and sibling |
//!
//! # How a leaf is made
//! `opening` has the common beginning: the groups are opened to digits on the altstack, in an order that serves the body; it is the same for
//! many leaves and is hashed once. `tail` writes the rest: digits that must be constants are compared as they come, and what has to be computed
//! is an [`Expression`](tapcourt_script::expression::Expression) that takes the rest of the altstack. Constants that vary from one
//! instruction to the next (immediates, addresses) are put there too, so the computation is compiled once for all instructions of a kind, and a
//! program of 10^5 instructions takes seconds.
//!
//! Nothing here knows a key until [`StepLeaves`] or [`PathLeaves`] are made. Beside each template is an evaluator, in plain Rust, of when the
//! leaf is spendable: [`Steps::is_spendable`] and [`Paths::is_spendable`].

mod boundary;
mod catalogue;
mod court;
mod group;
mod leaf;
mod opening;
mod paths;
mod published;
mod rom;
mod search;
mod semantics;
mod steps;
mod tail;

pub use self::catalogue::catalogue;
pub use self::court::{Court, CourtLeaf, CourtOptions, End, Entry, Party, Statement, Turn};
pub use self::group::{Group, INPUT_BLOCK_WORDS, Side};
pub use self::paths::{PathAccess, PathLeaf, PathLeaves, Paths};
pub use self::published::{Published, PublishedError};
pub use self::search::{Border, Search, SearchError, SelectionError};
pub use self::steps::{CompileError, Options, StepLeaf, StepLeaves, Steps};
