//! `nightferry serve` and `nightferry token`.

use std::io::Write;

use sd_notify::NotifyState;

use super::args::NewToken;
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::config::Config;
use crate::exit::ExitReason;
use crate::model::TaskId;
use crate::run::TaskLock;
use crate::serve::{self, ServeError};

/// Takes in names until it is asked to stop.
pub fn serve(context: &Context) -> Outcome {
    serve::serve(
        &context.config,
        &context.data_dir,
        &context.clock,
        TaskLock::is_held,
        |address| {
            // Without systemd there is nobody to tell.
            drop(sd_notify::notify(&[NotifyState::Ready]));
            tracing::info!(target: "progress", "listening on {address}");
        },
    )?;
    Ok(ExitReason::Done)
}

/// Prints a new token, and the section for it.
pub fn token(asked: &NewToken, config: Option<&Config>) -> Outcome {
    let is_unknown = |id: &&String| {
        id.as_str() != "all" && config.is_some_and(|config| config.task(id).is_none())
    };
    for id in asked.send.iter().filter(is_unknown) {
        tracing::warn!("the configuration has no task {id:?} yet");
    }
    let (token, sha256) = serve::new_token().map_err(|error| {
        Failed::unexpected(anyhow::anyhow!(
            "the system gives no random numbers: {error}"
        ))
    })?;
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let send = send(asked)?;
    output::write(|out| {
        writeln!(
            out,
            "# For the caller, and nobody else; it is not kept here:"
        )?;
        writeln!(out, "# {}\n", token.reveal())?;
        writeln!(out, "[[serve.token]]")?;
        writeln!(out, "id = {}", quoted(&asked.id))?;
        writeln!(out, "sha256 = \"{sha256}\"")?;
        if let Some(send) = &send {
            writeln!(out, "send = {send}")?;
        }
        if asked.read {
            writeln!(out, "read = true")?;
        }
        if asked.control {
            writeln!(out, "control = true")?;
        }
        Ok(())
    })
}

/// For which tasks a new token may send names, as the configuration has it; `None`
/// for one that is made for something else alone.
fn send(asked: &NewToken) -> Result<Option<String>, Failed> {
    if asked.id.is_empty() {
        return Err(Failed::usage("a token needs a name by which it is known"));
    }
    let quoted = |text: &str| toml::Value::from(text).to_string();
    match &asked.send[..] {
        [] if asked.read || asked.control => Ok(None),
        [] => Ok(Some(quoted("all"))),
        [all] if all == "all" => Ok(Some(quoted("all"))),
        tasks => {
            let task = |task: &String| {
                let known: Result<TaskId, _> = task.parse();
                known.map_err(|error| Failed::usage(format!("--send {task:?}: {error}")))?;
                Ok(quoted(task))
            };
            let tasks: Result<Vec<String>, Failed> = tasks.iter().map(task).collect();
            Ok(Some(format!("[{}]", tasks?.join(", "))))
        }
    }
}

impl From<ServeError> for Failed {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Ledger(error) => error.into(),
            ServeError::System(_) => Self::unexpected(error),
            error => Self::unusable(error),
        }
    }
}
