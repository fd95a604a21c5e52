//! `nightferry enqueue --from-source`.

use std::io::{IsTerminal, Write};

use chrono::{DateTime, NaiveDate};

use super::args::{ByListing, LogFormat};
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::config::TaskConfig;
use crate::intake::EnqueueTarget;
use crate::model::{Timestamp, Zone};
use crate::report::hints::rejection;
use crate::report::text::{counted, thousands};
use crate::run::{
    Comparison, Display, Engine, Options, RunError, Scope, StopSignal, enqueue_from_source,
};

/// Lists both ends and asks for what the destination lacks.
pub(super) fn from_source(
    context: &Context,
    asked: &ByListing,
    task: &TaskConfig,
    target: &EnqueueTarget<'_>,
) -> Outcome {
    let since = asked.since.as_deref();
    let scope = Scope {
        prefix: asked.prefix.as_deref().unwrap_or(""),
        since: since.map(|text| instant(text, task.zone)).transpose()?,
    };
    let signal = StopSignal::listen().map_err(RunError::Signals)?;
    let has_bar = std::io::stderr().is_terminal() && context.log_format == LogFormat::Text;
    let display = if has_bar && !context.quiet {
        Display::Bar
    } else {
        Display::Quiet
    };
    let options = Options {
        display,
        ..Options::default()
    };
    let engine = Engine::new(&context.config, context.clock.clone(), signal, options)?;
    let target = (!asked.dry_run).then_some(target);
    let found = enqueue_from_source(&engine, task, scope, target)?;
    say_invalid(&found);
    if asked.json {
        let json = serde_json::to_string_pretty(&[&found]).map_err(Failed::unexpected)?;
        output::write(|out| writeln!(out, "{json}"))?;
    } else {
        output::write(|out| write(asked, &found, out))?;
    }
    Ok(found.exit_reason())
}

fn write(asked: &ByListing, found: &Comparison, out: &mut output::Stdout) -> std::io::Result<()> {
    let task = &found.task;
    write!(out, "{task}: {found}")?;
    match &found.list {
        Some(list) => writeln!(out, "{task}: {} in {list}", counted(found.names, "name")),
        None if asked.dry_run => Ok(()),
        None => writeln!(out, "{task}: no names, so no list was written"),
    }
}

/// Names that cannot be requests do not keep the others from being asked for.
fn say_invalid(found: &Comparison) {
    for (excerpt, reason) in &found.examples {
        tracing::warn!(
            "not asked for: {excerpt} ({reason}): {}",
            rejection(*reason)
        );
    }
    let shown = found.examples.len() as u64;
    if found.invalid > shown {
        let more = thousands((found.invalid - shown).cast_signed());
        tracing::warn!("and {more} more names that cannot be requests");
    }
}

/// The beginning of a day in the task's zone, or an instant.
fn instant(text: &str, zone: Zone) -> Result<Timestamp, Failed> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(zone.begin_of_day(day));
    }
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| {
        Failed::usage(format!(
            "--since {text:?} is no day and no time; write one such as 2026-11-01 or 2026-11-01T06:00:00+08:00"
        ))
    })?;
    Ok(instant.to_utc().into())
}
