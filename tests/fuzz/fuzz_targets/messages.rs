//! Any bytes are refused as a message, or are a message that is encoded as the same bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tapcourt_tests::fuzzing::messages(data));
