//! The interpreter and Bitcoin Core's code give the same verdict on any taproot spend.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tapcourt_tests::fuzzing::interpreter_vs_core(data));
