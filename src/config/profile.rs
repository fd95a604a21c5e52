//! Static keys from the shared AWS credentials file.
//!
//! Sections and `key = value` lines are all of INI that is needed here, and a
//! parser of its own cannot repeat a line of that file in an error.

use std::fs;
use std::path::PathBuf;

use super::credentials::{Credentials, Env};
use super::error::CredentialsError;
use crate::secret::Secret;

/// The variable that names the shared credentials file.
const VARIABLE: &str = "AWS_SHARED_CREDENTIALS_FILE";

/// The shared credentials file: what the variable names, else `~/.aws/credentials`.
pub(super) fn shared_file(env: Env<'_>) -> Result<PathBuf, CredentialsError> {
    if let Some(path) = env(VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    home.map(|home| home.join(".aws/credentials"))
        .ok_or(CredentialsError::NoHome { variable: VARIABLE })
}

/// The static keys of `profile`.
pub(super) fn resolve(profile: &str, env: Env<'_>) -> Result<Credentials, CredentialsError> {
    let path = shared_file(env)?;
    let text = fs::read_to_string(&path).map_err(|reason| CredentialsError::Unreadable {
        key: "profile",
        path: path.clone(),
        reason,
    })?;
    let Some(entries) = entries(&text, profile) else {
        let profile = profile.to_owned();
        return Err(CredentialsError::NoProfile { path, profile });
    };
    let value = |key: &'static str| {
        let last = entries.iter().rev().find(|(name, _)| *name == key);
        last.map(|&(_, value)| value.to_owned())
    };
    let needed = |key: &'static str| {
        value(key).ok_or_else(|| CredentialsError::NoStaticKey {
            path: path.clone(),
            profile: profile.to_owned(),
            missing: key,
        })
    };
    Ok(Credentials {
        access_key_id: needed("aws_access_key_id")?,
        secret_access_key: Secret::new(needed("aws_secret_access_key")?),
        session_token: value("aws_session_token").map(Secret::new),
    })
}

/// The `key = value` lines of a profile; `None` if the file has no such profile.
/// A value ends at white space: what follows is a comment.
fn entries<'t>(text: &'t str, profile: &str) -> Option<Vec<(&'t str, &'t str)>> {
    let mut found = None;
    let mut inside = false;
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            inside = header.split(']').next().map(str::trim) == Some(profile);
            if inside {
                found.get_or_insert_with(Vec::new);
            }
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
            && let (Some(entries), Some(value)) = (&mut found, value.split_whitespace().next())
        {
            entries.push((key.trim(), value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\u{feff}# keys\n\
        [default]\naws_access_key_id = DEFAULT\naws_secret_access_key = hush-default\n\
        [ night ]\r\n  aws_access_key_id=NIGHT # since May\r\n;aws_access_key_id=OLD\r\n\
        aws_secret_access_key = hush+/night==\r\naws_session_token = hush-token\r\n\
        [half]\naws_access_key_id = HALF\naws_secret_access_key =\n";

    fn resolve_in_file(profile: &str) -> Result<Credentials, CredentialsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        fs::write(&path, FILE).unwrap();
        resolve(profile, &|name| {
            (name == VARIABLE).then(|| path.clone().into_os_string())
        })
    }

    #[test]
    fn a_profile_gives_its_static_keys() {
        let night = resolve_in_file("night").unwrap();
        assert_eq!(night.access_key_id, "NIGHT");
        assert_eq!(night.secret_access_key.reveal(), "hush+/night==");
        assert_eq!(night.session_token.unwrap().reveal(), "hush-token");
        let default = resolve_in_file("default").unwrap();
        assert_eq!(default.access_key_id, "DEFAULT");
        assert_eq!(default.session_token, None);
    }

    #[test]
    fn a_profile_that_is_missing_or_incomplete_is_named_without_its_secrets() {
        let missing = resolve_in_file("day").unwrap_err().to_string();
        assert!(missing.ends_with("has no profile [day]"), "{missing}");
        let half = resolve_in_file("half").unwrap_err().to_string();
        assert!(half.starts_with("profile: [half] in "), "{half}");
        assert!(half.contains("has no aws_secret_access_key"), "{half}");
        assert!(!half.contains("hush"), "{half}");
    }
}
