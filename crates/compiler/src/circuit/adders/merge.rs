//! Merges adders into columns.

use std::collections::HashMap;

use super::ties::Ties;
use super::{Carry, Column, Columns, Finder, MAX_TOTAL};
use crate::circuit::network::{Literal, NodeId};

impl Finder<'_> {
    /// Merges adders into columns.
    pub(super) fn columns(mut self, merge: bool) -> Columns {
        let live: Vec<u32> = (0..self.adders.len() as u32)
            .filter(|&i| self.live_adder(i))
            .collect();
        let mut alone = vec![!merge; self.adders.len()];
        loop {
            let cluster = self.clusters(&live, &alone);
            let members = members_of(&live, &cluster);
            let mut broken = self.flip(&live, &cluster, &members);
            broken.extend(self.carries_astray(&cluster, &members));
            if broken.is_empty() {
                let (columns, roots) = self.build(&cluster, &members);
                let large: Vec<usize> = (0..roots.len())
                    .filter(|&i| columns.columns[i].max_total > MAX_TOTAL)
                    .collect();
                if large.is_empty() {
                    return columns;
                }
                for i in large {
                    broken.push(roots[i]);
                    broken.extend(
                        columns.columns[i]
                            .carries_in
                            .iter()
                            .map(|&c| roots[c as usize]),
                    );
                }
            }
            let before = alone.iter().filter(|&&a| a).count();
            for root in broken {
                for &adder in &members[&root] {
                    alone[adder as usize] = true;
                }
            }
            if alone.iter().filter(|&&a| a).count() == before {
                alone.fill(true);
            }
        }
    }

    /// The column of each adder, named by one of its members: an adder joins the one that alone reads its sum.
    fn clusters(&self, live: &[u32], alone: &[bool]) -> Vec<u32> {
        let mut cluster: Vec<u32> = (0..self.adders.len() as u32).collect();
        // The reader of a sum has the larger node, but adders are not in node order: follow the links.
        let next = |i: u32| -> Option<u32> {
            let adder = &self.adders[i as usize];
            let (reader, _) = self.readers[adder.sum as usize].only_adder()?;
            let joins = !alone[i as usize]
                && !alone[reader as usize]
                && adder.carry.is_some() == self.adders[reader as usize].carry.is_some();
            joins.then_some(reader)
        };
        for &i in live {
            let mut root = i;
            while let Some(reader) = next(root) {
                root = reader;
            }
            cluster[i as usize] = root;
        }
        cluster
    }

    /// Chooses the representation of each adder so that merged sums and number-valued carries are read
    /// uncomplemented: each such reading ties the flips of two adders. Returns the columns with a contradiction.
    fn flip(
        &mut self,
        live: &[u32],
        cluster: &[u32],
        members: &HashMap<u32, Vec<u32>>,
    ) -> Vec<u32> {
        let mut ties = Ties::new(self.adders.len());
        let mut broken = Vec::new();
        for &i in live
            .iter()
            .filter(|&&i| members[&cluster[i as usize]].len() > 1)
        {
            let adder = &self.adders[i as usize];
            let sum = (cluster[i as usize] != i).then_some((adder.sum, adder.sum_complement));
            for (node, complement) in sum.into_iter().chain(adder.carry.map(|c| (c, false))) {
                let Some((reader, position)) = self.readers[node as usize].only_adder() else {
                    continue;
                };
                let read = &self.adders[reader as usize];
                let differ = read.operands[position as usize].is_complement() ^ complement;
                // A parity takes either.
                if read.carry.is_some() && !ties.tie(i, reader, differ) {
                    broken.push(cluster[i as usize]);
                }
            }
        }
        for &i in live {
            self.adders[i as usize].flipped = ties.find(i).1;
        }
        broken.sort_unstable();
        broken.dedup();
        broken
    }

    /// Merged columns whose carries do not all go to one other column.
    fn carries_astray(&self, cluster: &[u32], members: &HashMap<u32, Vec<u32>>) -> Vec<u32> {
        let mut broken: Vec<u32> = members
            .iter()
            .filter(|(_, adders)| adders.len() > 1)
            .filter(|(_, adders)| {
                let mut targets = adders.iter().map(|&i| {
                    let carry = self.adders[i as usize].carry?;
                    let (reader, _) = self.readers[carry as usize].only_adder()?;
                    Some(cluster[reader as usize])
                });
                let first = targets.next().expect("a column has a member");
                let parity = adders
                    .iter()
                    .all(|&i| self.adders[i as usize].carry.is_none());
                !parity && (first.is_none() || targets.any(|t| t != first))
            })
            .map(|(&root, _)| root)
            .collect();
        broken.sort_unstable();
        broken
    }

    /// The columns, and the root adder of each.
    fn build(&self, cluster: &[u32], members: &HashMap<u32, Vec<u32>>) -> (Columns, Vec<u32>) {
        // A carry is a smaller node than the carry of the adder that reads it, so in the order of their last
        // carry (parities last) columns carry only into later ones.
        let mut roots: Vec<u32> = members.keys().copied().collect();
        roots.sort_unstable_by_key(|&r| {
            let last = members[&r]
                .iter()
                .map(|&i| self.adders[i as usize].carry)
                .max()
                .flatten();
            (last.unwrap_or(NodeId::MAX), r)
        });
        let index: HashMap<u32, u32> = roots
            .iter()
            .enumerate()
            .map(|(i, &root)| (root, i as u32))
            .collect();
        let mut columns: Vec<Column> = roots.iter().map(|_| Column::default()).collect();
        let mut producer = HashMap::new();
        for &root in &roots {
            let this = index[&root];
            let adders = &members[&root];
            let merged = adders.len() > 1;
            let mut sum_complement = false;
            for &i in adders {
                let adder = &self.adders[i as usize];
                if i == root {
                    columns[this as usize].sum = Some(adder.sum_literal());
                    producer.insert(adder.sum, this);
                }
                columns[this as usize].constant += adder.constant();
                for position in 0..adder.operands.len() {
                    let literal = adder.operand(position);
                    let from = self.producer.get(&literal.node()).copied();
                    let from_cluster = from.map(|f| cluster[f as usize]);
                    let from_merged =
                        from_cluster.is_some_and(|c| members.get(&c).is_some_and(|m| m.len() > 1));
                    match (from, from_cluster) {
                        // The sum of another member: part of the same total.
                        (Some(f), Some(c))
                            if c == root && self.adders[f as usize].sum == literal.node() => {}
                        (Some(f), Some(c))
                            if from_merged
                                && self.adders[f as usize].carry == Some(literal.node()) =>
                        {
                            // A parity takes a complemented carry as it is and complements its sum.
                            sum_complement ^=
                                literal.is_complement() ^ self.adders[f as usize].flipped;
                            let source = index[&c];
                            columns[source as usize].carry = Carry::Into(this);
                            if !columns[this as usize].carries_in.contains(&source) {
                                columns[this as usize].carries_in.push(source);
                            }
                        }
                        _ => columns[this as usize].operands.push(literal),
                    }
                }
                if let (false, Some(carry)) = (merged, adder.carry) {
                    columns[this as usize].carry = Carry::Bit(Literal::new(carry, adder.flipped));
                    producer.insert(carry, this);
                }
            }
            let sum = &mut columns[this as usize].sum;
            *sum = sum.map(|literal| literal.complement_if(sum_complement));
        }
        let mut all = Columns {
            columns,
            producer,
            required: self.required.clone(),
            majorities: self.majorities.clone(),
        };
        all.bound_totals();
        (all, roots)
    }
}

/// The adders of each column.
fn members_of(live: &[u32], cluster: &[u32]) -> HashMap<u32, Vec<u32>> {
    let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
    for &i in live {
        members.entry(cluster[i as usize]).or_default().push(i);
    }
    members
}

impl Columns {
    /// Calculates the largest total of every column from those that carry into it, which come earlier.
    fn bound_totals(&mut self) {
        for index in 0..self.columns.len() {
            let column = &self.columns[index];
            let carries: u32 = column
                .carries_in
                .iter()
                .map(|&c| self.columns[c as usize].max_total / 2)
                .sum();
            self.columns[index].max_total =
                column.operands.len() as u32 + column.constant + carries;
        }
    }
}
