//! Writes the mails of three nights, as they are sent: a good one, a bad one, and one
//! that could not start.
//!
//! `cargo run --example show-mail -- FOLDER`
//!
//! FOLDER gets `good`, `bad` and `not-started`, each as `.html` and `.txt`, and the
//! data directory from which they are made. Nothing of it was ever carried.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use nightferry::clock::Clock;
use nightferry::config::ListEncoding;
use nightferry::data_dir::DataDir;
use nightferry::exit::ExitReason;
use nightferry::intake::{self, IntakeSettings, LocalLists};
use nightferry::ledger::{BeginFailure, Ledger, NewRun, Recording, RunEnd, Stretch, TaskKey};
use nightferry::model::{
    Deferral, DestinationPrefix, FailureCause, Note, RunState, TaskId, Timestamp, Traffic, Zone,
};
use nightferry::report;
use nightferry::report::mail::{Ended, Happened, Signature};

mod made;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// One task, its ledger, and where its lists lie.
struct House {
    ledger: Ledger,
    data_dir: DataDir,
    id: TaskId,
    zone: Zone,
}

/// How a made night ends.
#[derive(Clone, Copy)]
struct Ending {
    deferral: Option<Deferral>,
    begin_failure: Option<FailureCause>,
    reason: ExitReason,
}

const DONE: Ending = Ending {
    deferral: None,
    begin_failure: None,
    reason: ExitReason::Done,
};
const FAILED: Ending = Ending {
    deferral: None,
    begin_failure: None,
    reason: ExitReason::Failed,
};
const LATE: Ending = Ending {
    deferral: Some(Deferral::WindowEnded),
    begin_failure: None,
    reason: ExitReason::Failed,
};
const REFUSED: Ending = Ending {
    deferral: Some(Deferral::CouldNotBegin),
    begin_failure: Some(FailureCause::BucketMissing),
    reason: ExitReason::CouldNotBegin,
};

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let folder = Path::new(&folder);
    let data_dir = DataDir::new(folder.join("data"), None)?;
    let (photos, films): (TaskId, TaskId) = ("photos".parse()?, "films".parse()?);
    data_dir.prepare([&photos, &films])?;
    let house = |id: &TaskId, zone: &str| -> Result<House> {
        Ok(House {
            ledger: Ledger::open(&data_dir.ledger(), data_dir.modes().file)?,
            data_dir: data_dir.clone(),
            id: id.clone(),
            zone: zone.parse()?,
        })
    };
    let mut photographs = house(&photos, "Asia/Shanghai")?;
    let mut reels = house(&films, "Europe/Berlin")?;
    // One in the morning in Shanghai, of a month that has ended.
    let first: Timestamp = chrono::DateTime::parse_from_rfc3339("2026-10-21T01:00:00+08:00")?
        .to_utc()
        .into();
    let night = |number: i64| first.plus_ms(number * DAY_MS);
    photographs.night(0, night(0), &made::night(0), FAILED)?;
    reels.night(0, night(0), &made::films(0), DONE)?;

    let good = photographs.night(1, night(1), &made::night(1), DONE)?;
    let calm = reels.night(1, night(1), &made::films(1), DONE)?;
    let tasks = vec![(photos.clone(), good), (films.clone(), calm)];
    write(folder, "good", &photographs.ledger, tasks, night(1))?;

    photographs.night(2, night(2), &made::night(2), FAILED)?;
    let bad = photographs.night(3, night(3), &made::night(3), LATE)?;
    let calm = reels.night(3, night(3), &made::films(3), DONE)?;
    let tasks = vec![(photos.clone(), bad), (films.clone(), calm)];
    write(folder, "bad", &photographs.ledger, tasks, night(3))?;

    let refused = photographs.night(4, night(4), &made::night(4), REFUSED)?;
    let locked = Ended::NotRun {
        reason: ExitReason::Locked,
        said: "another run of this task holds the lock /var/lib/nightferry/locks/films.lock; \
               wait until it has ended, or use `run --wait`"
            .to_owned(),
    };
    let tasks = vec![(photos, refused), (films, locked)];
    write(folder, "not-started", &photographs.ledger, tasks, night(4))
}

/// Writes the mail about `tasks`.
fn write(
    folder: &Path,
    name: &str,
    ledger: &Ledger,
    tasks: Vec<(TaskId, Ended)>,
    at: Timestamp,
) -> Result<()> {
    let happened = Happened {
        schedules: BTreeMap::new(),
        tasks,
        troubles: Vec::new(),
    };
    let signature = Signature {
        host: "carrier".to_owned(),
        config: "/etc/nightferry/nightferry.toml".to_owned(),
        entropy: 0,
    };
    let mail = report::mail::night(ledger, &happened, &signature, at.plus_ms(5 * HOUR_MS))?;
    fs::write(folder.join(format!("{name}.html")), &mail.html)?;
    let text = format!("Subject: {}\n\n{}", mail.subject, mail.text);
    fs::write(folder.join(format!("{name}.txt")), text)?;
    Ok(())
}

impl House {
    /// Asks for `lines` and settles what is made of them.
    fn night(
        &mut self,
        number: i64,
        at: Timestamp,
        lines: &[String],
        ending: Ending,
    ) -> Result<Ended> {
        let task = self.take_in(at, lines)?;
        let started = self.zone.local(at);
        let run = self.ledger.begin_run(&NewRun {
            task,
            source: &format!("{}-camera", self.id),
            destination: &format!("{}-archive", self.id),
            destination_prefix: &DestinationPrefix::default(),
            zone: self.zone,
            started,
            entropy: at.ms().unsigned_abs() + self.id.as_str().len() as u64,
            workers: 64,
            until: None,
        })?;
        self.ledger.carry_over(task, started)?;
        let rejected = lines.iter().filter(|line| line.contains("/../")).count() as u64;
        self.ledger.note_rejected(run.key, rejected)?;
        let taken = self.ledger.take(task, run.key)?;
        let recording = Recording {
            task,
            run: run.key,
            through: taken.through,
            zone: self.zone,
        };
        let mut settled = 0;
        let mut last: Option<String> = None;
        while ending.begin_failure.is_none() {
            let stretch = last.as_deref().map_or(Stretch::From(""), Stretch::After);
            let names = self.ledger.next_names(task, taken.through, &stretch, 500)?;
            let Some(end) = names.last() else { break };
            last = Some(end.name.as_str().to_owned());
            let mut notes = Vec::new();
            for queued in &names {
                settled += 1;
                let left = ending.deferral.is_some() && made::is_left(queued.name.as_str());
                if !left {
                    let attempt = made::attempt(queued, number, at, settled);
                    notes.push(Note::Settled(Box::new(attempt)));
                }
            }
            self.ledger
                .record(&recording, &notes, &Traffic::default())?;
        }
        if let Some(cause) = ending.begin_failure {
            let failure = BeginFailure {
                cause,
                error_code: Some("NoSuchBucket".to_owned()),
                message: format!(
                    "failed to list the bucket {}-archive at https://objects.example.net: NoSuchBucket",
                    self.id
                ),
            };
            self.ledger.note_begin_failure(run.key, &failure)?;
        }
        let end = RunEnd {
            state: RunState::Ended,
            ended: self.zone.local(at.plus_ms(settled * 1_100 + 3_000)),
            deferral: ending.deferral,
            resume_name: None,
            requests_sent: Some(settled.unsigned_abs() * 2),
        };
        self.ledger.end_run(run.key, &end)?;
        let (folder, modes) = (self.data_dir.task(&self.id), self.data_dir.modes());
        let lists = report::write_run(&self.ledger, run.key, &folder, modes)?;
        if let Some(manifest) = lists.last() {
            self.ledger.note_manifest(run.key, &manifest.sha256)?;
        }
        self.ledger.note_listed(run.key)?;
        let reason = ending.reason;
        self.ledger
            .close_run(run.key, reason.code(), reason.as_str())?;
        Ok(Ended::Ran(run.number))
    }

    fn take_in(&mut self, at: Timestamp, lines: &[String]) -> Result<TaskKey> {
        let asked = at.plus_ms(-6 * HOUR_MS);
        let folder = self.data_dir.object_lists(&self.id);
        fs::create_dir_all(&folder)?;
        let stamp = self.zone.local(at).stamp();
        fs::write(folder.join(format!("{stamp}.txt")), lines.join("\n") + "\n")?;
        let local = self.zone.local(asked);
        let task = self.ledger.enter_task(&self.id, self.zone, 7, local)?;
        let settings = IntakeSettings {
            form: ListEncoding::Plain.into(),
            zone: self.zone,
            clock: &Clock::fixed(asked),
            wait: &|_: Duration| {},
        };
        let lists = LocalLists::new(&self.data_dir.task(&self.id));
        intake::take_in(&mut self.ledger, task, &[&lists], &settings)?;
        Ok(task)
    }
}
