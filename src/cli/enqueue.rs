//! `nightferry enqueue`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::args::Enqueue;
use super::failure::{Failed, Outcome};
use super::from_source::from_source;
use super::{Context, output, shown};
use crate::config::ListEncoding;
use crate::intake::{
    self, EnqueueError, EnqueueTarget, NameForm, names_in_arguments, names_in_lines,
};
use crate::report::text::counted;

/// Writes the names into a new list, all of them or none.
pub fn enqueue(context: &Context, asked: &Enqueue) -> Outcome {
    let task = context.task(&asked.task)?;
    if !asked.by_listing.dry_run {
        context
            .data_dir
            .prepare([&task.id])
            .map_err(Failed::unusable)?;
    }
    let modes = context.data_dir.modes();
    let folder = context.data_dir.task(&task.id);
    let target = EnqueueTarget {
        task_folder: &folder,
        file_mode: modes.file,
        folder_mode: modes.inbox,
    };
    if asked.by_listing.from_source {
        return from_source(context, &asked.by_listing, task, &target);
    }
    let form = NameForm {
        encoding: if asked.url {
            ListEncoding::Url
        } else {
            ListEncoding::Plain
        },
        destination_prefix: task.destination_prefix.clone(),
    };
    let now = task.zone.local(context.clock.now());
    let enqueued = if let Some(path) = &asked.file {
        intake::enqueue(names_in_lines(open(path)?, form), &target, now)
    } else {
        let names = asked.names.iter().map(|name| name.as_bytes());
        intake::enqueue(names_in_arguments(names, form), &target, now)
    };
    match enqueued {
        Ok(enqueued) => output::write(|out| match &enqueued.path {
            Some(path) => writeln!(
                out,
                "{}: {} in {path}",
                task.id,
                counted(enqueued.names, "name")
            ),
            None => writeln!(out, "{}: no names, so no list was written", task.id),
        }),
        Err(error) => Err(refuse(error)),
    }
}

/// A file of names; `-` is stdin.
fn open(path: &Path) -> Result<Box<dyn Read>, Failed> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| {
        Failed::usage(format!(
            "cannot read {}: {error}; nothing was enqueued",
            shown(path)
        ))
    })?;
    Ok(Box::new(file))
}

fn refuse(error: EnqueueError) -> Failed {
    if let EnqueueError::Invalid { shown, .. } = &error {
        for name in shown {
            let (number, reason, excerpt) = (name.number, name.reason, &name.excerpt);
            tracing::error!(target: super::log::DETAIL, "name {number}: {reason} {excerpt}");
        }
        return Failed::usage(error.to_string());
    }
    Failed::unexpected(error)
}
