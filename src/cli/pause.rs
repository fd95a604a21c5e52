//! `nightferry pause` and `nightferry resume`.

use std::io::Write;

use super::args::OneTask;
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::config::TaskConfig;
use crate::ledger::{Ledger, TaskKey};
use crate::model::LocalTime;
use crate::run::TaskLock;

/// Has runs leave a task alone. One that is at work goes on: what it moves is
/// under way.
pub fn pause(context: &Context, asked: &OneTask) -> Outcome {
    let task = context.task(&asked.task)?;
    let (mut ledger, key, now) = enter(context, task)?;
    let begun = ledger.pause(key, now)?;
    let at_work = TaskLock::is_held(&context.data_dir.lock(&task.id)).unwrap_or(false);
    output::write(|out| match (begun, at_work) {
        (false, _) => writeln!(out, "{}: is paused already", task.id),
        (true, false) => writeln!(out, "{}: paused", task.id),
        (true, true) => writeln!(out, "{}: paused, once the run at work has ended", task.id),
    })
}

/// Has runs take a paused task up again.
pub fn resume(context: &Context, asked: &OneTask) -> Outcome {
    let task = context.task(&asked.task)?;
    let (mut ledger, key, now) = enter(context, task)?;
    let resumed = ledger.resume(key, now)?;
    output::write(|out| {
        if resumed {
            writeln!(out, "{}: resumed; the next run takes it up", task.id)
        } else {
            writeln!(out, "{}: is not paused", task.id)
        }
    })
}

fn enter(context: &Context, task: &TaskConfig) -> Result<(Ledger, TaskKey, LocalTime), Failed> {
    let prepared = context.data_dir.prepare([&task.id]);
    prepared.map_err(Failed::unusable)?;
    let file_mode = context.data_dir.modes().file;
    let mut ledger = Ledger::open(&context.ledger_path(), file_mode)?;
    let now = task.zone.local(context.clock.now());
    let key = ledger.enter_task(&task.id, task.zone, task.carry_over_days, now)?;
    Ok((ledger, key, now))
}
