//! The threads that carry objects. The only place that knows rayon.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Failure, FailureCause};

type Task = Box<dyn FnOnce() + Send>;

/// A fixed number of threads. Tasks are flat: one object or one part each, and
/// none waits for another or for memory, so no task can hold up the pool.
///
/// Rayon gives the threads; the queue is a channel. Its own queues are made for
/// short computations: threads that find nothing to do search each other's before
/// they sleep, which costs processor time for nothing where most of the time all
/// wait for the network.
pub struct Pool {
    tasks: Sender<Task>,
    _threads: rayon::ThreadPool,
}

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
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(workers)
            .thread_name(|index| format!("worker-{index}"))
            .build()
            .map_err(|source| PoolError { workers, source })?;
        let (tasks, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        threads.spawn_broadcast(move |_| work_off(&queue));
        Ok(Self {
            tasks,
            _threads: threads,
        })
    }

    /// Runs `task` on a free thread; tasks begin in the order given.
    pub fn spawn(&self, task: impl FnOnce() + Send + 'static) {
        // The threads stay as long as the pool.
        drop(self.tasks.send(Box::new(task)));
    }
}

/// Does one task after the other, until the pool is dropped.
fn work_off(queue: &Mutex<Receiver<Task>>) {
    loop {
        let task = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = task else {
            return;
        };
        // Tasks catch their panics; one that does not must not cost a thread.
        drop(catch_unwind(AssertUnwindSafe(task)));
    }
}

/// Does `work`; a panic in it is a fault in the handling of one object, which
/// fails as `internal` while the run and its books go on.
///
/// # Errors
/// What `work` answers, or that it panicked.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Failure::new(
            FailureCause::Internal,
            "the handling of this object panicked; please report it with the log of this run",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_fails_the_object_as_internal() {
        let failure = guarded::<()>(|| panic!("as intended")).unwrap_err();
        assert_eq!(failure.cause, FailureCause::Internal);
        assert_eq!(guarded(|| Ok(7)), Ok(7));
    }

    #[test]
    fn tasks_run_on_other_threads() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let pool = Pool::new(2).unwrap();
        for number in 0..4 {
            let sender = sender.clone();
            pool.spawn(move || sender.send(number).unwrap());
        }
        drop(sender);
        let mut numbers: Vec<i32> = receiver.iter().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3]);
    }
}
