//! From a look at both ends to a planned copy: what listings leave open is asked
//! name by name, and nothing is carried before the ledger knows.

use std::sync::Arc;

use super::conveyor::{Conveyor, Event};
use super::voyage::{Glass, Look, Voyage};
use crate::model::{Failure, Note, Outcome, Side};
use crate::pool::guarded;

/// Planned copies that are committed with one note: few enough for the first of
/// them to begin soon.
const PLANS: usize = 128;

impl Conveyor<'_> {
    /// Looks at both ends ahead of the transfers, in bounded memory.
    pub(super) fn look_ahead(&mut self) {
        while self.looking + self.planned_names() + self.ready.len() < 2 * self.means.workers
            && !self.to_look.is_empty()
            && self.share.take(0)
        {
            match self.to_look.pop_front() {
                Some(voyage) => self.look(voyage),
                None => self.share.give_back(0),
            }
        }
    }

    /// Looks at both ends. The caller has taken a slot, without memory.
    fn look(&mut self, mut voyage: Box<Voyage>) {
        self.looking += 1;
        let transfer = Arc::clone(&self.means.transfer);
        // What the server copies by itself is not read here.
        let is_read = !transfer.server_side.copies_whole(0);
        // What may be left out once its size or age is known is not read before.
        let may_open = is_read && !self.means.settle_only && !self.means.rule.asks_for_facts();
        let glass = Glass {
            transfer,
            rule: self.means.rule.clone(),
            may_open,
            restore: self.means.restore,
            clock: self.means.clock.clone(),
        };
        let leave = voyage
            .is_opened_first(&glass)
            .then(|| glass.transfer.source.leave())
            .flatten();
        let (transfer, name) = (Arc::clone(&glass.transfer), voyage.queued.name.clone());
        let answers = self.answers();
        voyage.set_out();
        let settle_only = self.means.settle_only;
        let look = move |opened| {
            let look = guarded(|| {
                if settle_only {
                    voyage.look(&glass, opened)
                } else {
                    voyage.look_or_restore(&glass, opened)
                }
            });
            Event::Looked(voyage, look)
        };
        match leave {
            None => answers.spawn(move || look(None)),
            Some(leave) => transfer.open_first(leave, name.as_str(), move |opened| match opened {
                Ok(download) => answers.tell(look(Some(Ok(download)))),
                Err(failure) => answers.spawn(move || look(Some(Err(failure)))),
            }),
        }
    }

    /// Listings that were wrong once are not asked any more.
    pub(super) fn check_listings(&self, voyage: &Voyage) {
        for side in [Side::Source, Side::Destination] {
            if voyage.contradicts(side) && self.stretches.listings(side).distrust() {
                tracing::warn!(
                    "the {} does not list {:?} as it is: names are asked about one by one",
                    side.as_str(),
                    voyage.queued.name
                );
            }
        }
    }

    pub(super) fn on_look(&mut self, mut voyage: Box<Voyage>, look: Result<Look, Failure>) {
        match look {
            // Left as it is, for a run that carries.
            Ok(Look::Carry(_) | Look::Archived(_))
                if self.means.settle_only || self.stopping.is_some() => {}
            Ok(Look::Archived(_)) => {
                let failure = voyage.archived();
                self.fail(voyage, failure);
            }
            Ok(Look::Awaits(order)) => self.await_restore(&voyage, order),
            Ok(Look::Carry(route)) => self.to_plan.push((voyage, route)),
            Ok(Look::Found(copied)) => self.settle(voyage, Outcome::Synced(copied)),
            Ok(Look::Settled(reason)) => self.settle(voyage, Outcome::Ignored(reason)),
            Ok(Look::Excluded(exclusion)) => {
                self.note_recognised(&mut voyage);
                self.settle(voyage, Outcome::Excluded(exclusion));
            }
            Err(failure) => self.fail(voyage, failure),
        }
    }

    /// Has copies committed as planned, before anything of them is written.
    pub(super) fn commit_plans(&mut self) {
        while !self.to_plan.is_empty() {
            let rest = self.to_plan.split_off(self.to_plan.len().min(PLANS));
            let batch = std::mem::replace(&mut self.to_plan, rest);
            let mut plans = Vec::with_capacity(batch.len());
            let mut laden = Vec::with_capacity(batch.len());
            for (mut voyage, route) in batch {
                match voyage.plan() {
                    Ok(planned) => {
                        self.note_recognised(&mut voyage);
                        plans.push((voyage.queued.name.clone(), planned));
                        laden.push((voyage, route));
                    }
                    Err(failure) => self.fail(voyage, failure),
                }
            }
            if !laden.is_empty() {
                let ticket = self.outbox.note_awaited(Note::Planned(plans));
                self.planned.insert(ticket, laden);
            }
        }
    }

    /// Has kept what the destination has of ours, if no outcome tells of it.
    fn note_recognised(&mut self, voyage: &mut Voyage) {
        if let Some(copy) = voyage.take_recognised() {
            let name = voyage.queued.name.clone();
            self.outbox.note(Note::Recognised(name, copy));
        }
    }

    /// Names whose planned copies are being committed.
    pub(super) fn planned_names(&self) -> usize {
        self.planned.values().map(Vec::len).sum()
    }

    pub(super) fn on_committed(&mut self, ticket: u64) {
        match self.planned.remove(&ticket) {
            Some(planned) => self.ready.extend(planned),
            None => self.on_upload_committed(ticket),
        }
    }
}
