//! What the ledger claims, name by name, with what the source's listing says of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use super::Means;
use super::error::CheckError;
use crate::model::{Claim, Failure, ObjectName, Side};
use crate::plan::{Listings, Sight, survey};
use crate::pool::guarded;
use crate::transfer::Tally;

/// Claims that are read, and looked up at the source, at once.
const STRETCH: usize = 1000;

/// A claim, and what the source's listing says of its name; `None`: the source is
/// left aside.
pub(super) type Seen = (Claim, Option<Sight>);

/// What the source's listing will say of a stretch.
type Survey = Receiver<Result<Vec<Sight>, Failure>>;

/// The task's claims in byte order. While one stretch of them is compared, the next
/// is looked up at the source: along its listing where that says enough, as a run
/// does, so that a large bucket is not listed for a few names.
pub(super) struct Claims<'m> {
    means: &'m Means<'m>,
    after: String,
    listings: Arc<Listings>,
    seen: VecDeque<Seen>,
    next: Option<(Vec<Claim>, Option<Survey>)>,
}

impl<'m> Claims<'m> {
    /// All claims of the task; the first stretch is looked up now.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(super) fn begin(means: &'m Means<'m>) -> Result<Self, CheckError> {
        let mut claims = Self {
            means,
            after: String::new(),
            listings: Arc::default(),
            seen: VecDeque::new(),
            next: None,
        };
        claims.read_ahead()?;
        Ok(claims)
    }

    fn read_ahead(&mut self) -> Result<(), CheckError> {
        let claims = self
            .means
            .ledger
            .next_claims(&self.means.claimant, &self.after, STRETCH)?;
        let Some(last) = claims.last() else {
            return Ok(());
        };
        last.name.as_str().clone_into(&mut self.after);
        let survey = self.survey(&claims);
        self.next = Some((claims, survey));
        Ok(())
    }

    /// Has the names looked up; `None` where none is to be, or where no listing is
    /// worth a try.
    fn survey(&self, claims: &[Claim]) -> Option<Survey> {
        if !self.means.looks_at_source || !self.listings.are_worth_a_try(claims.len()) {
            return None;
        }
        let names: Vec<_> = claims.iter().map(|claim| claim.name.clone()).collect();
        let (transfer, listings) = (Arc::clone(&self.means.transfer), Arc::clone(&self.listings));
        let (sender, sights) = channel();
        self.means.engine.pool.spawn(move || {
            let surveyed = guarded(|| {
                let names: Vec<&str> = names.iter().map(ObjectName::as_str).collect();
                let list =
                    |after: &str, keys| transfer.list(Side::Source, after, keys, &Tally::default());
                let ask = |name: &str| transfer.ask(Side::Source, name);
                Ok(survey(&names, &listings, list, ask))
            });
            // Nobody may want it any more.
            drop(sender.send(surveyed));
        });
        Some(sights)
    }

    /// Waits for what the source says of the next stretch, and has the one behind it
    /// looked up.
    fn turn(&mut self) -> Result<bool, CheckError> {
        let Some((claims, survey)) = self.next.take() else {
            return Ok(false);
        };
        let sights = match survey {
            Some(survey) => self
                .means
                .await_answer(&survey)?
                .map_err(CheckError::Source)?,
            None => vec![Sight::Unknown; claims.len()],
        };
        self.read_ahead()?;
        let looks = self.means.looks_at_source;
        let sights = sights.into_iter().map(|sight| looks.then_some(sight));
        self.seen.extend(claims.into_iter().zip(sights));
        Ok(true)
    }
}

impl Iterator for Claims<'_> {
    type Item = Result<(String, Seen), CheckError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(seen) = self.seen.pop_front() {
                let name = seen.0.name.as_str().to_owned();
                return Some(Ok((name, seen)));
            }
            match self.turn() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
