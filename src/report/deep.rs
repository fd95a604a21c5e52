//! What `check --deep` came to: for people, as JSON, as CSV.

use std::io::{self, Write};

use serde::Serialize;

use super::ReportError;
use super::json::Harmless;
use super::spot::spot_finding;
use super::text::{counted, duration, size, spreadsheet_safe, thousands};
use crate::ledger::{SpotCheck, SpotFinding};
use crate::model::{LocalTime, Rate, TaskId};

/// Findings that a terminal is shown; `--json` and CSV have all.
const SHOWN: usize = 20;

/// What is told of one task.
#[derive(Debug)]
pub struct DeepFigures<'a> {
    /// The task.
    pub task: &'a TaskId,
    /// When the check began.
    pub began: LocalTime,
    /// The figures.
    pub check: &'a SpotCheck,
    /// What is not the same.
    pub findings: &'a [SpotFinding],
    /// Requests sent to both ends.
    pub requests: u64,
    /// Bytes read of both.
    pub read_bytes: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl DeepFigures<'_> {
    const fn rate(&self) -> Rate {
        Rate {
            hits: self.check.copies_drifted,
            drawn: self.check.copies,
        }
    }
}

/// Writes it for people.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_deep(figures: &DeepFigures<'_>, out: &mut impl Write) -> Result<(), ReportError> {
    let check = figures.check;
    let number = |count: u64| thousands(count.cast_signed());
    let looked_at = check.copies + check.undecided;
    let without = match check.undecided {
        0 => String::new(),
        undecided => format!(" + {} not compared", number(undecided)),
    };
    let copies = if looked_at == 1 { "copy" } else { "copies" };
    writeln!(
        out,
        "{}: {} {copies} drawn at random and read whole = {} the same + {} drifted{without}",
        figures.task,
        number(looked_at),
        number(check.copies - check.copies_drifted),
        number(check.copies_drifted)
    )?;
    if let (Some(share), Some((low, high))) = (figures.rate().share(), figures.rate().interval()) {
        writeln!(
            out,
            "  drift {:.2} %; of all copies between {:.2} % and {:.2} % (95 %)",
            share * 100.0,
            low * 100.0,
            high * 100.0
        )?;
    }
    if check.skipped.is_some() {
        writeln!(out, "  stopped before all that were drawn were read")?;
    }
    writeln!(
        out,
        "  {}, {} read, {}",
        counted(figures.requests, "request"),
        size(figures.read_bytes.cast_signed()),
        duration(figures.took_ms)
    )?;
    for found in figures.findings.iter().take(SHOWN) {
        writeln!(out, "  {}", spot_finding(found))?;
    }
    let left = figures.findings.len().saturating_sub(SHOWN) as u64;
    if left > 0 {
        writeln!(out, "  … and {} more: `--json` has all", number(left))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Object<'a> {
    task: &'a str,
    began_at: i64,
    began_at_local: LocalTime,
    deep: u64,
    copies: u64,
    same: u64,
    drifted: u64,
    undecided: u64,
    drift_rate: Option<f64>,
    drift_rate_low: Option<f64>,
    drift_rate_high: Option<f64>,
    stopped: bool,
    requests: u64,
    read_bytes: u64,
    duration_ms: u64,
    findings: Vec<Found<'a>>,
}

/// With the names that the view `spot_findings` has.
#[derive(Serialize)]
struct Found<'a> {
    name: &'a str,
    destination_name: &'a str,
    request: i64,
    at: i64,
    at_local: LocalTime,
    finding: &'static str,
    cause: Option<&'a str>,
    message: Option<&'a str>,
    source_etag: Option<&'a str>,
    destination_etag: Option<&'a str>,
}

fn found(it: &SpotFinding) -> Found<'_> {
    let unreadable = it.unreadable.as_ref();
    Found {
        name: &it.name,
        destination_name: &it.destination_name,
        request: it.request,
        at: it.at.at.ms(),
        at_local: it.at,
        finding: it.finding.as_str(),
        cause: unreadable.map(|(cause, _)| cause.as_str()),
        message: unreadable.map(|(_, message)| message.as_str()),
        source_etag: it.source_etag.as_deref(),
        destination_etag: it.destination_etag.as_deref(),
    }
}

/// Writes one object of it, its findings within it.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_deep_json(figures: &DeepFigures<'_>, out: &mut impl Write) -> Result<(), ReportError> {
    let (check, rate) = (figures.check, figures.rate());
    let object = Object {
        task: figures.task.as_str(),
        began_at: figures.began.at.ms(),
        began_at_local: figures.began,
        deep: check.wanted,
        copies: check.copies,
        same: check.copies - check.copies_drifted,
        drifted: check.copies_drifted,
        undecided: check.undecided,
        drift_rate: rate.share(),
        drift_rate_low: rate.interval().map(|(low, _)| low),
        drift_rate_high: rate.interval().map(|(_, high)| high),
        stopped: check.skipped.is_some(),
        requests: figures.requests,
        read_bytes: figures.read_bytes,
        duration_ms: figures.took_ms,
        findings: figures.findings.iter().map(found).collect(),
    };
    let mut json = serde_json::Serializer::with_formatter(out, Harmless);
    object.serialize(&mut json).map_err(io::Error::from)?;
    Ok(())
}

/// The first line of the CSV.
pub const DEEP_CSV_HEADER: &str =
    "task,finding,name,destination_name,cause,message,source_etag,destination_etag\n";

/// Writes the findings of a task as lines of CSV.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_deep_csv(figures: &DeepFigures<'_>, out: &mut impl Write) -> Result<(), ReportError> {
    let mut csv = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(out);
    for it in figures.findings.iter().map(found) {
        let text = |text: Option<&str>| spreadsheet_safe(text.unwrap_or(""));
        csv.write_record([
            figures.task.to_string(),
            it.finding.to_owned(),
            spreadsheet_safe(it.name),
            spreadsheet_safe(it.destination_name),
            text(it.cause),
            text(it.message),
            text(it.source_etag),
            text(it.destination_etag),
        ])
        .map_err(io::Error::other)?;
    }
    csv.flush()?;
    Ok(())
}
