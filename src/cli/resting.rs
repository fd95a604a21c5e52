//! A task that no run is at work on, so that an operator can change its requests.

use super::Context;
use super::failure::Failed;
use crate::config::TaskConfig;
use crate::ledger::{Ledger, TaskKey};
use crate::model::LocalTime;
use crate::run::{RunError, TaskLock};

/// The ledger, with the lock of one task for as long as this lives.
pub struct RestingTask {
    /// Open for writing.
    pub ledger: Ledger,
    /// The task in it.
    pub key: TaskKey,
    /// When the change began.
    pub now: LocalTime,
    _lock: TaskLock,
}

impl RestingTask {
    /// Takes the lock of `task`. The books of a run whose process died are closed
    /// before anything changes: it took what now changes.
    ///
    /// # Errors
    /// If a run is at work on it, or the data directory or ledger cannot be used.
    pub fn take(context: &Context, task: &TaskConfig) -> Result<Self, Failed> {
        context
            .data_dir
            .prepare([&task.id])
            .map_err(Failed::unusable)?;
        let modes = context.data_dir.modes();
        let lock =
            TaskLock::take(&context.data_dir.lock(&task.id), modes.file).map_err(RunError::from)?;
        let mut ledger = Ledger::open(&context.ledger_path(), modes.file)?;
        let now = task.zone.local(context.clock.now());
        let key = ledger.enter_task(&task.id, task.zone, task.carry_over_days, now)?;
        ledger.interrupt_runs(key, now)?;
        Ok(Self {
            ledger,
            key,
            now,
            _lock: lock,
        })
    }
}
