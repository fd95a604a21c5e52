//! How often a token may be tried at the sign-in form.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong ones that are borne at once, and how long each is held against all.
const AT_ONCE: u32 = 10;
const EACH: Duration = Duration::from_secs(1);

/// Wrong tries so far, in one number however many there are. They are not told
/// apart by who tries: behind a proxy all come from one address. Who has signed
/// in, and whoever sends names, is not held up.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<Option<Instant>>);

impl Guesses {
    /// Counts a try at `now`; whether it may be looked at. Counted before, so that
    /// tries at the same time are not more.
    pub(super) fn may_try(&self, now: Instant) -> bool {
        let mut clear_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let after = clear_at.unwrap_or(now).max(now) + EACH;
        if after > now + EACH * AT_ONCE {
            return false;
        }
        *clear_at = Some(after);
        true
    }

    /// Takes one back that was right.
    pub(super) fn was_right(&self) {
        let mut clear_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *clear_at = clear_at.and_then(|clear_at| clear_at.checked_sub(EACH));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_tries_are_borne_at_once_and_one_a_second_from_then_on() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for _ in 0..10 {
            assert!(guesses.may_try(now));
        }
        assert!(!guesses.may_try(now));
        assert!(!guesses.may_try(now + EACH / 2));
        assert!(guesses.may_try(now + EACH));
        assert!(!guesses.may_try(now + EACH));
        for _ in 0..10 {
            assert!(guesses.may_try(now + EACH * 11));
        }
        assert!(!guesses.may_try(now + EACH * 11));
    }

    #[test]
    fn right_ones_are_not_counted() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for _ in 0..100 {
            assert!(guesses.may_try(now));
            guesses.was_right();
        }
    }
}
