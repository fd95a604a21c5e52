//! What is known of one name when a listing shows it.

use rusqlite::params;

use super::settling::whole;
use super::{Ledger, Result, TaskKey};
use crate::model::{DestinationPrefix, ETag, LastCopy, ObjectName};

/// What the ledger remembers of a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Our own last copy under a prefix.
    pub last_copy: Option<LastCopy>,
    /// Whether it is asked for already, and waits.
    pub is_pending: bool,
}

impl Ledger {
    /// What the ledger remembers of `name`, whose copies lie under `prefix`. Names that are asked about in byte order find
    /// most of what they need in memory.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn remembered(
        &self,
        task: TaskKey,
        name: &ObjectName,
        prefix: &DestinationPrefix,
    ) -> Result<Remembered> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT source_etag, copy_etag,
                         EXISTS (SELECT 1 FROM request
                                 WHERE task = ?1 AND name = ?2 AND state = 'pending')
                     FROM (SELECT 1) LEFT JOIN last_copy
                         ON last_copy.task = ?1 AND last_copy.name = ?2
                         AND last_copy.destination_prefix = ?3",
                )?
                .query_row(params![task.0, name.as_str(), prefix.as_str()], |row| {
                    let tags: (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
                    Ok(Remembered {
                        last_copy: tags.0.zip(tags.1).map(|(source, copy)| LastCopy {
                            copy_etag: ETag::new(whole(&copy, &source)),
                            source_etag: ETag::new(&source),
                        }),
                        is_pending: row.get(2)?,
                    })
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, ignored, photos, synced};
    use super::*;

    #[test]
    fn a_name_is_known_by_its_last_copy_and_by_what_waits() {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", "2026-10-30T12:00:00Z", &["a", "b"]);
        let night = fixture.begin("2026-10-31T01:00:00Z");
        fixture.settle(&night, synced("a", "2026-10-31T01:00:01Z", 5));
        fixture.settle(&night, ignored("b", "2026-10-31T01:00:01Z", 5));
        fixture.end(&night, "2026-10-31T01:00:02Z", 0, "done");
        fixture.ask("object_lists/b.txt", "2026-10-31T12:00:00Z", &["a", "c"]);
        let task = fixture.ledger.find_task(&photos()).unwrap().unwrap();
        let here = DestinationPrefix::default();
        let known = ["a", "b", "c", "d"].map(|name| {
            let name = ObjectName::new(name).unwrap();
            let remembered = fixture.ledger.remembered(task, &name, &here).unwrap();
            (remembered.last_copy.is_some(), remembered.is_pending)
        });
        assert_eq!(
            known,
            [(true, true), (false, false), (false, true), (false, false)]
        );
    }
}
