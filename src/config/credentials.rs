//! Where access keys come from, and how they are fetched once they are needed.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::CredentialsError;
use super::profile;
use super::section::Section;
use crate::secret::Secret;

const ACCESS_KEY: &str = "access_key_id";
const SECRET_KEY: &str = "secret_access_key";
const TOKEN: &str = "session_token";

/// Looks up an environment variable; tests bring their own.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Keys to sign requests with. `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Names the key.
    pub access_key_id: String,
    /// Signs.
    pub secret_access_key: Secret,
    /// Goes with temporary keys.
    pub session_token: Option<Secret>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Where the credentials of one end come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsConfig {
    /// Each key has its own place.
    Keys {
        /// `access_key_id`.
        access_key_id: KeySource,
        /// `secret_access_key`.
        secret_access_key: KeySource,
        /// `session_token`.
        session_token: Option<KeySource>,
    },
    /// The static keys of this profile in the shared AWS credentials file.
    Profile(String),
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
            Self::Keys {
                access_key_id,
                secret_access_key,
                session_token,
            } => Ok(Credentials {
                access_key_id: access_key_id.resolve(ACCESS_KEY, env)?,
                secret_access_key: Secret::new(secret_access_key.resolve(SECRET_KEY, env)?),
                session_token: session_token
                    .as_ref()
                    .map(|source| source.resolve(TOKEN, env).map(Secret::new))
                    .transpose()?,
            }),
        }
    }

    /// The places of the keys that are secret: all but the access key's id.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &KeySource> {
        let (secret, token) = match self {
            Self::Profile(_) => (None, None),
            Self::Keys {
                secret_access_key,
                session_token,
                ..
            } => (Some(secret_access_key), session_token.as_ref()),
        };
        secret.into_iter().chain(token)
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

/// Reads the keys, or the profile, of an end's section.
pub(super) fn read(section: &mut Section<'_>, folder: &Path) -> Option<CredentialsConfig> {
    let profile = section.string("profile");
    let access_key_id = read_key(section, ACCESS_KEY, folder);
    let secret_access_key = read_key(section, SECRET_KEY, folder);
    let session_token = read_key(section, TOKEN, folder);
    let any_key = [ACCESS_KEY, SECRET_KEY, TOKEN]
        .iter()
        .any(|key| section.has(key));
    match (section.has("profile"), any_key) {
        (true, true) => section.mistake(
            "profile",
            "stands beside keys; write either profile, or access_key_id and secret_access_key",
        ),
        (false, false) => section.mistake(
            ACCESS_KEY,
            "is missing; write access_key_id and secret_access_key, or profile = \"…\"",
        ),
        (false, true) => {
            section.require(ACCESS_KEY, "{ env = \"…\" }");
            section.require(SECRET_KEY, "{ env = \"…\" }");
        }
        (true, false) => {}
    }
    if let Some(name) = profile {
        return Some(CredentialsConfig::Profile(name.to_owned()));
    }
    Some(CredentialsConfig::Keys {
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?,
        session_token,
    })
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

    fn keys(secret: KeySource) -> CredentialsConfig {
        CredentialsConfig::Keys {
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
