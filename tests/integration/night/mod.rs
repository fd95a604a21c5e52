//! Whole nights: lists in, objects across, books, lists and reports out.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails the test"
)]

mod bill;
mod books;
mod browse;
mod check;
mod configuration;
mod delivery;
mod documents;
mod expectations;
mod forecast;
mod from_source;
pub mod hook;
mod inbox;
mod intake;
mod mail;
mod manual;
mod months;
mod names;
mod page;
mod pause;
mod policies;
mod prefix;
mod queue;
mod rehearsal;
mod report;
mod retry;
mod rule;
mod selection;
mod served;
mod suspects;
mod tasks;
mod watch;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use assert_cmd::Command;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::s3_server::{
    ACCESS_KEY, LoggedRequest, NewObject, S3Server, S3ServerBuilder, SECRET_KEY, StoredObject,
};

/// Where the lists of the task `photos` lie, on disk and in the bucket `dst`.
const PHOTOS: &str = "oms/sync_task/photos/";

/// A server with the buckets `src` and `dst`, and a program configured to
/// carry objects from one to the other by the task `photos`.
struct Harbour {
    server: S3Server,
    folder: TempDir,
}

/// How the program ended.
#[derive(Debug)]
struct End {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Harbour {
    fn new() -> Self {
        Self::with("", "")
    }

    /// With more `settings`, and more `task_settings` in the one task.
    fn with(settings: &str, task_settings: &str) -> Self {
        Self::at(S3Server::builder(), settings, task_settings)
    }

    fn at(server: S3ServerBuilder, settings: &str, task_settings: &str) -> Self {
        let server = server.start();
        server.create_bucket("src");
        server.create_bucket("dst");
        let folder = tempfile::tempdir().unwrap();
        let harbour = Self { server, folder };
        let task = harbour.task("photos", task_settings, "src", "dst");
        harbour.configure(&format!("{settings}\n{task}"));
        harbour
    }

    /// With a data directory in which something is kept already, so that nothing is
    /// said of a new one.
    fn begun(self) -> Self {
        fs::create_dir_all(self.data_dir().join("locks")).unwrap();
        self
    }

    /// A `[[task]]` section. Both buckets are at one server, and all bytes are
    /// read and written all the same.
    fn task(&self, id: &str, settings: &str, source: &str, destination: &str) -> String {
        let end = |side: &str, bucket: &str| {
            format!(
                "[task.{side}]\nendpoint = \"{}\"\nbucket = \"{bucket}\"\n\
                 access_key_id = \"{ACCESS_KEY}\"\nsecret_access_key = \"{SECRET_KEY}\"\n",
                self.server.endpoint()
            )
        };
        let (source, destination) = (end("source", source), end("destination", destination));
        format!(
            "[[task]]\nid = \"{id}\"\nserver_side_copy = \"never\"\n{settings}\n{source}{destination}"
        )
    }

    /// Writes the configuration anew; `data_dir` stays.
    fn configure(&self, settings_and_tasks: &str) {
        let text = format!("data_dir = \"data\"\n{settings_and_tasks}");
        fs::write(self.config(), text).unwrap();
        fs::set_permissions(self.config(), Permissions::from_mode(0o600)).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("nightferry.toml")
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of the task `photos`.
    fn photos(&self) -> PathBuf {
        self.data_dir().join(PHOTOS)
    }

    /// Puts an object into `src`, an hour old.
    fn put(&self, name: &str, object: impl Into<NewObject>) {
        let object = NewObject {
            last_modified: Some(hours_ago(1)),
            ..object.into()
        };
        self.server.put("src", name, object);
    }

    /// Writes an input list of the task `photos`.
    fn list(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let place = self.photos().join("object_lists").join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, content).unwrap();
        place
    }

    /// The program with its configuration, ready to run.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.arg("--config").arg(self.config()).args(arguments);
        command
    }

    /// Runs the program.
    fn run(&self, arguments: &[&str]) -> End {
        end(&mut self.command(arguments))
    }

    /// Runs a night of all tasks.
    fn night(&self) -> End {
        self.run(&["run"])
    }

    /// Rows that the ledger answers, their columns separated by `|`.
    fn rows(&self, sql: &str) -> Vec<String> {
        let ledger = Connection::open_with_flags(
            self.data_dir().join("ledger.sqlite"),
            OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .unwrap();
        let mut statement = ledger.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells: Vec<String> = (0..columns)
                .map(|index| shown(row.get_ref(index).unwrap()))
                .collect();
            Ok(cells.join("|"))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Taken, synced, failed, ignored, deferred and the exit code of each run.
    fn runs(&self) -> Vec<String> {
        self.rows(
            "SELECT taken, synced, failed, ignored, deferred, exit_code FROM run_history
             ORDER BY task, run",
        )
    }

    /// Name, state and reason of each request.
    fn requests(&self) -> Vec<String> {
        self.rows("SELECT name, state, reason FROM requests ORDER BY request")
    }

    /// The copy of an object.
    fn copy(&self, name: &str) -> Option<StoredObject> {
        self.server.object("dst", name)
    }

    /// What `dst` holds under the task's prefix, without that prefix.
    fn delivered(&self) -> Vec<String> {
        let keys = self.server.keys("dst");
        let lists = keys.iter().filter_map(|key| key.strip_prefix(PHOTOS));
        lists.map(str::to_owned).collect()
    }

    /// What `dst` holds beside lists.
    fn copies(&self) -> Vec<String> {
        let mut keys = self.server.keys("dst");
        keys.retain(|key| !key.starts_with("oms/sync_task/"));
        keys
    }

    /// Requests that wrote something into `dst`, but for the canary.
    fn writes(&self) -> Vec<LoggedRequest> {
        let mut requests = self.server.requests();
        requests.retain(|request| {
            ["PUT", "POST", "DELETE"].contains(&request.method.as_str())
                && !request.key.ends_with("/.canary")
        });
        requests
    }

    /// The lines of the one list of `kind` (success, skip, failed) of a run.
    fn list_of(&self, run: u64, kind: &str) -> Vec<String> {
        let name = &self.rows(&format!(
            "SELECT run_name FROM run_history WHERE run = {run}"
        ))[0];
        let folder = self.photos().join(format!("{kind}_object_lists/{name}"));
        let files = files_in(&folder);
        assert_eq!(files.len(), 1, "{files:?}");
        lines(&fs::read_to_string(&files[0]).unwrap())
    }
}

/// The program, without anything of this process's surroundings.
fn program() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("nightferry");
    command
        .env_remove("NIGHTFERRY_CONFIG")
        .env_remove("NO_COLOR");
    command
}

fn end(command: &mut Command) -> End {
    let output = command.output().unwrap();
    End {
        code: output.status.code().expect("no signal ended the program"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn shown(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8(text.to_vec()).unwrap(),
    }
}

/// All files in a folder and below, by path.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    let entries = entries.into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).collect()
}

fn lines(text: &str) -> Vec<String> {
    assert!(text.ends_with('\n'), "{text:?}");
    text.split_terminator('\n').map(str::to_owned).collect()
}

fn hours_ago(hours: u64) -> SystemTime {
    SystemTime::now() - Duration::from_hours(hours)
}
