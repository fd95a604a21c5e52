//! The part of a voyage on which the object is carried.

use std::sync::Arc;

use super::{Voyage, missing};
use crate::model::{Copied, Failure, ObjectFacts};
use crate::transfer::{Arrival, Begun, FirstTry, ReadyCopy, Route, Transfer, WholeCopy};

impl Voyage {
    /// The first try to carry the object in one piece, if that can begin now.
    pub fn ready(&mut self, transfer: &Arc<Transfer>) -> Option<ReadyCopy> {
        let mut opened = self.opened.take();
        let copy = self.whole_copy().ok();
        let ready = copy.and_then(|copy| transfer.ready(copy, &mut opened));
        self.opened = opened;
        ready
    }

    /// The copy, if the first try made it.
    ///
    /// # Errors
    /// The try, if the object is still to be [carried](Self::carry_whole).
    pub fn arrived(&mut self, tried: FirstTry) -> Result<Copied, Box<FirstTry>> {
        let (arrival, source) = tried.succeeded()?;
        Ok(self.carried(arrival, source))
    }

    /// Carries the object in one piece; `tried` is the first try, if there was one.
    pub fn carry_whole(
        &mut self,
        transfer: &Transfer,
        tried: Option<Box<FirstTry>>,
    ) -> Result<Copied, Failure> {
        let opened = self.opened.take();
        let begun = tried
            .map(Begun::Tried)
            .or(opened.map(|opened| Begun::Opened(Box::new(opened))));
        let copy = self.whole_copy()?;
        let begun = begun.unwrap_or_default();
        let (arrival, source) = transfer.copy_whole(copy, begun, &self.tally)?;
        Ok(self.carried(arrival, source))
    }

    fn whole_copy(&self) -> Result<WholeCopy<'_>, Failure> {
        let name = &self.queued.name;
        Ok(WholeCopy {
            name: name.as_str(),
            planned: self.source.as_ref().ok_or_else(|| missing(name))?,
            replaces: self.destination.as_ref().map(|facts| &facts.etag),
        })
    }

    fn carried(&mut self, arrival: Arrival, source: ObjectFacts) -> Copied {
        self.source = Some(source);
        self.server_request_id = arrival.server_request_id;
        arrival.copied
    }

    /// Has the server copy the object by itself; `None` if it is to go by another
    /// [`route`](Self::route_through_here).
    pub fn carry_server_side(&mut self, transfer: &Transfer) -> Result<Option<Copied>, Failure> {
        let name = &self.queued.name;
        let source = self.source.as_ref().ok_or_else(|| missing(name))?;
        let replaces = self.replaces();
        let (name, tally) = (name.as_str(), &self.tally);
        let arrival = transfer.copy_server_side(name, source, replaces.as_ref(), tally)?;
        Ok(arrival.map(|arrival| {
            self.server_request_id = arrival.server_request_id;
            arrival.copied
        }))
    }

    /// The way of an object that the server did not copy by itself.
    pub fn route_through_here(&mut self, transfer: &Transfer) -> Result<Route, Failure> {
        let route = transfer.route_through_here(self.source()?.size_bytes)?;
        Ok(self.on(route))
    }
}
