//! Who has signed in: a random value each, of which only the hash is kept.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::model::Timestamp;
use crate::secret::Secret;

/// How long a session lasts.
pub(super) const LASTS_MS: i64 = 12 * 3_600_000;

/// Sessions at one time; one more ends the oldest.
const MOST: usize = 1_000;

/// Random bytes of a session's value.
const VALUE_BYTES: usize = 32;

type Hash = [u8; 32];

/// The sessions that have begun and not ended, by the hash of their value: to
/// look one up takes no longer or shorter for what is nearly right.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<Hash, Timestamp>>);

impl Sessions {
    /// Begins one; answers its value.
    pub(super) fn begin(&self, now: Timestamp) -> Result<Secret, getrandom::Error> {
        let mut random = [0; VALUE_BYTES];
        getrandom::fill(&mut random)?;
        let mut value = String::with_capacity(2 * VALUE_BYTES);
        for byte in random {
            // Writing to a string cannot fail.
            let _ = write!(value, "{byte:02x}");
        }
        let mut ends = self.ends();
        ends.retain(|_, ends_at| *ends_at > now);
        if ends.len() >= MOST
            && let Some(oldest) = ends.iter().min_by_key(|(_, ends_at)| **ends_at)
        {
            let oldest = *oldest.0;
            ends.remove(&oldest);
        }
        ends.insert(hash(&value), now.plus_ms(LASTS_MS));
        Ok(Secret::new(value))
    }

    /// Whether this is the value of one that lasts still.
    pub(super) fn is_known(&self, value: &str, now: Timestamp) -> bool {
        self.ends()
            .get(&hash(value))
            .is_some_and(|ends_at| *ends_at > now)
    }

    /// Ends the one with this value.
    pub(super) fn end(&self, value: &str) {
        self.ends().remove(&hash(value));
    }

    fn ends(&self) -> MutexGuard<'_, HashMap<Hash, Timestamp>> {
        // Nothing is left half done in here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(value: &str) -> Hash {
    Sha256::digest(value).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_until_its_time_or_its_end() {
        let sessions = Sessions::default();
        let now = Timestamp::from_ms(1_000);
        let one = sessions.begin(now).unwrap();
        let other = sessions.begin(now).unwrap();
        assert_ne!(one.reveal(), other.reveal());
        assert!(sessions.is_known(one.reveal(), now.plus_ms(LASTS_MS - 1)));
        assert!(!sessions.is_known(one.reveal(), now.plus_ms(LASTS_MS)));
        sessions.end(one.reveal());
        assert!(!sessions.is_known(one.reveal(), now));
        assert!(sessions.is_known(other.reveal(), now));
        assert!(!sessions.is_known("", now));
        assert!(!sessions.is_known(&other.reveal()[1..], now));
    }

    #[test]
    fn there_are_so_many_and_the_oldest_gives_way() {
        let sessions = Sessions::default();
        let begin = |ms| sessions.begin(Timestamp::from_ms(ms)).unwrap();
        let first = begin(0);
        let second = begin(1);
        for ms in 2..=1_000 {
            begin(ms);
        }
        let now = Timestamp::from_ms(1_000);
        assert_eq!(sessions.ends().len(), MOST);
        assert!(!sessions.is_known(first.reveal(), now));
        assert!(sessions.is_known(second.reveal(), now));
    }
}
