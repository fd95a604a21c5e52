//! How patiently a check is tried again.

use std::thread;
use std::time::{Duration, Instant};

use crate::model::Failure;

/// How often a check is tried that a passing trouble may have failed.
const TRIES: u32 = 6;

/// The longest pause before the second try; it doubles for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// From here on no further try begins but the second: a server that does not
/// answer at all must be found out soon, one lost answer must not cost a night.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tries a check again if a passing trouble may have failed it: some six times,
/// for some seconds, or as long as the server asks for.
///
/// # Errors
/// What the last try failed with.
pub fn tried<T>(mut check: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let began = Instant::now();
    let mut tries = 0;
    loop {
        tries += 1;
        let failure = match check() {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        match pause_before_next(tries, &failure, began.elapsed(), fastrand::f64()) {
            Some(pause) => thread::sleep(pause),
            None => return Err(failure),
        }
    }
}

/// How long to wait before a check is tried again that was tried `tries` times
/// and for `elapsed` in all; `None`: not again. `spread`, from 0 to 1, keeps
/// tasks that were refused together from coming back together.
///
/// | failure | then |
/// |--|--|
/// | will not pass (denied, missing, …) | not again |
/// | of the last try | not again |
/// | may pass | after half the doubling pause to all of it, at least what the server asked for |
/// | may pass, but the server asks for more than patience | not again |
/// | may pass, but patience would end before a third try or a later one | not again |
fn pause_before_next(
    tries: u32,
    failure: &Failure,
    elapsed: Duration,
    spread: f64,
) -> Option<Duration> {
    if !failure.may_pass() || tries >= TRIES {
        return None;
    }
    let longest = FIRST_PAUSE * 2_u32.pow(tries - 1);
    let asked = Duration::from_millis(failure.retry_after_ms.unwrap_or(0));
    let pause = asked.max(longest.mul_f64(0.5 + 0.5 * spread));
    // However long the first try took, for a stalled answer takes all its time.
    let waited = if tries == 1 { Duration::ZERO } else { elapsed };
    (waited + pause < PATIENCE).then_some(pause)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{FailureCause, Side};

    const ALL_OF_IT: f64 = 1.0;

    fn failure(cause: FailureCause) -> Failure {
        Failure::new(cause, "refused").at(Side::Destination)
    }

    fn pauses_ms(failure: &Failure) -> Vec<u128> {
        let mut elapsed = Duration::ZERO;
        let mut pauses = Vec::new();
        for tries in 1.. {
            let Some(pause) = pause_before_next(tries, failure, elapsed, ALL_OF_IT) else {
                break;
            };
            elapsed += pause;
            pauses.push(pause.as_millis());
        }
        pauses
    }

    #[test]
    fn what_may_pass_is_tried_six_times_with_growing_pauses() {
        for cause in [
            FailureCause::Throttled,
            FailureCause::ServerError,
            FailureCause::Network,
            FailureCause::Timeout,
        ] {
            let pauses = pauses_ms(&failure(cause));
            assert_eq!(pauses, [200, 400, 800, 1600, 3200], "{cause:?}");
        }
    }

    #[test]
    fn what_will_not_pass_is_not_tried_again() {
        for cause in [
            FailureCause::DestinationDenied,
            FailureCause::BucketMissing,
            FailureCause::CredentialsRefused,
        ] {
            assert_eq!(pauses_ms(&failure(cause)), [0; 0], "{cause:?}");
        }
        let mut refused_condition = failure(FailureCause::ServerError);
        refused_condition.http_status = Some(412);
        assert_eq!(pauses_ms(&refused_condition), [0; 0]);
    }

    #[test]
    fn what_the_server_asks_for_is_waited_as_long_as_patience_lasts() {
        let mut throttled = failure(FailureCause::Throttled);
        throttled.retry_after_ms = Some(6_000);
        assert_eq!(pauses_ms(&throttled), [6_000, 6_000, 6_000]);
        throttled.retry_after_ms = Some(3_600_000);
        assert_eq!(pauses_ms(&throttled), [0; 0]);
    }

    #[test]
    fn one_lost_answer_is_made_up_for_and_a_second_is_not() {
        let timeout = failure(FailureCause::Timeout);
        let elapsed = Duration::from_secs(40);
        let after = |tries| pause_before_next(tries, &timeout, elapsed, 0.0);
        assert_eq!(after(1), Some(Duration::from_millis(100)));
        assert_eq!(after(2), None);
    }

    proptest! {
        #[test]
        fn all_tries_end_within_patience(
            tries in 1..50_u32,
            retry_after_ms in proptest::option::of(any::<u64>()),
            elapsed_ms in 0..100_000_u64,
            spread in 0.0..=1.0,
        ) {
            let failure = Failure { retry_after_ms, ..failure(FailureCause::Throttled) };
            let elapsed = Duration::from_millis(elapsed_ms);
            if let Some(pause) = pause_before_next(tries, &failure, elapsed, spread) {
                prop_assert!(tries < TRIES && pause < PATIENCE);
                prop_assert!(tries == 1 || elapsed + pause < PATIENCE);
                prop_assert!(pause >= Duration::from_millis(retry_after_ms.unwrap_or(0)));
                prop_assert!(pause >= FIRST_PAUSE / 2);
            }
        }
    }
}
