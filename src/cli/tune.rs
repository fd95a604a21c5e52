//! `nightferry tune`: changes of the runs that are at work.

use std::io::Write;

use super::args::{Limit, Tune};
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::ledger::{Ledger, RunAtWork, Tuned};
use crate::model::{TaskId, Timestamp, Tuning};
use crate::report::text::{counted, tuned};
use crate::run::TaskLock;

/// Changes the runs of the tasks that are asked for: all or none.
pub fn tune(context: &Context, asked: &Tune) -> Outcome {
    let mut at_work = Vec::new();
    for task in context.tasks(&asked.tasks.tasks)? {
        at_work.extend(run_of(context, task)?.map(|run| (task, run)));
    }
    for named in &asked.tasks.tasks {
        if !at_work.iter().any(|(task, _)| task.id.as_str() == named) {
            return Err(Failed::usage(format!(
                "no run of task `{named}` is at work; `nightferry runs --task {named}` shows past ones"
            )));
        }
    }
    if at_work.is_empty() {
        return Err(Failed::usage(
            "no run is at work, so there is nothing to change; what coming nights are to keep to stands in the configuration",
        ));
    }
    for (task, run) in &at_work {
        refuse_impossible(&task.id, run, asked.workers)?;
    }
    let mut ledger = Ledger::open(&context.ledger_path(), context.data_dir.modes().file)?;
    let now = context.clock.now();
    for (task, run) in at_work {
        let bandwidth = task.bandwidth.as_ref().and_then(|times| times.at(now));
        let wanted = changes(asked, task, now);
        let made = ledger.tune(&run, bandwidth, &wanted, task.zone.local(now))?;
        say(&task.id, run.number, made.as_deref())?;
    }
    Ok(ExitReason::Done)
}

/// The run of `task` that is at work, if there is one. What the ledger calls
/// running may be gone: a process holds the task's lock for as long as it lives.
fn run_of(context: &Context, task: &TaskConfig) -> Result<Option<RunAtWork>, Failed> {
    let held = TaskLock::is_held(&context.data_dir.lock(&task.id));
    if !held.map_err(Failed::unusable)? {
        return Ok(None);
    }
    Ok(context.ledger()?.run_at_work(&task.id)?)
}

fn refuse_impossible(task: &TaskId, run: &RunAtWork, asked: Option<u64>) -> Result<(), Failed> {
    let number = run.number;
    let Some(most) = run.workers else {
        return Err(Failed::usage(format!(
            "{task}: run {number} was begun by an older release, which heeds no changes"
        )));
    };
    match asked {
        Some(workers) if workers > most => Err(Failed::usage(format!(
            "{task}: run {number} began with {}, and threads are made as a run begins: ask for 1 \
             to {most}, or set `workers` in the configuration for the next one",
            counted(most, "worker")
        ))),
        _ => Ok(()),
    }
}

fn changes(asked: &Tune, task: &TaskConfig, now: Timestamp) -> Vec<Tuning> {
    let workers = asked.workers.map(Tuning::Workers);
    let bandwidth = asked.bandwidth.map(|cap| Tuning::Bandwidth(cap.value()));
    let until = asked.until.map(|until| {
        let at = until.value().map(|time| task.zone.next(time, now));
        Tuning::Until(at.map(|at| task.zone.local(at)))
    });
    [workers, bandwidth, until].into_iter().flatten().collect()
}

fn say(task: &TaskId, run: u64, made: Option<&[Tuned]>) -> Outcome {
    output::write(|out| {
        let Some(made) = made else {
            return writeln!(out, "{task}: run {run} has just ended; nothing was changed");
        };
        let said: Vec<String> = made
            .iter()
            .map(|Tuned { old, new, .. }| {
                format!("{} {} → {}", new.setting(), tuned(*old), tuned(*new))
            })
            .collect();
        writeln!(out, "{task}: run {run}: {}", said.join(", "))
    })
}

impl<T: Copy> Limit<T> {
    const fn value(self) -> Option<T> {
        match self {
            Self::None => None,
            Self::To(value) => Some(value),
        }
    }
}
