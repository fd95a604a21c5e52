//! Events as OMS takes them: `{"object_keys": ["photos%2F001.jpg", …]}`.

use serde::Deserialize;

use super::answer::Refusal;
use super::routes::Names;
use crate::config::ListEncoding;
use crate::intake::{excerpt, name_of};

#[derive(Deserialize)]
struct Events {
    object_keys: Vec<String>,
}

/// The names that `body` asks for, 1 to `most`. If one of them cannot be
/// requested, none is.
pub(super) fn names(body: &[u8], plus_is_space: bool, most: usize) -> Result<Names, Refusal> {
    let events: Events = serde_json::from_slice(body).map_err(|error| {
        // Its own words repeat what stands there, at any length.
        Refusal::Wrong(format!(
            "the body is not {{\"object_keys\": [\"…\"]}} (line {}, column {}).",
            error.line(),
            error.column()
        ))
    })?;
    let count = events.object_keys.len();
    if count == 0 || count > most {
        return Err(Refusal::Wrong(format!(
            "object_keys has {count} names; send 1 to {most} in one call."
        )));
    }
    let mut names = Names::default();
    for (place, key) in events.object_keys.iter().enumerate() {
        let spaced = plus_is_space.then(|| key.replace('+', " "));
        let raw = spaced.as_deref().unwrap_or(key).as_bytes();
        let name = name_of(raw, ListEncoding::Url).map_err(|reason| {
            Refusal::Wrong(format!(
                "object_keys[{place}] cannot be requested ({reason}): {}",
                excerpt(key.as_bytes())
            ))
        })?;
        names.lines.extend_from_slice(name.url_encoded().as_bytes());
        names.lines.push(b'\n');
        names.count += 1;
    }
    Ok(names)
}
