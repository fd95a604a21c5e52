//! Failed objects, a page at a time, and the search for some.

use std::fmt::Write as _;

use axum::response::Response;
use maud::{Markup, html};

use super::super::query::Query;
use super::address::{in_address, of_object, of_task};
use super::error::PageError;
use super::task_page::TaskPage;
use crate::ledger::{FailedPage, FailedPlace, FailedRequest, FailedSearch, Ledger, NameSearch};
use crate::model::{FailureCause, Month, TaskId, Timestamp};
use crate::report::hints::hint;
use crate::report::html::pieces::{month as month_name, name, number, prose, time};

/// Objects on one page.
const MOST: usize = 100;

/// What is asked for.
struct Asked {
    task: TaskId,
    month: Option<Month>,
    cause: Option<FailureCause>,
    name: String,
    holds: bool,
    after: Option<FailedPlace>,
}

/// What the ledger answers.
struct Told {
    page: FailedPage,
    counts: Vec<(FailureCause, u64)>,
    months: Vec<Month>,
    pruned_before: Option<String>,
}

/// Shows the failed objects that are asked for.
pub(super) async fn show(shown: TaskPage, query: Query) -> Result<Response, PageError> {
    let task = &shown.task;
    let asked = Asked {
        task: task.id.clone(),
        month: query.parsed("month")?,
        cause: query.parsed("cause")?,
        name: query.filled("name").unwrap_or("").to_owned(),
        holds: query.filled("match") == Some("holds"),
        after: after(&query)?,
    };
    let now = shown.now();
    let read = shown.read(move |ledger, _| {
        let told = read(ledger, &asked, now)?;
        Ok((asked, told))
    });
    let (asked, told) = read.await?;
    let title = asked.month.map_or_else(
        || "Failed objects".to_owned(),
        |month| format!("Failed objects, {}", month_name(month)),
    );
    let body = html! {
        h1 { (title) }
        p.zone { "As they stand now, by month, cause and name. " (shown.times()) }
        (search(&asked, &told))
        (found(&asked, &told))
    };
    let above = [(task.id.as_str(), asked.of_month())];
    let title = format!("{title}, {}", task.id);
    Ok(shown.show(&title, &above, "Failed", &body))
}

/// The place behind which the page begins, out of the address.
fn after(query: &Query) -> Result<Option<FailedPlace>, PageError> {
    let place = (query.parsed("m")?, query.parsed("c")?, query.parsed("r")?);
    let (Some(month), Some(cause), Some(request)) = place else {
        return Ok(None);
    };
    let name = query.filled("n").unwrap_or("").to_owned();
    Ok(Some(FailedPlace {
        month,
        cause,
        name,
        request,
    }))
}

fn read(ledger: &Ledger, asked: &Asked, now: Timestamp) -> Result<Told, PageError> {
    let search = FailedSearch {
        task: &asked.task,
        month: asked.month,
        cause: asked.cause,
        name: if asked.holds {
            NameSearch::Holds(&asked.name)
        } else {
            NameSearch::Begins(&asked.name)
        },
        after: asked.after.as_ref(),
        most: MOST,
    };
    let counts = ledger.failure_counts(&asked.task, None)?;
    let mut told = Told {
        page: ledger.failed_page(&search, now)?,
        counts: FailureCause::ALL.iter().map(|cause| (*cause, 0)).collect(),
        months: Vec::new(),
        pruned_before: ledger.pruned_before(&asked.task)?,
    };
    for (month, cause, count) in counts {
        if told.months.last() != Some(&month) {
            told.months.push(month);
        }
        if asked.month.is_none_or(|wanted| wanted == month) {
            let known = told.counts.iter_mut().find(|(known, _)| *known == cause);
            if let Some((_, sum)) = known {
                *sum += count;
            }
        }
    }
    told.counts.retain(|(_, count)| *count > 0);
    Ok(told)
}

impl Asked {
    fn of_month(&self) -> String {
        let month = self
            .month
            .map_or_else(String::new, |month| format!("?month={month}"));
        format!("{}{month}", of_task(&self.task))
    }

    /// The address of the page behind `place`.
    fn behind(&self, place: Option<&FailedPlace>) -> String {
        let mut address = format!("{}/failed?", of_task(&self.task));
        let mut add = |key: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = write!(address, "{key}={}&", in_address(value));
        };
        if let Some(month) = self.month {
            add("month", &month.to_string());
        }
        if let Some(cause) = self.cause {
            add("cause", cause.as_str());
        }
        if !self.name.is_empty() {
            add("name", &self.name);
            add("match", if self.holds { "holds" } else { "begins" });
        }
        if let Some(place) = place {
            add("m", &place.month.to_string());
            add("c", place.cause.as_str());
            add("n", &place.name);
            add("r", &place.request.to_string());
        }
        address.pop();
        address
    }
}

fn search(asked: &Asked, told: &Told) -> Markup {
    let causes = told.counts.iter();
    html! {
        form.search.card method="get" action={ (of_task(&asked.task)) "/failed" } role="search" {
            div { label for="month" { "Month" }
                select id="month" name="month" {
                    option value="" { "all" }
                    @for month in &told.months {
                        option value=(month) selected[asked.month == Some(*month)] { (month_name(*month)) }
                    }
                } }
            div { label for="cause" { "Cause" }
                select id="cause" name="cause" {
                    option value="" { "all" }
                    @for (cause, count) in causes {
                        option value=(cause) selected[asked.cause == Some(*cause)] { (cause) " (" (number(*count)) ")" }
                    }
                } }
            div { label for="match" { "Name" }
                select id="match" name="match" {
                    option value="begins" selected[!asked.holds] { "begins with" }
                    option value="holds" selected[asked.holds] { "contains" }
                } }
            div.wide { label.unseen for="name" { "Part of the name" }
                input id="name" name="name" type="text" value=(asked.name) spellcheck="false" autocomplete="off" placeholder="any"; }
            button type="submit" { "Search" }
        }
    }
}

fn found(asked: &Asked, told: &Told) -> Markup {
    let requests = &told.page.requests;
    html! {
        @if let Some(cause) = asked.cause { p.hint { (prose(hint(cause))) } }
        @if requests.is_empty() {
            p {
                @if told.page.next.is_some() { "None among the names looked at so far." }
                @else { "None." }
                @if let Some(month) = &told.pruned_before { " What was settled before " (month) " was pruned." }
            }
        } @else { (table(asked, requests)) }
        nav.pages aria-label="Pages" {
            @if asked.after.is_some() { a href=(asked.behind(None)) { "The first" } }
            @if let Some(next) = &told.page.next {
                a rel="next" href=(asked.behind(Some(next))) { "Further" span aria-hidden="true" { " ›" } }
            }
        }
    }
}

fn table(asked: &Asked, requests: &[FailedRequest]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Failed objects" { table {
            thead { tr {
                th scope="col" { "Object" } th scope="col" { "Cause" } th scope="col" { "Answer" }
                th scope="col" { "Failed" } th.number scope="col" { "Run" }
                th.number scope="col" { "Attempts" } th scope="col" { "Taken up again" }
            } }
            tbody { @for request in requests { (row(&asked.task, request)) } }
        } }
    }
}

fn row(task: &TaskId, request: &FailedRequest) -> Markup {
    let place = &request.place;
    html! {
        tr {
            th.object scope="row" { a href=(of_object(task, &place.name)) { (name(&place.name)) } }
            td { code { (place.cause) } }
            td {
                @if let Some(status) = request.http_status { (status) " " }
                @if let Some(code) = &request.error_code { (name(code)) }
            }
            td.nowrap { (time(request.failed)) }
            td.number { @if let Some(run) = request.run {
                a href={ (of_task(task)) "/runs/" (run) } { (number(run)) }
            } }
            td.number { (number(request.attempts)) }
            td { @match request.days_left {
                None => "no",
                Some(0) => "today",
                Some(1) => "for 1 day",
                Some(days) => { "for " (number(days)) " days" }
            } }
        }
    }
}
