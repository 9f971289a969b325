//! Which unconfirmed transactions miners take together, and in which order: chunks, and what
//! they come to.

use std::collections::HashSet;

use bitcoin::{FeeRate, Txid};

/// An unconfirmed transaction as a miner sees it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) txid: Txid,
    pub(super) fee_sat: u64,
    pub(super) vsize_vb: u64,
    /// Txids of what it spends, unconfirmed or not.
    pub(super) spends: Vec<Txid>,
}

/// Transactions that are in a block together or not at all.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    pub(super) txids: Vec<Txid>,
    pub(super) fee_sat: u64,
    pub(super) vsize_vb: u64,
}

impl Chunk {
    fn add(&mut self, other: Self) {
        self.txids.extend(other.txids);
        self.fee_sat += other.fee_sat;
        self.vsize_vb += other.vsize_vb;
    }

    /// Whether it pays at least this feerate.
    pub(super) fn pays(&self, feerate: FeeRate) -> bool {
        // A thousand weight units are 250 virtual bytes.
        u128::from(self.fee_sat) * 250
            >= u128::from(feerate.to_sat_per_kwu()) * u128::from(self.vsize_vb)
    }

    /// Whether this one pays more for each virtual byte.
    fn pays_more_than(&self, other: &Self) -> bool {
        u128::from(self.fee_sat) * u128::from(other.vsize_vb)
            > u128::from(other.fee_sat) * u128::from(self.vsize_vb)
    }
}

/// Divides transactions, parents first, into chunks, those that pay most for each virtual byte first.
///
/// Clusters are put into order by the best set of a transaction with its ancestors. Core finds the
/// best order of all, which is the same where a transaction has one child.
// Bitcoin Core, src/txgraph.cpp and src/cluster_linearize.h
pub(super) fn chunks(members: &[Member]) -> Vec<Chunk> {
    let mut all: Vec<Chunk> = clusters(members)
        .into_iter()
        .flat_map(|cluster| of_cluster(&cluster))
        .collect();
    // The order within a cluster is one of falling feerates, which a stable sort keeps.
    all.sort_by(|a, b| {
        let (a_rate, b_rate) = (
            u128::from(a.fee_sat) * u128::from(b.vsize_vb),
            u128::from(b.fee_sat) * u128::from(a.vsize_vb),
        );
        b_rate.cmp(&a_rate)
    });
    all
}

fn clusters(members: &[Member]) -> Vec<Vec<&Member>> {
    let mut clusters: Vec<(HashSet<Txid>, Vec<&Member>)> = Vec::new();
    for member in members {
        // Parents come first, so what it spends is in a cluster by now.
        let (mut joined, apart): (Vec<_>, Vec<_>) = clusters
            .into_iter()
            .partition(|(txids, _)| member.spends.iter().any(|spent| txids.contains(spent)));
        clusters = apart;
        let mut cluster = joined.pop().unwrap_or_default();
        for (txids, other) in joined {
            cluster.0.extend(txids);
            cluster.1.extend(other);
        }
        cluster.0.insert(member.txid);
        cluster.1.push(member);
        clusters.push(cluster);
    }
    clusters.into_iter().map(|(_, cluster)| cluster).collect()
}

fn of_cluster(cluster: &[&Member]) -> Vec<Chunk> {
    let mut left: Vec<&Member> = cluster.to_vec();
    let mut found: Vec<Chunk> = Vec::new();
    while !left.is_empty() {
        let mut best: Option<Chunk> = None;
        for member in &left {
            let set = with_ancestors(&left, member);
            if best.as_ref().is_none_or(|best| set.pays_more_than(best)) {
                best = Some(set);
            }
        }
        let mut next = best.unwrap_or_default();
        left.retain(|member| !next.txids.contains(&member.txid));
        while let Some(last) = found.pop_if(|last| next.pays_more_than(last)) {
            let later = std::mem::replace(&mut next, last);
            next.add(later);
        }
        found.push(next);
    }
    found
}

/// A transaction with its ancestors among these.
fn with_ancestors(among: &[&Member], member: &Member) -> Chunk {
    let mut wanted = HashSet::from([member.txid]);
    loop {
        let before = wanted.len();
        for other in among {
            if wanted.contains(&other.txid) {
                let spent = other.spends.iter();
                wanted.extend(spent.filter(|&spent| among.iter().any(|m| m.txid == *spent)));
            }
        }
        if wanted.len() == before {
            break;
        }
    }
    let mut set = Chunk::default();
    for other in among.iter().filter(|other| wanted.contains(&other.txid)) {
        set.txids.push(other.txid);
        set.fee_sat += other.fee_sat;
        set.vsize_vb += other.vsize_vb;
    }
    set
}

/// Whether the best `n` virtual bytes of the new chunks pay at least as much as those of the old
/// ones for each `n`, and more for some.
// Bitcoin Core, src/util/feefrac.cpp: CompareChunks
pub(super) fn improves(old: &[Chunk], new: &[Chunk]) -> bool {
    let (old, new) = (points(old), points(new));
    let mut better = false;
    for &(vsize_vb, _) in old.iter().chain(&new) {
        let (old_sat, old_parts) = fee_at(&old, vsize_vb);
        let (new_sat, new_parts) = fee_at(&new, vsize_vb);
        match (new_sat * old_parts).cmp(&(old_sat * new_parts)) {
            std::cmp::Ordering::Less => return false,
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => better = true,
        }
    }
    better
}

/// Virtual bytes and fees of the first chunk, the first two, and so on, after nothing.
fn points(chunks: &[Chunk]) -> Vec<(u128, u128)> {
    let mut points = vec![(0, 0)];
    let (mut vsize_vb, mut fee_sat) = (0, 0);
    for chunk in chunks {
        vsize_vb += u128::from(chunk.vsize_vb);
        fee_sat += u128::from(chunk.fee_sat);
        points.push((vsize_vb, fee_sat));
    }
    points
}

/// What the best virtual bytes pay, as a fraction.
fn fee_at(points: &[(u128, u128)], vsize_vb: u128) -> (u128, u128) {
    for pair in points.windows(2) {
        let ((from_vb, from_sat), (to_vb, to_sat)) = (pair[0], pair[1]);
        if vsize_vb <= to_vb && from_vb < to_vb {
            let parts = to_vb - from_vb;
            return (
                from_sat * parts + (to_sat - from_sat) * (vsize_vb - from_vb),
                parts,
            );
        }
    }
    (points.last().map_or(0, |&(_, fee_sat)| fee_sat), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;

    fn txid(tag: u8) -> Txid {
        Txid::from_byte_array([tag; 32])
    }

    fn member(tag: u8, fee_sat: u64, vsize_vb: u64, spends: &[u8]) -> Member {
        Member {
            txid: txid(tag),
            fee_sat,
            vsize_vb,
            spends: spends.iter().map(|&tag| txid(tag)).collect(),
        }
    }

    fn of(members: &[Member]) -> Vec<(Vec<u8>, u64, u64)> {
        let of_chunk = |chunk: Chunk| {
            let tags = chunk.txids.iter().map(|txid| txid.to_byte_array()[0]);
            (tags.collect(), chunk.fee_sat, chunk.vsize_vb)
        };
        chunks(members).into_iter().map(of_chunk).collect()
    }

    #[test]
    fn a_child_is_with_the_parent_that_it_pays_for() {
        let (parent, child) = (member(1, 0, 200, &[9]), member(2, 1_000, 100, &[1]));
        let other = member(3, 400, 100, &[]);
        let poor = member(4, 10, 100, &[1]);
        assert_eq!(
            of(&[parent.clone(), child.clone(), other, poor]),
            [
                (vec![3], 400, 100),
                (vec![1, 2], 1_000, 300),
                (vec![4], 10, 100)
            ]
        );
        let rich = member(1, 5_000, 200, &[]);
        assert_eq!(of(&[rich, child]).len(), 2);
        // Two children that together pay for it.
        let children = [member(5, 600, 100, &[1]), member(6, 600, 100, &[1])];
        let family = [&[parent][..], &children].concat();
        assert_eq!(of(&family), [(vec![1, 5, 6], 1_200, 400)]);
    }

    #[test]
    fn a_diagram_improves_if_it_is_nowhere_below() {
        let chunk = |fee_sat, vsize_vb| Chunk {
            txids: Vec::new(),
            fee_sat,
            vsize_vb,
        };
        let old = [chunk(100, 100), chunk(50, 100)];
        for (new, improved) in [
            (vec![chunk(101, 100), chunk(50, 100)], true),
            (vec![chunk(100, 100), chunk(50, 100)], false),
            (vec![chunk(100, 100), chunk(50, 90)], true),
            (vec![chunk(150, 150)], true),
            (vec![chunk(150, 160)], false),
            (vec![chunk(300, 400)], false),
            (vec![chunk(149, 10)], false),
            (vec![chunk(150, 10)], true),
            (vec![], false),
        ] {
            assert_eq!(improves(&old, &new), improved, "{new:?}");
        }
        assert!(improves(&[], &[chunk(1, 1)]));
    }
}
