//! The server's clock, which tests may put wrong.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{Timestamp, TimestampFormat};

/// The machine's clock plus an offset.
#[derive(Default)]
pub(super) struct Clock {
    offset_seconds: AtomicI64,
}

impl Clock {
    pub(super) fn set_offset(&self, seconds: i64) {
        self.offset_seconds.store(seconds, Ordering::SeqCst);
    }

    /// What the server takes the time to be.
    pub(super) fn now(&self) -> SystemTime {
        let offset = self.offset_seconds.load(Ordering::SeqCst);
        let shift = Duration::from_secs(offset.unsigned_abs());
        if offset < 0 {
            SystemTime::now() - shift
        } else {
            SystemTime::now() + shift
        }
    }

    pub(super) fn now_epoch_seconds(&self) -> i64 {
        epoch_seconds(self.now())
    }
}

pub(super) fn epoch_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).expect("the time fits 64 bits"),
        Err(before) => -i64::try_from(before.duration().as_secs()).expect("the time fits 64 bits"),
    }
}

/// Cuts off the fraction of a second, since `Last-Modified` has none on the wire.
pub(super) fn whole_seconds(time: SystemTime) -> SystemTime {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => UNIX_EPOCH + Duration::from_secs(since.as_secs()),
        Err(before) => UNIX_EPOCH - Duration::from_secs(before.duration().as_secs()),
    }
}

pub(super) fn http_date(time: SystemTime) -> String {
    format(time, TimestampFormat::HttpDate)
}

pub(super) fn iso_date(time: SystemTime) -> String {
    format(time, TimestampFormat::DateTime)
}

fn format(time: SystemTime, format: TimestampFormat) -> String {
    let mut text = Vec::new();
    Timestamp::from(time)
        .format(format, &mut text)
        .expect("a system time can be written");
    String::from_utf8(text).expect("a date is ASCII")
}

/// Reads the date of a signature, `20260131T235959Z`.
pub(super) fn parse_signature_date(date: &str) -> Option<i64> {
    let part = |from, to| date.get(from..to);
    let iso = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(9, 11)?,
        part(11, 13)?,
        part(13, 15)?,
    );
    let mut seconds = Vec::new();
    Timestamp::parse(TimestampFormat::DateTime, &iso)
        .ok()?
        .format(TimestampFormat::EpochSeconds, &mut seconds)
        .ok()?;
    let seconds = String::from_utf8(seconds).ok()?;
    seconds.split('.').next()?.parse().ok()
}
