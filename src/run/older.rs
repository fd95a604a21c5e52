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
/// destination: a restored backup, a new one, or a second one, which may read another
/// source. One listing request, however long the history is, and one more for each
/// other pair of buckets that the task once had. Answers why it could not be told, if
/// it could not; then nothing must be delivered.
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
    let mut after = ledger.last_manifest(&task.id, &runs)?;
    loop {
        let start = after.as_ref().map(|path| format!("{root}{path}"));
        let (asked, prefix) = (destination.clone(), format!("{root}manifests/"));
        let list = move || tried(|| asked.list(&prefix, start.as_deref(), None, PAGE));
        let page = match signal.unless_urgent(list) {
            Ok(Ok(page)) => page,
            Ok(Err(failure)) => return Ok(Some(as_begin_failure(failure))),
            Err(not_waited) => {
                let message = format!("the list of delivered manifests: {not_waited}");
                return Ok(Some(Failure::new(FailureCause::Internal, message)));
            }
        };
        let mut beyond = None;
        for object in page.objects {
            let path = object.name.strip_prefix(&root).unwrap_or(&object.name);
            let Some((run_name, number)) = manifest_of(path) else {
                continue;
            };
            if !ledger.knows_run(&task.id, number, run_name)? {
                return Err(RunError::OlderLedger {
                    ledger: ledger.path().to_owned(),
                    manifest: object.name,
                });
            }
            // Of a history that is known only the end is of interest.
            let newest = ledger.last_manifest(&task.id, buckets_of(run_name))?;
            beyond = newest.filter(|newest| newest.as_str() > path);
            if beyond.is_some() {
                break;
            }
        }
        if beyond.is_none() {
            return Ok(None);
        }
        after = beyond;
    }
}

/// How the names of all runs between the same two buckets begin.
fn buckets_of(run_name: &str) -> &str {
    run_name
        .rfind('-')
        .map_or(run_name, |hyphen| &run_name[..=hyphen])
}
