//! How a task's run is likely to go, in words.

use std::io::{self, Write};

use serde::Serialize;

use super::ReportError;
use super::table::paragraph;
use super::text::{counted, length, size, thousands};
use crate::config::TaskConfig;
use crate::forecast::{
    FEWEST_NIGHTS, Forecast, History, Likely, NIGHTS_READ, PastNight, Queue, Unknown,
};
use crate::ledger::{Ledger, PastRun};
use crate::model::{LocalTime, RunState, TaskId, Timestamp, Window, Zone};

/// What is further off is not said to the minute.
const FAR_MS: i64 = 366 * 86_400_000;

/// What is nearer is said to the second.
const NEAR_MS: i64 = 600_000;

/// When a task's runs may move objects.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// The task's window; `None` is always.
    pub window: Option<Window>,
    /// Its zone.
    pub zone: Zone,
}

impl Schedule {
    /// The schedule of a configured task.
    #[must_use]
    pub fn of(task: &TaskConfig) -> Self {
        Self {
            window: task.window,
            zone: task.zone,
        }
    }
}

/// Which run is foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Begins {
    /// The one that is at work.
    AtWork,
    /// The next one, which begins with the task's next window.
    WithWindow,
    /// The next one, as though it began now: when it does, only its timer knows.
    Now,
}

/// How a task's run is likely to go.
#[derive(Debug, Clone)]
pub struct Outlook {
    task: TaskId,
    zone: Zone,
    now: Timestamp,
    begins: Begins,
    /// When it begins; of a run at work, now.
    from: Timestamp,
    /// When its time is up.
    deadline: Option<Timestamp>,
    /// Requests that are pending now.
    pending: u64,
    /// Of these, whose objects the source is bringing back from its archive.
    awaiting: u64,
    history: History,
    told: Result<Forecast, Unknown>,
}

/// What past runs of `task` tell.
///
/// # Errors
/// If the ledger cannot be read.
pub fn history(ledger: &Ledger, task: &TaskId) -> Result<History, ReportError> {
    let runs = ledger.past_runs(task, None, NIGHTS_READ)?;
    let ended = runs.iter().filter(|run| run.state != RunState::Running);
    Ok(learn(ended))
}

/// What these runs tell, the newest first.
fn learn<'a>(runs: impl Iterator<Item = &'a PastRun>) -> History {
    let mut nights: Vec<PastNight> = runs.map(past_night).collect();
    nights.reverse();
    History::learn(&nights)
}

fn past_night(run: &PastRun) -> PastNight {
    // A breaker, or what kept it from beginning, took what time it liked.
    let tells = run.state == RunState::Ended && run.because.is_none();
    let ended = run.ended.filter(|_| tells);
    PastNight {
        books: run.books,
        duration_ms: ended.map(|ended| elapsed_ms(run.started.at, ended.at)),
    }
}

fn elapsed_ms(from: Timestamp, to: Timestamp) -> u64 {
    to.ms().saturating_sub(from.ms()).max(0).unsigned_abs()
}

impl Outlook {
    /// How the run of `task` that is `at_work` is likely to go, or else its next
    /// one. `None` if the ledger does not know the task, or it is paused.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn read(
        ledger: &Ledger,
        task: &TaskId,
        schedule: Schedule,
        at_work: bool,
        now: Timestamp,
    ) -> Result<Option<Self>, ReportError> {
        if ledger.paused_since(task)?.is_some() || ledger.find_task(task)?.is_none() {
            return Ok(None);
        }
        let runs = ledger.past_runs(task, None, NIGHTS_READ)?;
        let (pending, _) = ledger.pending(task)?;
        let (running, past) = match runs.as_slice() {
            [run, past @ ..] if at_work && run.state == RunState::Running => (Some(run), past),
            past => (None, past),
        };
        let queue = match running {
            Some(run) if run.has_taken => Queue::UnderWay {
                books: run.books,
                elapsed_ms: elapsed_ms(run.started.at, now),
            },
            _ => {
                let left = past.first().map_or(0, |run| run.books.deferred);
                let arrived = pending.saturating_sub(left);
                Queue::Expected { pending, arrived }
            }
        };
        let (begins, from, deadline) = times(schedule, running, now);
        let history = learn(past.iter());
        Ok(Some(Self {
            task: task.clone(),
            zone: schedule.zone,
            now,
            begins,
            from,
            deadline,
            pending,
            awaiting: ledger
                .awaiting(task)?
                .map_or(0, |awaiting| awaiting.requests),
            told: history.forecast(queue, from, deadline),
            history,
        }))
    }

    /// The forecast, which run it is of, and what it rests on, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let at = moment(self.from, self.zone, self.now);
        let run = match self.begins {
            Begins::AtWork => "Forecast for the run at work".to_owned(),
            Begins::WithWindow => format!("Forecast for the next run, from {at} on"),
            Begins::Now => "Forecast for the next run, as though it began now".to_owned(),
        };
        let told = words(&self.told, self.deadline, self.zone, self.from);
        let awaiting = match self.awaiting {
            0 => String::new(),
            awaiting => format!(
                "; {} await a restore, and may do so for longer",
                counted(awaiting, "request")
            ),
        };
        format!("{run}: {told}{awaiting}")
    }

    /// When what is pending now is likely to be done, to go on after "deferred 112:
    /// "; `None` if nothing is pending or past runs do not tell.
    #[must_use]
    pub fn of_deferred(&self) -> Option<String> {
        let forecast = self.told.as_ref().ok().filter(|_| self.pending > 0)?;
        let Some(deadline) = self.deadline else {
            let after = |at| length(elapsed_ms(self.from, at));
            let Likely { p50, p90 } = forecast.done_at;
            return Some(format!(
                "likely to be done {} after the next run begins, nine times in ten after {}",
                after(p50),
                after(p90)
            ));
        };
        if forecast.deferred.p50 == 0 {
            let p50 = moment(forecast.done_at.p50, self.zone, self.now);
            return Some(format!("likely to be done by about {p50}"));
        }
        let night_ms = elapsed_ms(self.from, deadline);
        let nights = self.history.nights_until_done(self.pending, night_ms);
        Some(match nights.ok()? {
            Some(nights) => {
                let nights = counted(nights.into(), "night");
                format!("likely to be done within {nights}")
            }
            None => "more comes in than the nights can settle".to_owned(),
        })
    }

    /// The forecast as figures.
    #[must_use]
    pub fn figures(&self) -> Figures<'_> {
        let local = |at| self.zone.local(at);
        let forecast = self.told.as_ref().ok();
        let done_at = forecast.map(|told| told.done_at);
        Figures {
            task: self.task.as_str(),
            begins: self.begins,
            begins_at: self.from.ms(),
            begins_at_local: local(self.from),
            time_is_up_at: self.deadline.map(Timestamp::ms),
            time_is_up_at_local: self.deadline.map(local),
            nights: match self.told {
                Ok(forecast) => forecast.nights,
                Err(Unknown::TooFewNights(nights)) => nights,
                Err(Unknown::NeverCopied) => 0,
            },
            names_p50: forecast.map(|told| told.names.p50),
            names_p90: forecast.map(|told| told.names.p90),
            bytes_p50: forecast.map(|told| told.bytes.p50),
            bytes_p90: forecast.map(|told| told.bytes.p90),
            done_at_p50: done_at.map(|at| at.p50.ms()),
            done_at_p50_local: done_at.map(|at| local(at.p50)),
            done_at_p90: done_at.map(|at| at.p90.ms()),
            done_at_p90_local: done_at.map(|at| local(at.p90)),
            deferred_p50: forecast.map(|told| told.deferred.p50),
            deferred_p90: forecast.map(|told| told.deferred.p90),
        }
    }

    /// The forecast itself.
    ///
    /// # Errors
    /// If past runs do not tell.
    pub fn told(&self) -> Result<Forecast, Unknown> {
        self.told
    }
}

/// A forecast as figures; those that past runs do not tell are left out as null.
#[derive(Debug, Serialize)]
pub struct Figures<'a> {
    task: &'a str,
    begins: Begins,
    begins_at: i64,
    begins_at_local: LocalTime,
    time_is_up_at: Option<i64>,
    time_is_up_at_local: Option<LocalTime>,
    nights: usize,
    names_p50: Option<u64>,
    names_p90: Option<u64>,
    bytes_p50: Option<u64>,
    bytes_p90: Option<u64>,
    done_at_p50: Option<i64>,
    done_at_p50_local: Option<LocalTime>,
    done_at_p90: Option<i64>,
    done_at_p90_local: Option<LocalTime>,
    deferred_p50: Option<u64>,
    deferred_p90: Option<u64>,
}

/// Writes forecasts, as a paragraph each or as an array of objects.
///
/// # Errors
/// If `out` cannot be written.
pub fn write(outlooks: &[Outlook], json: bool, out: &mut impl Write) -> Result<(), ReportError> {
    if json {
        let figures: Vec<Figures<'_>> = outlooks.iter().map(Outlook::figures).collect();
        serde_json::to_writer_pretty(&mut *out, &figures).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    for outlook in outlooks {
        let said = format!("{}: {}", outlook.task, outlook.sentence());
        write!(out, "{}", paragraph(&said, 0))?;
    }
    Ok(())
}

/// Which run is foretold, from when on, and when its time is up.
fn times(
    schedule: Schedule,
    running: Option<&PastRun>,
    now: Timestamp,
) -> (Begins, Timestamp, Option<Timestamp>) {
    let Schedule { window, zone } = schedule;
    match (running, window) {
        (Some(run), window) => {
            // One that went on beyond its window began outside it, on purpose.
            let end = window.and_then(|window| window.end_if_inside(run.started.at, zone));
            (Begins::AtWork, now, end.filter(|end| *end > now))
        }
        (None, Some(window)) => {
            let (begin, end) = window.next(now, zone);
            (Begins::WithWindow, begin, Some(end))
        }
        (None, None) => (Begins::Now, now, None),
    }
}

/// What was foretold, in words. Times on the day of `from`, when the run begins, or
/// now if it has begun, are said without it.
#[must_use]
pub fn words(
    told: &Result<Forecast, Unknown>,
    deadline: Option<Timestamp>,
    zone: Zone,
    from: Timestamp,
) -> String {
    let forecast = match told {
        Ok(forecast) => forecast,
        Err(Unknown::TooFewNights(nights)) => {
            return format!(
                "too little history ({nights} of {FEWEST_NIGHTS} past runs that are needed)"
            );
        }
        Err(Unknown::NeverCopied) => {
            return "no past run copied anything, so they do not tell how long it takes".to_owned();
        }
    };
    let Likely { p50, p90 } = forecast.names;
    if p90 == 0 {
        return "nothing to do".to_owned();
    }
    let about = |value: Likely<u64>| if value.p50 == value.p90 { "" } else { "about " };
    let names = thousands(p50.cast_signed());
    let bytes = size(i64::try_from(forecast.bytes.p50).unwrap_or(i64::MAX));
    let (about, bytes_about) = (about(forecast.names), about(forecast.bytes));
    // Once is enough.
    let bytes_about = if about.is_empty() { bytes_about } else { "" };
    let done = done(forecast, zone, from);
    let deferred = deadline.map_or_else(String::new, |deadline| {
        deferred(forecast.deferred, &moment(deadline, zone, from))
    });
    let nights = forecast.nights;
    format!(
        "{about}{names} {} and {bytes_about}{bytes}; {done}{deferred} (from {nights} past runs)",
        if p50 == 1 { "name" } else { "names" }
    )
}

/// When all is likely to be settled.
#[must_use]
pub fn done(forecast: &Forecast, zone: Zone, from: Timestamp) -> String {
    let Likely { p50, p90 } = forecast.done_at;
    let (p50, p90) = (moment(p50, zone, from), moment(p90, zone, from));
    format!("likely done by {p50}, nine times in ten by {p90}")
}

fn deferred(deferred: Likely<u64>, time_is_up: &str) -> String {
    let number = |count: u64| thousands(count.cast_signed());
    match (deferred.p50, deferred.p90) {
        (_, 0) => format!("; time is up at {time_is_up}"),
        (0, p90) => {
            let p90 = number(p90);
            format!("; time is up at {time_is_up}: one time in ten over {p90} are deferred")
        }
        (p50, p90) => {
            let (p50, p90) = (number(p50), number(p90));
            format!(
                "; time is up at {time_is_up}: about {p50} deferred, nine times in ten up to {p90}"
            )
        }
    }
}

/// A time on the clocks of `zone`: the day too if it is not that of `from`, the
/// second if it is near that.
fn moment(at: Timestamp, zone: Zone, from: Timestamp) -> String {
    let after_ms = at.ms().saturating_sub(from.ms());
    if after_ms > FAR_MS {
        return "more than a year from then".to_owned();
    }
    let local = zone.local(at);
    let shown = local.rfc3339();
    let second = if after_ms.abs() < NEAR_MS { 19 } else { 16 };
    let time = shown.get(11..second).unwrap_or_default();
    if local.day() == zone.local(from).day() {
        time.to_owned()
    } else {
        format!("{} {time}", local.day())
    }
}

#[cfg(test)]
mod tests;
