//! A transcript is accepted only if it is made of the contract's own transactions.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tapcourt_tests::fuzzing::transcript(data));
