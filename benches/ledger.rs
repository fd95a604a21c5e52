//! What the ledger costs: intake, recording, reading ahead, and writing lists.
//!
//! `cargo bench --bench ledger`; for ledgers of years, see `examples/grow-ledger`.

use std::error::Error;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nightferry::clock::Clock;
use nightferry::config::ListEncoding;
use nightferry::data_dir::Modes;
use nightferry::intake::{IntakeSettings, take_in};
use nightferry::ledger::{Ledger, NewRun, Recording, RunEnd, RunKey, Stretch, TaskKey};
use nightferry::model::{DestinationPrefix, Note, RunState, Timestamp, Traffic, Zone};
use nightferry::report;
use tempfile::TempDir;

#[path = "../examples/grow-ledger/made.rs"]
mod made;

use made::{Made, attempt, plan};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Names of a night.
const NAMES: u64 = 100_000;
/// Notes that the recorder commits together.
const BATCH: usize = 512;
const NIGHT: Timestamp = Timestamp::from_ms(1_767_225_600_000);

/// A ledger of its own, and the run at work.
struct Night {
    folder: TempDir,
    ledger: Ledger,
    task: TaskKey,
    run: RunKey,
    through: i64,
}

impl Night {
    /// An empty ledger.
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite"), 0o600)?;
        let now = Zone::UTC.local(NIGHT);
        let task = ledger.enter_task(&"photos".parse()?, Zone::UTC, 7, now)?;
        let run = ledger.begin_run(&NewRun {
            task,
            source: "camera",
            destination: "archive",
            destination_prefix: &DestinationPrefix::default(),
            zone: Zone::UTC,
            started: now,
            workers: 1,
            until: None,
            entropy: 7,
        })?;
        Ok(Self {
            folder,
            ledger,
            task,
            run: run.key,
            through: 0,
        })
    }

    /// Asks for all names, and takes them.
    fn ask(&mut self, random: bool) -> Result<()> {
        let list = Made {
            night: 0,
            names: NAMES,
            random,
            numbered: false,
        };
        let settings = IntakeSettings {
            form: ListEncoding::Plain.into(),
            zone: Zone::UTC,
            clock: &Clock::fixed(NIGHT),
            wait: &|_: Duration| {},
        };
        take_in(&mut self.ledger, self.task, &[&list], &settings)?;
        self.through = self.ledger.take(self.task, self.run)?.through;
        Ok(())
    }

    fn asked(random: bool) -> Result<Self> {
        let mut night = Self::new()?;
        night.ask(random)?;
        Ok(night)
    }

    /// Reads the next stretch of names, plans and settles it; says whether there was one.
    fn sail(&mut self, after: &mut String) -> Result<bool> {
        let names =
            self.ledger
                .next_names(self.task, self.through, &Stretch::After(after), BATCH)?;
        let Some(last) = names.last() else {
            return Ok(false);
        };
        after.clear();
        after.push_str(last.name.as_str());
        let plans = (1..).zip(&names);
        let plans = plans.map(|(count, queued)| (queued.name.clone(), plan(count, NIGHT)));
        let planned = [Note::Planned(plans.collect())];
        let settled: Vec<Note> = (1..)
            .zip(&names)
            .map(|(count, queued)| Note::Settled(Box::new(attempt(queued, count, NIGHT))))
            .collect();
        let recording = Recording {
            task: self.task,
            run: self.run,
            through: self.through,
            zone: Zone::UTC,
        };
        let traffic = Traffic {
            requests_sent: 0,
            throttled: Vec::new(),
            asked: Vec::new(),
        };
        self.ledger.record(&recording, &planned, &traffic)?;
        self.ledger.record(&recording, &settled, &traffic)?;
        Ok(true)
    }

    fn sail_on(&mut self) -> Result<()> {
        let mut after = String::new();
        while self.sail(&mut after)? {}
        Ok(())
    }

    /// A night that is over.
    fn ended() -> Result<Self> {
        let mut night = Self::asked(false)?;
        night.sail_on()?;
        let end = RunEnd {
            state: RunState::Ended,
            ended: Zone::UTC.local(NIGHT.plus_ms(3_600_000)),
            deferral: None,
            resume_name: None,
            requests_sent: None,
        };
        night.ledger.end_run(night.run, &end)?;
        Ok(night)
    }

    fn write_lists(&self) -> Result<()> {
        let root = self.folder.path().join("lists");
        report::write_run(&self.ledger, self.run, &root, Modes::PRIVATE)?;
        Ok(())
    }
}

#[expect(
    clippy::expect_used,
    reason = "a benchmark that fails says so and ends"
)]
fn done<T>(result: Result<T>) -> T {
    result.expect("the ledger can be used")
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger");
    group
        .throughput(Throughput::Elements(NAMES))
        .sample_size(10);
    for (name, random) in [("intake, in order", false), ("intake, in no order", true)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || done(Night::new()),
                |night| done(night.ask(random)),
                BatchSize::PerIteration,
            );
        });
    }
    group.bench_function("read ahead, plan and record", |bencher| {
        bencher.iter_batched_ref(
            || done(Night::asked(false)),
            |night| done(night.sail_on()),
            BatchSize::PerIteration,
        );
    });
    let night = done(Night::ended());
    group.bench_function("write lists", |bencher| {
        bencher.iter(|| done(night.write_lists()));
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
