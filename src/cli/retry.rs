//! `nightferry retry`.

use std::io::Write;

use super::args::Retry;
use super::browse::refuse_unknown_run;
use super::failure::{Failed, Outcome};
use super::resting::RestingTask;
use super::{Context, output};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::ledger::Failures;
use crate::model::{ObjectName, TaskId};
use crate::report::text::counted;

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
    let (mut reasons, mut total) = (Vec::new(), 0);
    for task in tasks {
        match retry_task(context, task, &failures) {
            Ok(retried) => {
                total += retried;
                let retried = counted(retried, "request");
                output::write(|out| writeln!(out, "{}: {retried} pending again", task.id))?;
            }
            Err(failed) => {
                tracing::error!(task = %task.id, "{failed}");
                reasons.push(failed.reason);
            }
        }
    }
    if let (0, Some(name), []) = (total, &asked.name, reasons.as_slice()) {
        tracing::warn!(
            "no request for {name:?} that fits has failed; `nightferry why` tells what became of a name"
        );
    }
    Ok(ExitReason::most_serious(&reasons))
}

fn retry_task(
    context: &Context,
    task: &TaskConfig,
    failures: &Failures<'_>,
) -> Result<u64, Failed> {
    let mut resting = RestingTask::take(context, task)?;
    Ok(resting.ledger.retry(resting.key, failures)?)
}
