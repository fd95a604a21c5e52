//! What a run asked of its endpoints so far.

use std::ops::AddAssign;

use chrono::NaiveDate;

use super::time::Timestamp;
use super::words::Side;

/// Requests sent to one side, by the kinds that providers bill, and bytes of bodies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Pages of listings.
    pub list: u64,
    /// HEAD requests.
    pub head: u64,
    /// GET requests, ranged ones included.
    pub get: u64,
    /// PUT requests for whole objects, copies by the server included.
    pub put: u64,
    /// PUT requests for parts, likewise.
    pub part: u64,
    /// Uploads in parts that were begun.
    pub create: u64,
    /// Requests to put an upload's parts together.
    pub complete: u64,
    /// Requests to give an upload up.
    pub abort: u64,
    /// Requests to delete an object.
    pub delete: u64,
    /// Answers that asked for a slower pace.
    pub throttled: u64,
    /// Bytes read from bodies of objects.
    pub bytes_in: u64,
    /// Bytes of bodies of objects that the server took.
    pub bytes_out: u64,
}

impl Counters {
    /// Requests of every kind.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.list
            + self.head
            + self.get
            + self.put
            + self.part
            + self.create
            + self.complete
            + self.abort
            + self.delete
    }

    /// What was counted after `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        self.with(earlier, u64::saturating_sub)
    }

    fn with(self, other: Self, join: fn(u64, u64) -> u64) -> Self {
        Self {
            list: join(self.list, other.list),
            head: join(self.head, other.head),
            get: join(self.get, other.get),
            put: join(self.put, other.put),
            part: join(self.part, other.part),
            create: join(self.create, other.create),
            complete: join(self.complete, other.complete),
            abort: join(self.abort, other.abort),
            delete: join(self.delete, other.delete),
            throttled: join(self.throttled, other.throttled),
            bytes_in: join(self.bytes_in, other.bytes_in),
            bytes_out: join(self.bytes_out, other.bytes_out),
        }
    }
}

impl AddAssign for Counters {
    fn add_assign(&mut self, more: Self) {
        *self = self.with(more, u64::saturating_add);
    }
}

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

/// What was asked of one side on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The side.
    pub side: Side,
    /// The day on which it is recorded, in the task's zone.
    pub day: NaiveDate,
    /// How much.
    pub counters: Counters,
}

/// What there is to record beside outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent by the run so far.
    pub requests_sent: u64,
    /// Throttled answers that were not recorded yet.
    pub throttled: Vec<ThrottledMinute>,
    /// What was asked and is not recorded yet.
    pub asked: Vec<Asked>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_adds_up_to_what_there_is() {
        let counted = |get, create| Counters {
            get,
            create,
            bytes_in: 10 * get,
            ..Counters::default()
        };
        let (earlier, now) = (counted(3, 1), counted(5, 4));
        let mut sum = earlier;
        sum += now.since(earlier);
        assert_eq!(sum, now);
        assert_eq!(now.since(earlier), counted(2, 3));
        assert_eq!(now.requests(), 9);
    }
}
