//! A month of a task: its figures, its nights, and its audit.

use std::io::Write;

use maud::{Markup, html};

use super::audit::{self, Audit};
use super::work::{self, Work};
use super::{panel, put};
use crate::ledger::{AuditedRun, Counted, KnownTask, Ledger, SLOT_MS, SpotCheck};
use crate::model::{Month, RequestState, Timestamp, Zone};
use crate::report::hints::{hint, meaning};
use crate::report::html::chart::{Bars, Column, Kind, OUTCOMES};
use crate::report::html::pieces::{month as month_name, number, size};
use crate::report::html::scale::Unit;
use crate::report::html::{books, days};
use crate::report::{MonthChoice, ReportError, Summary, TaskMonth};

const HOUR_MS: i64 = 3_600_000;
const HOURS: usize = 24;

/// Hours stand from noon to noon, so that a night stands together.
const NOON: usize = 12;

const AT_WORK: [Kind; 1] = [Kind::new("time", "Time at work")];

/// What the runs that began in the month did.
#[derive(Debug, Default)]
struct Nights {
    work: Work,
    /// Milliseconds at work, by the day on which the run began.
    at_work_ms: [u64; 31],
    /// How often the source and the destination asked for a slower pace, by hour.
    throttled: [(u64, u64); HOURS],
    audit: Audit,
    /// All spot checks together.
    spot_checks: Option<SpotCheck>,
}

/// Writes the month.
pub(super) fn write(
    ledger: &Ledger,
    task: &KnownTask,
    month: Month,
    now: Timestamp,
    id: &str,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let mut summary = Summary::read(ledger, Some(&task.id), MonthChoice::Named(month), now)?;
    let Some(summary) = summary.months.pop() else {
        return Err(ReportError::UnknownTask(task.id.clone()));
    };
    let days = ledger.month_days(&task.id, month)?;
    let runs = ledger.month_runs(&task.id, month)?;
    let mut nights = Nights::default();
    for run in &runs {
        nights.add(ledger, &ledger.audited_run(*run)?)?;
    }
    let by_day = format!("{id}-bytes-panel");
    put(
        out,
        &html! {
            (figures(&summary))
            (books::balance(&summary))
            (panel(&format!("{id}-days-panel"), "Outcomes by day", &days::outcomes(&format!("{id}-days"), month, &days)))
            div.pair {
                (panel(&by_day, "Bytes copied by day", &days::bytes(&format!("{id}-bytes"), month, &days)))
                (at_work(id, month, &nights.at_work_ms))
            }
            (settled_by_hour(id, &hours(ledger, task, month)?))
            (throttled_by_hour(id, &nights.throttled))
            (work::reasons((&format!("{id}-failed"), "Failed, by cause", "Cause"), RequestState::Failed, &summary.failed, hint))
            (work::reasons((&format!("{id}-ignored"), "Ignored, by reason", "Reason"), RequestState::Ignored, &summary.ignored, meaning))
            (work::suspects(summary.suspects))
            (work::spot_check(nights.spot_checks.as_ref()))
            (nights.work.sizes(id))
            (nights.work.slowest(id))
        },
    )?;
    audit::write(
        ledger,
        task,
        month,
        (&summary, &nights.audit, &runs),
        id,
        out,
    )
}

impl Nights {
    fn add(&mut self, ledger: &Ledger, audited: &AuditedRun) -> Result<(), ReportError> {
        let run = &audited.run;
        self.audit.add(audited);
        if let Some(check) = &run.spot_check {
            self.spot_checks.get_or_insert_default().add(check);
        }
        if run.books.settled() > 0 {
            self.work.add(ledger, audited.key)?;
        }
        let offset = run.started.offset_minutes;
        for place in ledger.throttled_places(audited.key, HOUR_MS, offset)? {
            let hour = run.started.plus_ms(place.at.ms() - run.started.at.ms());
            let sum = &mut self.throttled[hour_of(hour.ms_of_day())];
            sum.0 += place.source;
            sum.1 += place.destination;
        }
        if let Some(ended) = run.ended {
            let day: usize = run
                .started
                .day()
                .format("%d")
                .to_string()
                .parse()
                .unwrap_or(1);
            let ran_ms = ended.at.ms() - run.started.at.ms();
            if let Some(sum) = self.at_work_ms.get_mut(day.saturating_sub(1)) {
                *sum += ran_ms.max(0).unsigned_abs();
            }
        }
        Ok(())
    }
}

/// Failed, synced and ignored requests by the hour in which they were settled, on the
/// task's present clocks.
fn hours(
    ledger: &Ledger,
    task: &KnownTask,
    month: Month,
) -> Result<[[u64; 3]; HOURS], ReportError> {
    let zone: Zone = task.zone;
    let range = (zone.begin_of(month), zone.begin_of(month.next()));
    let states = [
        RequestState::Failed,
        RequestState::Synced,
        RequestState::Ignored,
    ];
    let mut hours = [[0; 3]; HOURS];
    for (kind, state) in states.into_iter().enumerate() {
        // No zone is apart from UTC by less than a quarter of an hour.
        for place in ledger.series(&task.id, Counted::Settled(state), range, 3 * SLOT_MS)? {
            hours[hour_of(zone.local(place.at).ms_of_day())][kind] += place.requests;
        }
    }
    Ok(hours)
}

fn hour_of(ms_of_day: i64) -> usize {
    usize::try_from(ms_of_day / HOUR_MS)
        .unwrap_or(0)
        .min(HOURS - 1)
}

fn by_hour(values: impl Fn(usize) -> Vec<u64>) -> Vec<Column> {
    let hours = (0..HOURS).map(|hour| (hour + NOON) % HOURS);
    let column = |hour: usize| Column {
        label: format!("{hour:02}"),
        name: format!("{hour:02}:00 to {:02}:00", hour + 1),
        values: values(hour),
        mark: 0,
    };
    hours.map(column).collect()
}

fn settled_by_hour(id: &str, hours: &[[u64; 3]; HOURS]) -> Markup {
    let busiest = hours
        .iter()
        .enumerate()
        .max_by_key(|(_, hour)| hour.iter().sum::<u64>());
    let told = match busiest {
        Some((hour, settled)) if settled.iter().any(|count| *count > 0) => format!(
            "Most requests were settled from {hour:02}:00 to {:02}:00: {}.",
            hour + 1,
            number(settled.iter().sum())
        ),
        _ => "Nothing was settled.".to_owned(),
    };
    let title = "Settled through the night, by hour of the day";
    let bars = Bars {
        id: &format!("{id}-hours"),
        title,
        told: &told,
        axis: "Hour",
        unit: Unit::Count,
        kinds: &OUTCOMES,
        mark: None,
        half: false,
        columns: by_hour(|hour| hours[hour].into()),
    };
    panel(&format!("{id}-hours-panel"), title, &bars.with_table())
}

fn throttled_by_hour(id: &str, throttled: &[(u64, u64); HOURS]) -> Markup {
    let columns = by_hour(|hour| vec![throttled[hour].0, throttled[hour].1]);
    work::throttling(
        id,
        "Asked for a slower pace, by hour of the day",
        "Hour",
        columns,
    )
}

fn at_work(id: &str, month: Month, by_day: &[u64; 31]) -> Markup {
    let title = "Time at work, by day of the start";
    let longest = by_day.iter().zip(1..).max_by_key(|(ms, _)| **ms);
    let told = match longest {
        Some((ms, day)) if *ms > 0 => {
            format!("Longest at work on day {day}: {}.", Unit::Time.words(*ms))
        }
        _ => format!("No run ended that began in {}.", month_name(month)),
    };
    let days = by_day.iter().zip(1..=month.days());
    let bars = Bars {
        id: &format!("{id}-time"),
        title,
        told: &told,
        axis: "Day",
        unit: Unit::Time,
        kinds: &AT_WORK,
        mark: None,
        half: true,
        columns: days
            .map(|(ms, day)| Column {
                label: day.to_string(),
                name: day.to_string(),
                values: vec![*ms],
                mark: 0,
            })
            .collect(),
    };
    panel(&format!("{id}-time-panel"), title, &bars.with_table())
}

fn figures(summary: &TaskMonth) -> Markup {
    let row = &summary.row;
    let count = |count: i64| number(count.max(0).unsigned_abs());
    html! {
        dl.tiles {
            div { dt { "Requested" } dd { (count(row.requested)) } }
            div.synced { dt { "Synced" } dd { (count(row.synced)) } }
            div.failed { dt { "Failed" } dd { (count(row.failed)) } }
            div.ignored { dt { "Ignored" } dd { (count(row.ignored)) } }
            div { dt { "Synced size" } dd { (size(row.synced_bytes.max(0).unsigned_abs())) } }
            div { dt { "Pending at end" } dd { (count(row.pending_at_end)) } }
        }
    }
}
