//! What a check found, asked for again.

use std::io;

use super::error::CheckError;
use super::{Checked, is_mendable};
use crate::intake::{self, EnqueueTarget, Line};
use crate::ledger::Ledger;
use crate::model::{ETag, Finding, LocalTime, Mend, ObjectName};

/// Names that are kept in one transaction.
const BATCH: usize = 1000;

/// What was asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requeued {
    /// Names in the new list.
    pub names: u64,
    /// Names that were asked for already, and still wait.
    pub waiting: u64,
    /// The new list, from `object_lists/` on; `None`: there was nothing to ask for.
    pub list: Option<String>,
}

/// Asks for what is gone, changed or newer at the source again, by a list in
/// `target`. First the ledger keeps what of it may be replaced: the rule for
/// ignoring would leave what is newer at the destination as it is, and an object
/// that was changed there always is.
///
/// # Errors
/// If the ledger or the list cannot be written. What the ledger keeps by then
/// changes nothing until somebody asks for the name.
pub fn requeue(
    ledger: &mut Ledger,
    checked: &mut Checked,
    target: &EnqueueTarget<'_>,
    now: LocalTime,
) -> Result<Requeued, CheckError> {
    let mut requeued = Requeued {
        names: 0,
        waiting: 0,
        list: None,
    };
    let Some(task) = ledger.find_task(&checked.task)? else {
        return Ok(requeued);
    };
    let mut mends = Vec::with_capacity(BATCH);
    for finding in mendable(checked)? {
        mends.push(mend(&finding?));
        if mends.len() == BATCH {
            ledger.keep_mends(task, &mends, now)?;
            mends.clear();
        }
    }
    ledger.keep_mends(task, &mends, now)?;
    let mut failed = None;
    let names = mendable(checked)?.filter_map(|finding| {
        let name = match finding {
            Ok(finding) => ObjectName::from_checked(finding.name),
            Err(error) => return Some(Err(error)),
        };
        match ledger.is_pending(task, &name) {
            Ok(true) => {
                requeued.waiting += 1;
                None
            }
            Ok(false) => Some(Ok(Line::Name(name))),
            Err(error) => {
                failed = Some(error);
                Some(Err(io::Error::other("the ledger cannot be read")))
            }
        }
    });
    let names = (1..).zip(names).map(|(number, line)| Ok((number, line?)));
    let enqueued = intake::enqueue(names, target, now);
    if let Some(error) = failed {
        return Err(error.into());
    }
    let enqueued = enqueued?;
    requeued.names = enqueued.names;
    requeued.list = enqueued.path;
    Ok(requeued)
}

/// The findings that carrying the name again mends.
fn mendable(
    checked: &mut Checked,
) -> io::Result<impl Iterator<Item = io::Result<Finding>> + use<>> {
    let all = checked.findings.read()?;
    Ok(all.filter(|finding| !matches!(finding, Ok(finding) if !is_mendable(finding.finding))))
}

fn mend(finding: &Finding) -> Mend {
    Mend {
        name: ObjectName::from_checked(finding.name.clone()),
        finding: finding.finding,
        replaces: finding.destination_etag.as_deref().map(ETag::new),
    }
}
