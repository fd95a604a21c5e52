//! Real nights, read through `serve`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Harbour;
use crate::trouble::process::Night;

const TOKEN: &str = "token-of-one-who-may-do-all";
const TASK: &str = "/v2/any/sync-tasks/photos";
const DEADLINE: Duration = Duration::from_mins(1);

fn harbour() -> Harbour {
    let hash = base16ct::lower::encode_string(&Sha256::digest(TOKEN));
    Harbour::with(
        &format!(
            "[serve]\nlisten = \"127.0.0.1:0\"\n[[serve.token]]\nid = \"all\"\n\
             sha256 = \"{hash}\"\nsend = \"all\"\nread = true"
        ),
        "",
    )
}

/// Status and body of what is answered.
fn call(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         X-Auth-Token: {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn accepts(address: &str, name: &str) {
    let body = format!("{{\"object_keys\":[\"{name}\"]}}");
    let answer = call(address, "POST", &format!("{TASK}/events"), &body);
    assert_eq!(answer, (200, String::new()));
}

/// Requested, synced, failed, ignored and bytes of this month, as soon as so many
/// are requested.
fn month(harbour: &Harbour, address: &str, requested: i64) -> [i64; 5] {
    let now = harbour.rows("SELECT CAST(unixepoch('now') * 1000 AS TEXT)");
    let path = format!("{TASK}?query_time={}", now[0]);
    let began = Instant::now();
    loop {
        let (status, body) = call(address, "GET", &path, "");
        let month: Value = serde_json::from_str(&body).unwrap();
        let figures = [
            "monthly_acceptance_request",
            "monthly_success_object",
            "monthly_failure_object",
            "monthly_skip_object",
            "monthly_size",
        ]
        .map(|figure| month[figure].as_i64().unwrap_or(-1));
        if status == 200 && figures[0] >= requested || began.elapsed() > DEADLINE {
            return figures;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_night_is_read_as_soon_as_it_is_over_and_also_in_a_ledger_that_was_made_again() {
    let harbour = harbour();
    for name in ["a", "b", "c"] {
        harbour.put(name, "12345");
    }
    harbour.list("one.txt", "a\nmissing\n");
    let mut serving = Night::begin(&harbour.config(), &["serve"]);
    let line = serving.wait_until_says("listening on ");
    let address = line
        .split_once("listening on ")
        .unwrap()
        .1
        .trim()
        .to_owned();
    accepts(&address, "b");
    assert_eq!(month(&harbour, &address, 1), [1, 0, 0, 0, 0]);
    assert_eq!(harbour.night().code, 4);
    assert_eq!(month(&harbour, &address, 3), [3, 2, 1, 0, 10]);

    for suffix in ["", "-wal", "-shm"] {
        let file = harbour.data_dir().join(format!("ledger.sqlite{suffix}"));
        drop(fs::remove_file(file));
    }
    serving.wait_until_says("was moved, deleted or replaced");
    accepts(&address, "c");
    let rebuilt = harbour.run(&["ledger", "rebuild"]);
    assert_eq!(rebuilt.code, 0, "{}", rebuilt.stderr);
    serving.wait_until_says("again, another one, and it is in use");
    assert_eq!(month(&harbour, &address, 4), [4, 2, 1, 0, 10]);
    assert_eq!(
        harbour.rows("SELECT name, count(*) FROM requests GROUP BY name"),
        ["a|1", "b|1", "c|1", "missing|1"]
    );
    serving.signal("TERM");
    assert_eq!(serving.end().code, Some(0));
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
}
