//! A bucket's listing object by object, the next page on its way meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use super::Means;
use super::error::CheckError;
use crate::model::{Failure, FailureCause, ObjectFacts, Side};
use crate::pool::guarded;
use crate::s3::{ListPage, ListedObject};

/// Names asked for at once.
const PAGE: u16 = 1000;

/// Pages without a name that may follow each other. Servers that just removed
/// much send some.
const MOST_EMPTY_PAGES: u32 = 100;

/// The objects at the destination under the task's prefix, by their names without
/// it. Each page is a task of the pool, so that it waits for nobody.
pub(super) struct Pages<'m> {
    means: &'m Means<'m>,
    objects: VecDeque<ListedObject>,
    next: Option<Receiver<Result<ListPage, Failure>>>,
    empty: u32,
}

impl<'m> Pages<'m> {
    /// The listing from its beginning; the first page is asked for now.
    pub(super) fn begin(means: &'m Means<'m>) -> Self {
        let mut pages = Self {
            means,
            objects: VecDeque::new(),
            next: None,
            empty: 0,
        };
        pages.ask_for(None);
        pages
    }

    fn ask_for(&mut self, continuation: Option<String>) {
        let (sender, next) = channel();
        let transfer = Arc::clone(&self.means.transfer);
        self.means.engine.pool.spawn(move || {
            let page =
                guarded(|| transfer.page(Side::Destination, "", continuation.as_deref(), PAGE));
            // Nobody may want it any more.
            drop(sender.send(page));
        });
        self.next = Some(next);
    }

    /// Waits for the page that is on its way, and asks for the one behind it.
    fn turn(&mut self) -> Result<bool, CheckError> {
        let Some(next) = self.next.take() else {
            return Ok(false);
        };
        let page = self
            .means
            .await_answer(&next)?
            .map_err(CheckError::Destination)?;
        self.empty = if page.objects.is_empty() {
            self.empty + 1
        } else {
            0
        };
        if page.next.is_some() && self.empty > MOST_EMPTY_PAGES {
            let message = "the destination goes on listing pages without a name";
            return Err(CheckError::Destination(
                Failure::new(FailureCause::ServerError, message).at(Side::Destination),
            ));
        }
        if let Some(continuation) = page.next {
            self.ask_for(Some(continuation));
        }
        self.objects.extend(page.objects);
        Ok(true)
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<(String, ObjectFacts), CheckError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(object) = self.objects.pop_front() {
                return Some(Ok((object.name, object.facts)));
            }
            match self.turn() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
