# Begins with a compressed instruction.
    .globl _start
    .text
    .option rvc
_start:
    c.li a0, 0
    c.nop
    li a7, 93
    ecall
