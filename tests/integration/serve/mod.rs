//! `nightferry serve` as a process of its own, spoken to over real sockets.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod callers;
mod calls;
mod disk;
mod killed;
mod ledger_gone;
mod limits;
mod lists;
mod reading;
mod runs;
mod sdk;
mod stop;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::trouble::process::{self, Ended, Night};

/// Longer than anything here takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Who may do everything; who may send for `photos`; who may read alone.
const ALL: &str = "token-of-one-who-may-do-all";
const PHOTOS: &str = "token-of-one-who-sends-photos";
const READER: &str = "token-of-one-who-reads";
/// Who may start and stop tasks.
const OPERATOR: &str = "token-of-one-who-controls";
const EVENTS: &str = "/v2/p1/sync-tasks/photos/events";
const NOTIFICATIONS: &str = "/v1/tasks/photos/s3-events";

/// A folder with a configuration and a data directory.
struct House {
    folder: TempDir,
}

/// A `serve` that is at work.
struct Serving {
    process: Night,
    address: SocketAddr,
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl House {
    fn new() -> Self {
        Self::with("", "")
    }

    /// With these lines more in `[serve]` and in `photos`.
    fn with(serve_lines: &str, task_lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Self { folder };
        house.configure(serve_lines, task_lines);
        house
    }

    fn configure(&self, serve_lines: &str, task_lines: &str) {
        let token = |id: &str, token: &str, rights: &str| {
            let hash = base16ct::lower::encode_string(&Sha256::digest(token));
            format!("[[serve.token]]\nid = \"{id}\"\nsha256 = \"{hash}\"\n{rights}\n")
        };
        let end = |bucket: &str| {
            format!(
                "endpoint = \"http://127.0.0.1:1\"\nbucket = \"{bucket}\"\n\
                 access_key_id = \"a\"\nsecret_access_key = \"b\"\n"
            )
        };
        let text = format!(
            "data_dir = \"data\"\n[serve]\nlisten = \"127.0.0.1:0\"\n{serve_lines}\n{}{}{}{}\
             [[serve.token]]\nid = \"sdk\"\naccess_key_id = \"AKSENDER\"\n\
             secret_access_key = \"secret-of-the-one-who-signs\"\nsend = [\"photos\"]\n\
             [[task]]\nid = \"photos\"\n{task_lines}\n[task.source]\n{}[task.destination]\n{}\
             [[task]]\nid = \"films\"\n[task.source]\n{}[task.destination]\n{}",
            token("all", ALL, "send = \"all\"\nread = true"),
            token("photos", PHOTOS, "send = [\"photos\"]"),
            token("reader", READER, "read = true"),
            token("operator", OPERATOR, "control = true"),
            end("src"),
            end("dst"),
            end("films"),
            end("films-copy"),
        );
        fs::write(self.config(), text).unwrap();
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("nightferry.toml")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn lists_folder(&self) -> PathBuf {
        self.data().join("oms/sync_task/photos/object_lists")
    }

    /// Brings `serve` up.
    fn serve(&self) -> Serving {
        Self::up(Night::begin(&self.config(), &["serve"]))
    }

    /// Brings it up from a shell that does this before.
    fn serve_after(&self, script: &str) -> Serving {
        let mut shell = Command::new("bash");
        shell
            .arg("-c")
            .arg(format!("{script}; exec \"$0\" --config \"$1\" serve"))
            .arg(assert_cmd::cargo::cargo_bin!("nightferry"))
            .arg(self.config());
        Self::up(Night::of(shell))
    }

    fn up(mut process: Night) -> Serving {
        let line = process.wait_until_says("listening on ");
        let address = line.split_once("listening on ").unwrap().1;
        Serving {
            address: address.trim().parse().unwrap(),
            process,
        }
    }

    fn does(&self, arguments: &[&str]) -> Ended {
        process::does(&self.config(), arguments)
    }

    /// The lists of `photos`, by their paths.
    fn lists(&self) -> BTreeMap<PathBuf, String> {
        walkdir::WalkDir::new(self.lists_folder())
            .into_iter()
            .filter_map(|entry| entry.ok().filter(|entry| entry.file_type().is_file()))
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).unwrap();
                (entry.into_path(), text)
            })
            .collect()
    }

    /// All lines of the lists of `photos`.
    fn lines(&self) -> Vec<String> {
        let lists = self.lists();
        lists
            .values()
            .flat_map(|text| text.lines().map(str::to_owned))
            .collect()
    }

    /// The names that are requested for `photos`, in their order.
    fn requested(&self) -> Vec<String> {
        self.ask("SELECT name FROM requests WHERE task = 'photos' ORDER BY request")
    }

    /// The first column of what a query of the ledger answers.
    fn ask(&self, query: &str) -> Vec<String> {
        let path = self.data().join("ledger.sqlite");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(path, flags).unwrap();
        let mut statement = connection.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Waits until so many names are requested.
    fn wait_requested(&self, count: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let query = "SELECT CAST(requested AS TEXT) FROM books WHERE task = 'photos'";
            let requested: usize = self.ask(query)[0].parse().unwrap();
            if requested >= count || began.elapsed() > DEADLINE {
                assert_eq!(requested, count, "after {:?}", began.elapsed());
                return self.requested();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn check_books(&self) {
        let ended = self.does(&["ledger", "check"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

impl Serving {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Sends one request, and reads the answer.
    fn post(&self, path: &str, fields: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.connect();
        let request = request(path, fields, body);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        Answer::parse(&answer)
    }

    /// Asks for what is at `path` with this token.
    fn get(&self, path: &str, token: &str) -> Answer {
        self.get_with(path, &[("X-Auth-Token", token)])
    }

    /// Asks for what is at `path` with these fields.
    fn get_with(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut stream = self.connect();
        let request = request(path, fields, "").replacen("POST", "GET", 1);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        Answer::parse(&answer)
    }

    /// Sends these names, percent-encoded, as one who may.
    fn send(&self, names: &[&str]) -> Answer {
        self.post(EVENTS, &[("X-Auth-Token", PHOTOS)], &event(names))
    }

    /// As [`send`](Self::send); they have to be accepted.
    fn accepts(&self, names: &[&str]) {
        let answer = self.send(names);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, ""),
            "{answer:?}"
        );
    }

    /// Asks it to stop, and waits until it has ended.
    fn stop(self) -> Ended {
        self.process.signal("TERM");
        self.process.end()
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("{text:?}"));
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    /// The error's code and message.
    fn error(&self) -> (String, String) {
        let error: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert!(
            self.head.contains("content-type: application/json"),
            "{self:?}"
        );
        let text = |key: &str| error[key].as_str().unwrap().to_owned();
        (text("error_code"), text("error_msg"))
    }
}

fn event(names: &[&str]) -> String {
    serde_json::json!({ "object_keys": names }).to_string()
}

/// A POST after which the connection ends.
fn request(path: &str, fields: &[(&str, &str)], body: &str) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let fields = fields.concat();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
