//! `check --deep`: copies drawn at random, read whole at both ends and compared.

use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::compare::{Comparing, both, finding};
use super::engine::Engine;
use super::error::RunError;
use crate::config::TaskConfig;
use crate::ledger::{Ledger, LedgerError, Sample, SpotCheck, SpotFinding};
use crate::model::{Comparison, Deferral, LocalTime, Sampled, TaskId};

/// What copies came to that were read whole.
#[derive(Debug)]
pub struct DeepCheck {
    /// The task.
    pub task: TaskId,
    /// When it began.
    pub began: LocalTime,
    /// The figures.
    pub check: SpotCheck,
    /// Copies that are not the same, or could not be compared, by name.
    pub findings: Vec<SpotFinding>,
    /// Requests sent to both ends.
    pub requests: u64,
    /// Bytes that were read, of both ends together.
    pub read_bytes: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Draws so many copies of `task` and compares each with its source, byte by byte.
/// Nothing is written; a run may be at work meanwhile.
///
/// # Errors
/// If the configuration or the ledger cannot be used.
pub fn check_deep(engine: &Engine, task: &TaskConfig, wanted: u32) -> Result<DeepCheck, RunError> {
    let (began, since) = (task.zone.local(engine.clock.now()), Instant::now());
    let ends = engine.ends(task)?;
    let samples = draw(engine, task, wanted)?;
    let comparing = Comparing {
        tasks: engine.pool.tasks(),
        transfer: Arc::new(both(engine, task, &ends)),
        share: engine.share.join(),
        signal: &engine.signal,
        grace: engine.options.grace,
    };
    let mut check = SpotCheck {
        wanted: wanted.into(),
        ..SpotCheck::default()
    };
    let mut findings = Vec::new();
    let bar = progress(engine, task, samples.len());
    let is_to_end = || engine.signal.is_requested();
    comparing.compare(samples, is_to_end, |sample, compared| {
        bar.inc(1);
        check.count(sample.kind, compared.finding);
        if compared.finding != Comparison::Same {
            let now = task.zone.local(engine.clock.now());
            findings.push(finding(sample, compared, now));
        }
    });
    bar.finish_and_clear();
    check.skipped = engine.signal.is_requested().then_some(Deferral::Stopped);
    findings.sort_by(|one: &SpotFinding, other| one.name.cmp(&other.name));
    let (source, destination) = (ends.source.counters(), ends.destination.counters());
    Ok(DeepCheck {
        task: task.id.clone(),
        began,
        check,
        findings,
        requests: ends.requests_sent(),
        read_bytes: source.bytes_in + destination.bytes_in,
        took_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

fn draw(engine: &Engine, task: &TaskConfig, wanted: u32) -> Result<Vec<Sample>, RunError> {
    let ledger = match Ledger::open_read_only(&engine.data_dir.ledger()) {
        Ok(ledger) => ledger,
        // What was never run has copied nothing.
        Err(LedgerError::Missing(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let Some(key) = ledger.find_task(&task.id)? else {
        return Ok(Vec::new());
    };
    let most = usize::try_from(wanted).unwrap_or(usize::MAX);
    Ok(ledger.sample(key, Sampled::Copy, most, &mut fastrand::Rng::new())?)
}

/// A bar, where the process shows bars.
fn progress(engine: &Engine, task: &TaskConfig, copies: usize) -> ProgressBar {
    let bar = engine.bars.add(ProgressBar::new(copies as u64));
    let template = "{prefix} [{elapsed_precise}] {pos} of {len} copies read at both ends";
    // A template that does not parse would be a fault of this line alone.
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_prefix(task.id.to_string());
    bar
}
