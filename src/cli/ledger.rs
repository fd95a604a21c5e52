//! `nightferry ledger`: check, backup, restore, prune and rebuild.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::{LedgerCommand, Prune, Restore};
use super::failure::{Failed, Outcome};
use super::{Context, output, rebuild, shown};
use crate::backup::{self, FolderStore};
use crate::config::BackupConfig;
use crate::exit::ExitReason;
use crate::ledger::{Cell, Filter, Ledger, View};
use crate::model::Zone;
use crate::report::text::counted;
use crate::run::{self, RunError, TaskLock, backup_store};

/// Looks after the ledger.
pub fn ledger(context: &Context, asked: &LedgerCommand) -> Outcome {
    match asked {
        LedgerCommand::Restore(asked) => restore(context, asked),
        LedgerCommand::Rebuild(asked) => rebuild::rebuild(context, asked),
        LedgerCommand::Check => {
            let ledger = context.ledger()?;
            let problems = ledger.check()?;
            output::write(|out| {
                for problem in &problems {
                    writeln!(out, "{problem}")?;
                }
                if problems.is_empty() {
                    writeln!(
                        out,
                        "{}: whole, and the books balance",
                        shown(&context.ledger_path())
                    )?;
                }
                Ok(())
            })?;
            Ok(if problems.is_empty() {
                ExitReason::Done
            } else {
                ExitReason::Unbalanced
            })
        }
        LedgerCommand::Backup { path: Some(path) } => {
            context
                .ledger()?
                .back_up(path, context.data_dir.modes().file)?;
            output::write(|out| writeln!(out, "{}", shown(path)))
        }
        LedgerCommand::Backup { path: None } => back_up(context),
        LedgerCommand::Prune(asked) => prune(context, asked),
    }
}

/// Takes away the detail of past months.
fn prune(context: &Context, asked: &Prune) -> Outcome {
    let this = Zone::UTC.local(context.clock.now()).month();
    let kept = asked.keep_months.unwrap_or(0);
    let before = asked
        .before
        .unwrap_or_else(|| (0..kept).fold(this, |month, _| month.previous()));
    if before > this {
        return Err(Failed::usage(format!(
            "{before} has not begun; the last month that can be kept alone is {this}"
        )));
    }
    let there = context.ledger()?;
    if asked.rehearse {
        let requests = there.prunable(before)?;
        return output::write(|out| {
            writeln!(
                out,
                "would take away {} settled before {before}",
                counted(requests, "request")
            )
        });
    }
    drop(there);
    let mut ledger = Ledger::open(&context.ledger_path(), context.data_dir.modes().file)?;
    let pruned = ledger.prune(before)?;
    output::write(|out| {
        writeln!(
            out,
            "took away {} settled before {before}, and {}; all figures stay",
            counted(pruned.requests, "request"),
            counted(pruned.rejected, "rejected line")
        )
    })
}

/// Copies the ledger to where the configuration wants copies.
fn back_up(context: &Context) -> Outcome {
    let config = backup_config(context)?;
    let report = run::back_up(config, &context.data_dir, &context.clock);
    for note in &report.notes {
        tracing::warn!("{note}");
    }
    for problem in &report.problems {
        tracing::error!("no backup of the ledger was made: {problem}");
    }
    output::write(|out| {
        for stored in &report.stored {
            writeln!(out, "{stored}")?;
        }
        if report.stored.is_empty() && report.problems.is_empty() {
            writeln!(out, "the newest backup holds all that the ledger does")?;
        }
        Ok(())
    })?;
    Ok(if report.problems.is_empty() {
        ExitReason::Done
    } else {
        ExitReason::Unexpected
    })
}

fn backup_config(context: &Context) -> Result<&BackupConfig, Failed> {
    context.config.backup.as_ref().ok_or_else(|| {
        Failed::usage(format!(
            "{} has no section [backup]; add one, or name a file",
            shown(&context.config.path)
        ))
    })
}

/// Puts a backup in place of the ledger.
fn restore(context: &Context, asked: &Restore) -> Outcome {
    let tasks = context.config.tasks.iter().map(|task| &task.id);
    context.data_dir.prepare(tasks).map_err(Failed::unusable)?;
    let _locks = lock_all(context)?;
    // Lives until the copy in it has found its place.
    let fetched = tempfile::Builder::new()
        .prefix(backup::SCRATCH)
        .tempdir_in(context.data_dir.root())?;
    let from = match (&asked.path, &asked.from_bucket) {
        (Some(path), _) if path.is_dir() => {
            let store = FolderStore {
                folder: path,
                keep: 0,
                file_mode: context.data_dir.modes().file,
            };
            store.find(None)?
        }
        (Some(path), _) => path.clone(),
        (None, name) => {
            let to = fetched.path().join("fetched.sqlite");
            fetch(context, name.as_ref().and_then(|name| name.as_deref()), &to)?;
            to
        }
    };
    let stamp = Zone::UTC.local(context.clock.now()).stamp();
    let place = context.ledger_path();
    let kept = Ledger::restore(&from, &place, &stamp, context.data_dir.modes().file)?;
    let ledger = Ledger::open(&place, context.data_dir.modes().file)?;
    say_restored(&ledger, kept.as_deref())
}

/// The locks of all tasks: no run is at work while they are held.
pub(super) fn lock_all(context: &Context) -> Result<Vec<TaskLock>, Failed> {
    let mode = context.data_dir.modes().file;
    let tasks = context.config.tasks.iter();
    let mut paths: BTreeSet<PathBuf> = tasks.map(|task| context.data_dir.lock(&task.id)).collect();
    // Tasks that the configuration no longer has may be run by an older one.
    // The lock of backups is among them too.
    paths.insert(context.data_dir.backup_lock());
    paths.extend(context.data_dir.locks()?);
    let locks = paths.iter().map(|path| TaskLock::take(path, mode));
    let locks: Result<Vec<_>, _> = locks.collect();
    locks.map_err(|error| RunError::from(error).into())
}

/// Fetches a copy from the backup bucket.
fn fetch(context: &Context, name: Option<&str>, to: &Path) -> Result<(), Failed> {
    let config = backup_config(context)?;
    let bucket = config.bucket.as_ref().ok_or_else(|| {
        Failed::usage(format!(
            "{} has no section [backup.bucket]",
            shown(&context.config.path)
        ))
    })?;
    let store = backup_store(bucket, config.keep, &context.clock)?;
    let name = store.fetch(name, to)?;
    tracing::info!("fetched {name}");
    Ok(())
}

/// What the ledger now knows, and what to do next.
fn say_restored(ledger: &Ledger, kept: Option<&Path>) -> Outcome {
    let columns = ["task", "run", "started_at_local"];
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    ledger.for_each_row::<Failed>(View::RunHistory, &columns, &Filter::default(), |cells| {
        if let [Cell::Text(task), Cell::Integer(run), Cell::Text(at)] = cells.as_slice() {
            last.insert(task.clone(), format!("run {run}, begun {at}"));
        }
        Ok(())
    })?;
    output::write(|out| {
        writeln!(out, "{}: restored", shown(ledger.path()))?;
        if let Some(kept) = kept {
            writeln!(out, "  the one before is kept as {}", shown(kept))?;
        }
        for known in ledger.known_tasks().unwrap_or_default() {
            let id = known.id.as_str();
            let run = last.get(id).map_or("no run", String::as_str);
            writeln!(out, "  {id}: the last it knows is {run}")?;
        }
        writeln!(
            out,
            "What later runs did is not in it: `nightferry ledger check` counts it through,\n\
             `nightferry run --dry-run` shows what the next night would take. A run refuses it\n\
             while the destination has lists of later runs: `nightferry ledger rebuild\n\
             --replace` makes one out of those."
        )
    })
}
