//! A task: one of its months, the run at work, what failed, its last runs.

use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

use super::super::query::Query;
use super::address::{of_object, of_rejected, of_task};
use super::error::{PageError, or_nothing};
use super::task_page::TaskPage;
use super::{run, runs, tasks};
use crate::config::TaskConfig;
use crate::ledger::{DayFigures, Ledger, PastRun};
use crate::model::{FailureCause, LocalTime, Month, RunState, TaskId, Timestamp};
use crate::report::hints::{hint, meaning, name_hint, suspects_hint};
use crate::report::html::pieces::{month as month_name, name, number, prose, size};
use crate::report::html::{books, days};
use crate::report::text::counted;
use crate::report::{MonthChoice, Summary, TaskMonth};

/// Runs on this page; a page of their own has the others.
const RUNS: usize = 8;

/// What the ledger says of a task and month.
#[derive(Default)]
struct Told {
    /// Nothing, if nothing was ever asked for.
    summary: Option<TaskMonth>,
    months: Vec<Month>,
    days: Vec<DayFigures>,
    rejected: u64,
    runs: Vec<PastRun>,
    paused: Option<LocalTime>,
}

/// Shows the month that is asked for, or the present one.
pub(super) async fn show(
    shown: TaskPage,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let task = &shown.task;
    let now = shown.now();
    let this_month = task.zone.local(now).month();
    let month = query.parsed("month")?.unwrap_or(this_month);
    let read = shown.watch(move |ledger, task| read(ledger, task, month, now));
    let (told, at_work) = or_nothing(read.await)?;
    let body = html! {
        div.head {
            h1 { (task.id) }
            (tasks::route(task))
            @if let Some(since) = told.paused { p { (tasks::paused(since)) } }
        }
        (months(task, month, this_month, &told.months))
        @if let Some(summary) = &told.summary {
            (figures(task, month, summary, told.rejected))
            (days::outcomes("days", month, &told.days))
            (run::live(&task.id, told.runs.first(), at_work, now))
            (failures(task, month, summary))
        } @else {
            p.card { "Nothing has been asked for yet. The first name makes it begin." }
        }
        (past_runs(task, &told.runs, at_work))
        (addresses(task, &shown.addresses(&headers)))
    };
    let title = format!("{}, {}", task.id, month_name(month));
    Ok(shown.show(&title, &[], task.id.as_str(), &body))
}

fn read(ledger: &Ledger, task: &TaskId, month: Month, now: Timestamp) -> Result<Told, PageError> {
    let mut summary = Summary::read(ledger, Some(task), MonthChoice::Named(month), now)?;
    Ok(Told {
        summary: summary.months.pop(),
        months: ledger.months(task)?,
        days: ledger.month_days(task, month)?,
        rejected: ledger.rejected_in(task, month)?,
        runs: ledger.past_runs(task, None, RUNS)?,
        paused: ledger.paused_since(task)?,
    })
}

/// The month before and after, and all that have figures.
fn months(task: &TaskConfig, month: Month, this_month: Month, all: &[Month]) -> Markup {
    let of = |month: Month| format!("{}?month={month}", of_task(&task.id));
    let first = all.last().copied().unwrap_or(this_month);
    let is_listed = |listed: &&Month| **listed != month;
    html! {
        nav.months aria-label="Months" {
            @if month > first {
                a rel="prev" href=(of(month.previous())) { span aria-hidden="true" { "‹ " } (month_name(month.previous())) }
            }
            h2 { (month_name(month)) }
            @if month < this_month {
                a rel="next" href=(of(month.next())) { (month_name(month.next())) span aria-hidden="true" { " ›" } }
            }
            @if all.iter().any(|listed| *listed != month) {
                details {
                    summary { "Other months" }
                    ul { @for other in all.iter().filter(is_listed) {
                        li { a href=(of(*other)) { (month_name(*other)) } }
                    } }
                }
            }
            p.zone { "Days and times are those of " strong { (task.zone.name()) } }
        }
    }
}

/// The figures of the month, under the names that they have in the original service.
fn figures(task: &TaskConfig, month: Month, summary: &TaskMonth, rejected: u64) -> Markup {
    let row = &summary.row;
    let count = |count: i64| number(count.max(0).unsigned_abs());
    let failed = format!("{}/failed?month={month}", of_task(&task.id));
    html! {
        section aria-labelledby="figures" {
            h2.unseen id="figures" { "Figures of the month" }
            dl.tiles {
                div { dt { "Requested Objects" } dd { (count(row.requested)) } }
                div.synced { dt { "Synced" } dd { (count(row.synced)) } }
                div.failed { dt { "Failed" } dd {
                    @if row.failed > 0 { a href=(failed) { (count(row.failed)) } } @else { "0" }
                } }
                div.ignored { dt { "Ignored" } dd { (count(row.ignored)) } }
                div { dt { "Synced Object Size" } dd { (size(row.synced_bytes.max(0).unsigned_abs())) } }
                div { dt { "Object Lists" } dd.links {
                    a href={ (of_task(&task.id)) "/lists" } { "received" }
                    a href={ (of_task(&task.id)) "/runs" } { "of runs" }
                    @if rejected > 0 {
                        a href={ (of_rejected(&task.id, None)) "?month=" (month) } { (counted(rejected, "rejected line")) }
                    }
                } }
            }
            (books::balance(summary))
            (books::closed(summary))
        }
    }
}

/// What failed and what was ignored, by cause and reason, and what to do.
fn failures(task: &TaskConfig, month: Month, summary: &TaskMonth) -> Markup {
    let of =
        |cause: FailureCause| format!("{}/failed?month={month}&cause={cause}", of_task(&task.id));
    html! {
        @if !summary.failed.is_empty() {
            section aria-labelledby="failures" {
                h2 id="failures" { "Failed, by cause" }
                div.scroll tabindex="0" role="group" aria-labelledby="failures" { table {
                    thead { tr { th scope="col" { "Cause" } th.number scope="col" { "Objects" } th scope="col" { "What to do" } } }
                    tbody { @for (cause, count) in &summary.failed { tr {
                        th scope="row" { a href=(of(*cause)) { code { (cause) } } }
                        td.number { (number(*count)) }
                        td.words { (prose(hint(*cause))) }
                    } } }
                } }
                @for odd in &summary.odd_names {
                    p.hint {
                        a href=(of_object(&task.id, &odd.example)) { (name(&odd.example)) }
                        @if odd.requests > 1 { " (and " (number(odd.requests - 1)) " more)" }
                        " " (prose(name_hint(&odd.example).unwrap_or("")))
                    }
                }
            }
        }
        @if !summary.ignored.is_empty() {
            section aria-labelledby="ignored" {
                h2 id="ignored" { "Ignored, by reason" }
                div.scroll tabindex="0" role="group" aria-labelledby="ignored" { table {
                    thead { tr { th scope="col" { "Reason" } th.number scope="col" { "Objects" } th scope="col" { "Meaning" } } }
                    tbody { @for (reason, count) in &summary.ignored { tr {
                        th scope="row" { code { (reason) } }
                        td.number { (number(*count)) }
                        td.words { (prose(meaning(*reason))) }
                    } } }
                } }
                @if summary.suspects > 0 { p.hint { (prose(&suspects_hint(summary.suspects))) } }
            }
        }
    }
}

fn past_runs(task: &TaskConfig, past: &[PastRun], at_work: bool) -> Markup {
    html! {
        section aria-labelledby="runs" {
            h2 id="runs" { "Runs" }
            @if past.is_empty() {
                p { "No run yet." }
            } @else {
                (runs::table(&task.id, past, at_work))
                p { a href={ (of_task(&task.id)) "/runs" } { "All runs" } }
            }
        }
        form.search method="get" action={ (of_task(&task.id)) "/objects" } role="search" aria-label="An object's history" {
            label for="object" { "What became of an object" }
            div { input id="object" name="name" type="text" required spellcheck="false" autocomplete="off" placeholder="its whole name";
                  button type="submit" { "Show" } }
        }
    }
}

/// Where the source platform sends names to.
fn addresses(task: &TaskConfig, (origin, events): &(String, String)) -> Markup {
    html! {
        section.card aria-labelledby="addresses" {
            h2 id="addresses" { "Synchronization API URL" }
            p { code.address { (events) } }
            p.hint { "For the source platform; bucket notifications of S3 servers go to "
                code.address { (origin) "/v1/tasks/" (task.id) "/s3-events" } "." }
        }
    }
}

/// Whether the task's last run is at work.
pub(super) fn is_running(run: &PastRun) -> bool {
    run.state == RunState::Running
}
