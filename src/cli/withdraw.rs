//! `nightferry withdraw`.

use std::io::Write;

use super::args::Withdraw;
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::ledger::{Ledger, Selection};
use crate::model::ObjectName;
use crate::run::{RunError, TaskLock};

/// Settles pending requests as withdrawn. Not beside a run, which may be about
/// to carry them.
pub fn withdraw(context: &Context, asked: &Withdraw) -> Outcome {
    let task = context.task(&asked.task)?;
    if !context.ledger_path().exists() {
        return Err(context.ledger().map(|_| ()).map_or_else(
            |error| error,
            |()| Failed::usage("there is no ledger yet, so nothing is pending"),
        ));
    }
    let name = asked
        .name
        .as_deref()
        .map(ObjectName::new)
        .transpose()
        .map_err(|reason| Failed::usage(format!("no object can have that name: {reason}")))?;
    context
        .data_dir
        .prepare([&task.id])
        .map_err(Failed::unusable)?;
    let modes = context.data_dir.modes();
    let _lock =
        TaskLock::take(&context.data_dir.lock(&task.id), modes.file).map_err(RunError::from)?;
    let mut ledger = Ledger::open(&context.ledger_path(), modes.file)?;
    let now = task.zone.local(context.clock.now());
    let key = ledger.enter_task(&task.id, task.zone, task.carry_over_days, now)?;
    // A run whose process died took them too: its books are closed before they change.
    ledger.interrupt_runs(key, now)?;
    let selection = match (&asked.list, &name) {
        (Some(path), _) => Selection::List(path),
        (None, Some(name)) => Selection::Name(name),
        (None, None) => return Err(Failed::usage("name a list or an object")),
    };
    let withdrawn = ledger.withdraw(key, selection, now)?;
    output::write(|out| writeln!(out, "{}: {withdrawn} requests withdrawn", task.id))
}
