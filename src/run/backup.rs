//! The last step of a run: copies of the ledger to where the configuration wants them.

use super::engine::reach;
use super::error::RunError;
use super::lock::{LockError, TaskLock};
use crate::backup::{BucketStore, FolderStore, LedgerCopy, StoreError};
use crate::clock::Clock;
use crate::config::{BackupBucket, BackupConfig};
use crate::data_dir::DataDir;
use crate::model::Side;
use crate::s3::HttpClient;

/// What became of the backup.
#[derive(Debug, Default)]
pub struct BackupReport {
    /// Where there is a new copy.
    pub stored: Vec<String>,
    /// What is worth a look.
    pub notes: Vec<String>,
    /// Places without a new copy, each with the reason.
    pub problems: Vec<String>,
}

/// Copies the ledger to every place that `config` names. That one of them fails
/// does not keep it from the others, and takes nothing away: older copies stay.
/// Nothing to do while there is no ledger.
#[must_use]
pub fn back_up(config: &BackupConfig, data_dir: &DataDir, clock: &Clock) -> BackupReport {
    let mut report = BackupReport::default();
    if !data_dir.ledger().exists() {
        return report;
    }
    let mode = data_dir.modes().file;
    let _lock = match TaskLock::take(&data_dir.backup_lock(), mode) {
        Ok(lock) => lock,
        Err(LockError::Held(_)) => {
            let note = "another process is just making one, or restores one";
            report.notes.push(note.to_owned());
            return report;
        }
        Err(error) => {
            report.problems.push(error.to_string());
            return report;
        }
    };
    let copy = match LedgerCopy::make(&data_dir.ledger(), data_dir.root(), mode, clock.now()) {
        Ok(copy) => copy,
        Err(error) => {
            report.problems.push(error.to_string());
            return report;
        }
    };
    if let Some(folder) = &config.path {
        let store = FolderStore {
            folder,
            keep: config.keep,
            file_mode: mode,
        };
        report.note(store.keep(&copy).map_err(RunError::from));
    }
    if let Some(bucket) = &config.bucket {
        let kept = backup_store(bucket, config.keep, clock)
            .and_then(|store| store.keep(&copy).map_err(RunError::from));
        report.note(kept);
    }
    report
}

impl BackupReport {
    fn note(&mut self, kept: Result<crate::backup::Kept, RunError>) {
        match kept {
            Ok(kept) => {
                self.stored.extend(kept.stored);
                self.notes.extend(kept.notes);
            }
            Err(error) => self.problems.push(error.to_string()),
        }
    }
}

/// The bucket for copies of the ledger.
///
/// # Errors
/// If the configuration does not give what is needed to address it.
pub fn backup_store(
    config: &BackupBucket,
    keep: usize,
    clock: &Clock,
) -> Result<BucketStore, RunError> {
    let http = HttpClient::new(1)?;
    if let Some(cap) = config.end.requests_per_second {
        http.cap(&config.end.endpoint, cap);
    }
    let bucket = reach(&http, Side::Destination, &config.end, false, None, clock)
        .map_err(RunError::BackupBucket)?;
    Ok(BucketStore {
        bucket,
        prefix: config.prefix.clone(),
        keep,
        part_bytes: BucketStore::PART_BYTES,
    })
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Backup(Box::new(error))
    }
}
