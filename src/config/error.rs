//! What can be wrong with a configuration.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is no usable configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No configuration file was found.
    #[error(
        "no configuration file; looked for {}; `nightferry init` prints one to begin with",
        tried.join(", ")
    )]
    NotFound {
        /// Every place that was looked at, and who named it.
        tried: Vec<String>,
    },
    /// The file is there but cannot be read.
    #[error("failed to read the configuration {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file says something that cannot be. Displays one mistake a line.
    #[error("{}", one_a_line(.0))]
    Mistakes(Vec<Mistake>),
}

fn one_a_line(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
    lines.join("\n")
}

/// One mistake in a configuration file. Never holds the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; for a missing key, that of the section it belongs in.
    pub line: usize,
    /// The key, such as `workers` or `task "photos", source.bucket`; empty if
    /// the file is not TOML.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.path.display(), self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Why credentials that are named in the configuration cannot be had now.
/// Names keys, variables, files and profiles; never holds the value of a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The environment variable is not set.
    #[error("{key}: the environment variable {variable} is not set")]
    Unset {
        /// The key of the configuration.
        key: &'static str,
        /// The variable.
        variable: String,
    },
    /// A file that holds a secret cannot be read.
    #[error("{key}: failed to read {}: {reason}", path.display())]
    Unreadable {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The variable or file holds nothing.
    #[error("{key}: {place} is empty")]
    Empty {
        /// The key of the configuration.
        key: &'static str,
        /// The variable or file.
        place: String,
    },
    /// The shared credentials file cannot be found, because there is no home directory.
    #[error("profile: no home directory; name the credentials file in {variable}")]
    NoHome {
        /// The variable that names the file.
        variable: &'static str,
    },
    /// The profile is in neither of the shared files.
    #[error(
        "profile: neither {} nor {} has a profile {profile:?}", path.display(), config.display()
    )]
    NoProfile {
        /// The shared credentials file.
        path: PathBuf,
        /// The shared config file.
        config: PathBuf,
        /// The profile.
        profile: String,
    },
    /// The profile lacks a static key.
    #[error(
        "profile: {profile:?} in {} has no {missing}; static keys and credential_process are read",
        path.display()
    )]
    NoStaticKey {
        /// The shared file.
        path: PathBuf,
        /// The profile.
        profile: String,
        /// The key that the profile lacks.
        missing: &'static str,
    },
    /// The profile's program cannot be told.
    #[error("profile: {profile:?} in {}, credential_process {why}", path.display())]
    BadProcess {
        /// The shared file.
        path: PathBuf,
        /// The profile.
        profile: String,
        /// What is wrong; repeats nothing of it.
        why: &'static str,
    },
}
