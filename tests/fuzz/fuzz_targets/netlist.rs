//! Any bytes are refused or are a circuit, which survives being written.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tapcourt_tests::fuzzing::netlist(data));
