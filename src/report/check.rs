//! What a check came to: for people, as JSON, as CSV, and as a list file.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::ser::{Error as _, SerializeMap, SerializeSeq, Serializer};

use super::file::WholeFile;
use super::findings::Findings;
use super::json::Harmless;
use super::table::{self, Side};
use super::text::{counted, duration, harmless, size, spreadsheet_safe, thousands, visible};
use super::{ListFile, ReportError};
use crate::data_dir::Modes;
use crate::model::{
    CheckTotals, Differs, Finding, FindingKind, LocalTime, ObjectName, Rate, TaskId,
};

/// Findings that a terminal is shown; all stand in the list file.
const SHOWN: usize = 20;

/// What is told of a check of one task besides its findings.
#[derive(Debug, Clone)]
pub struct CheckFigures {
    /// The task.
    pub task: TaskId,
    /// When it began.
    pub began: LocalTime,
    /// How many copies were to be drawn at random; `None`: all were looked at.
    pub sample: Option<usize>,
    /// What the copies came to.
    pub totals: CheckTotals,
    /// Of those that are right, the ones of which nobody names a tag.
    pub by_size_alone: u64,
    /// Why the source was left aside.
    pub source_failure: Option<String>,
    /// The first failure to answer about a name.
    pub unanswered: Option<String>,
    /// Requests that the ledger counts as synced, whether it knows their tags or not.
    pub synced_ever: u64,
    /// Requests sent to both ends.
    pub requests: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The list of what was found.
    pub list: Option<String>,
    /// The list that asks for it again; it, and how many names it holds and how many
    /// wait already.
    pub requeued: Option<(Option<String>, u64, u64)>,
}

impl CheckFigures {
    /// How many copies are not right, of those of which there is a verdict.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        let totals = &self.totals;
        Rate {
            hits: totals.drifted(),
            drawn: totals.right + totals.drifted(),
        }
    }
}

/// Writes what was found as a list under `root`: finding, time, URL-encoded name,
/// name, in what it differs. `None` if nothing was found.
///
/// # Errors
/// If it cannot be written.
pub fn write_check_list(
    root: &Path,
    modes: Modes,
    (task, began): (&TaskId, LocalTime),
    findings: &mut Findings,
) -> Result<Option<ListFile>, ReportError> {
    if findings.count() == 0 {
        return Ok(None);
    }
    let path = format!("checks/{task}-{}.check_list.txt", began.stamp());
    let place = root.join(&path);
    let write = |findings: &mut Findings| -> io::Result<ListFile> {
        let mut file = WholeFile::create(root, path, modes)?;
        for finding in findings.read()? {
            file.write_line(&line(&finding?, began))?;
        }
        file.finish()
    };
    write(findings)
        .map(Some)
        .map_err(|source| ReportError::List {
            path: place,
            source,
        })
}

fn line(finding: &Finding, at: LocalTime) -> String {
    let name = ObjectName::from_checked(finding.name.clone());
    format!(
        "{}\t{}\t{}\t{}\t{}\n",
        finding.finding,
        at.rfc3339(),
        name.url_encoded(),
        name.escaped(),
        finding.differs.map_or("", Differs::as_str)
    )
}

/// Writes the check for people.
///
/// # Errors
/// If the findings cannot be read or `out` not written.
pub fn write_check(
    figures: &CheckFigures,
    findings: &mut Findings,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    for line in words(figures) {
        writeln!(out, "{line}")?;
    }
    let mut rows = Vec::new();
    for finding in findings.read()?.take(SHOWN) {
        let finding = finding?;
        rows.push(vec![
            finding.finding.to_string(),
            why(&finding),
            visible(&finding.name),
        ]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let headings = [
        ("Finding", Side::Left),
        ("Recorded → now", Side::Left),
        ("Name", Side::Left),
    ];
    write!(out, "\n{}", table::columns(&headings, &rows))?;
    let left = findings.count().saturating_sub(SHOWN as u64);
    if left > 0 {
        writeln!(out, "… and {} more in the list", number(left))?;
    }
    Ok(())
}

/// What is said before the findings, line by line.
fn words(figures: &CheckFigures) -> Vec<String> {
    let totals = &figures.totals;
    let mut lines = vec![headline(figures)];
    let mut say = |line: String| lines.push(format!("  {line}"));
    if totals.copies > 0 && totals.gone == totals.copies {
        say("no copy is there any more: was the bucket emptied, or is it another one?".to_owned());
    }
    if totals.copies == 0 && figures.synced_ever > 0 {
        say(format!(
            "{} were synced, but the ledger knows the tag of no copy here: it was made again from \
             lists, or the task has another prefix now; a copy is compared once it is carried again",
            counted(figures.synced_ever, "request")
        ));
    }
    if let (Some(_), Some(share), Some((low, high))) = (
        figures.sample,
        figures.rate().share(),
        figures.rate().interval(),
    ) {
        say(format!(
            "drift {} of the copies; of all of them between {} and {} (95 %)",
            percent(share),
            percent(low),
            percent(high)
        ));
    }
    if totals.unsettled > 0 {
        say(format!(
            "{} without a verdict: a run is at work on them, or left them to the next",
            number(totals.unsettled)
        ));
    }
    if let Some(failure) = &figures.unanswered {
        say(format!(
            "{} without a verdict: {}",
            number(totals.unanswered),
            harmless(failure)
        ));
    }
    if let Some(failure) = &figures.source_failure {
        say(format!(
            "the source was left aside, so nothing is newer there: {}",
            harmless(failure)
        ));
    }
    if totals.source_gone > 0 {
        let gone = number(totals.source_gone);
        say(format!(
            "{gone} of the right ones are not at the source any more"
        ));
    }
    if figures.by_size_alone > 0 {
        let alone = number(figures.by_size_alone);
        say(format!(
            "{alone} by size alone: the server names no entity tags"
        ));
    }
    say(format!(
        "{}, {}",
        counted(figures.requests, "request"),
        duration(figures.took_ms)
    ));
    if let Some(list) = &figures.list {
        say(format!("all findings: {}", visible(list)));
    }
    if let Some((list, names, waiting)) = &figures.requeued {
        let asked = match list {
            Some(list) => format!("{} asked for again in {list}", counted(*names, "name")),
            None => "nothing to ask for again".to_owned(),
        };
        let waits = match waiting {
            0 => String::new(),
            _ => format!(", {} waited for a run already", number(*waiting)),
        };
        say(format!("{asked}{waits}"));
    }
    lines
}

fn headline(figures: &CheckFigures) -> String {
    let (task, totals) = (&figures.task, &figures.totals);
    let copies = match totals.copies {
        1 => "1 copy".to_owned(),
        copies => format!("{} copies", number(copies)),
    };
    let drawn = match figures.sample {
        Some(_) => " drawn at random",
        None => "",
    };
    let without = match totals.unsettled + totals.unanswered {
        0 => String::new(),
        without => format!(" + {} without a verdict", number(without)),
    };
    let foreign = match figures.sample {
        Some(_) => String::new(),
        None => format!("; {} foreign", number(totals.foreign)),
    };
    format!(
        "{task}: {copies}{drawn} = {} right + {} gone + {} changed + {} newer at the \
         source{without}{foreign}",
        number(totals.right),
        number(totals.gone),
        number(totals.changed),
        number(totals.newer_at_source)
    )
}

/// In what the destination, or the source, is not what the ledger recorded.
fn why(finding: &Finding) -> String {
    let bytes =
        |bytes: Option<u64>| bytes.map_or("?".to_owned(), |bytes| size(bytes.cast_signed()));
    let tag = |tag: &Option<String>| {
        let tag = tag.as_deref().unwrap_or("?");
        let short: String = tag.chars().take(8).collect();
        let more = if short.len() < tag.len() { "…" } else { "" };
        visible(&format!("{short}{more}"))
    };
    let sizes = || {
        let recorded = bytes(finding.recorded_size_bytes);
        format!("{recorded} → {}", bytes(finding.destination_size_bytes))
    };
    match (finding.finding, finding.differs) {
        (FindingKind::Gone, _) => bytes(finding.recorded_size_bytes),
        (FindingKind::Foreign, _) => bytes(finding.destination_size_bytes),
        (FindingKind::NewerAtSource, _) => format!(
            "source {} → {}",
            tag(&finding.recorded_source_etag),
            tag(&finding.source_etag)
        ),
        (FindingKind::Changed, Some(Differs::Size | Differs::SizeAndEtag)) => sizes(),
        (FindingKind::Changed, _) => format!(
            "{} → {}",
            tag(&finding.recorded_etag),
            tag(&finding.destination_etag)
        ),
    }
}

/// `0.30 %`.
fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn number(count: u64) -> String {
    thousands(count.cast_signed())
}

/// Writes one object of a check, its findings within it.
///
/// # Errors
/// If the findings cannot be read or `out` not written.
pub fn write_check_json(
    figures: &CheckFigures,
    findings: &mut Findings,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let mut json = serde_json::Serializer::with_formatter(out, Harmless);
    let object = Object {
        figures,
        findings: RefCell::new(findings),
    };
    object.serialize(&mut json).map_err(io::Error::from)?;
    Ok(())
}

struct Object<'a> {
    figures: &'a CheckFigures,
    findings: RefCell<&'a mut Findings>,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (figures, totals) = (self.figures, &self.figures.totals);
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("task", figures.task.as_str())?;
        object.serialize_entry("began_at", &figures.began.at.ms())?;
        object.serialize_entry("began_at_local", &figures.began)?;
        object.serialize_entry("sample", &figures.sample)?;
        for (key, count) in [
            ("copies", totals.copies),
            ("right", totals.right),
            ("gone", totals.gone),
            ("changed", totals.changed),
            ("newer_at_source", totals.newer_at_source),
            ("unsettled", totals.unsettled),
            ("unanswered", totals.unanswered),
            ("foreign", totals.foreign),
            ("source_gone", totals.source_gone),
            ("by_size_alone", figures.by_size_alone),
        ] {
            object.serialize_entry(key, &count)?;
        }
        let interval = figures.rate().interval();
        object.serialize_entry("drift_rate", &figures.rate().share())?;
        object.serialize_entry("drift_rate_low", &interval.map(|(low, _)| low))?;
        object.serialize_entry("drift_rate_high", &interval.map(|(_, high)| high))?;
        object.serialize_entry("requests", &figures.requests)?;
        object.serialize_entry("duration_ms", &figures.took_ms)?;
        object.serialize_entry("list", &figures.list)?;
        let requeued = figures.requeued.as_ref();
        object.serialize_entry("requeued", &requeued.map(|(_, names, _)| names))?;
        object.serialize_entry(
            "requeued_list",
            &requeued.and_then(|(list, _, _)| list.as_ref()),
        )?;
        object.serialize_entry("source_problem", &figures.source_failure)?;
        object.serialize_entry("problem", &figures.unanswered)?;
        object.serialize_entry("findings", &All(&self.findings))?;
        object.end()
    }
}

struct All<'a, 'f>(&'a RefCell<&'f mut Findings>);

impl Serialize for All<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let findings = self.0.borrow_mut().read().map_err(S::Error::custom)?;
        let mut sequence = serializer.serialize_seq(None)?;
        for finding in findings {
            sequence.serialize_element(&finding.map_err(S::Error::custom)?)?;
        }
        sequence.end()
    }
}

/// The first line of the CSV.
pub const CHECK_CSV_HEADER: &str = "task,finding,differs,name,recorded_size_bytes,recorded_etag,\
     recorded_source_etag,destination_size_bytes,destination_etag,destination_modified_at,\
     source_etag,asked\n";

/// Writes the findings of a task as lines of CSV.
///
/// # Errors
/// If the findings cannot be read or `out` not written.
pub fn write_check_csv(
    task: &TaskId,
    findings: &mut Findings,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    let text = |value: &Option<String>| spreadsheet_safe(value.as_deref().unwrap_or(""));
    for finding in findings.read()? {
        let finding = finding?;
        let figure = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
        let modified_at = finding.destination_modified_at;
        csv.write_record([
            task.to_string(),
            finding.finding.to_string(),
            finding
                .differs
                .map_or_else(String::new, |it| it.to_string()),
            spreadsheet_safe(&finding.name),
            figure(finding.recorded_size_bytes),
            text(&finding.recorded_etag),
            text(&finding.recorded_source_etag),
            figure(finding.destination_size_bytes),
            text(&finding.destination_etag),
            modified_at.map_or_else(String::new, |ms| ms.to_string()),
            text(&finding.source_etag),
            u8::from(finding.asked).to_string(),
        ])
        .map_err(io::Error::other)?;
    }
    csv.flush()?;
    Ok(())
}
