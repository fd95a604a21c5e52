//! The `[backup]` section: where copies of the ledger are kept.

use std::path::{Path, PathBuf};

use super::endpoint::EndpointConfig;
use super::section::Section;
use super::task::TaskConfig;

const DEFAULT_KEEP: u32 = 14;
const MOST_KEPT: u32 = 1000;

/// Where copies of the ledger are kept; at one place at least.
#[derive(Debug, Clone)]
pub struct BackupConfig {
    /// A folder that is there. In the file absolute, or relative to the file's
    /// folder; here joined with that folder.
    pub path: Option<PathBuf>,
    /// A bucket that no task copies from or to.
    pub bucket: Option<BackupBucket>,
    /// How many copies stay at each place, 1 to 1000; default 14.
    pub keep: usize,
}

/// The bucket for copies of the ledger.
#[derive(Debug, Clone)]
pub struct BackupBucket {
    /// The bucket, where it is, and how to get at it.
    pub end: EndpointConfig,
    /// What the copies' names begin with; empty or ended by `/`.
    pub prefix: String,
}

/// Reads the section, if there is one.
pub(super) fn read(
    root: &mut Section<'_>,
    tasks: &[TaskConfig],
    folder: &Path,
) -> Option<BackupConfig> {
    let mut section = root.optional_section("backup")?;
    let path = section.parsed("path", |text| super::local_path(text, folder));
    let keep = section.number("keep", &(1..=MOST_KEPT));
    let named = section.has("path") || section.has("bucket");
    let bucket = section
        .optional_section("bucket")
        .and_then(|bucket| read_bucket(bucket, folder));
    if let Some(bucket) = &bucket
        && tasks.iter().any(|task| {
            task.source.is_same_bucket_as(&bucket.end)
                || task.destination.is_same_bucket_as(&bucket.end)
        })
    {
        section.mistake("bucket", "is a bucket of a task; write one of its own");
    }
    if !named {
        section.mistake(
            "path",
            "is missing, and so is a section [backup.bucket]; write one of them, or both",
        );
    }
    section.finish();
    Some(BackupConfig {
        path,
        bucket,
        keep: keep.unwrap_or(DEFAULT_KEEP).try_into().ok()?,
    })
}

fn read_bucket(mut section: Section<'_>, folder: &Path) -> Option<BackupBucket> {
    let prefix = section.parsed("prefix", prefix).unwrap_or_default();
    let end = EndpointConfig::read(section, folder)?;
    Some(BackupBucket { end, prefix })
}

fn prefix(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let folders = text.trim_end_matches('/');
    let legal = |folder: &str| {
        !folder.is_empty() && folder.bytes().all(is_plain) && folder.bytes().any(|b| b != b'.')
    };
    if folders.split('/').all(legal) {
        Ok(format!("{folders}/"))
    } else {
        Err(
            "is no prefix; write letters, digits, `-`, `_`, `.`, with `/` between, such as \"nightferry/\"",
        )
    }
}
