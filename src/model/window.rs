//! The time of day in which a task's runs may move objects.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, NaiveDate, NaiveTime};

use super::time::{Timestamp, Zone, time_of_day};

/// A daily window, written `HH:MM-HH:MM`; one whose end is the earlier time
/// goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: NaiveTime,
    to: NaiveTime,
}

impl Window {
    /// When the window in which `at` lies ends, on the clocks of `zone`; `None`
    /// if `at` lies outside.
    ///
    /// | window | at | inside, until |
    /// |--|--|--|
    /// | 01:00-06:00 | 00:59:59.999 | outside |
    /// | | 01:00 | 06:00 |
    /// | | 05:59:59.999 | 06:00 |
    /// | | 06:00 | outside |
    /// | 22:00-06:00 | 22:00 | 06:00 of the next day |
    /// | | 00:00, 05:59 | 06:00 of this day |
    /// | | 06:00, 21:59 | outside |
    /// | from or to in a gap of daylight saving | | counts from or to the gap's end |
    /// | both in the gap | | there is no window on that day |
    /// | from or to in a repeated hour | | counts from or to its first time |
    #[must_use]
    pub fn end_if_inside(self, at: Timestamp, zone: Zone) -> Option<Timestamp> {
        let today = zone.local(at).day();
        // A window over midnight began yesterday; where a zone skipped a whole
        // day or set its clocks back over midnight, a day before or after.
        let first = today.checked_sub_days(Days::new(2)).unwrap_or(today);
        first.iter_days().take(4).find_map(|day| {
            let (begin, end) = self.of_day(day, zone);
            (begin <= at && at < end).then_some(end)
        })
    }

    /// When the first window that begins after `at` does, and when it ends, on the
    /// clocks of `zone`.
    #[must_use]
    pub fn next(self, at: Timestamp, zone: Zone) -> (Timestamp, Timestamp) {
        let mut day = zone.local(at).day();
        loop {
            let (begin, end) = self.of_day(day, zone);
            if begin > at && end > begin {
                return (begin, end);
            }
            match day.succ_opt() {
                Some(next) => day = next,
                // No clock reaches the last day that chrono knows.
                None => return (at, at),
            }
        }
    }

    /// When the window that begins on `day` begins and ends.
    fn of_day(self, day: NaiveDate, zone: Zone) -> (Timestamp, Timestamp) {
        let last_day = if self.from < self.to {
            day
        } else {
            day.succ_opt().unwrap_or(day)
        };
        let begin = zone.first_showing(day.and_time(self.from));
        (begin, zone.first_showing(last_day.and_time(self.to)))
    }
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let times = text
            .split_once('-')
            .and_then(|(from, to)| Some((time_of_day(from)?, time_of_day(to)?)));
        match times {
            None => Err(format!(
                "{text:?} is no window; write two times of day such as \"01:00-06:00\""
            )),
            Some((from, to)) if from == to => Err(format!(
                "{text:?} begins when it ends; write two different times, or leave the key out for no window"
            )),
            Some((from, to)) => Ok(Self { from, to }),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.format("%H:%M"), self.to.format("%H:%M"));
        write!(f, "{from}-{to}")
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Timelike, Utc};
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    /// When the window ends at this instant on Berlin's clocks; empty if outside.
    fn until(window: &str, instant: &str) -> String {
        let berlin = "Europe/Berlin".parse().unwrap();
        let window: Window = window.parse().unwrap();
        let end = window.end_if_inside(at(instant), berlin);
        end.map_or_else(String::new, |end| berlin.local(end).rfc3339())
    }

    #[test]
    fn the_truth_table() {
        let by_night = "2026-11-22T06:00:00.000+01:00";
        let tomorrow = "2026-11-23T06:00:00.000+01:00";
        for (window, instant, expected) in [
            ("01:00-06:00", "2026-11-22T00:59:59.999+01:00", ""),
            ("01:00-06:00", "2026-11-22T01:00:00+01:00", by_night),
            ("01:00-06:00", "2026-11-22T05:59:59.999+01:00", by_night),
            ("01:00-06:00", "2026-11-22T06:00:00+01:00", ""),
            ("22:00-06:00", "2026-11-22T21:59:59.999+01:00", ""),
            ("22:00-06:00", "2026-11-22T22:00:00+01:00", tomorrow),
            ("22:00-06:00", "2026-11-23T00:00:00+01:00", tomorrow),
            ("22:00-06:00", "2026-11-23T05:59:59.999+01:00", tomorrow),
            ("22:00-06:00", "2026-11-23T06:00:00+01:00", ""),
            (
                "00:00-23:59",
                "2026-11-22T12:00:00+01:00",
                "2026-11-22T23:59:00.000+01:00",
            ),
        ] {
            assert_eq!(until(window, instant), expected, "{window} at {instant}");
        }
    }

    #[test]
    fn a_gap_counts_as_its_end() {
        // In Berlin 02:00 to 03:00 of 2026-03-29 is not there.
        let six = "2026-03-29T06:00:00.000+02:00";
        let three = "2026-03-29T03:00:00.000+02:00";
        for (window, instant, expected) in [
            ("02:30-06:00", "2026-03-29T01:59:59.999+01:00", ""),
            ("02:30-06:00", "2026-03-29T03:00:00+02:00", six),
            ("01:00-02:30", "2026-03-29T01:59:59.999+01:00", three),
            ("01:00-02:30", "2026-03-29T03:00:00+02:00", ""),
            ("23:00-02:30", "2026-03-29T01:59:59.999+01:00", three),
            ("02:10-02:50", "2026-03-29T01:59:59.999+01:00", ""),
            ("02:10-02:50", "2026-03-29T03:00:00+02:00", ""),
        ] {
            assert_eq!(until(window, instant), expected, "{window} at {instant}");
        }
    }

    #[test]
    fn a_repeated_hour_counts_from_its_first_time() {
        // In Berlin 02:00 to 03:00 of 2026-10-25 comes twice.
        let first = "2026-10-25T02:30:00.000+02:00";
        let six = "2026-10-25T06:00:00.000+01:00";
        for (window, instant, expected) in [
            ("01:00-02:30", "2026-10-25T02:29:59.999+02:00", first),
            ("01:00-02:30", "2026-10-25T02:30:00+02:00", ""),
            ("01:00-02:30", "2026-10-25T02:10:00+01:00", ""),
            ("02:30-06:00", "2026-10-25T02:30:00+02:00", six),
            ("02:30-06:00", "2026-10-25T02:10:00+01:00", six),
            ("02:30-06:00", "2026-10-25T05:59:59.999+01:00", six),
        ] {
            assert_eq!(until(window, instant), expected, "{window} at {instant}");
        }
    }

    #[test]
    fn the_next_window_is_the_first_that_begins_later() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let from = |time: &str| format!("2026-11-22T{time}:00.000+01:00");
        let next = |window: &str, instant: &str| {
            let window: Window = window.parse().unwrap();
            let (begin, end) = window.next(at(instant), berlin);
            (berlin.local(begin).rfc3339(), berlin.local(end).rfc3339())
        };
        let tomorrow = "2026-11-23T01:00:00.000+01:00".to_owned();
        let its_end = "2026-11-23T06:00:00.000+01:00".to_owned();
        assert_eq!(
            next("01:00-06:00", "2026-11-22T00:59:59.999+01:00"),
            (from("01:00"), from("06:00"))
        );
        let later = (tomorrow, its_end.clone());
        assert_eq!(next("01:00-06:00", "2026-11-22T01:00:00+01:00"), later);
        assert_eq!(next("01:00-06:00", "2026-11-22T14:00:00+01:00"), later);
        assert_eq!(
            next("22:00-06:00", "2026-11-22T14:00:00+01:00"),
            (from("22:00"), its_end)
        );
        // Both times lie in the hour that is not there on 2026-03-29.
        let (begin, _) = next("02:10-02:50", "2026-03-29T01:00:00+01:00");
        assert_eq!(begin, "2026-03-30T02:10:00.000+02:00");
    }

    #[test]
    fn only_two_different_times_of_day_are_a_window() {
        for wrong in [
            "",
            "01:00",
            "1:00-06:00",
            "01:00-24:00",
            "01:00-06:60",
            "01:00 - 06:00",
            "01:00-06:00-07:00",
            "01:00:00-06:00",
            "01:00-01:00",
            "é1:00-06:00",
            " 1:00-06:00",
            "+1:00-06:00",
            "01: 0-06:00",
        ] {
            assert!(wrong.parse::<Window>().is_err(), "{wrong}");
        }
        let window: Window = "22:00-06:00".parse().unwrap();
        assert_eq!(window.to_string(), "22:00-06:00");
    }

    /// Zones with many kinds of changes: an hour, half an hour, over midnight, a day left out, none.
    const ZONES: [&str; 6] = [
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/St_Johns",
        "America/Havana",
        "Pacific/Apia",
        "Asia/Shanghai",
    ];

    fn any_time() -> impl Strategy<Value = NaiveTime> {
        (0_u32..24 * 60).prop_map(|m| NaiveTime::from_hms_opt(m / 60, m % 60, 0).unwrap())
    }

    proptest! {
        #[test]
        fn a_window_is_inside_up_to_its_end_and_outside_at_it(
            zone in 0..ZONES.len(), from in any_time(), to in any_time(),
            minute in 0_i64..40 * 366 * 24 * 60, share in 0.0..1.0_f64,
        ) {
            prop_assume!(from != to);
            let zone: Zone = ZONES[zone].parse().unwrap();
            let window = Window { from, to };
            let at = Timestamp::from_ms(315_532_800_000 + minute * 60_000);
            if let Some(end) = window.end_if_inside(at, zone) {
                prop_assert!(end > at);
                prop_assert!(end.ms() - at.ms() <= 49 * 3_600_000);
                // All instants up to the end have the same end.
                #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
                let later = at.plus_ms(((end.ms() - at.ms() - 1) as f64 * share) as i64);
                prop_assert_eq!(window.end_if_inside(later, zone), Some(end));
                prop_assert_ne!(window.end_if_inside(end, zone), Some(end));
            }
        }

        #[test]
        fn where_clocks_never_change_the_time_of_day_alone_decides(
            from in any_time(), to in any_time(), minute in 0_i64..366 * 24 * 60,
        ) {
            prop_assume!(from != to);
            let at = Timestamp::from_ms(minute * 60_000);
            let shown = at.utc().time();
            let inside = if from < to {
                from <= shown && shown < to
            } else {
                from <= shown || shown < to
            };
            let end = Window { from, to }.end_if_inside(at, Zone::UTC);
            prop_assert_eq!(end.is_some(), inside);
            if let Some(end) = end {
                prop_assert_eq!((end.utc().time(), end.utc().second()), (to, 0));
                prop_assert!(end.ms() - at.ms() < 24 * 3_600_000);
            }
        }
    }
}
