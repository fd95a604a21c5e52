//! Names that are left because their source is bringing the objects back.

use super::conveyor::Conveyor;
use super::voyage::Voyage;
use crate::model::{Note, RestoreOrder};

impl Conveyor<'_> {
    /// Leaves a name to a later run, which finds the object there; `order` if it was
    /// asked for now.
    pub(super) fn await_restore(&mut self, voyage: &Voyage, order: Option<RestoreOrder>) {
        let name = voyage.queued.name.clone();
        let how = order.map_or("being brought back", |_| "asked for");
        tracing::debug!("{name:?} is archived: {how}");
        self.unsettled.remove(&voyage.sequence);
        self.settled += 1;
        self.awaits = true;
        self.means.progress.awaits();
        let awaited = voyage.awaited(order);
        self.outbox.note(Note::Awaits(name, awaited));
    }
}
