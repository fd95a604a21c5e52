//! Instants, the zone they are shown in, and months.

use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat,
    TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// An instant: milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `ms` milliseconds after the epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant `ms` milliseconds later (earlier if negative).
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The same instant as chrono's type; the epoch if it is out of chrono's range.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis())
    }
}

/// A zone of the IANA database, as configured for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time, the default.
    pub const UTC: Self = Self(Tz::UTC);

    /// `at` on this zone's clocks.
    #[must_use]
    pub fn local(self, at: Timestamp) -> LocalTime {
        let offset = self.0.offset_from_utc_datetime(&at.utc().naive_utc()).fix();
        LocalTime {
            at,
            offset_minutes: offset.local_minus_utc().div_euclid(60),
        }
    }

    /// The first instant after `after` at which this zone's clocks show `time`.
    /// Where they jump over it, the end of the gap; where they show it twice,
    /// the first.
    #[must_use]
    pub fn next(self, time: NaiveTime, after: Timestamp) -> Timestamp {
        let mut day = self.local(after).day();
        loop {
            let at = self.first_showing(day.and_time(time));
            if at > after {
                return at;
            }
            // The last day that chrono knows is never reached by a clock.
            day = day.succ_opt().unwrap_or(NaiveDate::MAX);
        }
    }

    /// The first instant at which this zone's clocks show `shown`, or something
    /// later if they jump over it.
    pub(super) fn first_showing(self, mut shown: NaiveDateTime) -> Timestamp {
        loop {
            if let Some(at) = self.0.from_local_datetime(&shown).earliest() {
                return at.to_utc().into();
            }
            // In a gap: its end is the next minute that the clocks do show.
            shown += TimeDelta::minutes(1);
        }
    }

    /// When `month` begins on this zone's clocks.
    #[must_use]
    pub fn begin_of(self, month: Month) -> Timestamp {
        let first = NaiveDate::from_ymd_opt(month.year, month.month, 1);
        self.begin_of_day(first.unwrap_or(NaiveDate::MAX))
    }

    /// When `day` begins on this zone's clocks.
    #[must_use]
    pub fn begin_of_day(self, day: NaiveDate) -> Timestamp {
        self.first_showing(day.and_time(NaiveTime::MIN))
    }

    /// chrono-tz's zone.
    #[must_use]
    pub const fn tz(self) -> Tz {
        self.0
    }

    /// The zone's IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        name.parse().map(Self).map_err(|_| {
            format!("`{name}` is no time zone of the IANA database (such as Asia/Shanghai)")
        })
    }
}

/// An instant together with the offset that its zone's clocks had then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The instant.
    pub at: Timestamp,
    /// Local minus UTC, in minutes.
    pub offset_minutes: i32,
}

impl LocalTime {
    fn date_time(self) -> DateTime<FixedOffset> {
        let offset = FixedOffset::east_opt(self.offset_minutes * 60).unwrap_or(Utc.fix());
        self.at.utc().with_timezone(&offset)
    }

    /// RFC 3339 with milliseconds and a numeric offset.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.date_time()
            .to_rfc3339_opts(SecondsFormat::Millis, false)
    }

    /// `yyyyMMddHHmmssSSS`, the stamp in names of runs and lists.
    #[must_use]
    pub fn stamp(self) -> String {
        self.date_time().format("%Y%m%d%H%M%S%3f").to_string()
    }

    /// The calendar day.
    #[must_use]
    pub fn day(self) -> NaiveDate {
        self.date_time().date_naive()
    }

    /// The calendar month.
    #[must_use]
    pub fn month(self) -> Month {
        Month::of(self.day())
    }

    /// Milliseconds that the clocks have shown since midnight.
    #[must_use]
    pub const fn ms_of_day(self) -> i64 {
        (self.at.0 + self.offset_minutes as i64 * 60_000).rem_euclid(86_400_000)
    }

    /// The same offset, `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self {
            at: self.at.plus_ms(ms),
            offset_minutes: self.offset_minutes,
        }
    }
}

impl FromStr for LocalTime {
    type Err = chrono::ParseError;

    /// Reads what [`rfc3339`](Self::rfc3339) writes.
    fn from_str(text: &str) -> Result<Self, chrono::ParseError> {
        let shown = DateTime::parse_from_rfc3339(text)?;
        Ok(Self {
            at: shown.to_utc().into(),
            offset_minutes: shown.offset().local_minus_utc().div_euclid(60),
        })
    }
}

impl serde::Serialize for LocalTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> serde::Deserialize<'de> for LocalTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A calendar month, written `YYYY-MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month in which `day` lies.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self {
            year: day.year(),
            month: day.month(),
        }
    }

    /// The month after.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.month == 12 {
            Self {
                year: self.year + 1,
                month: 1,
            }
        } else {
            Self {
                year: self.year,
                month: self.month + 1,
            }
        }
    }

    /// How many days it has.
    #[must_use]
    pub fn days(self) -> u32 {
        let first = |month: Self| NaiveDate::from_ymd_opt(month.year, month.month, 1);
        let days = first(self.next()).zip(first(self));
        // A month of a year that chrono does not know is none.
        days.map_or(0, |(next, this)| {
            u32::try_from((next - this).num_days()).unwrap_or(0)
        })
    }

    /// The month before.
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.month == 1 {
            Self {
                year: self.year - 1,
                month: 12,
            }
        } else {
            Self {
                year: self.year,
                month: self.month - 1,
            }
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no month; write YYYY-MM, `this` or `last`");
        if !has_form(text, "0000-00") {
            return Err(wrong());
        }
        NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d")
            .map(Self::of)
            .map_err(|_| wrong())
    }
}

/// A time of day, written `HH:MM` and in no other way.
#[must_use]
pub fn time_of_day(text: &str) -> Option<NaiveTime> {
    has_form(text, "00:00")
        .then(|| NaiveTime::parse_from_str(text, "%H:%M").ok())
        .flatten()
}

/// Whether `text` has digits where `form` has them, and is the same elsewhere:
/// chrono would let spaces and signs pass.
fn has_form(text: &str, form: &str) -> bool {
    let fits = |(is, form): (u8, u8)| match form {
        b'0' => is.is_ascii_digit(),
        other => is == other,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    #[test]
    fn a_local_time_is_written_with_milliseconds_and_offset() {
        let at = Timestamp::from_ms(1_609_833_838_031);
        let local = zone("Asia/Shanghai").local(at);
        assert_eq!(local.rfc3339(), "2021-01-05T16:03:58.031+08:00");
        assert_eq!(local.stamp(), "20210105160358031");
        assert_eq!(
            zone("America/St_Johns").local(at).rfc3339(),
            "2021-01-05T04:33:58.031-03:30"
        );
    }

    #[test]
    fn the_same_instant_lies_in_different_months_in_different_zones() {
        let at = Timestamp::from_ms(1_793_463_000_000); // 2026-10-31T16:10:00Z
        assert_eq!(Zone::UTC.local(at).month().to_string(), "2026-10");
        assert_eq!(
            zone("Asia/Shanghai").local(at).month().to_string(),
            "2026-11"
        );
    }

    #[test]
    fn a_daylight_saving_change_moves_the_month_boundary() {
        // Berlin left summer time on 2026-10-25: the boundary of November is at 23:00Z.
        let berlin = zone("Europe/Berlin");
        let boundary = "2026-10-31T23:00:00Z"
            .parse::<DateTime<Utc>>()
            .unwrap()
            .into();
        assert_eq!(berlin.local(boundary).month().to_string(), "2026-11");
        assert_eq!(
            berlin.local(boundary.plus_ms(-1)).month().to_string(),
            "2026-10"
        );
        assert_eq!(
            berlin.local(boundary.plus_ms(-1)).rfc3339(),
            "2026-10-31T23:59:59.999+01:00"
        );
        let summer = "2026-03-31T22:00:00Z"
            .parse::<DateTime<Utc>>()
            .unwrap()
            .into();
        assert_eq!(berlin.local(summer).month().to_string(), "2026-04");
    }

    #[test]
    fn the_next_time_of_day_minds_gaps_and_repeated_hours() {
        let berlin = zone("Europe/Berlin");
        let next = |time: &str, after: &str| {
            let after = after.parse::<DateTime<Utc>>().unwrap().into();
            berlin
                .local(berlin.next(time.parse().unwrap(), after))
                .rfc3339()
        };
        assert_eq!(
            next("06:00:00", "2026-11-22T01:00:00Z"),
            "2026-11-22T06:00:00.000+01:00"
        );
        assert_eq!(
            next("06:00:00", "2026-11-22T05:00:00Z"),
            "2026-11-23T06:00:00.000+01:00"
        );
        assert_eq!(
            next("02:30:00", "2026-03-28T12:00:00Z"),
            "2026-03-29T03:00:00.000+02:00"
        );
        assert_eq!(
            next("02:30:00", "2026-10-24T12:00:00Z"),
            "2026-10-25T02:30:00.000+02:00"
        );
    }

    #[test]
    fn months_are_strict_about_their_form() {
        for wrong in [
            "2026",
            "2026-13",
            "2026-1",
            "26-01",
            "2026-01-01",
            " 226-01",
            "+226-01",
            "2026- 1",
            "2026-+1",
            "november",
            "",
        ] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
        let month: Month = "2026-01".parse().unwrap();
        assert_eq!(month.previous().to_string(), "2025-12");
    }
}
