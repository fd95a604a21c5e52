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
        })
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
        let mut names = self
            .ledger
            .next_names(self.task, self.through, &stretch, STRETCH)?;
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
