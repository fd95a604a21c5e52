//! Patterns of names, as in a `.gitignore`.

use std::fmt;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Why a pattern, or a list of them, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

/// One pattern that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// A list of patterns, with the meaning that it has in a `.gitignore`: slashes
/// divide a name into folders, and a name is matched if the list would have it, or a
/// folder that it lies in, ignored.
#[derive(Clone)]
pub struct Patterns {
    texts: Vec<Pattern>,
    set: Gitignore,
}

impl Pattern {
    /// Takes `text` as a line of a `.gitignore`. Lines that git passes over are wrong
    /// here, and so is what it only drops.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let wrong = |why: String| Err(PatternError(format!("the pattern {text:?} {why}")));
        if text.starts_with('#') {
            return wrong(r"would be a comment; write \# for a name with a `#`".to_owned());
        }
        if text.ends_with(' ') && !text.ends_with("\\ ") {
            return wrong(r"ends with a space, which would be dropped; write `\ `".to_owned());
        }
        match builder(&[text]).and_then(|builder| builder.build()) {
            Ok(set) if set.is_empty() => wrong("matches no name".to_owned()),
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => wrong(format!("cannot be read: {}", plain(error))),
        }
    }
}

impl Patterns {
    /// These patterns, of which the last that matches decides.
    ///
    /// # Errors
    /// The first takes back what none before it can have matched, or there are too many.
    pub fn new(patterns: Vec<Pattern>) -> Result<Self, PatternError> {
        if let Some(first) = patterns.first().filter(|first| first.0.starts_with('!')) {
            return Err(PatternError(format!(
                "the pattern {:?} stands first and takes back what none before it matched; \
                 write one without `!` before it",
                first.0
            )));
        }
        let texts: Vec<&str> = patterns.iter().map(|pattern| pattern.0.as_str()).collect();
        let set = builder(&texts).and_then(|builder| builder.build());
        let set = set.map_err(|error| PatternError(plain(error)))?;
        Ok(Self {
            texts: patterns,
            set,
        })
    }

    /// The pattern by which the list matches `name`; `None` if it does not.
    ///
    /// As git does, it asks about each folder on the way, from the top, and at last
    /// about the name itself; the last pattern that matches one of these decides about
    /// it, and the first of these that is matched decides about the name.
    #[must_use]
    pub fn matching(&self, name: &str) -> Option<&str> {
        let folders = name.match_indices('/').map(|(end, _)| (&name[..end], true));
        let places = folders.chain([(name, false)]);
        places
            .filter(|(place, _)| !place.is_empty())
            .find_map(
                |(place, is_folder)| match self.set.matched(place, is_folder) {
                    Match::Ignore(pattern) => Some(pattern.original()),
                    Match::None | Match::Whitelist(_) => None,
                },
            )
    }
}

/// The root is one that is never taken from the beginning of a name, whatever the
/// name begins with.
fn builder(patterns: &[&str]) -> Result<GitignoreBuilder, ignore::Error> {
    let mut builder = GitignoreBuilder::new(".");
    builder.allow_unclosed_class(false);
    for pattern in patterns {
        builder.add_line(None, pattern)?;
    }
    Ok(builder)
}

/// What is wrong, without the pattern.
fn plain(error: ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err,
        other => other.to_string(),
    }
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Patterns {}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.texts.fmt(f)
    }
}

#[cfg(test)]
mod tests;
