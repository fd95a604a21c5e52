//! When a run will be done and what it will leave, out of the task's own past
//! runs: a rule, as pure functions.
//!
//! # What past runs tell
//!
//! | a past run that | tells what comes in | tells pace and mix |
//! |--|--|--|
//! | settled all that it took | yes | yes |
//! | was cut off by its time, a limit or a stop | yes | yes, by what it settled |
//! | settled nothing | yes | no |
//! | was interrupted, nobody knows when | yes | no |
//! | could not begin, or was ended by a breaker | yes | no |
//!
//! The newest 30 that tell a pace are asked. With fewer than three nothing is
//! foretold. A run counts half as much as one ten runs after it.
//!
//! # The rule
//!
//! 1. **Rates.** seconds = a + b · names settled + c · names copied + d · bytes,
//!    none of a to d negative, so that the squares of 1 − foretold ÷ true are least.
//!    Runs that are all alike cannot tell these apart; then a twentieth of the time is
//!    `a`, as much goes by names, the rest equally by copies and bytes.
//! 2. **Mix.** Copies and bytes for each name are the mean of past runs, unless a
//!    rehearsal has found them out.
//! 3. **How far off.** Each past run is foretold from those before it alone. The
//!    logarithms of true ÷ foretold have a centre and a width, and the true time is
//!    foretold × exp(centre + width · t), where t is Student's. Two more runs count
//!    that were off by a quarter, so that a few good guesses make no certainty.
//! 4. **What still comes in** before a run begins is what came in before past ones,
//!    less what has come already. One more counts, half of it a quarter below the
//!    least, half a quarter above the most.
//! 5. **A run at work** has a mix and a pace of its own. With s the share of its
//!    names that is settled, its copies for a name and bytes for a copy count
//!    s ÷ (s + 1), those of the past the rest. What is left as it is is settled first,
//!    so copies still to make are those of the whole run less those that are made.
//!    How far its pace is off so far is taken to be half the night's, which stays,
//!    and half the hour's, which is another for what is left. With f the share of its
//!    foretold time that is behind it, its pace counts g = u·f ÷ (u·f + 1), and the
//!    width is that of before × √((u (1 − g) + 1 ÷ (1 − f)) ÷ 2), where u is 1, or
//!    more for a night that is further off than those before. A tenth of its time
//!    counts as gone at the past's pace.
//!
//! 20 equally likely values of what comes in, and 20 of how far off, make 400
//! courses of a run. Told are the middle (p50) and what nine in ten do not exceed
//! (p90): of when all is settled, and of what is not when its time is up. More
//! names never end earlier. Nothing is drawn by chance.

mod arrivals;
mod pace;
mod rates;
mod spread;
#[cfg(test)]
mod tests;

use self::arrivals::Arrivals;
use self::pace::{Night, Pace};
use crate::model::{RunBooks, Timestamp};

/// So many past runs must tell a pace.
pub const FEWEST_NIGHTS: usize = 3;

/// So many past runs are worth reading.
pub const NIGHTS_READ: usize = 60;

/// So many of those that tell a pace are asked.
const MOST_NIGHTS: usize = 30;

/// So many nights ahead are looked at.
const NIGHTS_AHEAD: u32 = 30;

/// A past run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastNight {
    /// Its books.
    pub books: RunBooks,
    /// How long it took, in milliseconds; `None` if it does not tell a pace.
    pub duration_ms: Option<u64>,
}

/// What is to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// By a run to come: what is pending now, and what comes in until then.
    Expected {
        /// Requests that are pending.
        pending: u64,
        /// Of these, such as came in after the last run had taken its own.
        arrived: u64,
    },
    /// By a run that would begin now; a rehearsal has looked at every name.
    Rehearsed {
        /// Requests that it would take.
        taken: u64,
        /// Names that it would copy.
        copies: u64,
        /// Their bytes.
        copy_bytes: u64,
    },
    /// By the run that is at work.
    UnderWay {
        /// Its books so far.
        books: RunBooks,
        /// How long it has been at work, in milliseconds.
        elapsed_ms: u64,
    },
}

/// The middle of what may be, and what nine in ten do not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likely<T> {
    /// As likely less as more.
    pub p50: T,
    /// More one time in ten.
    pub p90: T,
}

/// How a run is likely to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Requests that it takes, or has taken.
    pub names: Likely<u64>,
    /// Bytes that it copies in all.
    pub bytes: Likely<u64>,
    /// When all of them would be settled, had it the time.
    pub done_at: Likely<Timestamp>,
    /// Requests that are not when its time is up; 0 if it has no end.
    pub deferred: Likely<u64>,
    /// How many past runs this rests on.
    pub nights: usize,
}

/// Why nothing can be foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Only so many past runs tell a pace.
    TooFewNights(usize),
    /// Objects are to be copied, and no past run copied any.
    NeverCopied,
}

/// What the past runs of a task tell.
#[derive(Debug, Clone)]
pub struct History {
    arrivals: Arrivals,
    pace: Option<Pace>,
    /// How many runs tell the pace.
    nights: usize,
}

impl History {
    /// What `past` tells, the oldest first.
    #[must_use]
    pub fn learn(past: &[PastNight]) -> Self {
        let nights: Vec<Night> = past.iter().filter_map(Night::told_by).collect();
        let nights = &nights[nights.len().saturating_sub(MOST_NIGHTS)..];
        Self {
            arrivals: Arrivals::learn(past),
            pace: (nights.len() >= FEWEST_NIGHTS).then(|| Pace::learn(nights)),
            nights: nights.len(),
        }
    }

    /// How a run is likely to go that settles `queue` from `from` on, and begins
    /// nothing new after `deadline`.
    ///
    /// # Errors
    /// If the past runs do not tell.
    pub fn forecast(
        &self,
        queue: Queue,
        from: Timestamp,
        deadline: Option<Timestamp>,
    ) -> Result<Forecast, Unknown> {
        let pace = self.pace()?;
        let rest = pace.rest(queue)?;
        let left_ms = deadline.map(|at| until(from, at));
        let names = self.names(queue);
        let (mut done_ms, mut deferred, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for &names in &names {
            let to_do = names.saturating_sub(rest.settled);
            let (fixed_ms, moving_ms) = rest.ms(to_do);
            for factor in rest.spread.factors() {
                let (fixed_ms, moving_ms) = (fixed_ms * factor, moving_ms * factor);
                done_ms.push(whole(fixed_ms + moving_ms));
                let left = left_ms.map(|left| unsettled(to_do, fixed_ms, moving_ms, left));
                deferred.push(left.unwrap_or(0));
            }
            for factor in rest.bytes_spread.factors() {
                let to_copy = whole(rest.work(to_do).bytes * factor);
                bytes.push(rest.bytes_so_far.saturating_add(to_copy));
            }
        }
        let done_ms = Likely::of(done_ms);
        let done_at = |ms: u64| from.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX));
        Ok(Forecast {
            names: Likely::of(names.to_vec()),
            bytes: Likely::of(bytes),
            done_at: Likely {
                p50: done_at(done_ms.p50),
                p90: done_at(done_ms.p90),
            },
            deferred: Likely::of(deferred),
            nights: self.nights,
        })
    }

    /// In how many nights of `night_ms` milliseconds each all that is `pending` now
    /// is likely to have had its turn, the nights' usual names coming in
    /// meanwhile; `None` if thirty are not enough.
    ///
    /// Names have their turn in a circle: a night begins with the name before
    /// which the one before it ended. So of the circle each night goes through as
    /// much as it can settle ÷ all that is pending then.
    ///
    /// # Errors
    /// If the past runs do not tell.
    pub fn nights_until_done(&self, pending: u64, night_ms: u64) -> Result<Option<u32>, Unknown> {
        let pace = self.pace()?;
        let arriving = self.arrivals.beyond(0);
        let arriving = Likely::of(arriving.to_vec()).p50;
        let mut to_go = 1.0;
        let mut there = pending;
        for night in 1..=NIGHTS_AHEAD {
            there = there.saturating_add(arriving);
            let rest = pace.rest(Queue::Expected {
                pending: there,
                arrived: 0,
            })?;
            let (fixed_ms, moving_ms) = rest.ms(there);
            let factor = rest.spread.factor(0.0);
            let left = unsettled(there, fixed_ms * factor, moving_ms * factor, night_ms);
            to_go -= 1.0 - number(left) / number(there.max(1));
            if to_go <= 0.0 {
                return Ok(Some(night));
            }
            there = left;
        }
        Ok(None)
    }

    fn pace(&self) -> Result<&Pace, Unknown> {
        let pace = self.pace.as_ref();
        pace.ok_or(Unknown::TooFewNights(self.nights))
    }

    /// Equally likely numbers of names that the run takes in all.
    fn names(&self, queue: Queue) -> [u64; spread::VALUES] {
        match queue {
            Queue::Expected { pending, arrived } => {
                let arriving = self.arrivals.beyond(arrived);
                arriving.map(|arriving| pending.saturating_add(arriving))
            }
            Queue::Rehearsed { taken, .. } => [taken; spread::VALUES],
            Queue::UnderWay { books, .. } => [books.taken; spread::VALUES],
        }
    }
}

impl Likely<u64> {
    /// Of values that are equally likely, a multiple of 20 of them.
    fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let at = |twentieths: usize| {
            let behind = values.len() * twentieths / 20;
            let before = behind.checked_sub(1).and_then(|index| values.get(index));
            let before = before.copied().unwrap_or(0);
            values
                .get(behind)
                .map_or(before, |behind| before.midpoint(*behind))
        };
        Self {
            p50: at(10),
            p90: at(18),
        }
    }
}

/// How many of `names` are not settled after `left_ms`, if what is done whatever
/// there is takes `fixed_ms`, and they take `moving_ms`.
fn unsettled(names: u64, fixed_ms: f64, moving_ms: f64, left_ms: u64) -> u64 {
    let left_ms = number(left_ms);
    if fixed_ms + moving_ms <= left_ms {
        return 0;
    }
    let share = if moving_ms > 0.0 {
        ((left_ms - fixed_ms) / moving_ms).clamp(0.0, 1.0)
    } else {
        0.0
    };
    names.saturating_sub(whole(number(names) * share))
}

/// Milliseconds from `from` to `to`; none if that is earlier.
fn until(from: Timestamp, to: Timestamp) -> u64 {
    to.ms().saturating_sub(from.ms()).max(0).unsigned_abs()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a forecast is not exact to one in 10^15"
)]
fn number(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is out of range becomes the nearest there is"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}
