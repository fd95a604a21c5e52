//! The threads that carry objects. The only place that knows rayon.

use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::model::{Failure, FailureCause};

type Task = Box<dyn FnOnce() + Send>;

/// A fixed number of threads. Tasks are flat: one object or one part each, and
/// none waits for another or for memory, so no task can hold up the pool.
///
/// Rayon gives the threads; the queue is our own. Rayon's are made for short
/// computations: threads that find nothing to do search each other's before they
/// sleep, which costs processor time for nothing where most of the time all wait
/// for the network.
pub struct Pool {
    queue: Arc<Queue>,
    _threads: rayon::ThreadPool,
}

/// Where tasks for a [`Pool`] are left. Cloning it is cheap.
#[derive(Clone)]
pub struct Tasks(Arc<Queue>);

/// Tasks that wait for a thread, or threads that wait for a task.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Task>,
    /// Each thread that sleeps. The last to fall asleep is the first to be woken:
    /// few tasks are done by few threads, and only their heaps grow.
    sleeping: Vec<Arc<Condvar>>,
    /// Nothing more will come.
    closed: bool,
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
        let queue = Arc::new(Queue::default());
        let shared = Arc::clone(&queue);
        threads.spawn_broadcast(move |_| shared.work_off());
        Ok(Self {
            queue,
            _threads: threads,
        })
    }

    /// Where its tasks are left, also by others than its owner.
    #[must_use]
    pub fn tasks(&self) -> Tasks {
        Tasks(Arc::clone(&self.queue))
    }

    /// Runs `task` on a free thread; tasks begin in the order given.
    pub fn spawn(&self, task: impl FnOnce() + Send + 'static) {
        self.queue.leave(in_span(task));
    }
}

impl Tasks {
    /// As [`Pool::spawn`]; what comes after the pool was dropped may be lost.
    pub fn spawn(&self, task: impl FnOnce() + Send + 'static) {
        self.0.leave(in_span(task));
    }
}

/// What `task` says in the log is of the task and the run of whoever left it.
fn in_span(task: impl FnOnce() + Send + 'static) -> Task {
    let span = tracing::Span::current();
    Box::new(move || span.in_scope(task))
}

impl Drop for Pool {
    /// Lets the threads end once all tasks are done.
    fn drop(&mut self) {
        let mut waiting = self.queue.lock();
        waiting.closed = true;
        for thread in mem::take(&mut waiting.sleeping) {
            thread.notify_one();
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, task: Task) {
        let mut waiting = self.lock();
        waiting.tasks.push_back(task);
        let woken = waiting.sleeping.pop();
        drop(waiting);
        if let Some(thread) = woken {
            thread.notify_one();
        }
    }

    /// Does one task after the other, until the pool is dropped.
    fn work_off(&self) {
        let wakes = Arc::new(Condvar::new());
        while let Some(task) = self.next(&wakes) {
            // Tasks catch their panics; one that does not must not cost a thread.
            drop(catch_unwind(AssertUnwindSafe(task)));
        }
    }

    /// The next task, once there is one; `None` if none will come.
    fn next(&self, wakes: &Arc<Condvar>) -> Option<Task> {
        let mut waiting = self.lock();
        loop {
            if let Some(task) = waiting.tasks.pop_front() {
                return Some(task);
            }
            if waiting.closed {
                return None;
            }
            waiting.sleeping.push(Arc::clone(wakes));
            waiting = wakes.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            // Who woke without being called is not to be called.
            waiting.sleeping.retain(|other| !Arc::ptr_eq(other, wakes));
        }
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
    fn tasks_that_follow_each_other_are_done_by_the_same_thread() {
        let pool = Pool::new(8).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let asleep = || pool.queue.lock().sleeping.len();
        let mut threads = Vec::new();
        for _ in 0..8 {
            while asleep() < 8 {
                std::thread::yield_now();
            }
            let sender = sender.clone();
            pool.spawn(move || sender.send(std::thread::current().id()).unwrap());
            threads.push(receiver.recv().unwrap());
        }
        threads.dedup();
        assert_eq!(threads.len(), 1);
    }

    #[test]
    fn what_was_given_to_a_pool_is_done_after_it_is_dropped() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let pool = Pool::new(2).unwrap();
        for number in 0..100 {
            let sender = sender.clone();
            pool.spawn(move || sender.send(number).unwrap());
        }
        drop((pool, sender));
        assert_eq!(receiver.iter().count(), 100);
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
