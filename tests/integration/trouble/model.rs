//! Nights drawn at random, and the books that a model of a few lines expects of them.
//!
//! Which names a run came to before it was stopped, limited or killed, the
//! ledger tells; what must have become of them, the model does. A killed run is
//! one whose data folder is copied at a request, as a power failure would leave
//! it, whose further requests are refused, and after which the copy goes on.
//!
//! `PROPTEST_CASES=1000 cargo test --release nights_drawn` draws more.

mod compare;
mod drawn;
mod expected;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::run::{Engine, Options, StopSignal, run_task};
use proptest::prelude::*;
use proptest::test_runner::{Config as Draws, TestRunner};

use self::drawn::{End, Foreign, NAMES, Night, Scene, Trouble, faults, scene};
use self::expected::{Books, Copy, Original, State};
use super::{Setup, World};
use crate::s3_server::{Fault, FaultAction};

/// Two days before the end of a month.
const FIRST_NIGHT: &str = "2026-11-28T10:00:00Z";

/// The world and its books, from night to night.
struct Voyage {
    world: World,
    books: Books,
    now: DateTime<Utc>,
    lists: usize,
    /// What lists ask for that no run has taken in: by list, the month and the names.
    unread: BTreeMap<usize, (String, Vec<usize>)>,
    /// Names whose copy is at the destination and not in the ledger.
    in_doubt: BTreeSet<usize>,
}

#[test]
fn nights_drawn_at_random_leave_the_books_that_a_model_expects() {
    let cases = std::env::var("PROPTEST_CASES");
    let cases = cases.ok().and_then(|cases| cases.parse().ok());
    let draws = Draws {
        cases: cases.unwrap_or(32),
        max_shrink_iters: 64,
        failure_persistence: None,
        ..Draws::default()
    };
    let result = TestRunner::new(draws).run(&scene(), |scene| {
        let mut voyage = Voyage::new(&scene);
        for night in &scene.nights {
            voyage.night(night)?;
        }
        voyage.end()
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

impl Voyage {
    fn new(scene: &Scene) -> Self {
        let world = World::new();
        world.configure(&Setup {
            task_lines: scene.mode,
            ..world.setup()
        });
        // The preflight reads the first object, which meets no trouble.
        world.server.put("src", "!", "first");
        let now: DateTime<Utc> = FIRST_NIGHT.parse().unwrap();
        let mut books = Books {
            mode: scene.mode,
            sources: Vec::new(),
            copies: Vec::new(),
            requests: Vec::new(),
            runs: Vec::new(),
        };
        for (start, name) in scene.objects.iter().zip(NAMES) {
            let put =
                |bucket: &str, size, seed, age| put(&world, bucket, name, size, seed, now - age);
            let source = start
                .source
                .map(|size| put("src", size, 1, TimeDelta::hours(1)));
            let copy = start.destination.map(|foreign| {
                let size = start.source.unwrap_or(7);
                let (size, age) = match foreign {
                    Foreign::Older => (size, 120),
                    Foreign::Newer => (size, 30),
                    Foreign::NewerOfAnotherSize => (size + 1, 30),
                };
                foreign.copy(put("dst", size, 2, TimeDelta::minutes(age)))
            });
            books.sources.push(source);
            books.copies.push(copy);
        }
        Self {
            world,
            books,
            now,
            lists: 0,
            unread: BTreeMap::new(),
            in_doubt: BTreeSet::new(),
        }
    }

    fn night(&mut self, night: &Night) -> Result<(), TestCaseError> {
        self.now += TimeDelta::days(night.days) + TimeDelta::hours(1);
        self.change(night.change);
        let before = self.books.requests.clone();
        self.ask(night);
        let denied = self.meet(&night.troubles);
        self.books
            .carry_over(self.now.timestamp().div_euclid(86_400));
        let taken = self.books.pending();
        let crashed = self.run(night.end);
        self.world.server.clear_faults();
        if crashed && self.has_not_begun() {
            self.books.requests = before;
            return Ok(());
        }
        self.unread.clear();
        let is_stop = matches!(night.end, End::Stop(_));
        self.settle(&taken, &denied, is_stop)?;
        self.compare(crashed, night.end)
    }

    /// Whether the last run died so soon that the ledger does not know of it.
    fn has_not_begun(&self) -> bool {
        self.world.rows("SELECT run FROM run_history").len() == self.books.runs.len()
    }

    /// Has a source object become another of the same size and time.
    fn change(&mut self, change: Option<usize>) {
        let Some(name) = change else { return };
        let Some(original) = &self.books.sources[name] else {
            return;
        };
        let seed = 10 + u64::try_from(self.now.timestamp()).unwrap();
        let modified = FIRST_NIGHT.parse::<DateTime<Utc>>().unwrap() - TimeDelta::hours(1);
        let changed = put(
            &self.world,
            "src",
            NAMES[name],
            original.size,
            seed,
            modified,
        );
        self.books.sources[name] = Some(changed);
    }

    /// Writes the night's lists, and notes the requests of all that no run has
    /// read, in the order of paths.
    fn ask(&mut self, night: &Night) {
        let mut asked = BTreeMap::new();
        if self.lists > 0 {
            asked.insert(1, &night.growth);
        }
        for list in &night.lists {
            self.lists += 1;
            asked.insert(self.lists, list);
        }
        let month = self.now.format("%Y-%m").to_string();
        let folder = self.world.task_folder().join("object_lists");
        fs::create_dir_all(&folder).unwrap();
        for (list, names) in asked {
            let path = folder.join(format!("{list:03}.txt"));
            let before = fs::read_to_string(&path).unwrap_or_default();
            let lines: String = names.iter().flat_map(|&name| [NAMES[name], "\n"]).collect();
            fs::write(&path, before + &lines).unwrap();
            let file = fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(self.now.into()).unwrap();
            let unread = self.unread.entry(list).or_default();
            unread.0.clone_from(&month);
            unread.1.extend(names);
        }
        for (month, names) in self.unread.values() {
            for &name in names {
                self.books.ask(name, month);
            }
        }
    }

    /// Sets up the faults; answers what each name that is denied fails with.
    fn meet(&self, troubles: &[(usize, Trouble)]) -> BTreeMap<usize, Option<&'static str>> {
        let mut denied = BTreeMap::new();
        for &(name, trouble) in troubles {
            let cause = match trouble {
                Trouble::SourceDenied => Some("source_denied"),
                Trouble::DestinationDenied => Some("destination_denied"),
                Trouble::Passing(_) => None,
            };
            // One trouble a name, so that it is clear which comes first.
            if denied.contains_key(&name) {
                continue;
            }
            denied.insert(name, cause);
            for fault in faults(NAMES[name], trouble) {
                self.world.server.on(fault);
            }
        }
        denied
    }

    /// One run; whether it was killed.
    fn run(&self, end: End) -> bool {
        let server = &self.world.server;
        server.set_clock_offset(self.now.timestamp() - Utc::now().timestamp());
        let signal = StopSignal::default();
        let (data, copy) = (self.world.data(), self.world.folder.path().join("copy"));
        let crashed = Arc::new(AtomicBool::new(false));
        let stops = signal.clone();
        match end {
            End::Stop(at) => {
                let stop = FaultAction::call_back(move |_| stops.request());
                server.on(Fault::new(stop).after(at).times(1));
            }
            End::Crash(at) => {
                let (crashed, data, copy) = (Arc::clone(&crashed), data.clone(), copy.clone());
                let crash = FaultAction::call_back(move |server| {
                    // From now on no request does anything, whatever else it would
                    // meet, nor is one answered before the copy is made, which must
                    // not tell of it.
                    let dying = Arc::new(Mutex::new(()));
                    let death = dying.lock().unwrap();
                    let waits = Arc::clone(&dying);
                    server.replace_faults(vec![
                        Fault::new(FaultAction::call_back(move |_| drop(waits.lock()))),
                        Fault::answer(403, "AccessDenied"),
                    ]);
                    copy_data(&data, &copy);
                    crashed.store(true, Ordering::SeqCst);
                    stops.request();
                    drop(death);
                });
                server.on(Fault::new(crash).after(at).times(1));
            }
            End::Whole | End::Limit(_) => {}
        }
        let options = Options {
            limit: if let End::Limit(limit) = end {
                Some(limit)
            } else {
                None
            },
            ..Options::default()
        };
        let config = Config::load(&self.world.config()).unwrap();
        let clock = Clock::fixed(self.now.into());
        let engine = Engine::new(&config, clock, signal, options).unwrap();
        let ended = run_task(&engine, &config.tasks[0]);
        let crashed = crashed.load(Ordering::SeqCst);
        if crashed {
            fs::remove_dir_all(&data).unwrap();
            fs::rename(&copy, &data).unwrap();
        } else {
            ended.unwrap();
        }
        crashed
    }

    /// Settles in the model what the ledger says was settled, by the model's own rules.
    fn settle(
        &mut self,
        taken: &[usize],
        troubled: &BTreeMap<usize, Option<&'static str>>,
        is_stop: bool,
    ) -> Result<(), TestCaseError> {
        let found = self.found();
        let month = self.now.format("%Y-%m").to_string();
        let mut first = BTreeMap::new();
        for &request in taken {
            first
                .entry(self.books.requests[request].name)
                .or_insert(request);
        }
        for (name, request) in first {
            let was = &found[request];
            if *was == State::Pending {
                continue;
            }
            self.leave_outdated(name);
            let mut outcome = self.books.outcome(name);
            if let Some(Some(cause)) = troubled.get(&name) {
                // That a name is missing is only known of what may be read.
                let unknown = *cause == "source_denied" && self.books.sources[name].is_none();
                if outcome == State::Synced || unknown {
                    outcome = State::Failed((*cause).to_owned());
                }
            }
            let mut good = *was == outcome;
            // A copy that was put, and not recorded, is synced by the run that finds it.
            good |= *was == State::Synced && self.in_doubt.contains(&name);
            // A stop does not wait for a further attempt.
            let cut_short = is_stop && troubled.get(&name) == Some(&None);
            good |= cut_short && matches!(was, State::Failed(_));
            prop_assert!(good, "{}: {was:?}, not {outcome:?}", NAMES[name]);
            self.books.settle(name, was, taken, &month);
            if *was == State::Synced {
                self.in_doubt.remove(&name);
            }
        }
        self.books.note_run(taken);
        Ok(())
    }

    /// A copy that was not recorded, of what the source has replaced since,
    /// stays where nothing is to be overwritten.
    fn leave_outdated(&mut self, name: usize) {
        let there = self.at_destination(name);
        let is_outdated = self.books.mode.contains("never") && there != self.books.sources[name];
        if is_outdated && self.in_doubt.remove(&name) {
            self.books.copies[name] = there.map(|object| Copy {
                object,
                is_newer: true,
                ours: None,
            });
        }
    }

    /// Good nights until nothing is left, and what must then have become of everything.
    fn end(mut self) -> Result<(), TestCaseError> {
        let good = Night {
            days: 1,
            lists: Vec::new(),
            growth: Vec::new(),
            change: None,
            troubles: Vec::new(),
            end: End::Whole,
        };
        self.night(&good)?;
        self.night(&good)?;
        for request in &self.books.requests {
            let lost = match &request.state {
                State::Pending => true,
                State::Failed(cause) => cause != "source_missing",
                State::Synced | State::Ignored(_) => false,
            };
            prop_assert!(!lost, "{request:?}");
        }
        // One that a crash hid from the ledger holds nothing: parts go out once it is recorded.
        prop_assert_eq!(self.world.server.uploads_with_parts("dst"), []);
        Ok(())
    }
}

/// Puts an object of random bytes that was modified at a time.
fn put(
    world: &World,
    bucket: &str,
    name: &str,
    size: u64,
    seed: u64,
    modified: DateTime<Utc>,
) -> Original {
    let seed = name
        .bytes()
        .fold(seed, |sum, byte| sum * 31 + u64::from(byte));
    world.server.put_random(bucket, name, size, seed);
    let since = Duration::from_secs(u64::try_from(modified.timestamp()).unwrap());
    let modified = SystemTime::UNIX_EPOCH + since;
    world.server.set_last_modified(bucket, name, modified);
    let sha256 = world.server.object(bucket, name).unwrap().sha256();
    Original { sha256, size }
}

/// Copies the data folder as it would be found after a power failure now: the
/// ledger at its last commit, all else as it is.
fn copy_data(data: &Path, copy: &Path) {
    for entry in walkdir::WalkDir::new(data) {
        let entry = entry.unwrap();
        let to = copy.join(entry.path().strip_prefix(data).unwrap());
        let is_ledger = entry
            .file_name()
            .to_string_lossy()
            .starts_with("ledger.sqlite");
        if entry.file_type().is_dir() {
            fs::create_dir_all(&to).unwrap();
            fs::set_permissions(&to, entry.metadata().unwrap().permissions()).unwrap();
        } else if !is_ledger {
            fs::copy(entry.path(), &to).unwrap();
            // Lists are told apart by when they were modified, too.
            let modified = entry.metadata().unwrap().modified().unwrap();
            let copy = fs::File::options().append(true).open(&to).unwrap();
            copy.set_modified(modified).unwrap();
        }
    }
    let to = copy.join("ledger.sqlite");
    let ledger = rusqlite::Connection::open(data.join("ledger.sqlite")).unwrap();
    ledger
        .execute("VACUUM INTO ?1", [to.to_str().unwrap()])
        .unwrap();
    fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
}
