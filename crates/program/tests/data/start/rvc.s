# Aligned with `.option rvc`: the file's flags say that it has compressed instructions, and none is executed.
    .globl _start
    .text
_start:
    li a7, 93
    li a0, 0
    ecall
    .option rvc
    .balign 2
