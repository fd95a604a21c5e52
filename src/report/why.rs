//! What became of one name, told request by request.

use std::io::Write;

use super::ReportError;
use super::hints::{SUSPECT, hint, meaning, name_hint};
use super::table::paragraph;
use super::text::{counted, size, thousands, told, visible};
use crate::ledger::{AttemptStory, Facts, Ledger, RequestStory, RestoreStory, SettledAs};
use crate::model::{FailureCause, IgnoreReason, LocalTime, RequestState, Side, TaskId};

/// Tells what became of `name`: each request, each attempt, and what to do.
/// Says how many requests there are.
///
/// # Errors
/// If the ledger cannot be read or `out` not written.
pub fn write_why(
    ledger: &Ledger,
    task: &TaskId,
    name: &str,
    out: &mut impl Write,
) -> Result<u64, ReportError> {
    let mut requests = 0;
    writeln!(out, "{task}: {}", visible(name))?;
    ledger.for_each_request_for::<ReportError>(task, name, |story| {
        requests += 1;
        write_request(story, name, out)
    })?;
    for restore in ledger.restores_of(task, name)? {
        writeln!(out, "\n{}", restored(&restore))?;
    }
    if requests == 0 {
        match ledger.pruned_before(task)? {
            None => writeln!(out, "\nNever asked for. Names are compared byte for byte.")?,
            Some(month) => writeln!(
                out,
                "\nNot asked for, or settled before {month}: requests of that time were pruned.\nNames are compared byte for byte."
            )?,
        }
    }
    Ok(requests)
}

/// That the source was asked to bring the object back, in a sentence.
#[must_use]
pub fn restored(story: &RestoreStory) -> String {
    let RestoreStory { run, asked, order } = story;
    let at = asked.rfc3339();
    match order {
        Some(order) => format!(
            "Archived: run {run} asked the source at {at} to bring it back ({}, for {}).",
            order.tier,
            counted(u64::from(order.days), "day")
        ),
        None => format!("Archived: run {run} found at {at} that the source is bringing it back."),
    }
}

fn write_request(
    story: &RequestStory,
    name: &str,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    writeln!(
        out,
        "\nRequest {}, asked for at {}\n  by line {} of {}",
        story.request,
        story.requested.rfc3339(),
        story.line,
        visible(&story.list)
    )?;
    for attempt in &story.attempts {
        write_attempt(attempt, out)?;
    }
    let reason = story.reason.as_deref().unwrap_or("");
    let now = match (story.state, story.deferral, story.settled) {
        (RequestState::Pending, Some(deferral), _) => {
            format!("pending; the last run left it ({deferral})")
        }
        // An operator did this, no run: there is no attempt that says it.
        (RequestState::Ignored, _, Some(at)) if reason == IgnoreReason::Withdrawn.as_str() => {
            format!("ignored (withdrawn) at {}", at.rfc3339())
        }
        (state, ..) => state.to_string(),
    };
    writeln!(out, "  Now: {now}")?;
    match reason.parse::<FailureCause>() {
        Ok(cause) => write_advice(cause, name, out),
        Err(_) => Ok(()),
    }
}

fn write_attempt(attempt: &AttemptStory, out: &mut impl Write) -> Result<(), ReportError> {
    let decision = match attempt.outcome {
        SettledAs::Synced => "synced".to_owned(),
        SettledAs::Ignored(reason) => format!("ignored ({reason}): {}", meaning(reason)),
        SettledAs::Failed(cause) => format!("failed ({cause})"),
    };
    writeln!(
        out,
        "  Attempt {} in run {}, {}, {} ms\n    {decision}",
        attempt.attempt,
        attempt.run,
        attempt.at.rfc3339(),
        thousands(attempt.duration_ms.cast_signed())
    )?;
    let (at_source, at_destination) = absent(attempt.outcome);
    let found = facts(attempt.source.as_ref(), at_source);
    writeln!(out, "    source       {found}")?;
    let place = attempt.destination_name.as_deref();
    let place = place.map_or(String::new(), |place| format!("{}: ", visible(place)));
    let found = facts(attempt.destination.as_ref(), at_destination);
    writeln!(out, "    destination  {place}{found}")?;
    if attempt.suspect {
        writeln!(out, "    suspect      {SUSPECT}")?;
    }
    if let Some(etag) = &attempt.copy_etag {
        let verified = attempt.verified.map_or("nothing", |proof| proof.as_str());
        writeln!(
            out,
            "    copy         ETag {}, proven by {verified}",
            visible(etag)
        )?;
    }
    if let Some(tries) = tries(attempt) {
        writeln!(out, "    tries        {tries}")?;
    }
    if let Some(answer) = answer(attempt) {
        writeln!(out, "    answer       {answer}")?;
    }
    if let Some(message) = &attempt.message {
        // What leaves a request out stands where a server's words stand of a failed one.
        let label = match attempt.outcome {
            SettledAs::Ignored(_) => "left out by",
            SettledAs::Synced | SettledAs::Failed(_) => "message",
        };
        writeln!(out, "    {label:<12} {}", told(message))?;
    }
    Ok(())
}

/// How often it was tried again, and what slowed it down; nothing if all went well.
fn tries(attempt: &AttemptStory) -> Option<String> {
    let times = |count: u64| thousands(count.cast_signed());
    let own = |count: Option<u64>| count.filter(|count| *count > 0).map(times);
    let meanwhile = |count: u64, side: Side| {
        (count > 0).then(|| format!("{side} throttled {}× meanwhile", times(count)))
    };
    let parts = [
        own(attempt.retries).map(|count| format!("retried {count}×")),
        own(attempt.throttled).map(|count| format!("throttled {count}×")),
        meanwhile(attempt.source_throttled, Side::Source),
        meanwhile(attempt.destination_throttled, Side::Destination),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// What the server said, as far as it said anything.
fn answer(attempt: &AttemptStory) -> Option<String> {
    let status = attempt.http_status.map(|status| status.to_string());
    let request_id = attempt.server_request_id.as_deref();
    let parts = [
        status,
        attempt.error_code.as_deref().map(visible),
        request_id.map(|id| format!("request id {}", visible(id))),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// What it means that nothing is known of the source, and of the destination: what was
/// not there and what was not looked at look the same to the ledger.
const fn absent(outcome: SettledAs) -> (&'static str, &'static str) {
    const UNCLEAR: &str = "not there, or not looked at";
    match outcome {
        SettledAs::Synced => (UNCLEAR, "not there"),
        SettledAs::Failed(FailureCause::SourceMissing) => ("not there", "not looked at"),
        SettledAs::Ignored(IgnoreReason::Duplicate | IgnoreReason::Excluded) => {
            ("not looked at", "not looked at")
        }
        SettledAs::Failed(_) | SettledAs::Ignored(_) => (UNCLEAR, UNCLEAR),
    }
}

/// One side's facts in words; `absent` if there are none.
fn facts(facts: Option<&Facts>, absent: &str) -> String {
    let Some(facts) = facts else {
        return absent.to_owned();
    };
    let bytes = facts.size_bytes.cast_signed();
    let mut text = format!("{} bytes", thousands(bytes));
    if bytes >= 1024 {
        text = format!("{text} ({})", size(bytes));
    }
    if let Some(at) = facts.modified {
        let utc = LocalTime {
            at,
            offset_minutes: 0,
        };
        text = format!("{text}, modified {}", utc.rfc3339());
    }
    if let Some(etag) = &facts.etag {
        text = format!("{text}, ETag {}", visible(etag));
    }
    text
}

fn write_advice(cause: FailureCause, name: &str, out: &mut impl Write) -> Result<(), ReportError> {
    write!(out, "{}", paragraph(hint(cause), 2))?;
    if cause == FailureCause::SourceMissing
        && let Some(hint) = name_hint(name)
    {
        write!(out, "{}", paragraph(&format!("The name {hint}"), 2))?;
    }
    Ok(())
}
