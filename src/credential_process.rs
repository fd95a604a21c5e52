//! Programs that print access keys: `credential_process`, as AWS defines it.
//!
//! The program is started without a shell, and with nothing to read. What it prints
//! is read as JSON and shown nowhere; what it says on stderr goes where ours goes.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::Deserialize;

use crate::model::Timestamp;
use crate::secret::{AccessKeys, Secret};

/// How long a program may take.
const LIMIT: Duration = Duration::from_mins(1);

/// How often it is seen whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// More than this is no answer.
const MOST_BYTES: u64 = 64 * 1024;

/// The version of the answer that is known.
const VERSION: u64 = 1;

/// A program that prints keys.
#[derive(Debug, Clone)]
pub struct CredentialProcess {
    words: Vec<String>,
    limit: Duration,
}

/// Why a program gave no keys. Says nothing of what it printed, nor of its arguments.
#[derive(Debug, thiserror::Error)]
#[error("credential_process {program:?} {why}")]
pub struct NoKeys {
    program: String,
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("could not be started: {0}")]
    NotStarted(io::Error),
    #[error("could not be waited for: {0}")]
    Lost(io::Error),
    #[error("was ended, as it took longer than {} s", .0.as_secs_f32())]
    TooLong(Duration),
    #[error("ended with {0}; what it says of that is on stderr")]
    Ended(ExitStatus),
    #[error("printed more than 64 KiB; it is to print JSON with keys")]
    TooMuch,
    #[error("printed what is no JSON object with keys (line {line}, column {column})")]
    NoJson { line: usize, column: usize },
    #[error("printed JSON without Version 1; only that version is known")]
    Version,
    #[error("printed JSON whose {0} is missing or empty")]
    Lacks(&'static str),
    #[error("printed an Expiration that is no ISO 8601 time with its zone")]
    NoTime,
    #[error("printed keys that expired at {}", .0.utc().to_rfc3339_opts(SecondsFormat::Secs, true))]
    Expired(Timestamp),
}

/// What such a program prints. Other members are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: Option<serde_json::Value>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    expiration: Option<String>,
}

impl NoKeys {
    /// Whether it may be otherwise in a moment: the program could not do its work, be
    /// it for want of a network.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self.why, Why::TooLong(_) | Why::Ended(_))
    }
}

impl CredentialProcess {
    /// The program and its arguments.
    #[must_use]
    pub const fn new(words: Vec<String>) -> Self {
        Self {
            words,
            limit: LIMIT,
        }
    }

    /// Runs it, and reads the keys that it prints. They are good at `now`.
    ///
    /// # Errors
    /// It could not be started, failed, took too long, or printed something else.
    pub fn run(&self, now: impl FnOnce() -> Timestamp) -> Result<AccessKeys, NoKeys> {
        let printed = self.printed();
        let keys = printed.and_then(|printed| read(&printed, now()));
        keys.map_err(|why| NoKeys {
            program: self.words.first().cloned().unwrap_or_default(),
            why,
        })
    }

    fn printed(&self) -> Result<Vec<u8>, Why> {
        let [program, arguments @ ..] = self.words.as_slice() else {
            return Err(Why::NotStarted(io::ErrorKind::InvalidInput.into()));
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Of its own, so that all that it started can be ended with it, and so
            // that Ctrl-C, which lets transfers end, does not take their keys away.
            .process_group(0)
            .spawn()
            .map_err(Why::NotStarted)?;
        let answer = self.answer(&mut child);
        // One that has been waited for has given its number back.
        if !matches!(answer, Ok(_) | Err(Why::Ended(_))) {
            end(&mut child);
        }
        answer
    }

    /// What `child` printed, once it has ended well.
    fn answer(&self, child: &mut Child) -> Result<Vec<u8>, Why> {
        let until = Instant::now() + self.limit;
        let (sender, printed) = mpsc::channel();
        let stdout = child.stdout.take();
        // Not joined: what the program started and left behind may hold the pipe open.
        thread::spawn(move || {
            let mut text = Vec::new();
            let read = stdout.map(|stdout| stdout.take(MOST_BYTES + 1).read_to_end(&mut text));
            // Nobody waits any more if it took too long.
            let _ = sender.send(read.transpose().map(|_| text));
        });
        let left = || until.saturating_duration_since(Instant::now());
        let text = match printed.recv_timeout(left()) {
            Ok(text) => text.map_err(Why::Lost)?,
            Err(_) => return Err(Why::TooLong(self.limit)),
        };
        if text.len() as u64 > MOST_BYTES {
            return Err(Why::TooMuch);
        }
        loop {
            match child.try_wait().map_err(Why::Lost)? {
                Some(status) if status.success() => return Ok(text),
                Some(status) => return Err(Why::Ended(status)),
                None if left().is_zero() => return Err(Why::TooLong(self.limit)),
                None => thread::sleep(LOOK.min(left())),
            }
        }
    }
}

/// Ends a program that was not yet waited for, and all that it started. It may have
/// ended by itself meanwhile.
fn end(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = child.wait();
}

fn read(printed: &[u8], now: Timestamp) -> Result<AccessKeys, Why> {
    // The parser's own words may quote what it read.
    let printed: Printed = serde_json::from_slice(printed).map_err(|error| Why::NoJson {
        line: error.line(),
        column: error.column(),
    })?;
    if printed.version.as_ref().and_then(serde_json::Value::as_u64) != Some(VERSION) {
        return Err(Why::Version);
    }
    let needed = |text: Option<String>, key| {
        let text = text.filter(|text| !text.is_empty());
        text.ok_or(Why::Lacks(key))
    };
    let keys = AccessKeys {
        access_key_id: needed(printed.access_key_id, "AccessKeyId")?,
        secret_access_key: Secret::new(needed(printed.secret_access_key, "SecretAccessKey")?),
        session_token: printed.session_token.map(Secret::new),
        expires_at: printed.expiration.as_deref().map(time).transpose()?,
    };
    match keys.expires_at {
        Some(at) if at <= now => Err(Why::Expired(at)),
        _ => Ok(keys),
    }
}

fn time(text: &str) -> Result<Timestamp, Why> {
    // `+0000` is ISO 8601, but not RFC 3339.
    let at = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let at = at.map_err(|_| Why::NoTime)?;
    Ok(Timestamp::from_ms(at.timestamp_millis()))
}

#[cfg(test)]
mod tests;
