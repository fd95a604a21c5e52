//! May archived objects be brought back?

use super::{Check, Verdict, canary_name, tried};
use crate::model::{Archive, FailureCause, RestoreOrder, TaskId};
use crate::s3::Bucket;

/// Whether the source's key may have archived objects brought back. A name is asked for
/// that cannot be there, so nothing is: that it is missing is an answer that only those
/// get who may.
#[must_use]
pub fn check_restore(task: &TaskId, source: &Bucket, order: RestoreOrder) -> Check {
    let canary = canary_name(task);
    let asked = tried(|| source.restore(&canary, Archive::Class, order));
    let verdict = match asked {
        Ok(_) => Verdict::Passed(MAY.to_owned()),
        Err(failure) => match failure.cause {
            FailureCause::SourceMissing | FailureCause::SourceArchived => {
                Verdict::Passed(MAY.to_owned())
            }
            _ => Verdict::Note(failure.message),
        },
    };
    Check {
        subject: "source restore",
        verdict,
    }
}

const MAY: &str = "archived objects can be brought back";
