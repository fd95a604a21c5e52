//! The configuration file: finding it, reading it, and saying everything that
//! is wrong with it at once, each mistake with its line and key.
//!
//! Reading it touches no environment variable and no other file: credentials
//! are [resolved](EndpointConfig::resolve_credentials) when they are needed.

mod backup;
mod bandwidth;
mod credentials;
mod endpoint;
mod error;
mod exposure;
mod locate;
mod mail;
mod profile;
mod restore;
mod retry;
mod section;
mod selection;
mod serve;
mod task;
#[cfg(test)]
mod tests;
mod watch;
mod write_options;

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bytesize::ByteSize;
use toml::de::DeTable;

use crate::model::Zone;

pub use backup::{BackupBucket, BackupConfig};
pub use bandwidth::bytes_per_second;
pub use credentials::{Credentials, CredentialsConfig, KeySource, KeysConfig};
pub use endpoint::EndpointConfig;
pub use error::{ConfigError, CredentialsError, Mistake};
pub use mail::{MailConfig, MailLogin, MailSecurity, MailWhen};
pub use retry::RetryConfig;
pub use serve::{MOST_NAMES, Proof, SendTo, ServeConfig, ServeLimits, TlsFiles, TokenConfig};
pub use task::{ListEncoding, ServerSideCopy, TaskConfig};
pub use watch::{MetricsConfig, PingConfig, PingUrlError};

use section::{Mistakes, Section};

/// A commented configuration to begin with; `nightferry init` prints it.
pub const EXAMPLE: &str = include_str!("example.toml");

const DEFAULT_WORKERS: u32 = 64;
const MOST_WORKERS: u32 = 1024;
const DEFAULT_MEMORY: ByteSize = ByteSize::mib(96);
const LEAST_MEMORY: ByteSize = ByteSize::mib(16);

/// A configuration without mistakes.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that it was read from.
    pub path: PathBuf,
    /// Where the ledger and the lists are kept. In the file absolute, or
    /// relative to the file's folder; here joined with that folder.
    pub data_dir: PathBuf,
    /// The group that may read the data directory and add object lists.
    pub group: Option<String>,
    /// Objects in flight at once, 1 to 1024; default 64.
    pub workers: usize,
    /// All transfer buffers together, in bytes; default 96 MiB, at least 16 MiB.
    pub memory_bytes: u64,
    /// How often requests are tried within a run.
    pub retry: RetryConfig,
    /// Where copies of the ledger are kept, if that is wanted.
    pub backup: Option<BackupConfig>,
    /// Who is told of a night by mail, if that is wanted.
    pub mail: Option<MailConfig>,
    /// Where figures for Prometheus are written, if that is wanted.
    pub metrics: Option<MetricsConfig>,
    /// The URL that is told of each night, if one is.
    pub ping: Option<PingConfig>,
    /// How requests are taken in over the network, if that is wanted.
    pub serve: Option<ServeConfig>,
    /// The tasks in the file's order; at least one.
    pub tasks: Vec<TaskConfig>,
}

impl Config {
    /// Finds the configuration file: `flag` (`--config`), else
    /// `NIGHTFERRY_CONFIG`, else `./nightferry.toml`, else
    /// `/etc/nightferry/nightferry.toml`.
    ///
    /// # Errors
    /// [`ConfigError::NotFound`] with every place that was tried.
    pub fn locate(flag: Option<&Path>) -> Result<PathBuf, ConfigError> {
        locate::locate(flag, std::env::var_os(locate::VARIABLE), &locate::PLACES)
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, or every mistake in it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |reason| ConfigError::Unreadable {
            path: path.to_owned(),
            reason,
        };
        Self::parse(&fs::read_to_string(path).map_err(unreadable)?, path)
    }

    /// Reads `text` as the content of the file `path`, which need not be there.
    ///
    /// # Errors
    /// Every mistake in it, in the order of its lines.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mistakes = Mistakes::new(path, text);
        let config = match DeTable::parse(text) {
            Ok(table) => read(table.get_ref(), &mistakes, path),
            Err(error) => {
                // The message alone: the error's display repeats the line, and
                // a secret may stand there.
                let at = error.span().map_or(0, |span| span.start);
                let message = error.message().trim_end().replace('\n', "; ");
                mistakes.add(at, String::new(), format_args!("is not TOML: {message}"));
                None
            }
        };
        let mistakes = mistakes.into_sorted();
        match config {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError::Mistakes(mistakes)),
        }
    }

    /// The task with this id.
    #[must_use]
    pub fn task(&self, id: &str) -> Option<&TaskConfig> {
        self.tasks.iter().find(|task| task.id.as_str() == id)
    }

    /// Files with secrets that others on this machine may read, each as a
    /// sentence to show; empty if there are none.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        exposure::warnings(self)
    }
}

fn read(table: &DeTable<'_>, mistakes: &Mistakes<'_>, path: &Path) -> Option<Config> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut root = Section::new(mistakes, String::new(), table, 0);
    root.require("data_dir", "\"/var/lib/nightferry\"");
    let data_dir = root.parsed("data_dir", |text| local_path(text, folder));
    let group = root.string("group").map(str::to_owned);
    let zone = root
        .parsed("time_zone", Zone::from_str)
        .unwrap_or(Zone::UTC);
    let workers = root
        .number("workers", &(1..=MOST_WORKERS))
        .unwrap_or(DEFAULT_WORKERS);
    let memory = root.parsed("memory", memory).unwrap_or(DEFAULT_MEMORY);
    let retry = retry::read(&mut root);
    let tasks = task::read_all(&mut root, mistakes, zone, folder);
    let backup = backup::read(&mut root, &tasks, folder);
    let mail = mail::read(&mut root, folder);
    let metrics = watch::read_metrics(&mut root, folder);
    let ping = watch::read_ping(&mut root, folder);
    let serve = serve::read(&mut root, mistakes, &tasks, folder);
    root.finish();
    Some(Config {
        path: path.to_owned(),
        data_dir: data_dir?,
        group,
        workers: workers.try_into().ok()?,
        memory_bytes: memory.as_u64(),
        retry,
        backup,
        mail,
        metrics,
        ping,
        serve,
        tasks,
    })
}

/// A path of this machine.
fn local_path(text: &str, folder: &Path) -> Result<PathBuf, &'static str> {
    if text.starts_with('~') {
        return Err("begins with `~`, which only a shell expands; write the whole path");
    }
    if text.contains('\0') {
        return Err("has a NUL character in it; write a path");
    }
    Ok(folder.join(text))
}

fn memory(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text
        .parse()
        .map_err(|_| format!("{text:?} is no size; write one such as \"{DEFAULT_MEMORY}\""))?;
    if size < LEAST_MEMORY {
        return Err(format!(
            "{text:?} is too little; write \"{LEAST_MEMORY}\" or more"
        ));
    }
    Ok(size)
}
