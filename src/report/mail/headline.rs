//! Subjects: how a night ended, in a line.

use super::told::{RunTold, Told};
use super::{Ended, Trouble};
use crate::exit::ExitReason;
use crate::model::Deferral;
use crate::report::TaskMonth;
use crate::report::text::{counted, thousands};

/// Tasks that a subject speaks of one by one.
const MOST_TASKS: usize = 3;

/// The subject: the worst first.
pub fn subject(told: &[Told], troubles: &[Trouble]) -> String {
    let mut parts: Vec<String> = told
        .iter()
        .take(MOST_TASKS)
        .map(|task| format!("{}: {}", task.id, of_task(task)))
        .collect();
    if let Some(rest) = told.get(MOST_TASKS..).filter(|rest| !rest.is_empty()) {
        let wrong = rest.iter().filter(|task| !task.is_done()).count();
        let more = thousands(i64::try_from(rest.len()).unwrap_or(i64::MAX));
        parts.push(match wrong {
            0 => format!("{more} more without problems"),
            wrong => format!("{more} more, {wrong} of them with problems"),
        });
    }
    let troubles = troubles.iter().map(|trouble| trouble.short.clone());
    if told.is_empty() {
        parts.extend(troubles.map(|short| format!("Nightferry: {short}")));
    } else {
        parts.extend(troubles);
    }
    parts.join("; ")
}

/// How a task ended.
pub fn of_task(task: &Told) -> String {
    if let Some(run) = &task.run {
        return of_run(run);
    }
    match &task.ended {
        Ended::Ran(number) => format!("run {number}"),
        Ended::NotRun { reason, .. } => not_run(*reason).to_owned(),
        Ended::Paused(_) => "paused".to_owned(),
        Ended::NotBegun => "not begun, for a stop was asked for".to_owned(),
    }
}

/// In words, that no run came of it.
#[must_use]
pub const fn not_run(reason: ExitReason) -> &'static str {
    match reason {
        ExitReason::Locked => "did not run: another run is at work",
        ExitReason::Unusable => "did not run: configuration or ledger unusable",
        ExitReason::CouldNotBegin => "did not run: source or destination refused or did not answer",
        ExitReason::Deferred => "did not run: another run was at work until its time was up",
        ExitReason::Usage => "did not run: wrong usage",
        _ => "broke off: unexpected error",
    }
}

fn of_run(run: &RunTold) -> String {
    let books = &run.past.books;
    let mut parts = Vec::new();
    if run.is_unbalanced() {
        parts.push("BOOKS DO NOT BALANCE".to_owned());
    }
    if run.reasons.contains(&ExitReason::Unexpected) {
        parts.push("unexpected error".to_owned());
    }
    match (run.row.begin_cause, books.taken) {
        (Some(cause), _) => parts.push(format!("could not begin: {cause}")),
        (None, 0) => parts.push("nothing to do".to_owned()),
        (None, _) => {}
    }
    let number = |count: u64| thousands(count.cast_signed());
    if books.synced > 0 || (books.taken > 0 && run.row.begin_cause.is_none()) {
        parts.push(format!("{} synced", number(books.synced)));
    }
    for (count, word) in [(books.failed, "failed"), (books.ignored, "ignored")] {
        if count > 0 {
            parts.push(format!("{} {word}", number(count)));
        }
    }
    if books.deferred > 0 {
        let breaker = run.row.deferral == Some(Deferral::BreakerOpen);
        let why = if breaker { ": breaker_open" } else { "" };
        let left = books.deferred.saturating_sub(run.row.awaiting);
        if left > 0 {
            parts.push(format!("{} deferred{why}", number(left)));
        }
        if run.row.awaiting > 0 {
            parts.push(format!("{} awaiting a restore", number(run.row.awaiting)));
        }
    }
    let drifted = run.past.spot_check.map_or(0, |check| check.drifted());
    if drifted > 0 {
        parts.push(format!("{} drifted", number(drifted)));
    }
    if run.past.rejected > 0 {
        parts.push(format!("{} rejected", counted(run.past.rejected, "line")));
    }
    // Where nothing was tried, nothing was delivered either.
    if run.row.owed_lists > 0 && run.row.begin_cause.is_none() {
        parts.push(format!("{} owed", counted(run.row.owed_lists, "list")));
    }
    parts.join(", ")
}

/// The subject of a mail about months.
pub fn of_months(months: &[TaskMonth]) -> String {
    let mut parts: Vec<String> = months
        .iter()
        .take(MOST_TASKS)
        .map(|month| {
            let row = &month.row;
            let pending = match month.pending_now {
                0 => String::new(),
                pending => format!(", {} pending", thousands(pending.cast_signed())),
            };
            format!(
                "{}, {}: {} synced, {} failed{pending}",
                row.task,
                row.month,
                thousands(row.synced),
                thousands(row.failed)
            )
        })
        .collect();
    if months.len() > MOST_TASKS {
        parts.push(format!("{} more", months.len() - MOST_TASKS));
    }
    if parts.is_empty() {
        parts.push("Nightferry: no task yet".to_owned());
    }
    parts.join("; ")
}
