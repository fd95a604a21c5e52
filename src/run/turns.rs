//! Several tasks in one process, all at work at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::engine::Engine;
use super::error::RunError;
use super::night::{NightReport, run_with};
use crate::config::TaskConfig;

/// The most tasks that are at work at once: each has threads of its own and
/// connections to the ledger. Further ones begin as others end.
const AT_ONCE: usize = 64;

/// How a task ended; `None` if it was not begun because a stop was asked for.
pub type TaskEnd = Option<Result<NightReport, RunError>>;

/// Runs all `tasks`, each on a thread of its own, sharing workers and memory
/// evenly, so that none waits for another to end. `ended` is told of each in the
/// order given, once it and all before it have ended. One that cannot run does
/// not stop the others.
pub fn run_tasks<'t>(
    engine: &Engine,
    tasks: &[&'t TaskConfig],
    mut ended: impl FnMut(&'t TaskConfig, TaskEnd),
) {
    let next = AtomicUsize::new(0);
    // All join before the first begins, or it would take every worker for itself.
    let shares: Vec<_> = tasks
        .iter()
        .take(AT_ONCE)
        .map(|_| engine.share.join())
        .collect();
    thread::scope(|scope| {
        let (sender, ends) = mpsc::channel();
        for share in shares {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                let mut share = Some(share);
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(place) else {
                        return;
                    };
                    // The first one runs in any case, to say what it leaves.
                    let begins = place == 0 || !engine.signal.is_requested();
                    let end = begins.then(|| {
                        let share = share.take().unwrap_or_else(|| engine.share.join());
                        run_with(engine, task, share)
                    });
                    drop(sender.send((place, end)));
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut told = 0;
        for (place, end) in ends {
            waiting.insert(place, end);
            while let Some(end) = waiting.remove(&told) {
                engine.bars.suspend(|| ended(tasks[told], end));
                told += 1;
            }
        }
    });
}
