//! What a *guest*, a program for tapcourt's RISC-V machine, needs: an entry point, the input words
//! and a verdict.
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
//! RV32IM, little-endian, without traps, interrupts and control registers. Instructions come from
//! the executable segments of the ELF and cannot be changed; data memory starts as the image of the
//! ELF, zero elsewhere, and every address of the contract's address space (4,096 to 2^26 - 1,
//! unless it says otherwise) may be written, constants included. A run starts at the ELF's entry
//! with all registers zero. There are two calls:
//!
//! | `ecall` with `a7` | does |
//! |---|---|
//! | 93 | exits with the code in `a0`; 0 accepts, anything else rejects |
//! | 1024 | replaces `a0` by the input word of that number |
//!
//! Everything undefined (an illegal or compressed instruction, a misaligned access, an access
//! beyond the address space, an input word that does not exist, any other call) makes the machine
//! stop in place, which rejects. `fence` does nothing.
//!
//! # Inputs
//!
//! The inputs are a sequence of 32-bit words. Bytes are packed four to a word, the first one
//! lowest, and the last word is filled up with zeros. There is no length call: a guest knows its
//! layout, or reads a length word first.
//!
//! # Other targets
//!
//! Where there is an operating system, [`entry!`] and `heap!` expand to nothing and the input words
//! come from `host::run`, so that the logic of a guest can be tested natively.
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

/// The size of the address space that a contract gives a program, unless it says otherwise: 64 MiB.
/// A load or a store at or beyond it makes the machine stop in place.
pub const ADDRESS_SPACE_BYTES: usize = 1 << 26;

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

/// Makes a function without arguments the guest's main function: what it returns is the
/// [`Verdict`].
///
/// The start code sets up the stack and thread-locals, and runs constructors (`.preinit_array`,
/// then `.init_array`) before the main function. Nothing runs after it.
///
/// The stack begins below the image and grows down to address 4,096, so the address that the image
/// is linked to is its size: 60 KiB for what `rustc` gives the linker, 4 MiB with the option
/// `-C link-arg=--image-base=0x400000`. A guest that needs more leaves memory, where the machine
/// stops, which rejects.
///
/// ```
/// # #![cfg_attr(target_os = "none", no_std, no_main)]
/// tapcourt_guest::entry!(guest);
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
        #[cfg(target_os = "none")]
        extern "C" fn tapcourt_run() -> ! {
            $crate::exit($crate::Verdict::exit_code($main()))
        }

        // The header for C, circuits/riscv/include/tapcourt.h, has the same code.
        #[cfg(target_os = "none")]
        ::core::arch::global_asm!(
            // The note tells the loader that this code runs constructors (bit 0) and sets up
            // thread-locals (bit 1).
            ".pushsection .note.tapcourt, \"a\", @note",
            ".balign 4",
            ".word 9, 4, 1",
            ".asciz \"tapcourt\"",
            ".balign 4",
            ".word 3",
            ".popsection",
            // All registers start as zero. Set up what the ABI wants: the global pointer,
            ".pushsection .text._start, \"ax\", @progbits",
            ".balign 4",
            ".globl _start",
            ".type _start, @function",
            "_start:",
            ".option push",
            ".option norelax",
            "lla gp, __global_pointer$",
            ".option pop",
            // the stack, which begins below the image and grows down to address 0,
            "lla s0, __ehdr_start",
            "andi sp, s0, -16",
            // the thread-locals: find the segment PT_TLS among the program headers, which are in
            // memory (stop if not),
            "lw t0, 28(s0)",
            "lhu t1, 44(s0)",
            "beqz t1, 9f",
            "add t0, t0, s0",
            "li t2, 7",
            "1:",
            "beqz t1, 4f",
            "lw t3, 0(t0)",
            "beq t3, t2, 2f",
            "addi t0, t0, 32",
            "addi t1, t1, -1",
            "j 1b",
            "2:",
            // and copy .tdata above the stack; .tbss behind it is zero already.
            "lw t1, 8(t0)",
            "lw t2, 16(t0)",
            "lw t3, 20(t0)",
            "lw t4, 28(t0)",
            "sub tp, sp, t3",
            "neg t4, t4",
            "and tp, tp, t4",
            "andi sp, tp, -16",
            "mv t3, tp",
            "add t2, t1, t2",
            "3:",
            "beq t1, t2, 4f",
            "lbu t4, 0(t1)",
            "sb t4, 0(t3)",
            "addi t1, t1, 1",
            "addi t3, t3, 1",
            "j 3b",
            "4:",
            // Run the constructors.
            "lla s0, __preinit_array_start",
            "lla s1, __preinit_array_end",
            "5:",
            "beq s0, s1, 6f",
            "lw t0, 0(s0)",
            "addi s0, s0, 4",
            "jalr t0",
            "j 5b",
            "6:",
            "lla s0, __init_array_start",
            "lla s1, __init_array_end",
            "7:",
            "beq s0, s1, 8f",
            "lw t0, 0(s0)",
            "addi s0, s0, 4",
            "jalr t0",
            "j 7b",
            "8:",
            // Call main without arguments: argv and the environment are a null pointer each.
            "addi sp, sp, -16",
            "li a0, 0",
            "mv a1, sp",
            "mv a2, sp",
            "call {run}",
            "9:",
            "ebreak",
            ".size _start, . - _start",
            ".popsection",
            run = sym tapcourt_run,
        );
    };
}

/// Gives the guest a heap from which nothing is ever freed: from the end of the image to the end of
/// the address space. Needs the feature `alloc`.
///
/// A guest that needs more panics, which rejects. The second form is for contracts with another
/// address space than the usual one of [`ADDRESS_SPACE_BYTES`].
///
/// ```
/// # #![cfg_attr(target_os = "none", no_std, no_main)]
/// extern crate alloc;
///
/// tapcourt_guest::heap!(); // or heap!(address_space_bytes = 1 << 27)
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
    () => {
        $crate::heap!(address_space_bytes = $crate::ADDRESS_SPACE_BYTES);
    };
    (address_space_bytes = $bytes:expr) => {
        #[cfg(target_os = "none")]
        #[global_allocator]
        static TAPCOURT_HEAP: $crate::Heap =
            $crate::Heap::new($crate::machine::image_end(), $bytes);
    };
}
