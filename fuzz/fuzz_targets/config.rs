//! Configurations: any text, and a good one with a stretch replaced. No mistake
//! repeats the secret in it.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nightferry::config::{Config, ConfigError};

const SECRET: &str = "Hush7Hush7Hush7";

/// The secrets stand in quotes, in a file, on lines of their own and in tables.
const GOOD: &str = r#"data_dir = "d"
time_zone = "Asia/Shanghai"
workers = 8
memory = "96MiB"
[retry]
attempts = 4
base = "200ms"
[[task]]
id = "photos"
window = "01:00-06:00"
bandwidth = [{ from = "01:00", to = "05:00", max = "200MB/s" }]
[task.source]
endpoint = "https://s3.example.com"
bucket = "photos"
access_key_id = "AKIDEXAMPLE"
secret_access_key = "Hush7Hush7Hush7"
session_token = 'Hush7Hush7Hush7'
[task.destination]
endpoint = "http://127.0.0.1:9000"
region = "us-east-1"
bucket = "copies"
access_key_id = { env = "DST_ACCESS_KEY_ID" }
secret_access_key = { file = "secret" }
"#;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = str::from_utf8(data) {
        read(text);
    }
    let Some((places, piece)) = data.split_at_checked(4) else {
        return;
    };
    let Ok(piece) = str::from_utf8(piece) else {
        return;
    };
    let at = usize::from(u16::from_le_bytes([places[0], places[1]])) % (GOOD.len() + 1);
    let length = usize::from(u16::from_le_bytes([places[2], places[3]]));
    let end = (at + length % 64).min(GOOD.len());
    let text = [&GOOD[..at], piece, &GOOD[end..]].concat();
    let said = read(&text);
    // A stretch that makes another value or key of it is not meant: what stands
    // before the quotes says that it is a secret.
    if !touches_secret(at, end) && !has_open_quotes(piece) {
        assert!(!said.contains(SECRET), "{said}");
    }
});

/// All that is said of the configuration `text`.
fn read(text: &str) -> String {
    match Config::parse(text, Path::new("nightferry.toml")) {
        Ok(config) => {
            assert!(!config.tasks.is_empty());
            assert!((1..=1024).contains(&config.workers));
            format!("{config:?}")
        }
        Err(error) => {
            if let ConfigError::Mistakes(mistakes) = &error {
                assert!(!mistakes.is_empty());
                let lines = text.split('\n').count();
                assert!(mistakes.iter().all(|it| (1..=lines).contains(&it.line)));
            }
            format!("{error} {error:?}")
        }
    }
}

/// Whether the stretch alters the key of a secret or the secret itself.
fn touches_secret(at: usize, end: usize) -> bool {
    GOOD.match_indices(SECRET).any(|(secret, _)| {
        let line = GOOD[..secret].rfind('\n').map_or(0, |newline| newline + 1);
        at < secret + SECRET.len() && line < end.max(at + 1)
    })
}

/// Whether a text of several lines may begin in it, which the secret is then in.
fn has_open_quotes(piece: &str) -> bool {
    piece.contains(['"', '\'']) || piece.contains(SECRET)
}
