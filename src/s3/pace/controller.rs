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
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// So many requests that leave at once and are in flight.
    fn with_in_flight(count: u32, now: Instant) -> Controller {
        let mut pace = Controller::default();
        for _ in 0..count {
            assert_eq!(pace.admit(now), Ok(()));
        }
        pace
    }

    #[test]
    fn an_endpoint_that_never_throttles_is_never_waited_for() {
        let pace = with_in_flight(5000, Instant::now());
        assert_eq!((pace.in_flight, pace.next_at), (5000, None));
    }

    #[test]
    fn throttled_answers_to_one_volley_make_one_fall() {
        let start = Instant::now();
        let mut pace = with_in_flight(64, start);
        for _ in 0..64 {
            pace.answered(start, start + 10 * MS, Verdict::Throttled, None);
        }
        assert_eq!((pace.most_in_flight, pace.per_second), (32.0, 32.0));
        assert_eq!(pace.in_flight, 0);
        // The next one waits for its turn at the new rate, and its answer counts again.
        let next = start + 10 * MS + SECOND / 32;
        assert_eq!(pace.admit(start + 11 * MS), Err(Wait::Until(next)));
        assert_eq!(pace.admit(next), Ok(()));
        pace.answered(next, next + MS, Verdict::Throttled, None);
        assert_eq!((pace.most_in_flight, pace.per_second), (1.0, 16.0));
    }

    #[test]
    fn an_endpoint_that_always_throttles_is_asked_ten_times_a_second() {
        let mut now = Instant::now();
        let mut pace = Controller::default();
        let mut last = now;
        for asked in 0..100 {
            if let Err(Wait::Until(due)) = pace.admit(now) {
                now = due;
                assert_eq!(pace.admit(now), Ok(()));
            }
            assert!(asked < 2 || now >= last + SECOND / 10);
            last = now;
            now += MS;
            pace.answered(last, now, Verdict::Throttled, None);
        }
    }

    #[test]
    fn retry_after_holds_everything_back_up_to_a_limit() {
        let start = Instant::now();
        for (asked, held) in [(3, 3), (3600, 20)] {
            let mut pace = with_in_flight(2, start);
            let asked = Some(Duration::from_secs(asked));
            pace.answered(start, start, Verdict::Throttled, asked);
            let held = start + Duration::from_secs(held);
            assert_eq!(pace.admit(start), Err(Wait::Answer), "one is in flight");
            pace.answered(start, start, Verdict::Served, None);
            assert_eq!(pace.admit(start), Err(Wait::Until(held)));
            assert_eq!(pace.admit(held), Ok(()));
        }
    }

    #[test]
    fn answers_that_say_nothing_of_the_pace_leave_it_alone() {
        let start = Instant::now();
        let mut pace = with_in_flight(40, start);
        pace.answered(start, start, Verdict::Throttled, None);
        pace.answered(start, start, Verdict::Unknown, None);
        assert_eq!((pace.most_in_flight, pace.per_second), (20.0, 20.0));
    }

    #[test]
    fn enough_good_answers_lift_every_limit() {
        let mut now = Instant::now();
        let mut pace = Controller::default();
        for _ in 0..20 {
            let sent_at = now;
            now += MS;
            pace.answered(sent_at, now, Verdict::Throttled, None);
        }
        assert_eq!(
            (pace.most_in_flight, pace.per_second),
            (1.0, LEAST_PER_SECOND)
        );
        for _ in 0..600_000 {
            pace.answered(now, now, Verdict::Served, None);
        }
        assert!(pace.most_in_flight.is_infinite() && pace.per_second.is_infinite());
        now += 2 * SECOND;
        for _ in 0..2000 {
            assert_eq!(pace.admit(now), Ok(()));
        }
    }

    #[test]
    fn of_two_caps_the_lower_counts() {
        let mut pace = Controller::default();
        for per_second in [50, 10, 30] {
            pace.cap(per_second);
        }
        let start = Instant::now();
        let left = (0..1000)
            .filter(|ms| pace.admit(start + *ms * MS).is_ok())
            .count();
        assert_eq!(left, 11, "10 a second and the one due in the allowance");
    }

    /// A server that takes so many requests each `window` answers after `trip`;
    /// `workers` ask as fast as they may. Says how many were taken and throttled
    /// in `seconds`, and how many left in each second.
    fn night(
        workers: usize,
        trip: Duration,
        per_window: usize,
        window: Duration,
        seconds: u32,
    ) -> (usize, usize, Vec<usize>) {
        let start = Instant::now();
        let (mut now, end) = (start, start + seconds * SECOND);
        let mut pace = Controller::default();
        let mut flying: VecDeque<(Instant, bool)> = VecDeque::new();
        let (mut taken, mut throttled) = (0, 0);
        let (mut window_end, mut in_window) = (start + window, 0);
        let mut by_second = vec![0; seconds as usize];
        while now < end {
            while flying.front().is_some_and(|(sent, _)| *sent + trip <= now) {
                let (sent, served) = flying.pop_front().unwrap();
                let verdict = if served {
                    taken += 1;
                    Verdict::Served
                } else {
                    throttled += 1;
                    Verdict::Throttled
                };
                pace.answered(sent, now, verdict, None);
            }
            while flying.len() < workers && pace.admit(now).is_ok() {
                while now >= window_end {
                    (window_end, in_window) = (window_end + window, 0);
                }
                in_window += 1;
                flying.push_back((now, in_window <= per_window));
                by_second[usize::try_from((now - start).as_secs()).unwrap()] += 1;
            }
            now += MS;
        }
        (taken, throttled, by_second)
    }

    #[test]
    fn a_server_with_a_limit_is_used_well_and_rarely_asked_too_much() {
        let (taken, throttled, _) = night(64, 20 * MS, 100, SECOND, 120);
        let bearable = 120 * 100;
        assert!(taken * 10 > bearable * 6, "{taken} of {bearable}");
        assert!(throttled * 20 < taken, "{throttled} to {taken}");
    }

    proptest! {
        #[test]
        fn a_cap_is_never_exceeded_in_any_stretch(
            cap in 1_u32..200,
            gaps in prop::collection::vec(0_u32..80, 1..400),
        ) {
            let mut pace = Controller::default();
            pace.cap(cap);
            let start = Instant::now();
            let mut now = start;
            let mut left = Vec::new();
            for gap in gaps {
                now += gap * MS;
                if pace.admit(now).is_ok() {
                    left.push(now);
                    pace.answered(now, now, Verdict::Served, None);
                }
            }
            for (index, from) in left.iter().enumerate() {
                for (count, to) in (1_u32..).zip(&left[index..]) {
                    let stretch = (*to - *from + ALLOWANCE).as_secs_f64();
                    prop_assert!(f64::from(count) <= stretch * f64::from(cap) + 1.001);
                }
            }
        }

        #[test]
        fn whatever_comes_it_never_sticks(
            verdicts in prop::collection::vec((0_u8..3, 0_u64..30_000, 0_u32..200), 1..300),
        ) {
            let mut now = Instant::now();
            let mut pace = Controller::default();
            for (verdict, retry_after_ms, gap) in verdicts {
                let sent_at = match pace.admit(now) {
                    Ok(()) => now,
                    // With nothing in flight there is nothing to wait for but time,
                    // and never longer than the longest hold.
                    Err(Wait::Answer) => return Err(TestCaseError::fail("waits for nobody")),
                    Err(Wait::Until(due)) => {
                        prop_assert!(due <= now + LONGEST_HOLD);
                        prop_assert_eq!(pace.admit(due), Ok(()));
                        due
                    }
                };
                now = sent_at + gap * MS;
                let verdict = [Verdict::Served, Verdict::Throttled, Verdict::Unknown][usize::from(verdict)];
                let hold = Some(Duration::from_millis(retry_after_ms)).filter(|_| gap % 3 == 0);
                pace.answered(sent_at, now, verdict, hold);
                prop_assert!(pace.most_in_flight >= 1.0 && pace.per_second >= LEAST_PER_SECOND);
            }
        }

        #[test]
        fn a_server_with_any_limit_is_never_hammered(
            workers in 1_usize..100,
            trip in 1_u32..200,
            per_window in 10_usize..100,
        ) {
            let (taken, throttled, by_second) = night(workers, trip * MS, per_window, SECOND, 60);
            // Half of what it takes, or of what the workers can ask for.
            let most = (per_window * 60).min(workers * 60_000 / trip as usize);
            prop_assert!(taken * 4 >= most, "{taken} of {most}");
            // The first volley is not foreseen.
            prop_assert!(throttled <= 120 + workers * 2 + taken / 4, "{throttled} to {taken}");
            for sent in &by_second[10..] {
                prop_assert!(*sent <= per_window * 2 + 10, "{sent} in a second");
            }
        }
    }
}
