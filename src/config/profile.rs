//! A profile in the files that all AWS tools share.
//!
//! Sections and `key = value` lines are all of INI that is needed here, and a
//! parser of its own cannot repeat a line of those files in an error.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::credentials::{self, Credentials, Env, PROCESS};
use super::error::CredentialsError;
use crate::secret::{AccessKeys, Secret};

/// A shared file: the variable that names it, its place in the home directory, and
/// how the header of a profile begins there, but for that of `default`.
struct Shared {
    variable: &'static str,
    usual: &'static str,
    header: &'static str,
}

const CREDENTIALS: Shared = Shared {
    variable: "AWS_SHARED_CREDENTIALS_FILE",
    usual: ".aws/credentials",
    header: "",
};

const CONFIG: Shared = Shared {
    variable: "AWS_CONFIG_FILE",
    usual: ".aws/config",
    header: "profile ",
};

/// The shared file of credentials: what its variable names, else
/// `~/.aws/credentials`.
pub(super) fn credentials_file(env: Env<'_>) -> Result<PathBuf, CredentialsError> {
    CREDENTIALS.path(env)
}

/// The keys of `profile`, or the program that prints them. The first that is there,
/// in the order in which the AWS tools look:
///
/// | where | what |
/// |--|--|
/// | credentials file | static keys |
/// | credentials file, then config file | `credential_process` |
/// | config file | static keys |
pub(super) fn resolve(profile: &str, env: Env<'_>) -> Result<Credentials, CredentialsError> {
    let credentials = CREDENTIALS.read(profile, env)?;
    if let Some(keys) = credentials.keys()? {
        return Ok(Credentials::Keys(keys));
    }
    // Only now: one that cannot be read must not keep keys from being used.
    let config = CONFIG.read(profile, env)?;
    for found in [&credentials, &config] {
        if let Some(words) = found.process()? {
            return Ok(Credentials::Process(words));
        }
    }
    if let Some(keys) = config.keys()? {
        return Ok(Credentials::Keys(keys));
    }
    Err(credentials.lacking(&config))
}

/// What a file says of a profile.
struct Found<'p> {
    path: PathBuf,
    profile: &'p str,
    /// Its lines; `None`: the file has no such profile.
    entries: Option<Vec<(String, String)>>,
    /// Why the file could not be read, if it is not there.
    missing: Option<io::Error>,
}

impl Shared {
    fn path(&self, env: Env<'_>) -> Result<PathBuf, CredentialsError> {
        let variable = self.variable;
        if let Some(path) = env(variable).filter(|path| !path.is_empty()) {
            return Ok(path.into());
        }
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        home.map(|home| home.join(self.usual))
            .ok_or(CredentialsError::NoHome { variable })
    }

    /// A file that is not there has no such profile.
    fn read<'p>(&self, profile: &'p str, env: Env<'_>) -> Result<Found<'p>, CredentialsError> {
        let path = self.path(env)?;
        let (text, missing) = match fs::read_to_string(&path) {
            Ok(text) => (text, None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (String::new(), Some(error)),
            Err(reason) => {
                let key = "profile";
                return Err(CredentialsError::Unreadable { key, path, reason });
            }
        };
        Ok(Found {
            entries: entries(&text, self.header, profile),
            path,
            profile,
            missing,
        })
    }
}

impl Found<'_> {
    /// The last line of `key` counts.
    fn value(&self, key: &str) -> Option<&str> {
        let entries = self.entries.iter().flatten().rev();
        let mut values = entries.filter(|(name, _)| name == key);
        values.next().map(|(_, value)| value.as_str())
    }

    /// A value that ends at white space: what follows is a comment.
    fn word(&self, key: &str) -> Option<String> {
        let word = self.value(key)?.split_whitespace().next();
        word.map(str::to_owned)
    }

    /// Static keys; one of the two without the other is a mistake.
    fn keys(&self) -> Result<Option<AccessKeys>, CredentialsError> {
        const NAMES: [&str; 2] = ["aws_access_key_id", "aws_secret_access_key"];
        match NAMES.map(|key| self.word(key)) {
            [None, None] => Ok(None),
            [None, Some(_)] => Err(self.lacks(NAMES[0])),
            [Some(_), None] => Err(self.lacks(NAMES[1])),
            [Some(access_key_id), Some(secret)] => Ok(Some(AccessKeys {
                access_key_id,
                secret_access_key: Secret::new(secret),
                session_token: self.word("aws_session_token").map(Secret::new),
                expires_at: None,
            })),
        }
    }

    fn process(&self) -> Result<Option<Vec<String>>, CredentialsError> {
        let Some(text) = self.value(PROCESS) else {
            return Ok(None);
        };
        let wrong = |why| CredentialsError::BadProcess {
            path: self.path.clone(),
            profile: self.profile.to_owned(),
            why,
        };
        credentials::command(text).map(Some).map_err(wrong)
    }

    fn lacks(&self, missing: &'static str) -> CredentialsError {
        CredentialsError::NoStaticKey {
            path: self.path.clone(),
            profile: self.profile.to_owned(),
            missing,
        }
    }

    /// Why there are no credentials, here and in `config`.
    fn lacking(self, config: &Self) -> CredentialsError {
        if self.entries.is_some() || config.entries.is_some() {
            let found = if self.entries.is_some() {
                &self
            } else {
                config
            };
            return found.lacks("aws_access_key_id");
        }
        match self.missing {
            Some(reason) if config.missing.is_some() => CredentialsError::Unreadable {
                key: "profile",
                path: self.path,
                reason,
            },
            _ => CredentialsError::NoProfile {
                path: self.path,
                config: config.path.clone(),
                profile: self.profile.to_owned(),
            },
        }
    }
}

/// The `key = value` lines of a profile whose header begins with `prefix`, unless it
/// is `default`; `None` if the file has no such profile.
fn entries(text: &str, prefix: &str, profile: &str) -> Option<Vec<(String, String)>> {
    let is_ours = |header: &str| match header.trim().strip_prefix(prefix) {
        Some(name) => name.trim() == profile,
        None => profile == "default" && header.trim() == profile,
    };
    let mut found = None;
    let mut inside = false;
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            inside = header.split(']').next().is_some_and(is_ours);
            if inside {
                found.get_or_insert_with(Vec::new);
            }
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
            && let (Some(entries), value @ [_, ..]) = (&mut found, value.trim().as_bytes())
        {
            let value = String::from_utf8_lossy(value).into_owned();
            entries.push((key.trim().to_owned(), value));
        }
    }
    found
}

#[cfg(test)]
mod tests;
