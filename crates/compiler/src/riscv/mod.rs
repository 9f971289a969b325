//! RISC-V.
