//! Round ends of scales, and figures with their units.

use super::pieces::number;
use crate::report::text::{duration, size};

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// So many of something.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Time,
}

impl Unit {
    /// The least round figure that is not below `most`, and whose half is round too.
    #[must_use]
    pub fn top(self, most: u64) -> u64 {
        match self {
            Self::Count => round(most, 1, &[2, 4, 6, 8, 10], 10),
            Self::Bytes => {
                let steps = [
                    2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400, 600, 800, 1024,
                ];
                round(most, 1, &steps, 1024)
            }
            Self::Time => {
                let seconds = [2, 4, 10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600];
                let hours = [2, 4, 8, 12, 24];
                let short = seconds.map(|seconds| seconds * SECOND_MS);
                let long = hours.map(|hours| hours * HOUR_MS);
                let mut tops = short.into_iter().chain(long);
                let found = tops.find(|top| *top >= most);
                found.unwrap_or_else(|| round(most, 24 * HOUR_MS, &[2, 4, 6, 8, 10], 10))
            }
        }
    }

    /// A round figure, as it stands on a scale.
    #[must_use]
    pub fn label(self, value: u64) -> String {
        if value == 0 {
            return "0".to_owned();
        }
        match self {
            Self::Count => number(value),
            Self::Bytes => {
                let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
                let power = (value.trailing_zeros() / 10) as usize;
                let power = power.min(units.len() - 1);
                format!("{} {}", value >> (10 * power), units[power])
            }
            Self::Time if value.is_multiple_of(HOUR_MS) => format!("{} h", number(value / HOUR_MS)),
            Self::Time if value.is_multiple_of(MINUTE_MS) => format!("{} min", value / MINUTE_MS),
            Self::Time => format!("{} s", value.div_ceil(SECOND_MS)),
        }
    }

    /// Any figure in words.
    #[must_use]
    pub fn words(self, value: u64) -> String {
        match self {
            Self::Count => number(value),
            Self::Bytes => size(value.cast_signed()),
            Self::Time => duration(value),
        }
    }
}

/// The least product of a step, `unit` and a power of `base` that is not below `most`.
fn round(most: u64, unit: u64, steps: &[u64], base: u64) -> u64 {
    let mut power = unit;
    loop {
        for step in steps {
            let top = power.saturating_mul(*step);
            if top >= most {
                return top;
            }
        }
        power = power.saturating_mul(base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_figure_that_is_easy_to_halve() {
        let hours = HOUR_MS;
        for (unit, most, top, label, half) in [
            (Unit::Count, 0, 2, "2", "1"),
            (Unit::Count, 1, 2, "2", "1"),
            (Unit::Count, 3, 4, "4", "2"),
            (Unit::Count, 5, 6, "6", "3"),
            (Unit::Count, 10, 10, "10", "5"),
            (Unit::Count, 11, 20, "20", "10"),
            (Unit::Count, 1_000_001, 2_000_000, "2,000,000", "1,000,000"),
            (Unit::Bytes, 0, 2, "2 B", "1 B"),
            (Unit::Bytes, 800, 800, "800 B", "400 B"),
            (Unit::Bytes, 801, 1024, "1 KiB", "512 B"),
            (Unit::Bytes, 3 << 30, 4 << 30, "4 GiB", "2 GiB"),
            (Unit::Bytes, 1 << 40, 1 << 40, "1 TiB", "512 GiB"),
            (Unit::Time, 0, 2_000, "2 s", "1 s"),
            (Unit::Time, 25_000, 30_000, "30 s", "15 s"),
            (Unit::Time, 31_000, 60_000, "1 min", "30 s"),
            (Unit::Time, 50 * 60_000, hours, "1 h", "30 min"),
            (Unit::Time, 5 * hours, 8 * hours, "8 h", "4 h"),
            (Unit::Time, 25 * hours, 48 * hours, "48 h", "24 h"),
        ] {
            assert_eq!(unit.top(most), top, "{unit:?} {most}");
            assert_eq!(unit.label(top), label, "{unit:?} {most}");
            assert_eq!(unit.label(top / 2), half, "{unit:?} {most}");
        }
        for unit in [Unit::Count, Unit::Bytes, Unit::Time] {
            assert!(unit.top(u64::MAX) >= u64::MAX / 2, "{unit:?}");
        }
    }
}
