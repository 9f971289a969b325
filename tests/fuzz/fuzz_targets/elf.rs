//! Any bytes are refused or are a program that two machines run alike.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tapcourt_tests::fuzzing::elf(data));
