//! When, and how often, the ends of a run asked for a slower pace.

use std::fmt;

use rusqlite::{Connection, params};

use super::report::word;
use super::{Ledger, Result, RunKey};
use crate::model::{Side, ThrottledMinute};

/// How often one end of a run asked for a slower pace, in all. Shown as
/// `source throttled 31× 01:12–01:20`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThrottledSpan {
    /// The end.
    pub side: Side,
    /// How many of its answers did.
    pub times: u64,
    /// The first minute, local, `HH:MM`.
    pub first: String,
    /// The last minute.
    pub last: String,
}

impl fmt::Display for ThrottledSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} throttled {}× {}", self.side, self.times, self.first)?;
        if self.last != self.first {
            write!(f, "–{}", self.last)?;
        }
        Ok(())
    }
}

impl Ledger {
    /// How often each end of the task's run of this number asked for a slower
    /// pace; nothing for an end that did not.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn throttled_spans(&self, task: &str, run: i64) -> Result<Vec<ThrottledSpan>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("../../sql/statements/throttled_spans.sql"))?
                .query_map(params![task, run], |row| {
                    Ok(ThrottledSpan {
                        side: word(row, 0)?,
                        times: row.get(1)?,
                        first: row.get(2)?,
                        last: row.get(3)?,
                    })
                })?
                .collect()
        })
    }
}

/// Adds `minutes` within a transaction.
pub(super) fn add_throttled(
    connection: &Connection,
    run: RunKey,
    minutes: &[ThrottledMinute],
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO throttled_minute (run, side, minute_at, times) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET times = times + excluded.times",
    )?;
    for minute in minutes {
        let (side, at) = (minute.side.as_str(), minute.minute_at.ms());
        statement.execute(params![run.0, side, at, minute.times])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at};
    use super::*;
    use crate::model::Traffic;

    #[test]
    fn what_is_added_to_a_minute_adds_up() {
        let mut fixture = Fixture::new("Asia/Shanghai");
        let night = fixture.begin("2026-10-05T17:00:00Z");
        let minute = |side, time: &str, times| ThrottledMinute {
            side,
            minute_at: at(time),
            times,
        };
        for minutes in [
            vec![minute(Side::Source, "2026-10-05T17:12:00Z", 3)],
            vec![
                minute(Side::Source, "2026-10-05T17:12:00Z", 4),
                minute(Side::Source, "2026-10-05T17:20:00Z", 1),
                minute(Side::Destination, "2026-10-05T17:15:00Z", 2),
            ],
        ] {
            let traffic = Traffic {
                throttled: minutes,
                ..Traffic::default()
            };
            fixture
                .ledger
                .note_traffic(night.run.key, &traffic)
                .unwrap();
        }
        let spans = fixture.ledger.throttled_spans("photos", 1).unwrap();
        let said: Vec<String> = spans.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "destination throttled 2× 01:15",
                "source throttled 8× 01:12–01:20"
            ]
        );
        assert_eq!(fixture.ledger.throttled_spans("photos", 2).unwrap(), []);
    }
}
