//! Work shared among threads.

/// Lets every thread of the machine work on a part, and returns what they make in the order of `all`.
///
/// Trees are hashed on the thread itself: a worker of a shared pool would take up other parts while it waits.
///
/// # Panics
/// If the work does.
pub fn share<T: Send, R: Send>(
    all: impl IntoIterator<Item = T>,
    work: impl Fn(Vec<T>) -> Vec<R> + Sync,
) -> Vec<R> {
    let mut all: Vec<T> = all.into_iter().collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(threads).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        while !all.is_empty() {
            let rest = all.split_off(share.min(all.len()));
            let part = std::mem::replace(&mut all, rest);
            workers.push(scope.spawn(move || {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
                pool.expect("a thread").install(|| work(part))
            }));
        }
        let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<R>>| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect()
    })
}
