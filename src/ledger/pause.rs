//! Tasks that an operator pauses: runs leave them alone until they are resumed.

use rusqlite::{OptionalExtension, params};

use super::report::local;
use super::story::present;
use super::{Ledger, Result, TaskKey};
use crate::model::{LocalTime, TaskId, Timestamp};

/// Since when a task is as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// When it was first known.
    pub entered: Option<Timestamp>,
    /// When it was resumed last; `None`: it never was.
    pub resumed: Option<Timestamp>,
    /// Since when it is paused; `None`: it is not.
    pub paused: Option<LocalTime>,
}

impl Ledger {
    /// Pauses `task` from `now` on; says whether it was not paused before. What is
    /// asked for meanwhile is loaded and waits. A run that is at work goes on.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn pause(&mut self, task: TaskKey, now: LocalTime) -> Result<bool> {
        self.write(|transaction| {
            let paused = transaction.execute(
                "UPDATE task SET paused_at = ?2, paused_offset = ?3
                 WHERE task = ?1 AND paused_at IS NULL",
                params![task.0, now.at.ms(), now.offset_minutes],
            )?;
            Ok(paused > 0)
        })
    }

    /// Lets coming runs take `task` up again; says whether it was paused.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn resume(&mut self, task: TaskKey, now: LocalTime) -> Result<bool> {
        self.write(|transaction| {
            let resumed = transaction.execute(
                "UPDATE task SET paused_at = NULL, paused_offset = NULL, resumed_at = ?2
                 WHERE task = ?1 AND paused_at IS NOT NULL",
                params![task.0, now.at.ms()],
            )?;
            Ok(resumed > 0)
        })
    }

    /// Since when `task` is paused; `None` if it is not, or not known.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn paused_since(&self, task: &TaskId) -> Result<Option<LocalTime>> {
        self.standing(task).map(|standing| standing.paused)
    }

    /// Since when `task` is known, goes on, and is paused; nothing of one that is
    /// not known.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn standing(&self, task: &TaskId) -> Result<Standing> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT entered_at, resumed_at, paused_at, paused_offset FROM task
                     WHERE id = ?1",
                    [task.as_str()],
                    |row| {
                        let time = |at: Option<i64>| at.map(Timestamp::from_ms);
                        Ok(Standing {
                            entered: time(row.get(0)?),
                            resumed: time(row.get(1)?),
                            paused: present(row, 2, |row| local(row, 2))?,
                        })
                    },
                )
                .optional()
                .map(Option::unwrap_or_default)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ledger;
    use super::super::fixture::{Fixture, at, photos};

    #[test]
    fn a_task_is_paused_once_and_resumed_once() {
        let mut fixture = Fixture::new("Asia/Shanghai");
        let task = fixture.task;
        let [first, later] = ["2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z"]
            .map(|time| fixture.zone.local(at(time)));
        assert!(!fixture.ledger.resume(task, first).unwrap());
        assert!(fixture.ledger.pause(task, first).unwrap());
        assert!(!fixture.ledger.pause(task, later).unwrap());
        assert_eq!(fixture.ledger.paused_since(&photos()).unwrap(), Some(first));
        assert!(fixture.ledger.resume(task, later).unwrap());
        assert!(!fixture.ledger.resume(task, later).unwrap());
        assert_eq!(fixture.ledger.paused_since(&photos()).unwrap(), None);
        let unknown = "nobody".parse().unwrap();
        assert_eq!(fixture.ledger.paused_since(&unknown).unwrap(), None);
    }

    #[test]
    fn a_pause_is_seen_in_its_view_and_outlasts_the_next_entry_of_the_task() {
        let mut fixture = Fixture::new("Asia/Shanghai");
        let now = fixture.zone.local(at("2026-11-22T01:00:00.007Z"));
        fixture.ledger.pause(fixture.task, now).unwrap();
        let zone = fixture.zone;
        fixture.ledger.enter_task(&photos(), zone, 3, now).unwrap();
        let ledger = Ledger::open_read_only(fixture.ledger.path()).unwrap();
        let shown: (String, String) = ledger
            .read(|connection| {
                connection.query_row(
                    "SELECT task, paused_at_local FROM paused_tasks",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
            })
            .unwrap();
        let since = "2026-11-22T09:00:00.007+08:00";
        assert_eq!(shown, ("photos".to_owned(), since.to_owned()));
    }
}
