//! What the destination bucket holds of a task: manifests, lists of runs, input lists.

use std::io::{BufRead, BufReader, Read};

use sha2::{Digest, Sha256};

use super::LineError;
use super::error::{RebuildFailure, damaged};
use crate::config::TaskConfig;
use crate::intake::OBJECT_LISTS;
use crate::model::{Failure, FailureCause, ObjectFacts};
use crate::preflight::tried;
use crate::report::{ListFile, Manifest, manifest_of};
use crate::run::RunError;
use crate::s3::{Bucket, Download, GetOptions, Listing};

/// A longer line is none of ours, nor is a longer manifest.
const MOST_LINE_BYTES: u64 = 64 * 1024;
const MOST_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

/// The files of one task in its destination bucket.
pub struct Delivered<'a> {
    task: &'a TaskConfig,
    bucket: &'a Bucket,
    prefix: String,
}

/// A manifest as it lies in the bucket.
pub struct Fetched {
    pub path: String,
    pub lines: u64,
    pub bytes: u64,
    pub sha256: String,
    pub etag: String,
}

impl<'a> Delivered<'a> {
    pub fn new(task: &'a TaskConfig, bucket: &'a Bucket) -> Self {
        Self {
            task,
            bucket,
            prefix: task.id.prefix(),
        }
    }

    /// The paths of all manifests, by the numbers of their runs.
    pub fn manifests(&self) -> Result<Vec<String>, RunError> {
        let mut manifests = Vec::new();
        self.each("manifests/", |path, _| {
            if let Some((_, number)) = manifest_of(path) {
                manifests.push((number, path.to_owned()));
            }
            Ok(())
        })?;
        manifests.sort();
        Ok(manifests.into_iter().map(|(_, path)| path).collect())
    }

    /// Shows `visit` the input lists that lie there.
    pub fn input_lists(
        &self,
        visit: impl FnMut(&str, &ObjectFacts) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        self.each(OBJECT_LISTS, visit)
    }

    fn each(
        &self,
        folder: &str,
        mut visit: impl FnMut(&str, &ObjectFacts) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let mut listing = Listing::new(format!("{}{folder}", self.prefix));
        while let Some(objects) =
            tried(|| listing.next_page(self.bucket)).map_err(RunError::Destination)?
        {
            for object in objects {
                if let Some(path) = object.name.strip_prefix(&self.prefix) {
                    visit(path, &object.facts)?;
                }
            }
        }
        Ok(())
    }

    /// The manifest at `path`.
    pub fn manifest(&self, path: &str) -> Result<(Manifest, Fetched), RunError> {
        let (text, etag) = tried(|| {
            let download = self.bucket.get(&self.name(path), GetOptions::default())?;
            let etag = download.head.facts.etag.as_str().to_owned();
            let mut text = Vec::new();
            download
                .body
                .take(MOST_MANIFEST_BYTES)
                .read_to_end(&mut text)
                .map_err(|error| self.unreadable(path, &error))?;
            Ok((text, etag))
        })
        .map_err(RunError::Destination)?;
        let run_name = manifest_of(path).map_or("", |(run_name, _)| run_name);
        let manifest = Manifest::read(&text, self.task.id.as_str(), run_name)
            .map_err(|why| damaged(&self.name(path), &why))?;
        let fetched = Fetched {
            path: path.to_owned(),
            lines: text.split(|byte| *byte == b'\n').count() as u64 - 1,
            bytes: text.len() as u64,
            sha256: base16ct::lower::encode_string(&Sha256::digest(&text)),
            etag,
        };
        Ok((manifest, fetched))
    }

    /// Shows `enter` each line of the list, and answers the object's entity tag
    /// once all of it is what its manifest vouches for.
    pub fn read(
        &self,
        list: &ListFile,
        mut enter: impl FnMut(&str) -> Result<(), LineError>,
    ) -> Result<String, RunError> {
        let download = self.open(list)?;
        let etag = download.head.facts.etag.as_str().to_owned();
        // What is longer than it should be is another file, however long.
        let mut body = BufReader::new(download.body.take(list.bytes + 1));
        let mut hash = Sha256::new();
        let (mut number, mut line, mut wrong) = (0_u64, Vec::new(), None);
        loop {
            line.clear();
            (&mut body)
                .take(MOST_LINE_BYTES)
                .read_until(b'\n', &mut line)
                .map_err(|error| RunError::Destination(self.unreadable(&list.path, &error)))?;
            if line.is_empty() {
                break;
            }
            number += 1;
            hash.update(&line);
            // After the first line that cannot be, only the hash is of interest.
            if wrong.is_some() {
                continue;
            }
            match enter_line(&line, &mut enter) {
                Ok(()) => {}
                Err(LineError::Ledger(error)) => return Err(error.into()),
                Err(LineError::Line(why)) => wrong = Some(format!("line {number}: {why}")),
            }
        }
        let name = self.name(&list.path);
        if base16ct::lower::encode_string(&hash.finalize()) != list.sha256 {
            return Err(damaged(&name, &"its SHA-256 is not the manifest's").into());
        }
        wrong.map_or(Ok(etag), |why| Err(damaged(&name, &why).into()))
    }

    fn open(&self, list: &ListFile) -> Result<Download, RunError> {
        let name = self.name(&list.path);
        let head = tried(|| self.bucket.head(&name)).map_err(RunError::Destination)?;
        let Some(head) = head else {
            return Err(RebuildFailure::Missing(name).into());
        };
        if head.facts.size_bytes != list.bytes {
            let why = format!(
                "it has {} bytes, its manifest says {}",
                head.facts.size_bytes, list.bytes
            );
            return Err(damaged(&name, &why).into());
        }
        tried(|| self.bucket.get(&name, GetOptions::default())).map_err(RunError::Destination)
    }

    fn name(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    fn unreadable(&self, path: &str, error: &std::io::Error) -> Failure {
        let name = self.name(path);
        let message = format!("reading {name} from the destination: {error}");
        Failure::new(FailureCause::Network, message)
    }
}

fn enter_line(
    line: &[u8],
    enter: &mut impl FnMut(&str) -> Result<(), LineError>,
) -> Result<(), LineError> {
    let line = line.strip_suffix(b"\n").ok_or("it has no end")?;
    enter(str::from_utf8(line).map_err(|_| "it is not UTF-8")?)
}
