//! Leaves of RISC-V steps do what their evaluator says.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tapcourt_tests::fuzzing::riscv_step(data));
