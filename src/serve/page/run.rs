//! One run: how far it is, its books, its lists.

use axum::extract::Path;
use axum::response::{Html, Response};
use maud::{Markup, html};

use super::address::{of_file, of_rejected, of_task};
use super::error::PageError;
use super::lists::{self, ListFile};
use super::month;
use super::task_page::TaskPage;
use crate::ledger::PastRun;
use crate::model::{TaskId, Timestamp};
use crate::report::html::books;
use crate::report::html::pieces::{name, number, prose, run_state, size, time, told};
use crate::report::spot::{spot_hint, spot_sentence};
use crate::report::text::{age, duration};

/// The part of the task's page that changes while a run is at work; the script
/// fetches it again and again.
pub(super) async fn progress(shown: TaskPage) -> Result<Html<String>, PageError> {
    let read = shown.watch(|ledger, task| Ok(ledger.past_runs(task, None, 1)?));
    let (runs, at_work) = read.await?;
    let now = shown.now();
    let progress = runs.first().filter(|run| month::is_running(run) && at_work);
    let progress = progress.map_or_else(
        || html! { p { "The run has ended. " a href=(of_task(&shown.task.id)) { "Show what came of it" } } },
        |run| figures(run, now),
    );
    Ok(Html(progress.into_string()))
}

/// How far the last run is, if it is at work.
pub(super) fn live(task: &TaskId, last: Option<&PastRun>, at_work: bool, now: Timestamp) -> Markup {
    let Some(run) = last.filter(|run| month::is_running(run)) else {
        return html! {};
    };
    if !at_work {
        return html! {
            section.card aria-labelledby="live" {
                h2 id="live" { "Run " (run.number) }
                p.problem { (prose("Its process is gone: the next run takes up what it left, `nightferry run --settle-only` its lists alone.")) }
            }
        };
    }
    html! {
        section.card.live aria-labelledby="live" {
            h2 id="live" { "Run " (run.number) " is at work" }
            div data-refresh={ (of_task(task)) "/progress" } { (figures(run, now)) }
            p.unseen role="status" aria-live="polite" {}
        }
    }
}

fn figures(run: &PastRun, now: Timestamp) -> Markup {
    let books = &run.books;
    let settled = books.settled();
    let percent = (settled * 100).checked_div(books.taken).unwrap_or(0);
    let ran_ms = (now.ms() - run.started.at.ms()).max(1);
    let per_minute = settled * 60_000 / ran_ms.unsigned_abs();
    html! {
        @if !run.has_taken {
            p { "It takes in lists." }
        } @else {
            p.told { span data-percent=(percent) { (number(settled)) " of " (number(books.taken)) " settled, " (percent) " %" } }
            progress aria-label="Settled of taken" max=(books.taken.max(1)) value=(settled) {}
        }
        dl.strip {
            div.synced { dt { "Synced" } dd { (number(books.synced)) } }
            div.failed { dt { "Failed" } dd { (number(books.failed)) } }
            div.ignored { dt { "Ignored" } dd { (number(books.ignored)) } }
            div { dt { "Still to do" } dd { (number(books.deferred)) } }
            div { dt { "Synced size" } dd { (size(books.synced_bytes)) } }
            div { dt { "Settled a minute" } dd { (number(per_minute)) } }
        }
        p.foot { span { "Began " (time(run.started)) ", " (age(ran_ms)) " ago" } }
    }
}

/// Shows one run.
pub(super) async fn show(
    shown: TaskPage,
    Path((_, run)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let task = &shown.task;
    let number: u64 = run.parse().map_err(|_| NO_RUN)?;
    let folder = shown.folder();
    let read = shown.watch(move |ledger, task| {
        let runs = ledger.past_runs(task, Some(number.saturating_add(1)), 1)?;
        let run = runs.into_iter().find(|run| run.number == number);
        let run = run.ok_or(NO_RUN)?;
        let files = lists::of_run(&folder, &run.run_name, &run.run_id);
        Ok((run, files))
    });
    let ((run, files), at_work) = read.await?;
    let body = html! {
        h1 { "Run " (run.number) " of " (task.id) " " (run_state(run.state, run.exit_reasons.as_deref(), !at_work)) }
        p.zone { (shown.times()) }
        @if let Some(because) = &run.because { p.problem { (told(because)) } }
        (books(&run))
        (details(&task.id, &run))
        (list_files(&task.id, &files))
    };
    let above = [
        shown.above(),
        ("Runs", format!("{}/runs", of_task(&task.id))),
    ];
    let title = format!("Run {} of {}", run.number, task.id);
    Ok(shown.show(&title, &above, &run.number.to_string(), &body))
}

const NO_RUN: PageError = PageError::NotThere("There is no such run.");

fn books(run: &PastRun) -> Markup {
    html! {
        section aria-labelledby="books" {
            h2.unseen id="books" { "Books" }
            (books::of_run(run))
        }
    }
}

fn details(task: &TaskId, run: &PastRun) -> Markup {
    html! {
        section aria-labelledby="details" {
            h2 id="details" { "Details" }
            dl.pairs {
                dt { "Started" } dd { (time(run.started)) }
                @if let Some(ended) = run.ended {
                    dt { "Ended" } dd { (time(ended)) ", after " (duration(ended.at.ms().saturating_sub(run.started.at.ms()).max(0).unsigned_abs())) }
                }
                @if run.tolerated > 0 { dt { "Failures tolerated" } dd { (number(run.tolerated)) } }
                @if run.suspects > 0 { dt { "Suspect" } dd { (number(run.suspects)) " of the ignored" } }
                @if let Some(check) = &run.spot_check { dt { "Spot check" } dd {
                    (spot_sentence(check).trim_start_matches("spot check: "))
                    @if let Some(hint) = spot_hint(check) { ". " (prose(&hint)) }
                } }
                dt { "Rejected lines" } dd {
                    @if run.rejected > 0 { a href=(of_rejected(task, None)) { (number(run.rejected)) } } @else { "0" }
                }
                dt { "Requests sent" } dd { (number(run.requests_sent)) }
                dt { "Tried again" } dd { (number(run.retries)) " times" }
                dt { "Throttled" } dd { (number(run.throttled)) " times" }
                @if let Some(code) = run.exit_code { dt { "Exit code" } dd { (code) } }
                dt { "Run id" } dd { code { (run.run_id) } }
                dt { "Run name" } dd { (name(&run.run_name)) }
            }
        }
    }
}

fn list_files(task: &TaskId, files: &[ListFile]) -> Markup {
    html! {
        section aria-labelledby="lists" {
            h2 id="lists" { "Object lists" }
            @if files.is_empty() {
                p { "None on this machine: a run that took nothing has none, one at work writes them at its end, and old ones may have been moved away." }
            } @else {
                div.scroll tabindex="0" role="group" aria-labelledby="lists" { table {
                    thead { tr { th scope="col" { "List" } th.number scope="col" { "Size" } } }
                    tbody { @for file in files { tr {
                        td { a href=(of_file(task, &file.path)) download { (name(&file.path)) } }
                        td.number.nowrap { (size(file.bytes)) }
                    } } }
                } }
            }
        }
    }
}
