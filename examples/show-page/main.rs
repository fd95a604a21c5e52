//! Makes a data directory that has something of everything to show on the page of
//! `nightferry serve`, and a night that goes on until it is ended.
//!
//! `cargo run --example show-page -- FOLDER [--listen ADDRESS] [--failed N]`
//!
//! FOLDER gets a configuration, two tasks with some months behind them, failures of
//! many causes, names of every kind, lines that are none; with `--failed` so many
//! failures more, and as many such lines. Nothing of it was ever carried. When it says
//! `ready`, `nightferry --config FOLDER/nightferry.toml serve` shows it; the token
//! for the page is `demonstration-of-the-page`.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nightferry::clock::Clock;
use nightferry::config::ListEncoding;
use nightferry::data_dir::DataDir;
use nightferry::intake::{self, IntakeSettings, LocalLists};
use nightferry::ledger::{
    Deliverable, Delivery, Ledger, NewRun, Recording, RunEnd, RunKey, Stretch, TaskKey,
};
use nightferry::model::{
    DestinationPrefix, Note, RunState, TaskId, ThrottledMinute, Timestamp, Traffic, Zone,
};
use nightferry::report;
use nightferry::run::TaskLock;

mod made;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DAY_MS: i64 = 86_400_000;
const NIGHTS: i64 = 73;

/// The SHA-256 of the token `demonstration-of-the-page`.
const TOKEN_SHA256: &str = "dbc1aa582a7d9286a21b672596cfd1107a9c4773c5c9b606d4dfee552c4e2128";

/// One task, and where its lists lie.
struct House {
    ledger: Ledger,
    data_dir: DataDir,
    id: TaskId,
    zone: Zone,
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("which folder?")?;
    let (mut listen, mut failed) = ("127.0.0.1:8030".to_owned(), 0);
    while let Some(word) = words.next() {
        let value = words.next().ok_or("a value")?;
        match word.as_str() {
            "--listen" => listen = value,
            "--failed" => failed = value.parse()?,
            _ => return Err("what is that?".into()),
        }
    }
    let folder = Path::new(&folder);
    let data_dir = DataDir::new(folder.join("data"), None)?;
    let (photos, films): (TaskId, TaskId) = ("photos".parse()?, "films".parse()?);
    data_dir.prepare([&photos, &films])?;
    configure(folder, &listen)?;
    let now = Clock::system().now();
    let mut last = None;
    for (id, zone) in [(films, "Europe/Berlin"), (photos.clone(), "Asia/Shanghai")] {
        let mut house = House {
            ledger: Ledger::open(&data_dir.ledger(), data_dir.modes().file)?,
            data_dir: data_dir.clone(),
            id,
            zone: zone.parse()?,
        };
        for night in (1..=NIGHTS).rev() {
            let lists = [made::list(house.id.as_str(), NIGHTS - night)];
            house.night(NIGHTS - night, &lists, now.plus_ms(-night * DAY_MS))?;
        }
        if failed > 0 && house.id == photos {
            house.night(NIGHTS + 1, &made::many(failed), now.plus_ms(-DAY_MS / 2))?;
        }
        last = Some(house);
    }
    last.ok_or("no task")?.sail_on(now.plus_ms(-1_500_000))
}

fn configure(folder: &Path, listen: &str) -> Result<()> {
    let end = |endpoint: &str, bucket: &str| {
        format!(
            "endpoint = \"{endpoint}\"\nbucket = \"{bucket}\"\naccess_key_id = \"none\"\nsecret_access_key = \"none\"\n"
        )
    };
    let tasks = [("photos", "Asia/Shanghai"), ("films", "Europe/Berlin")].map(|(id, zone)| {
        let source = end("https://s3.cn-north-4.example.com", &format!("{id}-camera"));
        let destination = end("https://objects.example.net", &format!("{id}-archive"));
        format!("[[task]]\nid = \"{id}\"\ntime_zone = \"{zone}\"\n[task.source]\n{source}[task.destination]\n{destination}")
    });
    let text = format!(
        "data_dir = \"data\"\n[serve]\nlisten = \"{listen}\"\n[[serve.token]]\nid = \"page\"\nsha256 = \"{TOKEN_SHA256}\"\nread = true\n{}",
        tasks.join("\n")
    );
    let path = folder.join("nightferry.toml");
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

impl House {
    /// Asks for what `lists` hold, `night` nights after the first, and settles it at `at`.
    fn night(&mut self, night: i64, lists: &[String], at: Timestamp) -> Result<()> {
        let (task, run) = self.begin(night, lists, at)?;
        let through = self.ledger.take(task, run)?.through;
        let recording = Recording {
            task,
            run,
            through,
            zone: self.zone,
        };
        let mut last: Option<String> = None;
        let mut settled = 0;
        loop {
            let stretch = last.as_deref().map_or(Stretch::From(""), Stretch::After);
            let names = self.ledger.next_names(task, through, &stretch, 500)?;
            let Some(end) = names.last() else { break };
            last = Some(end.name.as_str().to_owned());
            let mut notes = Vec::new();
            for queued in &names {
                settled += 1;
                let at = at.plus_ms(settled * 3_600);
                notes.push(Note::Settled(Box::new(made::attempt(queued, at))));
            }
            self.ledger.record(&recording, &notes, &quiet())?;
        }
        let end = RunEnd {
            state: RunState::Ended,
            ended: self.zone.local(at.plus_ms(settled * 3_600)),
            deferral: None,
            resume_name: None,
            requests_sent: Some(settled.unsigned_abs() * 2),
        };
        self.ledger.end_run(run, &end)?;
        let minutes = made::throttled(night).iter();
        let minutes = minutes.map(|(side, minutes, times)| ThrottledMinute {
            side: *side,
            minute_at: at.plus_ms(minutes * 60_000 - at.ms().rem_euclid(60_000)),
            times: *times,
        });
        let traffic = Traffic {
            throttled: minutes.collect(),
            ..Traffic::default()
        };
        self.ledger.note_traffic(run, &traffic)?;
        self.deliver((task, run), at.plus_ms(settled * 3_600))?;
        let books = self.ledger.run_books(run)?;
        let (code, reason) = if books.failed > 0 {
            (4, "failed")
        } else {
            (0, "done")
        };
        self.ledger.close_run(run, code, reason)?;
        Ok(())
    }

    /// Writes the lists, as if the destination had taken them.
    fn deliver(&mut self, (task, run): (TaskKey, RunKey), at: Timestamp) -> Result<()> {
        let folder = self.data_dir.task(&self.id);
        for file in report::write_run(&self.ledger, run, &folder, self.data_dir.modes())? {
            let list = Deliverable {
                path: file.path,
                run: Some(run),
                lines: file.lines,
                bytes: file.bytes,
                sha256: file.sha256,
                etag: None,
            };
            self.ledger.owe(task, &list)?;
            let etag = String::new();
            let delivered = Delivery::Delivered { etag, at };
            self.ledger.note_delivery(task, &list.path, &delivered)?;
        }
        Ok(self.ledger.note_listed(run)?)
    }

    /// Takes `lists` in and begins a run.
    fn begin(&mut self, night: i64, lists: &[String], at: Timestamp) -> Result<(TaskKey, RunKey)> {
        let asked = at.plus_ms(-6 * 3_600_000);
        let day = self.zone.local(asked).day().format("%Y/%m/%d").to_string();
        let folder = self.data_dir.object_lists(&self.id).join(day);
        fs::create_dir_all(&folder)?;
        for (place, list) in lists.iter().enumerate() {
            let number = if place == 0 {
                String::new()
            } else {
                format!("_{place:05}")
            };
            fs::write(folder.join(format!("{night:05}{number}.url.txt")), list)?;
        }
        let task = self
            .ledger
            .enter_task(&self.id, self.zone, 7, self.zone.local(asked))?;
        let settings = IntakeSettings {
            form: ListEncoding::Plain.into(),
            zone: self.zone,
            clock: &Clock::fixed(asked),
            wait: &|_: Duration| {},
        };
        let lists = LocalLists::new(&self.data_dir.task(&self.id));
        let intake = intake::take_in(&mut self.ledger, task, &[&lists], &settings)?;
        let started = self.zone.local(at);
        let run = self.ledger.begin_run(&NewRun {
            task,
            source: &format!("{}-camera", self.id),
            destination: &format!("{}-archive", self.id),
            destination_prefix: &DestinationPrefix::default(),
            zone: self.zone,
            started,
            workers: 1,
            until: None,
            // Ids of runs that begin in the same second differ by it.
            entropy: night.unsigned_abs() * 100 + self.id.as_str().len() as u64,
        })?;
        self.ledger.note_rejected(run.key, intake.rejected)?;
        self.ledger.carry_over(task, started)?;
        Ok((task, run.key))
    }

    /// A night that has been at work for a while, and goes on slowly.
    fn sail_on(mut self, at: Timestamp) -> Result<()> {
        let lock = self.data_dir.lock(&self.id);
        let _lock = TaskLock::take(&lock, self.data_dir.modes().file)?;
        let lists = [made::list(self.id.as_str(), NIGHTS)];
        let count = lists[0].lines().count();
        let (task, run) = self.begin(NIGHTS, &lists, at)?;
        let through = self.ledger.take(task, run)?.through;
        let recording = Recording {
            task,
            run,
            through,
            zone: self.zone,
        };
        let mut last = String::new();
        let mut many = count * 2 / 5;
        loop {
            let queued = self
                .ledger
                .next_names(task, through, &Stretch::After(&last), many)?;
            let Some(end) = queued.last() else { break };
            end.name.as_str().clone_into(&mut last);
            let now = Clock::system().now();
            let notes = queued
                .iter()
                .map(|queued| Note::Settled(Box::new(made::attempt(queued, now))));
            let notes: Vec<Note> = notes.collect();
            self.ledger.record(&recording, &notes, &quiet())?;
            if many > 4 {
                say("ready");
            }
            many = 4;
            thread::sleep(Duration::from_secs(1));
        }
        Ok(())
    }
}

const fn quiet() -> Traffic {
    Traffic {
        requests_sent: 0,
        throttled: Vec::new(),
        asked: Vec::new(),
    }
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn say(line: &str) {
    println!("{line}");
}
