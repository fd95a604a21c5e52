//! Copies that one task makes from beginning to end: in one piece through here, or
//! by the server itself.

use std::sync::Arc;

use super::conveyor::{Conveyor, Event};
use super::voyage::Voyage;
use crate::model::{Copied, Failure, Outcome};
use crate::pool::guarded;

impl Conveyor<'_> {
    /// Carries an object in one piece. The first try of a small one needs no
    /// thread; what remains to be done does.
    pub(super) fn carry_whole(&self, mut voyage: Box<Voyage>, bytes: u64) {
        let transfer = Arc::clone(&self.means.transfer);
        let ready = voyage.ready(&transfer);
        let answers = self.answers();
        let carry = move |mut voyage: Box<Voyage>, tried| {
            let result = guarded(|| voyage.carry_whole(&transfer, tried));
            Event::Carried(voyage, bytes, result)
        };
        let Some(ready) = ready else {
            answers.spawn(move || carry(voyage, None));
            return;
        };
        ready.go(move |tried| match voyage.arrived(tried) {
            Ok(copied) => answers.tell(Event::Carried(voyage, bytes, Ok(copied))),
            Err(tried) => answers.spawn(move || carry(voyage, Some(tried))),
        });
    }

    pub(super) fn carry_server_side(&self, mut voyage: Box<Voyage>) {
        let transfer = Arc::clone(&self.means.transfer);
        self.spawn(move || {
            let result = guarded(|| voyage.carry_server_side(&transfer));
            Event::CopiedThere(voyage, result)
        });
    }

    pub(super) fn on_copied_there(
        &mut self,
        mut voyage: Box<Voyage>,
        result: Result<Option<Copied>, Failure>,
    ) {
        match result {
            Ok(Some(copied)) => self.settle(voyage, Outcome::Synced(copied)),
            // The plan is the same, whichever way it goes.
            Ok(None) => match voyage.route_through_here(&self.means.transfer) {
                Ok(route) => self.ready.push_front((voyage, route)),
                Err(failure) => self.fail(voyage, failure),
            },
            Err(failure) => self.fail(voyage, failure),
        }
    }
}
