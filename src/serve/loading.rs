//! Has the lists that are being written loaded while they grow: the intake, of
//! these lists alone, in a thread of its own.
//!
//! Neither waits for a run nor makes one wait: each loads in short transactions,
//! and the ledger tells who came second.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::ServeError;
use super::record::Marks;
use crate::clock::Clock;
use crate::config::{ListEncoding, TaskConfig};
use crate::data_dir::DataDir;
use crate::intake::{GrowingList, IntakeError, IntakeSettings};
use crate::ledger::{Ledger, LedgerError, TaskKey};

/// How long names wait for others before they are loaded together.
const PAUSE: Duration = Duration::from_millis(200);

/// How long it waits when the ledger could not be used.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How far a list may be loaded.
#[derive(Clone)]
pub(super) struct Grown {
    /// The list, open for reading.
    pub(super) file: Arc<File>,
    /// How much of it survives a power failure.
    pub(super) safe_bytes: u64,
    /// Whether nothing comes any more.
    pub(super) closed: bool,
}

/// A task by its place among all, and a list of it by its path.
type ListId = (usize, String);

/// What has been written and is not loaded; at most one entry for each list.
#[derive(Default)]
pub(super) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: BTreeMap<ListId, Grown>,
    ending: bool,
}

impl Progress {
    /// Notes that the list at `path` of the task at this place has grown.
    pub(super) fn note(&self, task: usize, path: &str, grown: Grown) {
        self.state().waiting.insert((task, path.to_owned()), grown);
        self.changed.notify_all();
    }

    /// Nothing is written any more.
    pub(super) fn end(&self) {
        self.state().ending = true;
        self.changed.notify_all();
    }

    /// Takes what waits; waits for something to do so. `None` at the end.
    fn take(&self) -> Option<BTreeMap<ListId, Grown>> {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.ending;
        let mut state = self
            .changed
            .wait_while(self.state(), idle)
            .unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut state.waiting);
        (!waiting.is_empty()).then_some(waiting)
    }

    /// Waits so long, but not beyond the end; says whether that is reached.
    fn pause(&self, pause: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.state(), pause, |state| !state.ending)
            .unwrap_or_else(PoisonError::into_inner);
        state.ending
    }

    /// Puts back what could not be loaded, unless more is known by now.
    fn put_back(&self, list: ListId, grown: Grown) {
        self.state().waiting.entry(list).or_insert(grown);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to load what is noted in `progress`.
pub(super) fn begin(
    tasks: &[TaskConfig],
    data_dir: &DataDir,
    clock: &Clock,
    progress: &Arc<Progress>,
    marks: Arc<Marks>,
) -> Result<JoinHandle<()>, ServeError> {
    let books = Books {
        tasks: tasks.to_vec(),
        path: data_dir.ledger(),
        file_mode: data_dir.modes().file,
        clock: clock.clone(),
    };
    // What cannot be used at all is said before the first call is taken.
    let open = Some(books.open()?);
    let progress = progress.clone();
    let load = move || {
        let lists = HashMap::new();
        let loader = Loader {
            books,
            open,
            lists,
            marks,
        };
        loader.load_all(&progress);
    };
    thread::Builder::new()
        .name("loading".to_owned())
        .spawn(load)
        .map_err(ServeError::System)
}

/// Where names are loaded into.
struct Books {
    tasks: Vec<TaskConfig>,
    path: PathBuf,
    file_mode: u32,
    clock: Clock,
}

impl Books {
    /// Opens the ledger, and enters the tasks.
    fn open(&self) -> Result<(Ledger, Vec<TaskKey>), LedgerError> {
        let mut ledger = Ledger::open(&self.path, self.file_mode)?;
        let mut keys = Vec::new();
        for task in &self.tasks {
            let now = task.zone.local(self.clock.now());
            keys.push(ledger.enter_task(&task.id, task.zone, task.carry_over_days, now)?);
        }
        Ok((ledger, keys))
    }
}

/// The thread that loads.
struct Loader {
    books: Books,
    /// The ledger and its keys of the tasks; `None` after a failure.
    open: Option<(Ledger, Vec<TaskKey>)>,
    /// The lists that are being written, each with how far it is loaded.
    lists: HashMap<ListId, GrowingList>,
    marks: Arc<Marks>,
}

impl Loader {
    fn load_all(mut self, progress: &Progress) {
        while let Some(waiting) = progress.take() {
            let failure = self.load_some(waiting, progress);
            if let Some(error) = &failure {
                tracing::error!(
                    "recorded names are not in the ledger yet: {error}; they are safe, \
                     and it is tried again"
                );
                self.open = None;
                self.lists.clear();
            }
            let pause = if failure.is_some() {
                AFTER_FAILURE
            } else {
                PAUSE
            };
            if progress.pause(pause) && failure.is_some() {
                // The next run, or the next start, loads the rest.
                return;
            }
        }
    }

    /// Loads what waits; puts back what could not be loaded, and says why.
    fn load_some(
        &mut self,
        waiting: BTreeMap<ListId, Grown>,
        progress: &Progress,
    ) -> Option<IntakeError> {
        let mut failure = None;
        for (list, grown) in waiting {
            match self.load(&list, &grown) {
                Ok(()) if grown.closed => {
                    self.lists.remove(&list);
                    self.marks.clear(&self.books.tasks[list.0].id, &list.1);
                }
                Ok(()) => {}
                Err(error) => {
                    self.lists.remove(&list);
                    progress.put_back(list, grown);
                    failure = Some(error);
                }
            }
        }
        failure
    }

    fn load(&mut self, id: &ListId, grown: &Grown) -> Result<(), IntakeError> {
        if grown.safe_bytes == 0 {
            return Ok(());
        }
        let open = match self.open.take() {
            Some(open) => open,
            // Not made anew: somebody may be about to put another in its place.
            None if !self.books.path.exists() => {
                return Err(LedgerError::Missing(self.books.path.clone()).into());
            }
            None => self.books.open()?,
        };
        let (ledger, keys) = self.open.insert(open);
        let settings = IntakeSettings {
            encoding: ListEncoding::Url,
            zone: self.books.tasks[id.0].zone,
            clock: &self.books.clock,
            wait: &thread::sleep,
        };
        let list = self
            .lists
            .entry(id.clone())
            .or_insert_with(|| GrowingList::new(id.1.clone(), grown.file.clone()));
        let intake = list.load(ledger, keys[id.0], grown.safe_bytes, &settings)?;
        for problem in intake.seen.problems {
            tracing::warn!(task = %self.books.tasks[id.0].id, "{problem}");
        }
        Ok(())
    }
}
