use proptest::prelude::*;

use super::*;

fn books(taken: u64, synced: u64, ignored: u64, synced_bytes: u64) -> RunBooks {
    RunBooks {
        taken,
        synced,
        ignored,
        deferred: taken.saturating_sub(synced).saturating_sub(ignored),
        synced_bytes,
        ..RunBooks::default()
    }
}

/// A run that settled so many names in so many seconds, nine in ten by copying 1 MB.
fn night(names: u64, seconds: u64) -> PastNight {
    let copied = names * 9 / 10;
    PastNight {
        books: books(names, copied, names - copied, copied * 1_000_000),
        duration_ms: Some(seconds * 1000),
    }
}

fn pending(pending: u64) -> Queue {
    let arrived = pending;
    Queue::Expected { pending, arrived }
}

const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

fn in_seconds(seconds: i64) -> Timestamp {
    NOW.plus_ms(seconds * 1000)
}

/// Seconds until all is settled, in the middle and nine times in ten.
fn done_in(forecast: &Forecast) -> (u64, u64) {
    let seconds = |at| until(NOW, at) / 1000;
    (seconds(forecast.done_at.p50), seconds(forecast.done_at.p90))
}

/// Twelve nights of 800 to 1,200 names, a second each, off by a twentieth at most.
fn steady() -> History {
    let nights: Vec<PastNight> = (0..12_u64)
        .map(|n| {
            let names = 800 + n * 157 % 400;
            night(names, names * (95 + n * 7 % 11) / 100)
        })
        .collect();
    History::learn(&nights)
}

#[test]
fn a_steady_history_tells_the_end_closely() {
    let forecast = steady().forecast(pending(2_000), NOW, None).unwrap();
    let (p50, p90) = done_in(&forecast);
    assert!((1_800..2_100).contains(&p50), "{p50}");
    assert!((p50 + 100..2_500).contains(&p90), "{p90}");
    assert_eq!(forecast.names.p50, 2_000);
    assert!((1_700..1_900).contains(&(forecast.bytes.p50 / 1_000_000)));
    assert_eq!((forecast.deferred.p90, forecast.nights), (0, 12));
}

#[test]
fn what_is_not_done_when_time_is_up_is_deferred() {
    let half = steady().forecast(pending(2_000), NOW, Some(in_seconds(1_000)));
    let half = half.unwrap().deferred;
    assert!((900..1_100).contains(&half.p50), "{half:?}");
    assert!((half.p50..1_250).contains(&half.p90), "{half:?}");
    let none = steady().forecast(pending(2_000), NOW, Some(in_seconds(4_000)));
    assert_eq!(none.unwrap().deferred.p90, 0);
    let all = steady().forecast(pending(2_000), NOW, Some(in_seconds(-5)));
    assert_eq!(all.unwrap().deferred.p50, 2_000);
}

#[test]
fn with_fewer_than_three_telling_nights_nothing_is_foretold() {
    let silent = PastNight {
        duration_ms: None,
        ..night(1_000, 1_000)
    };
    let empty = PastNight {
        books: books(9, 0, 0, 0),
        duration_ms: Some(4_000),
    };
    let two = [night(900, 900), silent, night(800, 800), empty, silent];
    let history = History::learn(&two);
    let unknown = history.forecast(pending(5), NOW, None).unwrap_err();
    assert_eq!(unknown, Unknown::TooFewNights(2));
    assert!(history.nights_until_done(5, 1_000).is_err());
    let three = [two.as_slice(), &[night(700, 700)]].concat();
    let forecast = History::learn(&three).forecast(pending(5), NOW, None);
    assert_eq!(forecast.unwrap().nights, 3);
}

#[test]
fn copies_that_were_never_made_cannot_be_foretold() {
    let ignoring = PastNight {
        books: books(1_000, 0, 1_000, 0),
        duration_ms: Some(10_000),
    };
    let history = History::learn(&[ignoring; 5]);
    let queue = |copies| Queue::Rehearsed {
        taken: 100,
        copies,
        copy_bytes: copies * 1_000,
    };
    let unknown = history.forecast(queue(1), NOW, None).unwrap_err();
    assert_eq!(unknown, Unknown::NeverCopied);
    assert!(history.forecast(queue(0), NOW, None).is_ok());
}

#[test]
fn what_usually_comes_in_is_expected_less_what_has_come() {
    let names = |pending, arrived| {
        let queue = Queue::Expected { pending, arrived };
        steady().forecast(queue, NOW, None).unwrap().names
    };
    let nothing = names(0, 0);
    assert!((900..1_100).contains(&nothing.p50), "{nothing:?}");
    assert!((nothing.p50..1_300).contains(&nothing.p90), "{nothing:?}");
    assert_eq!(names(600, 600), nothing);
    // Left by the last run, so just as many come in.
    assert_eq!(names(600, 0).p50, nothing.p50 + 600);
    // More than ever.
    assert_eq!(
        names(7_000, 7_000),
        Likely {
            p50: 7_000,
            p90: 7_000
        }
    );
}

#[test]
fn a_rehearsal_knows_the_work() {
    // A copy takes a second, a name that is left alone a hundredth.
    let mixed: Vec<PastNight> = (0..10_u64)
        .map(|n| {
            let copied = 100 + n * 389 % 900;
            PastNight {
                books: books(1_000, copied, 1_000 - copied, copied * 1_000),
                duration_ms: Some(copied * 1_000 + (1_000 - copied) * 10),
            }
        })
        .collect();
    let history = History::learn(&mixed);
    let copies = |copies| Queue::Rehearsed {
        taken: 1_000,
        copies,
        copy_bytes: copies * 1_000,
    };
    for (copied, seconds) in [(50, 40..80), (900, 850..960)] {
        let forecast = history.forecast(copies(copied), NOW, None).unwrap();
        let (p50, p90) = done_in(&forecast);
        assert!(seconds.contains(&p50), "{copied}: {p50}");
        assert!(p90 < p50 * 3 / 2, "{p50} {p90}");
        assert_eq!(forecast.bytes.p90, copied * 1_000);
    }
    // Who knows the names alone is less sure.
    let names = history.forecast(pending(1_000), NOW, None).unwrap();
    let (p50, p90) = done_in(&names);
    assert!(p90 > p50 * 3 / 2, "{p50} {p90}");
}

#[test]
fn a_run_at_work_is_more_and_more_judged_by_its_own_pace() {
    // Half as fast as any night before.
    let left = |settled: u64, seconds: u64| {
        let queue = Queue::UnderWay {
            books: RunBooks {
                deferred: 1_000 - settled,
                taken: 1_000,
                ..night(settled, 0).books
            },
            elapsed_ms: settled * seconds * 1000,
        };
        let forecast = steady().forecast(queue, NOW, None).unwrap();
        assert_eq!(forecast.names.p90, 1_000);
        let (p50, p90) = done_in(&forecast);
        (100 * p50 / (1_000 - settled), p90 - p50)
    };
    let [begun, quarter, late] = [10, 250, 900].map(|settled| left(settled, 2));
    assert!((85..115).contains(&begun.0), "{begun:?}");
    assert!((100..135).contains(&quarter.0), "{quarter:?}");
    assert!((140..200).contains(&late.0), "{late:?}");
    // As fast as ever: the nearer the end, the surer it is.
    let [begun, quarter, late] = [10, 250, 900].map(|settled| left(settled, 1));
    assert!(begun.1 > quarter.1 && quarter.1 > 2 * late.1);
}

#[test]
fn names_that_are_left_as_they_are_come_first_and_promise_no_quick_end() {
    // Of each night's names a third are there already, which takes no time.
    let nights: Vec<PastNight> = (0..12_u64)
        .map(|n| {
            let copied = 400 + n * 157 % 400;
            PastNight {
                books: books(copied * 3 / 2, copied, copied / 2, copied * 1_000),
                duration_ms: Some(copied * 1_000),
            }
        })
        .collect();
    let queue = Queue::UnderWay {
        books: books(1_500, 0, 500, 0),
        elapsed_ms: 2_000,
    };
    let forecast = History::learn(&nights).forecast(queue, NOW, None);
    let (p50, p90) = done_in(&forecast.unwrap());
    assert!((650..1_000).contains(&p50), "{p50}");
    assert!((800..1_300).contains(&p90), "{p90}");
}

#[test]
fn of_equally_likely_values_the_middle_and_nine_in_ten_are_told() {
    let values: Vec<u64> = (1..=400).rev().collect();
    assert_eq!(Likely::of(values), Likely { p50: 200, p90: 360 });
    assert_eq!(Likely::of(vec![u64::MAX; 20]).p90, u64::MAX);
    assert_eq!(Likely::of(Vec::new()), Likely { p50: 0, p90: 0 });
}

#[test]
fn nights_that_are_too_short_need_several_turns() {
    let nights = |pending, seconds: u64| {
        let nights = steady().nights_until_done(pending, seconds * 1000);
        nights.unwrap()
    };
    assert_eq!(nights(100, 2_000), Some(1));
    assert_eq!(nights(3_000, 2_000), Some(2));
    assert_eq!(nights(5_000, 2_000), Some(3));
    // A tenth of what comes in each night.
    assert_eq!(nights(100_000, 100), None);
    assert_eq!(nights(100, 0), None);
}

fn any_count() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0_u64..10_000,
        1 => Just(0_u64),
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ]
}

fn any_books() -> impl Strategy<Value = RunBooks> {
    // What a ledger can hold.
    let part = || any_count().prop_map(|count| count / 8);
    (part(), part(), part(), part(), any_count()).prop_map(
        |(synced, failed, ignored, deferred, synced_bytes)| RunBooks {
            taken: synced + failed + ignored + deferred,
            synced,
            failed,
            ignored,
            deferred,
            synced_bytes,
        },
    )
}

fn any_past() -> impl Strategy<Value = Vec<PastNight>> {
    let night = (any_books(), proptest::option::weighted(0.8, any_count()))
        .prop_map(|(books, duration_ms)| PastNight { books, duration_ms });
    proptest::collection::vec(night, 3..40)
}

fn any_queue() -> impl Strategy<Value = Queue> {
    prop_oneof![
        (any_count(), any_count())
            .prop_map(|(pending, arrived)| Queue::Expected { pending, arrived }),
        (any_count(), any_count(), any_count()).prop_map(|(taken, copies, copy_bytes)| {
            Queue::Rehearsed {
                taken,
                copies,
                copy_bytes,
            }
        }),
        (any_books(), any_count())
            .prop_map(|(books, elapsed_ms)| Queue::UnderWay { books, elapsed_ms }),
    ]
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (-10_000_000_i64..10_000_000).prop_map(|ms| NOW.plus_ms(ms)),
        any::<i64>().prop_map(Timestamp::from_ms),
    ]
}

fn with_more(queue: Queue, more: u64) -> Queue {
    let add = |count: u64| count.saturating_add(more);
    match queue {
        Queue::Expected { pending, arrived } => Queue::Expected {
            pending: add(pending),
            arrived,
        },
        Queue::Rehearsed {
            taken,
            copies,
            copy_bytes,
        } => Queue::Rehearsed {
            taken: add(taken),
            copies,
            copy_bytes,
        },
        at_work @ Queue::UnderWay { .. } => at_work,
    }
}

proptest! {
    #[test]
    fn whatever_happened_a_forecast_holds_together(
        past in any_past(), queue in any_queue(), from in any_time(),
        deadline in proptest::option::of(any_time()),
    ) {
        let history = History::learn(&past);
        let Ok(forecast) = history.forecast(queue, from, deadline) else {
            return Ok(());
        };
        let Forecast { names, bytes, done_at, deferred, nights } = forecast;
        prop_assert!(names.p50 <= names.p90);
        prop_assert!(bytes.p50 <= bytes.p90);
        prop_assert!(from <= done_at.p50 && done_at.p50 <= done_at.p90);
        prop_assert!(deferred.p50 <= deferred.p90);
        prop_assert!(deferred.p50 <= names.p50 && deferred.p90 <= names.p90);
        prop_assert!((FEWEST_NIGHTS..=MOST_NIGHTS).contains(&nights));
        if let Queue::UnderWay { books, .. } = queue {
            prop_assert!(deferred.p90 <= books.deferred);
            prop_assert!(bytes.p50 >= books.synced_bytes);
        }
        prop_assert_eq!(history.forecast(queue, from, deadline), Ok(forecast));
        prop_assert_eq!(History::learn(&past).forecast(queue, from, deadline), Ok(forecast));
        if let Queue::Expected { pending, .. } = queue {
            let nights = history.nights_until_done(pending, until(from, done_at.p90));
            prop_assert!(nights.unwrap().is_none_or(|nights| (1..=NIGHTS_AHEAD).contains(&nights)));
        }
    }

    #[test]
    fn more_names_never_end_earlier_nor_leave_less(
        past in any_past(), queue in any_queue(), from in any_time(),
        deadline in proptest::option::of(any_time()), more in any_count(),
    ) {
        let history = History::learn(&past);
        let less = history.forecast(queue, from, deadline);
        let more = history.forecast(with_more(queue, more), from, deadline);
        prop_assert_eq!(less.is_ok(), more.is_ok());
        if let (Ok(less), Ok(more)) = (less, more) {
            prop_assert!(less.done_at.p50 <= more.done_at.p50);
            prop_assert!(less.done_at.p90 <= more.done_at.p90);
            prop_assert!(less.names.p50 <= more.names.p50);
            prop_assert!(less.bytes.p90 <= more.bytes.p90);
        }
    }

    #[test]
    fn less_time_never_leaves_less(
        past in any_past(), queue in any_queue(), from in any_time(),
        deadline in any_time(), later_ms in 0_i64..1_000_000_000,
    ) {
        let history = History::learn(&past);
        let soon = history.forecast(queue, from, Some(deadline));
        let late = history.forecast(queue, from, Some(deadline.plus_ms(later_ms)));
        if let (Ok(soon), Ok(late)) = (soon, late) {
            prop_assert!(soon.deferred.p50 >= late.deferred.p50);
            prop_assert!(soon.deferred.p90 >= late.deferred.p90);
        }
    }
}
