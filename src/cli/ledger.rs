//! `nightferry ledger`: check, backup and rebuild.

use std::io::Write;

use super::args::{LedgerCommand, Rebuild};
use super::failure::{Failed, Outcome};
use super::{Context, output, shown};
use crate::exit::ExitReason;
use crate::run::{RunError, Target, TaskLock};
use crate::s3::HttpClient;

/// Looks after the ledger.
pub fn ledger(context: &Context, asked: &LedgerCommand) -> Outcome {
    match asked {
        LedgerCommand::Rebuild(asked) => rebuild(context, asked),
        LedgerCommand::Check => {
            let ledger = context.ledger()?;
            let problems = ledger.check()?;
            output::write(|out| {
                for problem in &problems {
                    writeln!(out, "{problem}")?;
                }
                if problems.is_empty() {
                    writeln!(
                        out,
                        "{}: whole, and the books balance",
                        shown(&context.ledger_path())
                    )?;
                }
                Ok(())
            })?;
            Ok(if problems.is_empty() {
                ExitReason::Done
            } else {
                ExitReason::Unbalanced
            })
        }
        LedgerCommand::Backup { path } => {
            context
                .ledger()?
                .back_up(path, context.data_dir.modes().file)?;
            output::write(|out| writeln!(out, "{}", shown(path)))
        }
    }
}

/// Makes the ledger again. No run of any task may be at work: all of them use it.
fn rebuild(context: &Context, asked: &Rebuild) -> Outcome {
    let tasks = context.tasks(&asked.tasks.tasks)?;
    let all = &context.config.tasks;
    let file_mode = context.data_dir.modes().file;
    let mut locks = Vec::new();
    if asked.out.is_none() {
        let ids = all.iter().map(|task| &task.id);
        context.data_dir.prepare(ids).map_err(Failed::unusable)?;
        for task in all {
            let lock = TaskLock::take(&context.data_dir.lock(&task.id), file_mode);
            locks.push(lock.map_err(RunError::from)?);
        }
    }
    let ledger = context.ledger_path();
    let target = Target {
        path: asked.out.as_deref().unwrap_or(&ledger),
        file_mode,
        replace: asked.replace,
    };
    let http = HttpClient::new(2).map_err(RunError::from)?;
    let made = crate::run::rebuild(&tasks, &http, &context.clock, target)?;
    for left_out in all
        .iter()
        .filter(|task| !tasks.iter().any(|it| it.id == task.id))
    {
        tracing::warn!(
            "{}: not in the new ledger, as it was not named",
            left_out.id
        );
    }
    output::write(|out| {
        for task in &made {
            let books = &task.books;
            writeln!(
                out,
                "{}: {} runs, {} synced + {} failed + {} ignored; {} requests are pending",
                task.task, task.runs, books.synced, books.failed, books.ignored, task.pending
            )?;
        }
        writeln!(out, "{}: whole, and the books balance", shown(target.path))
    })
}
