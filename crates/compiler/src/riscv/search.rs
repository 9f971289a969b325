//! The shape of a search: into how many parts each round splits what is left.

/// Rounds of a search over intervals: round `r` splits what is left into [`arity(r)`](Self::arity) parts, so there are as many intervals as the product
/// of all arities.
///
/// In each round the prover reveals the values at the borders inside, and the challenger selects a part. What was selected, read as digits
/// of these bases with the first round's most significant, is the number of the interval where the search ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Search {
    arities: Vec<u32>,
    count: u64,
}

/// Why rounds make no search.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A round splits into too many parts, or does not split.
    #[error(
        "round {round} splits into {arity} parts; 2 to {} are possible",
        Search::MAX_ARITY
    )]
    Arity {
        /// The round.
        round: usize,
        /// The number of parts asked for.
        arity: u32,
    },
    /// There is no round, or there are too many intervals.
    #[error("{count} intervals; 2 to {} are possible", Search::MAX_COUNT)]
    Count {
        /// The number of intervals, or `u64::MAX` if there are more.
        count: u64,
    },
}

/// What was selected in a round is none of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("part {selection} of round {round}, which has {arity}")]
pub struct SelectionError {
    /// The round.
    pub round: u32,
    /// What was selected, counted from 0.
    pub selection: u32,
    /// How many parts there are.
    pub arity: u32,
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
    pub const MAX_ARITY: u32 = 16;

    /// At most 2^48 intervals.
    pub const MAX_COUNT: u64 = 1 << 48;

    /// A search whose rounds split into so many parts each.
    ///
    /// # Errors
    /// If a round splits into fewer than 2 or more than 16 parts, or there are no rounds or more than 2^48 intervals.
    pub fn new(arities: Vec<u32>) -> Result<Self, SearchError> {
        for (round, &arity) in arities.iter().enumerate() {
            check_arity(round, arity)?;
        }
        let product = |count: u64, &arity: &u32| count.saturating_mul(arity.into());
        let count = arities.iter().fold(1, product);
        check_count(count)?;
        Ok(Self { arities, count })
    }

    /// A search over `2^bits` intervals, in as few rounds as the arity `2^log2_arity` allows; the first round is smaller where it does not divide.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn uniform(bits: u32, log2_arity: u8) -> Result<Self, SearchError> {
        let arity = 1u32.checked_shl(log2_arity.into()).unwrap_or(u32::MAX);
        Self::at_least(1u64.checked_shl(bits).unwrap_or(u64::MAX), arity)
    }

    /// A search over at least `count` intervals, in as few rounds of this arity as that takes, the first one as small as it may be.
    ///
    /// ```
    /// use tapcourt_compiler::riscv::Search;
    ///
    /// let search = Search::at_least(1_000, 6)?;
    /// assert_eq!(search.arities(), [5, 6, 6, 6]);
    /// assert_eq!(search.count(), 1_080);
    /// # Ok::<(), tapcourt_compiler::riscv::SearchError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::new`], of the intervals that it would have.
    pub fn at_least(count: u64, arity: u32) -> Result<Self, SearchError> {
        check_arity(0, arity)?;
        check_count(count)?;
        let mut later = 1u64;
        let mut rounds = 1;
        while later * u64::from(arity) < count {
            later *= u64::from(arity);
            rounds += 1;
        }
        let mut arities = vec![arity; rounds];
        arities[0] = count.div_ceil(later) as u32; // cast ok: at most the arity
        Self::new(arities)
    }

    /// Into how many parts each round splits.
    pub fn arities(&self) -> &[u32] {
        &self.arities
    }

    /// How many rounds there are.
    pub fn rounds(&self) -> u32 {
        self.arities.len() as u32 // cast ok: at most 48
    }

    /// How many intervals there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Into how many parts a round splits.
    ///
    /// # Panics
    /// If there is no such round.
    pub fn arity(&self, round: u32) -> u32 {
        self.arities[round as usize] // cast ok: an index
    }

    /// Bits of what is selected in a round: 1 to 4. Where the arity is no power of two, they can also say more than it.
    ///
    /// # Panics
    /// If there is no such round.
    pub fn selection_bits(&self, round: u32) -> u8 {
        (self.arity(round) - 1)
            .checked_ilog2()
            .map_or(0, |log2| log2 as u8 + 1) // cast ok: below 32
    }

    /// What is selected, in each round, if the search ends at an interval.
    ///
    /// # Panics
    /// If there is no such interval.
    pub fn selections(&self, interval: u64) -> Vec<u32> {
        assert!(
            interval < self.count,
            "interval {interval} of {}",
            self.count
        );
        let mut size = self.count;
        let mut rest = interval;
        let part_of = |&arity: &u32| {
            size /= u64::from(arity);
            let selection = rest / size;
            rest %= size;
            selection as u32 // cast ok: less than the arity
        };
        self.arities.iter().map(part_of).collect()
    }

    /// The intervals that are left after these selections, in the first rounds: which is the first, and how many there are.
    ///
    /// # Errors
    /// If one of the selections is of no part.
    ///
    /// # Panics
    /// If there are more selections than rounds.
    pub fn left_after(&self, selections: &[u32]) -> Result<(u64, u64), SelectionError> {
        let mut first = 0;
        let mut count = self.count;
        for (round, &selection) in (0..).zip(selections) {
            let arity = self.arity(round);
            if selection >= arity {
                return Err(SelectionError {
                    round,
                    selection,
                    arity,
                });
            }
            count /= u64::from(arity);
            first += u64::from(selection) * count;
        }
        Ok((first, count))
    }

    /// The borders of the parts into which the round after these selections splits what is left, both ends included.
    ///
    /// # Errors
    /// If a selection is of no part.
    ///
    /// # Panics
    /// If there is no round after them.
    pub fn borders(&self, selections: &[u32]) -> Result<Vec<u64>, SelectionError> {
        let (first, count) = self.left_after(selections)?;
        let parts = u64::from(self.arity(selections.len() as u32)); // cast ok: at most 48
        let part = count / parts;
        Ok((0..=parts).map(|border| first + border * part).collect())
    }

    /// Where the value before interval `position` (from 0), which is after the one before it, is revealed.
    ///
    /// # Panics
    /// If there is no such border: they are 0 to [`count`](Self::count).
    pub fn border(&self, position: u64) -> Border {
        if position == 0 || position == self.count {
            return Border::End;
        }
        let selections = self.selections(position);
        // The last round that does not select its first part ends at this border.
        let round = selections
            .iter()
            .rposition(|&selection| selection > 0)
            .expect("0 was an end");
        Border::Revealed {
            round: round as u32, // cast ok: at most 48
            index: selections[round] - 1,
        }
    }

    /// All values that are revealed: round by round, from the left.
    pub fn revealed(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..self.rounds())
            .flat_map(|round| (0..self.arity(round) - 1).map(move |index| (round, index)))
    }
}

fn check_arity(round: usize, arity: u32) -> Result<(), SearchError> {
    match arity {
        2..=Search::MAX_ARITY => Ok(()),
        _ => Err(SearchError::Arity { round, arity }),
    }
}

fn check_count(count: u64) -> Result<(), SearchError> {
    match count {
        2..=Search::MAX_COUNT => Ok(()),
        _ => Err(SearchError::Count { count }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_revealed_where_both_sides_select() {
        for arities in [
            vec![2],
            vec![8],
            vec![3],
            vec![2, 4, 8],
            vec![4, 4],
            vec![16, 2],
            vec![2, 3, 5],
            vec![15, 7],
            vec![6, 6],
        ] {
            let search = Search::new(arities).expect("in range");
            assert_eq!(
                search.count(),
                search.arities().iter().copied().map(u64::from).product()
            );
            // Playing it: the interval that is left, and who reveals its borders.
            for interval in 0..search.count() {
                assert_eq!(
                    search.left_after(&search.selections(interval)),
                    Ok((interval, 1))
                );
                let (mut low, mut size) = (0, search.count());
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
            assert_eq!(
                search.revealed().count(),
                search
                    .arities()
                    .iter()
                    .map(|&arity| arity as usize - 1)
                    .sum() // cast ok: at most 16
            );
        }
    }

    #[test]
    fn a_selection_has_the_bits_of_its_largest_value() {
        for arity in 2..=Search::MAX_ARITY {
            let search = Search::new(vec![arity]).expect("in range");
            let bits = search.selection_bits(0);
            assert!((1..=4).contains(&bits));
            let selections = 1u32 << bits;
            assert!(selections >= arity && selections / 2 < arity, "{arity}");
            for selection in 0..selections {
                let expected = if selection < arity {
                    Ok((selection.into(), 1))
                } else {
                    Err(SelectionError {
                        round: 0,
                        selection,
                        arity,
                    })
                };
                assert_eq!(search.left_after(&[selection]), expected);
            }
        }
    }

    /// As few rounds as possible, and with the first one smaller there would be too few intervals.
    #[test]
    fn at_least_is_the_least() {
        let counts = (2..600).chain([1 << 20, 10_000_019, (1 << 32) - 1, 1 << 40]);
        for count in counts {
            for arity in 2..=Search::MAX_ARITY {
                let search = Search::at_least(count, arity).expect("in range");
                let (&first, later) = search.arities().split_first().expect("a round");
                assert!(later.iter().all(|&other| other == arity));
                assert!((2..=arity).contains(&first));
                let of_later: u64 = later.iter().copied().map(u64::from).product();
                assert!(search.count() >= count && of_later < count);
                assert!(search.count() - of_later < count, "{count} {arity}");
            }
        }
    }

    #[test]
    fn uniform_is_of_powers_of_two() {
        for bits in 1..=48 {
            for log2_arity in 1..=4 {
                let search = Search::uniform(bits, log2_arity).expect("in range");
                assert_eq!(search.count(), 1 << bits);
                assert_eq!(search.rounds(), bits.div_ceil(log2_arity.into()));
            }
        }
        assert_eq!(
            Search::uniform(32, 3).expect("in range").arities(),
            [4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8]
        );
    }

    #[test]
    fn what_is_no_search_is_refused() {
        let count = |count| Err(SearchError::Count { count });
        let arity = |round, arity| Err(SearchError::Arity { round, arity });
        assert_eq!(Search::new(vec![4, 17]), arity(1, 17));
        assert_eq!(Search::new(vec![1]), arity(0, 1));
        assert_eq!(Search::new(vec![]), count(1));
        assert_eq!(Search::new(vec![2; 49]), count(1 << 49));
        assert_eq!(Search::new(vec![16; 100]), count(u64::MAX));
        assert_eq!(Search::uniform(49, 4), count(1 << 49));
        assert_eq!(Search::uniform(200, 4), count(u64::MAX));
        assert_eq!(Search::uniform(0, 4), count(1));
        assert_eq!(Search::uniform(8, 0), arity(0, 1));
        assert_eq!(Search::uniform(8, 5), arity(0, 32));
        assert_eq!(Search::uniform(8, 77), arity(0, u32::MAX));
        assert_eq!(Search::at_least(1, 4), count(1));
        // 3^30 are too few, and twice that too many.
        assert_eq!(Search::at_least(1 << 48, 3), count(2 * 3u64.pow(30)));
    }
}
