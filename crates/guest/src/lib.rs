//! What a *guest*, a program for tapcourt's RISC-V machine, needs: an entry point, the input words and a verdict.
//!
//! ```
//! #![cfg_attr(target_os = "none", no_std, no_main)]
//!
//! use tapcourt_guest::Inputs;
//!
//! tapcourt_guest::entry!(guest);
//!
//! /// Accepts two factors of 8,051.
//! fn guest() -> bool {
//!     let mut inputs = Inputs::new();
//!     let (p, q) = (inputs.word(), inputs.word());
//!     p > 1 && q > 1 && p.checked_mul(q) == Some(8_051)
//! }
//!
//! # #[cfg(not(target_os = "none"))]
//! # fn main() {
//! use tapcourt_guest::host::{self, Outcome};
//! assert_eq!(host::run(&[83, 97], guest), Outcome::Exit(0));
//! assert_eq!(host::run(&[83, 98], guest), Outcome::Exit(1));
//! assert_eq!(host::run(&[83], guest), Outcome::Stopped);
//! # }
//! ```
//!
//! # The machine
//!
//! RV32IM, little-endian, without traps, interrupts and control registers. Instructions come from the executable segments of the
//! ELF and cannot be changed; data memory starts as the image of the ELF, zero elsewhere, and every address may be written.
//! A run starts at the ELF's entry with all registers zero. There are two calls:
//!
//! | `ecall` with `a7` | does |
//! |---|---|
//! | 93 | exits with the code in `a0`; 0 accepts, anything else rejects |
//! | 1024 | replaces `a0` by the input word of that number |
//!
//! Everything undefined (an illegal or compressed instruction, a misaligned access, an input word that does not exist, any other
//! call) makes the machine stop in place, which rejects. `fence` does nothing.
//!
//! # Inputs
//!
//! The inputs are a sequence of 32-bit words. Bytes are packed four to a word, the first one lowest, and the last word is filled
//! up with zeros. There is no length call: a guest knows its layout, or reads a length word first.
//!
//! # Other targets
//!
//! Where there is an operating system, [`entry!`] and `heap!` expand to nothing and the input words come from `host::run`, so
//! that the logic of a guest can be tested natively.
#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

#[cfg(feature = "alloc")]
mod heap;
#[cfg(not(target_os = "none"))]
pub mod host;
mod inputs;
#[cfg(target_os = "none")]
#[doc(hidden)]
pub mod machine;
mod verdict;

#[cfg(not(target_os = "none"))]
use host as environment;
#[cfg(target_os = "none")]
use machine as environment;

#[cfg(feature = "alloc")]
pub use heap::Heap;
pub use inputs::Inputs;
pub use verdict::Verdict;

/// The exit code of a guest that accepts.
pub const ACCEPT: u32 = 0;
/// The exit code of a guest that rejects, or panics.
pub const REJECT: u32 = 1;

/// Reads input word `index`.
///
/// Does not return if there are not so many words: the machine stops in place, which rejects.
#[inline]
#[must_use]
pub fn input(index: u32) -> u32 {
    environment::input(index)
}

/// Ends the run with `code`: 0 accepts, anything else rejects.
///
/// qemu's user mode passes on the lowest eight bits only, so codes above 255 are better avoided.
#[inline]
pub fn exit(code: u32) -> ! {
    environment::exit(code)
}

/// Ends the run and accepts.
#[inline]
pub fn accept() -> ! {
    exit(ACCEPT)
}

/// Ends the run and rejects.
#[inline]
pub fn reject() -> ! {
    exit(REJECT)
}

/// Makes a function without arguments the guest's main function: what it returns is the [`Verdict`].
///
/// The second form sets the size of the stack (a multiple of 16, 64 KiB if not given). The stack lies in `.bss`, and nothing
/// guards its end: a guest that needs more overwrites its own variables.
///
/// ```
/// # #![cfg_attr(target_os = "none", no_std, no_main)]
/// tapcourt_guest::entry!(guest, stack_bytes = 1 << 20);
///
/// fn guest() -> bool {
///     tapcourt_guest::input(0) == 42
/// }
/// # #[cfg(not(target_os = "none"))]
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        $crate::entry!($main, stack_bytes = 65_536);
    };
    ($main:path, stack_bytes = $stack_bytes:expr) => {
        const _: () = assert!($stack_bytes % 16 == 0, "the stack pointer has to be a multiple of 16");

        #[cfg(target_os = "none")]
        extern "C" fn tapcourt_run() -> ! {
            $crate::exit($crate::Verdict::exit_code($main()))
        }

        // All registers start as zero: before anything else, set up the two that the ABI wants set up.
        #[cfg(target_os = "none")]
        ::core::arch::global_asm!(
            ".pushsection .bss.tapcourt_stack, \"aw\", @nobits",
            ".balign 16",
            "tapcourt_stack:",
            ".zero {stack_bytes}",
            "tapcourt_stack_top:",
            ".popsection",
            ".pushsection .text._start, \"ax\", @progbits",
            ".balign 4",
            ".globl _start",
            ".type _start, @function",
            "_start:",
            ".option push",
            ".option norelax",
            "lla gp, __global_pointer$",
            ".option pop",
            "lla sp, tapcourt_stack_top",
            "call {run}",
            ".size _start, . - _start",
            ".popsection",
            stack_bytes = const $stack_bytes,
            run = sym tapcourt_run,
        );
    };
}

/// Gives the guest a heap of so many bytes, from which nothing is ever freed. Needs the feature `alloc`.
///
/// A guest that needs more panics, which rejects. The heap lies in `.bss` and costs nothing until it is written.
///
/// ```
/// # #![cfg_attr(target_os = "none", no_std, no_main)]
/// extern crate alloc;
///
/// tapcourt_guest::heap!(1 << 20);
/// tapcourt_guest::entry!(guest);
///
/// fn guest() -> bool {
///     let mut inputs = tapcourt_guest::Inputs::new();
///     let count = inputs.word();
///     let mut words: alloc::vec::Vec<u32> = (0..count).map(|_| inputs.word()).collect();
///     words.sort_unstable();
///     words.windows(2).all(|pair| pair[0] != pair[1])
/// }
/// # #[cfg(not(target_os = "none"))]
/// # fn main() {}
/// ```
#[cfg(feature = "alloc")]
#[macro_export]
macro_rules! heap {
    ($bytes:expr) => {
        #[cfg(target_os = "none")]
        #[global_allocator]
        static TAPCOURT_HEAP: $crate::Heap<{ $bytes }> = $crate::Heap::new();
    };
}
