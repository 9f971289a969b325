/*
 * A guest in C or C++, a program for tapcourt's RISC-V machine: an entry point, the input words and
 * a verdict.
 *
 *     #include "tapcourt.h"
 *
 *     int main(void) {
 *         uint32_t p = tapcourt_input(0), q = tapcourt_input(1);
 *         return p > 1 && q > 1 && (uint64_t)p * q == 8051 ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
 *     }
 *
 * What main returns is the exit code: 0 accepts, anything else rejects. circuits/riscv/cc compiles
 * guests with a C library, and then any source file may include this header. Without, include it in
 * exactly one source file, and with TAPCOURT_DECLARATIONS_ONLY defined in any other. What the
 * machine does is described in crates/guest/src/lib.rs, how to compile in circuits/riscv/README.md.
 */
#ifndef TAPCOURT_H
#define TAPCOURT_H

#include <stddef.h>
#include <stdint.h>

#define TAPCOURT_ACCEPT 0
#define TAPCOURT_REJECT 1

#ifdef __cplusplus
extern "C" {
#define TAPCOURT_NORETURN [[noreturn]]
#define TAPCOURT_RESTRICT
#else
#define TAPCOURT_NORETURN _Noreturn
#define TAPCOURT_RESTRICT restrict
#endif

/* Reads an input word. Does not return if there are not so many: the machine stops in place, which rejects. */
uint32_t tapcourt_input(uint32_t index);

/* Ends the run. */
TAPCOURT_NORETURN static inline void tapcourt_exit(uint32_t code) {
    __asm__ volatile("mv a0, %0\n\tli a7, 93\n\tecall" : : "r"(code) : "a0", "a7", "memory");
    __builtin_unreachable();
}

TAPCOURT_NORETURN static inline void tapcourt_accept(void) { tapcourt_exit(TAPCOURT_ACCEPT); }
TAPCOURT_NORETURN static inline void tapcourt_reject(void) { tapcourt_exit(TAPCOURT_REJECT); }

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

/* The entry point. The guest crate in Rust has the same code. */
__asm__(/* The note tells the loader that this code runs constructors (bit 0) and sets up thread-locals (bit 1). */
        ".pushsection .note.tapcourt, \"a\", @note\n"
        ".balign 4\n"
        ".word 9, 4, 1\n"
        ".asciz \"tapcourt\"\n"
        ".balign 4\n"
        ".word 3\n"
        ".popsection\n"
        /* All registers start as zero. Set up what the ABI wants: the global pointer, */
        ".pushsection .text._start, \"ax\", @progbits\n"
        ".balign 4\n"
        ".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        ".option push\n"
        ".option norelax\n"
        "lla gp, __global_pointer$\n"
        ".option pop\n"
        /* the stack, which begins below the image and grows down to address 0, */
        "lla s0, __ehdr_start\n"
        "andi sp, s0, -16\n"
        /* the thread-locals: find the segment PT_TLS among the program headers, which are in memory (stop if not), */
        "lw t0, 28(s0)\n"
        "lhu t1, 44(s0)\n"
        "beqz t1, 9f\n"
        "add t0, t0, s0\n"
        "li t2, 7\n"
        "1:\n"
        "beqz t1, 4f\n"
        "lw t3, 0(t0)\n"
        "beq t3, t2, 2f\n"
        "addi t0, t0, 32\n"
        "addi t1, t1, -1\n"
        "j 1b\n"
        "2:\n"
        /* and copy .tdata above the stack; .tbss behind it is zero already. */
        "lw t1, 8(t0)\n"
        "lw t2, 16(t0)\n"
        "lw t3, 20(t0)\n"
        "lw t4, 28(t0)\n"
        "sub tp, sp, t3\n"
        "neg t4, t4\n"
        "and tp, tp, t4\n"
        "andi sp, tp, -16\n"
        "mv t3, tp\n"
        "add t2, t1, t2\n"
        "3:\n"
        "beq t1, t2, 4f\n"
        "lbu t4, 0(t1)\n"
        "sb t4, 0(t3)\n"
        "addi t1, t1, 1\n"
        "addi t3, t3, 1\n"
        "j 3b\n"
        "4:\n"
        /* Run the constructors. */
        "lla s0, __preinit_array_start\n"
        "lla s1, __preinit_array_end\n"
        "5:\n"
        "beq s0, s1, 6f\n"
        "lw t0, 0(s0)\n"
        "addi s0, s0, 4\n"
        "jalr t0\n"
        "j 5b\n"
        "6:\n"
        "lla s0, __init_array_start\n"
        "lla s1, __init_array_end\n"
        "7:\n"
        "beq s0, s1, 8f\n"
        "lw t0, 0(s0)\n"
        "addi s0, s0, 4\n"
        "jalr t0\n"
        "j 7b\n"
        "8:\n"
        /* Call main without arguments: argv and the environment are a null pointer each. */
        "addi sp, sp, -16\n"
        "li a0, 0\n"
        "mv a1, sp\n"
        "mv a2, sp\n"
        "call main\n"
#ifdef TAPCOURT_C_LIBRARY
        /* What atexit has been told, destructors, and then tapcourt_exit. */
        "call exit\n"
#else
        "li a7, 93\n"
        "ecall\n"
#endif
        "9:\n"
        "ebreak\n"
        ".size _start, . - _start\n"
        ".popsection\n");

/*
 * The only place that reads an input word: a verifier has one leaf for each such place and word,
 * and a debugger one place to intercept. So it is a function of its own, never inlined.
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

#ifndef TAPCOURT_C_LIBRARY

/*
 * What a compiler may call even if the guest does not. Without a C library somebody has to define
 * them. The accesses are volatile, so that no compiler makes a call to the same function of the
 * loop.
 */
__attribute__((weak)) void *memcpy(void *TAPCOURT_RESTRICT to, const void *TAPCOURT_RESTRICT from, size_t length) {
    for (size_t i = 0; i < length; i++) {
        ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
    return to;
}

__attribute__((weak)) void *memmove(void *to, const void *from, size_t length) {
    if ((uintptr_t)to <= (uintptr_t)from) {
        for (size_t i = 0; i < length; i++) {
            ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
        }
        return to;
    }
    for (size_t i = length; i-- > 0;) {
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

__attribute__((weak)) int memcmp(const void *left, const void *right, size_t length) {
    for (size_t i = 0; i < length; i++) {
        int difference = ((const volatile uint8_t *)left)[i] - ((const volatile uint8_t *)right)[i];
        if (difference != 0) {
            return difference;
        }
    }
    return 0;
}

#endif /* TAPCOURT_C_LIBRARY */

#endif /* TAPCOURT_DECLARATIONS_ONLY */

#ifdef __cplusplus
}
#endif

#endif /* TAPCOURT_H */
