//! `nightferry ledger rebuild`.

use std::io::Write;

use super::args::Rebuild;
use super::failure::{Failed, Outcome};
use super::ledger::lock_all;
use super::{Context, output, shown};
use crate::report::text::counted;
use crate::run::{self, RunError, Target, http_client};

/// Makes the ledger again. No run of any task may be at work: all of them use it.
pub fn rebuild(context: &Context, asked: &Rebuild) -> Outcome {
    let tasks = context.tasks(&asked.tasks.tasks)?;
    let all = &context.config.tasks;
    let file_mode = context.data_dir.modes().file;
    let mut locks = Vec::new();
    if asked.out.is_none() {
        let ids = all.iter().map(|task| &task.id);
        context.data_dir.prepare(ids).map_err(Failed::unusable)?;
        locks = lock_all(context)?;
    }
    let ledger = context.ledger_path();
    let target = Target {
        path: asked.out.as_deref().unwrap_or(&ledger),
        file_mode,
        replace: asked.replace,
    };
    let http = http_client(&context.config, 2).map_err(RunError::from)?;
    let made = run::rebuild(&tasks, &http, &context.clock, target)?;
    drop(locks);
    for left_out in all
        .iter()
        .filter(|task| !tasks.iter().any(|it| it.id == task.id))
    {
        tracing::warn!(
            task = %left_out.id,
            "not in the new ledger, as it was not named"
        );
    }
    output::write(|out| {
        for task in &made.tasks {
            writeln!(
                out,
                "{}: {}: {} synced + {} failed + {} ignored + {} pending",
                task.task,
                counted(task.runs, "run"),
                task.synced,
                task.failed,
                task.ignored,
                task.pending
            )?;
        }
        writeln!(out, "{}: whole, and the books balance", shown(target.path))?;
        match &made.kept {
            Some(kept) => writeln!(out, "  the one before is kept as {}", shown(kept)),
            None => Ok(()),
        }
    })
}
