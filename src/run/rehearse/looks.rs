//! The looks of a rehearsal: at listings and name by name, as a run makes them.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Rehearsal;
use crate::config::TaskConfig;
use crate::decide::ListedTags;
use crate::ledger::{Ledger, Queued, TaskKey};
use crate::model::{Counters, Failure, FailureCause, IgnoreReason, ObjectName, Side, TaskId};
use crate::plan::{Listings, Sight, survey};
use crate::pool::guarded;
use crate::report::hints::meaning;
use crate::run::engine::{Ends, Engine};
use crate::run::error::RunError;
use crate::run::listed::Listed;
use crate::run::rule::Rule;
use crate::run::voyage::{Glass, Look, Voyage};
use crate::transfer::{Tally, Transfer};

/// Names that are read ahead of the looks.
const STRETCH: usize = 1000;

/// How often a signal is looked for meanwhile.
const TICK: Duration = Duration::from_millis(100);

/// What the looks are made with.
pub(super) struct Looks<'a> {
    engine: &'a Engine,
    task: &'a TaskId,
    rule: Rule,
    transfer: Arc<Transfer>,
    source: Arc<Listings>,
    destination: Arc<Listings>,
    /// Both ends, and what was asked of them before.
    ends: &'a Ends,
    before: [Counters; 2],
}

impl<'a> Looks<'a> {
    pub(super) fn new(engine: &'a Engine, task: &'a TaskConfig, ends: &'a Ends) -> Self {
        Self {
            engine,
            task: &task.id,
            rule: Rule::new(task, engine.clock.now()),
            transfer: Arc::new(engine.transfer(task, ends)),
            source: Arc::default(),
            destination: Arc::new(Listings::under(ends.destination.prefix())),
            ends,
            before: [ends.source.counters(), ends.destination.counters()],
        }
    }

    /// Decides for every name that would be taken.
    pub(super) fn look_at_all(
        &self,
        ledger: &Ledger,
        key: Option<TaskKey>,
        rehearsal: &mut Rehearsal,
    ) -> Result<(), RunError> {
        let mut after: Option<String> = None;
        let mut left = self.engine.options.limit.unwrap_or(u64::MAX);
        while left > 0 && !self.engine.signal.is_requested() {
            let step = usize::try_from(left).unwrap_or(STRETCH).min(STRETCH);
            let prefix = self.ends.destination.prefix();
            let names = ledger.rehearsed_names(key, prefix, after.as_deref(), step)?;
            let count = names.len();
            after = names.last().map(|queued| queued.name.as_str().to_owned());
            self.look_at(names, rehearsal);
            if count < step {
                break;
            }
            left -= count as u64;
        }
        // What the looks asked, a run asks too, but for this.
        let [source, destination] = self.before;
        let mut looked = self.ends.source.counters().since(source);
        looked.head = looked.head.saturating_sub(rehearsal.opened);
        rehearsal.source += looked;
        rehearsal.destination += self.ends.destination.counters().since(destination);
        Ok(())
    }

    fn look_at(&self, mut names: Vec<Queued>, rehearsal: &mut Rehearsal) {
        names.retain(|queued| match self.rule.excludes_unseen(queued) {
            Some(exclusion) => {
                let look = Ok(Look::Excluded(exclusion));
                self.tell(&queued.name, false, &look);
                rehearsal.count(&look, false);
                false
            }
            None => true,
        });
        let [source, destination] = self.survey(&names);
        let at = self.engine.clock.now();
        let (sender, looks) = mpsc::channel();
        let mut awaited = 0;
        for ((queued, source), destination) in names.into_iter().zip(source).zip(destination) {
            let mut voyage = Voyage::new(0, queued);
            voyage.listed(Listed {
                source,
                destination,
                at,
            });
            let tags = ListedTags::default();
            if let Some(look) = voyage.look_at_listings(&self.transfer, &self.rule, tags) {
                self.tell(voyage.name(), voyage.replaces().is_some(), &look);
                rehearsal.count(&look, false);
            } else {
                awaited += 1;
                self.look(voyage, sender.clone());
            }
        }
        while awaited > 0 && !self.engine.signal.is_urgent() {
            if let Ok((look, is_opened)) = looks.recv_timeout(TICK) {
                rehearsal.count(&look, is_opened);
                awaited -= 1;
            }
        }
    }

    fn tell(&self, name: &ObjectName, replaces: bool, look: &Result<Look, Failure>) {
        tell(self.task, name, replaces, look);
    }

    /// What the listings of both ends say of the names.
    fn survey(&self, names: &[Queued]) -> [Vec<Sight>; 2] {
        let names: Arc<[ObjectName]> = names.iter().map(|queued| queued.name.clone()).collect();
        let unknown = || vec![Sight::Unknown; names.len()];
        let said = Arc::new(Mutex::new([unknown(), unknown()]));
        let (sender, ended) = mpsc::channel::<()>();
        for (place, side) in [Side::Source, Side::Destination].into_iter().enumerate() {
            let listings = Arc::clone([&self.source, &self.destination][place]);
            if !listings.are_worth_a_try(names.len()) {
                continue;
            }
            let transfer = Arc::clone(&self.transfer);
            let (names, said, sender) = (Arc::clone(&names), Arc::clone(&said), sender.clone());
            self.engine.pool.spawn(move || {
                let sights = guarded(|| {
                    let names: Vec<&str> = names.iter().map(ObjectName::as_str).collect();
                    let list =
                        |after: &str, keys| transfer.list(side, after, keys, &Tally::default());
                    let ask = |name: &str| transfer.ask(side, name);
                    Ok(survey(&names, &listings, list, ask))
                });
                if let Ok(sights) = sights {
                    said.lock().unwrap_or_else(PoisonError::into_inner)[place] = sights;
                }
                drop(sender);
            });
        }
        drop(sender);
        while !self.engine.signal.is_urgent()
            && ended.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout)
        {}
        let said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }

    /// Has both ends asked about a name. A run would read a new object at once,
    /// rather than ask the source about it first.
    fn look(&self, mut voyage: Voyage, sender: mpsc::Sender<(Result<Look, Failure>, bool)>) {
        let glass = Glass {
            transfer: Arc::clone(&self.transfer),
            rule: self.rule.clone(),
            may_open: false,
            restore: None,
            clock: self.engine.clock.clone(),
        };
        let is_read = !self.transfer.server_side.copies_whole(0) && !self.rule.asks_for_facts();
        let task = self.task.clone();
        self.engine.pool.spawn(move || {
            let may_be_opened = voyage.asks_source(glass.rule.mode) && is_read;
            let look = guarded(|| voyage.look(&glass, None));
            let is_wanted = match &look {
                Ok(Look::Carry(_)) => true,
                // What is archived is refused when it is opened, and only then asked about.
                Ok(
                    Look::Settled(_)
                    | Look::Excluded(_)
                    | Look::Found(_)
                    | Look::Archived(_)
                    | Look::Awaits(_),
                ) => false,
                Err(failure) => failure.cause == FailureCause::SourceMissing,
            };
            let replaces = voyage.replaces().is_some();
            tell(&task, voyage.name(), replaces, &look);
            let is_new = is_wanted && !replaces;
            // Nobody waits for it any more if the rehearsal was stopped.
            drop(sender.send((look, may_be_opened && is_new)));
        });
    }
}

/// Says what would become of a name, and why.
fn tell(task: &TaskId, name: &ObjectName, replaces: bool, look: &Result<Look, Failure>) {
    let name = name.as_str();
    match look {
        Ok(Look::Carry(_)) if replaces => {
            tracing::info!(%task, "{name:?} would be copied, in place of what is at the destination");
        }
        Ok(Look::Carry(_)) => {
            tracing::info!(%task, "{name:?} would be copied: it is not at the destination");
        }
        Ok(Look::Settled(reason)) => {
            tracing::info!(%task, "{name:?} would be ignored ({reason}): {}", meaning(*reason));
        }
        Ok(Look::Excluded(_)) => {
            let reason = IgnoreReason::Excluded;
            tracing::info!(%task, "{name:?} would be ignored ({reason}): {}", meaning(reason));
        }
        Ok(Look::Found(_)) => {
            tracing::info!(%task, "{name:?} is there: the copy of an earlier run would be recorded");
        }
        Ok(Look::Archived(_)) => {
            tracing::info!(%task, "{name:?} lies in an archive: the source would be asked to bring it back, or it would fail");
        }
        Ok(Look::Awaits(_)) => {
            tracing::info!(%task, "{name:?} would wait: the source is bringing it back from its archive");
        }
        Err(failure) => {
            let (cause, message) = (failure.cause, &failure.message);
            tracing::info!(%task, "{name:?} would fail ({cause}): {message}");
        }
    }
}
