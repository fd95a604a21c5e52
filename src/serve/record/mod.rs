//! Writes names into lists, and answers once they are safe: one thread, which
//! syncs once for all who wait at that moment.

mod list;
mod marks;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::ServeError;
use super::answer::Refusal;
use super::limits::Memory;
use super::loading::{self, Grown, Progress, Speech};
use crate::clock::Clock;
use crate::config::TaskConfig;
use crate::data_dir::DataDir;
pub(super) use marks::Marks;
use writer::Writer;

/// Hands names to the thread that writes.
#[derive(Clone)]
pub(super) struct Recorder(Sender<Entry>);

/// The names of one call.
struct Entry {
    /// The task's place among all.
    task: usize,
    lines: Vec<u8>,
    names: u64,
    /// What they take of the memory, until they are written.
    _memory: Memory,
    answer: oneshot::Sender<Result<(), Refusal>>,
}

impl Recorder {
    /// Writes `lines`, each of which is ended, for the task at this place; they
    /// survive a power failure when this returns.
    ///
    /// What waits is bounded by `memory`, also where the caller goes away meanwhile.
    pub(super) async fn record(
        &self,
        task: usize,
        lines: Vec<u8>,
        names: u64,
        memory: Memory,
    ) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        let gone = Refusal::NotRecorded("it is just being stopped");
        let entry = Entry {
            task,
            lines,
            names,
            _memory: memory,
            answer,
        };
        self.0.send(entry).map_err(|_| gone.clone())?;
        answered.await.unwrap_or(Err(gone))
    }
}

/// The threads that write and load.
pub(super) struct Recording {
    pub(super) recorder: Recorder,
    writing: JoinHandle<()>,
    loading: JoinHandle<()>,
    progress: Arc<Progress>,
}

impl Recording {
    /// Waits until all is written and loaded. All other recorders have to be gone.
    pub(super) fn end(self) {
        drop(self.recorder);
        let wrote = self.writing.join();
        self.progress.end();
        if wrote.is_err() || self.loading.join().is_err() {
            tracing::error!("a part of serve broke down; the next run loads what it left");
        }
    }
}

/// Cuts off what a killed process left unfinished, and begins to write and to load.
pub(super) fn begin(
    tasks: &[TaskConfig],
    data_dir: &DataDir,
    clock: &Clock,
    speech: Speech,
) -> Result<Recording, ServeError> {
    let marks = Arc::new(Marks::take(data_dir)?);
    let progress = Arc::new(Progress::default());
    for (task, config) in tasks.iter().enumerate() {
        for mended in marks.mend(&config.id, data_dir)? {
            let grown = Grown {
                file: Arc::new(mended.file),
                safe_bytes: mended.bytes,
                closed: true,
            };
            progress.note(task, &mended.path, grown);
        }
    }
    let loading = loading::begin(tasks, data_dir, clock, &progress, marks.clone(), speech)?;
    let (sender, entries) = mpsc::channel();
    let writer = Writer::new(tasks, data_dir, clock, marks, progress.clone());
    let writing = thread::Builder::new()
        .name("record".to_owned())
        .spawn(move || writer.write_all(&entries))
        .map_err(ServeError::System)?;
    Ok(Recording {
        recorder: Recorder(sender),
        writing,
        loading,
        progress,
    })
}
