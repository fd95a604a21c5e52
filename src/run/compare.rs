//! Objects compared at both ends, several at once, within a share of the threads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::conveyor::LEAST_BUFFER_BYTES;
use super::engine::{Ends, Engine};
use super::share::TaskShare;
use super::stop::StopSignal;
use super::{limits, server_side};
use crate::config::TaskConfig;
use crate::ledger::{Sample, SpotFinding};
use crate::model::{Comparison, LocalTime};
use crate::pool::{Tasks, guarded};
use crate::transfer::{Compared, Pair, Tally, Transfer};

/// How often it is looked whether to go on while nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// After so many objects in a row of which an end let none be read, no more are begun.
const HOPELESS: u32 = 8;

/// What objects are compared with.
pub struct Comparing<'a> {
    /// Where tasks for the threads are left.
    pub tasks: Tasks,
    /// Both ends, without a prefix: a copy is compared where the run that made it put
    /// it. Its stop is set once this is to end.
    pub transfer: Arc<Transfer>,
    /// The slots that it may take.
    pub share: TaskShare,
    /// Asked a second time, it waits for nothing.
    pub signal: &'a StopSignal,
    /// How long what is under way is waited for once this is to end.
    pub grace: Duration,
}

impl Comparing<'_> {
    /// Compares the objects of `samples`, and shows `told` what came of each, until
    /// `is_to_end` says so. What is under way then is given up and counts as not
    /// looked at; a request that was sent cannot be called back, and goes on by itself.
    pub fn compare(
        mut self,
        samples: Vec<Sample>,
        mut is_to_end: impl FnMut() -> bool,
        mut told: impl FnMut(&Sample, Compared),
    ) {
        let (sender, answers) = mpsc::channel();
        let mut waiting = VecDeque::from(samples);
        let (mut under_way, mut unread, mut ending) = (0_usize, 0, None);
        loop {
            if ending.is_none() && (unread >= HOPELESS || is_to_end()) {
                ending = Some(Instant::now());
                self.transfer.stop.store(true, Ordering::Relaxed);
                waiting.clear();
            }
            while !waiting.is_empty() && self.share.take(LEAST_BUFFER_BYTES) {
                under_way += 1;
                waiting
                    .pop_front()
                    .into_iter()
                    .for_each(|sample| self.begin(sample, &sender));
            }
            let given_up = ending.is_some_and(|since| since.elapsed() > self.grace);
            if under_way == 0 || given_up || self.signal.is_urgent() {
                return;
            }
            if let Ok((sample, compared)) = answers.recv_timeout(TICK) {
                under_way -= 1;
                self.share.give_back(LEAST_BUFFER_BYTES);
                if let Some(compared) = compared {
                    let is_unread = compared.finding == Comparison::Unreadable;
                    unread = if is_unread { unread + 1 } else { 0 };
                    told(&sample, compared);
                }
            }
        }
    }

    fn begin(&self, sample: Sample, sender: &mpsc::Sender<(Sample, Option<Compared>)>) {
        let (transfer, sender) = (Arc::clone(&self.transfer), sender.clone());
        self.tasks.spawn(move || {
            let pair = pair(&sample);
            let compared = guarded(|| Ok(transfer.compare(&pair, &Tally::default())));
            let compared = compared.unwrap_or_else(|failure| {
                Some(Compared {
                    finding: Comparison::Unreadable,
                    failure: Some(failure),
                    source: None,
                    destination: None,
                })
            });
            // Nobody waits any more for what was given up.
            drop(sender.send((sample, compared)));
        });
    }
}

/// Both ends of `task`, to be compared. Both are read, and both count against the task's
/// bandwidth.
pub fn both(engine: &Engine, task: &TaskConfig, ends: &Ends) -> Transfer {
    Transfer {
        source: ends.source.clone(),
        destination: ends.lists.sharing_bandwidth_of(&ends.source),
        limits: limits(engine.memory_bytes),
        checksum: task.checksum,
        retry: engine.retry,
        stop: Arc::default(),
        buffers: engine.buffers.clone(),
        server_side: server_side(task),
        write_options: task.write_options.clone(),
    }
}

/// What came of a sample, as the ledger and people are told it.
pub fn finding(sample: &Sample, compared: Compared, at: LocalTime) -> SpotFinding {
    let failure = compared.failure;
    SpotFinding {
        request: sample.request,
        kind: sample.kind,
        name: sample.name.as_str().to_owned(),
        destination_name: sample.destination_name.clone(),
        at,
        finding: compared.finding,
        unreadable: failure.map(|failure| (failure.cause.to_string(), failure.message)),
        source_etag: compared.source.map(|facts| facts.etag.as_str().to_owned()),
        destination_etag: compared
            .destination
            .map(|facts| facts.etag.as_str().to_owned()),
    }
}

/// Where the object of a sample lies at both ends.
fn pair(sample: &Sample) -> Pair {
    Pair {
        name: sample.name.as_str().to_owned(),
        destination_name: sample.destination_name.clone(),
        source_etag: sample.source_etag.clone(),
        recorded_at: sample.at,
    }
}
