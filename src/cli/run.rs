//! `nightferry run`.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::account::{About, Account, night_text};
use super::args::{LogFormat, Run};
use super::failure::{Failed, Outcome};
use super::{Context, mail, output};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::ledger::{Filter, Ledger, View};
use crate::model::TaskId;
use crate::ping::Patience;
use crate::report::json::Harmless;
use crate::report::mail::{Ended, Happened, Trouble};
use crate::report::outlook::Schedule;
use crate::report::{self, MonthChoice, Summary};
use crate::run::{
    self, Display, Engine, Options, RunError, StopSignal, TaskEnd, Watch, rehearse, run_tasks,
};

/// What the night's tasks came to.
#[derive(Default)]
struct Carried<'t> {
    /// What they shared; `None` if it did not come to them. What was given up may
    /// still use it.
    engine: Option<Engine>,
    runs: Vec<(&'t TaskId, u64)>,
    reasons: Vec<ExitReason>,
    /// For whoever is told of it by mail.
    happened: Happened,
}

impl Carried<'_> {
    fn signal(&self) -> StopSignal {
        let engine = self.engine.as_ref();
        engine.map_or_else(StopSignal::default, |engine| engine.signal.clone())
    }
}

/// The night, and the steps around it, in order. Each step after it may fail, says
/// so, adds what that means for the exit code, and takes nothing from what was done
/// before it.
pub fn run(context: &Context, asked: &Run) -> Outcome {
    if asked.rehearse {
        return dry_run(context, asked);
    }
    // Whoever typed a wrong task sees it; a timer's is told to those who are told of nights.
    if std::io::stderr().is_terminal() {
        context.tasks(&asked.tasks.tasks)?;
    }
    let mut account = Account::default();
    let (config, data_dir) = (&context.config, &context.data_dir);
    let watch = Watch::begin(config, data_dir, &context.clock, Patience::default());
    let mut night = carry(context, asked, &mut account);
    let no_backup = back_up(context, &night, &mut account);
    night
        .reasons
        .extend(no_backup.as_ref().map(|trouble| trouble.reason));
    night.happened.troubles.extend(no_backup);
    let mailed = mail::tell(
        context,
        &night.signal(),
        &night.happened,
        &night.runs,
        &night.reasons,
        &mut account,
    );
    night.reasons.extend(mailed);
    if let Err(failed) = say_end(context, asked, &night.runs, &mut account) {
        // What the runs came to matters more than that it cannot be shown.
        account.fail(&failed);
        night.reasons.push(failed.reason);
    }
    // Last, for they are told how all of it ended.
    let exit = ExitReason::most_serious(&night.reasons);
    for untold in watch.end(exit, account.report(exit), &night.signal()) {
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
                happened: mail::not_started(&failed),
                ..Carried::default()
            };
        }
    };
    let shown = !context.quiet && !asked.json;
    let mut night = Carried::default();
    night.happened.schedules = tasks
        .iter()
        .map(|task| (task.id.clone(), Schedule::of(task)))
        .collect();
    run_tasks(&engine, &tasks, |task, end| {
        night.happened.tasks.push((task.id.clone(), ended(&end)));
        match end {
            Some(Ok(report)) => {
                account.say_problems(task, &report);
                if report.run.is_some()
                    && let Err(failed) = account.print(&night_text(task, &report), shown)
                {
                    account.fail(&failed);
                    night.reasons.push(failed.reason);
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
        }
    });
    night.engine = Some(engine);
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

/// How a task ended, for whoever is told of it.
fn ended(end: &TaskEnd) -> Ended {
    match end {
        Some(Ok(night)) => match (night.run, night.paused) {
            (Some(number), _) => Ended::Ran(number),
            (None, Some(since)) => Ended::Paused(since),
            (None, None) => Ended::NotBegun,
        },
        Some(Err(error)) => Ended::NotRun {
            reason: error.exit_reason(),
            said: error.to_string(),
        },
        None => Ended::NotBegun,
    }
}

/// Copies the ledger to where copies are wanted.
fn back_up(context: &Context, night: &Carried<'_>, account: &mut Account) -> Option<Trouble> {
    let config = context.config.backup.as_ref()?;
    if night.engine.is_none() || night.signal().is_urgent() {
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
    (!report.problems.is_empty()).then(|| Trouble {
        reason: ExitReason::Owed,
        short: "no backup".to_owned(),
        said: format!("{}; the next run tries again", report.problems.join("; ")),
    })
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

/// What the runs would do. Nobody else is told: nothing is done.
fn dry_run(context: &Context, asked: &Run) -> Outcome {
    let (tasks, engine) = set_out(context, asked)?;
    let mut reasons = Vec::new();
    let mut before = "[\n";
    for task in tasks {
        match rehearse(&engine, task) {
            Ok(rehearsal) => {
                for problem in &rehearsal.problems {
                    tracing::error!(task = %task.id, "{problem}");
                }
                if asked.json {
                    output::write(|out| {
                        out.write_all(std::mem::replace(&mut before, ",\n").as_bytes())?;
                        let row = rehearsal.row(&task.id);
                        let json = &mut serde_json::Serializer::with_formatter(out, Harmless);
                        row.serialize(json).map_err(std::io::Error::from)
                    })?;
                } else {
                    output::write(|out| write!(out, "{}: {rehearsal}", task.id))?;
                }
                reasons.extend(rehearsal.exit_reason());
            }
            Err(error) => {
                tracing::error!(task = %task.id, "{error}");
                reasons.push(error.exit_reason());
            }
        }
    }
    if asked.json {
        let end = if before.starts_with('[') {
            "[]\n"
        } else {
            "\n]\n"
        };
        output::write(|out| out.write_all(end.as_bytes()))?;
    }
    Ok(ExitReason::most_serious(&reasons))
}
