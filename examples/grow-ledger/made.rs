//! Names, plans and outcomes such as a night has them, made up.

use std::io::{self, Read};

use nightferry::intake::{Found, ListSource, Stat};
use nightferry::ledger::Queued;
use nightferry::model::{
    Attempt, Copied, ETag, Failure, FailureCause, IgnoreReason, ObjectFacts, Outcome, PlannedCopy,
    Timestamp, Verified,
};

const DAY_MS: i64 = 86_400_000;

/// What the source says of object number `count`.
fn facts(count: u64, at: Timestamp) -> ObjectFacts {
    ObjectFacts {
        etag: ETag::new(&format!(
            "{:032x}",
            u128::from(count).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c12_9a4d_2c45)
        )),
        size_bytes: 4096 + count % 65_536,
        modified_at: at.plus_ms(-DAY_MS),
        md5_hex: None,
        checksums: Vec::new(),
        readiness: nightferry::model::Readiness::Ready,
    }
}

/// What is to be made of it.
pub fn plan(count: u64, at: Timestamp) -> PlannedCopy {
    let facts = facts(count, at);
    PlannedCopy {
        source_md5_hex: Some(facts.etag.as_str().to_owned()),
        source_etag: facts.etag,
        size_bytes: facts.size_bytes,
        replaces: None,
    }
}

/// Of a hundred one failed for good, nine were left alone, the rest was copied.
pub fn attempt(queued: &Queued, count: u64, at: Timestamp) -> Attempt {
    let facts = facts(count, at);
    let outcome = match count % 100 {
        0 => Outcome::Failed(Failure {
            error_code: Some("NoSuchKey".to_owned()),
            http_status: Some(404),
            ..Failure::new(
                FailureCause::SourceMissing,
                "the source bucket has no such object",
            )
        }),
        1..10 => Outcome::Ignored(IgnoreReason::NewerAtDestination),
        _ => Outcome::Synced(Copied {
            copy_etag: facts.etag.clone(),
            verified: Verified::EtagMd5,
            size_bytes: facts.size_bytes,
        }),
    };
    Attempt {
        name: queued.name.clone(),
        at: at.plus_ms((count / 2).cast_signed()),
        destination: matches!(outcome, Outcome::Ignored(_)).then(|| facts.clone()),
        source: (!matches!(outcome, Outcome::Failed(_))).then_some(facts),
        outcome,
        suspect: false,
        server_request_id: Some(format!("{count:016X}")),
        duration_ms: 12,
        retries: 0,
        throttled: 0,
    }
}

/// A list that is made while it is read.
pub struct Made {
    /// Whose list it is.
    pub night: u64,
    /// How many names it has.
    pub names: u64,
    /// Whether they are in no order.
    pub random: bool,
    /// Whether they are those of the example server `numbered-s3`.
    pub numbered: bool,
}

impl Made {
    fn path(&self) -> String {
        format!("object_lists/{:05}.txt", self.night)
    }
}

impl ListSource for Made {
    fn walk(&self) -> Box<dyn Iterator<Item = Found> + '_> {
        let found = self.stat(&self.path()).map(|stat| Found::List {
            path: self.path(),
            stat,
        });
        Box::new(found.into_iter())
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        if path != self.path() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Stat {
            size: self.names * if self.numbered { 19 } else { 43 },
            modified_at: Timestamp::from_ms(0),
            changed_at: Timestamp::from_ms(0),
            fingerprint: format!("{}", self.night),
        })
    }

    fn open(&self, path: &str) -> io::Result<(Stat, Box<dyn Read + '_>)> {
        let lines = Lines {
            list: self,
            next: 0,
            made: Vec::new(),
            given: 0,
        };
        Ok((self.stat(path)?, Box::new(lines)))
    }
}

struct Lines<'a> {
    list: &'a Made,
    next: u64,
    made: Vec<u8>,
    given: usize,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.made.len() {
            self.made.clear();
            self.given = 0;
            let end = (self.next + 1000).min(self.list.names);
            for place in self.next..end {
                if self.list.numbered {
                    io::Write::write_fmt(&mut self.made, format_args!("2026/{place:09}.jpg\n"))?;
                    continue;
                }
                let number = self.list.night * 1_000_000_000 + place;
                let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let key = if self.list.random {
                    mixed ^ (mixed >> 29)
                } else {
                    number
                };
                io::Write::write_fmt(
                    &mut self.made,
                    format_args!("photos/2026/{key:020}/image.jpg\n"),
                )?;
            }
            self.next = end;
        }
        let length = (&self.made[self.given..]).read(buffer)?;
        self.given += length;
        Ok(length)
    }
}
