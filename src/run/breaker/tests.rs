use proptest::prelude::*;

use super::*;
use crate::model::{Copied, ETag, IgnoreReason, Timestamp, Verified};

fn attempt(number: u64, outcome: Outcome) -> Attempt {
    Attempt {
        name: ObjectName::from_checked(format!("{number:04}")),
        at: Timestamp::from_ms(i64::try_from(number).unwrap()),
        outcome,
        source: None,
        destination: None,
        suspect: false,
        server_request_id: None,
        duration_ms: 0,
        retries: 0,
        throttled: 0,
    }
}

fn synced() -> Outcome {
    Outcome::Synced(Copied {
        copy_etag: ETag::new("x"),
        verified: Verified::EtagMd5,
        size_bytes: 1,
    })
}

fn ignored() -> Outcome {
    Outcome::Ignored(IgnoreReason::Exists)
}

fn failure_at(side: Side, cause: FailureCause) -> Failure {
    Failure::new(cause, format!("{cause} said")).at(side)
}

fn failed(side: Side, cause: FailureCause) -> Outcome {
    Outcome::Failed(failure_at(side, cause))
}

fn denied() -> Outcome {
    failed(Side::Source, FailureCause::SourceDenied)
}

/// A breaker that has seen so many outcomes like this, and what it let through.
fn after(count: u64, outcome: &Outcome) -> (Breaker, Vec<u64>) {
    let mut breaker = Breaker::new();
    let mut passed = Vec::new();
    for number in 0..count {
        passed.extend(places(
            &breaker.pass(number, attempt(number, outcome.clone())),
        ));
    }
    (breaker, passed)
}

fn places(attempts: &[Placed]) -> Vec<u64> {
    attempts.iter().map(|(place, _)| *place).collect()
}

#[test]
fn twenty_failures_in_a_row_have_the_side_asked() {
    let (mut breaker, passed) = after(19, &denied());
    assert_eq!(breaker.due(false), None);
    assert_eq!(passed, [0; 0]);
    assert_eq!(places(&breaker.pass(19, attempt(19, denied()))), [0; 0]);
    assert_eq!(breaker.due(false), Some(Side::Source));
    assert!(breaker.is_probing());
    assert_eq!(breaker.due(false), None, "one probe at a time");
}

#[test]
fn a_probe_that_fails_leaves_the_streak_and_all_that_follows_of_its_side() {
    let (mut breaker, _) = after(20, &denied());
    let side = breaker.due(false).unwrap();
    let refusal = failure_at(side, FailureCause::CredentialsRefused);
    assert_eq!(breaker.probed(side, Err(refusal)), []);
    assert_eq!(
        breaker.open(),
        Some(&OpenBreaker {
            side: Side::Source,
            cause: FailureCause::SourceDenied,
            since: Timestamp::from_ms(0),
            failures: 20,
            message: "source_denied said".to_owned(),
        })
    );
    assert_eq!(breaker.pass(20, attempt(20, denied())), []);
    assert_eq!(places(&breaker.pass(21, attempt(21, synced()))), [21]);
    let other = failed(Side::Destination, FailureCause::Throttled);
    assert_eq!(breaker.pass(22, attempt(22, other)), []);
    assert_eq!(places(&breaker.rest(true)), [22]);
}

#[test]
fn a_probe_that_ends_well_fails_the_streak_and_the_next_is_longer() {
    let (mut breaker, _) = after(20, &denied());
    for expected in [40, 80, 160, 320, 640, 1280, 1280] {
        let side = breaker.due(false).unwrap();
        assert!(breaker.probed(side, Ok(())).len() >= 20);
        for number in 1..expected {
            assert_eq!(breaker.pass(number, attempt(number, denied())), []);
            assert_eq!(breaker.due(false), None);
        }
        assert_eq!(breaker.pass(0, attempt(0, denied())), []);
    }
    assert_eq!(breaker.pass(0, attempt(0, synced())).len(), 1281);
    for number in 0..20 {
        assert_eq!(breaker.due(false), None);
        assert_eq!(breaker.pass(number, attempt(number, denied())), []);
    }
    assert_eq!(breaker.due(false), Some(Side::Source));
}

#[test]
fn a_probe_that_fails_for_a_cause_of_its_own_opens_nothing() {
    for failure in [
        failure_at(Side::Source, FailureCause::BadRequest),
        failure_at(Side::Destination, FailureCause::Throttled),
        Failure::new(FailureCause::Internal, "a panic"),
    ] {
        let (mut breaker, _) = after(20, &denied());
        let side = breaker.due(false).unwrap();
        assert_eq!(breaker.probed(side, Err(failure)).len(), 20);
        assert_eq!(breaker.open(), None);
    }
}

#[test]
fn a_full_destination_is_full_even_if_it_takes_a_canary() {
    let full = failed(Side::Destination, FailureCause::DestinationFull);
    let (mut breaker, _) = after(20, &full);
    let side = breaker.due(false).unwrap();
    assert_eq!(breaker.probed(side, Ok(())), []);
    let open = breaker.open().unwrap();
    assert_eq!(open.cause, FailureCause::DestinationFull);
}

#[test]
fn a_copy_fails_what_was_held_before_it() {
    let (mut breaker, _) = after(19, &denied());
    assert_eq!(places(&breaker.pass(19, attempt(19, ignored()))), [19]);
    let released = breaker.pass(20, attempt(20, synced()));
    let expected: Vec<u64> = (0..19).chain([20]).collect();
    assert_eq!(places(&released), expected);
    assert_eq!(breaker.due(true), None);
}

#[test]
fn a_copy_that_arrives_during_a_probe_leaves_the_word_to_the_probe() {
    let (mut breaker, _) = after(20, &denied());
    let side = breaker.due(false).unwrap();
    assert_eq!(places(&breaker.pass(20, attempt(20, synced()))), [20]);
    assert_eq!(breaker.held(side).len(), 20);
}

#[test]
fn at_the_end_three_have_the_side_asked_and_two_have_failed() {
    let (mut breaker, _) = after(3, &denied());
    assert_eq!(breaker.due(false), None);
    assert_eq!(breaker.due(true), Some(Side::Source));
    let (mut breaker, _) = after(2, &denied());
    assert_eq!(breaker.due(true), None);
    assert_eq!(places(&breaker.rest(false)), [0, 1]);
}

#[test]
fn a_run_that_is_stopped_before_it_could_ask_leaves_three_and_fails_two() {
    assert_eq!(places(&after(3, &denied()).0.rest(true)), [0; 0]);
    assert_eq!(places(&after(2, &denied()).0.rest(true)), [0, 1]);
}

#[test]
fn what_is_one_objects_fault_is_no_sides() {
    let of_one_object: Vec<&str> = FailureCause::ALL
        .iter()
        .filter(|&&cause| suspect(&failure_at(Side::Source, cause)).is_none())
        .map(|cause| cause.as_str())
        .collect();
    assert_eq!(
        of_one_object,
        [
            "source_missing",
            "source_archived",
            "source_changed",
            "integrity",
            "metadata_refused",
            "too_large",
            "bad_request",
            "internal"
        ]
    );
    assert_eq!(suspect(&Failure::new(FailureCause::Network, "")), None);
    let missing = failed(Side::Source, FailureCause::SourceMissing);
    assert_eq!(after(300, &missing).1.len(), 300);
}

/// What may happen to a breaker.
#[derive(Debug, Clone)]
enum Happens {
    Comes(Outcome),
    ProbeAnswers(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    let cause = proptest::sample::select(FailureCause::ALL);
    let side = proptest::sample::select(Side::ALL);
    prop_oneof![
        2 => Just(Happens::Comes(synced())),
        2 => Just(Happens::Comes(ignored())),
        40 => (side, cause).prop_map(|(side, cause)| Happens::Comes(failed(side, cause))),
        4 => any::<bool>().prop_map(Happens::ProbeAnswers),
    ]
}

proptest! {
    #[test]
    fn every_attempt_is_recorded_once_or_left_for_a_cause_of_the_open_side(
        story in proptest::collection::vec(happens(), 0..400),
        at_end in any::<bool>(),
        stopped in any::<bool>(),
    ) {
        let mut breaker = Breaker::new();
        let mut asked = None;
        let mut refused = false;
        let mut recorded = Vec::new();
        let mut came = Vec::new();
        for happens in story {
            match happens {
                Happens::Comes(outcome) => {
                    let place = came.len() as u64;
                    came.push(outcome.clone());
                    let passed = breaker.pass(place, attempt(place, outcome.clone()));
                    let at_once = places(&passed).contains(&place);
                    let suspected = match &outcome {
                        Outcome::Failed(failure) => suspect(failure),
                        _ => None,
                    };
                    prop_assert_eq!(at_once, suspected.is_none());
                    recorded.extend(places(&passed));
                }
                Happens::ProbeAnswers(well) => {
                    if let Some(side) = asked.take() {
                        refused |= !well;
                        let answer = if well {
                            Ok(())
                        } else {
                            Err(failure_at(side, FailureCause::Timeout))
                        };
                        recorded.extend(places(&breaker.probed(side, answer)));
                    }
                }
            }
            asked = breaker.due(at_end).or(asked);
            for side in Side::ALL {
                // Without a probe under way nothing more comes than the threshold.
                prop_assert!(asked.is_some() || breaker.open().is_some()
                    || breaker.held(*side).len() < MOST_HELD);
            }
        }
        let open = breaker.open().map(|open| open.side);
        prop_assert!(open.is_none() || refused || open == Some(Side::Destination));
        recorded.extend(places(&breaker.rest(stopped)));
        let count = recorded.len();
        recorded.sort_unstable();
        recorded.dedup();
        prop_assert_eq!(recorded.len(), count, "recorded twice");
        for (place, outcome) in came.iter().enumerate() {
            if !recorded.contains(&(place as u64)) {
                let Outcome::Failed(failure) = outcome else {
                    return Err(TestCaseError::fail("an outcome that is no failure was left"));
                };
                let side = suspect(failure);
                prop_assert!(side.is_some());
                prop_assert!(stopped || side == open);
            }
        }
    }
}
