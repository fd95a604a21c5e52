//! `status`, `runs`, `bill`, `summary`, `failed`, `why`, `lists`: what the ledger says.

use std::io::Write;

use super::args::{Bill, BillBy, FailedRequests, Runs, Shown, Status, Summary, SummaryFormat, Why};
use super::failure::{Failed, Outcome};
use super::{Context, machine, mail, output};
use crate::backup::FolderStore;
use crate::config::TaskConfig;
use crate::intake::{LocalLists, passed_over, unloaded};
use crate::ledger::{Filter, Ledger, View};
use crate::model::TaskId;
use crate::report::outlook::{self, Outlook, Schedule};
use crate::report::text::visible;
use crate::report::{self, BesideLedger, Summary as Months};
use crate::run::TaskLock;

/// How each task stands now.
pub fn status(context: &Context, asked: &Status) -> Outcome {
    let task = known(context, asked.shown.task.as_deref())?;
    if asked.forecast {
        return forecast(context, task, asked.shown.json);
    }
    show(
        context,
        asked.shown.json,
        View::Books,
        &[Filter {
            task,
            ..Filter::default()
        }],
        |ledger, out| {
            let now = context.clock.now();
            report::write_owed_mails(ledger, out)?;
            if let Some(problem) = no_backup(context) {
                writeln!(out, "No backup can be made: {}\n", visible(&problem))?;
            }
            let configured: Vec<&TaskId> = context.config.tasks.iter().map(|it| &it.id).collect();
            let beside = |task: &TaskId| beside_ledger(context, ledger, task);
            report::write_status(ledger, task, &configured, beside, now, out)
        },
    )
}

fn beside_ledger(context: &Context, ledger: &Ledger, task: &TaskId) -> BesideLedger {
    let lists = LocalLists::new(&context.data_dir.task(task));
    let serve = context.config.serve.as_ref();
    let configured = context.config.task(task.as_str());
    BesideLedger {
        // What cannot be told is no reason to show nothing.
        unloaded: unloaded(ledger, task, &lists).unwrap_or_default(),
        passed_over: passed_over(&lists).values().sum(),
        at_work: is_at_work(context, task),
        // A task that is not configured is answered 404.
        events_url: serve
            .filter(|_| configured.is_some())
            .map(|serve| serve.events_url(&serve.own_origin(&machine::name()), task)),
        expect_list_within: configured.and_then(|task| task.expect_list_within),
        schedule: configured.map(Schedule::of),
    }
}

/// Why the folder of backups takes none; a bucket is not asked.
fn no_backup(context: &Context) -> Option<String> {
    let config = context.config.backup.as_ref()?;
    let store = FolderStore {
        folder: config.path.as_deref()?,
        keep: config.keep,
        file_mode: context.data_dir.modes().file,
    };
    store.check().err().map(|error| error.to_string())
}

// What cannot be told is not said to be gone.
fn is_at_work(context: &Context, task: &TaskId) -> bool {
    TaskLock::is_held(&context.data_dir.lock(task)).unwrap_or(true)
}

/// How the run of `task`, or of each, is likely to go.
fn forecast(context: &Context, task: Option<&TaskId>, json: bool) -> Outcome {
    let ledger = context.ledger()?;
    let asked = |configured: &&TaskConfig| task.is_none_or(|task| *task == configured.id);
    output::report(|out| {
        let mut outlooks = Vec::new();
        for task in context.config.tasks.iter().filter(asked) {
            let at_work = is_at_work(context, &task.id);
            let (schedule, now) = (Schedule::of(task), context.clock.now());
            outlooks.extend(Outlook::read(&ledger, &task.id, schedule, at_work, now)?);
        }
        outlook::write(&outlooks, json, out)
    })
}

/// Past runs.
pub fn runs(context: &Context, asked: &Runs) -> Outcome {
    let task = known(context, asked.shown.task.as_deref())?;
    let filter = Filter {
        task,
        last: asked.last,
        ..Filter::default()
    };
    if asked.tuning {
        return show(
            context,
            asked.shown.json,
            View::RunTuning,
            &[filter],
            |ledger, out| report::write_tunings(ledger, &filter, out),
        );
    }
    show(
        context,
        asked.shown.json,
        View::RunHistory,
        &[filter],
        |ledger, out| report::view::write_runs(ledger, &filter, out),
    )
}

/// What was asked of each bucket.
pub fn bill(context: &Context, asked: &Bill) -> Outcome {
    let task = known(context, asked.shown.task.as_deref())?;
    let view = match asked.by {
        BillBy::Month => View::RequestBillMonths,
        BillBy::Day => View::RequestBillDays,
        BillBy::Run => View::RequestBill,
    };
    let mut tasks = context.ledger()?.known_tasks()?;
    tasks.retain(|known| task.is_none_or(|task| *task == known.id));
    let now = context.clock.now();
    // Which month is meant is a matter of each task's own clocks.
    let filters: Vec<Filter<'_>> = tasks
        .iter()
        .map(|task| Filter {
            task: Some(&task.id),
            month: asked.month.map(|month| month.of(task, now)),
            ..Filter::default()
        })
        .collect();
    show(context, asked.shown.json, view, &filters, |ledger, out| {
        report::write_bill(ledger, view, &filters, out)
    })
}

/// Failed requests.
pub fn failed(context: &Context, asked: &FailedRequests) -> Outcome {
    let task = known(context, asked.shown.task.as_deref())?;
    if let Some(run) = asked.run {
        let all = context.config.tasks.iter().map(|task| &task.id);
        let tasks = task.map_or_else(|| all.collect(), |task| vec![task]);
        refuse_unknown_run(&context.ledger()?, &tasks, run)?;
    }
    let filter = Filter {
        task,
        run: asked.run,
        cause: asked.cause,
        ..Filter::default()
    };
    show(
        context,
        asked.shown.json,
        View::FailedRequests,
        &[filter],
        |ledger, out| {
            if asked.nul {
                report::view::write_failed_names(ledger, &filter, out)
            } else {
                report::view::write_failed(ledger, &filter, out)
            }
        },
    )
}

/// Input lists and rejected lines.
pub fn lists(context: &Context, asked: &Shown) -> Outcome {
    let task = known(context, asked.task.as_deref())?;
    let filter = Filter {
        task,
        ..Filter::default()
    };
    show(
        context,
        asked.json,
        View::LoadedLists,
        &[filter],
        |ledger, out| report::view::write_lists(ledger, &filter, out),
    )
}

/// All about one name.
pub fn why(context: &Context, asked: &Why) -> Outcome {
    let task = &context.task(&asked.task)?.id;
    let filter = Filter {
        task: Some(task),
        name: Some(&asked.name),
        ..Filter::default()
    };
    show(
        context,
        asked.json,
        View::ObjectHistory,
        &[filter],
        |ledger, out| report::write_why(ledger, task, &asked.name, out).map(drop),
    )
}

/// The month.
pub fn summary(context: &Context, asked: &Summary) -> Outcome {
    let task = known(context, asked.task.as_deref())?;
    let format = if asked.json {
        SummaryFormat::Json
    } else {
        asked.format
    };
    let ledger = context.ledger()?;
    let now = context.clock.now();
    report::refuse_unknown_month(&ledger, task, asked.month, now)?;
    if asked.mail {
        let config = context.config.mail.as_ref().ok_or_else(|| {
            let path = context.config.path.display();
            Failed::usage(format!(
                "{path} has no section [mail]; `nightferry init` shows one"
            ))
        })?;
        let signature = mail::signature(&context.config.path);
        let written = report::mail::month(&ledger, task, asked.month, &signature, now)?;
        return mail::send(context, config, &written);
    }
    let months = Months::read(&ledger, task, asked.month, now)?;
    let text = match format {
        SummaryFormat::Table => months.render_table(),
        SummaryFormat::Json => months.render_json()?,
        SummaryFormat::Csv => months.render_csv()?,
    };
    output::write(|out| out.write_all(text.as_bytes()))
}

/// That at least one of `tasks` has a run of this number.
pub fn refuse_unknown_run(ledger: &Ledger, tasks: &[&TaskId], run: u64) -> Result<(), Failed> {
    for task in tasks {
        if ledger.run_numbered(task, run)?.is_some() {
            return Ok(());
        }
    }
    let missing = match tasks {
        [task] => format!("task `{task}` has no run {run}"),
        _ => format!("no task has a run {run}"),
    };
    Err(Failed::usage(format!(
        "{missing}; `nightferry runs` shows them"
    )))
}

/// The configured task of this id, if one is named.
pub fn known<'a>(context: &'a Context, id: Option<&str>) -> Result<Option<&'a TaskId>, Failed> {
    id.map(|id| context.task(id).map(|task| &task.id))
        .transpose()
}

/// Shows rows of `view` as JSON, or as `table` writes them.
fn show(
    context: &Context,
    json: bool,
    view: View,
    filters: &[Filter<'_>],
    table: impl FnOnce(&Ledger, &mut output::Stdout) -> Result<(), report::ReportError>,
) -> Outcome {
    let ledger = context.ledger()?;
    output::report(|out| {
        if json {
            report::view::write_json(&ledger, view, filters, out)
        } else {
            table(&ledger, out)
        }
    })
}
