//! Makes a ledger as large as years of nights make it, and says how fast that went.
//!
//! `cargo run --release --example grow-ledger -- FOLDER [--nights N] [--names N] [--pending N] [--random | --numbered]`
//!
//! FOLDER becomes a data directory with one task, `photos`: so many nights, each
//! with so many names asked for and settled, then so many names that are pending.
//! All of it goes the way that a run goes (intake, plan, outcome, lists), only the
//! objects do not exist. Figures are of the time that this one thread had the
//! processor. With `--numbered` they do, at the example server `numbered-s3`: each
//! night copied the first N of its objects, all of them.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nightferry::clock::Clock;
use nightferry::config::ListEncoding;
use nightferry::data_dir::DataDir;
use nightferry::intake::{self, IntakeSettings};
use nightferry::ledger::{Ledger, NewRun, Recording, RunEnd, Stretch, TaskKey};
use nightferry::model::{
    DestinationPrefix, LocalTime, Note, RunState, TaskId, Timestamp, Traffic, Zone,
};
use nightferry::report;
use nix::time::{ClockId, clock_gettime};

mod made;
mod numbered;

use made::{Made, attempt, plan};
use numbered::copied;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Notes that the recorder commits together.
const BATCH: usize = 512;

/// When the first night begins.
const FIRST_NIGHT_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;

struct Asked {
    folder: PathBuf,
    nights: u64,
    names: u64,
    pending: u64,
    random: bool,
    numbered: bool,
}

fn main() -> Result<()> {
    let asked = asked()?;
    let data_dir = DataDir::new(asked.folder.clone(), None)?;
    let id: TaskId = "photos".parse()?;
    data_dir.prepare([&id])?;
    let path = data_dir.ledger();
    let mut ledger = Ledger::open(&path, data_dir.modes().file)?;
    let zone: Zone = "UTC".parse()?;
    for night in 0..asked.nights {
        let at = Timestamp::from_ms(FIRST_NIGHT_MS + night.cast_signed() * DAY_MS);
        let now = zone.local(at);
        let task = ledger.enter_task(&id, zone, 7, now)?;
        ask(&mut ledger, task, &asked, night, asked.names, at)?;
        sail(
            &mut ledger,
            &data_dir,
            (&id, asked.numbered),
            (task, zone, now),
        )?;
    }
    let size_bytes = fs::metadata(&path)?.len();
    if asked.nights > 0 && asked.names > 0 {
        let each = size_bytes / (asked.nights * asked.names);
        say(&format!("{size_bytes} bytes, {each} a settled request"));
    }
    let at = Timestamp::from_ms(FIRST_NIGHT_MS + asked.nights.cast_signed() * DAY_MS);
    let task = ledger.enter_task(&id, zone, 7, zone.local(at))?;
    ask(&mut ledger, task, &asked, asked.nights, asked.pending, at)
}

fn asked() -> Result<Asked> {
    let mut asked = Asked {
        folder: PathBuf::new(),
        nights: 1,
        names: 1_000_000,
        pending: 0,
        random: false,
        numbered: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> { Ok(words.next().ok_or("a number")?.parse()?) };
        match word.as_str() {
            "--nights" => asked.nights = number()?,
            "--names" => asked.names = number()?,
            "--pending" => asked.pending = number()?,
            "--random" => asked.random = true,
            "--numbered" => asked.numbered = true,
            folder => asked.folder = PathBuf::from(folder),
        }
    }
    if asked.folder == Path::new("") {
        return Err("which folder?".into());
    }
    Ok(asked)
}

/// Takes `names` in from a list that is made while it is read.
fn ask(
    ledger: &mut Ledger,
    task: TaskKey,
    asked: &Asked,
    night: u64,
    names: u64,
    at: Timestamp,
) -> Result<()> {
    if names == 0 {
        return Ok(());
    }
    let settings = IntakeSettings {
        form: ListEncoding::Plain.into(),
        zone: "UTC".parse()?,
        clock: &Clock::fixed(at),
        wait: &|_: Duration| {},
    };
    let list = Made {
        night,
        names,
        random: asked.random,
        numbered: asked.numbered,
    };
    let began = Measure::begin();
    let intake = intake::take_in(ledger, task, &[&list], &settings)?;
    began.end("intake", intake.requests);
    Ok(())
}

/// One night from the first name to the last list.
fn sail(
    ledger: &mut Ledger,
    data_dir: &DataDir,
    (id, numbered): (&TaskId, bool),
    (task, zone, now): (TaskKey, Zone, LocalTime),
) -> Result<()> {
    let began = Measure::begin();
    let run = ledger.begin_run(&NewRun {
        task,
        source: "camera",
        destination: "archive",
        destination_prefix: &DestinationPrefix::default(),
        zone,
        started: now,
        workers: 1,
        until: None,
        entropy: now.at.ms().unsigned_abs(),
    })?;
    ledger.carry_over(task, now)?;
    let taken = ledger.take(task, run.key)?;
    began.end("begin", 1);
    let recording = Recording {
        task,
        run: run.key,
        through: taken.through,
        zone,
    };
    carry(ledger, &recording, now.at, numbered)?;
    let began = Measure::begin();
    let end = RunEnd {
        state: RunState::Ended,
        ended: zone.local(now.at.plus_ms(3_600_000)),
        deferral: None,
        resume_name: None,
        requests_sent: Some(2 * taken.count),
    };
    ledger.end_run(run.key, &end)?;
    began.end("end", 1);
    let began = Measure::begin();
    report::write_run(ledger, run.key, &data_dir.task(id), data_dir.modes())?;
    began.end("lists", taken.count);
    ledger.note_listed(run.key)?;
    ledger.close_run(run.key, 0, "done")?;
    fs::remove_dir_all(data_dir.task(id).join("success_object_lists"))?;
    fs::remove_dir_all(data_dir.task(id).join("journals"))?;
    Ok(())
}

/// Plans and settles every name, as the recorder is asked to.
fn carry(ledger: &mut Ledger, recording: &Recording, at: Timestamp, numbered: bool) -> Result<()> {
    let reader = ledger.reader()?;
    let traffic = Traffic {
        requests_sent: 0,
        throttled: Vec::new(),
        asked: Vec::new(),
    };
    let (mut reading, mut planning, mut settling) =
        (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut last, mut count) = (None, 0_u64);
    loop {
        let began = Measure::begin();
        let stretch = last.as_deref().map_or(Stretch::From(""), Stretch::After);
        let names = reader.next_names(recording.task, recording.through, &stretch, 1000)?;
        reading += began.spent();
        let Some(end) = names.last() else { break };
        last = Some(end.name.as_str().to_owned());
        for batch in names.chunks(BATCH) {
            let plans = batch
                .iter()
                .map(|queued| (queued.name.clone(), plan(count, at)));
            let plans = [Note::Planned(plans.collect())];
            let began = Measure::begin();
            ledger.record(recording, &plans, &traffic)?;
            planning += began.spent();
            let attempts: Vec<Note> = batch
                .iter()
                .map(|queued| {
                    count += 1;
                    let became = if numbered { copied } else { attempt };
                    Note::Settled(Box::new(became(queued, count, at)))
                })
                .collect();
            let began = Measure::begin();
            ledger.record(recording, &attempts, &traffic)?;
            settling += began.spent();
        }
    }
    tell("names ahead", reading, count);
    tell("plans", planning, count);
    tell("outcomes", settling, count);
    Ok(())
}

/// How long this thread has had the processor.
struct Measure(Duration);

impl Measure {
    fn begin() -> Self {
        Self(processor_time())
    }

    fn spent(&self) -> Duration {
        processor_time().saturating_sub(self.0)
    }

    fn end(&self, what: &str, count: u64) {
        tell(what, self.spent(), count);
    }
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn tell(what: &str, spent: Duration, count: u64) {
    let each_us = spent.as_secs_f64() * 1e6 / to_f64(count);
    say(&format!(
        "{what}: {spent:.2?} for {count}, {each_us:.2} us each"
    ));
}

#[expect(clippy::cast_precision_loss, reason = "it is only shown")]
const fn to_f64(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn say(line: &str) {
    println!("{line}");
}
