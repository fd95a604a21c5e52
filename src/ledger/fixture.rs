//! Ledgers for tests: real files, filled as intake and recorder fill them.

use rusqlite::params;
use tempfile::TempDir;

use super::pending::PendingChange;
use super::slots::Slots;
use super::tasks::{Counted, count};
use super::{BeginFailure, BegunRun, Ledger, NewRun, Recording, RunEnd, RunKey, TaskKey};
use crate::model::{
    Asked, Attempt, Copied, Counters, Deferral, DestinationPrefix, ETag, Failure, FailureCause,
    IgnoreReason, Note, ObjectFacts, ObjectName, Outcome, RequestState, RunState, Side, TaskId,
    Timestamp, Traffic, Verified, Zone,
};

/// The instant written as RFC 3339.
pub fn at(text: &str) -> Timestamp {
    chrono::DateTime::parse_from_rfc3339(text)
        .unwrap()
        .to_utc()
        .into()
}

/// A ledger in a folder of its own.
pub struct Fixture {
    /// Where it lies.
    pub folder: TempDir,
    /// The ledger.
    pub ledger: Ledger,
    /// The task `photos`.
    pub task: TaskKey,
    /// Its zone.
    pub zone: Zone,
    /// What its runs put before every name at the destination.
    pub destination_prefix: DestinationPrefix,
}

/// A run at work.
pub struct Night {
    /// The run.
    pub run: BegunRun,
    /// What its outcomes are recorded by.
    pub(super) recording: Recording,
}

impl Fixture {
    /// An empty ledger with the task `photos`, whose zone is `zone`.
    pub fn new(zone: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite"), 0o600).unwrap();
        let zone: Zone = zone.parse().unwrap();
        let now = zone.local(at("2026-10-01T00:00:00Z"));
        let task = ledger.enter_task(&photos(), zone, 7, now).unwrap();
        Self {
            folder,
            ledger,
            task,
            zone,
            destination_prefix: DestinationPrefix::default(),
        }
    }

    /// Loads `names`, a line each, from the list `path`.
    pub fn ask(&mut self, path: &str, when: &str, names: &[&str]) {
        let (task, asked) = (self.task, self.zone.local(at(when)));
        let lines = names.len();
        self.ledger
            .write(|transaction| {
                let list: i64 = transaction.query_row(
                    "INSERT INTO list (task, path, first_line_sha256, sha256, loaded_bytes, lines,
                         requests, rejected, loaded_at, loaded_offset, zone)
                     VALUES (?1, ?2, '', '9f86d081884c7d65', 100, ?3, ?3, 0, ?4, ?5, ?6)
                     RETURNING list",
                    params![
                        task.0,
                        path,
                        lines,
                        asked.at.ms(),
                        asked.offset_minutes,
                        self.zone.name()
                    ],
                    |row| row.get(0),
                )?;
                for (line, name) in (1_i64..).zip(names) {
                    transaction.execute(
                        "INSERT INTO request (task, name, list, line, requested_at, requested_offset)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        params![task.0, name, list, line, asked.at.ms(), asked.offset_minutes],
                    )?;
                }
                let day = asked.day().to_string();
                let lines = i64::try_from(lines).unwrap();
                let mut pending = PendingChange::default();
                pending.add(asked, lines);
                pending.keep(transaction, task)?;
                let mut slots = Slots::default();
                slots.add(asked.at, Counted::Requested, lines, 0);
                slots.keep(transaction, task)?;
                transaction.execute(
                    "UPDATE task SET last_requested_at = ?2 WHERE task = ?1",
                    params![task.0, asked.at.ms()],
                )?;
                count(transaction, task, &day, Counted::Requested, "", lines, 0)
            })
            .unwrap();
    }

    /// Takes back every pending request for `name`.
    pub fn withdraw(&mut self, name: &str, when: &str) {
        let (task, now) = (self.task, self.zone.local(at(when)));
        self.ledger
            .write(|transaction| {
                transaction.execute(
                    "UPDATE pending_count SET requests = requests
                         - (SELECT count(*) FROM request
                            WHERE task = ?1 AND name = ?2 AND state = 'pending'
                              AND requested_at = pending_count.requested_at)",
                    params![task.0, name],
                )?;
                let requests = transaction.execute(
                    "UPDATE request SET state = 'ignored', reason = 'withdrawn', settled_at = ?3,
                         settled_offset = ?4
                     WHERE task = ?1 AND name = ?2 AND state = 'pending'",
                    params![task.0, name, now.at.ms(), now.offset_minutes],
                )?;
                let ignored = Counted::Settled(RequestState::Ignored);
                let requests = i64::try_from(requests).unwrap();
                let day = now.day().to_string();
                let mut slots = Slots::default();
                slots.add(now.at, ignored, requests, 0);
                slots.keep(transaction, task)?;
                count(transaction, task, &day, ignored, "withdrawn", requests, 0)
            })
            .unwrap();
    }

    /// Rejects `line` of the list `path`.
    pub fn reject(&mut self, path: &str, line: i64, reason: &str, excerpt: &str) {
        self.ledger
            .write(|transaction| {
                transaction.execute(
                    "INSERT INTO rejected_line (list, line, reason, excerpt)
                     SELECT list, ?2, ?3, ?4 FROM list WHERE path = ?1",
                    params![path, line, reason, excerpt],
                )?;
                transaction.execute(
                    "UPDATE list SET lines = lines + 1, rejected = rejected + 1 WHERE path = ?1",
                    [path],
                )
            })
            .unwrap();
    }

    /// Begins a run, which takes all that is pending.
    pub fn begin(&mut self, when: &str) -> Night {
        let started = self.zone.local(at(when));
        let new = NewRun {
            task: self.task,
            source: "camera",
            destination: "archive",
            destination_prefix: &self.destination_prefix,
            zone: self.zone,
            started,
            workers: 8,
            until: None,
            entropy: 7,
        };
        let run = self.ledger.begin_run(&new).unwrap();
        self.ledger.carry_over(self.task, started).unwrap();
        let through = self.ledger.take(self.task, run.key).unwrap().through;
        let recording = Recording {
            task: self.task,
            run: run.key,
            through,
            zone: self.zone,
        };
        Night { run, recording }
    }

    /// Records what the run did about one name.
    pub fn settle(&mut self, night: &Night, attempt: Attempt) {
        let asked = Asked {
            side: Side::Source,
            day: self.zone.local(attempt.at).day(),
            counters: Counters {
                get: 4,
                ..Counters::default()
            },
        };
        let traffic = Traffic {
            requests_sent: 4,
            throttled: Vec::new(),
            asked: vec![asked],
        };
        let notes = [Note::Settled(Box::new(attempt))];
        let recorded = self.ledger.record(&night.recording, &notes, &traffic);
        recorded.unwrap();
    }

    /// Ends the run, and closes it with `exit_code`.
    pub fn end(&mut self, night: &Night, when: &str, exit_code: u8, reasons: &str) -> RunKey {
        self.end_for(night, when, Deferral::WindowEnded, (exit_code, reasons))
    }

    fn end_for(
        &mut self,
        night: &Night,
        when: &str,
        deferral: Deferral,
        (exit_code, reasons): (u8, &str),
    ) -> RunKey {
        let end = RunEnd {
            state: RunState::Ended,
            ended: self.zone.local(at(when)),
            deferral: Some(deferral),
            resume_name: None,
            requests_sent: None,
        };
        self.ledger.end_run(night.run.key, &end).unwrap();
        self.ledger
            .close_run(night.run.key, exit_code, reasons)
            .unwrap();
        night.run.key
    }

    /// A run that could not begin, for `cause`.
    pub fn refused(&mut self, when: &str, cause: FailureCause, error_code: &str) -> RunKey {
        let night = self.begin(when);
        let failure = BeginFailure {
            cause,
            error_code: Some(error_code.to_owned()),
            message: "the source refused".to_owned(),
        };
        self.ledger
            .note_begin_failure(night.run.key, &failure)
            .unwrap();
        self.end_for(
            &night,
            when,
            Deferral::CouldNotBegin,
            (9, "could_not_begin"),
        )
    }

    /// Three nights in October 2026, by which the SQL for operators is shown.
    pub fn three_nights() -> Self {
        use FailureCause::{SourceMissing, Throttled};
        let mut fixture = Self::new("Asia/Shanghai");
        fixture.ask(
            "object_lists/monday.txt",
            "2026-10-05T12:00:00+08:00",
            &["a.jpg", "b.jpg", "#c.jpg", "d.jpg", "a.jpg"],
        );
        fixture.reject("object_lists/monday.txt", 6, "dot_segment", "x/../y.jpg");
        let first = fixture.begin("2026-10-06T01:00:00+08:00");
        fixture.settle(
            &first,
            synced("a.jpg", "2026-10-06T01:00:01+08:00", 3 << 20),
        );
        fixture.settle(&first, ignored("b.jpg", "2026-10-06T01:00:02+08:00", 2048));
        let missing = failed(
            "#c.jpg",
            "2026-10-06T01:00:03+08:00",
            SourceMissing,
            "NoSuchKey",
            404,
        );
        fixture.settle(&first, missing);
        let slow = failed(
            "d.jpg",
            "2026-10-06T01:00:04+08:00",
            Throttled,
            "SlowDown",
            503,
        );
        fixture.settle(&first, slow);
        fixture.end(&first, "2026-10-06T01:00:10+08:00", 4, "failed");

        fixture.ask(
            "object_lists/tuesday.txt",
            "2026-10-06T12:00:00+08:00",
            &["e.jpg", "f.jpg"],
        );
        let second = fixture.begin("2026-10-07T01:00:00+08:00");
        fixture.settle(
            &second,
            synced("d.jpg", "2026-10-07T01:00:01+08:00", 5 << 20),
        );
        let mut unproven = synced("e.jpg", "2026-10-07T01:00:02+08:00", 1000);
        if let Outcome::Synced(copied) = &mut unproven.outcome {
            copied.verified = Verified::SizeOnly;
        }
        fixture.settle(&second, unproven);
        fixture.end(&second, "2026-10-07T01:00:10+08:00", 6, "deferred");

        fixture.refused(
            "2026-10-09T01:00:00+08:00",
            FailureCause::BucketMissing,
            "NoSuchBucket",
        );
        fixture
    }
}

/// The task of every fixture.
pub fn photos() -> TaskId {
    "photos".parse().unwrap()
}

/// A copy of `size_bytes` bytes.
pub fn synced(name: &str, when: &str, size_bytes: u64) -> Attempt {
    let copied = Copied {
        copy_etag: ETag::new("c0"),
        verified: Verified::EtagMd5,
        size_bytes,
    };
    attempt(name, when, Outcome::Synced(copied), Some(size_bytes))
}

/// An object that was left alone, as the destination's was newer.
pub fn ignored(name: &str, when: &str, size_bytes: u64) -> Attempt {
    let outcome = Outcome::Ignored(IgnoreReason::NewerAtDestination);
    let mut attempt = attempt(name, when, outcome, Some(size_bytes));
    attempt.destination.clone_from(&attempt.source);
    attempt
}

/// An object that was left alone, although its tag at the destination is another.
pub fn suspect(name: &str, when: &str, size_bytes: u64) -> Attempt {
    let mut attempt = ignored(name, when, size_bytes);
    attempt.suspect = true;
    if let Some(destination) = &mut attempt.destination {
        destination.etag = ETag::new("d1");
    }
    attempt
}

/// A failure with the server's answer.
pub fn failed(name: &str, when: &str, cause: FailureCause, code: &str, status: u16) -> Attempt {
    let failure = Failure {
        error_code: Some(code.to_owned()),
        http_status: Some(status),
        ..Failure::new(cause, format!("failed to read {name} at the source"))
    };
    attempt(name, when, Outcome::Failed(failure), None)
}

fn attempt(name: &str, when: &str, outcome: Outcome, size_bytes: Option<u64>) -> Attempt {
    Attempt {
        name: ObjectName::from_checked(name.to_owned()),
        at: at(when),
        outcome,
        source: size_bytes.map(|size_bytes| ObjectFacts {
            etag: ETag::new("5e"),
            size_bytes,
            modified_at: at("2026-10-04T09:30:00Z"),
            md5_hex: None,
            checksums: Vec::new(),
            readiness: crate::model::Readiness::Ready,
        }),
        destination: None,
        suspect: false,
        server_request_id: Some("RQ1".to_owned()),
        duration_ms: 120,
        retries: 0,
        throttled: 0,
    }
}
