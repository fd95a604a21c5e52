//! Is the ledger as new as what was delivered?

use crate::config::TaskConfig;
use crate::ledger::Ledger;
use crate::model::{Failure, FailureCause};
use crate::preflight::{as_begin_failure, tried};
use crate::report::manifest_of;
use crate::s3::Bucket;

use super::error::RunError;
use super::stop::StopSignal;

/// Manifests looked at: those after the last one that the ledger knows, of which
/// there should be none.
const PAGE: u16 = 1000;

/// Refuses a ledger that does not know the newest manifests of `task` in the
/// destination: a restored backup, or a new one. One listing request, however
/// long the history is. Answers why it could not be told, if it could not; then
/// nothing must be delivered.
///
/// # Errors
/// [`RunError::OlderLedger`], or if the ledger cannot be read.
pub fn refuse_older(
    ledger: &Ledger,
    task: &TaskConfig,
    destination: &Bucket,
    signal: &StopSignal,
) -> Result<Option<Failure>, RunError> {
    let root = task.id.prefix();
    let runs = format!("{}-{}-", task.source.bucket, task.destination.bucket);
    let known = ledger.last_manifest(&task.id, &runs)?;
    let after = known.map(|path| format!("{root}{path}"));
    let prefix = format!("{root}manifests/{runs}");
    let asked = destination.clone();
    let list = move || tried(|| asked.list(&prefix, after.as_deref(), None, PAGE));
    let page = match signal.unless_urgent(list) {
        Ok(Ok(page)) => page,
        Ok(Err(failure)) => return Ok(Some(as_begin_failure(failure))),
        Err(not_waited) => {
            let message = format!("the list of delivered manifests: {not_waited}");
            return Ok(Some(Failure::new(FailureCause::Internal, message)));
        }
    };
    for object in page.objects {
        let path = object.name.strip_prefix(&root).unwrap_or(&object.name);
        if let Some((run_name, number)) = manifest_of(path)
            && !ledger.knows_run(&task.id, number, run_name)?
            && is_of(run_name, &runs)
        {
            return Err(RunError::OlderLedger {
                ledger: ledger.path().to_owned(),
                manifest: object.name,
            });
        }
    }
    Ok(None)
}

/// Whether the run is between the same two buckets, and not between one and
/// another whose name only begins alike.
fn is_of(run_name: &str, runs: &str) -> bool {
    run_name
        .strip_prefix(runs)
        .is_some_and(|stamp| !stamp.contains('-'))
}
