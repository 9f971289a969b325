//! A setup with a changed message is refused.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tapcourt_tests::fuzzing::setup(data));
