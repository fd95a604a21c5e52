//! `nightferry run`.

use std::io::{IsTerminal, Write};

use super::args::Run;
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::ledger::{Filter, View};
use crate::model::{RunBooks, TaskId};
use crate::report::hints::{hint, silence_hint};
use crate::report::text::counted;
use crate::report::{self, MonthChoice, Summary};
use crate::run::{
    self, Display, Engine, NightReport, Options, RunError, StopSignal, rehearse, run_tasks,
};

/// Runs the tasks side by side; one that cannot run does not stop the others.
pub fn run(context: &Context, asked: &Run) -> Outcome {
    let tasks = context.tasks(&asked.tasks.tasks)?;
    let signal = StopSignal::listen().map_err(RunError::Signals)?;
    let engine = Engine::new(
        &context.config,
        context.clock.clone(),
        signal,
        options(context, asked),
    )?;
    if asked.rehearse {
        return dry_run(&engine, &tasks);
    }
    let mut reasons = Vec::new();
    let mut runs = Vec::new();
    let mut said = Ok(ExitReason::Done);
    run_tasks(&engine, &tasks, |task, end| match end {
        Some(Ok(night)) => {
            say_problems(task, &night);
            if said.is_ok() && night.run.is_some() && !context.quiet && !asked.json {
                said = output::write(|out| say_night(task, &night, out));
            }
            runs.extend(night.run.map(|number| (&task.id, number)));
            reasons.extend(night.reasons);
        }
        Some(Err(error)) => {
            tracing::error!("{}: {error}", task.id);
            reasons.push(error.exit_reason());
        }
        // What was not begun is pending, as before; the stop is why.
        None => reasons.push(ExitReason::Deferred),
    });
    reasons.extend(back_up(context, &engine.signal));
    if let Err(failed) = said.and_then(|_| say_end(context, asked, &runs)) {
        // What the runs came to matters more than that it cannot be shown.
        failed.say();
        reasons.push(failed.reason);
    }
    Ok(ExitReason::most_serious(&reasons))
}

/// The run's last step. That it fails is said, and takes nothing from the night.
fn back_up(context: &Context, signal: &StopSignal) -> Option<ExitReason> {
    let config = context.config.backup.as_ref()?;
    if signal.is_urgent() {
        return None;
    }
    let report = run::back_up(config, &context.data_dir, &context.clock);
    for note in &report.notes {
        tracing::warn!("backup: {note}");
    }
    for problem in &report.problems {
        tracing::error!("no backup of the ledger was made: {problem}; the next run tries again");
    }
    (!report.problems.is_empty()).then_some(ExitReason::Owed)
}

fn options(context: &Context, asked: &Run) -> Options {
    let display = match (context.quiet, std::io::stderr().is_terminal()) {
        (true, _) => Display::Quiet,
        (false, true) => Display::Bar,
        (false, false) => Display::Lines,
    };
    let max_duration_ms = asked
        .max_duration
        .map(|limit| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
    Options {
        limit: asked.limit,
        until: asked.until,
        max_duration_ms,
        settle_only: asked.settle_only,
        ignore_window: asked.ignore_window,
        wait: asked.wait,
        display,
        ..Options::default()
    }
}

/// The summary of the month, or the runs as JSON.
fn say_end(context: &Context, asked: &Run, runs: &[(&TaskId, u64)]) -> Result<(), Failed> {
    if runs.is_empty() {
        // Why no run began has been said.
        let shown = output::write(|out| {
            if asked.json {
                writeln!(out, "[]")
            } else {
                Ok(())
            }
        });
        return shown.map(drop);
    }
    let ledger = context.ledger()?;
    if asked.json {
        let filters: Vec<Filter<'_>> = runs
            .iter()
            .map(|&(task, run)| Filter {
                task: Some(task),
                run: Some(run),
                ..Filter::default()
            })
            .collect();
        output::report(|out| report::view::write_json(&ledger, View::RunHistory, &filters, out))?;
    } else if !context.quiet {
        let only = match asked.tasks.tasks.as_slice() {
            [task] => Some(&context.task(task)?.id),
            _ => None,
        };
        let summary = Summary::read(&ledger, only, MonthChoice::This, context.clock.now())?;
        let table = summary.render_table();
        output::write(|out| write!(out, "\n{table}"))?;
    }
    Ok(())
}

/// What went wrong or needs a look, on stderr.
fn say_problems(task: &TaskConfig, night: &NightReport) {
    if let Some(since) = night.paused {
        tracing::warn!(
            "{id}: paused since {}, so there is nothing to do; `nightferry resume --task {id}` \
             lets runs take it up again",
            since.rfc3339(),
            id = task.id
        );
    }
    for problem in &night.intake.seen.problems {
        tracing::error!("{}: {problem}", task.id);
    }
    for example in &night.intake.rejected_examples {
        tracing::warn!("{}: {example}", task.id);
    }
    let named = night.intake.rejected_examples.len() as u64;
    if night.intake.rejected > named {
        let more = night.intake.rejected - named;
        tracing::warn!(
            "{}: {} rejected; `nightferry lists` shows them",
            task.id,
            counted(more, "more line")
        );
    }
    if let Some(failure) = &night.begin_failure {
        tracing::error!(
            "{}: the run could not begin ({}): {}; its {} stay pending. {}",
            task.id,
            failure.cause,
            failure.message.trim_end_matches('.'),
            counted(night.books.deferred, "request"),
            hint(failure.cause)
        );
    }
    if let Some(open) = &night.breaker {
        tracing::error!(
            "{}: the {} failed {} objects in a row, the last for {}: {}; \
             they and the rest are deferred ({}). {}",
            task.id,
            open.side,
            open.failures,
            open.cause,
            open.message.trim_end_matches('.'),
            counted(night.books.deferred, "request"),
            hint(open.cause)
        );
    }
    if let Some(silence) = &night.silence {
        tracing::error!("{}: {}", task.id, silence_hint(silence));
    }
    for conflict in &night.delivery.conflicts {
        tracing::warn!("{}: not delivered: {conflict}", task.id);
    }
    for owed in &night.delivery.owed {
        tracing::warn!("{}: owed to the destination: {owed}", task.id);
    }
    for imbalance in &night.imbalance {
        tracing::error!("{}: THE BOOKS DO NOT BALANCE: {imbalance}", task.id);
    }
}

/// The run and its books.
fn say_night(task: &TaskConfig, night: &NightReport, out: &mut impl Write) -> std::io::Result<()> {
    let books = &night.books;
    let number = night.run.unwrap_or(0);
    writeln!(out, "{}: run {number}: {}", task.id, books_line(books))?;
    if night.carried_over > 0 {
        writeln!(
            out,
            "  {} carried over from earlier nights",
            night.carried_over
        )?;
    }
    if night.tolerated > 0 {
        let causes: Vec<&str> = task.tolerate.iter().map(|cause| cause.as_str()).collect();
        let causes = causes.join(", ");
        writeln!(
            out,
            "  {} of the failed tolerated: {causes}",
            night.tolerated
        )?;
    }
    if let Some(deferral) = night.deferral {
        writeln!(out, "  {} deferred: {deferral}", books.deferred)?;
    }
    if night.delivery.delivered > 0 {
        let delivered = counted(night.delivery.delivered, "list");
        writeln!(out, "  {delivered} delivered")?;
    }
    Ok(())
}

fn books_line(books: &RunBooks) -> String {
    let balance = if books.balanced() {
        "balanced"
    } else {
        "NOT BALANCED"
    };
    format!(
        "{} taken = {} synced + {} failed + {} ignored + {} deferred ({balance}), {}",
        books.taken,
        books.synced,
        books.failed,
        books.ignored,
        books.deferred,
        report::text::size(i64::try_from(books.synced_bytes).unwrap_or(i64::MAX))
    )
}

/// What the runs would do.
fn dry_run(engine: &Engine, tasks: &[&TaskConfig]) -> Outcome {
    let mut reasons = Vec::new();
    for task in tasks {
        match rehearse(engine, task) {
            Ok(rehearsal) => {
                for problem in &rehearsal.problems {
                    tracing::error!("{}: {problem}", task.id);
                }
                output::write(|out| write!(out, "{}: {rehearsal}", task.id))?;
                reasons.extend(rehearsal.exit_reason());
            }
            Err(error) => {
                tracing::error!("{}: {error}", task.id);
                reasons.push(error.exit_reason());
            }
        }
    }
    Ok(ExitReason::most_serious(&reasons))
}
