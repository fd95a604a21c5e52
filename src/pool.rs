//! The threads that carry objects. The only place that knows rayon.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A fixed number of threads. Tasks are flat: one object or one part each, and
/// none waits for another or for memory, so no task can hold up the pool.
pub struct Pool(rayon::ThreadPool);

/// The pool's threads could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {workers} worker threads: {source}; lower `workers` in the configuration")]
pub struct PoolError {
    workers: usize,
    source: rayon::ThreadPoolBuildError,
}

impl Pool {
    /// Starts `workers` threads.
    ///
    /// # Errors
    /// If the system refuses them.
    pub fn new(workers: usize) -> Result<Self, PoolError> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(workers)
            .thread_name(|index| format!("worker-{index}"))
            .build()
            .map(Self)
            .map_err(|source| PoolError { workers, source })
    }

    /// Runs `task` on a free thread, tasks in the order given; `done` gets its
    /// value, or `None` if it panicked.
    pub fn spawn<T>(
        &self,
        task: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(Option<T>) + Send + 'static,
    ) {
        // A task's panic is a fault in one object's handling. The object fails
        // as `internal`; the run and its books go on.
        self.0
            .spawn_fifo(move || done(catch_unwind(AssertUnwindSafe(task)).ok()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_task_that_panics_is_reported_and_the_pool_goes_on() {
        let pool = Pool::new(1).unwrap();
        let (sender, receiver) = mpsc::channel();
        let second = sender.clone();
        pool.spawn(
            || panic!("as intended"),
            move |value: Option<()>| {
                sender.send(value.is_none()).unwrap();
            },
        );
        pool.spawn(|| 7, move |value| second.send(value == Some(7)).unwrap());
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [true, true]);
    }
}
