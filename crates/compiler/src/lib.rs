//! Programs to chunks to leaves of bit commitments.
