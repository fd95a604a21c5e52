//! Runs: their ids, names and books.

use std::fmt;

use super::time::LocalTime;

/// The id of a run: 24 hexadecimal digits, of which the first 8 are the start in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId(String);

impl RunId {
    /// A new id for a run that starts at `started`; `entropy` tells apart runs of one second.
    #[must_use]
    pub fn new(started: LocalTime, entropy: u64) -> Self {
        Self(format!(
            "{:08x}{entropy:016x}",
            started.at.seconds() & 0xffff_ffff
        ))
    }

    /// An id that was read from the ledger.
    #[must_use]
    pub const fn from_checked(id: String) -> Self {
        Self(id)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// `<source bucket>-<destination bucket>-<yyyyMMddHHmmssSSS>_<run number>`.
#[must_use]
pub fn run_name(source: &str, destination: &str, started: LocalTime, number: u64) -> String {
    format!("{source}-{destination}-{}_{number}", started.stamp())
}

/// What a run took and what became of it. Balanced when
/// taken = synced + failed + ignored + deferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunBooks {
    /// Requests that were pending once the intake had ended.
    pub taken: u64,
    /// Settled by a copy.
    pub synced: u64,
    /// Settled by a failure.
    pub failed: u64,
    /// Settled without a copy.
    pub ignored: u64,
    /// Still pending at the end.
    pub deferred: u64,
    /// Bytes of the copies.
    pub synced_bytes: u64,
}

impl RunBooks {
    /// Requests that got an outcome.
    #[must_use]
    pub const fn settled(&self) -> u64 {
        self.synced + self.failed + self.ignored
    }

    /// Whether the books balance.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.taken == self.settled() + self.deferred
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::{Timestamp, Zone};
    use super::*;

    #[test]
    fn ids_and_names_follow_the_contract() {
        let started = "Asia/Shanghai"
            .parse::<Zone>()
            .unwrap()
            .local(Timestamp::from_ms(1_609_833_838_031));
        assert_eq!(
            RunId::new(started, 0xab).as_str(),
            "5ff41d6e00000000000000ab"
        );
        assert_eq!(
            run_name("src", "dst", started, 7),
            "src-dst-20210105160358031_7"
        );
    }
}
