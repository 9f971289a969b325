use crate::input;

/// Reads the input words in order.
///
/// No method returns if the inputs end too early: the machine stops in place, which rejects. Inputs that are left over are
/// no error.
///
/// ```
/// # #[cfg(not(target_os = "none"))]
/// # {
/// use tapcourt_guest::{Inputs, host};
///
/// let outcome = host::run(&[7, 0x6c6c_6568, 0x6f, 9], || {
///     let mut inputs = Inputs::new();
///     inputs.word() == 7 && inputs.bytes() == *b"hello" && inputs.words() == [9]
/// });
/// assert_eq!(outcome, host::Outcome::Exit(0));
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Inputs {
    next: u32,
}

impl Inputs {
    /// Starts with word 0.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: 0 }
    }

    /// The number of words read so far.
    #[must_use]
    pub const fn position(&self) -> u32 {
        self.next
    }

    /// Reads one word.
    #[inline]
    pub fn word(&mut self) -> u32 {
        let word = input(self.next);
        self.next += 1;
        word
    }

    /// Reads `N` words.
    #[inline]
    pub fn words<const N: usize>(&mut self) -> [u32; N] {
        let mut words = [0; N];
        for word in &mut words {
            *word = self.word();
        }
        words
    }

    /// Reads `N` bytes, which take `N.div_ceil(4)` words.
    #[inline]
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.read(&mut bytes);
        bytes
    }

    /// Fills `bytes`, which takes `bytes.len().div_ceil(4)` words. The bytes that fill up the last word are not looked at.
    pub fn read(&mut self, bytes: &mut [u8]) {
        let mut whole_words = bytes.chunks_exact_mut(4);
        for part in &mut whole_words {
            part.copy_from_slice(&self.word().to_le_bytes());
        }
        let rest = whole_words.into_remainder();
        if !rest.is_empty() {
            let word = self.word().to_le_bytes();
            rest.copy_from_slice(&word[..rest.len()]);
        }
    }
}
