//! What all tasks of a run share: threads, connections, clock, options.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use indicatif::{MultiProgress, ProgressDrawTarget};

use super::error::RunError;
use super::progress::Display;
use super::share::Share;
use super::stop::{Deadline, Stop, StopSignal};
use super::{limits, server_side};
use crate::clock::Clock;
use crate::config::{Config, Credentials, EndpointConfig, TaskConfig};
use crate::credential_process::CredentialProcess;
use crate::data_dir::DataDir;
use crate::ledger::Ledger;
use crate::model::{Asked, Encryption, OverwriteMode, Side, Timestamp, Timetable, Traffic};
use crate::pool::Pool;
use crate::s3::{Bandwidth, Bucket, BucketSpec, HttpClient, HttpClientError, KeySupply, NotIssued};
use crate::transfer::{Buffers, RetryPolicy, Transfer};

/// What the command line says about a run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The most names that are looked at.
    pub limit: Option<u64>,
    /// When nothing new begins any more: the next such time after the start.
    pub until: Option<NaiveTime>,
    /// For how long new transfers begin, in milliseconds.
    pub max_duration_ms: Option<i64>,
    /// Whether it only completes what an earlier run could not: copies that were
    /// made and not recorded, lists, deliveries. Nothing is taken in or moved.
    pub settle_only: bool,
    /// Whether the tasks' windows do not count.
    pub ignore_window: bool,
    /// Whether a task that another run holds is waited for.
    pub wait: bool,
    /// How long what is in flight may go on once the run is to stop.
    pub grace: Duration,
    /// How progress is shown.
    pub display: Display,
}

impl Options {
    /// The usual [`grace`](Self::grace).
    pub const GRACE: Duration = Duration::from_mins(1);
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limit: None,
            until: None,
            max_duration_ms: None,
            settle_only: false,
            ignore_window: false,
            wait: false,
            grace: Self::GRACE,
            display: Display::Quiet,
        }
    }
}

/// What all tasks of a run share.
pub struct Engine {
    /// Where ledger and lists are.
    pub data_dir: DataDir,
    /// The worker threads.
    pub pool: Pool,
    /// Objects and parts in flight at once.
    pub workers: usize,
    /// How the tasks share both.
    pub share: Share,
    /// All transfer buffers together.
    pub memory_bytes: u64,
    /// Where the large ones come from.
    pub buffers: Buffers,
    /// How often requests are tried.
    pub retry: RetryPolicy,
    /// Tells the time.
    pub clock: Clock,
    /// Requests to stop.
    pub signal: StopSignal,
    /// What the command line says.
    pub options: Options,
    /// The tasks' progress bars.
    pub(super) bars: MultiProgress,
    /// One task opens the ledger at a time: the first may have to make it.
    opening: Mutex<()>,
    /// When it began: the times of the options count from here, for all tasks alike.
    began: Timestamp,
    http: HttpClient,
}

/// The two buckets of a task.
#[derive(Debug, Clone)]
pub struct Ends {
    /// Where objects are read.
    pub source: Bucket,
    /// Where they are written: the source's names, under the task's prefix.
    pub destination: Bucket,
    /// The same bucket without the prefix, where the task's lists lie.
    pub lists: Bucket,
}

impl Ends {
    /// Requests sent to both so far.
    #[must_use]
    pub fn requests_sent(&self) -> u64 {
        self.source.counters().requests() + self.destination.counters().requests()
    }

    /// What there is to record of both beside outcomes; it counts as asked on
    /// `day`. All but the requests sent is taken out.
    #[must_use]
    pub fn traffic(&self, day: NaiveDate) -> Traffic {
        let requests_sent = self.requests_sent();
        let mut throttled = self.source.take_throttled();
        throttled.extend(self.destination.take_throttled());
        let asked = [&self.source, &self.destination].map(|bucket| Asked {
            side: bucket.side(),
            day,
            counters: bucket.take_asked(),
        });
        Traffic {
            requests_sent,
            throttled,
            asked: asked.into(),
        }
    }
}

impl Engine {
    /// Prepares the threads and the HTTP client. Nothing is written yet.
    ///
    /// # Errors
    /// If one of them cannot be had.
    pub fn new(
        config: &Config,
        clock: Clock,
        signal: StopSignal,
        options: Options,
    ) -> Result<Self, RunError> {
        let data_dir = DataDir::new(config.data_dir.clone(), config.group.as_deref())?;
        let began = clock.now();
        Ok(Self {
            data_dir,
            pool: Pool::new(config.workers)?,
            workers: config.workers,
            share: Share::new(config.workers, config.memory_bytes),
            memory_bytes: config.memory_bytes,
            buffers: Buffers::new(config.memory_bytes),
            retry: RetryPolicy {
                attempts: config.retry.attempts,
                base_ms: config.retry.base_ms,
                cap_ms: config.retry.cap_ms,
            },
            clock,
            signal,
            options,
            bars: MultiProgress::with_draw_target(match options.display {
                Display::Bar => ProgressDrawTarget::stderr_with_hz(5),
                Display::Lines | Display::Quiet => ProgressDrawTarget::hidden(),
            }),
            opening: Mutex::new(()),
            began,
            http: http_client(config, config.workers)?,
        })
    }

    /// The two buckets of `task`.
    ///
    /// # Errors
    /// If the configuration does not give what is needed to address them.
    pub fn ends(&self, task: &TaskConfig) -> Result<Ends, RunError> {
        let mut ends = ends(&self.http, task, &self.clock)?;
        let unlimited = || Timetable::slots(task.zone, Vec::new());
        let timetable = task.bandwidth.clone().unwrap_or_else(unlimited);
        let bandwidth = Bandwidth::new(timetable, self.clock.clone(), self.workers);
        ends.source = ends.source.within(bandwidth);
        Ok(ends)
    }

    /// What asks both `ends` of `task`, with buffers of its own.
    pub(super) fn transfer(&self, task: &TaskConfig, ends: &Ends) -> Transfer {
        Transfer {
            source: ends.source.clone(),
            destination: ends.destination.clone(),
            limits: limits(self.memory_bytes),
            checksum: task.checksum,
            write_options: task.write_options.clone(),
            retry: self.retry,
            stop: Arc::new(AtomicBool::new(false)),
            buffers: Buffers::new(self.memory_bytes),
            server_side: server_side(task),
        }
    }

    /// Opens the ledger for writing.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn open_ledger(&self) -> Result<Ledger, RunError> {
        let _alone = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Ledger::open(
            &self.data_dir.ledger(),
            self.data_dir.modes().file,
        )?)
    }

    /// When a run of `task` that starts now begins nothing new: the earliest of
    /// what the command line says and the end of the task's window, which has
    /// ended already if the run starts outside it.
    #[must_use]
    pub fn stop(&self, task: &TaskConfig) -> Stop {
        let now = self.clock.now();
        let window = task.window.filter(|_| !self.options.ignore_window);
        let inside = window.and_then(|window| window.end_if_inside(now, task.zone));
        let outside = window.filter(|_| inside.is_none());
        let window_end = inside.or(outside.map(|_| now));
        let until = self
            .options
            .until
            .map(|time| task.zone.next(time, self.began));
        let limit = self
            .options
            .max_duration_ms
            .map(|ms| self.began.plus_ms(ms));
        Stop {
            signal: self.signal.clone(),
            deadline: Deadline::new([until, limit, window_end].into_iter().flatten().min()),
            outside,
            clock: self.clock.clone(),
        }
    }
}

/// The HTTP client for `workers` threads, which keeps to the configured caps: an
/// endpoint's holds for all tasks, whichever named it.
///
/// # Errors
/// If it cannot be set up.
pub fn http_client(config: &Config, workers: usize) -> Result<HttpClient, HttpClientError> {
    let http = HttpClient::new(workers)?;
    for end in config
        .tasks
        .iter()
        .flat_map(|task| [&task.source, &task.destination])
    {
        if let Some(cap) = end.requests_per_second {
            http.cap(&end.endpoint, cap);
        }
    }
    Ok(http)
}

/// The two buckets of `task`, reached through `http`.
///
/// # Errors
/// If the configuration does not give what is needed to address them.
pub fn ends(http: &HttpClient, task: &TaskConfig, clock: &Clock) -> Result<Ends, RunError> {
    let lists = bucket(http, task, Side::Destination, &task.destination, clock)?;
    Ok(Ends {
        source: bucket(http, task, Side::Source, &task.source, clock)?,
        destination: lists.clone().under(task.destination_prefix.clone()),
        lists,
    })
}

fn bucket(
    http: &HttpClient,
    task: &TaskConfig,
    side: Side,
    end: &EndpointConfig,
    clock: &Clock,
) -> Result<Bucket, RunError> {
    // Of the source always: what it states, the bytes that were read can be
    // compared with, where its entity tag is no MD5.
    let asks_checksums = side == Side::Source || task.overwrite == OverwriteMode::Checksum;
    let encryption = task.encryption.clone();
    let encryption = encryption.filter(|_| side == Side::Destination);
    reach(http, side, end, asks_checksums, encryption, clock).map_err(|problem| RunError::End {
        task: task.id.to_string(),
        end: side.as_str(),
        problem,
    })
}

/// The bucket that `end` describes, reached through `http`, or what is wrong with
/// the description and what to do.
pub(super) fn reach(
    http: &HttpClient,
    side: Side,
    end: &EndpointConfig,
    ask_checksums: bool,
    encryption: Option<Encryption>,
    clock: &Clock,
) -> Result<Bucket, String> {
    let keys = end
        .resolve_credentials()
        .map_err(|error| error.to_string())?;
    let spec = BucketSpec {
        endpoint: end.endpoint.clone(),
        region: end.region.clone(),
        bucket: end.bucket.clone(),
        path_style: end.path_style,
        keys: supply(keys, clock),
        requester_pays: end.requester_pays,
        ask_checksums,
        encryption,
        timeout: BucketSpec::TIMEOUT,
    };
    // Another authority is trusted for this end alone: with one client for all it
    // could vouch for the other end, and other tasks' ends, too.
    let own = end.ca_file.as_deref().map(|path| trusting(http, path));
    let own = own.transpose()?;
    Bucket::new(own.as_ref().unwrap_or(http), side, spec, clock.clone())
        .map_err(|error| error.to_string())
}

/// Fixed keys, or those of a program, which is not run before they are needed.
fn supply(credentials: Credentials, clock: &Clock) -> KeySupply {
    let words = match credentials {
        Credentials::Keys(keys) => return KeySupply::Fixed(keys),
        Credentials::Process(words) => words,
    };
    let (process, clock) = (CredentialProcess::new(words), clock.clone());
    KeySupply::Issued(Arc::new(move || {
        process.run(|| clock.now()).map_err(|error| NotIssued {
            why: error.to_string(),
            may_pass: error.may_pass(),
        })
    }))
}

/// A client that trusts the certificates of the file at `path` too.
fn trusting(http: &HttpClient, path: &Path) -> Result<HttpClient, String> {
    let wrong = |why: String| {
        let path = path.display();
        format!("ca_file: {path} {why}; name a file of certificates in PEM form")
    };
    let pem = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    http.trusting(&pem)
        .map_err(|error| wrong(error.to_string()))
}
