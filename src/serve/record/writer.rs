//! The thread that writes lists.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::list::OpenList;
use super::marks::Marks;
use super::{Entry, Progress};
use crate::clock::Clock;
use crate::config::TaskConfig;
use crate::data_dir::{DataDir, Modes};
use crate::intake::{EnqueueTarget, new_list};
use crate::model::{LocalTime, TaskId, Zone};
use crate::serve::answer::Refusal;

/// What is written at once, in bytes; who comes later waits for the next time,
/// so that nobody waits for everybody.
const GROUP_BYTES: usize = 8 << 20;

/// How often it is looked whether a list is old enough to be closed.
const LOOK: Duration = Duration::from_secs(10);

/// Writes what it is sent.
pub(super) struct Writer {
    tasks: Vec<Task>,
    modes: Modes,
    marks: Arc<Marks>,
    clock: Clock,
    progress: Arc<Progress>,
    /// Whether the last writing failed, which is said once.
    failing: bool,
}

/// A task, and the list that is being written for it.
struct Task {
    id: TaskId,
    folder: PathBuf,
    zone: Zone,
    open: Option<OpenList>,
}

impl Writer {
    pub(super) fn new(
        tasks: &[TaskConfig],
        data_dir: &DataDir,
        clock: &Clock,
        marks: Arc<Marks>,
        progress: Arc<Progress>,
    ) -> Self {
        let task = |task: &TaskConfig| Task {
            id: task.id.clone(),
            folder: data_dir.task(&task.id),
            zone: task.zone,
            open: None,
        };
        Self {
            tasks: tasks.iter().map(task).collect(),
            modes: data_dir.modes(),
            marks,
            clock: clock.clone(),
            progress,
            failing: false,
        }
    }

    /// Writes entries until nobody is left to send any, then closes all lists.
    pub(super) fn write_all(mut self, entries: &Receiver<Entry>) {
        loop {
            match entries.recv_timeout(LOOK) {
                Ok(first) => self.write_group(gather(first, entries)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.close_old();
        }
        for task in 0..self.tasks.len() {
            self.close(task);
        }
    }

    /// Writes what has come for each task, and answers all who wait for it.
    fn write_group(&mut self, mut group: Vec<Entry>) {
        group.sort_by_key(|entry| entry.task);
        while let Some(first) = group.first() {
            let task = first.task;
            let others = group.partition_point(|entry| entry.task == task);
            let rest = group.split_off(others);
            let lines: Vec<u8> = group
                .iter()
                .flat_map(|entry| entry.lines.iter().copied())
                .collect();
            let names = group.iter().map(|entry| entry.names).sum();
            let written = self.write(task, &lines, names);
            self.say(&written, task);
            let answer = written.map_err(|error| refusal(&error));
            for entry in group {
                // Who went away does not want it any more.
                drop(entry.answer.send(answer.clone()));
            }
            group = rest;
        }
    }

    /// Writes `lines` for `task`; they are safe when this returns.
    fn write(&mut self, task: usize, lines: &[u8], names: u64) -> io::Result<()> {
        let now = self.tasks[task].zone.local(self.clock.now());
        let keeps = |list: &OpenList| {
            list.has_room(lines.len()) && !list.is_old(now.at) && list.is_ours_alone()
        };
        if !self.tasks[task].open.as_ref().is_some_and(keeps) {
            self.close(task);
        }
        self.append(task, lines, names, now)?;
        // People may take lists away at any time. What was written into one that
        // is gone has to be written again.
        let is_there = |list: &OpenList| list.is_in_place();
        if !self.tasks[task].open.as_ref().is_some_and(is_there) {
            self.close(task);
            self.append(task, lines, names, now)?;
        }
        if let Some(list) = &self.tasks[task].open {
            self.progress.note(task, &list.path, list.grown(false));
        }
        Ok(())
    }

    fn append(&mut self, task: usize, lines: &[u8], names: u64, now: LocalTime) -> io::Result<()> {
        let list = match self.tasks[task].open.take() {
            Some(list) => list,
            None => self.open(task, now)?,
        };
        let list = self.tasks[task].open.insert(list);
        let written = list.append(lines, names);
        if let Err(error) = &written {
            match list.cut_back() {
                // Once there is room it goes on in this one.
                Ok(()) if is_full(error) => {}
                Ok(()) => self.close(task),
                // The mark stays: the next start cuts it back.
                Err(_) => self.tasks[task].open = None,
            }
        }
        written
    }

    fn open(&self, task: usize, now: LocalTime) -> io::Result<OpenList> {
        let task = &self.tasks[task];
        let target = EnqueueTarget {
            task_folder: &task.folder,
            file_mode: self.modes.file,
            folder_mode: self.modes.inbox,
        };
        let list = OpenList::new(new_list(&target, now)?, &task.folder, now.at)?;
        let marked = self.marks.set(&task.id, &list.path, list.inode());
        if marked.is_err() {
            list.end();
        }
        marked.map(|()| list)
    }

    /// Closes lists that have been open for long enough.
    fn close_old(&mut self) {
        let now = self.clock.now();
        for task in 0..self.tasks.len() {
            let is_old = |list: &OpenList| list.is_old(now);
            if self.tasks[task].open.as_ref().is_some_and(is_old) {
                self.close(task);
            }
        }
    }

    fn close(&mut self, task: usize) {
        if let Some(list) = self.tasks[task].open.take() {
            list.end();
            self.progress.note(task, &list.path, list.grown(true));
        }
    }

    fn say(&mut self, written: &io::Result<()>, task: usize) {
        let id = &self.tasks[task].id;
        match written {
            Err(error) if !self.failing => {
                tracing::error!(
                    task = %id,
                    "names cannot be recorded: {error}; callers are told to come again"
                );
            }
            Ok(()) if self.failing => tracing::warn!(task = %id, "names are recorded again"),
            _ => {}
        }
        self.failing = written.is_err();
    }
}

/// What waits besides `first`, as far as it is written at once.
fn gather(first: Entry, entries: &Receiver<Entry>) -> Vec<Entry> {
    let mut bytes = first.lines.len();
    let mut group = vec![first];
    while bytes < GROUP_BYTES {
        let Ok(entry) = entries.try_recv() else {
            break;
        };
        bytes += entry.lines.len();
        group.push(entry);
    }
    group
}

fn refusal(error: &io::Error) -> Refusal {
    Refusal::NotRecorded(if is_full(error) {
        "the disk is full"
    } else {
        "the disk refuses them"
    })
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}
