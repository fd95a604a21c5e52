//! `nightferry check --deep`: copies read whole and compared with their sources.

use std::io::Write;

use super::args::SummaryFormat;
use super::failure::Outcome;
use super::output;
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::model::Comparison;
use crate::report::deep::{
    DEEP_CSV_HEADER, DeepFigures, write_deep, write_deep_csv, write_deep_json,
};
use crate::run::{DeepCheck, Engine, check_deep};

/// Compares so many copies of each of `tasks`, byte by byte.
pub fn check(
    engine: &Engine,
    tasks: &[&TaskConfig],
    wanted: u32,
    format: SummaryFormat,
) -> Outcome {
    let mut reasons = Vec::new();
    let mut checked = Vec::new();
    for task in tasks {
        match check_deep(engine, task, wanted) {
            Ok(deep) => {
                reasons.extend(reasons_of(&deep));
                checked.push(deep);
            }
            Err(error) => {
                tracing::error!(task = %task.id, "{}: {error}", task.id);
                reasons.push(error.exit_reason());
            }
        }
    }
    write(format, &checked)?;
    Ok(ExitReason::most_serious(&reasons))
}

/// What it means for the exit code. A source that is another by now is nobody's failure.
fn reasons_of(deep: &DeepCheck) -> Vec<ExitReason> {
    let mut findings = deep.findings.iter();
    let is_unread = findings.any(|found| found.finding == Comparison::Unreadable);
    ExitReason::that_hold([
        (is_unread, ExitReason::CouldNotBegin),
        (deep.check.drifted() > 0, ExitReason::Drifted),
        (deep.check.skipped.is_some(), ExitReason::Deferred),
    ])
}

fn write(format: SummaryFormat, checked: &[DeepCheck]) -> Outcome {
    let figures: Vec<DeepFigures<'_>> = checked.iter().map(figures).collect();
    output::report(|out| {
        match format {
            SummaryFormat::Table => {
                for (place, figures) in figures.iter().enumerate() {
                    if place > 0 {
                        writeln!(out)?;
                    }
                    write_deep(figures, out)?;
                }
            }
            SummaryFormat::Json => {
                let mut before = "[\n  ";
                for figures in &figures {
                    out.write_all(before.as_bytes())?;
                    before = ",\n  ";
                    write_deep_json(figures, out)?;
                }
                let end = if figures.is_empty() { "[]\n" } else { "\n]\n" };
                out.write_all(end.as_bytes())?;
            }
            SummaryFormat::Csv => {
                out.write_all(DEEP_CSV_HEADER.as_bytes())?;
                for figures in &figures {
                    write_deep_csv(figures, out)?;
                }
            }
        }
        Ok(())
    })
}

const fn figures(deep: &DeepCheck) -> DeepFigures<'_> {
    DeepFigures {
        task: &deep.task,
        began: deep.began,
        check: &deep.check,
        findings: deep.findings.as_slice(),
        requests: deep.requests,
        read_bytes: deep.read_bytes,
        took_ms: deep.took_ms,
    }
}
