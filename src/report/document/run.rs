//! One run of a task: how it went through the night, what it settled, what vouches for it.

use std::io::Write;

use maud::{Markup, html};

use super::work::{self, Work};
use super::{audit, panel, put};
use crate::ledger::{AuditedRun, Deliverable, KnownTask, Ledger, PastRun, RunKey, SettledPlace};
use crate::model::{FailureCause, IgnoreReason, LocalTime, RequestState, Timestamp};
use crate::report::hints::{hint, meaning};
use crate::report::html::books;
use crate::report::html::chart::{Bars, Column, Kind, OUTCOMES};
use crate::report::html::pieces::{name, number, run_state, size, time};
use crate::report::html::scale::Unit;
use crate::report::text::{counted, duration};
use crate::report::{ManifestStanding, ReportError};

const MINUTE_MS: i64 = 60_000;

/// A chart has at most so many columns, if a day is enough for the run.
const MOST_COLUMNS: i64 = 48;

const BYTES: [Kind; 1] = [Kind::new("synced", "Bytes copied")];

/// The run's time, cut into equal stretches.
pub(super) struct Stretches {
    pub(super) first: LocalTime,
    pub(super) step_ms: i64,
    pub(super) count: i64,
}

/// Writes the run.
pub(super) fn write(
    ledger: &Ledger,
    task: &KnownTask,
    key: RunKey,
    id: &str,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let audited = ledger.audited_run(key)?;
    let manifest = ManifestStanding::of(ledger, &audited)?;
    let run = &audited.run;
    let failed: Vec<(FailureCause, u64)> = ledger.run_reasons(key, RequestState::Failed)?;
    let ignored: Vec<(IgnoreReason, u64)> = ledger.run_reasons(key, RequestState::Ignored)?;
    let mut done = Work::default();
    done.add(ledger, key)?;
    put(
        out,
        &html! {
            (figures(run))
            (through_the_night(ledger, key, run, id)?)
            (work::reasons((&format!("{id}-failed"), "Failed, by cause", "Cause"), RequestState::Failed, &failed, hint))
            (work::reasons((&format!("{id}-ignored"), "Ignored, by reason", "Reason"), RequestState::Ignored, &ignored, meaning))
            (work::suspects(run.suspects))
            (work::spot_check(run.spot_check.as_ref()))
            (done.sizes(id))
            (done.slowest(id))
            h2.audit id={ (id) "-audit" } { "For the audit" }
            (details(&audited, &manifest))
            (lists(id, &ledger.deliverables(key)?))
            @if !matches!(manifest, ManifestStanding::TookNothing) {
                p.note { code { "nightferry verify --task " (task.id) " --run " (run.number) } " compares the delivered lists with their manifest and with the ledger." }
            }
        },
    )?;
    Ok(())
}

fn figures(run: &PastRun) -> Markup {
    html! {
        p { (run_state(run.state, run.exit_reasons.as_deref(), false)) " " (time(run.started))
            @if let Some(ended) = run.ended {
                " to " (time(ended)) ", " (duration((ended.at.ms() - run.started.at.ms()).max(0).unsigned_abs()))
            }
        }
        @if let Some(because) = &run.because { p.problem { (name(because)) } }
        (books::of_run(run))
    }
}

/// What was settled, and how often an end asked for a slower pace, through the night.
fn through_the_night(
    ledger: &Ledger,
    key: RunKey,
    run: &PastRun,
    id: &str,
) -> Result<Markup, ReportError> {
    let end = run.ended.map_or(run.started.at, |ended| ended.at);
    let mut stretches = Stretches::of(run.started, end);
    let offset = run.started.offset_minutes;
    let settled = ledger.settled_places(key, stretches.step_ms, offset)?;
    let throttled = ledger.throttled_places(key, stretches.step_ms, offset)?;
    // A run at work has no end yet; what it has done says how far it is.
    let last = settled.last().map(|place| place.at);
    let last = last.max(throttled.last().map(|place| place.at));
    stretches.reach(last);
    if settled.is_empty() && throttled.is_empty() {
        let nothing = html! { p.quiet { "Nothing was settled that the ledger has the time of." } };
        return Ok(panel(
            &format!("{id}-settled"),
            "Through the night",
            &nothing,
        ));
    }
    let minutes = stretches.words();
    let outcomes = stretches.columns(|at| {
        let place = settled.iter().find(|place| place.at == at);
        place.map_or(vec![0; 3], |place| {
            vec![place.failed, place.synced, place.ignored]
        })
    });
    let bytes = stretches.columns(|at| {
        let place = settled.iter().find(|place| place.at == at);
        vec![place.map_or(0, |place| place.bytes)]
    });
    let slower = stretches.columns(|at| {
        let place = throttled.iter().find(|place| place.at == at);
        place.map_or(vec![0; 2], |place| vec![place.source, place.destination])
    });
    Ok(html! {
        (pace((id, "settled"), &format!("Settled through the night, by {minutes}"), (Unit::Count, &OUTCOMES), outcomes, &settled))
        (pace((id, "bytes"), &format!("Bytes copied through the night, by {minutes}"), (Unit::Bytes, &BYTES), bytes, &settled))
        (work::throttling(id, &format!("Asked for a slower pace, by {minutes}"), "From", slower))
    })
}

fn pace(
    (id, part): (&str, &str),
    title: &str,
    (unit, kinds): (Unit, &[Kind]),
    columns: Vec<Column>,
    settled: &[SettledPlace],
) -> Markup {
    let count: u64 = settled
        .iter()
        .map(|place| place.synced + place.failed + place.ignored)
        .sum();
    let bytes: u64 = settled.iter().map(|place| place.bytes).sum();
    let bars = Bars {
        id: &format!("{id}-{part}"),
        title,
        told: &format!(
            "In all {}, {} copied.",
            counted(count, "request"),
            Unit::Bytes.words(bytes)
        ),
        axis: "From",
        unit,
        kinds,
        mark: None,
        half: false,
        columns,
    };
    panel(&format!("{id}-{part}-panel"), title, &bars.with_table())
}

impl Stretches {
    /// Cuts the time from `started` to `end` into as many stretches as a chart shows
    /// well, each a round length from midnight on.
    pub(super) fn of(started: LocalTime, end: Timestamp) -> Self {
        let long = [1, 2, 5, 10, 15, 30, 60, 120].map(|minutes| minutes * MINUTE_MS);
        let ran_ms = (end.ms() - started.at.ms()).max(0);
        // One more, as the first and the last may be cut.
        let mut fits = long
            .into_iter()
            .filter(|step| ran_ms / step + 2 <= MOST_COLUMNS);
        let step_ms = fits.next().unwrap_or_else(|| {
            let day = 24 * 60 * MINUTE_MS;
            (ran_ms / (MOST_COLUMNS / 2) / day + 1) * day
        });
        let first = started.plus_ms(-(started.ms_of_day() % step_ms));
        let mut stretches = Self {
            first,
            step_ms,
            count: 1,
        };
        stretches.reach(Some(end.plus_ms(-1).max(started.at)));
        stretches
    }

    /// Sees that `last` is within.
    fn reach(&mut self, last: Option<Timestamp>) {
        if let Some(last) = last {
            let count = (last.ms() - self.first.at.ms()) / self.step_ms + 1;
            self.count = self.count.max(count);
        }
    }

    fn words(&self) -> String {
        let minutes = self.step_ms / MINUTE_MS;
        match (minutes, minutes % 60) {
            (1, _) => "minute".to_owned(),
            (60, _) => "hour".to_owned(),
            (hours, 0) => format!("{} hours", hours / 60),
            _ => format!("{minutes} minutes"),
        }
    }

    fn columns(&self, values: impl Fn(Timestamp) -> Vec<u64>) -> Vec<Column> {
        let column = |place: i64| {
            let at = self.first.plus_ms(place * self.step_ms);
            let exact = at.rfc3339();
            let clock = exact.get(11..16).unwrap_or_default();
            Column {
                label: clock.to_owned(),
                name: format!("{} {clock}", exact.get(..10).unwrap_or_default()),
                values: values(at.at),
                mark: 0,
            }
        };
        (0..self.count).map(column).collect()
    }
}

fn details(audited: &AuditedRun, manifest: &ManifestStanding) -> Markup {
    let run = &audited.run;
    html! {
        dl.pairs {
            dt { "Manifest, SHA-256" } dd { (audit::hash(manifest)) }
            dt { "Run name" } dd { (name(&run.run_name)) }
            dt { "Run id" } dd { code { (run.run_id) } }
            @if let Some(code) = run.exit_code { dt { "Exit code" } dd { (code) } }
            dt { "Rejected lines" } dd { (number(run.rejected)) }
            dt { "Requests sent" } dd { (number(run.requests_sent)) }
            dt { "Tried again" } dd { (number(run.retries)) " times" }
            dt { "Throttled" } dd { (number(run.throttled)) " times" }
            @if audited.pruned > 0 { dt { "Pruned" } dd {
                "The detail of " (number(audited.pruned)) " of " (number(run.books.settled()))
                " attempts was taken away; charts and tables are of what is left."
            } }
        }
    }
}

/// The lists as they were written for the destination bucket.
fn lists(id: &str, files: &[Deliverable]) -> Markup {
    let heading = format!("{id}-lists");
    html! {
        @if !files.is_empty() {
            h3 id=(heading) { "Lists" }
            div.scroll tabindex="0" role="group" aria-labelledby=(heading) { table {
                thead { tr {
                    th scope="col" { "List" } th.number scope="col" { "Lines" } th.number scope="col" { "Size" }
                } }
                @for file in files { tbody.run {
                    tr {
                        td { (name(&file.path)) } td.number { (number(file.lines)) }
                        td.number.nowrap { (size(file.bytes)) }
                    }
                    tr { td.hash colspan="3" { code { (file.sha256) } } }
                } }
            } }
        }
    }
}
