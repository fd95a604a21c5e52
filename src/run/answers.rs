//! How what is under way elsewhere answers the conveyor.

use std::sync::mpsc::Sender;

use super::conveyor::Event;
use crate::pool::Tasks;

/// Where answers are sent, and where what needs a thread for its answer is left.
#[derive(Clone)]
pub(super) struct Answers {
    pub(super) tasks: Tasks,
    pub(super) sender: Sender<Event>,
}

impl Answers {
    /// Answers with `event`.
    pub(super) fn tell(&self, event: Event) {
        // A conveyor that did not wait for this answer has left it to the next run.
        drop(self.sender.send(event));
    }

    /// Gives the pool a task that answers with one event.
    pub(super) fn spawn(self, task: impl FnOnce() -> Event + Send + 'static) {
        let tasks = self.tasks.clone();
        tasks.spawn(move || self.tell(task()));
    }
}
