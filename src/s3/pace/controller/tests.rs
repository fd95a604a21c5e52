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
