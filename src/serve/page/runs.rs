//! Past runs with their books, a page at a time.

use axum::response::Response;
use maud::{Markup, html};

use super::super::query::Query;
use super::address::of_task;
use super::error::{PageError, or_nothing};
use super::task_page::TaskPage;
use crate::ledger::PastRun;
use crate::model::TaskId;
use crate::report::html::pieces::{number, run_state, size, time};

/// Runs on one page.
const MOST: usize = 50;

/// Shows runs, the newest first.
pub(super) async fn show(shown: TaskPage, query: Query) -> Result<Response, PageError> {
    let task = &shown.task;
    let before = query.parsed("before")?;
    let read = shown.watch(move |ledger, task| Ok(ledger.past_runs(task, before, MOST + 1)?));
    let (mut runs, at_work) = or_nothing(read.await)?;
    let more = runs.len() > MOST;
    runs.truncate(MOST);
    let title = format!("Runs of {}", task.id);
    let address = format!("{}/runs", of_task(&task.id));
    let body = html! {
        h1 { (title) }
        p.zone { (shown.times()) }
        @if runs.is_empty() { p { "No run yet." } } @else { (table(&task.id, &runs, at_work)) }
        nav.pages aria-label="Pages" {
            @if before.is_some() { a href=(address) { "The newest" } }
            @if let (true, Some(last)) = (more, runs.last()) {
                a rel="next" href={ (address) "?before=" (last.number) } { "Older" span aria-hidden="true" { " ›" } }
            }
        }
    };
    Ok(shown.show(&title, &[shown.above()], "Runs", &body))
}

/// Runs as a table.
pub(super) fn table(task: &TaskId, runs: &[PastRun], at_work: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Runs" { table {
            thead { tr {
                th.number scope="col" { "Run" } th scope="col" { "Started" } th scope="col" { "Ended" }
                th.number scope="col" { "Taken" } th.number scope="col" { "Synced" }
                th.number scope="col" { "Failed" } th.number scope="col" { "Ignored" }
                th.number scope="col" { "Deferred" } th.number scope="col" { "Size" }
            } }
            tbody { @for run in runs { (row(task, run, at_work)) } }
        } }
    }
}

fn row(task: &TaskId, run: &PastRun, at_work: bool) -> Markup {
    let books = &run.books;
    html! {
        tr {
            th.number scope="row" { a href={ (of_task(task)) "/runs/" (run.number) } { (number(run.number)) } }
            td.nowrap { (time(run.started)) }
            td { (run_state(run.state, run.exit_reasons.as_deref(), !at_work)) }
            td.number { (number(books.taken)) }
            td.number { (number(books.synced)) }
            td.number.failed[books.failed > 0] { (number(books.failed)) }
            td.number { (number(books.ignored)) }
            td.number { (number(books.deferred)) }
            td.number.nowrap { (size(books.synced_bytes)) }
        }
    }
}
