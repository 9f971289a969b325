//! The two calls of the machine.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

#[cfg(not(target_arch = "riscv32"))]
compile_error!("a guest is built for riscv32im-unknown-none-elf");

// The only place that reads an input word: a verifier has one leaf for each such place and word, and a debugger one place
// to intercept. So it is a function of its own, never inlined.
global_asm!(
    ".pushsection .text.tapcourt_input, \"ax\", @progbits",
    ".balign 4",
    ".globl tapcourt_input",
    ".type tapcourt_input, @function",
    "tapcourt_input:",
    "li a7, 1024",
    "ecall",
    "ret",
    ".size tapcourt_input, . - tapcourt_input",
    ".popsection",
);

unsafe extern "C" {
    safe fn tapcourt_input(index: u32) -> u32;
}

/// The first address behind the image, as the linker says.
#[cfg(feature = "alloc")]
#[must_use]
pub const fn image_end() -> *mut u8 {
    unsafe extern "C" {
        static mut _end: u8;
    }
    &raw mut _end
}

#[inline]
pub(crate) fn input(index: u32) -> u32 {
    tapcourt_input(index)
}

#[inline]
pub(crate) fn exit(code: u32) -> ! {
    // SAFETY: the call ends the run, so nothing after it is executed.
    unsafe { asm!("ecall", in("a7") 93, in("a0") code, options(noreturn, nostack)) }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    crate::reject()
}
