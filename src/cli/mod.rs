//! The command line: what was asked for, the layer that does it, the exit code.

mod account;
mod args;
mod browse;
mod check;
mod deep;
mod doctor;
mod enqueue;
mod failure;
mod from_source;
mod ledger;
mod lists;
mod log;
mod machine;
mod mail;
mod manual;
mod output;
mod pause;
mod rebuild;
mod report;
mod resting;
mod retry;
mod run;
mod serve;
mod tune;
mod withdraw;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use args::LedgerCommand;
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
    let given: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&given) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are asked for, all else is wrong usage.
            let code = if error.use_stderr() {
                ExitReason::Usage.code()
            } else {
                0
            };
            log::wrong_usage(&given, &error);
            return ExitCode::from(code);
        }
    };
    log::begin(&arguments);
    match carry_out(&arguments) {
        Ok(reason) => ExitCode::from(reason.code()),
        Err(failed) => {
            failed.say();
            ExitCode::from(failed.reason.code())
        }
    }
}

fn carry_out(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Init => output::write(|out| out.write_all(config::EXAMPLE.as_bytes())),
        Command::Token(asked) => serve::token(asked, configured(arguments).as_ref()),
        Command::Man(asked) => manual::man(asked),
        Command::Completions(asked) => manual::completions(asked),
        command => {
            let context = Context::load(arguments)
                .inspect_err(|failed| tell_unconfigured(arguments, failed))?;
            with_context(command, &context)
        }
    }
}

/// The configuration, for what can be done without one.
fn configured(arguments: &Arguments) -> Option<Config> {
    let path = Config::locate(arguments.config.as_deref()).ok()?;
    Config::load(&path).ok()
}

/// A night that has no usable configuration is told by mail too, if it can be.
fn tell_unconfigured(arguments: &Arguments, failed: &Failed) {
    if let Command::Run(asked) = &arguments.command
        && !asked.rehearse
        && let Ok(path) = Config::locate(arguments.config.as_deref())
    {
        mail::tell_unconfigured(&path, failed);
    }
}

/// What needs a configuration.
fn with_context(command: &Command, context: &Context) -> Outcome {
    if begins_anew(command) {
        say_beginning(&context.data_dir, command);
    }
    match command {
        // Done before, without one.
        Command::Init | Command::Token(_) | Command::Man(_) | Command::Completions(_) => {
            Ok(ExitReason::Done)
        }
        Command::Doctor(selected) => doctor::doctor(context, selected),
        Command::Enqueue(asked) => enqueue::enqueue(context, asked),
        Command::Withdraw(asked) => withdraw::withdraw(context, asked),
        Command::Retry(asked) => retry::retry(context, asked),
        Command::Pause(asked) => pause::pause(context, asked),
        Command::Resume(asked) => pause::resume(context, asked),
        Command::Run(asked) => run::run(context, asked),
        Command::Status(asked) => browse::status(context, asked),
        Command::Runs(asked) => browse::runs(context, asked),
        Command::Tune(asked) => tune::tune(context, asked),
        Command::Bill(asked) => browse::bill(context, asked),
        Command::Summary(asked) => browse::summary(context, asked),
        Command::Report(asked) => report::report(context, asked),
        Command::Failed(asked) => browse::failed(context, asked),
        Command::Why(asked) => browse::why(context, asked),
        Command::Lists(asked) => browse::lists(context, asked),
        Command::Export(asked) => lists::export(context, asked),
        Command::Verify(asked) => lists::verify(context, asked),
        Command::Check(asked) => check::check(context, asked),
        Command::Serve => serve::serve(context),
        Command::Ledger(asked) => ledger::ledger(context, asked),
    }
}

/// Whether it makes the data directory if there is none.
fn begins_anew(command: &Command) -> bool {
    match command {
        Command::Run(asked) => !asked.rehearse,
        Command::Enqueue(asked) => !asked.by_listing.dry_run,
        Command::Withdraw(_)
        | Command::Retry(_)
        | Command::Pause(_)
        | Command::Resume(_)
        | Command::Serve
        | Command::Ledger(LedgerCommand::Rebuild(_) | LedgerCommand::Restore(_)) => true,
        _ => false,
    }
}

/// Says that there is nothing yet where there may have been something.
fn say_beginning(data_dir: &DataDir, command: &Command) {
    let root = shown(data_dir.root());
    if data_dir.is_new() && data_dir.can_begin().is_ok() {
        tracing::warn!(
            "nothing is kept in {root} yet: a new, empty data directory is made there; if there \
             should be one already, mount its disk or correct `data_dir` in the configuration"
        );
    } else if !matches!(command, Command::Ledger(_)) && data_dir.has_lost_its_ledger() {
        tracing::warn!(
            "there is no ledger in {root} any more: a new, empty one is begun; if the old one is \
             lost, restore a backup (`nightferry ledger restore`), or make it again from the \
             delivered lists (`nightferry ledger rebuild --replace`)"
        );
    }
}

/// What the commands that need a configuration work with.
struct Context {
    config: Config,
    data_dir: DataDir,
    clock: Clock,
    quiet: bool,
    log_format: LogFormat,
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
            log_format: arguments.log_format,
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

/// A path as a message shows it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
