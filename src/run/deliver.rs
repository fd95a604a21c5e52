//! Lists to the destination bucket: what is owed is put there, and nothing of others is overwritten.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use md5::{Digest, Md5};

use super::stop::StopSignal;
use crate::clock::Clock;
use crate::ledger::{Deliverable, Delivery, Ledger, LedgerError, TaskKey};
use crate::model::{CarriedHeaders, ETag, Failure, FailureCause, TaskId};
use crate::report::text::visible;
use crate::s3::{Body, Bucket, Condition, Upload};

/// Lists up to this size are sent from memory, so that they can be sent again.
const IN_MEMORY_BYTES: u64 = 4 * 1024 * 1024;

/// How often the destination is asked to take a list.
const TRIES: u32 = 3;

/// What became of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Lists that are now in the bucket.
    pub delivered: u64,
    /// Lists that are owed, each with the reason.
    pub owed: Vec<String>,
    /// Lists whose name is taken by something else, each with what was seen.
    pub conflicts: Vec<String>,
}

/// Where lists come from and go to.
pub struct Shipment<'a> {
    /// The task's key in the ledger.
    pub task: TaskKey,
    /// The task.
    pub id: &'a TaskId,
    /// The task's folder.
    pub folder: &'a Path,
    /// The destination bucket.
    pub destination: &'a Bucket,
    /// Tells the time.
    pub clock: &'a Clock,
    /// Once asked for again, nothing more is sent.
    pub stop: &'a StopSignal,
}

/// Puts everything that is owed into the destination bucket. A run's manifest
/// goes last, and only once all its lists are there. After the first list that
/// the bucket leaves unanswered the others are not tried: each would cost the
/// same wait.
///
/// # Errors
/// If the ledger cannot be read or written. That the bucket does not take a
/// list is no error: it stays owed, and the report says so.
pub fn deliver(
    ledger: &mut Ledger,
    shipment: &Shipment<'_>,
) -> Result<DeliveryReport, LedgerError> {
    let mut report = DeliveryReport::default();
    let mut unanswered = false;
    for file in ledger.owed(shipment.task)? {
        let path = visible(&file.path);
        if shipment.stop.is_urgent() || unanswered {
            report.owed.push(format!("{path}: not tried in this run"));
            continue;
        }
        if !ledger.may_be_delivered(shipment.task, &file)? {
            report
                .owed
                .push(format!("{path}: waits for the lists that it names"));
            continue;
        }
        let placed = shipment.put(&file);
        unanswered = placed.as_ref().is_err_and(|failure| {
            matches!(failure.cause, FailureCause::Network | FailureCause::Timeout)
        });
        let delivery = placed.unwrap_or_else(|failure| Delivery::Owed(failure.message));
        match &delivery {
            Delivery::Delivered { .. } => report.delivered += 1,
            Delivery::Owed(problem) => report.owed.push(format!("{path}: {problem}")),
            Delivery::Conflict(problem) => {
                report.conflicts.push(format!("{path}: {problem}"));
            }
            Delivery::Local(_) => {}
        }
        ledger.note_delivery(shipment.task, &file.path, &delivery)?;
    }
    Ok(report)
}

impl Shipment<'_> {
    fn put(&self, file: &Deliverable) -> Result<Delivery, Failure> {
        let name = format!("{}{}", self.id.prefix(), file.path);
        let path = self.folder.join(&file.path);
        let digest = match digest(&path, file.bytes) {
            Ok(digest) => digest,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let gone = "the file is gone from the local disk".to_owned();
                return Ok(Delivery::Local(gone));
            }
            Err(error) => return Err(unreadable(&error)),
        };
        let (owned, destination) = (file.clone(), self.destination.clone());
        let placed = self
            .stop
            .unless_urgent(move || place(&name, &owned, &path, digest, &destination))
            .map_err(Failure::from)
            .flatten()?;
        Ok(match placed {
            Ok(etag) => Delivery::Delivered {
                etag: etag.as_str().to_owned(),
                at: self.clock.now(),
            },
            Err(conflict) => Delivery::Conflict(conflict),
        })
    }
}

/// Puts the list unless its name is taken by something that is not ours.
fn place(
    name: &str,
    file: &Deliverable,
    path: &Path,
    digest: [u8; 16],
    destination: &Bucket,
) -> Result<Result<ETag, String>, Failure> {
    // The name of a run's own list tells the run and when it began or ended, and a
    // ledger that does not know all runs of the destination delivers nothing.
    let may_be_taken = file.run.is_none();
    if may_be_taken && let Some(there) = destination.head(name)? {
        let same = there.facts.size_bytes == file.bytes
            && there.facts.md5_hex.as_deref()
                == Some(base16ct::lower::encode_string(&digest).as_str());
        if same {
            return Ok(Ok(there.facts.etag));
        }
        let ours = file.etag.as_deref() == Some(there.facts.etag.as_str());
        if !ours {
            return Ok(Err(format!(
                "the destination bucket has a different object of this name ({} bytes); both stay",
                there.facts.size_bytes
            )));
        }
    }
    let mut tries = 1;
    loop {
        match send(name, file, path, digest, destination) {
            Err(failure) if failure.cause.is_retried_within_run() && tries < TRIES => tries += 1,
            result => return result.map(Ok),
        }
    }
}

fn send(
    name: &str,
    file: &Deliverable,
    path: &Path,
    digest: [u8; 16],
    destination: &Bucket,
) -> Result<ETag, Failure> {
    let kind = if Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        "application/json"
    } else {
        "text/plain; charset=utf-8"
    };
    let headers = CarriedHeaders(vec![("content-type".to_owned(), kind.to_owned())]);
    let answer = destination.put(
        name,
        Upload {
            body: body(path, file.bytes).map_err(|error| unreadable(&error))?,
            headers: &headers,
            content_md5: Some(digest),
            checksum: None,
            condition: Condition::Anything,
        },
    )?;
    if answer
        .md5_hex
        .is_some_and(|md5_hex| md5_hex != base16ct::lower::encode_string(&digest))
    {
        // Nobody is to read it, nor is a later run to take it for another's.
        let message = match destination.delete(name) {
            Ok(()) => "the destination altered it; what it made of it was removed",
            Err(_) => "the destination altered it; what it made of it could not be removed",
        };
        return Err(Failure::new(FailureCause::Integrity, message));
    }
    Ok(answer.etag)
}

/// The first `size_bytes` of the file: a list that has grown since it was
/// loaded is delivered as far as it was loaded.
fn body(path: &Path, size_bytes: u64) -> io::Result<Body> {
    let mut reader = File::open(path)?.take(size_bytes);
    if size_bytes > IN_MEMORY_BYTES {
        return Ok(Body::Stream {
            reading: Duration::ZERO,
            reader: Box::new(reader),
            size_bytes,
        });
    }
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    Ok(Body::Bytes(Bytes::from(bytes)))
}

fn digest(path: &Path, size_bytes: u64) -> io::Result<[u8; 16]> {
    let mut digest = Md5::new();
    let mut reader = File::open(path)?.take(size_bytes);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(digest.finalize().into());
        }
        digest.update(&buffer[..read]);
    }
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(
        FailureCause::Internal,
        format!("cannot read the local file: {error}"),
    )
}
