//! Nights in trouble: what a run that cannot do its work says, keeps and leaves
//! behind, and that the next good night makes up for it.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::print_stderr,
    reason = "a test that cannot be done here says so"
)]

mod archived;
mod breaker;
mod care;
mod credential_process;
mod delivery;
pub mod disk;
mod disk_care;
mod doctor;
mod from_source;
mod hostile_server;
mod interrupted;
mod ledger_file;
mod limits;
mod machine_lost;
mod model;
mod moving_source;
mod no_beginning;
mod outage;
mod permissions;
mod planning;
mod prefix;
pub mod process;
mod recognised;
mod requester_pays;
mod retries;
mod second_signal;
mod secrets;
mod server_side;
mod setup;
mod signals;
mod signatures;
mod spot_check;
mod terminal;
mod throttling;
mod tls;
mod tuning;
mod turns;
mod two_processes;
mod waiting;
mod windows;
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use self::interrupted::wait_until;
use self::process::{Ended, Night};
use self::setup::{End, Setup};
use crate::s3_server::{NewObject, Rights, S3Server};

/// How often the preflight writes its canary: as it is, twice under a condition
/// that does not hold and once under one that does, and with its checksum, a right one
/// and a wrong one.
const CANARY_PUTS: usize = 6;

const SOURCE_KEY: &str = "AKIAIOSFODNN7SOURCE0";
const SOURCE_SECRET: &str = "sourceSecret/K7MDENG/bPxRfiCYEXAMPLEKEY";
const DESTINATION_KEY: &str = "AKIAIOSFODNN7DESTIN0";
const DESTINATION_SECRET: &str = "destinationSecret/K7MDENG/bPxRfiCYEXAMPL";

/// A server with the buckets `src` and `dst`, and a folder with a configuration
/// that copies between them.
struct World {
    server: S3Server,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let server = S3Server::builder()
            .credentials(SOURCE_KEY, SOURCE_SECRET, Rights::READ_ONLY)
            .credentials(DESTINATION_KEY, DESTINATION_SECRET, Rights::FULL)
            .start();
        server.create_bucket("src");
        server.create_bucket("dst");
        let world = Self {
            server,
            folder: tempfile::tempdir().unwrap(),
        };
        world.configure(&world.setup());
        world
    }

    /// A world in which these objects lie at the source and are asked for.
    fn asked_for(names: &[&str]) -> Self {
        let world = Self::new();
        world.put(names);
        world.ask("first", names);
        world
    }

    /// As [`asked_for`](Self::asked_for), one object after the other.
    fn one_by_one(names: &[&str]) -> Self {
        let world = Self::asked_for(names);
        world.configure(&Setup {
            workers: 1,
            ..world.setup()
        });
        world
    }

    /// The configuration of a world without trouble.
    fn setup(&self) -> Setup {
        let end = |bucket: &str, access_key: &str, secret: &str| End {
            endpoint: self.server.endpoint(),
            bucket: bucket.to_owned(),
            access_key: access_key.to_owned(),
            secret: secret.to_owned(),
        };
        Setup {
            tasks: vec!["photos"],
            source: end("src", SOURCE_KEY, SOURCE_SECRET),
            destination: end("dst", DESTINATION_KEY, DESTINATION_SECRET),
            workers: 4,
            server_side: false,
            task_lines: "",
            destination_lines: "",
        }
    }

    fn configure(&self, setup: &Setup) {
        fs::write(self.config(), setup.text()).unwrap();
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("nightferry.toml")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn ledger_file(&self) -> PathBuf {
        self.data().join("ledger.sqlite")
    }

    fn task_folder(&self) -> PathBuf {
        self.data().join("oms/sync_task/photos")
    }

    /// Puts objects into the source whose content is their name. They are an
    /// hour old, so that any copy is newer.
    fn put(&self, names: &[&str]) {
        for name in names {
            let object = NewObject {
                body: name.as_bytes().to_vec(),
                last_modified: Some(SystemTime::now() - Duration::from_hours(1)),
                ..NewObject::default()
            };
            self.server.put("src", name, object);
        }
    }

    /// Writes `object_lists/<list>.txt`.
    fn ask(&self, list: &str, names: &[&str]) {
        self.ask_of("photos", list, names);
    }

    fn ask_of(&self, task: &str, list: &str, names: &[&str]) {
        let folder = self.data().join("oms/sync_task").join(task);
        let folder = folder.join("object_lists");
        fs::create_dir_all(&folder).unwrap();
        let lines = names.join("\n") + "\n";
        fs::write(folder.join(format!("{list}.txt")), lines).unwrap();
    }

    /// Does `nightferry <arguments>` to its end.
    fn does(&self, arguments: &[&str]) -> Ended {
        process::does(&self.config(), arguments)
    }

    fn run(&self) -> Ended {
        self.does(&["run"])
    }

    /// A night that ends with this exit code, or the test with what it said.
    fn night(&self, code: i32) -> Ended {
        let ended = self.run();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        ended
    }

    /// Begins `nightferry <arguments>`.
    fn begins(&self, arguments: &[&str]) -> Night {
        Night::begin(&self.config(), arguments)
    }

    /// What a query of the ledger answers, a row a line as the `sqlite3` shell writes it.
    fn rows(&self, query: &str) -> Vec<String> {
        rows(&self.ledger_file(), query)
    }

    /// Run by run: state, taken, synced, failed, ignored, deferred, exit code and reasons.
    fn runs(&self) -> Vec<String> {
        self.rows(
            "SELECT state, taken, synced, failed, ignored, deferred, exit_code, exit_reasons
             FROM run_history WHERE task = 'photos' ORDER BY run",
        )
    }

    /// Name, state and reason of each request.
    fn requests(&self) -> Vec<String> {
        self.rows("SELECT name, state, reason FROM requests ORDER BY request")
    }

    /// That the ledger is whole and its books balance, by its own recount.
    fn check_books(&self) {
        let ended = self.does(&["ledger", "check"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(
            self.rows("SELECT task FROM books WHERE NOT balanced"),
            [""; 0]
        );
    }

    /// The task's files of this folder, by their paths under the task's folder.
    fn files(&self, below: &str) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for entry in walkdir::WalkDir::new(self.task_folder().join(below)) {
            let Ok(entry) = entry else { continue };
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(self.task_folder()).unwrap();
                let text = fs::read_to_string(entry.path()).unwrap();
                files.insert(path.to_str().unwrap().to_owned(), text);
            }
        }
        files
    }

    /// The names in the success, skip or failed list of a run, in the list's order.
    fn listed(&self, word: &str, run: u32) -> Vec<String> {
        let field = if word == "failed" { 3 } else { 1 };
        self.files(&format!("{word}_object_lists"))
            .iter()
            .filter(|(path, _)| path.contains(&format!("_{run}/")))
            .flat_map(|(_, text)| text.lines())
            .map(|line| line.split('\t').nth(field).unwrap().to_owned())
            .collect()
    }

    /// The runs whose manifest lies in the task's folder.
    fn manifests(&self) -> usize {
        self.files("manifests").len()
    }

    /// That the destination has every list of the task's folder, byte for byte.
    fn check_delivered(&self) {
        for (path, text) in self.files("") {
            let key = format!("oms/sync_task/photos/{path}");
            let there = self.server.object("dst", &key);
            let there = there.unwrap_or_else(|| panic!("{path} is not delivered"));
            assert_eq!(there.body(), text.as_bytes(), "{path}");
        }
        assert_eq!(self.does(&["verify", "--task", "photos"]).code, Some(0));
    }

    /// The names of copied objects at the destination.
    fn copies(&self) -> Vec<String> {
        let mut keys = self.server.keys("dst");
        keys.retain(|key| !key.starts_with("oms/"));
        keys
    }

    /// How many requests of this operation came for a key of a bucket.
    fn came(&self, operation: &str, bucket: &str, key: &str) -> usize {
        self.server
            .requests()
            .iter()
            .filter(|r| r.operation == operation && r.bucket == bucket && r.key == key)
            .count()
    }
}

/// What a query of the ledger at `path` answers, read as an operator would.
fn rows(path: &Path, query: &str) -> Vec<String> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = connection.prepare(query).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let fields: Vec<String> = (0..columns)
            .map(|column| match row.get_ref(column).unwrap() {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(_) => "blob".to_owned(),
            })
            .collect();
        lines.push(fields.join("|"));
    }
    lines
}
