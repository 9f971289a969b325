//! Tapscript fragments, limits, the tracing interpreter and taptree hashing.
