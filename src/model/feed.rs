//! Whether names still come in for a task as they are expected to.

use std::time::Duration;

use super::time::Timestamp;

/// What is known of the names that come in for a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Feed {
    /// When names were last taken in; `None`: never.
    pub last_requested: Option<Timestamp>,
    /// When the task was first known; `None`: it is not.
    pub entered: Option<Timestamp>,
    /// When it was last resumed; `None`: it never was paused.
    pub resumed: Option<Timestamp>,
    /// Whether it is paused now.
    pub is_paused: bool,
}

/// Nothing was asked for longer than is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// Since when, in milliseconds.
    pub lasts_ms: i64,
    /// The longest that was expected.
    pub expected: Duration,
    /// Whether anything was ever asked for.
    pub had_begun: bool,
}

impl Feed {
    /// Whether the feed is silent at `now`, if a list is `expected` within some time.
    ///
    /// The time counts from the latest of: names were last taken in, the task was
    /// first known, it was resumed. So a new task and one that rested have a whole
    /// such time to begin with.
    ///
    /// | expected | paused | that was | silent |
    /// |--|--|--|--|
    /// | not said | | | no |
    /// | within a time | yes | | no |
    /// | within a time | no | never: the task is not known | no |
    /// | within a time | no | at most so long ago | no |
    /// | within a time | no | longer ago | yes |
    #[must_use]
    pub fn silence(&self, expected: Option<Duration>, now: Timestamp) -> Option<Silence> {
        let expected = expected.filter(|_| !self.is_paused)?;
        let since = [self.last_requested, self.entered, self.resumed];
        let since = since.into_iter().flatten().max()?;
        let lasts_ms = now.ms() - since.ms();
        let is_longer = u128::try_from(lasts_ms).is_ok_and(|ms| ms > expected.as_millis());
        is_longer.then_some(Silence {
            lasts_ms,
            expected,
            had_begun: self.last_requested.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Option<Duration> = Some(Duration::from_hours(24));
    const DAY_MS: i64 = 86_400_000;

    fn feed(last_requested: Option<i64>, entered: i64, resumed: Option<i64>) -> Feed {
        Feed {
            last_requested: last_requested.map(Timestamp::from_ms),
            entered: Some(Timestamp::from_ms(entered)),
            resumed: resumed.map(Timestamp::from_ms),
            is_paused: false,
        }
    }

    #[test]
    fn a_feed_is_silent_once_nothing_came_for_longer_than_expected() {
        let paused = Feed {
            is_paused: true,
            ..feed(Some(0), 0, None)
        };
        for (feed, expected, now, lasts_ms) in [
            (feed(Some(0), 0, None), None, 9 * DAY_MS, None),
            (paused, DAY, 9 * DAY_MS, None),
            (Feed::default(), DAY, 9 * DAY_MS, None),
            (feed(Some(0), 0, None), DAY, DAY_MS, None),
            (feed(Some(0), 0, None), DAY, DAY_MS + 1, Some(DAY_MS + 1)),
            (feed(Some(7), 0, None), DAY, DAY_MS + 1, None),
            (feed(None, 0, None), DAY, DAY_MS, None),
            (feed(None, 0, None), DAY, DAY_MS + 1, Some(DAY_MS + 1)),
            (feed(Some(0), 0, Some(5)), DAY, DAY_MS + 5, None),
            (feed(Some(0), 0, Some(5)), DAY, DAY_MS + 6, Some(DAY_MS + 1)),
            // A clock that was set back.
            (feed(Some(DAY_MS), 0, None), DAY, 0, None),
        ] {
            let silence = feed.silence(expected, Timestamp::from_ms(now));
            assert_eq!(
                silence.map(|it| it.lasts_ms),
                lasts_ms,
                "{feed:?} at {now}, expected {expected:?}"
            );
        }
    }

    #[test]
    fn a_silence_tells_a_feed_that_died_from_one_that_never_began() {
        let had_begun = |last_requested| {
            let feed = feed(last_requested, 0, None);
            let silence = feed.silence(DAY, Timestamp::from_ms(2 * DAY_MS));
            silence.unwrap().had_begun
        };
        assert!(had_begun(Some(0)));
        assert!(!had_begun(None));
    }
}
