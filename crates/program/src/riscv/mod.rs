//! RISC-V: any static RV32IM program, and what each of its steps does.
//!
//! # The machine
//! RV32I with the M extension (*The RISC-V Instruction Set Manual, Volume I*, 20240411),
//! little-endian, without traps, CSRs or compressed instructions. Harvard: instructions come from
//! the [`Rom`], which never changes; data memory starts as the program's [`Image`] and may be
//! written anywhere in the program's [`AddressSpace`]. All registers start as zero, and `pc` as the
//! entry.
//!
//! What is undefined makes the machine **stop in place**: the next state equals the present one.
//! That are an illegal instruction, `ebreak`, a misaligned access to memory, one outside the
//! address space, a `pc` in no instruction (a jump may go there), and an `ecall` that is none of
//! these:
//!
//! | `a7` | call | effect |
//! |---|---|---|
//! | [`EXIT_CALL`] | exit with code `a0` | 0 sets `pc` to [`ACCEPT_PC`], others stop in place |
//! | [`INPUT_CALL`] | read input word number `a0` into `a0` | stops in place if there are not so many |
//!
//! Nothing else reaches [`ACCEPT_PC`]. `fence` does nothing. A program *accepts* if `pc` is
//! [`ACCEPT_PC`] in the end.
//!
//! # Layers
//! [`Instruction`] is one decoded word, [`Program`] what an [ELF file](Program::from_elf) says;
//! [`ElfReport`] adds what to look at before a contract is made about it. [`Machine`] is the
//! reference: one function an instruction, written for reading, and it tells of each step what it
//! read and wrote, as a [`StepRecord`] over [`Cell`]s. [`Engine`] is the fast one: it has nothing
//! to tell but its [`State`] at the steps asked for, with the pages of its [`Memory`] that changed.
//! [`Tree`] hashes a state, and [`Execution`] puts both together: digests, records and Merkle paths
//! at any step, from snapshots.

mod cell;
mod digest;
mod elf;
mod engine;
mod execution;
mod input;
mod instruction;
mod machine;
mod memory;
mod program;
mod record;
mod semantics;
mod space;
mod stack;
mod step;
mod stop;

pub use self::cell::Cell;
pub use self::digest::{Digest, Node, Path, Tree};
pub use self::elf::{ElfError, ElfReport, ElfWarning};
pub use self::engine::{Engine, State, Stop};
pub use self::execution::{DisputedStep, Execution, SnapshotLimits};
pub use self::input::{WordError, pack_words, parse_words};
pub use self::instruction::{Format, Instruction, Op, Register};
pub use self::machine::Machine;
pub use self::memory::Memory;
pub use self::program::{Image, Program, ProgramError, Rom, RomSegment, Symbol, Symbols};
pub use self::record::{Read, StepRecord, Write};
pub use self::space::AddressSpace;
pub use self::stack::{MisplacedStack, StackHazard};
pub use self::stop::StopReason;

/// The `pc` of a program that has accepted.
///
/// It is odd, and only the exit call sets it: what follows an instruction is four bytes on, jumps
/// and branches go to a multiple of two, `jalr` clears the lowest bit, and a program starts in an
/// instruction, which is at a multiple of four.
pub const ACCEPT_PC: u32 = 0xffff_ffff;

/// `a7` of the call that exits. The number is that of Linux.
pub const EXIT_CALL: u32 = 93;

/// `a7` of the call that reads a word of input.
pub const INPUT_CALL: u32 = 1024;
