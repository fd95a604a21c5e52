//! `nightferry doctor`.

use std::io::Write;

use super::args::Tasks;
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::backup::FolderStore;
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::intake::{Found, ListSource, LocalLists};
use crate::ledger::Ledger;
use crate::model::FailureCause;
use crate::preflight::{
    Access, Check, Verdict, Wanted, check_lists, check_restore, first_failure, preflight,
};
use crate::report::hints::hint;
use crate::report::text::{counted, visible};
use crate::run::{
    Post, RunError, StopSignal, Watch, backup_store, ends, http_client, refuse_older,
};
use crate::s3::Bucket;
use crate::serve;

/// Checks everything that a run needs; says each thing on a line of its own.
pub fn doctor(context: &Context, selected: &Tasks) -> Outcome {
    let http = http_client(&context.config, 2).map_err(RunError::from)?;
    let mut reasons = Vec::new();
    let mut lines = ledger_lines(context, &mut reasons);
    lines.extend(backup_lines(context, &mut reasons));
    lines.extend(serve_line(context, &mut reasons));
    // A night is as good without them, so they are no problem of it.
    lines.extend(
        Watch::check(&context.config)
            .into_iter()
            .map(|(watcher, seen)| match seen {
                Ok(seen) => row("ok", "", watcher, &seen),
                Err(problem) => row("note", "", watcher, &problem),
            }),
    );
    for task in context.tasks(&selected.tasks)? {
        // Without a data directory there is no folder of lists to look into.
        if context.data_dir.object_lists(&task.id).exists() {
            lines.push(lists_line(context, task, &mut reasons));
        }
        match ends(&http, task, &context.clock) {
            Ok(ends) => {
                let mut checks = preflight(
                    &task.id,
                    &ends.source,
                    &ends.destination,
                    Access::Write,
                    Wanted {
                        checksum: task.checksum,
                        write_options: &task.write_options,
                    },
                );
                if let Some(order) = task.restore.filter(|_| first_failure(&checks).is_none()) {
                    checks.push(check_restore(&task.id, &ends.source, order));
                }
                lines.extend(checks.iter().map(|check| line(task, check, &mut reasons)));
                lines.extend(lists_lines(task, &ends.lists, &mut reasons));
                lines.extend(age_line(context, task, &ends.lists, &mut reasons));
            }
            Err(error) => {
                reasons.push(error.exit_reason());
                lines.push(row(
                    "PROBLEM",
                    task.id.as_str(),
                    "credentials",
                    &error.to_string(),
                ));
            }
        }
    }
    lines.extend(mail_line(context, &mut reasons)?);
    output::write(|out| {
        for line in lines {
            writeln!(out, "{line}")?;
        }
        Ok(())
    })?;
    Ok(ExitReason::most_serious(&reasons))
}

/// Whether lists can be delivered to a task's place for them; nothing if the other
/// checks say it, for copies lie behind no prefix.
fn lists_lines(task: &TaskConfig, lists: &Bucket, reasons: &mut Vec<ExitReason>) -> Vec<String> {
    if !task.deliver_lists || task.destination_prefix.is_empty() {
        return Vec::new();
    }
    let [listed, written] = check_lists(&task.id, lists);
    let mut refused = Vec::new();
    let lines = vec![
        line(task, &listed, reasons),
        line(task, &written, &mut refused),
    ];
    // A night is carried all the same, and its lists are owed.
    reasons.extend(refused.first().map(|_| ExitReason::Owed));
    lines
}

/// Whether the ledger knows the newest lists in the destination; nothing if that
/// cannot be told, for which another line has the reason.
fn age_line(
    context: &Context,
    task: &TaskConfig,
    destination: &Bucket,
    reasons: &mut Vec<ExitReason>,
) -> Option<String> {
    let ledger = Ledger::open_read_only(&context.ledger_path()).ok()?;
    let refused = task
        .deliver_lists
        .then(|| refuse_older(&ledger, task, destination, &StopSignal::default()))?;
    let known = "knows the newest lists in the destination";
    match refused {
        Ok(None) => Some(row("ok", task.id.as_str(), "ledger", known)),
        Ok(Some(_)) => None,
        Err(error) => {
            reasons.push(error.exit_reason());
            let said = error.to_string();
            Some(row("PROBLEM", task.id.as_str(), "ledger", &said))
        }
    }
}

/// Whether the mail server would take mails; none is sent.
fn mail_line(context: &Context, reasons: &mut Vec<ExitReason>) -> Result<Option<String>, Failed> {
    let Some(config) = &context.config.mail else {
        return Ok(None);
    };
    let signal = StopSignal::listen().map_err(RunError::Signals)?;
    let signal = &signal;
    Ok(Some(match (Post { config, signal }).check() {
        Ok(()) => {
            let login = if config.login.is_some() {
                " and takes the login"
            } else {
                ""
            };
            let said = format!("{}:{} answers{login}", config.server, config.port);
            row("ok", "", "mail", &said)
        }
        Err(problem) => {
            reasons.push(ExitReason::Owed);
            row("PROBLEM", "", "mail", &problem)
        }
    }))
}

fn line(task: &TaskConfig, check: &Check, reasons: &mut Vec<ExitReason>) -> String {
    let (config, task) = (task, task.id.as_str());
    match &check.verdict {
        Verdict::Passed(seen) => row("ok", task, check.subject, seen),
        Verdict::Note(note) => row("note", task, check.subject, note),
        Verdict::Failed(failure) => {
            reasons.push(ExitReason::CouldNotBegin);
            let message = failure.message.trim_end_matches('.');
            let hint = remedy(config, check.subject, failure.cause);
            let said = format!("{}: {message}. {hint}", failure.cause);
            row("PROBLEM", task, check.subject, &said)
        }
    }
}

/// What to do about a failed check: which right is missing on what, where it is one.
fn remedy(task: &TaskConfig, subject: &str, cause: FailureCause) -> String {
    let (source, destination) = (&task.source.bucket, &task.destination.bucket);
    let right = match subject {
        "source list" => format!("the source key s3:ListBucket on {source}"),
        "source read" => format!("the source key s3:GetObject on {source}/*"),
        "destination list" => format!("the destination key s3:ListBucket on {destination}"),
        "destination write" => format!("the destination key s3:PutObject on {destination}/*"),
        "destination read" => format!("the destination key s3:GetObject on {destination}/*"),
        _ => String::new(),
    };
    if cause == FailureCause::PermissionMissing && !right.is_empty() {
        format!("Allow {right}.")
    } else {
        hint(cause).to_owned()
    }
}

fn row(verdict: &str, task: &str, subject: &str, said: &str) -> String {
    format!("{verdict:8} {task:12} {subject:22} {}", visible(said))
}

/// The data directory and the ledger in it. Nothing is made.
fn ledger_lines(context: &Context, reasons: &mut Vec<ExitReason>) -> Vec<String> {
    let data_dir = &context.data_dir;
    let root = data_dir.root().display();
    if let Err(error) = data_dir.can_begin() {
        reasons.push(ExitReason::Unusable);
        return vec![row("PROBLEM", "", "data directory", &error.to_string())];
    }
    if !data_dir.root().exists() {
        let said = format!("{root} is not there yet; the first run makes it");
        return vec![row("ok", "", "data directory", &said)];
    }
    let mut lines = Vec::new();
    if data_dir.is_open_to_all() {
        let mode = if context.config.group.is_some() {
            "2750"
        } else {
            "700"
        };
        let said = format!("{root} can be looked into by everybody; run chmod {mode} on it");
        lines.push(row("note", "", "data directory", &said));
    }
    if let Err(error) = can_hold_more(context) {
        reasons.push(ExitReason::Unexpected);
        let said = format!("cannot be written: {error}; make room, or correct who may write there");
        lines.push(row("PROBLEM", "", "data directory", &said));
        return lines;
    }
    let path = context.ledger_path();
    let shown = path.display();
    if !path.exists() {
        lines.push(if data_dir.has_lost_its_ledger() {
            let said = format!(
                "{shown} is not there any more: the next run begins a new one; if the old one is \
                 lost, restore a backup (`nightferry ledger restore`), or make it again from the \
                 delivered lists (`nightferry ledger rebuild --replace`)"
            );
            row("note", "", "ledger", &said)
        } else {
            let said = format!("{shown} is not there yet; the first run makes it");
            row("ok", "", "ledger", &said)
        });
        return lines;
    }
    lines.push(
        match Ledger::open(&path, data_dir.modes().file).and_then(Ledger::is_writable) {
            Ok(()) => row(
                "ok",
                "",
                "ledger",
                &format!("{shown} can be read and written"),
            ),
            Err(error) => {
                let failed: Failed = error.into();
                reasons.push(failed.reason);
                row("PROBLEM", "", "ledger", &failed.to_string())
            }
        },
    );
    lines
}

/// Whether backups can be kept where the configuration wants them; none is made.
fn backup_lines(context: &Context, reasons: &mut Vec<ExitReason>) -> Vec<String> {
    let Some(config) = &context.config.backup else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let mut line = |seen: Result<String, String>| {
        lines.push(match seen {
            Ok(seen) => row("ok", "", "backup", &seen),
            Err(problem) => {
                reasons.push(ExitReason::Owed);
                row("PROBLEM", "", "backup", &problem)
            }
        });
    };
    if let Some(folder) = &config.path {
        let store = FolderStore {
            folder,
            keep: config.keep,
            file_mode: context.data_dir.modes().file,
        };
        let seen = store.check().map_err(|error| error.to_string());
        line(seen.map(|()| format!("{} can be read and written", folder.display())));
    }
    if let Some(bucket) = &config.bucket {
        let store = backup_store(bucket, config.keep, &context.clock);
        let seen = store.and_then(|store| store.check().map_err(RunError::from));
        let seen = seen.map_err(|error| error.to_string());
        line(seen.map(|()| format!("the bucket {} can be listed", bucket.end.bucket)));
    }
    lines
}

/// Whether what `[serve]` names could be used; it is not begun.
fn serve_line(context: &Context, reasons: &mut Vec<ExitReason>) -> Option<String> {
    let config = context.config.serve.as_ref()?;
    Some(match serve::check(config) {
        Ok(()) => row("ok", "", "serve", "its files and keys can be read"),
        Err(error) => {
            reasons.push(ExitReason::Unusable);
            row("PROBLEM", "", "serve", &error.to_string())
        }
    })
}

fn lists_line(context: &Context, task: &TaskConfig, reasons: &mut Vec<ExitReason>) -> String {
    let source = LocalLists::new(&context.data_dir.task(&task.id));
    let mut lists = 0_u64;
    let mut problems = Vec::new();
    for found in source.walk() {
        match found {
            Found::List { path, .. } => match source.open(&path) {
                Ok(_) => lists += 1,
                Err(error) => problems.push(format!("{path}: {error}")),
            },
            Found::PassedOver(_) => {}
            Found::Unreadable(problem) => problems.push(problem.to_string()),
        }
    }
    if problems.is_empty() {
        row(
            "ok",
            task.id.as_str(),
            "lists",
            &format!("{} can be read", counted(lists, "list")),
        )
    } else {
        reasons.push(ExitReason::Unexpected);
        row("PROBLEM", task.id.as_str(), "lists", &problems.join("; "))
    }
}

/// Writes a little to the data directory and takes it away again: a full disk
/// shows only then.
fn can_hold_more(context: &Context) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(context.data_dir.root())?;
    file.write_all(&vec![0; 64 * 1024])?;
    file.as_file().sync_all()
}
