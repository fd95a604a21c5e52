//! `nightferry withdraw`.

use std::io::Write;
use std::thread;

use super::args::Withdraw;
use super::failure::{Failed, Outcome};
use super::resting::RestingTask;
use super::{Context, output};
use crate::config::TaskConfig;
use crate::intake::{self, IntakeSettings, LocalLists, NameForm};
use crate::ledger::{Ledger, Selection, TaskKey};
use crate::model::ObjectName;
use crate::report::text::counted;
use crate::run::RunError;

/// Settles pending requests as withdrawn; those in lists that no run has loaded
/// yet too, so what was just enqueued can be taken back. Not beside a run, which
/// may be about to carry them.
pub fn withdraw(context: &Context, asked: &Withdraw) -> Outcome {
    let task = context.task(&asked.task)?;
    let name = asked
        .name
        .as_deref()
        .map(ObjectName::new)
        .transpose()
        .map_err(|reason| Failed::usage(format!("no object can have that name: {reason}")))?;
    let mut resting = RestingTask::take(context, task)?;
    let (ledger, key) = (&mut resting.ledger, resting.key);
    take_in(context, task, key, ledger)?;
    let selection = match (&asked.list, &name) {
        (Some(path), _) => Selection::List(path),
        (None, Some(name)) => Selection::Name(name),
        (None, None) => return Err(Failed::usage("name a list or an object")),
    };
    if let Selection::List(path) = selection
        && !ledger.knows_list(key, path)?
    {
        return Err(Failed::usage(format!(
            "task `{}` has no list `{path}`; `nightferry lists` shows their paths",
            task.id
        )));
    }
    let withdrawn = ledger.withdraw(key, selection, resting.now)?;
    if let (0, Some(name)) = (withdrawn, &asked.name) {
        tracing::warn!(
            task = %task.id,
            "no request for {name:?} is pending; `nightferry why` tells what became of a name"
        );
    }
    let withdrawn = counted(withdrawn, "request");
    output::write(|out| writeln!(out, "{}: {withdrawn} withdrawn", task.id))
}

fn take_in(
    context: &Context,
    task: &TaskConfig,
    key: TaskKey,
    ledger: &mut Ledger,
) -> Result<(), Failed> {
    let local = LocalLists::new(&context.data_dir.task(&task.id));
    let settings = IntakeSettings {
        form: NameForm::of(task),
        zone: task.zone,
        clock: &context.clock,
        wait: &thread::sleep,
    };
    let intake = intake::take_in(ledger, key, &[&local], &settings).map_err(RunError::from)?;
    for problem in &intake.seen.problems {
        tracing::error!(task = %task.id, "{problem}");
    }
    Ok(())
}
