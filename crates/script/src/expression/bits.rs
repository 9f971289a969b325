//! Bits, nibbles and hashes, and conversions between all types.

use super::{Bit, Bitwise, Expression, Hash, Nibble, Operation, Type, ValueId, Word};

/// Bits, nibbles and conversions.
impl Expression {
    fn bit_step(&mut self, operation: Bitwise, a: Bit, b: Bit) -> Bit {
        let [bit] = self.step(Operation::BitLogic(operation), [a.0, b.0], [Type::Bit]);
        Bit(bit)
    }

    /// Whether both bits are 1.
    pub fn bit_and(&mut self, a: Bit, b: Bit) -> Bit {
        self.bit_step(Bitwise::And, a, b)
    }

    /// Whether one bit is 1.
    pub fn bit_or(&mut self, a: Bit, b: Bit) -> Bit {
        self.bit_step(Bitwise::Or, a, b)
    }

    /// Whether the bits differ.
    pub fn bit_xor(&mut self, a: Bit, b: Bit) -> Bit {
        self.bit_step(Bitwise::Xor, a, b)
    }

    /// The other bit.
    pub fn bit_not(&mut self, a: Bit) -> Bit {
        let [bit] = self.step(Operation::Not, [a.0], [Type::Bit]);
        Bit(bit)
    }

    /// Whether the sum of nibbles is at least `low` and less than `high`: with 1 and 16 times their
    /// number, whether some nibble is not zero.
    ///
    /// # Panics
    /// If there is no nibble.
    pub fn sum_is_within(&mut self, nibbles: &[Nibble], low: u32, high: u32) -> Bit {
        assert!(!nibbles.is_empty(), "the sum of no nibbles");
        let nibbles: Vec<ValueId> = nibbles.iter().map(|nibble| nibble.0).collect();
        let [bit] = self.step(Operation::SumIsWithin { low, high }, nibbles, [Type::Bit]);
        Bit(bit)
    }

    /// The four bits of a nibble, the lowest first.
    pub fn split(&mut self, nibble: Nibble) -> [Bit; 4] {
        self.step(Operation::Split, [nibble.0], [Type::Bit; 4])
            .map(Bit)
    }

    /// The nibble of four bits, the lowest first.
    pub fn join(&mut self, bits: [Bit; 4]) -> Nibble {
        let bits = bits.map(|bit| bit.0);
        let [nibble] = self.step(Operation::Join, bits, [Type::Nibble]);
        Nibble(nibble)
    }

    /// All bits of a word, the lowest first.
    pub fn word_bits(&mut self, word: Word) -> [Bit; 32] {
        let nibbles = self.word_nibbles(word);
        let bits: Vec<Bit> = nibbles
            .into_iter()
            .flat_map(|nibble| self.split(nibble))
            .collect();
        std::array::from_fn(|bit| bits[bit])
    }

    /// The word of 32 bits, the lowest first.
    pub fn word_from_bits(&mut self, bits: [Bit; 32]) -> Word {
        let nibbles = std::array::from_fn(|nibble| {
            self.join(std::array::from_fn(|bit| bits[4 * nibble + bit]))
        });
        self.word_from_nibbles(nibbles)
    }

    /// A nibble of a word, 0 being the lowest.
    ///
    /// # Panics
    /// If the index is not below 8.
    pub fn word_nibble(&mut self, word: Word, index: usize) -> Nibble {
        assert!(index < 8, "a word has 8 nibbles, no nibble {index}");
        let digits = Operation::Digits { start: index };
        let [nibble] = self.step(digits, [word.0], [Type::Nibble]);
        Nibble(nibble)
    }

    /// All nibbles of a word, the lowest first.
    pub fn word_nibbles(&mut self, word: Word) -> [Nibble; 8] {
        std::array::from_fn(|index| self.word_nibble(word, index))
    }

    /// The word of eight nibbles, the lowest first.
    pub fn word_from_nibbles(&mut self, nibbles: [Nibble; 8]) -> Word {
        self.word_step(
            Operation::Digits { start: 0 },
            nibbles.map(|nibble| nibble.0),
        )
    }

    /// The word that is 0 or 1.
    pub fn word_from_bit(&mut self, bit: Bit) -> Word {
        let [nibble] = self.step(Operation::Widen, [bit.0], [Type::Nibble]);
        let zero = self.nibble(0);
        let mut nibbles = [zero; 8];
        nibbles[0] = Nibble(nibble);
        self.word_from_nibbles(nibbles)
    }

    /// A word of a hash.
    ///
    /// # Panics
    /// If the hash has not as many words.
    pub fn hash_word<H: Hash>(&mut self, hash: H, index: usize) -> Word {
        let words = H::WORDS;
        assert!(index < words, "a hash of {words} words has no word {index}");
        self.word_step(Operation::Digits { start: 8 * index }, [hash.id()])
    }

    /// The hash of words.
    ///
    /// # Panics
    /// If the number of words is another than the hash has.
    pub fn hash_from_words<H: Hash>(&mut self, words: &[Word]) -> H {
        assert_eq!(words.len(), H::WORDS, "as many words as the hash has");
        let words: Vec<ValueId> = words.iter().map(|word| word.0).collect();
        let [hash] = self.step(Operation::Digits { start: 0 }, words, [H::TYPE]);
        H::from_id(hash)
    }
}
