//! How fast an endpoint may be asked. Decided here and nowhere else; time comes
//! in as a parameter.

use std::time::{Duration, Instant};

/// The longest that `Retry-After` holds requests back. As long as a retry waits
/// at most.
const LONGEST_HOLD: Duration = Duration::from_secs(20);

/// Requests of so much time may leave at once, so that threads that wake up late
/// still make up the rate.
const ALLOWANCE: Duration = Duration::from_millis(100);

/// The rate never falls below so many requests a second, all workers together.
/// A server that throttles at random, however slowly it is asked, would else be
/// asked ever more slowly; one that bears less can be given a cap.
const LEAST_PER_SECOND: f64 = 10.0;

/// What every good answer adds to the rate: at any rate, a tenth of it a second.
const MORE_PER_SECOND: f64 = 0.1;

/// The same while the rate is far below what the server bore shortly before: the
/// rate doubles within a second.
const REGAINED_PER_SECOND: f64 = 1.0;

/// Limits that have grown to this are lifted: nothing here goes faster.
const FULL_PER_SECOND: f64 = 10_000.0;
const FULL_IN_FLIGHT: f64 = 1024.0;

const SECOND: Duration = Duration::from_secs(1);

/// What came back for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The server did its work, be it that it refused.
    Served,
    /// It asked for a slower pace.
    Throttled,
    /// It failed, or did not answer: says nothing about the pace.
    Unknown,
}

/// Why a request may not leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// It may at this time, if nothing changes before.
    Until(Instant),
    /// It may once another one is answered.
    Answer,
}

/// The pace of one endpoint: additive increase, multiplicative decrease.
///
/// | what happens | in flight at once | requests a second |
/// |--|--|--|
/// | at the beginning | any number | any number, or the configured one |
/// | throttled, sent after the last fall | half of those in flight, at least 1 | half of those sent last, at least 1 |
/// | throttled, sent before the last fall | the same | the same |
/// | served | 1 more each round trip | a tenth more each second; twice as many up to half of what was served before the fall |
/// | failed, not answered | the same | the same |
/// | grown to 1,024, to 10,000 | any number | any number, or the configured one |
///
/// With `Retry-After` nothing leaves for so long, at most 20 seconds.
#[derive(Debug)]
pub(super) struct Controller {
    /// The configured rate; infinite if there is none.
    most_per_second: f64,
    /// The rate that the server bears; infinite: not known to be limited.
    per_second: f64,
    /// How many requests at once the server bears; infinite likewise.
    most_in_flight: f64,
    in_flight: u32,
    /// When the rate lets the next request leave.
    next_at: Option<Instant>,
    held_until: Option<Instant>,
    fell_at: Option<Instant>,
    /// A rate that the server is known to bear.
    borne_per_second: f64,
    sent: Lately,
    served: Lately,
}

impl Default for Controller {
    fn default() -> Self {
        Self {
            most_per_second: f64::INFINITY,
            per_second: f64::INFINITY,
            most_in_flight: f64::INFINITY,
            in_flight: 0,
            next_at: None,
            held_until: None,
            fell_at: None,
            borne_per_second: 0.0,
            sent: Lately::default(),
            served: Lately::default(),
        }
    }
}

impl Controller {
    /// Never more than `per_second` requests a second. Of several such caps the
    /// lowest counts.
    pub(super) fn cap(&mut self, per_second: u32) {
        self.most_per_second = self.most_per_second.min(f64::from(per_second.max(1)));
    }

    /// Lets one more request leave at `now`, or says what it has to wait for.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), Wait> {
        if f64::from(self.in_flight) + 1.0 > self.most_in_flight.max(1.0) {
            return Err(Wait::Answer);
        }
        let due = self.held_until.max(self.next_at);
        if let Some(due) = due.filter(|due| *due > now) {
            return Err(Wait::Until(due));
        }
        self.in_flight += 1;
        self.sent.count(now);
        let rate = self.most_per_second.min(self.per_second);
        self.next_at = rate.is_finite().then(|| {
            let earliest = now.checked_sub(ALLOWANCE).unwrap_or(now);
            let due = self.next_at.map_or(earliest, |due| due.max(earliest));
            due + SECOND.div_f64(rate)
        });
        Ok(())
    }

    /// Takes note of the answer to the request that left at `sent_at`.
    pub(super) fn answered(
        &mut self,
        sent_at: Instant,
        now: Instant,
        verdict: Verdict,
        retry_after: Option<Duration>,
    ) {
        match verdict {
            Verdict::Served => self.recover(now),
            // What was sent before the last fall says nothing about the pace since.
            Verdict::Throttled if self.fell_at.is_none_or(|fell_at| sent_at > fell_at) => {
                self.fall(now);
            }
            Verdict::Throttled | Verdict::Unknown => {}
        }
        if let Some(hold) = retry_after {
            self.held_until = self.held_until.max(Some(now + hold.min(LONGEST_HOLD)));
        }
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn fall(&mut self, now: Instant) {
        let in_flight = self.most_in_flight.min(f64::from(self.in_flight));
        self.most_in_flight = (in_flight / 2.0).max(1.0);
        let sent = self.sent.per_second(now);
        let rate = self.per_second.min(self.most_per_second).min(sent);
        self.per_second = (rate / 2.0).max(LEAST_PER_SECOND);
        self.borne_per_second = self.served.per_second(now) / 2.0;
        self.next_at = Some(now + SECOND.div_f64(self.per_second));
        self.fell_at = Some(now);
    }

    fn recover(&mut self, now: Instant) {
        self.served.count(now);
        self.most_in_flight += 1.0 / self.most_in_flight;
        if self.most_in_flight >= FULL_IN_FLIGHT {
            self.most_in_flight = f64::INFINITY;
        }
        self.per_second += if self.per_second < self.borne_per_second {
            REGAINED_PER_SECOND
        } else {
            MORE_PER_SECOND
        };
        if self.per_second >= FULL_PER_SECOND {
            self.per_second = f64::INFINITY;
        }
    }
}

/// How many requests left, or were served, lately.
#[derive(Debug, Default)]
struct Lately {
    /// When the present second began.
    began: Option<Instant>,
    this_second: u32,
    last_second: u32,
}

impl Lately {
    fn count(&mut self, now: Instant) {
        self.go_on(now);
        self.this_second += 1;
    }

    /// In the present second so far, or in the one before, whichever is more.
    fn per_second(&mut self, now: Instant) -> f64 {
        self.go_on(now);
        f64::from(self.this_second.max(self.last_second))
    }

    fn go_on(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let passed = now.saturating_duration_since(began);
        if passed >= SECOND {
            let follows = passed < 2 * SECOND;
            self.last_second = if follows { self.this_second } else { 0 };
            self.this_second = 0;
            self.began = Some(if follows { began + SECOND } else { now });
        }
    }
}

#[cfg(test)]
mod tests;
