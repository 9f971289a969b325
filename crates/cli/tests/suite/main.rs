//! The binary, run.
