//! What became of one object: every request, every attempt.

use axum::response::Response;
use maud::{Markup, html};

use super::super::query::Query;
use super::address::{of_file, of_task};
use super::error::PageError;
use super::task_page::TaskPage;
use crate::ledger::{AttemptStory, Facts, RequestStory, RestoreStory, SettledAs};
use crate::model::{FailureCause, LocalTime, RequestState, TaskId};
use crate::report::hints::{SUSPECT, hint, meaning, name_hint};
use crate::report::html::pieces::{name, number, prose, size, time, told};
use crate::report::restored;

/// Requests that are shown; who asked more often for one name asks `why`.
const MOST: usize = 200;

/// What the ledger says.
struct Told {
    /// The last first.
    requests: Vec<RequestStory>,
    all: usize,
    pruned_before: Option<String>,
    restores: Vec<RestoreStory>,
}

/// Shows the history of the object that is named.
pub(super) async fn show(shown: TaskPage, query: Query) -> Result<Response, PageError> {
    let task = &shown.task;
    let wanted = query.filled("name").unwrap_or("").to_owned();
    let object = wanted.clone();
    let read = shown.read(move |ledger, task| {
        let mut told = Told {
            requests: Vec::new(),
            all: 0,
            pruned_before: ledger.pruned_before(task)?,
            restores: ledger.restores_of(task, &object)?,
        };
        ledger.for_each_request_for::<PageError>(task, &object, |story| {
            told.all += 1;
            if told.requests.len() == MOST {
                told.requests.remove(0);
            }
            told.requests.push(story.clone());
            Ok(())
        })?;
        told.requests.reverse();
        Ok(told)
    });
    let told = read.await?;
    let body = html! {
        h1.object { (name(&wanted)) }
        p.zone { (shown.times()) }
        @if told.requests.is_empty() {
            p { "Never asked for under this name. Names are compared byte for byte."
                @if let Some(month) = &told.pruned_before { " Requests settled before " (month) " were pruned." } }
        }
        @if told.all > MOST { p.hint { "The last " (MOST) " of " (told.all) " requests." } }
        @for restore in &told.restores { p.hint { (restored(restore)) } }
        @for story in &told.requests { (request_story(&task.id, story, &wanted)) }
    };
    let title = format!("An object of {}", task.id);
    Ok(shown.show(&title, &[shown.above()], "Object", &body))
}

fn request_story(task: &TaskId, story: &RequestStory, object: &str) -> Markup {
    let heading = format!("request-{}", story.request);
    let reason = story.reason.as_deref().unwrap_or("");
    html! {
        section.card aria-labelledby=(heading) {
            h2 id=(heading) { "Request " (story.request) " " (state(story)) }
            p { "Asked for " (time(story.requested)) " by line " (number(story.line)) " of "
                a href=(of_file(task, &story.list)) download { (name(&story.list)) }
                @if let Some(settled) = story.settled { ", settled " (time(settled)) }
                @if let Some(deferral) = story.deferral { "; the last run left it: " code { (deferral) } } "." }
            @if let Ok(cause) = reason.parse::<FailureCause>() {
                p.hint { (prose(hint(cause)))
                    @if let (FailureCause::SourceMissing, Some(hint)) = (cause, name_hint(object)) { " The name " (prose(hint)) } }
            }
            @for attempt in story.attempts.iter().rev() { (attempt_story(task, attempt)) }
        }
    }
}

fn state(story: &RequestStory) -> Markup {
    let kind = match story.state {
        RequestState::Pending => "wait",
        RequestState::Synced => "good",
        RequestState::Failed => "bad",
        RequestState::Ignored => "plain",
    };
    html! {
        span class={ "state " (kind) } {
            (story.state) @if let Some(reason) = &story.reason { ": " (reason) }
        }
    }
}

fn attempt_story(task: &TaskId, attempt: &AttemptStory) -> Markup {
    let outcome = match attempt.outcome {
        SettledAs::Synced => html! { "synced" },
        SettledAs::Ignored(reason) => html! { "ignored (" (reason) "): " (meaning(reason)) },
        SettledAs::Failed(cause) => html! { "failed (" (cause) ")" },
    };
    html! {
        div.attempt {
            h3 { "Attempt " (number(attempt.attempt)) ", run "
                a href={ (of_task(task)) "/runs/" (attempt.run) } { (number(attempt.run)) } ": " (outcome) }
            dl.pairs {
                dt { "When" } dd { (time(attempt.at)) ", it took " (number(attempt.duration_ms)) " ms" }
                dt { "Source" } dd { (facts(attempt.source.as_ref())) }
                dt { "Destination" } dd {
                    @if let Some(place) = &attempt.destination_name { (name(place)) ": " }
                    (facts(attempt.destination.as_ref())) }
                @if attempt.suspect { dt { "Suspect" } dd { (SUSPECT) } }
                @if let Some(etag) = &attempt.copy_etag {
                    dt { "Copy" } dd { "ETag " (name(etag)) ", proven by "
                        (attempt.verified.map_or("nothing", |proof| proof.as_str())) }
                }
                (slowed(attempt))
                (answer(attempt))
                @if let Some(message) = &attempt.message { dt { "Message" } dd { (told(message)) } }
            }
        }
    }
}

/// How often it was tried again, and what slowed it down; nothing if all went well.
fn slowed(attempt: &AttemptStory) -> Markup {
    let counts = [
        ("tried again", attempt.retries.unwrap_or(0)),
        ("throttled", attempt.throttled.unwrap_or(0)),
        (
            "source throttled others meanwhile",
            attempt.source_throttled,
        ),
        (
            "destination throttled others meanwhile",
            attempt.destination_throttled,
        ),
    ];
    html! {
        @if counts.iter().any(|(_, count)| *count > 0) {
            dt { "Tries" } dd {
                @for (index, (what, count)) in counts.iter().filter(|(_, count)| *count > 0).enumerate() {
                    @if index > 0 { ", " } (what) " " (number(*count)) "×"
                }
            }
        }
    }
}

/// What the server said, as far as it said anything.
fn answer(attempt: &AttemptStory) -> Markup {
    let said = attempt.http_status.is_some()
        || attempt.error_code.is_some()
        || attempt.server_request_id.is_some();
    html! {
        @if said {
            dt { "Answer" } dd {
                @if let Some(status) = attempt.http_status { (status) " " }
                @if let Some(code) = &attempt.error_code { (name(code)) " " }
                @if let Some(id) = &attempt.server_request_id { span.quiet { "request id " (name(id)) } }
            }
        }
    }
}

fn facts(facts: Option<&Facts>) -> Markup {
    let Some(facts) = facts else {
        return html! { span.quiet { "not there, or not looked at" } };
    };
    html! {
        (number(facts.size_bytes)) " bytes (" (size(facts.size_bytes)) ")"
        @if let Some(at) = facts.modified {
            ", modified " (time(LocalTime { at, offset_minutes: 0 })) " UTC"
        }
        @if let Some(etag) = &facts.etag { ", ETag " (name(etag)) }
    }
}
