//! `nightferry retry`.

use std::io::Write;

use super::args::Retry;
use super::browse::refuse_unknown_run;
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::ledger::{Failures, Ledger};
use crate::model::{ObjectName, TaskId};
use crate::report::text::counted;
use crate::run::{RunError, TaskLock};

/// Makes failed requests pending again, task by task; one whose lock a run holds
/// does not stop the others.
pub fn retry(context: &Context, asked: &Retry) -> Outcome {
    let tasks = context.tasks(&asked.tasks)?;
    let name = asked
        .name
        .as_deref()
        .map(ObjectName::new)
        .transpose()
        .map_err(|reason| Failed::usage(format!("no object can have that name: {reason}")))?;
    if let Some(run) = asked.run {
        let ids: Vec<&TaskId> = tasks.iter().map(|task| &task.id).collect();
        refuse_unknown_run(&context.ledger()?, &ids, run)?;
    }
    let failures = Failures {
        cause: asked.cause,
        run: asked.run,
        name: name.as_ref(),
    };
    let mut reasons = Vec::new();
    for task in tasks {
        match retry_task(context, task, &failures) {
            Ok(retried) => {
                let retried = counted(retried, "request");
                output::write(|out| writeln!(out, "{}: {retried} pending again", task.id))?;
            }
            Err(failed) => {
                tracing::error!("{}: {failed}", task.id);
                reasons.push(failed.reason);
            }
        }
    }
    Ok(ExitReason::most_serious(&reasons))
}

fn retry_task(
    context: &Context,
    task: &TaskConfig,
    failures: &Failures<'_>,
) -> Result<u64, Failed> {
    context
        .data_dir
        .prepare([&task.id])
        .map_err(Failed::unusable)?;
    let modes = context.data_dir.modes();
    let _lock =
        TaskLock::take(&context.data_dir.lock(&task.id), modes.file).map_err(RunError::from)?;
    let mut ledger = Ledger::open(&context.ledger_path(), modes.file)?;
    let now = task.zone.local(context.clock.now());
    let key = ledger.enter_task(&task.id, task.zone, task.carry_over_days, now)?;
    // A run whose process died: its books are closed before requests are pending anew.
    ledger.interrupt_runs(key, now)?;
    Ok(ledger.retry(key, failures)?)
}
