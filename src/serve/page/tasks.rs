//! The first page: every task and how it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::address::of_task;
use super::error::{PageError, or_nothing};
use super::{Page, frame};
use crate::config::TaskConfig;
use crate::ledger::{Awaiting, Ledger, MonthRow, TaskStatus};
use crate::model::{LocalTime, Month, TaskId, Timestamp};
use crate::report::html::pieces::{month as month_name, name, number, prose, run_state, time};
use crate::report::text::{age, size};

/// What the ledger knows of a task.
struct Known {
    status: TaskStatus,
    figures: MonthRow,
    oldest: Option<LocalTime>,
    awaiting: Option<Awaiting>,
}

/// Shows the tasks in the order of the configuration.
pub(super) async fn show(State(page): State<Arc<Page>>) -> Result<Response, PageError> {
    let now = page.receiver.clock.now();
    let months: Vec<(TaskId, Month)> = page
        .receiver
        .tasks
        .iter()
        .map(|task| (task.id.clone(), task.zone.local(now).month()))
        .collect();
    let at_work: Vec<bool> = months.iter().map(|(id, _)| page.is_at_work(id)).collect();
    let known = or_nothing(page.read(move |ledger| read(ledger, &months)).await)?;
    let tasks = page.receiver.tasks.iter().zip(at_work);
    let body = html! {
        h1 { "Tasks" }
        div.tasks {
            @for (task, at_work) in tasks {
                (card(task, known.get(task.id.as_str()), at_work || page.is_at_work(&task.id), now))
            }
        }
    };
    Ok(frame::page("Tasks", !page.is_open(), &body))
}

fn read(ledger: &Ledger, months: &[(TaskId, Month)]) -> Result<BTreeMap<String, Known>, PageError> {
    let mut known = BTreeMap::new();
    for (id, month) in months {
        let Some(status) = ledger.task_status(Some(id))?.pop() else {
            continue;
        };
        let figures = ledger.month_figures(id, *month)?;
        let (_, oldest) = ledger.pending(id)?;
        let task = Known {
            status,
            figures,
            oldest,
            awaiting: ledger.awaiting(id)?,
        };
        known.insert(id.to_string(), task);
    }
    Ok(known)
}

fn card(task: &TaskConfig, known: Option<&Known>, at_work: bool, now: Timestamp) -> Markup {
    let heading = format!("task-{}", task.id);
    html! {
        section.card.task aria-labelledby=(heading) {
            div.head {
                h2 id=(heading) { a href=(of_task(&task.id)) { (task.id) } }
                (route(task))
            }
            @match known {
                None => p { "Nothing has been asked for yet." },
                Some(known) => (figures(task, known, at_work, now)),
            }
        }
    }
}

/// From where to where a task carries.
pub(super) fn route(task: &TaskConfig) -> Markup {
    html! {
        p.route {
            (name(&task.source.bucket)) span.host { " at " (host(&task.source.endpoint)) }
            span.arrow aria-hidden="true" { " → " } span.unseen { " to " }
            (name(&task.destination.bucket)) span.host { " at " (host(&task.destination.endpoint)) }
        }
    }
}

fn host(endpoint: &url::Url) -> &str {
    endpoint.host_str().unwrap_or("")
}

fn figures(task: &TaskConfig, known: &Known, at_work: bool, now: Timestamp) -> Markup {
    let figures = &known.figures;
    let month = task.zone.local(now).month();
    let of_month = |count: i64| number(count.max(0).unsigned_abs());
    html! {
        p.overline { (month_name(month)) }
        dl.strip {
            div { dt { "Requested" } dd { (of_month(figures.requested)) } }
            div.synced { dt { "Synced" } dd { (of_month(figures.synced)) } }
            div.failed { dt { "Failed" } dd { (of_month(figures.failed)) } }
            div.ignored { dt { "Ignored" } dd { (of_month(figures.ignored)) } }
            div { dt { "Pending now" } dd { (number(known.status.pending)) } }
            div { dt { "Synced size" } dd { (size(figures.synced_bytes)) } }
        }
        p.foot {
            @if let Some(since) = known.status.paused { (paused(since)) }
            (last_run(&known.status, at_work))
            @if let Some(oldest) = known.oldest {
                span { "Oldest pending: " (time(oldest)) ", " (age(now.ms() - oldest.at.ms())) " ago" }
            }
            @if let Some(awaiting) = known.awaiting {
                span { (number(awaiting.requests)) " await a restore since " (time(awaiting.since)) }
            }
            @if !known.status.balanced {
                strong.problem { (prose("The books do not balance: run `nightferry ledger check`.")) }
            }
            span { "Times in " (task.zone.name()) }
        }
    }
}

/// That runs leave the task alone.
pub(super) fn paused(since: LocalTime) -> Markup {
    html! { span { span.state.wait { "paused" } " since " (time(since)) } }
}

fn last_run(status: &TaskStatus, at_work: bool) -> Markup {
    let Some(run) = &status.last_run else {
        return html! { span { "No run yet" } };
    };
    html! {
        span {
            "Last run: "
            a href={ (of_task(&status.task)) "/runs/" (run.number) } { (number(run.number)) }
            ", " (time(run.started)) " "
            (run_state(run.state, run.exit_reasons.as_deref(), !at_work))
        }
    }
}
