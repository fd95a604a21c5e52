//! Rejected lines of input lists, a page at a time: by month, by list, by line.
//!
//! However many there are, a page costs the same: an index leads to its first list.

use rusqlite::{Connection, OptionalExtension, params};

use super::lists::REJECTED_ROWS;
use super::report::word;
use super::{Ledger, Result};
use crate::model::{Month, RejectReason, TaskId};

/// Of which lists rejected lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectedOf {
    /// Of all.
    All,
    /// Of those that were last loaded in this month.
    Month(Month),
    /// Of the one with this key.
    List(i64),
}

/// Which rejected lines are wanted.
#[derive(Debug, Clone, Copy)]
pub struct RejectedSearch<'a> {
    /// The task.
    pub task: &'a TaskId,
    /// Of these lists.
    pub of: RejectedOf,
    /// Those that follow.
    pub after: Option<RejectedPlace>,
    /// At most so many.
    pub most: usize,
}

/// The place of a rejected line among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedPlace {
    /// The month in which its list was last loaded.
    pub month: Month,
    /// The list's key.
    pub list: i64,
    /// The line, from 1.
    pub line: u64,
}

/// A line that could not be a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLine {
    /// Where it stands among all.
    pub place: RejectedPlace,
    /// The list's path, `object_lists/` included.
    pub path: String,
    /// Whether the list is still what was last seen at the path.
    pub current: bool,
    /// Why.
    pub reason: RejectReason,
    /// How it begins, what cannot be printed written out.
    pub excerpt: String,
    /// It is no line of its own, but stands for so many that are not kept.
    pub stands_for: Option<u64>,
}

/// Some rejected lines: by month, the newest first, by list, the last one first,
/// by line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RejectedPage {
    /// These.
    pub lines: Vec<ShownLine>,
    /// Behind this place there are more.
    pub next: Option<RejectedPlace>,
}

/// A list with rejected lines.
struct InList {
    month: Month,
    key: i64,
    path: String,
    current: bool,
    rejected: u64,
}

impl Ledger {
    /// How many lines were rejected of the lists that were last loaded in `month`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn rejected_in(&self, task: &TaskId, month: Month) -> Result<u64> {
        let sql = include_str!("../../sql/statements/rejected_in_month.sql");
        self.read(|connection| {
            let asked = params![task.as_str(), month.to_string()];
            connection.query_row(sql, asked, |row| row.get(0))
        })
    }

    /// A page of rejected lines.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn rejected_page(&self, search: &RejectedSearch<'_>) -> Result<RejectedPage> {
        // Of lists last loaded before it no line is left, whatever their counts say.
        let since = self.pruned_before(search.task)?.unwrap_or_default();
        self.read(|connection| {
            let mut page = RejectedPage::default();
            for month in months(connection, search, &since)? {
                page.of_month(connection, search, month)?;
                if page.next.is_some() {
                    break;
                }
            }
            Ok(page)
        })
    }
}

impl RejectedPage {
    /// Adds the lines of the month's lists, until there are enough.
    fn of_month(
        &mut self,
        connection: &Connection,
        search: &RejectedSearch<'_>,
        month: Month,
    ) -> rusqlite::Result<()> {
        let (first, mut last) = match search.of {
            RejectedOf::List(list) => (list, list),
            RejectedOf::All | RejectedOf::Month(_) => (0, i64::MAX),
        };
        if let Some(after) = search.after.filter(|after| after.month == month) {
            last = last.min(after.list);
        }
        let mut statement =
            connection.prepare_cached(include_str!("../../sql/statements/rejected_lists.sql"))?;
        let asked = params![search.task.as_str(), month.to_string(), first, last];
        let mut lists = statement.query(asked)?;
        while let Some(row) = lists.next()? {
            let within = InList {
                month,
                key: row.get(0)?,
                path: row.get(1)?,
                current: row.get(2)?,
                rejected: row.get(3)?,
            };
            self.of_list(connection, search, &within)?;
            if self.next.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Adds the lines of one list, until there are enough.
    fn of_list(
        &mut self,
        connection: &Connection,
        search: &RejectedSearch<'_>,
        within: &InList,
    ) -> rusqlite::Result<()> {
        let (month, list) = (within.month, within.key);
        let is_here = |after: &RejectedPlace| (after.month, after.list) == (month, list);
        let after = search.after.filter(is_here).map_or(0, |after| after.line);
        let kept = u64::try_from(REJECTED_ROWS).unwrap_or(u64::MAX);
        let others = within.rejected.saturating_sub(kept);
        let mut statement =
            connection.prepare_cached(include_str!("../../sql/statements/rejected_of_list.sql"))?;
        let mut rows = statement.query(params![list, after])?;
        while let Some(row) = rows.next()? {
            if self.lines.len() == search.most {
                self.next = self.lines.last().map(|line| line.place);
                break;
            }
            let line = row.get(0)?;
            let is_last: bool = row.get(3)?;
            self.lines.push(ShownLine {
                place: RejectedPlace { month, list, line },
                path: within.path.clone(),
                current: within.current,
                reason: word(row, 1)?,
                excerpt: row.get(2)?,
                stands_for: (is_last && others > 0).then_some(others),
            });
        }
        Ok(())
    }
}

/// The months of the lists that are wanted, none before `since` and none that comes
/// before the place behind which the page begins.
fn months(
    connection: &Connection,
    search: &RejectedSearch<'_>,
    since: &str,
) -> rusqlite::Result<Vec<Month>> {
    let task = search.task.as_str();
    let months: Vec<Month> = match search.of {
        RejectedOf::Month(month) if *month.to_string() < *since => Vec::new(),
        RejectedOf::Month(month) => vec![month],
        RejectedOf::List(list) => {
            let sql = include_str!("../../sql/statements/rejected_month_of_list.sql");
            let asked = params![task, list, since];
            let month = connection.query_row(sql, asked, |row| word(row, 0));
            month.optional()?.into_iter().collect()
        }
        RejectedOf::All => {
            let sql = include_str!("../../sql/statements/rejected_months.sql");
            connection
                .prepare_cached(sql)?
                .query_map(params![task, since], |row| word(row, 0))?
                .collect::<rusqlite::Result<_>>()?
        }
    };
    let follows = |month: &Month| search.after.is_none_or(|after| *month <= after.month);
    Ok(months.into_iter().filter(follows).collect())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, photos};
    use super::*;

    /// Two lists in October, one in November, and one of which every line was a name.
    fn three_lists() -> Fixture {
        let mut fixture = Fixture::new("Asia/Shanghai");
        for (list, when, lines) in [
            ("a", "2026-10-31T15:59:59Z", vec![2, 5]),
            ("none", "2026-10-31T15:59:59Z", vec![]),
            ("b", "2026-10-01T00:00:00Z", vec![1, 3, 9]),
            // November has begun in the task's zone.
            ("c", "2026-10-31T16:00:00Z", vec![7]),
        ] {
            let path = format!("object_lists/{list}.txt");
            fixture.ask(&path, when, &[]);
            for line in lines {
                fixture.reject(&path, line, "nul", "x\\u{0}");
            }
        }
        fixture
    }

    const ALL: [&str; 6] = [
        "2026-11 c 7",
        "2026-10 b 1",
        "2026-10 b 3",
        "2026-10 b 9",
        "2026-10 a 2",
        "2026-10 a 5",
    ];

    /// Every page of a search, so many a page.
    fn pages(fixture: &Fixture, of: RejectedOf, most: usize) -> Vec<Vec<String>> {
        let task = photos();
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let search = RejectedSearch {
                task: &task,
                of,
                after,
                most,
            };
            let page = fixture.ledger.rejected_page(&search).unwrap();
            let shown = page.lines.iter().map(|shown| {
                let list = shown.path.trim_start_matches("object_lists/");
                let (place, list) = (&shown.place, list.trim_end_matches(".txt"));
                format!("{} {list} {}", place.month, place.line)
            });
            pages.push(shown.collect());
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn pages_of_any_length_show_each_line_once_by_month_list_and_line() {
        let fixture = three_lists();
        for most in 1..8 {
            let pages = pages(&fixture, RejectedOf::All, most);
            assert_eq!(pages.concat(), ALL, "{most}");
            assert!(pages.iter().all(|page| page.len() <= most), "{pages:?}");
            assert_eq!(pages.len(), ALL.len().div_ceil(most));
        }
    }

    #[test]
    fn lines_of_one_month_or_of_one_list_are_found_and_counted() {
        let fixture = three_lists();
        let month = |month: &str| month.parse::<Month>().unwrap();
        let (october, november) = (month("2026-10"), month("2026-11"));
        for (of, expected) in [
            (RejectedOf::Month(november), &ALL[..1]),
            (RejectedOf::Month(october), &ALL[1..]),
            (RejectedOf::Month(month("2026-09")), &[]),
            (RejectedOf::List(1), &ALL[4..]),
            (RejectedOf::List(2), &[]),
            (RejectedOf::List(3), &ALL[1..4]),
            (RejectedOf::List(99), &[]),
        ] {
            for most in [1, 2, 100] {
                assert_eq!(pages(&fixture, of, most).concat(), expected, "{of:?}");
            }
        }
        let count = |month| fixture.ledger.rejected_in(&photos(), month).unwrap();
        assert_eq!((count(october), count(november)), (5, 1));
        assert_eq!(count(month("2026-12")), 0);
    }

    #[test]
    fn lists_of_pruned_months_are_not_looked_through_again() {
        let mut fixture = three_lists();
        let prune = |fixture: &mut Fixture, before: &str| {
            let pruned = fixture.ledger.write(|transaction| {
                transaction.execute(
                    "REPLACE INTO pruned_task (task, before) SELECT task, ?1 FROM task",
                    [before],
                )
            });
            assert_eq!(pruned.unwrap(), 1);
        };
        let october = RejectedOf::Month("2026-10".parse().unwrap());
        prune(&mut fixture, "2026-10");
        assert_eq!(pages(&fixture, RejectedOf::All, 100), [ALL]);
        prune(&mut fixture, "2026-11");
        assert_eq!(pages(&fixture, RejectedOf::All, 100), [&ALL[..1]]);
        for of in [october, RejectedOf::List(3)] {
            assert_eq!(pages(&fixture, of, 100), [[""; 0]], "{of:?}");
        }
        assert_eq!(pages(&fixture, RejectedOf::List(4), 100), [&ALL[..1]]);
    }

    #[test]
    fn nothing_of_another_task_is_shown() {
        let mut fixture = three_lists();
        let now = fixture
            .zone
            .local(super::super::fixture::at("2026-11-01T00:00:00Z"));
        let films: TaskId = "films".parse().unwrap();
        fixture
            .ledger
            .enter_task(&films, fixture.zone, 7, now)
            .unwrap();
        for of in [RejectedOf::All, RejectedOf::List(1)] {
            let search = RejectedSearch {
                task: &films,
                of,
                after: None,
                most: 10,
            };
            let page = fixture.ledger.rejected_page(&search).unwrap();
            assert_eq!(page, RejectedPage::default());
        }
        let october = "2026-10".parse().unwrap();
        assert_eq!(fixture.ledger.rejected_in(&films, october).unwrap(), 0);
    }

    #[test]
    fn the_last_line_that_is_kept_stands_for_the_others() {
        let mut fixture = Fixture::new("UTC");
        let path = "object_lists/a.txt";
        fixture.ask(path, "2026-10-05T00:00:00Z", &[]);
        for line in 1..=1001 {
            fixture.reject(path, line, "not_utf8", "x");
        }
        let last = |fixture: &Fixture| {
            let search = RejectedSearch {
                task: &photos(),
                of: RejectedOf::All,
                after: None,
                most: 2000,
            };
            let page = fixture.ledger.rejected_page(&search).unwrap();
            let stand: Vec<_> = page.lines.iter().map(|line| line.stands_for).collect();
            assert_eq!(stand.len(), 1001);
            assert_eq!(stand.iter().flatten().count(), 1);
            stand[1000]
        };
        assert_eq!(last(&fixture), Some(1));
        fixture
            .ledger
            .write(|transaction| transaction.execute("UPDATE list SET rejected = 5000", []))
            .unwrap();
        assert_eq!(last(&fixture), Some(4000));
    }
}
