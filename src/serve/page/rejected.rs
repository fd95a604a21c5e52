//! Lines of lists that cannot be requests, a page at a time.

use std::collections::BTreeSet;

use axum::response::Response;
use maud::{Markup, html};

use super::super::query::Query;
use super::address::{of_file, of_rejected, of_task};
use super::error::{PageError, or_nothing};
use super::task_page::TaskPage;
use crate::ledger::{RejectedOf, RejectedPage, RejectedPlace, RejectedSearch, ShownLine};
use crate::model::{RejectReason, TaskId};
use crate::report::hints::rejection;
use crate::report::html::pieces::{month as month_name, name, number, prose, told};

/// Lines on one page.
const MOST: usize = 100;

/// Shows the rejected lines of all lists, of those last loaded in a month, or of one.
pub(super) async fn show(shown: TaskPage, query: Query) -> Result<Response, PageError> {
    let task = &shown.task.id;
    let of = match (query.parsed("list")?, query.parsed("month")?) {
        (Some(list), _) => RejectedOf::List(list),
        (None, Some(month)) => RejectedOf::Month(month),
        (None, None) => RejectedOf::All,
    };
    let after = after(&query)?;
    let read = shown.read(move |ledger, task| {
        let search = RejectedSearch {
            task,
            of,
            after,
            most: MOST,
        };
        let page = ledger.rejected_page(&search)?;
        Ok((page, ledger.pruned_before(task)?))
    });
    let (page, pruned_before) = or_nothing(read.await)?;
    let (title, above) = match of {
        RejectedOf::All => ("Rejected lines".to_owned(), of_task(task)),
        RejectedOf::List(_) => ("Rejected lines of a list".to_owned(), of_task(task)),
        RejectedOf::Month(month) => (
            format!("Rejected lines, {}", month_name(month)),
            format!("{}?month={month}", of_task(task)),
        ),
    };
    let body = html! {
        h1 { (title) }
        p.zone {
            "Lines of lists that cannot be requests, by the month in which the list was last loaded. "
            "Of each list the first 1,000 are kept."
        }
        @if page.lines.is_empty() {
            p { "None."
                @if let Some(month) = &pruned_before { " Those of lists last loaded before " (month) " were pruned." } }
        } @else { (why(&page.lines)) (table(task, &page.lines)) }
        (pages(task, of, after, &page))
    };
    let above = [
        (task.as_str(), above),
        ("Lists", format!("{}/lists", of_task(task))),
    ];
    Ok(shown.show(&format!("{title}, {task}"), &above, "Rejected", &body))
}

/// The place behind which the page begins, out of the address.
fn after(query: &Query) -> Result<Option<RejectedPlace>, PageError> {
    let place = (query.parsed("m")?, query.parsed("l")?, query.parsed("n")?);
    let (Some(month), Some(list), Some(line)) = place else {
        return Ok(None);
    };
    Ok(Some(RejectedPlace { month, list, line }))
}

/// What each reason on this page means; closed, so that the lines come first.
fn why(lines: &[ShownLine]) -> Markup {
    let reasons: BTreeSet<RejectReason> = lines.iter().map(|line| line.reason).collect();
    html! {
        details.behind {
            summary { "What the reasons mean" }
            dl.pairs { @for reason in reasons { dt { code { (reason) } } dd { (prose(rejection(reason))) } } }
        }
    }
}

fn table(task: &TaskId, lines: &[ShownLine]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Rejected lines" { table {
            thead { tr {
                th scope="col" { "List" } th.number scope="col" { "Line" }
                th scope="col" { "Reason" } th scope="col" { "How it begins" }
            } }
            tbody { @for line in lines { (row(task, line)) } }
        } }
    }
}

fn row(task: &TaskId, line: &ShownLine) -> Markup {
    html! {
        tr {
            th.object scope="row" {
                @if line.current { a href=(of_file(task, &line.path)) download { (name(&line.path)) } }
                @else { (name(&line.path)) span.quiet { " (another took its place)" } }
            }
            @if let Some(others) = line.stands_for {
                td.number {} td {}
                td { span.quiet { (number(others)) " more of this list are not kept one by one" } }
            } @else {
                td.number { (number(line.place.line)) }
                td { code { (line.reason) } }
                td.object { (told(&line.excerpt)) }
            }
        }
    }
}

/// To the first page, to the further ones, and to what other lists hold.
fn pages(
    task: &TaskId,
    of: RejectedOf,
    after: Option<RejectedPlace>,
    page: &RejectedPage,
) -> Markup {
    let (here, all) = match of {
        RejectedOf::All => (of_rejected(task, None), None),
        RejectedOf::Month(month) => {
            let all = of_rejected(task, None);
            (format!("{all}?month={month}"), Some(all))
        }
        RejectedOf::List(list) => (of_rejected(task, Some(list)), Some(of_rejected(task, None))),
    };
    let and = if here.contains('?') { '&' } else { '?' };
    html! {
        nav.pages aria-label="Pages" {
            @if after.is_some() { a href=(here) { "The first" } }
            @if let Some(RejectedPlace { month, list, line }) = page.next {
                a rel="next" href={ (here) (and) "m=" (month) "&l=" (list) "&n=" (line) } {
                    "Further" span aria-hidden="true" { " ›" }
                }
            }
            @if let Some(all) = all { a href=(all) { "Those of all lists" } }
        }
    }
}
