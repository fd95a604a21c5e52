//! What a run asked of its endpoints so far.

use super::time::Timestamp;
use super::words::Side;

/// How often one side asked for a slower pace within one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottledMinute {
    /// The side.
    pub side: Side,
    /// When the minute began.
    pub minute_at: Timestamp,
    /// How many of its answers asked for a slower pace.
    pub times: u64,
}

/// What there is to record beside outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent by the run so far.
    pub requests_sent: u64,
    /// Throttled answers that were not recorded yet.
    pub throttled: Vec<ThrottledMinute>,
}
