//! Failed requests as they stand, a page at a time: by month, by cause, by name.
//!
//! However many there are, a page costs the same: an index leads to its first row,
//! and a search that finds nothing ends after so many names.

use std::cmp::Ordering;

use rusqlite::{Connection, Row, params};

use super::report::{local, word};
use super::{Ledger, Result};
use crate::model::{FailureCause, LocalTime, Month, TaskId, Timestamp};

/// Names that a search looks at before it answers with what it has.
const LOOKED_AT: u32 = 100_000;

/// Which names are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSearch<'a> {
    /// All that begin so; with nothing, all.
    Begins(&'a str),
    /// All that have this in them.
    Holds(&'a str),
}

/// Which failed requests are wanted.
#[derive(Debug, Clone, Copy)]
pub struct FailedSearch<'a> {
    /// The task.
    pub task: &'a TaskId,
    /// Those that failed in this month.
    pub month: Option<Month>,
    /// Those that failed for this cause.
    pub cause: Option<FailureCause>,
    /// Those with such names.
    pub name: NameSearch<'a>,
    /// Those that follow.
    pub after: Option<&'a FailedPlace>,
    /// At most so many.
    pub most: usize,
}

/// The place of a failed request among all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPlace {
    /// The month in which it failed.
    pub month: Month,
    /// Why.
    pub cause: FailureCause,
    /// The object.
    pub name: String,
    /// The request.
    pub request: i64,
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRequest {
    /// Where it stands among all.
    pub place: FailedPlace,
    /// The run in which it failed.
    pub run: Option<u64>,
    /// When.
    pub failed: LocalTime,
    /// How many runs tried it.
    pub attempts: u64,
    /// For how many days after today coming runs take it up again; `None`: none does.
    pub days_left: Option<u64>,
    /// The server's error code.
    pub error_code: Option<String>,
    /// The HTTP status.
    pub http_status: Option<u16>,
}

/// Some failed requests: by month, the newest first, by cause, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPage {
    /// These.
    pub requests: Vec<FailedRequest>,
    /// Behind this place there may be more.
    pub next: Option<FailedPlace>,
}

impl Ledger {
    /// How many requests failed in each month, or in `month`, for which cause, as
    /// it stands now; the newest month first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn failure_counts(
        &self,
        task: &TaskId,
        month: Option<Month>,
    ) -> Result<Vec<(Month, FailureCause, u64)>> {
        let sql = include_str!("../../sql/statements/failure_counts.sql");
        let month = month.map(|month| month.to_string());
        self.read(|connection| {
            connection
                .prepare(sql)?
                .query_map(params![task.as_str(), month], |row| {
                    Ok((word(row, 0)?, word(row, 1)?, row.get(2)?))
                })?
                .collect()
        })
    }

    /// A page of failed requests, as of `now`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn failed_page(&self, search: &FailedSearch<'_>, now: Timestamp) -> Result<FailedPage> {
        let shelves = self.failure_counts(search.task, search.month)?;
        self.read(|connection| {
            let mut found = Found::default();
            for (month, cause, _) in shelves {
                if found.next.is_some() {
                    break;
                }
                found.on_shelf(connection, search, month, cause)?;
            }
            let requests = found.places.into_iter();
            let requests = requests.map(|place| tell(connection, &place, now));
            Ok(FailedPage {
                requests: requests.collect::<rusqlite::Result<_>>()?,
                next: found.next,
            })
        })
    }
}

/// What a search has found.
#[derive(Default)]
struct Found {
    places: Vec<FailedPlace>,
    looked_at: u32,
    next: Option<FailedPlace>,
}

impl Found {
    /// Looks at the requests of one month and cause, until there are enough.
    fn on_shelf(
        &mut self,
        connection: &Connection,
        search: &FailedSearch<'_>,
        month: Month,
        cause: FailureCause,
    ) -> rusqlite::Result<()> {
        if search.cause.is_some_and(|wanted| wanted != cause) {
            return Ok(());
        }
        let Some((name, request)) = begin(search, month, cause) else {
            return Ok(());
        };
        let mut statement =
            connection.prepare_cached(include_str!("../../sql/statements/failed_names.sql"))?;
        let mut rows = statement.query(params![
            search.task.as_str(),
            month.to_string(),
            cause.as_str(),
            name,
            request
        ])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(0)?.as_str()?;
            let fits = match search.name {
                NameSearch::Begins(beginning) if !name.starts_with(beginning) => break,
                NameSearch::Begins(_) => true,
                NameSearch::Holds(part) => name.contains(part),
            };
            self.looked_at += 1;
            let enough = self.looked_at == LOOKED_AT;
            if !fits && !enough {
                continue;
            }
            let place = FailedPlace {
                month,
                cause,
                name: name.to_owned(),
                request: row.get(1)?,
            };
            if fits && self.places.len() == search.most {
                self.next = self.places.last().cloned();
                break;
            }
            if enough {
                self.next = Some(place.clone());
            }
            if fits {
                self.places.push(place);
            }
            if enough {
                break;
            }
        }
        Ok(())
    }
}

/// Behind which name and request of this month and cause the search goes on;
/// `None`: it is beyond.
fn begin<'a>(
    search: &FailedSearch<'a>,
    month: Month,
    cause: FailureCause,
) -> Option<(&'a str, i64)> {
    if let Some(after) = search.after {
        let by_cause = cause.as_str().cmp(after.cause.as_str());
        match after.month.cmp(&month).then(by_cause) {
            Ordering::Less => return None,
            Ordering::Equal => return Some((&after.name, after.request)),
            Ordering::Greater => {}
        }
    }
    match search.name {
        NameSearch::Begins(beginning) => Some((beginning, -1)),
        NameSearch::Holds(_) => Some(("", -1)),
    }
}

fn tell(
    connection: &Connection,
    place: &FailedPlace,
    now: Timestamp,
) -> rusqlite::Result<FailedRequest> {
    let sql = include_str!("../../sql/statements/failed_request.sql");
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![place.request, now.seconds()], |row: &Row<'_>| {
        Ok(FailedRequest {
            run: row.get(0)?,
            failed: local(row, 1)?,
            attempts: row.get(3)?,
            days_left: row.get(4)?,
            error_code: row.get(5)?,
            http_status: row.get(6)?,
            place: place.clone(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, failed, photos};
    use super::*;

    /// Four failures of two causes in two months, and one name that failed twice.
    fn two_months() -> Fixture {
        let mut fixture = Fixture::new("UTC");
        for (list, when, names) in [
            ("october", "2026-10-31T23:59:59Z", ["b/1", "a/2", "a/1"]),
            ("november", "2026-11-01T00:00:00Z", ["a/1", "c", "b/1"]),
        ] {
            fixture.ask(&format!("object_lists/{list}.txt"), when, &names);
            let night = fixture.begin(when);
            for name in names {
                let cause = if name == "a/2" || name == "c" {
                    FailureCause::TooLarge
                } else {
                    FailureCause::SourceMissing
                };
                fixture.settle(&night, failed(name, when, cause, "Code", 400));
            }
            fixture.end(&night, when, 4, "failed");
        }
        fixture
    }

    /// Every page of a search, so many a page.
    fn pages(fixture: &Fixture, search: FailedSearch<'_>) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut after: Option<FailedPlace> = None;
        loop {
            let search = FailedSearch {
                after: after.as_ref(),
                ..search
            };
            let now = at("2026-11-02T00:00:00Z");
            let page = fixture.ledger.failed_page(&search, now).unwrap();
            let shown = page.requests.iter().map(|request| {
                let place = &request.place;
                format!("{} {} {}", place.month, place.cause, place.name)
            });
            pages.push(shown.collect());
            match page.next {
                Some(next) => after = Some(next),
                None => return pages,
            }
        }
    }

    fn all(task: &TaskId) -> FailedSearch<'_> {
        FailedSearch {
            task,
            month: None,
            cause: None,
            name: NameSearch::Begins(""),
            after: None,
            most: 100,
        }
    }

    #[test]
    fn pages_of_any_length_show_each_failure_once_by_month_cause_and_name() {
        let fixture = two_months();
        let task = photos();
        let expected = [
            "2026-11 source_missing a/1",
            "2026-11 source_missing b/1",
            "2026-11 too_large c",
            "2026-10 source_missing a/1",
            "2026-10 source_missing b/1",
            "2026-10 too_large a/2",
        ];
        for most in 1..8 {
            let pages = pages(&fixture, FailedSearch { most, ..all(&task) });
            assert_eq!(pages.concat(), expected, "{most}");
            assert!(pages.iter().all(|page| page.len() <= most), "{pages:?}");
            assert_eq!(pages.len(), expected.len().div_ceil(most));
        }
    }

    #[test]
    fn a_search_finds_what_is_of_the_month_of_the_cause_and_so_named() {
        let fixture = two_months();
        let task = photos();
        let october = Some("2026-10".parse().unwrap());
        let missing = Some(FailureCause::SourceMissing);
        for (month, cause, name, expected) in [
            (
                october,
                missing,
                NameSearch::Begins("a"),
                vec!["2026-10 source_missing a/1"],
            ),
            (
                None,
                None,
                NameSearch::Begins("a/"),
                vec![
                    "2026-11 source_missing a/1",
                    "2026-10 source_missing a/1",
                    "2026-10 too_large a/2",
                ],
            ),
            (
                october,
                None,
                NameSearch::Holds("/2"),
                vec!["2026-10 too_large a/2"],
            ),
            (None, None, NameSearch::Holds("%"), vec![]),
            (None, missing, NameSearch::Begins("c"), vec![]),
        ] {
            let search = FailedSearch {
                month,
                cause,
                name,
                most: 1,
                ..all(&task)
            };
            assert_eq!(pages(&fixture, search).concat(), expected, "{name:?}");
        }
    }
}
