//! The values that a dispute over a trace commits to.

use std::fmt;
use std::sync::OnceLock;

use tapcourt_commitment::Parameters;

/// Bits of a 32-bit word.
const WORD_BITS: usize = 32;

/// Bits of a digest, root or node: 160.
const NODE_BITS: usize = 160;

/// Digits of a word, as it is opened.
pub(crate) const WORD_DIGITS: usize = WORD_BITS / 4;

/// Digits of a digest, root or node.
pub(crate) const NODE_DIGITS: usize = NODE_BITS / 4;

/// Digits of [`Group::Sources`].
pub(crate) const SOURCE_DIGITS: usize = 3;

/// Words of input under one key: 32 bytes. To publish them costs 23.4 WU a bit, where a key for each word would cost 27.8.
pub const INPUT_BLOCK_WORDS: u32 = 8;

/// An end of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Before it.
    Left,
    /// After it.
    Right,
}

/// A value, or several, under one one-time key.
///
/// Words are published lowest bit first; of nodes, byte 0 first and of each byte the lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// `pc` of the step's record.
    Pc,
    /// `next_pc`.
    NextPc,
    /// The registers that `a` and `b` are read from: five bits each, `a` the lowest.
    Sources,
    /// The [label](tapcourt_program::riscv::Cell::label) of the cell that is written.
    Target,
    /// The label of the memory cell that is read.
    Memory,
    /// The words `m`, `w`, `a` and `b`, in this order: read from memory, written, read from the registers.
    Words,
    /// The word that is replaced.
    Replaced,
    /// The root of the state before the step.
    Root,
    /// The root of the state after it.
    NextRoot,
    /// A block of the input: [`INPUT_BLOCK_WORDS`] words in their order, fewer in the last block.
    Inputs(u32),
    /// What was selected in a round of the search over the trace.
    Selection(u32),
    /// A digest that was revealed in a round of the search over the trace.
    Digest {
        /// The round.
        round: u32,
        /// Which of those inside the interval, from 0.
        index: u32,
    },
    /// What was selected in a round of the search over a Merkle path.
    PathSelection(u32),
    /// Which access of the step is opened, as [`PathAccess`](super::PathAccess) numbers them.
    Access,
    /// A node on the path of a cell, revealed in a round of the search over a Merkle path.
    PathNode {
        /// The round.
        round: u32,
        /// Which of those inside the interval, from 0.
        index: u32,
        /// Whether it is under the root after the step.
        new: bool,
    },
    /// The sibling at the level that the search over a Merkle path ended at.
    Sibling,
}

/// Where each word lies in [`Group::Words`], by its number of words.
pub(crate) const WORDS_M: usize = 0;
pub(crate) const WORDS_W: usize = 1;
pub(crate) const WORDS_A: usize = 2;
pub(crate) const WORDS_B: usize = 3;

impl Group {
    /// The groups that make up the record of a step.
    pub const RECORD: [Self; 9] = [
        Self::Pc,
        Self::NextPc,
        Self::Sources,
        Self::Target,
        Self::Memory,
        Self::Words,
        Self::Replaced,
        Self::Root,
        Self::NextRoot,
    ];

    /// The block that an input word is in. It is word `word % INPUT_BLOCK_WORDS` there.
    pub const fn of_input(word: u32) -> Self {
        Self::Inputs(word / INPUT_BLOCK_WORDS)
    }

    /// How many bits it has; `own_bits` are those of a selection, which depend on its round, or of a block of the input, which depend on its number.
    pub(crate) fn bits(self, own_bits: usize) -> usize {
        match self {
            Self::Pc | Self::NextPc | Self::Target | Self::Memory | Self::Replaced => WORD_BITS,
            Self::Sources => 10,
            Self::Access => 2,
            Self::Words => 4 * WORD_BITS,
            Self::Root
            | Self::NextRoot
            | Self::Digest { .. }
            | Self::PathNode { .. }
            | Self::Sibling => NODE_BITS,
            Self::Selection(_) | Self::PathSelection(_) | Self::Inputs(_) => own_bits,
        }
    }

    /// The shape of its one-time key: digits of four bits, as the gadgets take them. What the challenger chooses is one digit, with one more for the
    /// checksum, since that is the same number the other way round.
    pub(crate) fn parameters(self, own_bits: usize) -> Parameters {
        let bits = self.bits(own_bits);
        match self {
            Self::Selection(_) | Self::PathSelection(_) | Self::Access => {
                let choice = [bits as u8]; // cast ok: at most 4
                Parameters::with_digits(&choice, &choice).expect("a checksum has a digit's bits")
            }
            _ => winternitz(bits),
        }
    }
}

/// The shape of a group of so many bits, at most 256. Finding its checksum takes long, and groups of few sizes are asked for often.
fn winternitz(bits: usize) -> Parameters {
    static KNOWN: [OnceLock<Parameters>; 257] = [const { OnceLock::new() }; 257];
    let shape =
        KNOWN[bits].get_or_init(|| Parameters::winternitz(bits, 4).expect("10 to 256 bits"));
    shape.clone()
}

/// A label for key derivation, unique in a contract: `step/pc`, `input/3`, `search/2/digest/0`.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pc => f.write_str("step/pc"),
            Self::NextPc => f.write_str("step/next-pc"),
            Self::Sources => f.write_str("step/sources"),
            Self::Target => f.write_str("step/target"),
            Self::Memory => f.write_str("step/memory"),
            Self::Words => f.write_str("step/words"),
            Self::Replaced => f.write_str("step/replaced"),
            Self::Root => f.write_str("step/root"),
            Self::NextRoot => f.write_str("step/next-root"),
            Self::Inputs(block) => write!(f, "input/{block}"),
            Self::Selection(round) => write!(f, "search/{round}/selection"),
            Self::Digest { round, index } => write!(f, "search/{round}/digest/{index}"),
            Self::Access => f.write_str("path/access"),
            Self::PathSelection(round) => write!(f, "path/{round}/selection"),
            Self::PathNode { round, index, new } => {
                write!(
                    f,
                    "path/{round}/{}/{index}",
                    if *new { "new" } else { "old" }
                )
            }
            Self::Sibling => f.write_str("path/sibling"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_one_digit_and_one_of_checksum() {
        for bits in 1..=4 {
            for group in [Group::Selection(0), Group::PathSelection(0)] {
                let parameters = group.parameters(bits);
                let digits = [bits as u8]; // cast ok: at most 4
                assert_eq!(parameters.message_digits(), digits);
                assert_eq!(parameters.checksum_digits(), digits);
            }
        }
        let access = Group::Access.parameters(0);
        assert_eq!(access.message_digits(), [2]);
        assert_eq!(access.checksum_digits(), [2]);
    }

    #[test]
    fn a_block_of_inputs_is_cheaper_than_its_words() {
        let wu_per_bit = |words: usize| {
            let bits = 32 * words;
            let size = Group::Inputs(0).parameters(bits).publish_size();
            size.weight_wu_mean() / bits as f64 // cast ok: at most 256
        };
        let costs = [wu_per_bit(1), wu_per_bit(8)];
        assert_eq!(costs.map(|cost| format!("{cost:.1}")), ["27.8", "23.4"]);
        let blocks = [0, 7, 8, 15, 16].map(Group::of_input);
        assert_eq!(blocks, [0, 0, 1, 1, 2].map(Group::Inputs));
        assert_eq!(Group::of_input(17).to_string(), "input/2");
    }
}
