//! `nightferry run`.

use std::io::{IsTerminal, Write};

use super::account::{About, Account};
use super::args::{LogFormat, Run};
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::ledger::{Filter, Ledger, View};
use crate::model::{RunBooks, TaskId};
use crate::ping::Patience;
use crate::report::hints::{hint, silence_hint};
use crate::report::text::counted;
use crate::report::{self, MonthChoice, Summary};
use crate::run::{
    self, Display, Engine, NightReport, Options, RunError, StopSignal, Watch, rehearse, run_tasks,
};

/// What the night's tasks came to.
#[derive(Default)]
struct Carried<'t> {
    /// Whether it came to them at all.
    begun: bool,
    runs: Vec<(&'t TaskId, u64)>,
    reasons: Vec<ExitReason>,
    signal: StopSignal,
}

/// The night, and the steps around it, in order. Each step after it may fail, says
/// so, adds what that means for the exit code, and takes nothing from what was done
/// before it.
pub fn run(context: &Context, asked: &Run) -> Outcome {
    if asked.rehearse {
        return dry_run(context, asked);
    }
    let mut account = Account::default();
    let (config, data_dir) = (&context.config, &context.data_dir);
    let watch = Watch::begin(config, data_dir, &context.clock, Patience::default());
    let mut night = carry(context, asked, &mut account);
    let backed_up = back_up(context, &night, &mut account);
    night.reasons.extend(backed_up);
    if let Err(failed) = say_end(context, asked, &night.runs, &mut account) {
        // What the runs came to matters more than that it cannot be shown.
        account.fail(&failed);
        night.reasons.push(failed.reason);
    }
    // Last, for they are told how all of it ended.
    let exit = ExitReason::most_serious(&night.reasons);
    for untold in watch.end(exit, account.report(exit), &night.signal) {
        tracing::warn!("{untold}");
    }
    Ok(exit)
}

/// Runs the tasks side by side; one that cannot run does not stop the others.
fn carry<'c>(context: &'c Context, asked: &Run, account: &mut Account) -> Carried<'c> {
    let (tasks, engine) = match set_out(context, asked) {
        Ok(set_out) => set_out,
        Err(failed) => {
            account.fail(&failed);
            return Carried {
                reasons: vec![failed.reason],
                ..Carried::default()
            };
        }
    };
    let shown = !context.quiet && !asked.json;
    let mut night = Carried {
        begun: true,
        signal: engine.signal.clone(),
        ..Carried::default()
    };
    let mut said = Ok(ExitReason::Done);
    run_tasks(&engine, &tasks, |task, end| match end {
        Some(Ok(report)) => {
            say_problems(task, &report, account);
            if report.run.is_some() {
                let printed = account.print(&night_text(task, &report), shown && said.is_ok());
                said = std::mem::replace(&mut said, Ok(ExitReason::Done)).and(printed);
            }
            night
                .runs
                .extend(report.run.map(|number| (&task.id, number)));
            night.reasons.extend(report.reasons);
        }
        Some(Err(error)) => {
            let about = About {
                task: Some(&task.id),
                run: None,
            };
            account.error(about, &error.to_string());
            night.reasons.push(error.exit_reason());
        }
        // What was not begun is pending, as before; the stop is why.
        None => night.reasons.push(ExitReason::Deferred),
    });
    if let Err(failed) = said {
        account.fail(&failed);
        night.reasons.push(failed.reason);
    }
    night
}

/// The tasks that are asked for, and what they share.
fn set_out<'c>(context: &'c Context, asked: &Run) -> Result<(Vec<&'c TaskConfig>, Engine), Failed> {
    let tasks = context.tasks(&asked.tasks.tasks)?;
    let signal = StopSignal::listen().map_err(RunError::Signals)?;
    let options = options(context, asked);
    let engine = Engine::new(&context.config, context.clock.clone(), signal, options)?;
    Ok((tasks, engine))
}

/// Copies the ledger to where copies are wanted.
fn back_up(context: &Context, night: &Carried<'_>, account: &mut Account) -> Option<ExitReason> {
    let config = context.config.backup.as_ref()?;
    if !night.begun || night.signal.is_urgent() {
        return None;
    }
    let report = run::back_up(config, &context.data_dir, &context.clock);
    for note in &report.notes {
        account.warn(About::NIGHT, &format!("backup: {note}"));
    }
    for problem in &report.problems {
        let said = format!("no backup of the ledger was made: {problem}; the next run tries again");
        account.error(About::NIGHT, &said);
    }
    (!report.problems.is_empty()).then_some(ExitReason::Owed)
}

fn options(context: &Context, asked: &Run) -> Options {
    let has_bar = std::io::stderr().is_terminal() && context.log_format == LogFormat::Text;
    let display = match (context.quiet, has_bar) {
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

/// The summary of the month; on stdout, if that is wanted, the runs as JSON instead.
fn say_end(
    context: &Context,
    asked: &Run,
    runs: &[(&TaskId, u64)],
    account: &mut Account,
) -> Result<(), Failed> {
    if runs.is_empty() {
        // Why no run began has been said.
        if asked.json {
            output::write(|out| writeln!(out, "[]"))?;
        }
        return Ok(());
    }
    let ledger = context.ledger()?;
    if asked.json {
        write_runs(&ledger, runs)?;
    }
    let only = match asked.tasks.tasks.as_slice() {
        [task] => Some(&context.task(task)?.id),
        _ => None,
    };
    let summary = Summary::read(&ledger, only, MonthChoice::This, context.clock.now())?;
    let table = format!("\n{}", summary.render_table());
    account.print(&table, !context.quiet && !asked.json)?;
    Ok(())
}

fn write_runs(ledger: &Ledger, runs: &[(&TaskId, u64)]) -> Outcome {
    let filters: Vec<Filter<'_>> = runs
        .iter()
        .map(|&(task, run)| Filter {
            task: Some(task),
            run: Some(run),
            ..Filter::default()
        })
        .collect();
    output::report(|out| report::view::write_json(ledger, View::RunHistory, &filters, out))
}

/// What went wrong or needs a look.
fn say_problems(task: &TaskConfig, night: &NightReport, account: &mut Account) {
    let about = About {
        task: Some(&task.id),
        run: night.run,
    };
    if let Some(since) = night.paused {
        account.warn(
            about,
            &format!(
                "paused since {}, so there is nothing to do; `nightferry resume --task {}` \
                 lets runs take it up again",
                since.rfc3339(),
                task.id
            ),
        );
    }
    say_intake(about, night, account);
    if let Some(failure) = &night.begin_failure {
        account.error(
            about,
            &format!(
                "the run could not begin ({}): {}; its {} stay pending. {}",
                failure.cause,
                failure.message.trim_end_matches('.'),
                counted(night.books.deferred, "request"),
                hint(failure.cause)
            ),
        );
    }
    if let Some(open) = &night.breaker {
        account.error(
            about,
            &format!(
                "the {} failed {} objects in a row, the last for {}: {}; \
                 they and the rest are deferred ({}). {}",
                open.side,
                open.failures,
                open.cause,
                open.message.trim_end_matches('.'),
                counted(night.books.deferred, "request"),
                hint(open.cause)
            ),
        );
    }
    if let Some(silence) = &night.silence {
        account.error(about, &silence_hint(silence));
    }
    for conflict in &night.delivery.conflicts {
        account.warn(about, &format!("not delivered: {conflict}"));
    }
    for owed in &night.delivery.owed {
        account.warn(about, &format!("owed to the destination: {owed}"));
    }
    for imbalance in &night.imbalance {
        account.error(about, &format!("THE BOOKS DO NOT BALANCE: {imbalance}"));
    }
}

/// Lists that could not be read, and lines that could not be requests.
fn say_intake(about: About<'_>, night: &NightReport, account: &mut Account) {
    for problem in &night.intake.seen.problems {
        account.error(about, &problem.to_string());
    }
    for example in &night.intake.rejected_examples {
        account.warn(about, &example.to_string());
    }
    let named = night.intake.rejected_examples.len() as u64;
    if night.intake.rejected > named {
        let more = counted(night.intake.rejected - named, "more line");
        account.warn(
            about,
            &format!("{more} rejected; `nightferry lists` shows them"),
        );
    }
}

/// The run and its books.
fn night_text(task: &TaskConfig, night: &NightReport) -> String {
    let books = &night.books;
    let number = night.run.unwrap_or(0);
    let mut lines = vec![format!("{}: run {number}: {}", task.id, books_line(books))];
    if night.carried_over > 0 {
        let carried = format!("  {} carried over from earlier nights", night.carried_over);
        lines.push(carried);
    }
    if night.tolerated > 0 {
        let causes: Vec<&str> = task.tolerate.iter().map(|cause| cause.as_str()).collect();
        let (tolerated, causes) = (night.tolerated, causes.join(", "));
        lines.push(format!("  {tolerated} of the failed tolerated: {causes}"));
    }
    if let Some(deferral) = night.deferral {
        lines.push(format!("  {} deferred: {deferral}", books.deferred));
    }
    if night.delivery.delivered > 0 {
        let delivered = counted(night.delivery.delivered, "list");
        lines.push(format!("  {delivered} delivered"));
    }
    lines.join("\n") + "\n"
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

/// What the runs would do. Nobody else is told: nothing is done.
fn dry_run(context: &Context, asked: &Run) -> Outcome {
    let (tasks, engine) = set_out(context, asked)?;
    let mut reasons = Vec::new();
    for task in tasks {
        match rehearse(&engine, task) {
            Ok(rehearsal) => {
                for problem in &rehearsal.problems {
                    tracing::error!(task = %task.id, "{problem}");
                }
                output::write(|out| write!(out, "{}: {rehearsal}", task.id))?;
                reasons.extend(rehearsal.exit_reason());
            }
            Err(error) => {
                tracing::error!(task = %task.id, "{error}");
                reasons.push(error.exit_reason());
            }
        }
    }
    Ok(ExitReason::most_serious(&reasons))
}
