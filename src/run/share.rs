//! How the tasks of a run share the worker threads and the memory for buffers.
//!
//! Every task that is at work may use as much as every other; when one ends, the
//! shares of the others grow at once. A slot is taken for each look, copy or part
//! that is given to the pool, so a task whose server stalls holds up its own
//! share of the threads and no more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The threads and the memory of the process. Clones are the same.
#[derive(Debug, Clone)]
pub struct Share(Arc<Mutex<Process>>);

#[derive(Debug)]
struct Process {
    workers: usize,
    memory_bytes: u64,
    /// Tasks at work.
    active: usize,
    slots: usize,
    bytes: u64,
    /// Memory that is kept free for a task (its id) that wants more than its
    /// share; else the others, who need less, would go on taking it.
    kept: Option<(u64, u64)>,
    ids: u64,
}

/// What one task holds of it; all is given back when it is dropped.
#[derive(Debug)]
pub struct TaskShare {
    process: Share,
    id: u64,
    active: bool,
    slots: usize,
    bytes: u64,
    /// It is held to so many slots, whatever its share is.
    most_slots: usize,
    waits: bool,
}

/// How things stand when a task asks.
#[derive(Debug, Clone, Copy)]
struct Standing {
    workers: usize,
    memory_bytes: u64,
    active: usize,
    all_slots: usize,
    all_bytes: u64,
    my_slots: usize,
    my_most_slots: usize,
    my_bytes: u64,
    /// Kept free for another task.
    kept_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Granted,
    NoSlot,
    NoMemory,
}

impl Standing {
    fn my_most_bytes(&self) -> u64 {
        self.memory_bytes / self.active.max(1) as u64
    }

    /// Whether a slot and so many bytes are to be had.
    ///
    /// | slots | memory | answer |
    /// |--|--|--|
    /// | I have my share of the workers, at least one | any | no slot |
    /// | I have as many as I am held to, at least one | any | no slot |
    /// | all are taken, but I have one | any | no slot |
    /// | else | none is wanted | granted |
    /// | | it fits into my share and is free | granted |
    /// | | more than my share, I hold none, and it is free | granted |
    /// | | nobody holds any, and none is kept for another | granted, however much |
    /// | | else | no memory |
    fn answer(&self, bytes: u64) -> Answer {
        let most_slots = most_slots(self.workers, self.active, self.my_most_slots);
        // The first slot is always granted: a job in the pool's queue has its turn.
        let all_taken = self.all_slots >= self.workers && self.my_slots > 0;
        if self.my_slots >= most_slots || all_taken {
            return Answer::NoSlot;
        }
        let is_free = self.all_bytes + self.kept_bytes + bytes <= self.memory_bytes;
        let is_mine = self.my_bytes + bytes <= self.my_most_bytes() || self.my_bytes == 0;
        let alone = self.all_bytes == 0 && self.kept_bytes == 0;
        if bytes == 0 || alone || (is_free && is_mine) {
            Answer::Granted
        } else {
            Answer::NoMemory
        }
    }
}

/// How many slots one of the `active` tasks may have that is held to `held_to`.
fn most_slots(workers: usize, active: usize, held_to: usize) -> usize {
    (workers / active.max(1)).min(held_to).max(1)
}

impl Share {
    /// So many workers and so much memory, of which nothing is in use.
    #[must_use]
    pub fn new(workers: usize, memory_bytes: u64) -> Self {
        Self(Arc::new(Mutex::new(Process {
            workers,
            memory_bytes,
            active: 0,
            slots: 0,
            bytes: 0,
            kept: None,
            ids: 0,
        })))
    }

    /// The share of one more task, which counts as at work from now on.
    #[must_use]
    pub fn join(&self) -> TaskShare {
        let mut process = self.process();
        process.active += 1;
        process.ids += 1;
        TaskShare {
            process: self.clone(),
            id: process.ids,
            active: true,
            slots: 0,
            bytes: 0,
            most_slots: usize::MAX,
            waits: false,
        }
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TaskShare {
    /// Takes a slot and `bytes` of memory, if both are to be had now.
    pub fn take(&mut self, bytes: u64) -> bool {
        let mut process = self.process.process();
        let standing = process.standing_of(self);
        let answer = standing.answer(bytes);
        let mine_is_kept = process.kept.is_some_and(|(id, _)| id == self.id);
        self.waits = answer == Answer::NoMemory && bytes > standing.my_most_bytes();
        if self.waits && self.bytes == 0 && (process.kept.is_none() || mine_is_kept) {
            process.kept = Some((self.id, bytes));
        }
        if answer != Answer::Granted {
            return false;
        }
        if mine_is_kept && bytes > 0 {
            process.kept = None;
        }
        process.slots += 1;
        process.bytes += bytes;
        self.slots += 1;
        self.bytes += bytes;
        true
    }

    /// Gives back a slot and its `bytes`.
    pub fn give_back(&mut self, bytes: u64) {
        let mut process = self.process.process();
        process.slots -= 1;
        process.bytes -= bytes;
        self.slots -= 1;
        self.bytes -= bytes;
    }

    /// How many slots and how much memory in bytes the task may use now.
    #[must_use]
    pub fn most(&self) -> (usize, u64) {
        let process = self.process.process();
        let active = process.active.max(1);
        let bytes = process.memory_bytes / active as u64;
        let slots = most_slots(process.workers, active, self.most_slots);
        (slots, bytes)
    }

    /// Holds the task to so many slots, at least one; what it holds beyond that it
    /// goes on holding.
    pub const fn hold_to(&mut self, most_slots: usize) {
        self.most_slots = most_slots;
    }

    /// Whether what was asked for last is more than the share and had to wait;
    /// what is smaller must not overtake it for ever.
    #[must_use]
    pub const fn waits_for_memory(&self) -> bool {
        self.waits
    }

    /// Whether nothing of the task is in flight.
    #[must_use]
    pub const fn holds_nothing(&self) -> bool {
        self.slots == 0
    }

    /// Leaves the task's share to the others while it waits, or for good; what it
    /// holds it goes on holding.
    pub fn set_active(&mut self, active: bool) {
        let mut process = self.process.process();
        match (self.active, active) {
            (true, false) => process.active -= 1,
            (false, true) => process.active += 1,
            _ => {}
        }
        if !active {
            process.waive(self.id);
        }
        self.active = active;
    }
}

impl Process {
    fn standing_of(&self, task: &TaskShare) -> Standing {
        Standing {
            workers: self.workers,
            memory_bytes: self.memory_bytes,
            active: self.active,
            all_slots: self.slots,
            all_bytes: self.bytes,
            my_slots: task.slots,
            my_most_slots: task.most_slots,
            my_bytes: task.bytes,
            kept_bytes: self
                .kept
                .map_or(0, |(id, bytes)| if id == task.id { 0 } else { bytes }),
        }
    }

    fn waive(&mut self, id: u64) {
        self.kept = self.kept.filter(|(keeper, _)| *keeper != id);
    }
}

impl Drop for TaskShare {
    fn drop(&mut self) {
        let mut process = self.process.process();
        process.slots -= self.slots;
        process.bytes -= self.bytes;
        process.active -= usize::from(self.active);
        process.waive(self.id);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes slots with so much memory each until refused; says how many.
    fn fill(task: &mut TaskShare, bytes: u64) -> usize {
        std::iter::from_fn(|| task.take(bytes).then_some(())).count()
    }

    #[test]
    fn the_truth_table() {
        use Answer::{Granted, NoMemory, NoSlot};
        let idle = Standing {
            workers: 8,
            memory_bytes: 100,
            active: 2,
            all_slots: 0,
            all_bytes: 0,
            my_slots: 0,
            my_most_slots: usize::MAX,
            my_bytes: 0,
            kept_bytes: 0,
        };
        let with = |all: (usize, u64), mine: (usize, u64), kept_bytes| Standing {
            all_slots: all.0,
            all_bytes: all.1,
            my_slots: mine.0,
            my_bytes: mine.1,
            kept_bytes,
            ..idle
        };
        for (standing, bytes, expected) in [
            (with((4, 0), (4, 0), 0), 0, NoSlot),
            (with((8, 0), (1, 0), 0), 0, NoSlot),
            (with((8, 0), (0, 0), 0), 0, Granted),
            (with((1, 100), (0, 0), 0), 0, Granted),
            (with((2, 60), (1, 30), 0), 20, Granted),
            (with((2, 60), (1, 31), 0), 20, NoMemory),
            (with((2, 81), (1, 30), 0), 20, NoMemory),
            (with((1, 30), (0, 0), 0), 70, Granted),
            (with((1, 31), (0, 0), 0), 70, NoMemory),
            (with((1, 0), (1, 0), 0), 1000, Granted),
            (with((1, 0), (1, 0), 70), 31, NoMemory),
            (with((1, 0), (1, 0), 70), 30, Granted),
        ] {
            assert_eq!(standing.answer(bytes), expected, "{bytes} {standing:?}");
        }
    }

    #[test]
    fn a_share_grows_when_another_task_ends() {
        let share = Share::new(8, 80);
        let (mut one, mut other) = (share.join(), share.join());
        assert_eq!((fill(&mut one, 1), fill(&mut other, 1)), (4, 4));
        drop(other);
        assert_eq!(fill(&mut one, 1), 4);
        one.give_back(1);
        assert_eq!(fill(&mut one, 1), 1);
    }

    #[test]
    fn one_that_is_held_to_fewer_begins_no_more_until_it_has_fewer() {
        let share = Share::new(8, 80);
        let mut task = share.join();
        assert_eq!(fill(&mut task, 1), 8);
        task.hold_to(2);
        assert_eq!(task.most().0, 2);
        for _ in 0..6 {
            task.give_back(1);
            assert_eq!(fill(&mut task, 1), 0);
        }
        task.give_back(1);
        assert_eq!(fill(&mut task, 1), 1);
        task.hold_to(5);
        assert_eq!(fill(&mut task, 1), 3);
        task.hold_to(9);
        assert_eq!(fill(&mut task, 1), 3);
        let mut none = share.join();
        none.hold_to(0);
        assert_eq!((none.most().0, fill(&mut none, 1)), (1, 1));
    }

    #[test]
    fn a_task_that_comes_late_has_its_first_slot_and_then_what_comes_free() {
        let share = Share::new(4, 80);
        let mut first = share.join();
        assert_eq!(fill(&mut first, 1), 4);
        let mut late = share.join();
        assert_eq!(fill(&mut late, 1), 1);
        first.give_back(1);
        first.give_back(1);
        assert_eq!((fill(&mut first, 1), fill(&mut late, 1)), (0, 1));
    }

    #[test]
    fn one_that_waits_has_no_share_but_keeps_what_it_holds() {
        let share = Share::new(4, 80);
        let (mut waiting, mut other) = (share.join(), share.join());
        assert!(waiting.take(10));
        waiting.set_active(false);
        assert_eq!(fill(&mut other, 1), 3);
        waiting.set_active(true);
        drop(waiting);
        assert_eq!(fill(&mut other, 1), 1);
    }

    #[test]
    fn more_than_a_share_is_kept_free_until_it_fits() {
        let share = Share::new(16, 100);
        let (mut large, mut small) = (share.join(), share.join());
        assert_eq!(fill(&mut small, 10), 5);
        assert!(!large.take(70));
        assert!(large.waits_for_memory());
        for _ in 0..2 {
            small.give_back(10);
            assert!(!small.take(10), "it is kept for the large one");
        }
        assert!(large.take(70));
        assert!(!large.waits_for_memory());
        drop(large);
        assert_eq!(fill(&mut small, 10), 7);
    }

    #[test]
    fn what_is_larger_than_all_memory_goes_when_nothing_else_does() {
        let share = Share::new(4, 100);
        let (mut large, mut small) = (share.join(), share.join());
        assert!(small.take(10));
        assert!(!large.take(1000));
        small.give_back(10);
        assert!(!small.take(10));
        assert!(large.take(1000));
        large.give_back(1000);
        assert!(small.take(10));
    }

    proptest! {
        #[test]
        fn no_more_is_in_use_than_there_is_and_nobody_starves(
            workers in 1_usize..20, tasks in 1_usize..6,
            steps in prop::collection::vec((0_usize..6, any::<bool>(), 0_u64..40), 0..200),
        ) {
            let share = Share::new(workers, 100);
            let mut joined: Vec<(TaskShare, Vec<u64>)> =
                (0..tasks).map(|_| (share.join(), Vec::new())).collect();
            for (task, takes, bytes) in steps {
                let (task, held) = &mut joined[task % tasks];
                if takes {
                    let nothing_held = held.is_empty();
                    let granted = task.take(bytes);
                    prop_assert!(granted || !(nothing_held && bytes == 0));
                    if granted {
                        held.push(bytes);
                    }
                } else if let Some(bytes) = held.pop() {
                    task.give_back(bytes);
                }
                let process = share.process();
                prop_assert!(process.bytes <= 100);
                prop_assert!(process.slots < workers + tasks);
            }
            drop(joined);
            let process = share.process();
            prop_assert_eq!((process.slots, process.bytes, process.active), (0, 0, 0));
        }
    }
}
