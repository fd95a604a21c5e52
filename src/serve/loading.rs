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
use super::in_use::InUse;
use super::notices::Notices;
use super::record::Marks;
use crate::clock::Clock;
use crate::config::TaskConfig;
use crate::data_dir::DataDir;
use crate::intake::{GrowingList, IntakeError, IntakeSettings, NameForm};
use crate::ledger::{Ledger, LedgerError, TaskKey};

/// How long names wait for others before they are loaded together.
const PAUSE: Duration = Duration::from_millis(200);

/// How often it is looked whether the ledger is in its place, and whether one that
/// could not be used can be.
const LOOK: Duration = Duration::from_secs(1);

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

    /// Takes what waits; waits for something to do so, and not for long. `None` at
    /// the end.
    fn take(&self) -> Option<BTreeMap<ListId, Grown>> {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.ending;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(self.state(), LOOK, idle)
            .unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut state.waiting);
        (!waiting.is_empty() || !state.ending).then_some(waiting)
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
    speech: Speech,
) -> Result<JoinHandle<()>, ServeError> {
    let books = Books {
        tasks: tasks.to_vec(),
        path: data_dir.ledger(),
        file_mode: data_dir.modes().file,
        clock: clock.clone(),
    };
    // What cannot be used at all is said before the first call is taken.
    let open = books.open()?;
    speech.in_use.set(open.0.file());
    let progress = progress.clone();
    let load = move || {
        let loader = Loader {
            books,
            open: Some(open),
            lists: HashMap::new(),
            marks,
            speech,
            trouble: None,
        };
        loader.load_all(&progress);
    };
    thread::Builder::new()
        .name("loading".to_owned())
        .spawn(load)
        .map_err(ServeError::System)
}

/// Where it is told how loading goes.
#[derive(Clone)]
pub(super) struct Speech {
    /// The ledger that is in use.
    pub(super) in_use: Arc<InUse>,
    /// For people.
    pub(super) notices: Arc<Notices>,
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

/// A list that is being written: how far it may be loaded, and how far it is.
struct Growing {
    grown: Grown,
    loaded: GrowingList,
}

/// The thread that loads.
struct Loader {
    books: Books,
    /// The ledger and its keys of the tasks; `None` after a failure.
    open: Option<(Ledger, Vec<TaskKey>)>,
    /// The lists that are being written.
    lists: HashMap<ListId, Growing>,
    marks: Arc<Marks>,
    speech: Speech,
    /// What was said last of why nothing is loaded.
    trouble: Option<String>,
}

impl Loader {
    fn load_all(mut self, progress: &Progress) {
        while let Some(waiting) = progress.take() {
            let loaded = self.load_some(waiting, progress);
            let failed = loaded.is_err();
            match loaded {
                Ok(()) => self.is_well(),
                Err(error) => self.is_in_trouble(&error, progress),
            }
            if progress.pause(if failed { LOOK } else { PAUSE }) && failed {
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
    ) -> Result<(), IntakeError> {
        if let Err(error) = self.open() {
            for (list, grown) in waiting {
                progress.put_back(list, grown);
            }
            return Err(error.into());
        }
        let mut result = Ok(());
        for (list, grown) in waiting {
            match self.load(&list, &grown) {
                Ok(()) if grown.closed => {
                    self.lists.remove(&list);
                    self.marks.clear(&self.books.tasks[list.0].id, &list.1);
                }
                Ok(()) => {}
                Err(error) => {
                    progress.put_back(list, grown);
                    result = Err(error);
                }
            }
        }
        result
    }

    /// Sees to it that the ledger in its place is the one that is open.
    fn open(&mut self) -> Result<(), LedgerError> {
        match &self.open {
            Some((ledger, _)) if ledger.is_in_place() => return Ok(()),
            Some(_) => return Err(LedgerError::Gone(self.books.path.clone())),
            None => {}
        }
        // Not made anew: somebody may be about to put another in its place.
        if !self.books.path.exists() {
            return Err(LedgerError::Gone(self.books.path.clone()));
        }
        self.open = Some(self.books.open()?);
        Ok(())
    }

    /// Loads a list into the ledger that is open.
    fn load(&mut self, id: &ListId, grown: &Grown) -> Result<(), IntakeError> {
        let Some((ledger, keys)) = &mut self.open else {
            return Err(LedgerError::Gone(self.books.path.clone()).into());
        };
        if grown.safe_bytes == 0 {
            return Ok(());
        }
        let task = &self.books.tasks[id.0];
        let settings = IntakeSettings {
            form: NameForm::of(task).url(),
            zone: task.zone,
            clock: &self.books.clock,
            wait: &thread::sleep,
        };
        let list = self.lists.entry(id.clone()).or_insert_with(|| Growing {
            grown: grown.clone(),
            loaded: GrowingList::new(id.1.clone(), grown.file.clone()),
        });
        list.grown = grown.clone();
        let intake = list
            .loaded
            .load(ledger, keys[id.0], grown.safe_bytes, &settings)?;
        for problem in intake.seen.problems {
            tracing::warn!(task = %task.id, "{problem}");
        }
        if let Some(example) = intake.rejected_examples.last() {
            let subject = ("rejected", Some(task.id.to_string()));
            let text = format!("{}: {example}", task.id);
            self.speech.notices.note(subject, intake.rejected, text);
        }
        Ok(())
    }

    /// Everything is loaded. If that is news, it is said.
    fn is_well(&mut self) {
        let Some((ledger, _)) = &self.open else {
            return;
        };
        let is_another = self.speech.in_use.set(ledger.file());
        if self.trouble.take().is_none() {
            return;
        }
        let path = self.books.path.display();
        if is_another {
            tracing::warn!(
                "there is a ledger at {path} again, another one, and it is in use: what was \
                 recorded meanwhile is loaded into it; lists from before that it does not know \
                 are loaded by the next run"
            );
        } else {
            tracing::warn!(
                "the ledger {path} can be used again: what was recorded meanwhile is loaded"
            );
        }
    }

    /// Nothing is loaded for now; why is said once. All lists that are being
    /// written are loaded anew: it may be into another ledger.
    fn is_in_trouble(&mut self, error: &IntakeError, progress: &Progress) {
        self.open = None;
        for (id, list) in self.lists.drain() {
            progress.put_back(id, list.grown);
        }
        let trouble = trouble(error);
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::error!("{trouble}");
            self.trouble = Some(trouble);
        }
    }
}

/// What is said of a failure.
fn trouble(error: &IntakeError) -> String {
    match error {
        IntakeError::Ledger(LedgerError::Gone(path))
        | IntakeError::List {
            source: LedgerError::Gone(path),
            ..
        } => format!(
            "the ledger {} was moved, deleted or replaced while serve is at work. Names are \
             recorded in lists all the same, and loaded once there is a ledger; until then no \
             figures are answered (503). Put it back, restore a backup (`nightferry ledger \
             restore`), or make it again from the delivered lists (`nightferry ledger rebuild`)",
            path.display()
        ),
        IntakeError::Ledger(source) | IntakeError::List { source, .. } => format!(
            "recorded names are not in the ledger yet: {source}; they are safe, and it is tried again"
        ),
    }
}
