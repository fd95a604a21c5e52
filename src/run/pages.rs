//! A bucket's listing object by object, the next page on its way meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::engine::Engine;
use crate::model::{Failure, FailureCause, ObjectFacts, Side};
use crate::pool::guarded;
use crate::s3::ListPage;
use crate::transfer::Transfer;

/// Names asked for at once.
const PAGE: u16 = 1000;

/// Pages without a name that may follow each other. Servers that just removed
/// much send some.
const MOST_EMPTY_PAGES: u32 = 100;

/// How often a signal is looked for while an answer is waited for.
const TICK: Duration = Duration::from_millis(50);

/// Why a listing breaks off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// The server refused or did not answer.
    Failed(Failure),
    /// Somebody asked to stop.
    Stopped,
}

/// The objects at one end whose names begin with a prefix. Each page is a task of the
/// pool, asked for while the one before it is worked on, so that two listings side by
/// side wait for the slower one alone.
pub(super) struct Pages<'e> {
    engine: &'e Engine,
    transfer: Arc<Transfer>,
    side: Side,
    prefix: Arc<str>,
    objects: VecDeque<(String, ObjectFacts)>,
    next: Option<Receiver<Result<ListPage, Failure>>>,
    empty: u32,
}

impl<'e> Pages<'e> {
    /// The listing from its beginning; the first page is asked for now.
    pub(super) fn begin(
        engine: &'e Engine,
        transfer: &Arc<Transfer>,
        side: Side,
        prefix: &str,
    ) -> Self {
        let mut pages = Self {
            engine,
            transfer: Arc::clone(transfer),
            side,
            prefix: prefix.into(),
            objects: VecDeque::new(),
            next: None,
            empty: 0,
        };
        pages.ask_for(None);
        pages
    }

    fn ask_for(&mut self, continuation: Option<String>) {
        let (sender, next) = channel();
        let (transfer, prefix) = (Arc::clone(&self.transfer), Arc::clone(&self.prefix));
        let side = self.side;
        self.engine.pool.spawn(move || {
            let page = guarded(|| transfer.page(side, &prefix, continuation.as_deref(), PAGE));
            // Nobody may want it any more.
            drop(sender.send(page));
        });
        self.next = Some(next);
    }

    /// Waits for the page that is on its way, and asks for the one behind it; `false`
    /// at the end.
    fn turn(&mut self) -> Result<bool, Broken> {
        let Some(next) = self.next.take() else {
            return Ok(false);
        };
        let page = await_answer(self.engine, &next)?.map_err(Broken::Failed)?;
        self.empty = if page.objects.is_empty() {
            self.empty + 1
        } else {
            0
        };
        if page.next.is_some() && self.empty > MOST_EMPTY_PAGES {
            let message = format!("the {} goes on listing pages without a name", self.side);
            let failure = Failure::new(FailureCause::ServerError, message);
            return Err(Broken::Failed(failure.at(self.side)));
        }
        if let Some(continuation) = page.next {
            self.ask_for(Some(continuation));
        }
        let objects = page.objects.into_iter();
        self.objects
            .extend(objects.map(|object| (object.name, object.facts)));
        Ok(true)
    }
}

/// Waits for the next of `answers`, unless somebody asks to stop.
pub(super) fn await_answer<T>(engine: &Engine, answers: &Receiver<T>) -> Result<T, Broken> {
    loop {
        if engine.signal.is_requested() {
            return Err(Broken::Stopped);
        }
        match answers.recv_timeout(TICK) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let message = "a worker went away without an answer";
                let failure = Failure::new(FailureCause::Internal, message);
                return Err(Broken::Failed(failure));
            }
        }
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<(String, ObjectFacts), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(object) = self.objects.pop_front() {
                return Some(Ok(object));
            }
            match self.turn() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(broken) => return Some(Err(broken)),
            }
        }
    }
}
