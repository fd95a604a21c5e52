//! How each task stands now.

use std::io::Write;
use std::time::Duration;

use super::ReportError;
use super::hints::list_expected;
use super::outlook::{Outlook, Schedule};
use super::spot::spot_sentence;
use super::table::{Side, paragraph, plain};
use super::text::{age, counted, size, thousands, told};
use crate::ledger::{Awaiting, LastRun, Ledger, TaskStatus};
use crate::model::{RunState, Silence, TaskId, Timestamp};

/// What of a task only the disk and the configuration know.
#[derive(Debug, Clone, Default)]
pub struct BesideLedger {
    /// Lists in its `object_lists/` of which not all is loaded.
    pub unloaded: u64,
    /// Files in its `object_lists/` that are not read as lists.
    pub passed_over: u64,
    /// Whether a process is at work on it.
    pub at_work: bool,
    /// Where the source platform sends names, if it can.
    pub events_url: Option<String>,
    /// The longest that nothing may be asked for.
    pub expect_list_within: Option<Duration>,
    /// When its runs may move objects; `None`: it is not configured.
    pub schedule: Option<Schedule>,
}

/// Writes how `task`, or every task, stands: its books, its last run, what someone
/// should look at, and how its run is likely to go; of the `configured` tasks that the
/// ledger does not know yet, whether lists wait. `beside` tells of a task what the
/// ledger does not know; it is asked after the ledger was read.
///
/// # Errors
/// If the ledger cannot be read or does not know the task, or `out` not written.
pub fn write_status(
    ledger: &Ledger,
    task: Option<&TaskId>,
    configured: &[&TaskId],
    beside: impl Fn(&TaskId) -> BesideLedger,
    now: Timestamp,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let tasks = ledger.task_status(task)?;
    let known: Vec<&TaskId> = tasks.iter().map(|status| &status.task).collect();
    let asked = |id: &&TaskId| task.is_none_or(|task| task == *id);
    let news = configured.iter().copied().filter(asked);
    let news: Vec<&TaskId> = news.filter(|id| !known.contains(id)).collect();
    if let (Some(task), true) = (task, known.is_empty() && news.is_empty()) {
        return Err(ReportError::UnknownTask(task.clone()));
    }
    if known.is_empty() && news.is_empty() {
        writeln!(
            out,
            "The ledger knows no task yet; the first run enters it."
        )?;
    }
    for (index, status) in tasks.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let (_, oldest) = ledger.pending(&status.task)?;
        let waiting = oldest.map(|oldest| age(now.ms() - oldest.at.ms()));
        let beside = beside(&status.task);
        let mut rows = rows(status, waiting, &beside);
        let died = has_died(ledger, status, beside.at_work)?;
        rows.extend(ledger.awaiting(&status.task)?.map(|it| awaiting(&it, now)));
        let (last_run, because) = last_run(status, died, now);
        rows.push(last_run);
        let feed = ledger.feed(&status.task)?;
        let silence = feed.silence(beside.expect_list_within, now);
        rows.extend(silence.map(|silence| no_list(&silence)));
        rows.extend(paused(status, now));
        writeln!(out, "{}\n", status.task)?;
        write!(
            out,
            "{}",
            plain(&[Side::Left, Side::Right, Side::Left], &rows)
        )?;
        let spot_check = spot_checked(ledger, status)?;
        for note in [because, spot_check, resumed(status)].into_iter().flatten() {
            write!(out, "{}", paragraph(&note, 2))?;
        }
        if let Some(url) = beside.events_url {
            writeln!(out, "  Synchronization API URL: {url}")?;
        }
        if let Some(schedule) = beside.schedule
            && let Some(outlook) = Outlook::read(ledger, &status.task, schedule, !died, now)?
        {
            write!(out, "{}", paragraph(&outlook.sentence(), 2))?;
        }
    }
    for (index, task) in news.into_iter().enumerate() {
        if index == 0 && !tasks.is_empty() {
            writeln!(out)?;
        }
        let waiting = match beside(task).unloaded {
            0 => "and no list waits for one".to_owned(),
            unloaded => format!("{} not loaded yet", counted(unloaded, "list")),
        };
        writeln!(out, "{task}: no run yet, {waiting}")?;
    }
    Ok(())
}

/// Writes how many mails are owed, and why; nothing if none is.
///
/// # Errors
/// If the ledger cannot be read, or `out` not written.
pub fn write_owed_mails(ledger: &Ledger, out: &mut impl Write) -> Result<(), ReportError> {
    let (owed, problem) = ledger.owed_mails()?;
    if owed > 0 {
        let because = problem.map_or_else(String::new, |why| format!(": {}", told(&why)));
        let owed = counted(owed, "mail");
        writeln!(out, "{owed} owed, which the next run sends{because}\n")?;
    }
    Ok(())
}

fn rows(status: &TaskStatus, waiting: Option<String>, beside: &BesideLedger) -> Vec<Vec<String>> {
    let row = |label: &str, number: u64, remark: String| {
        vec![
            format!("  {label}"),
            thousands(number.cast_signed()),
            remark,
        ]
    };
    let remark = |text: &str| text.to_owned();
    let books = if status.balanced {
        remark("the books balance")
    } else {
        remark("THE BOOKS DO NOT BALANCE: run `nightferry ledger check`")
    };
    let oldest = waiting.map_or_else(String::new, |age| format!("the oldest waits for {age}"));
    let mut rows = vec![
        row("Requested", status.requested, books),
        row("Synced", status.synced, String::new()),
        row("Failed", status.failed, String::new()),
        row("Ignored", status.ignored, String::new()),
        row("Pending", status.pending, oldest),
    ];
    for (label, number, text) in [
        (
            "Lists not loaded yet",
            beside.unloaded,
            "the next run takes in what is new",
        ),
        (
            "Rejected lines",
            status.rejected,
            "`nightferry lists` shows them",
        ),
        ("Lists owed", status.owed, "the next run delivers them"),
        (
            "Lists in conflict",
            status.conflicts,
            "something else stands under their names",
        ),
        (
            "Files passed over",
            beside.passed_over,
            "in object_lists/, but no lists",
        ),
    ] {
        if number > 0 {
            rows.push(row(label, number, remark(text)));
        }
    }
    rows
}

/// What the source is bringing back from its archive.
fn awaiting(awaiting: &Awaiting, now: Timestamp) -> Vec<String> {
    let bytes = size(awaiting.bytes.cast_signed());
    let bytes = match awaiting.unknown {
        0 => bytes,
        _ => format!("at least {bytes}"),
    };
    let remark = format!(
        "from the source's archive, {bytes}, the first asked for {} ago",
        age(now.ms() - awaiting.since.at.ms())
    );
    let label = "  Awaiting restore".to_owned();
    vec![label, thousands(awaiting.requests.cast_signed()), remark]
}

/// Whether the process of the run that stands as running is gone. A run holds its
/// lock for as long as it stands so; one that ended between the two looks does
/// not stand so any more.
fn has_died(ledger: &Ledger, status: &TaskStatus, at_work: bool) -> Result<bool, ReportError> {
    let running = |status: &TaskStatus| match &status.last_run {
        Some(run) if run.state == RunState::Running => Some(run.number),
        _ => None,
    };
    let Some(number) = running(status) else {
        return Ok(false);
    };
    if at_work {
        return Ok(false);
    }
    let again = ledger.task_status(Some(&status.task))?;
    Ok(again.iter().any(|status| running(status) == Some(number)))
}

/// The row of the last run, and what more there is to say of it.
fn last_run(status: &TaskStatus, died: bool, now: Timestamp) -> (Vec<String>, Option<String>) {
    let label = "  Last run".to_owned();
    let Some(run) = &status.last_run else {
        return (vec![label, "none".to_owned(), String::new()], None);
    };
    let ago = age(now.ms() - run.started.at.ms());
    let end = match (run.state, &run.exit_reasons) {
        (RunState::Running, _) if died => "its process is gone".to_owned(),
        (RunState::Running, _) => "at work".to_owned(),
        (RunState::Interrupted, _) => "interrupted".to_owned(),
        (RunState::Ended, Some(reasons)) => reasons.replace(',', ", "),
        (RunState::Ended, None) => "ended".to_owned(),
    };
    let row = vec![label, run.number.to_string(), format!("{ago} ago, {end}")];
    (row, because(run, died))
}

/// Why the last run ended as it did, and what is to be done.
fn because(run: &LastRun, died: bool) -> Option<String> {
    let number = run.number;
    if died {
        return Some(format!(
            "Run {number} ended without a word: the next run takes up what it left, `nightferry \
             run --settle-only` its lists alone."
        ));
    }
    let message = run.because.as_deref()?;
    Some(format!("Run {number}: {}", told(message)))
}

/// What the last run's spot check came to, as a sentence.
fn spot_checked(ledger: &Ledger, status: &TaskStatus) -> Result<Option<String>, ReportError> {
    let last = status.last_run.as_ref();
    let check = match last.map(|run| i64::try_from(run.number)) {
        Some(Ok(number)) => ledger.spot_check(status.task.as_str(), number)?,
        _ => None,
    };
    Ok(check.map(|check| format!("In the last run's {}.", spot_sentence(&check))))
}

fn no_list(silence: &Silence) -> Vec<String> {
    let label = "  No list for".to_owned();
    vec![label, age(silence.lasts_ms), list_expected(silence)]
}

fn paused(status: &TaskStatus, now: Timestamp) -> Option<Vec<String>> {
    let since = status.paused?;
    let remark = format!("for {}", age(now.ms() - since.at.ms()));
    Some(vec!["  Paused".to_owned(), "yes".to_owned(), remark])
}

/// What makes runs take up a paused task again.
fn resumed(status: &TaskStatus) -> Option<String> {
    status.paused?;
    let task = &status.task;
    Some(format!(
        "Runs leave it alone until `nightferry resume --task {task}`."
    ))
}
