//! Random numbers, the same in every run.

/// A generator of random numbers: xorshift (Marsaglia 2003).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Any 64 bits but zero.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
