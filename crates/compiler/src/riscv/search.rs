//! The shape of a search: into how many parts each round splits what is left.

/// Rounds of a search over `2^n` intervals: round `r` splits what is left into `2^log2_arity[r]` parts.
///
/// In each round the prover reveals the values at the borders inside, and the challenger selects a part. What was selected, read as digits
/// with the first round's most significant, is the number of the interval where the search ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Search {
    log2_arities: Vec<u8>,
}

/// Why rounds make no search.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A round splits into too many parts, or does not split.
    #[error(
        "round {round} splits into 2^{log2_arity} parts; 2^1 to 2^{} are possible",
        Search::MAX_LOG2_ARITY
    )]
    Arity {
        /// The round.
        round: usize,
        /// The logarithm asked for.
        log2_arity: u8,
    },
    /// There is no round, or there are too many intervals.
    #[error("2^{bits} intervals; 2^1 to 2^{} are possible", Search::MAX_BITS)]
    Bits {
        /// The logarithm of the number of intervals.
        bits: u32,
    },
}

/// A border between intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Border {
    /// An end of the whole.
    End,
    /// Revealed in a round.
    Revealed {
        /// The round.
        round: u32,
        /// Which of those inside the interval, from 0.
        index: u32,
    },
}

impl Search {
    /// A round splits into at most 16 parts, so that a selection is one digit.
    pub const MAX_LOG2_ARITY: u8 = 4;

    /// At most 2^48 intervals.
    pub const MAX_BITS: u32 = 48;

    /// A search with these rounds.
    ///
    /// # Errors
    /// If a round splits into fewer than 2 or more than 16 parts, or there are no rounds or more than 2^48 intervals.
    pub fn new(log2_arities: Vec<u8>) -> Result<Self, SearchError> {
        let out_of_range =
            |&(_, &log2_arity): &(usize, &u8)| !(1..=Self::MAX_LOG2_ARITY).contains(&log2_arity);
        if let Some((round, &log2_arity)) = log2_arities.iter().enumerate().find(out_of_range) {
            return Err(SearchError::Arity { round, log2_arity });
        }
        let search = Self { log2_arities };
        match search.bits() {
            1..=Self::MAX_BITS => Ok(search),
            bits => Err(SearchError::Bits { bits }),
        }
    }

    /// A search over `2^bits` intervals, in as few rounds as this arity allows; the first round is smaller where it does not divide.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn uniform(bits: u32, log2_arity: u8) -> Result<Self, SearchError> {
        if !(1..=Self::MAX_LOG2_ARITY).contains(&log2_arity) {
            return Err(SearchError::Arity {
                round: 0,
                log2_arity,
            });
        }
        if !(1..=Self::MAX_BITS).contains(&bits) {
            return Err(SearchError::Bits { bits });
        }
        let each = u32::from(log2_arity);
        let rest = (bits % each) as u8; // cast ok: less than 4
        let first = (rest > 0).then_some(rest);
        let full = std::iter::repeat_n(log2_arity, (bits / each) as usize); // cast ok: at most 48
        Self::new(first.into_iter().chain(full).collect())
    }

    /// The logarithm of the arity of each round.
    pub fn log2_arities(&self) -> &[u8] {
        &self.log2_arities
    }

    /// How many rounds there are.
    pub fn rounds(&self) -> u32 {
        self.log2_arities.len() as u32 // cast ok: at most MAX_BITS
    }

    /// The logarithm of the number of intervals.
    pub fn bits(&self) -> u32 {
        self.log2_arities.iter().map(|&bits| u32::from(bits)).sum()
    }

    /// Into how many parts a round splits.
    ///
    /// # Panics
    /// If there is no such round.
    pub fn arity(&self, round: u32) -> u32 {
        1 << self.log2_arities[round as usize] // cast ok: an index
    }

    /// What is selected, in each round, if the search ends at an interval.
    ///
    /// # Panics
    /// If there is no such interval.
    pub fn selections(&self, interval: u64) -> Vec<u32> {
        assert!(
            interval >> self.bits() == 0,
            "there are 2^{} intervals",
            self.bits()
        );
        let mut rest = interval;
        let mut selections: Vec<u32> = self
            .log2_arities
            .iter()
            .rev()
            .map(|&bits| {
                let selection = rest & ((1 << bits) - 1);
                rest >>= bits;
                selection as u32 // cast ok: at most 4 bits
            })
            .collect();
        selections.reverse();
        selections
    }

    /// The intervals that are left after these selections, in the first rounds: which is the first, and how many there are.
    ///
    /// # Panics
    /// If there are more selections than rounds, or one is of no part.
    pub fn left_after(&self, selections: &[u32]) -> (u64, u64) {
        let mut first = 0;
        let mut count = 1 << self.bits();
        for (round, &selection) in (0..).zip(selections) {
            let arity = self.arity(round);
            assert!(selection < arity, "round {round} has {arity} parts");
            count /= u64::from(arity);
            first += u64::from(selection) * count;
        }
        (first, count)
    }

    /// Where the value before interval `position` (from 0), which is after the one before it, is revealed.
    ///
    /// # Panics
    /// If there is no such border: they are 0 to `2^bits`.
    pub fn border(&self, position: u64) -> Border {
        if position == 0 || position >> self.bits() == 1 {
            return Border::End;
        }
        let selections = self.selections(position);
        // The last round that does not select its first part ends at this border.
        let round = selections
            .iter()
            .rposition(|&selection| selection > 0)
            .expect("0 was an end");
        Border::Revealed {
            round: round as u32, // cast ok: at most MAX_BITS
            index: selections[round] - 1,
        }
    }

    /// All values that are revealed: round by round, from the left.
    pub fn revealed(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..self.rounds())
            .flat_map(|round| (0..self.arity(round) - 1).map(move |index| (round, index)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_revealed_where_both_sides_select() {
        for arities in [vec![1], vec![3], vec![1, 2, 3], vec![2, 2], vec![4, 1]] {
            let search = Search::new(arities).expect("in range");
            // Playing it: the interval that is left, and who reveals its borders.
            for interval in 0..1u64 << search.bits() {
                assert_eq!(
                    search.left_after(&search.selections(interval)),
                    (interval, 1)
                );
                let (mut low, mut size) = (0, 1u64 << search.bits());
                let (mut left, mut right) = (Border::End, Border::End);
                for (round, selection) in (0..).zip(search.selections(interval)) {
                    size /= u64::from(search.arity(round));
                    low += u64::from(selection) * size;
                    if selection > 0 {
                        left = Border::Revealed {
                            round,
                            index: selection - 1,
                        };
                    }
                    if selection + 1 < search.arity(round) {
                        right = Border::Revealed {
                            round,
                            index: selection,
                        };
                    }
                }
                assert_eq!((low, size), (interval, 1));
                assert_eq!(
                    (left, right),
                    (search.border(interval), search.border(interval + 1))
                );
            }
        }
    }

    #[test]
    fn what_is_no_search_is_refused() {
        assert_eq!(
            Search::new(vec![2, 5]),
            Err(SearchError::Arity {
                round: 1,
                log2_arity: 5
            })
        );
        assert_eq!(
            Search::new(vec![0]),
            Err(SearchError::Arity {
                round: 0,
                log2_arity: 0
            })
        );
        assert_eq!(Search::new(vec![]), Err(SearchError::Bits { bits: 0 }));
        assert_eq!(Search::uniform(49, 4), Err(SearchError::Bits { bits: 49 }));
        assert_eq!(
            Search::uniform(32, 3).expect("in range").log2_arities(),
            [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]
        );
    }
}
