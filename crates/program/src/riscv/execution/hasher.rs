//! Hashing beside the engine.

use std::sync::mpsc;

use crate::riscv::{Node, Tree};

/// How many trees wait to be hashed. Each holds the pages that changed before it, so the engine waits if it is too far ahead.
const WAITING: usize = 1;

/// How many trees there are at most: one that is handed over, those that wait, and one that is
/// hashed.
pub(super) const MOST_TREES: u64 = 2 + WAITING as u64; // cast ok: one

/// The roots of the trees that `produce` hands over, in order, which are about `count`. They are hashed while `produce` runs.
///
/// On all threads that rayon would use here but one, which is left to `produce`.
pub(super) fn roots(count: usize, produce: impl FnOnce(&mut dyn FnMut(Tree))) -> Vec<Node> {
    let mut roots = Vec::with_capacity(count);
    let threads = rayon::current_num_threads().saturating_sub(1).max(1);
    let pool = match count {
        0 | 1 => None,
        _ => rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .ok(),
    };
    let Some(pool) = pool else {
        produce(&mut |tree| roots.push(tree.root()));
        return roots;
    };
    let (sender, receiver) = mpsc::sync_channel::<Tree>(WAITING);
    pool.in_place_scope(|scope| {
        let roots = &mut roots;
        scope.spawn(move |_| roots.extend(receiver.iter().map(|tree| tree.root())));
        produce(&mut |tree| {
            // It fails only if the receiver is gone because of a panic, which comes out of the scope.
            let _ = sender.send(tree);
        });
        drop(sender);
    });
    roots
}
