//! The mail in the morning: what a process's runs came to, in a subject that says it
//! all, as plain text and as HTML, from the ledger alone.
//!
//! What it says is put together once, as [blocks](block::Block); both forms show the
//! same blocks.

mod attachment;
mod block;
mod headline;
mod html;
mod night;
mod plain;
mod told;

pub use headline::not_run;

use std::collections::BTreeMap;

use self::block::Block;
use self::told::Told;
use super::html::pieces;
use super::outlook::Schedule;
use super::{MonthChoice, ReportError, Summary};
use crate::exit::ExitReason;
use crate::ledger::Ledger;
use crate::model::{Attachment, LocalTime, Mail, RunId, TaskId, Timestamp, Zone};

/// What a process's runs came to, as far as the ledger does not say it.
#[derive(Debug, Clone, Default)]
pub struct Happened {
    /// How each task ended.
    pub tasks: Vec<(TaskId, Ended)>,
    /// When their next runs may move objects, of those that are configured.
    pub schedules: BTreeMap<TaskId, Schedule>,
    /// What went wrong beside them.
    pub troubles: Vec<Trouble>,
}

/// How a task ended, as far as the ledger does not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By this run, of which the ledger tells.
    Ran(u64),
    /// Without one, or in the midst of one.
    NotRun {
        /// What it means for the exit code.
        reason: ExitReason,
        /// Why, and what to do.
        said: String,
    },
    /// It is paused, since then.
    Paused(LocalTime),
    /// The process was to stop before it came to it.
    NotBegun,
}

/// What went wrong beside the tasks, or kept all of them from running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What it means for the exit code.
    pub reason: ExitReason,
    /// For the subject: a few words.
    pub short: String,
    /// What is wrong, and what to do.
    pub said: String,
}

/// What a mail is signed with.
#[derive(Debug, Clone)]
pub struct Signature {
    /// The machine's name.
    pub host: String,
    /// The configuration, by which its reader finds the machine's part in it.
    pub config: String,
    /// Tells apart mails of one second that tell of no run.
    pub entropy: u64,
}

/// The mail about what happened.
///
/// # Errors
/// If the ledger cannot be read.
pub fn night(
    ledger: &Ledger,
    happened: &Happened,
    signature: &Signature,
    now: Timestamp,
) -> Result<Mail, ReportError> {
    let mut told = happened
        .tasks
        .iter()
        .map(|(task, ended)| {
            let schedule = happened.schedules.get(task).copied();
            Told::read(ledger, task, ended, schedule, now)
        })
        .collect::<Result<Vec<_>, _>>()?;
    // The same order in the text and in what goes with it.
    told.sort_by_key(Told::place);
    let failed = attachment::of(ledger, &told)?;
    Ok(told_of(&told, failed, happened, signature, now))
}

/// The mail about what happened, where the ledger cannot be read: what `happened` says
/// by itself.
#[must_use]
pub fn bare(happened: &Happened, signature: &Signature, now: Timestamp) -> Mail {
    let told = happened.tasks.iter();
    let mut told: Vec<Told> = told.map(|(task, ended)| Told::bare(task, ended)).collect();
    told.sort_by_key(Told::place);
    told_of(&told, None, happened, signature, now)
}

/// The mail about a month of `task`, or of every task that the ledger knows.
///
/// # Errors
/// If the ledger cannot be read, or does not know the task.
pub fn month(
    ledger: &Ledger,
    task: Option<&TaskId>,
    month: MonthChoice,
    signature: &Signature,
    now: Timestamp,
) -> Result<Mail, ReportError> {
    let mut summary = Summary::read(ledger, task, month, now)?;
    // Those with failures first.
    summary.months.sort_by_key(|month| month.row.failed == 0);
    let mut blocks = Vec::new();
    for month in &summary.months {
        night::tell_month(month, now, &mut blocks);
    }
    if blocks.is_empty() {
        blocks.push(Block::Quiet(
            "The ledger knows no task yet; the first run enters it.".to_owned(),
        ));
    }
    let tasks = ledger.known_tasks()?;
    let zone = |id: &str| tasks.iter().find(|known| known.id.as_str() == id);
    let first = summary
        .months
        .first()
        .and_then(|month| zone(&month.row.task));
    let made = first.map_or(Zone::UTC, |task| task.zone).local(now);
    let id = RunId::new(made, signature.entropy);
    Ok(written(
        (format!("summary.{id}"), made),
        headline::of_months(&summary.months),
        blocks,
        signature,
        None,
    ))
}

fn told_of(
    told: &[Told],
    failed: Option<(Attachment, String)>,
    happened: &Happened,
    signature: &Signature,
    now: Timestamp,
) -> Mail {
    let subject = headline::subject(told, &happened.troubles);
    let mut blocks: Vec<Block> = happened.troubles.iter().map(night::trouble).collect();
    for task in told {
        night::tell(task, now, &mut blocks);
    }
    let (attachment, note) = failed.unzip();
    blocks.extend(note.map(Block::Quiet));
    let made = made(told, now);
    let run = told.iter().find_map(Told::run_id).map(str::to_owned);
    let id = run.unwrap_or_else(|| RunId::new(made, signature.entropy).to_string());
    written(
        (format!("run.{id}"), made),
        subject,
        blocks,
        signature,
        attachment,
    )
}

/// When the mail is made, on the clocks of the task that it tells of first.
fn made(told: &[Told], now: Timestamp) -> LocalTime {
    let first = told.first().and_then(|task| task.zone);
    first.unwrap_or(Zone::UTC).local(now)
}

fn written(
    (id, made): (String, LocalTime),
    subject: String,
    mut blocks: Vec<Block>,
    signature: &Signature,
    attachment: Option<Attachment>,
) -> Mail {
    blocks.push(Block::Foot(format!(
        "Nightferry {} on {}, configured by {}. `nightferry status` says how its tasks stand now.",
        env!("CARGO_PKG_VERSION"),
        signature.host,
        signature.config
    )));
    Mail {
        id,
        made,
        text: plain::write(&blocks),
        html: html::write(&subject, &blocks),
        subject,
        attachment,
    }
}

/// A time on its zone's clocks, to the minute.
fn clock(local: LocalTime) -> String {
    let exact = local.rfc3339();
    format!("{} {}", &exact[..10], exact.get(11..16).unwrap_or(""))
}

/// A month in words.
fn month_name(month: &str) -> String {
    month
        .parse()
        .map_or_else(|_| month.to_owned(), pieces::month)
}

#[cfg(test)]
mod tests;
