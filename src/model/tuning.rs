//! What an operator changes of a run that is at work.

use super::time::{LocalTime, Timestamp};
use super::words::Setting;

/// A setting of a run, and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// Objects and parts in flight at once, at most.
    Workers(u64),
    /// The cap on what is read from the source, in bytes a second.
    Bandwidth(Option<u64>),
    /// When nothing new begins any more.
    Until(Option<LocalTime>),
}

impl Tuning {
    /// The setting.
    #[must_use]
    pub const fn setting(self) -> Setting {
        match self {
            Self::Workers(_) => Setting::Workers,
            Self::Bandwidth(_) => Setting::Bandwidth,
            Self::Until(_) => Setting::Until,
        }
    }

    /// Its value as a number: how many, bytes a second, or milliseconds since the
    /// epoch; `None`: no limit.
    #[must_use]
    pub fn value(self) -> Option<i64> {
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        match self {
            Self::Workers(workers) => Some(number(workers)),
            Self::Bandwidth(cap) => cap.map(number),
            Self::Until(until) => until.map(|local| local.at.ms()),
        }
    }

    /// How far the zone's clocks are ahead of UTC, in minutes, if it is a time.
    #[must_use]
    pub fn offset_minutes(self) -> Option<i32> {
        match self {
            Self::Until(until) => until.map(|local| local.offset_minutes),
            Self::Workers(_) | Self::Bandwidth(_) => None,
        }
    }

    /// What a number says of `setting`.
    #[must_use]
    pub fn new(setting: Setting, value: Option<i64>, offset_minutes: Option<i32>) -> Self {
        let number = value.map(|value| u64::try_from(value).unwrap_or(0));
        match setting {
            Setting::Workers => Self::Workers(number.unwrap_or(0)),
            Setting::Bandwidth => Self::Bandwidth(number),
            Setting::Until => Self::Until(value.map(|ms| LocalTime {
                at: Timestamp::from_ms(ms),
                offset_minutes: offset_minutes.unwrap_or(0),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written() {
        let until = LocalTime {
            at: Timestamp::from_ms(1_793_462_400_000),
            offset_minutes: 480,
        };
        for tuning in [
            Tuning::Workers(16),
            Tuning::Bandwidth(Some(50_000_000)),
            Tuning::Bandwidth(None),
            Tuning::Until(Some(until)),
            Tuning::Until(None),
        ] {
            let (value, offset) = (tuning.value(), tuning.offset_minutes());
            assert_eq!(Tuning::new(tuning.setting(), value, offset), tuning);
        }
    }
}
