//! An object that lies in an archive: it is brought back, if the task says so, and
//! carried by a later run.

use super::{LOOKS, Look, Voyage, missing};
use crate::model::{
    Archive, AwaitedRestore, Failure, FailureCause, ObjectFacts, Readiness, RestoreAnswer,
    RestoreOrder, Side,
};
use crate::run::voyage::Glass;
use crate::s3::Download;

/// What is known of the archive beside what the source says of the object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shelf {
    /// The source would not give the object, because it is archived.
    refused: bool,
    /// This run has asked for it.
    asked: bool,
    /// The source said, when asked, that it is there already.
    is_back: bool,
}

impl Voyage {
    /// Whether the object of the facts `source` can be read:
    ///
    /// | HEAD, or a listing | when asked, the source said it is back | it would not give it | then |
    /// |--|--|--|--|
    /// | being restored | any | any | being restored |
    /// | else | yes | any | ready |
    /// | ready, or unclear | no | yes | archived |
    /// | else | no | any | as it says |
    pub(super) const fn readiness(&self, source: &ObjectFacts) -> Readiness {
        match source.readiness {
            Readiness::BeingRestored => Readiness::BeingRestored,
            _ if self.shelf.is_back => Readiness::Ready,
            Readiness::Ready | Readiness::Unclear if self.shelf.refused => {
                Readiness::Archived(Archive::Class)
            }
            said => said,
        }
    }

    /// Whether a look may try to read the object at once: not while the last that
    /// was heard of it is that it cannot be.
    pub(super) const fn may_be_opened(&self) -> bool {
        !self.queued.is_awaited && !self.shelf.refused
    }

    /// As [`look`](Self::look); and an archived object is asked for, if the task has
    /// a `restore`, and fails, if it has none.
    pub fn look_or_restore(
        &mut self,
        glass: &Glass,
        tried: Option<Result<Download, Failure>>,
    ) -> Result<Look, Failure> {
        let look = match self.look(glass, tried) {
            // Refused when it was opened: nothing else is known of it yet.
            Err(failure) if glass.restore.is_some() && self.may_be_asked_for(&failure) => {
                self.look(glass, None)?
            }
            look => look?,
        };
        let Look::Archived(readiness) = look else {
            return Ok(look);
        };
        let Some(order) = glass.restore else {
            return Err(self.archived());
        };
        match readiness {
            Readiness::BeingRestored => Ok(Look::Awaits(None)),
            // Nothing is begun any more.
            _ if glass.transfer.is_stopped() => Ok(Look::Archived(readiness)),
            Readiness::Archived(archive) if !self.shelf.asked => {
                self.ask_for(glass, archive, order)
            }
            _ => Err(self.archived()),
        }
    }

    fn ask_for(
        &mut self,
        glass: &Glass,
        archive: Archive,
        order: RestoreOrder,
    ) -> Result<Look, Failure> {
        self.shelf.asked = true;
        let name = self.queued.name.as_str();
        match glass.transfer.restore(name, archive, order, &self.tally)? {
            RestoreAnswer::Accepted => Ok(Look::Awaits(Some(order))),
            RestoreAnswer::InProgress => Ok(Look::Awaits(None)),
            RestoreAnswer::Extended => {
                self.shelf.is_back = true;
                match self.look(glass, None)? {
                    // Some say so of what they have only begun.
                    Look::Archived(_) => Ok(Look::Awaits(Some(order))),
                    look => Ok(look),
                }
            }
        }
    }

    /// Whether an object that failed for `failure` is archived, and may still be
    /// asked for.
    pub fn may_be_asked_for(&mut self, failure: &Failure) -> bool {
        let is_archived = failure.cause == FailureCause::SourceArchived;
        self.shelf.refused |= is_archived;
        is_archived && !self.shelf.asked && self.looks < LOOKS
    }

    /// Asks the source about an object of which a listing said that it may be in an archive.
    pub(super) fn look_for_archive(&mut self, glass: &Glass) -> Result<(), Failure> {
        let name = self.queued.name.as_str();
        let head = glass.transfer.source_head(name, &self.tally)?;
        self.source = head.map(|head| head.facts);
        self.source().map(drop)
    }

    /// That the object lies in an archive.
    pub fn archived(&self) -> Failure {
        let name = &self.queued.name;
        if self.source.is_none() {
            return missing(name);
        }
        let message =
            format!("{name:?} lies in an archive at the source, and must be brought back first");
        Failure::new(FailureCause::SourceArchived, message).at(Side::Source)
    }

    /// What is kept of an object that the source is bringing back.
    pub fn awaited(&self, order: Option<RestoreOrder>) -> AwaitedRestore {
        AwaitedRestore {
            order,
            seen_at: self.seen_at,
            size_bytes: self.source.as_ref().map(|source| source.size_bytes),
        }
    }
}
