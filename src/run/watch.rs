//! Those who watch over the nights from outside: Prometheus, by a textfile, and a
//! URL that is pinged. They are told when a night begins and how it ended, also
//! one that could not begin. That they cannot be told takes nothing from it.

use std::fmt;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::stop::StopSignal;
use crate::clock::Clock;
use crate::config::{Config, MetricsConfig, PingConfig};
use crate::data_dir::DataDir;
use crate::exit::ExitReason;
use crate::ledger::Ledger;
use crate::model::{TaskId, Timestamp};
use crate::ping::{Patience, Ping, Sent};
use crate::report::{Metrics, MetricsError, NightFigures, gauges_of};

/// The watchers of one night.
pub struct Watch {
    textfile: Option<PathBuf>,
    ledger: PathBuf,
    tasks: Vec<TaskId>,
    clock: Clock,
    started: Timestamp,
    ping: Option<(Ping, Sent)>,
    untold: Vec<String>,
}

impl Watch {
    /// Tells all watchers that `config` names that a night begins. The ping goes
    /// out while the night does.
    #[must_use]
    pub fn begin(config: &Config, data_dir: &DataDir, clock: &Clock, patience: Patience) -> Self {
        let metrics = config.metrics.as_ref();
        let mut watch = Self {
            textfile: metrics.map(|metrics| metrics.textfile.clone()),
            ledger: data_dir.ledger(),
            tasks: config.tasks.iter().map(|task| task.id.clone()).collect(),
            clock: clock.clone(),
            started: clock.now(),
            ping: None,
            untold: Vec::new(),
        };
        watch.write_figures(None);
        if let Some(config) = &config.ping {
            match begin_ping(config, patience) {
                Ok(begun) => watch.ping = Some(begun),
                Err(problem) => watch.untold.push(format!("ping: {problem}")),
            }
        }
        watch
    }

    /// Tells all watchers how the night ended: first the textfile, then, with
    /// `report`, the URL. Says who could not be told, and why. `stop` ends the
    /// waiting, if it is urgent.
    #[must_use]
    pub fn end(mut self, exit: ExitReason, report: String, stop: &StopSignal) -> Vec<String> {
        self.write_figures(Some(exit.code()));
        if let Some((ping, start)) = self.ping.take() {
            let told = stop.unless_urgent(move || end_ping(ping, start, exit.code(), report));
            let untold = told.unwrap_or_else(|not_waited| vec![format!("ping: {not_waited}")]);
            self.untold.extend(untold);
        }
        self.untold
    }

    /// Whether the watchers that `config` names could be told: of each its name,
    /// and what is well, or what is not. Nothing is written or sent.
    #[must_use]
    pub fn check(config: &Config) -> Vec<(&'static str, Result<String, String>)> {
        let mut seen = Vec::new();
        if let Some(MetricsConfig { textfile }) = &config.metrics {
            let written =
                temporary(textfile).map(|_| format!("{} can be written", textfile.display()));
            seen.push((
                "metrics",
                written.map_err(|error| unwritten(textfile, &error)),
            ));
        }
        if let Some(ping) = &config.ping {
            let resolved = ping
                .resolve()
                .map(|_| "the URL is known; it is not called to find out more".to_owned());
            seen.push(("ping", resolved.map_err(|error| error.to_string())));
        }
        seen
    }

    fn write_figures(&mut self, exit_code: Option<u8>) {
        let Some(place) = &self.textfile else {
            return;
        };
        let written = self
            .figures(exit_code)
            .map_err(|error| error.to_string())
            .and_then(|text| put(place, &text).map_err(|error| error.to_string()));
        if let Err(problem) = written {
            let said = format!("metrics: {}", unwritten(place, &problem));
            // At the start and at the end it is the same.
            if !self.untold.contains(&said) {
                self.untold.push(said);
            }
        }
    }

    /// What is known now. A ledger that cannot be read has no figures: what is
    /// wrong with it the run itself says.
    fn figures(&self, exit_code: Option<u8>) -> Result<String, MetricsError> {
        let gauges = Ledger::open_read_only(&self.ledger).and_then(|ledger| {
            ledger.at_one_instant(|ledger| gauges_of(ledger, self.tasks.iter().cloned()))
        });
        let metrics = Metrics::new(&gauges.unwrap_or_default())?;
        metrics.add_night(NightFigures {
            started: self.started,
            ended: exit_code.map(|exit_code| (self.clock.now(), exit_code)),
        })?;
        metrics.render()
    }
}

fn unwritten(place: &Path, problem: &impl fmt::Display) -> String {
    format!(
        "{} was not written: {problem}; is its folder there, and may it be written to?",
        place.display()
    )
}

fn begin_ping(config: &PingConfig, patience: Patience) -> Result<(Ping, Sent), String> {
    let url = config.resolve().map_err(|error| error.to_string())?;
    let ping = Ping::new(url, patience).map_err(|error| error.to_string())?;
    let start = ping.start();
    Ok((ping, start))
}

/// The start's answer is waited for first: the two must not overtake each other.
fn end_ping(ping: Ping, start: Sent, exit_code: u8, report: String) -> Vec<String> {
    let mut untold = Vec::new();
    if let Err(error) = start.answered() {
        untold.push(format!("ping: the start was not told: {error}"));
    }
    if let Err(error) = ping.end(exit_code, report).answered() {
        untold.push(format!("ping: the end was not told: {error}"));
    }
    ping.close();
    untold
}

/// Puts `text` in its place at once, so that no reader meets half of it, and where
/// all may read it: who gathers the figures is another user.
fn put(place: &Path, text: &str) -> io::Result<()> {
    let mut file = temporary(place)?;
    file.write_all(text.as_bytes())?;
    let for_all = Permissions::from_mode(0o644);
    file.as_file().set_permissions(for_all)?;
    file.as_file().sync_all()?;
    file.persist(place)?;
    Ok(())
}

/// A file beside `place` that nobody reads, gone when dropped.
fn temporary(place: &Path) -> io::Result<NamedTempFile> {
    let folder = match place.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let hidden = tempfile::Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .tempfile_in(folder);
    // Its own path would only hide what is meant.
    hidden.map_err(|error| {
        error
            .raw_os_error()
            .map_or(error, io::Error::from_raw_os_error)
    })
}
