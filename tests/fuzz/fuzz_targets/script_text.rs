//! Scripts survive being written as text, and no text makes the parser panic.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tapcourt_tests::fuzzing::script_text(data));
