//! What runs asked of both ends: the requests that providers bill.

use rusqlite::{Connection, named_params};

use super::throttling::add_throttled;
use super::{Ledger, Result, RunKey};
use crate::model::{Asked, Counters, Traffic};

impl Ledger {
    /// Adds to what is known of what `run` asked, apart from outcomes. How many
    /// requests it sent in all is kept [elsewhere](Self::end_run).
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_traffic(&mut self, run: RunKey, traffic: &Traffic) -> Result<()> {
        if traffic.throttled.is_empty() && traffic.asked.iter().all(is_nothing) {
            return Ok(());
        }
        self.write(|transaction| add_traffic(transaction, run, traffic))
    }
}

fn is_nothing(asked: &Asked) -> bool {
    asked.counters == Counters::default()
}

/// Adds `traffic` within a transaction.
pub(super) fn add_traffic(
    connection: &Connection,
    run: RunKey,
    traffic: &Traffic,
) -> rusqlite::Result<()> {
    add_throttled(connection, run, &traffic.throttled)?;
    let asked = traffic.asked.iter().filter(|asked| !is_nothing(asked));
    for Asked {
        side,
        day,
        counters,
    } in asked
    {
        connection
            .prepare_cached(include_str!("../../sql/statements/add_traffic.sql"))?
            .execute(named_params! {
                ":run": run.0,
                ":side": side.as_str(),
                ":day": day.to_string(),
                ":lists": counters.list,
                ":heads": counters.head,
                ":gets": counters.get,
                ":puts": counters.put,
                ":parts": counters.part,
                ":creates": counters.create,
                ":completes": counters.complete,
                ":aborts": counters.abort,
                ":deletes": counters.delete,
                ":read_bytes": counters.bytes_in,
                ":written_bytes": counters.bytes_out,
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, Night};
    use super::*;
    use crate::model::Side;

    /// So many GETs and bytes at the source on this day.
    fn read(fixture: &mut Fixture, night: &Night, day: &str, get: u64) {
        let traffic = Traffic {
            asked: vec![Asked {
                side: Side::Source,
                day: day.parse().unwrap(),
                counters: Counters {
                    get,
                    bytes_in: 10 * get,
                    ..Counters::default()
                },
            }],
            ..Traffic::default()
        };
        let noted = fixture.ledger.note_traffic(night.run.key, &traffic);
        noted.unwrap();
    }

    fn rows(fixture: &Fixture, query: &str) -> Vec<String> {
        fixture
            .ledger
            .read(|connection| {
                connection
                    .prepare(query)?
                    .query_map([], |row| row.get(0))?
                    .collect()
            })
            .unwrap()
    }

    #[test]
    fn a_night_over_midnight_is_billed_to_both_days_and_once_to_the_run() {
        let mut fixture = Fixture::new("UTC");
        let first = fixture.begin("2026-10-31T22:00:00Z");
        read(&mut fixture, &first, "2026-10-31", 3);
        read(&mut fixture, &first, "2026-10-31", 1);
        read(&mut fixture, &first, "2026-11-01", 5);
        fixture.end(&first, "2026-11-01T05:00:00Z", 0, "done");
        let second = fixture.begin("2026-11-01T22:00:00Z");
        read(&mut fixture, &second, "2026-11-01", 2);
        let by = |view: &str, key: &str| {
            let query = format!(
                "SELECT {key} || ' ' || side || ' ' || gets || ' ' || requests || ' ' || read_bytes FROM {view} ORDER BY 1"
            );
            rows(&fixture, &query)
        };
        assert_eq!(
            by("request_bill", "month || ' ' || run"),
            ["2026-10 1 source 9 9 90", "2026-11 2 source 2 2 20"]
        );
        assert_eq!(
            by("request_bill_days", "month || ' ' || day"),
            [
                "2026-10 2026-10-31 source 4 4 40",
                "2026-11 2026-11-01 source 7 7 70"
            ]
        );
        assert_eq!(
            by("request_bill_months", "month"),
            ["2026-10 source 4 4 40", "2026-11 source 7 7 70"]
        );
    }

    #[test]
    fn a_bill_of_less_than_was_sent_is_found() {
        let mut fixture = Fixture::new("UTC");
        let night = fixture.begin("2026-10-31T22:00:00Z");
        read(&mut fixture, &night, "2026-10-31", 3);
        assert_eq!(fixture.ledger.check().unwrap(), [""; 0]);
        fixture
            .ledger
            .write(|ledger| ledger.execute("UPDATE run SET requests_sent = 4", []))
            .unwrap();
        let found = "photos run 1: 4 requests sent, but 3 billed";
        assert_eq!(fixture.ledger.check().unwrap(), [found]);
    }

    #[test]
    fn what_was_not_asked_leaves_no_row() {
        let mut fixture = Fixture::new("UTC");
        let night = fixture.begin("2026-10-31T22:00:00Z");
        read(&mut fixture, &night, "2026-10-31", 0);
        assert_eq!(rows(&fixture, "SELECT side FROM traffic"), [""; 0]);
    }
}
