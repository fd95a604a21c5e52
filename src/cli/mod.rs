//! The command line: what was asked for, the layer that does it, the exit code.

mod args;
mod browse;
mod doctor;
mod enqueue;
mod failure;
mod ledger;
mod lists;
mod output;
mod pause;
mod rebuild;
mod resting;
mod retry;
mod run;
mod serve;
mod tune;
mod withdraw;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

pub use args::{Arguments, Command, LogFormat};
use failure::{Failed, Outcome};

use crate::clock::Clock;
use crate::config::{self, Config, TaskConfig};
use crate::data_dir::DataDir;
use crate::exit::ExitReason;
use crate::ledger::Ledger;
use crate::report::text::visible;

/// Does what the process's arguments ask for.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are asked for, all else is wrong usage.
            let code = if error.use_stderr() {
                ExitReason::Usage.code()
            } else {
                0
            };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    log(&arguments);
    match carry_out(&arguments) {
        Ok(reason) => ExitCode::from(reason.code()),
        Err(failed) => {
            failed.say();
            ExitCode::from(failed.reason.code())
        }
    }
}

fn carry_out(arguments: &Arguments) -> Outcome {
    if matches!(arguments.command, Command::Init) {
        return output::write(|out| out.write_all(config::EXAMPLE.as_bytes()));
    }
    if let Command::Token(asked) = &arguments.command {
        return serve::token(asked);
    }
    let context = Context::load(arguments)?;
    match &arguments.command {
        Command::Init | Command::Token(_) => Ok(ExitReason::Done),
        Command::Doctor(selected) => doctor::doctor(&context, selected),
        Command::Enqueue(asked) => enqueue::enqueue(&context, asked),
        Command::Withdraw(asked) => withdraw::withdraw(&context, asked),
        Command::Retry(asked) => retry::retry(&context, asked),
        Command::Pause(asked) => pause::pause(&context, asked),
        Command::Resume(asked) => pause::resume(&context, asked),
        Command::Run(asked) => run::run(&context, asked),
        Command::Status(asked) => browse::status(&context, asked),
        Command::Runs(asked) => browse::runs(&context, asked),
        Command::Tune(asked) => tune::tune(&context, asked),
        Command::Bill(asked) => browse::bill(&context, asked),
        Command::Summary(asked) => browse::summary(&context, asked),
        Command::Failed(asked) => browse::failed(&context, asked),
        Command::Why(asked) => browse::why(&context, asked),
        Command::Lists(asked) => browse::lists(&context, asked),
        Command::Export(asked) => lists::export(&context, asked),
        Command::Verify(asked) => lists::verify(&context, asked),
        Command::Serve => serve::serve(&context),
        Command::Ledger(asked) => ledger::ledger(&context, asked),
    }
}

/// What every command but `init` works with.
struct Context {
    config: Config,
    data_dir: DataDir,
    clock: Clock,
    quiet: bool,
}

impl Context {
    fn load(arguments: &Arguments) -> Result<Self, Failed> {
        let path = Config::locate(arguments.config.as_deref())?;
        let config = Config::load(&path)?;
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let data_dir = DataDir::new(config.data_dir.clone(), config.group.as_deref())
            .map_err(Failed::unusable)?;
        Ok(Self {
            config,
            data_dir,
            clock: Clock::system(),
            quiet: arguments.quiet,
        })
    }

    /// The task with this id.
    fn task(&self, id: &str) -> Result<&TaskConfig, Failed> {
        self.config.task(id).ok_or_else(|| {
            let known: Vec<&str> = self
                .config
                .tasks
                .iter()
                .map(|task| task.id.as_str())
                .collect();
            Failed::usage(format!(
                "{} has no task `{}`; its tasks are: {}",
                self.config.path.display(),
                visible(id),
                known.join(", ")
            ))
        })
    }

    /// The tasks with these ids, or all of them if none is named.
    fn tasks(&self, ids: &[String]) -> Result<Vec<&TaskConfig>, Failed> {
        if ids.is_empty() {
            return Ok(self.config.tasks.iter().collect());
        }
        let mut tasks: Vec<&TaskConfig> = Vec::new();
        for id in ids {
            let task = self.task(id)?;
            if !tasks.iter().any(|named| named.id == task.id) {
                tasks.push(task);
            }
        }
        Ok(tasks)
    }

    /// The ledger, for reading.
    fn ledger(&self) -> Result<Ledger, Failed> {
        Ledger::open_read_only(&self.data_dir.ledger()).map_err(Failed::from)
    }

    fn ledger_path(&self) -> std::path::PathBuf {
        self.data_dir.ledger()
    }
}

/// Sends the program's log to stderr, as lines of text or of JSON.
fn log(arguments: &Arguments) {
    let level = match (arguments.quiet, arguments.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let progress = if arguments.quiet {
        LevelFilter::OFF
    } else {
        LevelFilter::INFO
    };
    // The libraries' own logs may hold URLs, and so signatures: never shown.
    let targets = Targets::new()
        .with_target("nightferry", level)
        .with_target("progress", progress);
    let registry = tracing_subscriber::registry().with(targets);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // A second call, as in tests of this library, keeps the first log.
    drop(match arguments.log_format {
        LogFormat::Json => registry.with(lines.json()).try_init(),
        LogFormat::Text => registry
            .with(
                lines
                    .with_target(false)
                    .without_time()
                    .with_ansi(std::io::stderr().is_terminal()),
            )
            .try_init(),
    });
}

/// A path as a message shows it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
