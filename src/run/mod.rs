//! The night: for each task intake, preflight, transfer, lists and delivery.

mod answers;
mod awaiting;
mod backup;
mod breaker;
mod bucket_lists;
mod check;
mod closing;
mod compare;
mod conveyor;
mod deep;
mod deliver;
mod ending;
mod engine;
mod error;
mod from_source;
mod in_one_piece;
mod in_parts;
mod listed;
mod loading;
mod lock;
mod looking;
mod names;
mod night;
mod older;
mod outbox;
mod pages;
mod post;
mod probe;
mod progress;
mod rebuild;
mod rehearse;
mod rule;
mod share;
mod spot;
mod stop;
mod stretches;
mod trial;
mod tuner;
mod turns;
mod verify;
mod voyage;
mod watch;

pub use backup::{BackupReport, back_up, backup_store};
pub use bucket_lists::BucketLists;
pub use check::{CheckError, Checked, Requeued, check_task, requeue};
pub use deep::{DeepCheck, check_deep};
pub use deliver::DeliveryReport;
pub use engine::{Ends, Engine, Options, ends, http_client};
pub use error::RunError;
pub use from_source::{Comparison, FromSourceError, Scope, enqueue_from_source};
pub use lock::{LockError, TaskLock};
pub use night::{NightReport, run_task};
pub use older::refuse_older;
pub use post::{Post, PostReport};
pub use progress::Display;
pub use rebuild::{RebuildFailure, Rebuilt, RebuiltTask, Target, rebuild};
pub use rehearse::{Rehearsal, rehearse};
pub use share::{Share, TaskShare};
pub use stop::{NotWaited, Stop, StopSignal};
pub use turns::{TaskEnd, run_tasks};
pub use verify::{ListState, VerifiedList, verify_run};
pub use watch::Watch;

use crate::config::TaskConfig;
use crate::transfer::{Limits, ServerSide};

/// How the memory for buffers is cut: several parts must fit at once, and none
/// takes more than a quarter.
fn limits(memory_bytes: u64) -> Limits {
    const MIB: u64 = 1024 * 1024;
    let part_bytes = (memory_bytes / 12).clamp(5 * MIB, 16 * MIB);
    Limits {
        part_bytes,
        multipart_above_bytes: part_bytes,
        share_bytes: (memory_bytes / 4).max(part_bytes),
    }
}

/// Whether the server of `task` is asked to copy by itself.
fn server_side(task: &TaskConfig) -> ServerSide {
    if task.may_copy_server_side() {
        ServerSide::auto()
    } else {
        ServerSide::never()
    }
}
