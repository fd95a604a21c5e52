//! The machine is lost: a ledger made from what was delivered, and from nothing else.
//!
//! Manifests are read in the order of their runs' numbers, each with its lists;
//! every byte is compared with the hash that vouches for it. The new ledger
//! grows in a file beside its place and takes the place once it is whole.

mod delivered;
mod error;
mod place;

use std::path::{Path, PathBuf};

use self::delivered::{Delivered, Fetched};
pub use self::error::RebuildFailure;
use self::error::damaged;
use super::engine::ends;
use super::error::RunError;
use crate::clock::Clock;
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::ledger::{Ledger, LedgerError, RebuildError, Rebuilding, RebuiltRun, TaskKey};
use crate::report::{ListKind, Manifest, read_listed};
use crate::s3::HttpClient;

/// A run that a passing trouble interrupts is read again so many times.
const TRIES: u32 = 3;

/// What was made of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuiltTask {
    /// The task.
    pub task: String,
    /// Runs with a manifest.
    pub runs: u64,
    /// Requests that have each outcome now.
    pub synced: u64,
    /// As `synced`.
    pub failed: u64,
    /// As `synced`.
    pub ignored: u64,
    /// Requests that the next run takes.
    pub pending: u64,
}

/// A ledger that was made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Task by task.
    pub tasks: Vec<RebuiltTask>,
    /// Where the ledger is now that was in its place.
    pub kept: Option<PathBuf>,
}

/// Where the new ledger goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its path.
    pub path: &'a Path,
    /// Its mode.
    pub file_mode: u32,
    /// Whether a ledger there is moved aside.
    pub replace: bool,
}

/// Makes a ledger of `tasks` from their destination buckets alone. The caller
/// holds the locks of all tasks that use it.
///
/// # Errors
/// If the bucket does not answer, a file there is missing or is not what was
/// delivered, or the ledger cannot be written; there is then no new ledger.
pub fn rebuild(
    tasks: &[&TaskConfig],
    http: &HttpClient,
    clock: &Clock,
    target: Target<'_>,
) -> Result<Rebuilt, RunError> {
    place::refuse_occupied(target)?;
    let draft = place::Draft::begin(target)?;
    let mut ledger = Ledger::open(draft.path(), target.file_mode)?;
    let mut made = Vec::new();
    for task in tasks {
        let bucket = ends(http, task, clock)?.lists;
        let delivered = Delivered::new(task, &bucket);
        made.push(rebuild_task(&mut ledger, task, &delivered, clock)?);
    }
    let problems = ledger.check()?;
    if !problems.is_empty() {
        return Err(RebuildFailure::Unbalanced(problems).into());
    }
    drop(ledger);
    let kept = draft.take_place(target, clock.now())?;
    Ok(Rebuilt { tasks: made, kept })
}

fn rebuild_task(
    ledger: &mut Ledger,
    task: &TaskConfig,
    delivered: &Delivered<'_>,
    clock: &Clock,
) -> Result<RebuiltTask, RunError> {
    let now = task.zone.local(clock.now());
    let key = ledger.enter_task(&task.id, task.zone, task.carry_over_days, now)?;
    let mut runs = 0;
    let mut last: Option<Manifest> = None;
    for path in delivered.manifests()? {
        let (manifest, fetched) = delivered.manifest(&path)?;
        follows(&manifest, last.as_ref(), &path)?;
        enter_run(ledger, key, delivered, &manifest, &fetched)?;
        runs += 1;
        last = Some(manifest);
    }
    if let Some(last) = &last {
        answer(ledger, task, last)?;
    }
    ledger.end_rebuild(key)?;
    delivered.input_lists(|path, facts| {
        let etag = facts.etag.as_str();
        Ok(ledger.rebuild_input_list(key, path, facts.size_bytes, etag)?)
    })?;
    let stands = ledger.task_status(Some(&task.id))?;
    let stands = stands.into_iter().next().ok_or_else(|| {
        RebuildFailure::Unbalanced(vec![format!("the task {} is not in it", task.id)])
    })?;
    Ok(RebuiltTask {
        task: task.id.to_string(),
        runs,
        synced: stands.synced,
        failed: stands.failed,
        ignored: stands.ignored,
        pending: stands.pending,
    })
}

/// Whether no manifest is missing between this one and the last.
fn follows(manifest: &Manifest, last: Option<&Manifest>, path: &str) -> Result<(), RebuildFailure> {
    let last = last.map(|last| last.run);
    if manifest.previous_run == last {
        return Ok(());
    }
    match manifest.previous_run {
        Some(missing) if last.is_none_or(|last| last < missing) => Err(RebuildFailure::Gap {
            task: manifest.task.clone(),
            missing,
            run: manifest.run,
        }),
        _ => Err(RebuildFailure::Foreign {
            path: path.to_owned(),
        }),
    }
}

/// Enters a run; reads it again if the bucket stopped answering meanwhile.
fn enter_run(
    ledger: &mut Ledger,
    task: TaskKey,
    delivered: &Delivered<'_>,
    manifest: &Manifest,
    fetched: &Fetched,
) -> Result<(), RunError> {
    let run = RebuiltRun {
        task,
        number: manifest.run,
        run_id: &manifest.run_id,
        run_name: &manifest.run_name,
        state: &manifest.state,
        zone: &manifest.zone,
        started: manifest.started_at,
        ended: manifest.ended_at,
        books: manifest.books.books,
        notes: &manifest.notes,
    };
    let mut tries = 1;
    loop {
        let entered = ledger.rebuild_run(&run, |rebuilding| {
            tell_run(rebuilding, delivered, manifest)?;
            let size = (fetched.lines, fetched.bytes, fetched.sha256.as_str());
            Ok(rebuilding.delivered(&fetched.path, size, &fetched.etag)?)
        });
        match entered {
            Err(RunError::Destination(failure))
                if failure.cause.is_retried_within_run() && tries < TRIES =>
            {
                tries += 1;
            }
            Err(RunError::Told(why)) => return Err(damaged(&fetched.path, &why).into()),
            entered => return entered.map(drop),
        }
    }
}

/// The run's journal, then its lists, those of ignored requests last.
fn tell_run(
    rebuilding: &mut Rebuilding<'_>,
    delivered: &Delivered<'_>,
    manifest: &Manifest,
) -> Result<(), RunError> {
    let mut lists = Vec::new();
    for list in manifest.journals.iter().chain(&manifest.lists) {
        let Some(kind) = ListKind::of(&list.path) else {
            let why = RebuildFailure::Damaged {
                path: list.path.clone(),
                why: "its manifest names it, and it is of no kind that this release knows"
                    .to_owned(),
            };
            return Err(why.into());
        };
        lists.push((kind, list));
    }
    lists.sort_by_key(|(kind, list)| (*kind, list.path.as_str()));
    let journals = lists.partition_point(|(kind, _)| *kind == ListKind::Journal);
    let (journals, lists) = lists.split_at(journals);
    for (_, list) in journals {
        let etag = delivered.read(list, |line| {
            let entry = serde_json::from_str(line).map_err(|error| error.to_string())?;
            rebuilding.tell(&entry).map_err(sorted)
        })?;
        rebuilding.delivered(
            &list.path,
            (list.lines, list.bytes, list.sha256.as_str()),
            &etag,
        )?;
    }
    rebuilding.take()?;
    for (kind, list) in lists {
        let etag = delivered.read(list, |line| {
            let listed = read_listed(*kind, line).ok_or("it cannot be read")?;
            if *kind == ListKind::CreationFailure {
                return Ok(());
            }
            rebuilding.settle(&listed).map_err(sorted)
        })?;
        rebuilding.delivered(
            &list.path,
            (list.lines, list.bytes, list.sha256.as_str()),
            &etag,
        )?;
    }
    Ok(())
}

/// Why a line was not entered: the ledger's trouble, or its own.
enum LineError {
    Ledger(LedgerError),
    Line(String),
}

impl From<String> for LineError {
    fn from(why: String) -> Self {
        Self::Line(why)
    }
}

impl From<&str> for LineError {
    fn from(why: &str) -> Self {
        Self::Line(why.to_owned())
    }
}

fn sorted(error: RebuildError) -> LineError {
    match error {
        RebuildError::Ledger(error) => LineError::Ledger(error),
        why => LineError::Line(why.to_string()),
    }
}

/// How the process answered for the last run only a later journal would tell;
/// what its manifest says of it is taken instead.
fn answer(ledger: &mut Ledger, task: &TaskConfig, last: &Manifest) -> Result<(), RunError> {
    if last.state == "interrupted" {
        return Ok(());
    }
    let Some(run) = ledger.run_numbered(&task.id, last.run)? else {
        return Ok(());
    };
    let books = last.books.books;
    let tolerated = ledger.note_tolerated(run, &task.tolerate)?;
    let reasons = ExitReason::that_hold([
        (last.notes.begin_cause.is_some(), ExitReason::CouldNotBegin),
        (books.failed > tolerated, ExitReason::Failed),
        (last.notes.rejected > 0, ExitReason::Rejected),
        (books.deferred > 0, ExitReason::Deferred),
    ]);
    let code = ExitReason::most_serious(&reasons).code();
    Ok(ledger.close_run(run, code, &ExitReason::words(&reasons))?)
}
