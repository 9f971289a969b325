//! Which values share a one-time key.

use std::collections::BTreeMap;

use crate::circuit::cells::ValueId;

/// Values by the cluster that computes them and the clusters that read them.
pub(super) type BySignature = BTreeMap<(u32, Vec<u32>), Vec<ValueId>>;

/// Makes groups of values that are produced together and read by much the same leaves; large groups are split.
pub(super) fn into_groups(by_signature: BySignature, cap: usize) -> Vec<Vec<ValueId>> {
    let small = cap.min(24);
    // Only the last groups are looked at: signatures are sorted, so like ones are near.
    const NEAR: usize = 12;
    let mut groups: Vec<(u32, Vec<u32>, Vec<ValueId>)> = Vec::new();
    for ((producer, readers), values) in by_signature {
        let alike = |others: &[u32]| {
            let shared = shared(&readers, others);
            2 * shared >= readers.len().max(others.len())
        };
        let best = groups
            .iter_mut()
            .rev()
            .take(NEAR)
            .filter(|(p, others, have)| {
                *p == producer && (alike(others) || have.len() < small || values.len() < small)
            })
            .max_by_key(|(_, others, _)| shared(&readers, others));
        match best {
            Some((_, others, have)) => {
                if values.len() > have.len() {
                    others.clone_from(&readers);
                }
                have.extend(values);
            }
            None => groups.push((producer, readers, values)),
        }
    }
    groups
        .into_iter()
        .flat_map(|(_, _, mut values)| {
            values.sort_unstable();
            let parts = values.len().div_ceil(cap);
            let size = values.len().div_ceil(parts);
            values
                .chunks(size)
                .map(<[ValueId]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// How many elements two sorted lists share.
fn shared(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, count) = (i + 1, j + 1, count + 1);
            }
        }
    }
    count
}
