//! How good forecasts are: nights of the real program against an S3 server within
//! the process, each foretold before it begins and while it is at work.
//!
//! ```text
//! cargo run --release --example forecast-nights -- --history 8 --nights 20
//! ```
//!
//! No two nights are alike: how many names come in, how many of them are there
//! already, how large the objects are, and how long the server takes to answer.
//! Every fourth night is cut off. Each line tells what was foretold and what came;
//! the last ones how far the middle was off, and how many were inside the p90. Who
//! else is at work on the machine shows in it too.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "what is drawn and shown is not exact"
)]

#[path = "../../tests/s3_server/mod.rs"]
mod s3_server;

mod scores;
mod weather;

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Parser;
use nightferry::clock::Clock;
use nightferry::config::Config;
use nightferry::forecast::{Forecast, Queue};
use nightferry::ledger::{Ledger, PastRun};
use nightferry::model::{RunState, TaskId};
use nightferry::report::outlook::{self, Outlook, Schedule};
use nightferry::run::{Engine, Options as RunOptions, StopSignal, rehearse};
use s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};
use scores::{Foretold, Scores, Told};
use weather::{DESTINATION, SOURCE, Weather};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often a run at work is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Nights that are foretold, and what came of it.
#[derive(Parser)]
struct Options {
    /// Nights before the first that is foretold.
    #[arg(long, default_value_t = 8)]
    history: u32,
    /// Nights that are foretold.
    #[arg(long, default_value_t = 20)]
    nights: u32,
    /// Other nights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let house = House::new(folder.path())?;
    let mut weather = Weather::new(options.seed);
    let mut scores = Scores::begin()?;
    // The nights listen for signals, and so does this: nothing else would end it.
    let signal = StopSignal::listen()?;
    for number in 1..=options.history + options.nights {
        if signal.is_requested() {
            break;
        }
        let is_told = number > options.history;
        let evening = if is_told { house.evening()? } else { None };
        let names = weather.night(&house.server);
        house.ask(number, &names)?;
        if !is_told {
            house.run(None)?;
            continue;
        }
        let known = house.rehearsed(None)?;
        let most_ms = (number % 4 == 0).then(|| known.ms().p50 * 3 / 5);
        let known = most_ms.map_or(Ok(known), |ms| house.rehearsed(Some(ms)))?;
        let at_work = house.run(most_ms)?;
        let foretold = Foretold {
            evening,
            known,
            at_work,
        };
        scores.night(&foretold, &house.last_run()?, most_ms.is_some())?;
    }
    scores.end()
}

/// A task between two buckets.
struct House {
    folder: PathBuf,
    config_path: PathBuf,
    config: Config,
    server: S3Server,
    task: TaskId,
}

impl House {
    fn new(folder: &Path) -> Result<Self> {
        let server = S3Server::builder().log_requests(false).start();
        server.create_bucket(SOURCE);
        server.create_bucket(DESTINATION);
        let end = |bucket: &str| {
            format!(
                "endpoint = \"{}\"\nbucket = \"{bucket}\"\naccess_key_id = \"{ACCESS_KEY}\"\nsecret_access_key = \"{SECRET_KEY}\"\n",
                server.endpoint()
            )
        };
        let text = format!(
            "data_dir = \"data\"\nworkers = 8\n[[task]]\nid = \"photos\"\nserver_side_copy = \"never\"\n[task.source]\n{}[task.destination]\n{}",
            end(SOURCE),
            end(DESTINATION)
        );
        let config_path = folder.join("nightferry.toml");
        OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&config_path)?
            .write_all(text.as_bytes())?;
        Ok(Self {
            folder: folder.to_owned(),
            config: Config::load(&config_path)?,
            config_path,
            server,
            task: "photos".parse()?,
        })
    }

    fn ask(&self, night: u32, names: &[String]) -> Result<()> {
        let lists = self.folder.join("data/oms/sync_task/photos/object_lists");
        fs::create_dir_all(&lists)?;
        let lines: String = names.iter().flat_map(|name| [name, "\n"]).collect();
        Ok(fs::write(lists.join(format!("{night}.txt")), lines)?)
    }

    fn ledger(&self) -> Result<Ledger> {
        let path = self.folder.join("data/ledger.sqlite");
        Ok(Ledger::open_read_only(&path)?)
    }

    /// What `status` foretells: of the next run, or of that `at_work`.
    fn status(&self, ledger: &Ledger, at_work: bool) -> Result<Option<Forecast>> {
        let schedule = Schedule {
            window: None,
            zone: self.config.tasks[0].zone,
        };
        let now = Clock::system().now();
        let outlook = Outlook::read(ledger, &self.task, schedule, at_work, now)?;
        Ok(outlook.and_then(|outlook| outlook.told().ok()))
    }

    /// Of the next night, when its names have not come in yet.
    fn evening(&self) -> Result<Option<Told>> {
        let from = Clock::system().now();
        let forecast = self.status(&self.ledger()?, false)?;
        Ok(forecast.map(|forecast| Told { forecast, from }))
    }

    /// Of a night whose names a rehearsal has looked at, as `run --dry-run` tells it.
    fn rehearsed(&self, most_ms: Option<u64>) -> Result<Told> {
        let clock = Clock::system();
        let engine = Engine::new(
            &self.config,
            clock.clone(),
            StopSignal::default(),
            RunOptions::default(),
        )?;
        let rehearsal = rehearse(&engine, &self.config.tasks[0])?;
        let queue = Queue::Rehearsed {
            taken: rehearsal.taken,
            copies: rehearsal.copy,
            copy_bytes: rehearsal.copy_bytes,
        };
        let from = clock.now();
        let most_ms = most_ms.map(i64::try_from).transpose()?;
        let deadline = most_ms.map(|ms| from.plus_ms(ms));
        let history = outlook::history(&self.ledger()?, &self.task)?;
        let forecast = history.forecast(queue, from, deadline);
        let forecast = forecast.map_err(|unknown| format!("{unknown:?}"))?;
        Ok(Told { forecast, from })
    }

    /// A night; what was foretold of it once a third was settled.
    fn run(&self, most_ms: Option<u64>) -> Result<Option<Forecast>> {
        let mut arguments = vec![
            "nightferry".into(),
            "--config".into(),
            self.config_path.clone().into(),
            "--quiet".into(),
            "run".into(),
        ];
        if let Some(ms) = most_ms {
            arguments.extend(["--max-duration".into(), format!("{ms}ms").into()]);
        }
        let before = self.last_run().map_or(0, |run| run.number);
        let night = thread::spawn(move || nightferry::cli::main(arguments));
        let mut foretold = None;
        while !night.is_finished() {
            thread::sleep(LOOK_EVERY);
            let Ok(run) = self.last_run() else { continue };
            let is_new = run.number > before && run.state == RunState::Running;
            if foretold.is_none() && is_new && 3 * run.books.settled() > run.books.taken {
                foretold = self.status(&self.ledger()?, true)?;
            }
        }
        // That some objects are missing is part of it.
        night.join().map_err(|_| "a night panicked")?;
        Ok(foretold)
    }

    fn last_run(&self) -> Result<PastRun> {
        let runs = self.ledger()?.past_runs(&self.task, None, 1)?;
        Ok(runs.into_iter().next().ok_or("there was no run")?)
    }
}
