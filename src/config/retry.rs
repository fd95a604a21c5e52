//! How often requests are tried within a run.

use std::time::Duration;

use super::section::Section;

const DEFAULT_ATTEMPTS: u32 = 4;
const MOST_ATTEMPTS: u32 = 100;
const DEFAULT_BASE_MS: u64 = 200;
const DEFAULT_CAP_MS: u64 = 20_000;
/// A worker that waits does nothing else.
const LONGEST_MS: u64 = 600_000;

/// How often a request is tried within a run, and the pauses between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryConfig {
    /// Attempts in all, the first included: 1 to 100; default 4.
    pub attempts: u32,
    /// The longest pause after the first attempt, in milliseconds; doubled after
    /// each further one. Default 200.
    pub base_ms: u64,
    /// The longest pause of all, in milliseconds, what the server asks for
    /// included; default 20,000.
    pub cap_ms: u64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: DEFAULT_ATTEMPTS,
            base_ms: DEFAULT_BASE_MS,
            cap_ms: DEFAULT_CAP_MS,
        }
    }
}

/// Reads the section `[retry]`, which need not be there.
pub(super) fn read(root: &mut Section<'_>) -> RetryConfig {
    if !root.has("retry") {
        // Asked for, so that it is known.
        root.value("retry");
        return RetryConfig::default();
    }
    let Some(mut section) = root.section("retry") else {
        return RetryConfig::default();
    };
    let attempts = section.number("attempts", &(1..=MOST_ATTEMPTS));
    let base_ms = section.parsed("base", pause_ms);
    let cap_ms = section.parsed("cap", pause_ms);
    let retry = RetryConfig {
        attempts: attempts.unwrap_or(DEFAULT_ATTEMPTS),
        base_ms: base_ms.unwrap_or(DEFAULT_BASE_MS),
        cap_ms: cap_ms.unwrap_or(DEFAULT_CAP_MS),
    };
    if retry.base_ms > retry.cap_ms {
        let key = if section.has("base") { "base" } else { "cap" };
        section.mistake(
            key,
            format_args!(
                "makes base ({} ms) longer than cap ({} ms); write a base up to the cap",
                retry.base_ms, retry.cap_ms
            ),
        );
    }
    section.finish();
    retry
}

fn pause_ms(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("{text:?} is no pause up to 10m; write one such as \"200ms\" or \"20s\"");
    let pause: Duration = humantime::parse_duration(text).map_err(|_| wrong())?;
    u64::try_from(pause.as_millis())
        .ok()
        .filter(|ms| *ms <= LONGEST_MS)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, EXAMPLE};

    fn read(section: &str) -> Result<RetryConfig, String> {
        let text = EXAMPLE.replacen("[[task]]", &format!("{section}\n[[task]]"), 1);
        Config::parse(&text, Path::new("n.toml"))
            .map(|config| config.retry)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_as_it_was() {
        assert_eq!(read(""), Ok(RetryConfig::default()));
        assert_eq!(
            read("[retry]\nattempts = 1\nbase = \"0s\"\ncap = \"1m 30s\""),
            Ok(RetryConfig {
                attempts: 1,
                base_ms: 0,
                cap_ms: 90_000
            })
        );
        assert_eq!(
            read("[retry]\nattempts = 10"),
            Ok(RetryConfig {
                attempts: 10,
                ..RetryConfig::default()
            })
        );
    }

    #[test]
    fn what_cannot_be_is_said_with_its_key() {
        for (section, said) in [
            ("retry = 3", "retry: is of type integer"),
            ("[retry]\nattempts = 0", "retry.attempts: is out of range"),
            ("[retry]\nattempts = 101", "retry.attempts: is out of range"),
            (
                "[retry]\nbase = \"soon\"",
                "retry.base: \"soon\" is no pause",
            ),
            ("[retry]\ncap = \"1h\"", "retry.cap: \"1h\" is no pause"),
            (
                "[retry]\nbase = \"30s\"",
                "retry.base: makes base (30000 ms)",
            ),
            ("[retry]\ncap = \"0s\"", "retry.cap: makes base (200 ms)"),
            ("[retry]\nattemps = 3", "retry.attemps: unknown key"),
        ] {
            let error = read(section).unwrap_err();
            assert!(error.contains(said), "{section}: {error}");
        }
    }
}
