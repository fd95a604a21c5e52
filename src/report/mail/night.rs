//! What a mail says of one task: its night, and its month.

use std::fmt::Write as _;

use super::block::{Block, Figure, Tone};
use super::told::{RunTold, Told};
use super::{Ended, Trouble, clock, headline, month_name};
use crate::ledger::{Compared, RejectedHere, SpotCheck};
use crate::model::{Deferral, RunBooks, Timestamp};
use crate::report::TaskMonth;
use crate::report::hints::{deferred_because, deferred_for, hint, suspects_hint};
use crate::report::spot::{spot_hint, spot_sentence};
use crate::report::text::{age, counted, size, thousands, visible};

/// Says what went wrong beside the tasks.
pub fn trouble(trouble: &Trouble) -> Block {
    note(Tone::Bad, &trouble.short, &trouble.said)
}

/// Says all of one task.
pub fn tell(told: &Told, now: Timestamp, blocks: &mut Vec<Block>) {
    blocks.push(Block::Task(told.id.to_string()));
    blocks.push(Block::Verdict(told.tone(), headline::of_task(told)));
    match (&told.run, &told.ended) {
        (Some(run), _) => tell_run(told, run, blocks),
        (None, Ended::NotRun { said, .. }) => blocks.push(Block::Note {
            tone: Tone::Bad,
            lead: "Why".to_owned(),
            text: said.clone(),
            example: None,
        }),
        (None, Ended::Paused(since)) => blocks.push(note(
            Tone::Plain,
            "Paused",
            &format!(
                "since {}; `nightferry resume --task {}` lets runs take it up again.",
                clock(*since),
                told.id
            ),
        )),
        (None, Ended::Ran(_) | Ended::NotBegun) => {}
    }
    if let Some(month) = &told.month {
        blocks.push(Block::Section(month_name(&month.row.month)));
        blocks.push(Block::Figures(month_figures(month, now)));
    }
    let sha256 = told
        .run
        .as_ref()
        .and_then(|run| run.row.manifest_sha256.as_ref());
    if let Some(sha256) = sha256 {
        blocks.push(Block::Quiet(format!(
            "SHA-256 of the run's manifest: {sha256}"
        )));
    }
}

/// Says all of one month.
pub fn tell_month(month: &TaskMonth, now: Timestamp, blocks: &mut Vec<Block>) {
    blocks.push(Block::Task(month.row.task.clone()));
    blocks.push(Block::Section(month_name(&month.row.month)));
    blocks.push(Block::Figures(month_figures(month, now)));
    for text in month.notes() {
        let (lead, text) = text.split_once(": ").unwrap_or(("", &text));
        blocks.push(note(Tone::Plain, lead, text));
    }
}

fn tell_run(told: &Told, run: &RunTold, blocks: &mut Vec<Block>) {
    blocks.push(Block::Quiet(when(told, run)));
    blocks.push(Block::Figures(run_figures(run)));
    blocks.extend(run.compared.and_then(compared));
    if let Some(because) = &run.past.because {
        let cause = run
            .row
            .begin_cause
            .or(run.row.breaker.map(|open| open.cause));
        let advice = cause.map_or("", hint);
        let lead = match run.row.begin_cause {
            Some(cause) => format!("could not begin: {cause}"),
            None => "breaker_open".to_owned(),
        };
        let because = because.trim_end_matches('.');
        blocks.push(note(Tone::Bad, &lead, &format!("{because}. {advice}")));
    }
    for (cause, count, example) in &run.failures {
        blocks.push(Block::Note {
            tone: Tone::Bad,
            lead: format!("{} {cause}", thousands(count.cast_signed())),
            text: hint(*cause).to_owned(),
            example: Some(example.clone()),
        });
    }
    blocks.extend(deferred(run));
    if run.past.suspects > 0 {
        let lead = format!("{} suspect", thousands(run.past.suspects.cast_signed()));
        blocks.push(note(Tone::Wait, &lead, &suspects_hint(run.past.suspects)));
    }
    blocks.extend(run.past.spot_check.as_ref().map(spot_check));
    if run.past.rejected > 0 {
        let those = match run.past.rejected > run.rejected.len() as u64 {
            true if run.rejected.is_empty() => "shows them, each with its reason.",
            true => "shows all of them. The first:",
            false => "shows them too:",
        };
        let text = format!(
            "They cannot be requests; `nightferry lists --task {}` {those}",
            told.id
        );
        let lead = format!("{} rejected", counted(run.past.rejected, "line"));
        blocks.push(note(Tone::Bad, &lead, &text));
        if !run.rejected.is_empty() {
            blocks.push(Block::Lines(run.rejected.iter().map(rejected).collect()));
        }
    }
    if run.row.owed_lists > 0 {
        let because = run.row.owed_because.as_deref();
        let because = because.map_or_else(String::new, |why| format!("{why}. "));
        let lead = format!("{} owed", counted(run.row.owed_lists, "list"));
        let text = format!("{because}The next run delivers what the destination did not take.");
        blocks.push(note(Tone::Wait, &lead, &text));
    }
}

/// A rejected line: where it stands, why, and how it begins.
fn rejected(line: &RejectedHere) -> String {
    let path = visible(&line.path);
    format!("{path}:{} {}: {}", line.line, line.reason, line.excerpt)
}

fn note(tone: Tone, lead: &str, text: &str) -> Block {
    Block::Note {
        tone,
        lead: lead.to_owned(),
        text: text.to_owned(),
        example: None,
    }
}

fn when(told: &Told, run: &RunTold) -> String {
    let started = clock(run.past.started);
    let zone = told.zone.map_or("", |zone| zone.name());
    let Some(ended) = run.past.ended else {
        return format!("Run {}, begun {started} ({zone})", run.past.number);
    };
    let took = took(ended.at.ms() - run.past.started.at.ms());
    let end = clock(ended);
    let same_day = started[..10] == end[..10];
    let end = if same_day { &end[11..] } else { &end };
    format!(
        "Run {}, {started} to {end} ({zone}), {took}",
        run.past.number
    )
}

/// A length of time, to the minute once there are some.
fn took(ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => age(ms),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn run_figures(run: &RunTold) -> Vec<Figure> {
    let RunBooks {
        taken,
        synced,
        failed,
        ignored,
        deferred,
        synced_bytes,
    } = run.past.books;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let taken = Figure::new("Taken", number(taken));
    let taken = if run.is_unbalanced() {
        Figure {
            tone: Tone::Bad,
            ..taken.with("THE BOOKS DO NOT BALANCE: run `nightferry ledger check`")
        }
    } else {
        taken.with("the books balance")
    };
    let bytes = if synced > 0 {
        size(number(synced_bytes))
    } else {
        String::new()
    };
    let mut figures = vec![
        taken,
        Figure::new("Synced", number(synced)).with(bytes),
        Figure::new("Failed", number(failed)).toned(Tone::Bad),
    ];
    let parts = run.failures.iter();
    figures.extend(parts.map(|(cause, count, _)| Figure::part(cause.as_str(), *count)));
    figures.push(Figure::new("Ignored", number(ignored)));
    if run.past.suspects > 0 {
        figures.push(Figure::part("suspect", run.past.suspects));
    }
    let why = run.row.deferral.filter(|_| deferred > 0);
    figures.push(
        Figure::new("Deferred", number(deferred))
            .with(why.map_or_else(String::new, |why| deferred_for(why, run.row.awaiting)))
            .toned(Tone::Wait),
    );
    figures
}

/// What the spot check came to, and what to do.
fn spot_check(check: &SpotCheck) -> Block {
    let said = spot_sentence(check);
    let said = said.trim_start_matches("spot check: ");
    let hint = spot_hint(check).map_or_else(String::new, |hint| format!(" {hint}"));
    let tone = match (check.drifted(), check.skipped) {
        (0, None) => Tone::Plain,
        (0, Some(_)) => Tone::Wait,
        _ => Tone::Bad,
    };
    note(tone, "Spot check", &format!("{said}.{hint}"))
}

/// Nothing if nothing failed in either night.
fn compared(compared: Compared) -> Option<Block> {
    let Compared {
        before,
        new,
        recurring,
        recovered,
    } = compared;
    let count = |count: u64| thousands(count.cast_signed());
    let text = format!(
        "{} new, {} recurring, {} recovered.",
        count(new),
        count(recurring),
        count(recovered)
    );
    let tone = if new > 0 { Tone::Bad } else { Tone::Plain };
    let lead = format!("Failures since run {before}");
    (new + recurring + recovered > 0).then(|| note(tone, &lead, &text))
}

fn deferred(run: &RunTold) -> Option<Block> {
    let deferral = run.row.deferral?;
    let lead = format!(
        "{} deferred",
        thousands(run.past.books.deferred.cast_signed())
    );
    let mut text = deferred_because(deferral).to_owned();
    let awaiting = run.row.awaiting;
    if awaiting > 0 && deferral != Deferral::AwaitingRestore {
        let restored = deferred_because(Deferral::AwaitingRestore);
        let awaiting = thousands(awaiting.cast_signed());
        let _ = write!(text, " {awaiting} of them await a restore: {restored}");
    }
    if let Some(forecast) = &run.forecast {
        // Writing to a String cannot fail.
        let _ = write!(text, " Forecast: {forecast}.");
    }
    (run.past.books.deferred > 0).then(|| note(Tone::Wait, &lead, &text))
}

fn month_figures(month: &TaskMonth, now: Timestamp) -> Vec<Figure> {
    let row = &month.row;
    let waiting = month.oldest_pending.map_or_else(String::new, |oldest| {
        format!("the oldest waits for {}", age(now.ms() - oldest.at.ms()))
    });
    let bytes = if row.synced > 0 {
        size(row.synced_bytes)
    } else {
        String::new()
    };
    let pending_now = i64::try_from(month.pending_now).unwrap_or(i64::MAX);
    let mut figures = vec![
        Figure::new("Pending at start", row.pending_at_start),
        Figure::new("Requested", row.requested),
        Figure::new("Synced", row.synced).with(bytes),
        Figure::new("Failed", row.failed),
        Figure::new("Ignored", row.ignored),
    ];
    let at_end = Figure::new("Pending at end", row.pending_at_end);
    if pending_now == row.pending_at_end {
        figures.push(at_end.with(waiting));
    } else {
        figures.push(at_end);
        figures.push(Figure::new("Pending now", pending_now).with(waiting));
    }
    figures
}
