//! The body of a GET while it is read.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use super::answer::FailureInIo;
use super::bandwidth::{CHUNK_BYTES, OpenBody};
use super::bucket::Bucket;
use super::cause::{Operation, Trouble, cause};
use super::exchange::AnswerBody;
use super::headers::Head;
use crate::model::{Failure, FailureCause};

/// The range that an answer holds, by its `Content-Range`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The first byte's place.
    pub first: u64,
    /// The last byte's place.
    pub last: u64,
    /// The object's length in bytes.
    pub size_bytes: u64,
}

impl ContentRange {
    /// Reads `bytes <first>-<last>/<size>`.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some(Self {
            first: first.trim().parse().ok()?,
            last: last.parse().ok()?,
            size_bytes: size.parse().ok()?,
        })
    }
}

/// An object, or a range of it, on its way here.
#[derive(Debug)]
pub struct Download {
    /// What the answer says of the object; its size is the whole object's.
    pub head: Head,
    /// The range, if the server gives one rather than the whole object.
    pub content_range: Option<ContentRange>,
    /// The bytes.
    pub body: DownloadBody,
}

impl Download {
    /// The same, if all of it came with the answer.
    ///
    /// # Errors
    /// More is to come, although less was announced.
    pub fn that_is_here(self) -> Result<Self, Failure> {
        if self.body.is_here() {
            return Ok(self);
        }
        let (bucket, name) = (&self.body.bucket, &self.body.name);
        let why = "sends more than it announced";
        Err(bucket.nonsense(Operation::GetObject, Some(name), why))
    }
}

/// The bytes of a [`Download`]. Reading fails, with the [`Failure`] inside the
/// error, when the connection breaks, stands still, is too slow over all, or
/// ends before the announced length.
#[derive(Debug)]
pub struct DownloadBody {
    pub(super) body: AnswerBody,
    pub(super) bucket: Bucket,
    pub(super) name: Box<str>,
    pub(super) announced_bytes: Option<u64>,
    pub(super) received_bytes: u64,
    /// How long the server may still be waited for. Time in which nobody reads,
    /// because the cap on bandwidth or the other end holds us up, is not its own.
    pub(super) time_left: Duration,
    pub(super) open_body: Option<OpenBody>,
}

impl DownloadBody {
    /// How long reading all of it may take, our own cap on bandwidth included.
    #[must_use]
    pub fn longest_reading(&self, size_bytes: u64) -> Duration {
        let bandwidth = self.bucket.1.bandwidth.as_ref();
        let held_up = bandwidth.map(|bandwidth| bandwidth.longest_wait(size_bytes));
        self.time_left + held_up.unwrap_or_default()
    }

    /// Whether all of it came with the answer, or what came broke off.
    #[must_use]
    pub const fn is_here(&self) -> bool {
        self.body.is_here()
    }

    /// Reads all of it into `buffer`, whose length it must have.
    ///
    /// # Errors
    /// As for reading; `integrity` if there is more than fits, `network` if
    /// there is less.
    pub fn read_into(self, buffer: &mut [u8]) -> Result<(), Failure> {
        self.read_into_seen(buffer, |_| {})
    }

    /// As [`read_into`](Self::read_into); `seen` is shown what came, one chunk
    /// after the other.
    ///
    /// # Errors
    /// As for [`read_into`](Self::read_into).
    pub fn read_into_seen(
        mut self,
        buffer: &mut [u8],
        mut seen: impl FnMut(&[u8]),
    ) -> Result<(), Failure> {
        let size_bytes = buffer.len() as u64;
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_some(&mut buffer[filled..])? {
                0 => return Err(self.ended_early(size_bytes)),
                count => {
                    seen(&buffer[filled..filled + count]);
                    filled += count;
                }
            }
        }
        // A length that HTTP itself announced and kept needs no probing for more.
        if self.announced_bytes != Some(size_bytes) && self.read_some(&mut [0])? > 0 {
            return Err(self.failure(FailureCause::Integrity, "more bytes than the object has"));
        }
        Ok(())
    }

    /// Reads all of it and keeps nothing: `seen` is shown one chunk after the other.
    ///
    /// # Errors
    /// As for reading.
    pub fn read_through(self, mut seen: impl FnMut(&[u8])) -> Result<(), Failure> {
        self.read_while(|chunk| {
            seen(chunk);
            true
        })
        .map(drop)
    }

    /// As [`read_through`](Self::read_through), for as long as `seen` says so; whether
    /// it was read to its end.
    ///
    /// # Errors
    /// As for reading.
    pub fn read_while(mut self, mut seen: impl FnMut(&[u8]) -> bool) -> Result<bool, Failure> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match self.read_some(&mut chunk)? {
                0 => return Ok(true),
                count if seen(&chunk[..count]) => {}
                _ => return Ok(false),
            }
        }
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        if self.time_left.is_zero() {
            let cause = cause(self.bucket.side(), Operation::GetObject, Trouble::TimedOut);
            return Err(self.failure(cause, "slower than 64 KiB a second"));
        }
        let paced = self.open_body.as_ref().filter(|body| body.is_paced());
        let chunk = match paced {
            Some(_) => buffer.len().min(CHUNK_BYTES),
            None => buffer.len(),
        };
        let began = Instant::now();
        let count = self.body.read(&mut buffer[..chunk]);
        self.time_left = self.time_left.saturating_sub(began.elapsed());
        let count = count.map_err(|error| {
            self.bucket
                .unanswered(Operation::GetObject, Some(&self.name), &error)
        })?;
        self.received_bytes += count as u64;
        self.bucket.0.counting.bytes_in(count as u64);
        if let Some(open_body) = self.open_body.as_ref().filter(|body| body.is_paced()) {
            open_body.pay(count as u64);
        }
        match self.announced_bytes {
            Some(announced) if count == 0 && self.received_bytes < announced => {
                Err(self.ended_early(announced))
            }
            _ => Ok(count),
        }
    }

    fn ended_early(&self, expected_bytes: u64) -> Failure {
        let cause = cause(self.bucket.side(), Operation::GetObject, Trouble::Broken);
        let why = format!(
            "the body ended after {} of {expected_bytes} bytes",
            self.received_bytes
        );
        self.failure(cause, &why)
    }

    fn failure(&self, cause: FailureCause, why: &str) -> Failure {
        let message = self
            .bucket
            .describe(Operation::GetObject, Some(&self.name), |line| {
                line.push_str(why);
            });
        Failure::new(cause, message).at(self.bucket.side())
    }
}

impl Read for DownloadBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_some(buffer)
            .map_err(|failure| io::Error::other(FailureInIo(failure)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read_in_full_or_not_at_all() {
        assert_eq!(
            ContentRange::parse("bytes 5-9/100"),
            Some(ContentRange {
                first: 5,
                last: 9,
                size_bytes: 100
            })
        );
        for wrong in ["", "bytes 5-9/*", "bytes */100", "items 5-9/100", "5-9/100"] {
            assert_eq!(ContentRange::parse(wrong), None, "{wrong}");
        }
    }
}
