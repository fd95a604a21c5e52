//! What callers do again and again, said at most once a minute and counted
//! meanwhile, so that no caller can fill a log.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long nothing more is said of a subject.
const SILENCE: Duration = Duration::from_mins(1);

/// How often it is looked whether there is something left to be said.
const LOOK: Duration = Duration::from_secs(5);

/// What a line is about: a word for what happens, and the task or token that it
/// happens to, both out of few.
pub(super) type Subject = (&'static str, Option<String>);

/// What has been said of late.
#[derive(Default)]
pub(super) struct Notices(Mutex<HashMap<Subject, Said>>);

/// A subject of which something was said.
struct Said {
    at: Instant,
    /// How often it happened since.
    more: u64,
    /// The last that was to be said.
    last: String,
}

impl Notices {
    /// Says `text`, or counts `times` of it.
    pub(super) fn note(&self, subject: Subject, times: u64, text: String) {
        if let Some(text) = self.note_at(subject, times, text, Instant::now()) {
            tracing::warn!("{text}");
        }
    }

    /// Says by and by what was only counted. Never ends.
    pub(super) async fn say_by_and_by(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            self.say(Instant::now());
        }
    }

    /// Says what is left to be said.
    pub(super) fn say_rest(&self) {
        self.say(Instant::now() + SILENCE);
    }

    fn say(&self, now: Instant) {
        for text in self.due(now) {
            tracing::warn!("{text}");
        }
    }

    /// What is to be said at once, if anything is.
    fn note_at(&self, subject: Subject, times: u64, text: String, now: Instant) -> Option<String> {
        let mut all = self.all();
        if let Some(said) = all.get_mut(&subject) {
            said.more += times;
            said.last = text;
            return None;
        }
        let said = Said {
            at: now,
            more: 0,
            last: String::new(),
        };
        all.insert(subject, said);
        Some(counted(text, times))
    }

    /// What is to be said by now of what was counted. Of what has not happened
    /// again the next time is said at once.
    fn due(&self, now: Instant) -> Vec<String> {
        let mut texts = Vec::new();
        self.all().retain(|_, said| {
            if now.duration_since(said.at) < SILENCE {
                return true;
            }
            let more = std::mem::take(&mut said.more);
            if more > 0 {
                texts.push(counted(std::mem::take(&mut said.last), more));
                said.at = now;
            }
            more > 0
        });
        texts.sort();
        texts
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Subject, Said>> {
        // Nothing is left half done in here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `text`, and how often it happened if not once.
fn counted(text: String, times: u64) -> String {
    match times {
        0 | 1 => text,
        _ => format!("{text} (the last of {times})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Subject = ("one", None);

    #[test]
    fn the_first_is_said_at_once_and_others_together_a_minute_later() {
        let notices = Notices::default();
        let start = Instant::now();
        let note = |text: &str, after| notices.note_at(ONE, 1, text.to_owned(), start + after);
        assert_eq!(note("a", Duration::ZERO).unwrap(), "a");
        assert_eq!(note("b", Duration::from_secs(1)), None);
        assert_eq!(note("c", Duration::from_secs(59)), None);
        assert_eq!(notices.due(start + Duration::from_secs(59)), [""; 0]);
        assert_eq!(notices.due(start + SILENCE), ["c (the last of 2)"]);
        assert_eq!(notices.due(start + SILENCE), [""; 0]);
        // So it goes on as long as it happens.
        assert_eq!(note("d", SILENCE), None);
        assert_eq!(notices.due(start + 2 * SILENCE), ["d"]);
        assert_eq!(notices.due(start + 3 * SILENCE), [""; 0]);
        assert_eq!(note("e", 3 * SILENCE).unwrap(), "e");
    }

    #[test]
    fn each_subject_is_said_by_itself() {
        let notices = Notices::default();
        let now = Instant::now();
        let other = ("one", Some("photos".to_owned()));
        assert!(notices.note_at(ONE, 1, "a".to_owned(), now).is_some());
        let both = notices.note_at(other.clone(), 2, "b".to_owned(), now);
        assert_eq!(both.unwrap(), "b (the last of 2)");
        assert_eq!(notices.note_at(other, 3, "c".to_owned(), now), None);
        assert_eq!(notices.note_at(ONE, 1, "d".to_owned(), now), None);
        assert_eq!(notices.due(now + SILENCE), ["c (the last of 3)", "d"]);
    }
}
