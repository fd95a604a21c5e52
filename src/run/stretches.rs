//! Names, a stretch at a time: read ahead, looked for in the listings of both
//! ends, and handed on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conveyor::{Conveyor, Event};
use super::listed::Listed;
use super::names::Names;
use super::voyage::Voyage;
use crate::ledger::{LedgerError, Queued};
use crate::model::{DestinationPrefix, Exclusion, Failure, Outcome, Side, Timestamp};
use crate::plan::{Listings, Sight, survey};
use crate::pool::guarded;
use crate::transfer::Tally;

/// The most names of a stretch: as many as a page of a listing holds.
const MOST_NAMES: u64 = 1000;

/// The fewest.
const FEWEST_NAMES: u64 = 64;

/// A stretch is as long as this many seconds of work, so that its facts are still
/// fresh when its last name's turn comes.
const SECONDS: u64 = 20;

/// Stretches that are looked for in listings at once.
const SURVEYED_AT_ONCE: usize = 4;

/// While more names than this wait for their turn, no further ones are read.
const WAITING: usize = 500;

/// How many names the next stretch has, when `settled` names took `elapsed_ms`.
///
/// | settled | names |
/// |--|--|
/// | fewer than 64 | 1,000 |
/// | else | what is settled in 20 seconds, 64 to 1,000 |
fn stretch_names(settled: u64, elapsed_ms: u64) -> u64 {
    if settled < FEWEST_NAMES {
        return MOST_NAMES;
    }
    let names = settled.saturating_mul(SECONDS * 1000) / elapsed_ms.max(1);
    names.clamp(FEWEST_NAMES, MOST_NAMES)
}

/// A stretch whose names are looked for in the listings of both ends. Their
/// voyages, which are large, begin once both have said what they can.
pub(super) struct Stretch {
    /// The place of the first name in the order of work; the others follow it.
    first: u64,
    queued: Arc<Vec<Queued>>,
    source: Survey,
    destination: Survey,
    /// When it was begun.
    at: Timestamp,
}

/// What is known of the listing of one end.
enum Survey {
    /// To be asked for.
    Due,
    /// Asked for.
    UnderWay,
    /// This, name by name.
    Said(Vec<Sight>),
}

impl Stretch {
    fn survey(&mut self, side: Side) -> &mut Survey {
        match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        }
    }

    fn is_said(&self) -> bool {
        matches!(
            (&self.source, &self.destination),
            (Survey::Said(_), Survey::Said(_))
        )
    }

    /// The voyages, each with what was said of it.
    fn voyages(self) -> impl Iterator<Item = Voyage> {
        let sights = |survey| match survey {
            Survey::Said(sights) => sights,
            Survey::Due | Survey::UnderWay => Vec::new(),
        };
        let at = self.at;
        // Nobody looks for them any more, so they are taken as they are.
        let queued = Arc::unwrap_or_clone(self.queued);
        (self.first..)
            .zip(queued)
            .zip(sights(self.source))
            .zip(sights(self.destination))
            .map(move |(((sequence, queued), source), destination)| {
                let mut voyage = Voyage::new(sequence, queued);
                voyage.listed(Listed {
                    source,
                    destination,
                    at,
                });
                voyage
            })
    }
}

/// The stretches that are under way, and what the run has learned of listings.
pub(super) struct Stretches {
    under_way: BTreeMap<u64, Stretch>,
    begun: u64,
    source: Arc<Listings>,
    destination: Arc<Listings>,
}

impl Stretches {
    /// None is under way yet; the destination puts `prefix` before every name.
    pub(super) fn new(prefix: &DestinationPrefix) -> Self {
        Self {
            under_way: BTreeMap::new(),
            begun: 0,
            source: Arc::default(),
            destination: Arc::new(Listings::under(prefix)),
        }
    }

    /// Whether none is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Lets all go that are under way.
    pub(super) fn clear(&mut self) {
        self.under_way.clear();
    }

    pub(super) const fn listings(&self, side: Side) -> &Arc<Listings> {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }
}

impl Conveyor<'_> {
    /// Reads names ahead of the transfers, in bounded memory.
    pub(super) fn read_ahead(&mut self, names: &mut Names<'_>) -> Result<(), LedgerError> {
        while self.stopping.is_none()
            && self.stretches.under_way.len() < SURVEYED_AT_ONCE
            && self.waiting() < WAITING
        {
            let (read, queued) = self.next_names(names)?;
            if queued.is_empty() {
                // Many names may follow each other that nobody is asked about.
                self.reads_on = read > 0;
                break;
            }
            let stretch = self.begin_stretch(queued);
            let number = self.stretches.begun;
            self.stretches.begun += 1;
            self.stretches.under_way.insert(number, stretch);
            self.survey(number);
        }
        Ok(())
    }

    /// The next names that are to be looked at, and how many were read for them;
    /// those that are left out by their names alone are settled at once.
    fn next_names(&mut self, names: &mut Names<'_>) -> Result<(u64, Vec<Queued>), LedgerError> {
        let elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let most = stretch_names(self.settled - self.unseen, elapsed_ms);
        let mut read = 0;
        let mut queued = Vec::new();
        while read < most
            && let Some(next) = names.next()?
        {
            read += 1;
            match self.means.rule.excludes_unseen(&next) {
                Some(exclusion) => self.settle_unseen(next, exclusion),
                None => queued.push(next),
            }
        }
        Ok((read, queued))
    }

    /// Settles a name that is left out before anybody was asked about it.
    fn settle_unseen(&mut self, queued: Queued, exclusion: Exclusion) {
        let voyage = Box::new(Voyage::new(self.sequence, queued));
        self.sequence += 1;
        self.unseen += 1;
        self.settle(voyage, Outcome::Excluded(exclusion));
    }

    fn begin_stretch(&mut self, queued: Vec<Queued>) -> Stretch {
        let first = self.sequence;
        for next in &queued {
            self.unsettled.insert(self.sequence, next.name.clone());
            self.sequence += 1;
        }
        let unseen = |side| {
            // An end that is only to be recognised is asked about each copy itself.
            let listings: &Listings = self.stretches.listings(side);
            if !self.means.settle_only && listings.are_worth_a_try(queued.len()) {
                Survey::Due
            } else {
                Survey::Said(vec![Sight::Unknown; queued.len()])
            }
        };
        Stretch {
            source: unseen(Side::Source),
            destination: unseen(Side::Destination),
            first,
            queued: Arc::new(queued),
            at: self.means.clock.now(),
        }
    }

    /// Begins the surveys for which there was no slot yet.
    pub(super) fn begin_surveys(&mut self) {
        let numbers: Vec<u64> = self.stretches.under_way.keys().copied().collect();
        for number in numbers {
            self.survey(number);
        }
    }

    /// Has the names of a stretch looked for in both listings, as far as there are
    /// slots; hands them on once both have said what they can.
    fn survey(&mut self, number: u64) {
        for side in [Side::Source, Side::Destination] {
            let Some(stretch) = self.stretches.under_way.get_mut(&number) else {
                return;
            };
            if !matches!(stretch.survey(side), Survey::Due) || !self.share.take(0) {
                continue;
            }
            *stretch.survey(side) = Survey::UnderWay;
            let (queued, listings) = (
                Arc::clone(&stretch.queued),
                Arc::clone(self.stretches.listings(side)),
            );
            let transfer = Arc::clone(&self.means.transfer);
            self.spawn(move || {
                let sights = guarded(|| {
                    let names: Vec<&str> = queued.iter().map(|it| it.name.as_str()).collect();
                    let list =
                        |after: &str, keys| transfer.list(side, after, keys, &Tally::default());
                    let ask = |name: &str| transfer.ask(side, name);
                    Ok(survey(&names, &listings, list, ask))
                });
                Event::Surveyed(number, side, sights)
            });
        }
        let is_said = |stretch: &Stretch| stretch.is_said();
        if self.stretches.under_way.get(&number).is_some_and(is_said)
            && let Some(stretch) = self.stretches.under_way.remove(&number)
        {
            self.hand_on(stretch);
        }
    }

    /// What a listing says has come.
    pub(super) fn on_surveyed(
        &mut self,
        number: u64,
        side: Side,
        sights: Result<Vec<Sight>, Failure>,
    ) {
        self.give_back(0);
        if let Some(stretch) = self.stretches.under_way.get_mut(&number) {
            // A fault of ours in reading a listing costs the listing, not the names.
            let sights = sights.unwrap_or_else(|_| vec![Sight::Unknown; stretch.queued.len()]);
            *stretch.survey(side) = Survey::Said(sights);
            self.survey(number);
        }
    }

    /// Decides what listings are enough for; the rest is to be looked at.
    fn hand_on(&mut self, stretch: Stretch) {
        let (transfer, rule) = (Arc::clone(&self.means.transfer), self.means.rule.clone());
        for mut voyage in stretch.voyages().map(Box::new) {
            match voyage.look_at_listings(&transfer, &rule, self.tags) {
                Some(look) => self.on_look(voyage, look),
                None => self.to_look.push_back(voyage),
            }
        }
    }

    /// Names that were read and wait for their turn.
    fn waiting(&self) -> usize {
        self.to_look.len() + self.to_plan.len() + self.planned_names() + self.ready.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_as_long_as_its_facts_are_fresh() {
        for (settled, elapsed_ms, names) in [
            (0, 0, 1000),
            (63, 1_000_000, 1000),
            (64, 0, 1000),
            (100, 10_000, 200),
            (1000, 10_000, 1000),
            (1000, 100_000, 200),
            (64, 1_000_000, 64),
        ] {
            assert_eq!(stretch_names(settled, elapsed_ms), names);
        }
    }
}
