//! Delivered lists against their manifest and the ledger.

use std::io::Read;

use sha2::{Digest, Sha256};

use super::error::RunError;
use crate::data_dir::Modes;
use crate::exit::ExitReason;
use crate::ledger::{Ledger, RunKey};
use crate::model::{Failure, TaskId};
use crate::report::{ListFile, ReportError, write_run};
use crate::s3::{Bucket, GetOptions};

/// How a delivered file compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ListState {
    /// The same bytes as the ledger makes.
    Same,
    /// Not in the bucket.
    Missing,
    /// Other bytes.
    Different,
}

impl ListState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Missing => "missing",
            Self::Different => "different",
        }
    }

    /// What it means for the exit code: a missing list is owed, a different
    /// one contradicts the books.
    #[must_use]
    pub const fn exit_reason(self) -> ExitReason {
        match self {
            Self::Same => ExitReason::Done,
            Self::Missing => ExitReason::Owed,
            Self::Different => ExitReason::Unbalanced,
        }
    }
}

/// One delivered file, compared.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct VerifiedList {
    /// The task.
    pub task: String,
    /// The run's number.
    pub run: u64,
    /// The file's path under the task's prefix.
    pub path: String,
    /// How it compares.
    pub state: ListState,
    /// SHA-256 as the ledger makes the file.
    pub sha256: String,
}

/// Makes the lists and the manifest of `run` again from the ledger and compares
/// each with what the destination bucket holds. The manifest, made from the
/// ledger too, states the lists' hashes; so all three are compared. Of a run
/// whose detail was pruned, the hashes of what was delivered are compared.
///
/// # Errors
/// If the ledger cannot be read, or the bucket does not answer.
pub fn verify_run(
    ledger: &Ledger,
    run: RunKey,
    number: u64,
    task: &TaskId,
    destination: &Bucket,
) -> Result<Vec<VerifiedList>, RunError> {
    let files = files_of(ledger, run)?;
    files
        .into_iter()
        .map(|file| {
            let state = compare(task, &file, destination).map_err(RunError::Destination)?;
            let ListFile { path, sha256, .. } = file;
            Ok(VerifiedList {
                task: task.to_string(),
                run: number,
                path,
                state,
                sha256,
            })
        })
        .collect()
}

/// The lists of the run and last its manifest, as they must be.
fn files_of(ledger: &Ledger, run: RunKey) -> Result<Vec<ListFile>, RunError> {
    if ledger.is_pruned(run)? {
        let kept = ledger.deliverables(run)?.into_iter();
        return Ok(kept
            .map(|file| ListFile {
                path: file.path,
                lines: file.lines,
                bytes: file.bytes,
                sha256: file.sha256,
            })
            .collect());
    }
    let folder =
        tempfile::tempdir().map_err(|error| RunError::Report(ReportError::Output(error)))?;
    Ok(write_run(ledger, run, folder.path(), Modes::PRIVATE)?)
}

fn compare(task: &TaskId, file: &ListFile, destination: &Bucket) -> Result<ListState, Failure> {
    let name = format!("{}{}", task.prefix(), file.path);
    let Some(head) = destination.head(&name)? else {
        return Ok(ListState::Missing);
    };
    if head.facts.size_bytes != file.bytes {
        return Ok(ListState::Different);
    }
    let mut body = destination.get(&name, GetOptions::default())?.body;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = body.read(&mut buffer).map_err(|error| {
            let message = format!("reading {name} from the destination: {error}");
            Failure::new(crate::model::FailureCause::Network, message)
        })?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    let sha256 = base16ct::lower::encode_string(&digest.finalize());
    Ok(if sha256 == file.sha256 {
        ListState::Same
    } else {
        ListState::Different
    })
}
