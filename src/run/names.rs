//! The names that a run has to look at, read from the ledger a stretch at a time.

use std::collections::VecDeque;

use crate::ledger::{Ledger, Queued, Result, Stretch, Taken, TaskKey};
use crate::model::ObjectName;

/// Names read ahead: enough to keep the pool busy, few enough to weigh nothing.
const STRETCH: usize = 1000;

/// Hands out each taken name once: from the name on which the last run left off
/// to the end of the alphabet, then from its beginning. So every name has its
/// turn even if no night is long enough for all.
pub struct Names<'a> {
    ledger: &'a Ledger,
    task: TaskKey,
    through: i64,
    start: String,
    /// The last name that was read, and whether the alphabet has begun anew.
    last: Option<ObjectName>,
    wrapped: bool,
    left: u64,
    ahead: VecDeque<Queued>,
    ended: bool,
    only_planned: bool,
}

impl<'a> Names<'a> {
    /// The names that `taken` covers, at most `limit` of them.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn new(
        ledger: &'a Ledger,
        task: TaskKey,
        taken: Taken,
        limit: Option<u64>,
    ) -> Result<Self> {
        let start = ledger.resume_name(task)?.unwrap_or_default();
        let wrapped = start.is_empty();
        Ok(Self {
            ledger,
            task,
            through: taken.through,
            start,
            last: None,
            wrapped,
            left: limit.unwrap_or(u64::MAX),
            ahead: VecDeque::new(),
            ended: taken.count == 0,
            only_planned: false,
        })
    }

    /// Only those of which an earlier run planned a copy without getting to its outcome.
    #[must_use]
    pub fn only_planned(self, only_planned: bool) -> Self {
        Self {
            only_planned,
            ..self
        }
    }

    /// The next name; `None` once all were handed out or the limit is reached.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn next(&mut self) -> Result<Option<Queued>> {
        if self.left == 0 {
            return Ok(None);
        }
        let name = self.peeked()?.then(|| self.ahead.pop_front()).flatten();
        self.left -= u64::from(name.is_some());
        Ok(name)
    }

    /// The name that would come next, were there no limit.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn peek(&mut self) -> Result<Option<&ObjectName>> {
        self.peeked()?;
        Ok(self.ahead.front().map(|queued| &queued.name))
    }

    /// The last of all taken names in byte order that is still pending.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn last_pending(&self) -> Result<Option<String>> {
        self.ledger.last_pending_name(self.task, self.through)
    }

    /// Reads on if nothing is read ahead; whether there is a next name.
    fn peeked(&mut self) -> Result<bool> {
        while self.ahead.is_empty() && !self.ended {
            self.read_on()?;
        }
        Ok(!self.ahead.is_empty())
    }

    fn read_on(&mut self) -> Result<()> {
        let stretch = match &self.last {
            Some(last) => Stretch::After(last.as_str()),
            None if self.wrapped => Stretch::From(""),
            None => Stretch::From(&self.start),
        };
        let mut names = if self.only_planned {
            self.ledger
                .next_planned_names(self.task, self.through, &stretch, STRETCH)?
        } else {
            self.ledger
                .next_names(self.task, self.through, &stretch, STRETCH)?
        };
        let full = names.len() == STRETCH;
        let began_at_start = !self.start.is_empty() && self.wrapped;
        if began_at_start {
            // Behind the start lies what was handed out before the alphabet began anew.
            names.retain(|queued| queued.name.as_str() < self.start.as_str());
        }
        self.last = names.last().map(|queued| queued.name.clone());
        if !full || names.len() < STRETCH {
            self.ended = self.wrapped;
            self.wrapped = true;
            self.last = None;
        }
        self.ahead.extend(names);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RunEnd;
    use crate::ledger::fixture::{Fixture, at};
    use crate::model::{Deferral, RunState};

    const ASKED: &str = "2026-11-01T00:00:00Z";

    /// The names that the next run hands out, in order, if the last one left
    /// off at `resume_name`. Both begin in this `hour`.
    fn handed_out(
        fixture: &mut Fixture,
        hour: u32,
        resume_name: &str,
        limit: Option<u64>,
    ) -> Vec<String> {
        let night = fixture.begin(&format!("2026-11-01T{hour:02}:00:00Z"));
        let end = RunEnd {
            state: RunState::Ended,
            ended: fixture.zone.local(at(ASKED)),
            deferral: Some(Deferral::WindowEnded),
            resume_name: Some(resume_name.to_owned()),
            requests_sent: None,
        };
        fixture.ledger.end_run(night.run.key, &end).unwrap();
        let night = fixture.begin(&format!("2026-11-01T{hour:02}:30:00Z"));
        let taken = fixture.ledger.take(fixture.task, night.run.key).unwrap();
        let mut names = Names::new(&fixture.ledger, fixture.task, taken, limit).unwrap();
        let next = || {
            names
                .next()
                .unwrap()
                .map(|queued| queued.name.as_str().to_owned())
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn each_name_is_handed_out_once_from_where_the_last_run_left_off() {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", ASKED, &["d", "b", "a", "c", "b", "a"]);
        assert_eq!(handed_out(&mut fixture, 1, "", None), ["a", "b", "c", "d"]);
        assert_eq!(handed_out(&mut fixture, 2, "c", None), ["c", "d", "a", "b"]);
        assert_eq!(
            handed_out(&mut fixture, 3, "bb", None),
            ["c", "d", "a", "b"]
        );
        assert_eq!(handed_out(&mut fixture, 4, "z", None), ["a", "b", "c", "d"]);
        assert_eq!(handed_out(&mut fixture, 5, "c", Some(3)), ["c", "d", "a"]);
    }

    #[test]
    fn stretches_join_without_gap_or_overlap() {
        let mut fixture = Fixture::new("UTC");
        let names: Vec<String> = (0..2 * STRETCH)
            .map(|number| format!("{number:06}"))
            .collect();
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        fixture.ask("object_lists/a.txt", ASKED, &asked);
        assert_eq!(handed_out(&mut fixture, 6, "", None), names);
        let mut turned = names.clone();
        turned.rotate_left(STRETCH);
        assert_eq!(handed_out(&mut fixture, 7, &names[STRETCH], None), turned);
    }

    #[test]
    fn an_empty_queue_hands_out_nothing() {
        let mut fixture = Fixture::new("UTC");
        assert!(handed_out(&mut fixture, 8, "m", None).is_empty());
    }
}
