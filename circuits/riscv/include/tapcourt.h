/*
 * A guest in C, a program for tapcourt's RISC-V machine: an entry point, the input words and a verdict.
 *
 *     #include "tapcourt.h"
 *
 *     int main(void) {
 *         uint32_t p = tapcourt_input(0), q = tapcourt_input(1);
 *         return p > 1 && q > 1 && (uint64_t)p * q == 8051 ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
 *     }
 *
 * Include it in exactly one source file, and with TAPCOURT_DECLARATIONS_ONLY defined in any other. What the machine does is
 * described in crates/guest/src/lib.rs, how to compile in circuits/riscv/README.md.
 */
#ifndef TAPCOURT_H
#define TAPCOURT_H

#include <stddef.h>
#include <stdint.h>

#define TAPCOURT_ACCEPT 0
#define TAPCOURT_REJECT 1

/*
 * The size of the stack in bytes, a multiple of 16. It lies in .bss, and nothing guards its end. Define it before the header is
 * included to have another size.
 */
#ifndef TAPCOURT_STACK_BYTES
#define TAPCOURT_STACK_BYTES 65536
#endif

/* The guest. Its result is the exit code: 0 accepts, anything else rejects. */
int main(void);

/* Reads an input word. Does not return if there are not so many: the machine stops in place, which rejects. */
uint32_t tapcourt_input(uint32_t index);

/* Ends the run. */
_Noreturn static inline void tapcourt_exit(uint32_t code) {
    register uint32_t a0 __asm__("a0") = code;
    register uint32_t a7 __asm__("a7") = 93;
    __asm__ volatile("ecall" : : "r"(a0), "r"(a7) : "memory");
    __builtin_unreachable();
}

_Noreturn static inline void tapcourt_accept(void) { tapcourt_exit(TAPCOURT_ACCEPT); }
_Noreturn static inline void tapcourt_reject(void) { tapcourt_exit(TAPCOURT_REJECT); }

/* Reads so many bytes, four to a word and the first one lowest, and returns the index of the next word. */
static inline uint32_t tapcourt_input_bytes(uint32_t index, uint8_t *bytes, size_t length) {
    uint32_t word = 0;
    for (size_t i = 0; i < length; i++) {
        if (i % 4 == 0) {
            word = tapcourt_input(index++);
        }
        bytes[i] = (uint8_t)(word >> 8 * (i % 4));
    }
    return index;
}

#ifndef TAPCOURT_DECLARATIONS_ONLY

#define TAPCOURT_STRING(x) #x
#define TAPCOURT_EXPAND(x) TAPCOURT_STRING(x)

/* All registers start as zero: before anything else, set up the two that the ABI wants set up. */
__asm__(".pushsection .bss.tapcourt_stack, \"aw\", @nobits\n"
        ".balign 16\n"
        "tapcourt_stack:\n"
        ".zero " TAPCOURT_EXPAND(TAPCOURT_STACK_BYTES) "\n"
        "tapcourt_stack_top:\n"
        ".popsection\n"
        ".pushsection .text._start, \"ax\", @progbits\n"
        ".balign 4\n"
        ".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        ".option push\n"
        ".option norelax\n"
        "lla gp, __global_pointer$\n"
        ".option pop\n"
        "lla sp, tapcourt_stack_top\n"
        "call main\n"
        "li a7, 93\n"
        "ecall\n"
        ".size _start, . - _start\n"
        ".popsection\n");

/*
 * The only place that reads an input word: a verifier has one leaf for each such place and word, and a debugger one place to
 * intercept. So it is a function of its own, never inlined.
 */
__asm__(".pushsection .text.tapcourt_input, \"ax\", @progbits\n"
        ".balign 4\n"
        ".globl tapcourt_input\n"
        ".type tapcourt_input, @function\n"
        "tapcourt_input:\n"
        "li a7, 1024\n"
        "ecall\n"
        "ret\n"
        ".size tapcourt_input, . - tapcourt_input\n"
        ".popsection\n");

/* What a compiler may call even if the guest does not. Without a C library somebody has to define them. */
__attribute__((weak)) void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    for (size_t i = 0; i < length; i++) {
        ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
    return to;
}

__attribute__((weak)) void *memset(void *to, int value, size_t length) {
    for (size_t i = 0; i < length; i++) {
        ((volatile uint8_t *)to)[i] = (uint8_t)value;
    }
    return to;
}

#endif /* TAPCOURT_DECLARATIONS_ONLY */

#endif /* TAPCOURT_H */
