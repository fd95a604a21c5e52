//! Where access keys come from, and how they are fetched once they are needed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::CredentialsError;
use super::profile;
use super::section::Section;
use crate::secret::{AccessKeys, Secret};

/// The program that prints keys, here and in the shared AWS files.
pub(super) const PROCESS: &str = "credential_process";

const PROFILE: &str = "profile";
const ACCESS_KEY: &str = "access_key_id";
const SECRET_KEY: &str = "secret_access_key";
const TOKEN: &str = "session_token";

/// Looks up an environment variable; tests bring their own.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What requests of one end are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// These keys.
    Keys(AccessKeys),
    /// Those that this program prints, each time that new ones are needed: it and
    /// its arguments.
    Process(Vec<String>),
}

/// Where the credentials of one end come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsConfig {
    /// Each key has its own place.
    Keys(KeysConfig),
    /// The keys, or the program, of this profile in the shared AWS files.
    Profile(String),
    /// A program prints them: it and its arguments, at least one word.
    Process(Vec<String>),
}

/// Keys, each in its own place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysConfig {
    /// `access_key_id`.
    pub access_key_id: KeySource,
    /// `secret_access_key`.
    pub secret_access_key: KeySource,
    /// `session_token`.
    pub session_token: Option<KeySource>,
}

/// Where one key comes from. White space around it is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// It stands in the configuration.
    Literal(Secret),
    /// An environment variable holds it.
    Env(String),
    /// A file holds it; relative to the configuration file's folder.
    File(PathBuf),
}

impl CredentialsConfig {
    pub(super) fn resolve(&self, env: Env<'_>) -> Result<Credentials, CredentialsError> {
        match self {
            Self::Profile(name) => profile::resolve(name, env),
            Self::Process(words) => Ok(Credentials::Process(words.clone())),
            Self::Keys(keys) => keys.resolve(env).map(Credentials::Keys),
        }
    }
}

impl KeysConfig {
    pub(super) fn resolve(&self, env: Env<'_>) -> Result<AccessKeys, CredentialsError> {
        let token = self.session_token.as_ref();
        Ok(AccessKeys {
            access_key_id: self.access_key_id.resolve(ACCESS_KEY, env)?,
            secret_access_key: Secret::new(self.secret_access_key.resolve(SECRET_KEY, env)?),
            session_token: token
                .map(|source| source.resolve(TOKEN, env).map(Secret::new))
                .transpose()?,
            expires_at: None,
        })
    }

    /// The places of the keys that are secret: all but the access key's id.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &KeySource> {
        [Some(&self.secret_access_key), self.session_token.as_ref()]
            .into_iter()
            .flatten()
    }
}

impl KeySource {
    pub(super) fn resolve(
        &self,
        key: &'static str,
        env: Env<'_>,
    ) -> Result<String, CredentialsError> {
        let (place, text) = match self {
            Self::Literal(secret) => return Ok(secret.reveal().to_owned()),
            Self::Env(variable) => {
                let unset = || CredentialsError::Unset {
                    key,
                    variable: variable.clone(),
                };
                let text = env(variable).ok_or_else(unset)?;
                // No key is other than ASCII: what is lost here would be refused anyway.
                let text = text.to_string_lossy().into_owned();
                (format!("the environment variable {variable}"), text)
            }
            Self::File(path) => {
                let text =
                    fs::read_to_string(path).map_err(|reason| CredentialsError::Unreadable {
                        key,
                        path: path.clone(),
                        reason,
                    })?;
                (path.display().to_string(), text)
            }
        };
        match text.trim() {
            "" => Err(CredentialsError::Empty { key, place }),
            value => Ok(value.to_owned()),
        }
    }
}

/// Reads the keys, the profile or the program of an end's section.
pub(super) fn read(section: &mut Section<'_>, folder: &Path) -> Option<CredentialsConfig> {
    let profile = section.string(PROFILE);
    let process = section.parsed(PROCESS, command);
    let any_key = [ACCESS_KEY, SECRET_KEY, TOKEN]
        .iter()
        .any(|key| section.has(key));
    let ways = [PROFILE, PROCESS].map(|key| section.has(key));
    match (ways, any_key) {
        ([true, true], _) => section.mistake(
            PROCESS,
            "stands beside profile; write one of them",
        ),
        ([true, false], true) => section.mistake(
            PROFILE,
            "stands beside keys; write either profile, or access_key_id and secret_access_key",
        ),
        ([false, true], true) => section.mistake(
            PROCESS,
            "stands beside keys; write either credential_process, or access_key_id and secret_access_key",
        ),
        ([false, false], false) => section.mistake(
            ACCESS_KEY,
            "is missing; write access_key_id and secret_access_key, profile = \"…\" or credential_process = \"…\"",
        ),
        _ => {}
    }
    if ways == [false, false] && any_key {
        return read_keys(section, folder).map(CredentialsConfig::Keys);
    }
    // Read in any case, so that they are known keys.
    for key in [ACCESS_KEY, SECRET_KEY, TOKEN] {
        read_key(section, key, folder);
    }
    let profile = profile.map(|name| CredentialsConfig::Profile(name.to_owned()));
    profile.or(process.map(CredentialsConfig::Process))
}

/// Reads keys, each of which has its own place.
pub(super) fn read_keys(section: &mut Section<'_>, folder: &Path) -> Option<KeysConfig> {
    section.require(ACCESS_KEY, "{ env = \"…\" }");
    section.require(SECRET_KEY, "{ env = \"…\" }");
    let access_key_id = read_key(section, ACCESS_KEY, folder);
    let secret_access_key = read_key(section, SECRET_KEY, folder);
    let session_token = read_key(section, TOKEN, folder);
    Some(KeysConfig {
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?,
        session_token,
    })
}

/// A program and its arguments, taken apart as a POSIX shell does, which has no part
/// in it: no variable, no pattern and no `~` is replaced. What is wrong is said
/// without repeating any of it: an argument may be a secret.
pub(super) fn command(text: &str) -> Result<Vec<String>, &'static str> {
    let words = shell_words::split(text).map_err(|_| "has a quote that is not closed; close it")?;
    if words.first().is_none_or(String::is_empty) {
        return Err("names no program; write its path, and its arguments behind it");
    }
    if text.contains('\0') {
        return Err("has a NUL character in it; write a path, and arguments behind it");
    }
    Ok(words)
}

/// Its mistakes repeat nothing of what stands there: it may be the secret in the wrong place.
pub(super) fn read_key(
    section: &mut Section<'_>,
    key: &'static str,
    folder: &Path,
) -> Option<KeySource> {
    let source = match section.value(key)?.get_ref() {
        DeValue::String(text) if !text.trim().is_empty() => {
            Some(KeySource::Literal(Secret::new(text.trim().to_owned())))
        }
        DeValue::Table(table) if table.len() == 1 => named_place(table, folder),
        _ => None,
    };
    if source.is_none() {
        section.mistake(
            key,
            "says no place of a key; write { env = \"NAME_OF_A_VARIABLE\" }, { file = \"path\" } or the key in quotes",
        );
    }
    source
}

fn named_place(table: &DeTable<'_>, folder: &Path) -> Option<KeySource> {
    let text = |key| table.get(key).and_then(|value| value.get_ref().as_str());
    let is_name = |name: &&str| {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && name.bytes().all(legal)
    };
    if let Some(name) = text("env").filter(is_name) {
        return Some(KeySource::Env(name.to_owned()));
    }
    let path = text("file").filter(|path| !path.is_empty() && !path.contains('\0'))?;
    Some(KeySource::File(folder.join(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: KeySource) -> KeysConfig {
        KeysConfig {
            access_key_id: KeySource::Literal(Secret::new("AKIA".into())),
            secret_access_key: secret,
            session_token: None,
        }
    }

    #[test]
    fn a_variable_is_read_when_credentials_are_resolved_and_not_before() {
        let config = keys(KeySource::Env("SRC_SECRET".into()));
        let error = config.resolve(&|_| None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "secret_access_key: the environment variable SRC_SECRET is not set"
        );
        let error = config.resolve(&|_| Some(" ".into())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "secret_access_key: the environment variable SRC_SECRET is empty"
        );
        let set = |name: &str| (name == "SRC_SECRET").then(|| "hush\n".into());
        let found = config.resolve(&set).unwrap();
        assert_eq!(found.secret_access_key.reveal(), "hush");
        assert!(!format!("{found:?} {config:?}").contains("hush"));
    }

    #[test]
    fn a_command_is_taken_apart_as_a_shell_would_and_no_shell_has_a_part_in_it() {
        for (text, words) in [
            (
                "/opt/bin/creds --for photos",
                &["/opt/bin/creds", "--for", "photos"][..],
            ),
            (
                "  creds\t'a b'  \"c \\\" d\" e\\ f ''",
                &["creds", "a b", "c \" d", "e f", ""],
            ),
            (
                "creds $HOME ~ * `id` ; rm | x",
                &["creds", "$HOME", "~", "*", "`id`", ";", "rm", "|", "x"],
            ),
        ] {
            assert_eq!(command(text).unwrap(), words, "{text}");
        }
        for (text, wrong) in [
            ("creds 'hush", "has a quote that is not closed; close it"),
            ("creds \"hush", "has a quote that is not closed; close it"),
            (
                "'' hush",
                "names no program; write its path, and its arguments behind it",
            ),
            (
                " ",
                "names no program; write its path, and its arguments behind it",
            ),
            (
                "creds\0",
                "has a NUL character in it; write a path, and arguments behind it",
            ),
        ] {
            assert_eq!(command(text).unwrap_err(), wrong, "{text:?}");
        }
    }

    #[test]
    fn a_file_is_read_without_its_last_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let config = keys(KeySource::File(path.clone()));
        let error = config.resolve(&|_| None).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        fs::write(&path, "hush\n").unwrap();
        let found = config.resolve(&|_| None).unwrap();
        assert_eq!(found.secret_access_key.reveal(), "hush");
    }
}
