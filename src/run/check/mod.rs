//! `check`: what the ledger says that was copied against what is there now.
//!
//! ```text
//! ledger: claims in name order ─▶ looked up along the source's listing ─┐
//!                                                                       ├─▶ side by side ─▶ judge
//! destination: its listing, page by page ───────────────────────────────┘        │
//!              right: counted     in doubt: asked about by itself, the ledger read again ─▶ found
//! ```
//!
//! Nothing is locked: a run may be at work meanwhile. What is found is kept until
//! the end, and told only then.

mod claims;
mod doubts;
mod error;
mod judge;
mod progress;
mod requeue;

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

pub use error::CheckError;
pub use requeue::{Requeued, requeue};

use claims::{Claims, Seen};
use doubts::{Doubt, Doubts};
use judge::{Verdict, judge};
use progress::Progress;

use super::engine::Engine;
use super::pages::{Pages, await_answer};
use crate::config::TaskConfig;
use crate::ledger::{Claimant, Ledger};
use crate::model::{
    CheckTotals, Failure, Finding, FindingKind, LocalTime, ObjectFacts, RESERVED_PREFIX, Side,
    TaskId,
};
use crate::plan::{EitherOrBoth, Sight, side_by_side};
use crate::report::Findings;
use crate::transfer::Transfer;

/// What a check of one task came to.
#[derive(Debug)]
pub struct Checked {
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
    /// What was found.
    pub findings: Findings,
    /// Why the source was left aside.
    pub source_failure: Option<Failure>,
    /// The first failure to answer about a name.
    pub unanswered: Option<Failure>,
    /// Requests that the ledger counts as synced, whether it still knows their tags or not.
    pub synced_ever: u64,
    /// Requests sent to both ends.
    pub requests: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What was said of names so far.
struct Told {
    totals: CheckTotals,
    by_size_alone: u64,
    findings: Findings,
    unanswered: Option<Failure>,
}

impl Told {
    fn new() -> Result<Self, CheckError> {
        Ok(Self {
            totals: CheckTotals::default(),
            by_size_alone: 0,
            findings: Findings::new()?,
            unanswered: None,
        })
    }

    fn right(&mut self, source: Option<&Sight>) {
        self.totals.right += 1;
        self.totals.source_gone += u64::from(source == Some(&Sight::Absent));
    }

    fn found(&mut self, finding: &Finding) -> Result<(), CheckError> {
        self.totals.count(finding.finding);
        Ok(self.findings.push(finding)?)
    }

    fn unanswered(&mut self, failure: Failure) {
        self.totals.unanswered += 1;
        self.unanswered.get_or_insert(failure);
    }
}

/// What a check is made with.
struct Means<'a> {
    engine: &'a Engine,
    ledger: &'a Ledger,
    /// Whose copies are looked at, and where they lie.
    claimant: Claimant,
    /// All that copied into the same bucket, and where: other tasks, and this one.
    neighbours: Vec<Claimant>,
    transfer: Arc<Transfer>,
    looks_at_source: bool,
}

impl Means<'_> {
    /// Waits for what the pool answers, unless somebody asks to stop.
    fn await_answer<T>(&self, answers: &Receiver<T>) -> Result<T, CheckError> {
        Ok(await_answer(self.engine, answers)?)
    }
}

/// Compares what the ledger says was copied for `task` with what both ends have now:
/// all copies by listing, or `sample` of them, drawn at random, by asking about each.
/// Names of `neighbours`, tasks that copy into the same bucket, are not foreign.
///
/// # Errors
/// The ledger cannot be read, the destination does not answer or does not list in
/// byte order, or somebody asked to stop.
pub fn check_task(
    engine: &Engine,
    task: &TaskConfig,
    neighbours: &[&TaskId],
    sample: Option<usize>,
) -> Result<Checked, CheckError> {
    let (clock, began) = (Instant::now(), task.zone.local(engine.clock.now()));
    let ledger = Ledger::open_read_only(&engine.data_dir.ledger())?;
    let ends = engine.ends(task)?;
    let transfer = Arc::new(engine.transfer(task, &ends));
    let key = ledger.find_task(&task.id)?;
    let mut told = Told::new()?;
    let source_failure = first_look(engine, &transfer)?;
    let synced_ever = match key {
        Some(key) => ledger.synced_ever(key)?,
        None => 0,
    };
    if let Some(key) = key {
        let means = Means {
            engine,
            ledger: &ledger,
            neighbours: places(&ledger, neighbours.iter().copied().chain([&task.id]))?,
            claimant: Claimant {
                task: key,
                prefix: task.destination_prefix.clone(),
            },
            transfer,
            looks_at_source: source_failure.is_none(),
        };
        let progress = Progress::new(&task.id, engine);
        match sample {
            None => look_at_all(&means, &mut told, &progress)?,
            Some(count) => look_at_some(&means, count, &mut told, &progress)?,
        }
        progress.finish();
    }
    Ok(Checked {
        task: task.id.clone(),
        began,
        sample,
        totals: told.totals,
        by_size_alone: told.by_size_alone,
        findings: told.findings,
        source_failure,
        unanswered: told.unanswered,
        synced_ever,
        requests: ends.requests_sent(),
        took_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// Looks at every copy, and at every object beside them.
fn look_at_all(means: &Means<'_>, told: &mut Told, progress: &Progress) -> Result<(), CheckError> {
    let claims = Claims::begin(means)?;
    let pages = Pages::begin(means.engine, &means.transfer, Side::Destination, "");
    let pages = pages.map(|object| object.map_err(CheckError::from));
    let mut doubts = Doubts::new(means);
    for found in side_by_side(claims, pages) {
        let (name, found) = found?;
        look_at(means, name, found, &mut doubts, told)?;
        progress.looked(&told.totals);
    }
    doubts.settle(told)
}

/// Judges one name by what the listings say; what they leave in doubt is left to be
/// asked about.
fn look_at(
    means: &Means<'_>,
    name: String,
    found: EitherOrBoth<Seen, ObjectFacts>,
    doubts: &mut Doubts<'_>,
    told: &mut Told,
) -> Result<(), CheckError> {
    let (seen, destination) = match found {
        EitherOrBoth::Left(seen) => (Some(seen), Sight::Absent),
        EitherOrBoth::Both(seen, facts) => (Some(seen), Sight::Present(facts)),
        EitherOrBoth::Right(facts) => (None, Sight::Present(facts)),
    };
    let Some((claim, source)) = seen else {
        let place = means.claimant.prefix.place(&name);
        if place.starts_with(RESERVED_PREFIX) {
            return Ok(());
        }
        let doubt = Doubt {
            name,
            claim: None,
            destination,
            source: None,
        };
        return doubts.push(doubt, told);
    };
    told.totals.copies += 1;
    if judge(&claim, &destination, source.as_ref()) == Verdict::Right {
        told.right(source.as_ref());
        return Ok(());
    }
    let doubt = Doubt {
        name,
        claim: Some(claim),
        destination,
        source,
    };
    doubts.push(doubt, told)
}

/// Looks at some copies, drawn at random.
fn look_at_some(
    means: &Means<'_>,
    count: usize,
    told: &mut Told,
    progress: &Progress,
) -> Result<(), CheckError> {
    let claims = means
        .ledger
        .random_claims(&means.claimant, count, |below| {
            fastrand::u64(0..below.max(1))
        })?;
    let mut doubts = Doubts::new(means);
    for claim in claims {
        told.totals.copies += 1;
        let doubt = Doubt {
            name: claim.name.as_str().to_owned(),
            claim: Some(claim),
            destination: Sight::Unknown,
            source: means.looks_at_source.then_some(Sight::Unknown),
        };
        doubts.push(doubt, told)?;
        progress.looked(&told.totals);
    }
    doubts.settle(told)
}

/// Whether both buckets are there and may be listed. That the source is not leaves
/// only what it has out of the check.
fn first_look(engine: &Engine, transfer: &Arc<Transfer>) -> Result<Option<Failure>, CheckError> {
    let look = |side| {
        let transfer = Arc::clone(transfer);
        let look = move || transfer.page(side, "", None, 1).map(drop);
        engine.signal.unless_urgent(look)
    };
    if engine.signal.is_requested() {
        return Err(CheckError::Stopped);
    }
    match look(Side::Destination) {
        Ok(looked) => looked.map_err(CheckError::Destination)?,
        Err(_) => return Err(CheckError::Stopped),
    }
    match look(Side::Source) {
        Ok(looked) => Ok(looked.err()),
        Err(_) => Err(CheckError::Stopped),
    }
}

/// Where copies of `tasks` may lie.
fn places<'t>(
    ledger: &Ledger,
    tasks: impl Iterator<Item = &'t TaskId>,
) -> Result<Vec<Claimant>, CheckError> {
    let mut places = Vec::new();
    for task in tasks {
        if let Some(key) = ledger.find_task(task)? {
            places.append(&mut ledger.claimants(key)?);
        }
    }
    Ok(places)
}

/// Whether a finding is one that may be mended by carrying the name again.
const fn is_mendable(finding: FindingKind) -> bool {
    !matches!(finding, FindingKind::Foreign)
}
