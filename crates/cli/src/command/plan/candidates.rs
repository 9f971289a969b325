//! The searches worth having, priced.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tapcourt_compiler::riscv::{Court, CourtOptions, Paths, Search};
use tapcourt_program::riscv::AddressSpace;
use tapcourt_protocol::Parameters;
use tapcourt_verifier::{Program, Quote};

use crate::error::CliResult;

/// Arities by which a trace is searched in all rounds alike.
const UNIFORM: [u32; 5] = [2, 3, 4, 8, 16];

/// Searches over a path that go with an arity of 4, besides the default one.
const PATHS: [&[u32]; 3] = [&[2; 5], &[2, 2, 2, 4], &[8, 4]];

/// A search with its price.
pub(super) struct Candidate {
    pub(super) trace: Search,
    pub(super) path: Search,
    pub(super) quote: Quote,
}

/// All searches over a program's trace.
pub(super) struct Candidates {
    court: Court,
    parameters: Parameters,
    max_steps: u64,
}

/// What something adds to a worst case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Price {
    transactions: usize,
    vsize_vb: u64,
}

/// Rounds of a search over a trace, by what they add to the worst case.
#[derive(Debug, Clone)]
struct Rounds {
    arities: Vec<u32>,
    /// Intervals, at most as many as are needed.
    count: u64,
    vsize_vb: u64,
}

impl Candidates {
    pub(super) fn new(court: Court, parameters: Parameters, max_steps: u64) -> Self {
        Self {
            court,
            parameters,
            max_steps,
        }
    }

    fn space(&self) -> AddressSpace {
        self.court.program().space()
    }

    fn quote(&self, trace: &Search, path: &Search) -> CliResult<Quote> {
        let court = self.court.with_searches(trace.clone(), path.clone())?;
        Ok(Program::trace(court)?.quote(self.parameters.clone())?)
    }

    fn price(&self, trace: &Search, path: &Search) -> CliResult<Price> {
        let quote = self.quote(trace, path)?;
        Ok(Price {
            transactions: quote.worst_transactions,
            vsize_vb: quote.worst.vsize_vb(),
        })
    }

    /// Prices these searches.
    pub(super) fn these(&self, searches: &[(Search, Search)]) -> CliResult<Vec<Candidate>> {
        let searches = searches.par_iter();
        let quoted = searches.map(|(trace, path)| {
            Ok(Candidate {
                trace: trace.clone(),
                path: path.clone(),
                quote: self.quote(trace, path)?,
            })
        });
        quoted.collect()
    }

    /// Prices searches of one arity, and for each number of transactions the search that has the fewest virtual bytes in the worst case, as
    /// long as more transactions make it fewer.
    pub(super) fn worth_having(&self) -> CliResult<Vec<Candidate>> {
        let mut searches = Vec::new();
        for arity in UNIFORM {
            // Beyond 2^48 intervals there is none.
            let Ok(trace) = Search::at_least(self.max_steps, arity) else {
                continue;
            };
            if arity == 4 {
                for path in PATHS {
                    searches.push((trace.clone(), Search::new(path.to_vec())?));
                }
            }
            searches.push((trace, CourtOptions::default_path(self.space())));
        }
        for search in self.best_by_transactions()? {
            if !searches.contains(&search) {
                searches.push(search);
            }
        }
        self.these(&searches)
    }

    /// The best search for each number of transactions, with as many as make it better.
    ///
    /// What a round adds depends on its arity alone, but for a byte or two where transactions are rounded up. So the best rounds are found by
    /// adding up, and only the results are priced as a whole.
    fn best_by_transactions(&self) -> CliResult<Vec<(Search, Search)>> {
        let traces = self.best_traces()?;
        let paths = self.best_paths()?;
        let mut best: BTreeMap<usize, (u64, &Rounds, &Search)> = BTreeMap::new();
        for (trace_transactions, trace) in &traces {
            for (price, path) in &paths {
                let vsize_vb = trace.vsize_vb + price.vsize_vb;
                let entry = best
                    .entry(trace_transactions + price.transactions)
                    .or_insert((vsize_vb, trace, path));
                if vsize_vb < entry.0 {
                    *entry = (vsize_vb, trace, path);
                }
            }
        }
        let mut least = u64::MAX;
        let mut searches = Vec::new();
        for (vsize_vb, trace, path) in best.into_values() {
            if vsize_vb < least {
                least = vsize_vb;
                searches.push((Search::new(trace.arities.clone())?, path.clone()));
            }
        }
        Ok(searches)
    }

    /// The rounds over the trace with the fewest virtual bytes, for each number of transactions that they take.
    fn best_traces(&self) -> CliResult<BTreeMap<usize, Rounds>> {
        let rounds = self.round_prices()?;
        let none = Rounds {
            arities: Vec::new(),
            count: 1,
            vsize_vb: 0,
        };
        // By transactions: those of which no other one has more intervals for fewer bytes.
        let mut open = BTreeMap::from([(0usize, vec![none])]);
        let mut best: BTreeMap<usize, Rounds> = BTreeMap::new();
        while let Some((transactions, partial)) = open.pop_first() {
            for before in undominated(partial) {
                if before.count >= self.max_steps {
                    best.insert(transactions, before);
                    continue;
                }
                for &(arity, price) in &rounds {
                    // Falling arities, turned round below, so that each set of them comes up once.
                    if before.arities.last().is_some_and(|&last| last < arity) {
                        continue;
                    }
                    let count = before.count.saturating_mul(arity.into());
                    let after = Rounds {
                        arities: [&before.arities[..], &[arity]].concat(),
                        count: count.min(self.max_steps),
                        vsize_vb: before.vsize_vb + price.vsize_vb,
                    };
                    open.entry(transactions + price.transactions)
                        .or_default()
                        .push(after);
                }
            }
        }
        for rounds in best.values_mut() {
            rounds.arities.reverse();
        }
        best.retain(|_, rounds| Search::new(rounds.arities.clone()).is_ok());
        Ok(best)
    }

    /// What one more round adds, by its arity.
    fn round_prices(&self) -> CliResult<Vec<(u32, Price)>> {
        let path = CourtOptions::default_path(self.space());
        let of_arity = |arity: u32| {
            let [shorter, longer] = [2, 3].map(|rounds| {
                let search = Search::new(vec![arity; rounds])?;
                self.price(&search, &path)
            });
            let (shorter, longer) = (shorter?, longer?);
            let price = Price {
                transactions: longer.transactions - shorter.transactions,
                vsize_vb: longer.vsize_vb - shorter.vsize_vb,
            };
            Ok((arity, price))
        };
        let arities = (2..=Search::MAX_ARITY).into_par_iter();
        arities.map(of_arity).collect()
    }

    /// The searches over a path with the fewest virtual bytes, for each number of transactions.
    fn best_paths(&self) -> CliResult<Vec<(Price, Search)>> {
        let trace = Search::new(vec![2])?;
        let mut best: BTreeMap<usize, (Price, Search)> = BTreeMap::new();
        let paths = path_arities(self.space().levels()).into_par_iter();
        let priced = paths.map(|arities| {
            let path = Search::new(arities)?;
            Ok((self.price(&trace, &path)?, path))
        });
        for (price, path) in priced.collect::<CliResult<Vec<_>>>()? {
            let entry = best
                .entry(price.transactions)
                .or_insert_with(|| (price, path.clone()));
            if price.vsize_vb < entry.0.vsize_vb {
                *entry = (price, path);
            }
        }
        Ok(best.into_values().collect())
    }
}

/// Drops what has no more intervals, and no fewer bytes, than another.
fn undominated(mut all: Vec<Rounds>) -> Vec<Rounds> {
    all.sort_by_key(|rounds| (std::cmp::Reverse(rounds.count), rounds.vsize_vb));
    let mut least = u64::MAX;
    all.retain(|rounds| {
        let is_better = rounds.vsize_vb < least;
        least = least.min(rounds.vsize_vb);
        is_better
    });
    all
}

/// Searches over a path, smallest arities first, that reveal few nodes for their number of rounds: at most one more than the fewest.
fn path_arities(levels: u32) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    let mut open = vec![(Vec::new(), 1u64)];
    while let Some((arities, count)) = open.pop() {
        if count >= levels.into() {
            all.push(arities);
            continue;
        }
        for arity in arities.last().copied().unwrap_or(2)..=Search::MAX_ARITY {
            let count = count * u64::from(arity);
            if count <= Paths::MAX_SEARCH_COUNT {
                open.push(([&arities[..], &[arity]].concat(), count));
            }
        }
    }
    let nodes = |arities: &[u32]| arities.iter().map(|arity| arity - 1).sum::<u32>();
    let mut fewest: BTreeMap<usize, u32> = BTreeMap::new();
    for arities in &all {
        let entry = fewest.entry(arities.len()).or_insert(u32::MAX);
        *entry = nodes(arities).min(*entry);
    }
    all.retain(|arities| nodes(arities) <= fewest[&arities.len()] + 1);
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_few_nodes_are_tried() {
        let paths = path_arities(24);
        for path in [
            &[2, 2, 2, 2, 2][..],
            &[2, 2, 2, 3],
            &[2, 3, 4],
            &[3, 3, 3],
            &[4, 6],
        ] {
            assert!(paths.contains(&path.to_vec()), "{path:?}");
        }
        assert!(paths.len() < 40, "{}", paths.len());
        for path in paths {
            assert!(path.is_sorted());
            let count = Search::new(path).expect("a search").count();
            assert!((24..=64).contains(&count));
        }
    }
}
