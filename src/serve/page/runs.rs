//! Past runs with their books, a page at a time.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::address::of_task;
use super::error::PageError;
use super::query::Query;
use super::{Page, frame};
use crate::ledger::PastRun;
use crate::model::TaskId;
use crate::report::html::pieces::{number, run_state, size, time};

/// Runs on one page.
const MOST: usize = 50;

/// Shows runs, the newest first.
pub(super) async fn show(
    State(page): State<Arc<Page>>,
    Path(task): Path<String>,
    query: Query,
) -> Result<Response, PageError> {
    let task = page.task(&task)?;
    let before = query.parsed("before")?;
    let id = task.id.clone();
    let read = page.read(move |ledger| Ok(ledger.past_runs(&id, before, MOST + 1)?));
    let mut runs = match read.await {
        Err(PageError::NoLedger) => Vec::new(),
        runs => runs?,
    };
    let more = runs.len() > MOST;
    runs.truncate(MOST);
    let at_work = page.is_at_work(&task.id);
    let address = format!("{}/runs", of_task(&task.id));
    let body = html! {
        (frame::trail(&[(task.id.as_str(), of_task(&task.id))], &html! { "Runs" }))
        h1 { "Runs of " (task.id) }
        p.zone { "Times are those of " (task.zone.name()) "." }
        @if runs.is_empty() { p { "No run yet." } } @else { (table(&task.id, &runs, at_work)) }
        nav.pages aria-label="Pages" {
            @if before.is_some() { a href=(address) { "The newest" } }
            @if let (true, Some(last)) = (more, runs.last()) {
                a rel="next" href={ (address) "?before=" (last.number) } { "Older" span aria-hidden="true" { " ›" } }
            }
        }
    };
    Ok(frame::page(
        &format!("Runs of {}", task.id),
        !page.is_open(),
        &body,
    ))
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
