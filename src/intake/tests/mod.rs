//! Lists in real folders, taken into real ledgers.

mod enqueue;
mod files;
mod growing;
mod growth;
mod interrupted;
mod lines;
mod rejected;
mod scan;
mod speed;
mod times;
mod withdraw;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::config::ListEncoding;
use crate::model::Timestamp;

const HOUR: i64 = 3_600_000;

/// A task with a folder, a ledger, and a clock an hour ahead of the files.
struct Fixture {
    folder: TempDir,
    ledger: Ledger,
    task: TaskKey,
    clock: Clock,
    zone: Zone,
    encoding: ListEncoding,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("object_lists")).unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite"), 0o600).unwrap();
        let clock = Clock::fixed(Clock::system().now().plus_ms(HOUR));
        let zone = Zone::UTC;
        let id = "photos".parse().unwrap();
        let task = ledger
            .enter_task(&id, zone, 7, zone.local(clock.now()))
            .unwrap();
        Self {
            folder,
            ledger,
            task,
            clock,
            zone,
            encoding: ListEncoding::Plain,
        }
    }

    /// The file at `path` below `object_lists/`.
    fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join("object_lists").join(path)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.file(path).parent().unwrap()).unwrap();
        fs::write(self.file(path), content).unwrap();
    }

    fn append(&self, path: &str, content: impl AsRef<[u8]>) {
        let mut file = File::options().append(true).open(self.file(path)).unwrap();
        io::Write::write_all(&mut file, content.as_ref()).unwrap();
    }

    fn lists(&self) -> LocalLists {
        LocalLists::new(self.folder.path())
    }

    fn take_in(&mut self) -> Intake {
        self.take_in_waiting(&|_| panic!("nothing to wait for"))
    }

    fn take_in_waiting(&mut self, wait: &dyn Fn(Duration)) -> Intake {
        let lists = self.lists();
        self.take_in_from(&[&lists], wait).unwrap()
    }

    fn take_in_from(
        &mut self,
        sources: &[&dyn ListSource],
        wait: &dyn Fn(Duration),
    ) -> Result<Intake, IntakeError> {
        let clock = self.clock.clone();
        let settings = IntakeSettings {
            form: self.encoding.into(),
            zone: self.zone,
            clock: &clock,
            wait,
        };
        take_in(&mut self.ledger, self.task, sources, &settings)
    }

    /// Sets the clock `ms` after the last change of the file at `path`.
    fn set_clock_after_change(&self, path: &str, ms: i64) {
        self.clock.set(self.changed_at(path).plus_ms(ms));
    }

    fn changed_at(&self, path: &str) -> Timestamp {
        let metadata = self.file(path).metadata().unwrap();
        Timestamp::from_ms(metadata.ctime() * 1_000 + metadata.ctime_nsec() / 1_000_000)
    }

    fn sql(&self) -> Connection {
        Connection::open(self.ledger.path()).unwrap()
    }

    /// The first column of `query` as text, one value a row.
    fn ask(&self, query: &str) -> Vec<String> {
        let sql = self.sql();
        let mut statement = sql.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Every request as `list:line name`, in the order of their ids.
    fn requests(&self) -> Vec<String> {
        self.ask(
            "SELECT substr(list, 14) || ':' || line || ' ' || name FROM requests ORDER BY request",
        )
    }

    /// Every list as `path lines requests rejected`, in the order in which they were new.
    fn loaded(&self) -> Vec<String> {
        self.ask(
            "SELECT substr(path, 14) || iif(current, '', ' (was)') || ' ' || lines || ' ' || requests || ' ' || rejected
             FROM list ORDER BY list",
        )
    }

    /// Every rejected line as `list:line reason excerpt`.
    fn rejected(&self) -> Vec<String> {
        self.ask("SELECT substr(list, 14) || ':' || line || ' ' || reason || ' ' || excerpt FROM rejected_lines ORDER BY list, line")
    }

    fn assert_books_agree(&self) {
        assert_eq!(
            self.ask("SELECT task FROM books WHERE NOT balanced"),
            [""; 0]
        );
        assert_eq!(
            self.ask("SELECT CAST(sum(requests) AS TEXT) FROM day_count WHERE kind = 'requested'"),
            self.ask("SELECT CAST(nullif(count(*), 0) AS TEXT) FROM request"),
        );
        assert_eq!(
            self.ask("SELECT path FROM list WHERE requests <> (SELECT count(*) FROM request WHERE request.list = list.list)"),
            [""; 0]
        );
    }
}

/// Real lists, of which some cannot be read, or only so far.
struct Failing {
    lists: LocalLists,
    path: &'static str,
    after: usize,
}

impl ListSource for Failing {
    fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_> {
        self.lists.walk()
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        self.lists.stat(path)
    }

    fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)> {
        let (stat, content) = self.lists.open(path)?;
        if path != self.path {
            return Ok((stat, content));
        }
        let content = content.take(self.after as u64).chain(Denied);
        Ok((stat, Box::new(content)))
    }
}

struct Denied;

impl Read for Denied {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}
