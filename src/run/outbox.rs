//! Notes on their way to the recorder, some at a time: each hand-over may wake it.

use std::mem;
use std::sync::mpsc::SyncSender;

use crate::model::Note;
use crate::recorder::Entry;

/// Notes that are handed over at once, at the latest.
const MOST: usize = 64;

/// Where the notes of a run go.
pub struct Outbox {
    sender: SyncSender<Vec<Entry>>,
    waiting: Vec<Entry>,
    tickets: u64,
    recorder_gone: bool,
}

impl Outbox {
    /// An empty one; handing over waits while the recorder is behind.
    pub fn new(sender: SyncSender<Vec<Entry>>) -> Self {
        Self {
            sender,
            waiting: Vec::with_capacity(MOST),
            tickets: 0,
            recorder_gone: false,
        }
    }

    /// Whether the recorder takes nothing any more: it cannot write.
    pub const fn recorder_is_gone(&self) -> bool {
        self.recorder_gone
    }

    /// Takes a note for which nobody waits.
    pub fn note(&mut self, note: Note) {
        self.add(note, None);
    }

    /// Takes a note; its ticket comes back once it is committed.
    pub fn note_awaited(&mut self, note: Note) -> u64 {
        self.tickets += 1;
        self.add(note, Some(self.tickets));
        self.tickets
    }

    fn add(&mut self, note: Note, waiting: Option<u64>) {
        self.waiting.push(Entry { note, waiting });
        if self.waiting.len() >= MOST {
            self.hand_over();
        }
    }

    /// Hands over what there is.
    pub fn hand_over(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let entries = mem::replace(&mut self.waiting, Vec::with_capacity(MOST));
        self.recorder_gone |= self.sender.send(entries).is_err();
    }
}
