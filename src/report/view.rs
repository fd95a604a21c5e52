//! Rows of the public views: as tables, as JSON, as bare names.
//!
//! All of them stream: memory stays flat however many rows there are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde::ser::{SerializeMap, Serializer};

use super::ReportError;
use super::hints::{hint, rejection};
use super::json::Harmless;
use super::spot::spot_sentence;
use super::table::{self, Side};
use super::text::{clock_time, size, thousands, told, tuned, visible};
use crate::ledger::{Cell, Filter, Ledger, LedgerError, Tuned, View};
use crate::model::{FailureCause, RejectReason};

/// Rows under one heading; the columns of a table fit the widest of so many.
const PAGE: usize = 500;

/// How a column is shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Text,
    /// Text in which what others have chosen is written out already.
    Told,
    /// Words with commas between them.
    Words,
    Number,
    Size,
    /// A local time, to the minute.
    Minute,
    /// A local time without its day.
    Clock,
}

pub(super) type Column = (&'static str, &'static str, Shown);

const RUNS: &[Column] = &[
    ("task", "Task", Shown::Text),
    ("run", "Run", Shown::Number),
    ("started_at_local", "Started", Shown::Minute),
    ("ended_at_local", "Ended", Shown::Clock),
    ("taken", "Taken", Shown::Number),
    ("synced", "Synced", Shown::Number),
    ("failed", "Failed", Shown::Number),
    ("ignored", "Ignored", Shown::Number),
    ("deferred", "Deferred", Shown::Number),
    ("rejected", "Rejected", Shown::Number),
    ("synced_bytes", "Size", Shown::Size),
    ("state", "State", Shown::Text),
    ("exit_reasons", "Because", Shown::Words),
];

const FAILED: &[Column] = &[
    ("task", "Task", Shown::Text),
    ("run", "Run", Shown::Number),
    ("failed_at_local", "Failed", Shown::Minute),
    ("cause", "Cause", Shown::Text),
    ("error_code", "Code", Shown::Text),
    ("attempts", "Attempts", Shown::Number),
    ("days_left", "Days left", Shown::Number),
    ("name", "Name", Shown::Text),
];

const LISTS: &[Column] = &[
    ("task", "Task", Shown::Text),
    ("loaded_at_local", "Loaded", Shown::Minute),
    ("lines", "Lines", Shown::Number),
    ("requests", "Requests", Shown::Number),
    ("rejected", "Rejected", Shown::Number),
    ("list", "List", Shown::Text),
];

const REJECTED: &[Column] = &[
    ("task", "Task", Shown::Text),
    ("list", "List", Shown::Text),
    ("line", "Line", Shown::Number),
    ("reason", "Reason", Shown::Text),
    ("excerpt", "Excerpt", Shown::Told),
];

/// Writes the rows of `view` that any of `filters` wants, in their order, as an
/// array of objects whose keys are its columns.
///
/// # Errors
/// If the ledger cannot be read or `out` not written.
pub fn write_json(
    ledger: &Ledger,
    view: View,
    filters: &[Filter<'_>],
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let columns = ledger.columns(view)?;
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut before = "[\n  ";
    for filter in filters {
        ledger.for_each_row::<ReportError>(view, &columns, filter, |cells| {
            out.write_all(before.as_bytes())?;
            before = ",\n  ";
            write_object(out, &columns, &cells)?;
            Ok(())
        })?;
    }
    let end = if before.starts_with('[') {
        "[]\n"
    } else {
        "\n]\n"
    };
    out.write_all(end.as_bytes())?;
    Ok(())
}

fn write_object(out: &mut impl Write, columns: &[&str], cells: &[Cell]) -> std::io::Result<()> {
    let mut json = serde_json::Serializer::with_formatter(out, Harmless);
    let mut object = json.serialize_map(Some(columns.len()))?;
    for (column, cell) in columns.iter().zip(cells) {
        object.serialize_entry(column, cell)?;
    }
    object.end()?;
    Ok(())
}

/// Writes the names of failed requests as they are, each ended by a NUL.
///
/// # Errors
/// If the ledger cannot be read or `out` not written.
pub fn write_failed_names(
    ledger: &Ledger,
    filter: &Filter<'_>,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    ledger.for_each_row(View::FailedRequests, &["name"], filter, |cells| {
        if let [Cell::Text(name)] = cells.as_slice() {
            out.write_all(name.as_bytes())?;
            out.write_all(b"\0")?;
        }
        Ok(())
    })
}

/// Writes runs as a table, the newest last.
///
/// # Errors
/// If the ledger cannot be read or `out` not written.
pub fn write_runs(
    ledger: &Ledger,
    filter: &Filter<'_>,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let mut notes = Vec::new();
    let mut failed = None;
    let mut first_shown = BTreeMap::new();
    let rows = write_table(ledger, View::RunHistory, RUNS, &[*filter], out, |cells| {
        if let [Cell::Text(task), Cell::Integer(run), ..] = cells {
            first_shown.entry(task.clone()).or_insert(*run);
            match notes_on_run(ledger, task, *run) {
                Ok(more) => notes.extend(more),
                Err(error) => failed = Some(error),
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if !notes.is_empty() {
        writeln!(out)?;
    }
    for note in notes {
        writeln!(out, "{note}")?;
    }
    or_say(rows, "No runs yet.", out)?;
    write_tolerated(ledger, filter, out)?;
    write_open_breakers(ledger, filter, &first_shown, out)
}

/// What was changed of a run while it was at work, and which of its ends asked
/// for a slower pace.
fn notes_on_run(ledger: &Ledger, task: &str, run: i64) -> Result<Vec<String>, LedgerError> {
    let mut notes = Vec::new();
    for Tuned { at, old, new } in ledger.tunings(task, run)? {
        let (time, setting) = (clock_time(at), new.setting());
        let (old, new) = (tuned(old), tuned(new));
        notes.push(format!("{task}, run {run}: {time} {setting} {old} → {new}"));
    }
    if let Some(check) = ledger.spot_check(task, run)? {
        notes.push(format!("{task}, run {run}: {}", spot_sentence(&check)));
    }
    for span in ledger.throttled_spans(task, run)? {
        notes.push(format!("{task}, run {run}: {span}"));
    }
    Ok(notes)
}

/// Says of which runs failures did not count for the exit code.
fn write_tolerated(
    ledger: &Ledger,
    filter: &Filter<'_>,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let columns = ["task", "run", "failed", "tolerated"];
    let mut before = "\n";
    ledger.for_each_row(View::ToleratedFailures, &columns, filter, |cells| {
        if let [
            Cell::Text(task),
            Cell::Integer(run),
            Cell::Integer(failed),
            Cell::Integer(tolerated @ 1..),
        ] = cells.as_slice()
        {
            let (failed, tolerated) = (thousands(*failed), thousands(*tolerated));
            writeln!(
                out,
                "{before}{task}, run {run}: {tolerated} of {failed} failed tolerated"
            )?;
            before = "";
        }
        Ok(())
    })
}

/// Says why runs, from the first shown of each task on, left the rest.
fn write_open_breakers(
    ledger: &Ledger,
    filter: &Filter<'_>,
    first_shown: &BTreeMap<String, i64>,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let columns = [
        "task",
        "run",
        "side",
        "failures",
        "since_local",
        "cause",
        "message",
    ];
    let filter = Filter {
        last: None,
        ..*filter
    };
    ledger.for_each_row(View::OpenBreakers, &columns, &filter, |cells| {
        if let [
            Cell::Text(task),
            Cell::Integer(run),
            Cell::Text(side),
            Cell::Integer(failures),
            since @ Cell::Text(_),
            Cell::Text(cause),
            Cell::Text(message),
        ] = cells.as_slice()
            && first_shown.get(task).is_some_and(|first| run >= first)
        {
            let since = show(since, Shown::Minute);
            let message = told(message);
            let note = format!(
                "{task}, run {run}: the {side} failed {failures} objects in a row since {since}, \
                 the last for {cause}: {message}"
            );
            write!(out, "\n{}", table::paragraph(&note, 0))?;
        }
        Ok(())
    })
}

/// Writes failed requests as a table, and what to do about each cause.
///
/// # Errors
/// If the ledger cannot be read or `out` not written.
pub fn write_failed(
    ledger: &Ledger,
    filter: &Filter<'_>,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let mut causes = BTreeSet::new();
    let rows = write_table(
        ledger,
        View::FailedRequests,
        FAILED,
        &[*filter],
        out,
        |cells| {
            for cell in cells {
                if let Cell::Text(word) = cell
                    && let Ok(cause) = word.parse::<FailureCause>()
                {
                    causes.insert(cause);
                }
            }
        },
    )?;
    for cause in causes {
        let note = table::paragraph(&format!("{cause}: {}", hint(cause)), 0);
        write!(out, "\n{note}")?;
    }
    or_say(rows, "No failed requests.", out)
}

/// Writes input lists, and the lines of them that were rejected.
///
/// # Errors
/// If the ledger cannot be read or `out` not written.
pub fn write_lists(
    ledger: &Ledger,
    filter: &Filter<'_>,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let rows = write_table(ledger, View::LoadedLists, LISTS, &[*filter], out, |_| ())?;
    or_say(rows, "No lists loaded yet.", out)?;
    writeln!(out)?;
    let mut reasons = BTreeSet::new();
    let rows = write_table(
        ledger,
        View::RejectedLines,
        REJECTED,
        &[*filter],
        out,
        |cells| {
            if let Some(Cell::Text(word)) = cells.get(3)
                && let Ok(reason) = word.parse::<RejectReason>()
            {
                reasons.insert(reason);
            }
        },
    )?;
    for reason in reasons {
        let note = table::paragraph(&format!("{reason}: {}", rejection(reason)), 0);
        write!(out, "\n{note}")?;
    }
    or_say(rows, "No line was rejected.", out)
}

pub(super) fn or_say(rows: usize, nothing: &str, out: &mut impl Write) -> Result<(), ReportError> {
    if rows == 0 {
        writeln!(out, "{nothing}")?;
    }
    Ok(())
}

/// Writes `columns` of the rows of a view that any of `filters` wants, page by
/// page; shows `visit` each row. Says how
/// many rows there were.
pub(super) fn write_table(
    ledger: &Ledger,
    view: View,
    columns: &[Column],
    filters: &[Filter<'_>],
    out: &mut impl Write,
    mut visit: impl FnMut(&[Cell]),
) -> Result<usize, ReportError> {
    let names: Vec<&str> = columns.iter().map(|(name, ..)| *name).collect();
    let mut page = Page::new(columns, out);
    for filter in filters {
        ledger.for_each_row(view, &names, filter, |cells| {
            visit(&cells);
            page.push(&cells)
        })?;
    }
    page.flush()?;
    Ok(page.written)
}

/// Rows that wait for their heading.
struct Page<'a, W> {
    columns: &'a [Column],
    rows: Vec<Vec<String>>,
    written: usize,
    out: &'a mut W,
}

impl<'a, W: Write> Page<'a, W> {
    const fn new(columns: &'a [Column], out: &'a mut W) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            written: 0,
            out,
        }
    }

    fn push(&mut self, cells: &[Cell]) -> Result<(), ReportError> {
        let shown = self.columns.iter().zip(cells);
        self.rows
            .push(shown.map(|((.., how), cell)| show(cell, *how)).collect());
        if self.rows.len() == PAGE {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ReportError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let headings: Vec<(&str, Side)> = self
            .columns
            .iter()
            .map(|(_, heading, how)| match how {
                Shown::Number | Shown::Size => (*heading, Side::Right),
                _ => (*heading, Side::Left),
            })
            .collect();
        let table = table::columns(&headings, &self.rows);
        self.out.write_all(table.as_bytes())?;
        self.written += self.rows.len();
        self.rows.clear();
        Ok(())
    }
}

fn show(cell: &Cell, how: Shown) -> String {
    match (cell, how) {
        (Cell::Null, _) => String::new(),
        (Cell::Integer(number), Shown::Number) => thousands(*number),
        (Cell::Integer(bytes), Shown::Size) => size(*bytes),
        (Cell::Integer(number), _) => number.to_string(),
        (Cell::Real(number), _) => number.to_string(),
        (Cell::Text(time), Shown::Minute) => {
            time.chars().take(16).collect::<String>().replace('T', " ")
        }
        (Cell::Text(time), Shown::Clock) => time.chars().skip(11).take(5).collect(),
        (Cell::Text(words), Shown::Words) => visible(words).replace(',', ", "),
        (Cell::Text(words), Shown::Told) => told(words),
        (Cell::Text(text), _) => visible(text),
    }
}
