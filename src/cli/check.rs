//! `nightferry check`: the destination against the ledger.

use std::io::{self, IsTerminal, Write};

use super::args::{Check, LogFormat, SummaryFormat};
use super::failure::{Failed, Outcome};
use super::{Context, deep, output};
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::intake::EnqueueTarget;
use crate::ledger::Ledger;
use crate::model::{Failure, TaskId};
use crate::report::{
    self, CHECK_CSV_HEADER, CheckFigures, Findings, ReportError, write_check_list,
};
use crate::run::{
    Checked, Display, Engine, Options, Requeued, RunError, StopSignal, check_task, requeue,
};

/// Compares what the ledger says was copied with what the buckets have now.
pub fn check(context: &Context, asked: &Check) -> Outcome {
    let tasks = context.tasks(&asked.tasks.tasks)?;
    let signal = StopSignal::listen().map_err(RunError::Signals)?;
    let options = Options {
        display: display(context),
        ..Options::default()
    };
    let engine = Engine::new(&context.config, context.clock.clone(), signal, options)?;
    if let Some(wanted) = asked.deep {
        return deep::check(&engine, &tasks, wanted, format(asked));
    }
    let mut reasons = Vec::new();
    let mut told = Vec::new();
    for task in tasks {
        match check_one(context, asked, &engine, task) {
            Ok((figures, findings)) => {
                reasons.extend(reasons_of(&figures));
                told.push((figures, findings));
            }
            Err(failed) => {
                tracing::error!(task = %task.id, "{}: {failed}", task.id);
                reasons.push(failed.reason);
            }
        }
    }
    write(format(asked), &mut told)?;
    Ok(ExitReason::most_serious(&reasons))
}

fn check_one(
    context: &Context,
    asked: &Check,
    engine: &Engine,
    task: &TaskConfig,
) -> Result<(CheckFigures, Findings), Failed> {
    let neighbours = neighbours(context, task);
    let sample = asked.sample.map(|count| count as usize);
    let mut checked = check_task(engine, task, &neighbours, sample)?;
    let (root, modes) = (context.data_dir.root(), context.data_dir.modes());
    let about = (&task.id, checked.began);
    let list = write_check_list(root, modes, about, &mut checked.findings)?;
    let list = list.map(|list| root.join(list.path).display().to_string());
    let requeued = asked
        .requeue
        .then(|| ask_again(context, task, &mut checked))
        .transpose()?;
    let message = |failure: Failure| failure.message;
    let figures = CheckFigures {
        task: checked.task,
        began: checked.began,
        sample,
        totals: checked.totals,
        by_size_alone: checked.by_size_alone,
        source_failure: checked.source_failure.map(message),
        unanswered: checked.unanswered.map(message),
        synced_ever: checked.synced_ever,
        requests: checked.requests,
        took_ms: checked.took_ms,
        list,
        requeued: requeued.map(|requeued| (requeued.list, requeued.names, requeued.waiting)),
    };
    Ok((figures, checked.findings))
}

/// Asks for what can be mended again.
fn ask_again(
    context: &Context,
    task: &TaskConfig,
    checked: &mut Checked,
) -> Result<Requeued, Failed> {
    let modes = context.data_dir.modes();
    context
        .data_dir
        .prepare([&task.id])
        .map_err(Failed::unusable)?;
    let target = EnqueueTarget {
        task_folder: &context.data_dir.task(&task.id),
        file_mode: modes.file,
        folder_mode: modes.inbox,
    };
    let mut ledger = Ledger::open(&context.ledger_path(), modes.file)?;
    let now = task.zone.local(context.clock.now());
    Ok(requeue(&mut ledger, checked, &target, now)?)
}

/// Other tasks that copy into the same bucket.
fn neighbours<'c>(context: &'c Context, task: &TaskConfig) -> Vec<&'c TaskId> {
    let others = context.config.tasks.iter();
    others
        .filter(|other| {
            other.id != task.id && other.destination.is_same_bucket_as(&task.destination)
        })
        .map(|other| &other.id)
        .collect()
}

/// What the check means for the exit code. Foreign objects are nobody's failure.
fn reasons_of(figures: &CheckFigures) -> Vec<ExitReason> {
    let is_partial = figures.source_failure.is_some() || figures.totals.unanswered > 0;
    ExitReason::that_hold([
        (is_partial, ExitReason::CouldNotBegin),
        (figures.totals.drifted() > 0, ExitReason::Failed),
    ])
}

fn write(format: SummaryFormat, told: &mut [(CheckFigures, Findings)]) -> Outcome {
    output::report(|out| match format {
        SummaryFormat::Table => {
            for (place, (figures, findings)) in told.iter_mut().enumerate() {
                if place > 0 {
                    writeln!(out)?;
                }
                report::write_check(figures, findings, out)?;
            }
            Ok(())
        }
        SummaryFormat::Json => write_json(told, out),
        SummaryFormat::Csv => {
            out.write_all(CHECK_CSV_HEADER.as_bytes())?;
            for (figures, findings) in told {
                report::write_check_csv(&figures.task, findings, out)?;
            }
            Ok(())
        }
    })
}

fn write_json(
    told: &mut [(CheckFigures, Findings)],
    out: &mut output::Stdout,
) -> Result<(), ReportError> {
    let mut before = "[\n  ";
    for (figures, findings) in told {
        out.write_all(before.as_bytes())?;
        before = ",\n  ";
        report::write_check_json(figures, findings, out)?;
    }
    let end = if before.starts_with('[') {
        "[]\n"
    } else {
        "\n]\n"
    };
    Ok(out.write_all(end.as_bytes())?)
}

const fn format(asked: &Check) -> SummaryFormat {
    if asked.json {
        SummaryFormat::Json
    } else {
        asked.format
    }
}

/// A bar where a person sees it; in cron nothing but what is found.
fn display(context: &Context) -> Display {
    let has_bar = io::stderr().is_terminal() && context.log_format == LogFormat::Text;
    if has_bar && !context.quiet {
        Display::Bar
    } else {
        Display::Quiet
    }
}
