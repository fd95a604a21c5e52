//! What a run's spot check came to.

use rusqlite::{OptionalExtension, Row, params};

use super::report::word;
use super::story::present;
use super::{Ledger, Result, RunKey};
use crate::model::{Comparison, Deferral, LocalTime, Sampled};

/// What a spot check came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpotCheck {
    /// How many copies, and how many ignored objects, it was to look at.
    pub wanted: u64,
    /// Copies that were compared with their sources.
    pub copies: u64,
    /// Of these, those that are not as their sources any more.
    pub copies_drifted: u64,
    /// Ignored objects that were compared.
    pub ignored: u64,
    /// Of these, those that are not as their sources.
    pub ignored_drifted: u64,
    /// Looked at, and nothing can be said of them: the source is another or gone, or
    /// one end did not let it be read.
    pub undecided: u64,
    /// Why it was not made, or not to its end.
    pub skipped: Option<Deferral>,
}

impl SpotCheck {
    /// How many of what was compared are not as their sources.
    #[must_use]
    pub const fn drifted(&self) -> u64 {
        self.copies_drifted + self.ignored_drifted
    }

    /// How many were compared.
    #[must_use]
    pub const fn compared(&self) -> u64 {
        self.copies + self.ignored
    }

    /// Adds what another came to; what that left is its own.
    pub const fn add(&mut self, other: &Self) {
        self.wanted += other.wanted;
        self.copies += other.copies;
        self.copies_drifted += other.copies_drifted;
        self.ignored += other.ignored;
        self.ignored_drifted += other.ignored_drifted;
        self.undecided += other.undecided;
    }

    /// Counts one that was looked at.
    pub fn count(&mut self, kind: Sampled, finding: Comparison) {
        let (compared, drifted) = match kind {
            Sampled::Copy => (&mut self.copies, &mut self.copies_drifted),
            Sampled::Ignored => (&mut self.ignored, &mut self.ignored_drifted),
        };
        *compared += u64::from(finding.is_verdict());
        *drifted += u64::from(finding.is_drift());
        self.undecided += u64::from(!finding.is_verdict());
    }
}

/// Something that a spot check found otherwise than the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpotFinding {
    /// The request that made the copy, or left the object alone.
    pub request: i64,
    /// Which of the two.
    pub kind: Sampled,
    /// The object.
    pub name: String,
    /// Its name at the destination.
    pub destination_name: String,
    /// When it was found.
    pub at: LocalTime,
    /// What.
    pub finding: Comparison,
    /// Why it was unreadable: the cause, and in words.
    pub unreadable: Option<(String, String)>,
    /// The tags of both ends now.
    pub source_etag: Option<String>,
    /// Of the destination.
    pub destination_etag: Option<String>,
}

impl Ledger {
    /// What the spot check of run `number` of `task` came to; `None` if it made none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn spot_check(&self, task: &str, number: i64) -> Result<Option<SpotCheck>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT wanted, copies, copies_drifted, ignored, ignored_drifted, undecided,
                            skipped
                     FROM spot_checks WHERE task = ?1 AND run = ?2",
                )?
                .query_row(params![task, number], |row| read_spot_check(row, 0))
                .optional()
                .map(Option::flatten)
        })
    }

    /// Notes what the run's spot check came to.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn note_spot_check(
        &mut self,
        run: RunKey,
        check: &SpotCheck,
        findings: &[SpotFinding],
    ) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO spot_check (run, wanted, copies, copies_drifted, ignored,
                                         ignored_drifted, undecided, skipped)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    run.0,
                    check.wanted,
                    check.copies,
                    check.copies_drifted,
                    check.ignored,
                    check.ignored_drifted,
                    check.undecided,
                    check.skipped.map(Deferral::as_str)
                ],
            )?;
            let mut insert = transaction.prepare(
                "INSERT INTO spot_finding (run, request, kind, name, destination_name, at,
                     offset_minutes, finding, cause, message, source_etag, destination_etag)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?;
            for found in findings {
                let (cause, message) = found.unreadable.clone().unzip();
                insert.execute(params![
                    run.0,
                    found.request,
                    found.kind.as_str(),
                    found.name,
                    found.destination_name,
                    found.at.at.ms(),
                    found.at.offset_minutes,
                    found.finding.as_str(),
                    cause,
                    message,
                    found.source_etag,
                    found.destination_etag
                ])?;
            }
            Ok(())
        })
    }
}

/// From seven columns, the first at `index`; `None` if the run made none.
pub(super) fn read_spot_check(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<SpotCheck>> {
    present(row, index, |row| {
        Ok(SpotCheck {
            wanted: row.get(index)?,
            copies: row.get(index + 1)?,
            copies_drifted: row.get(index + 2)?,
            ignored: row.get(index + 3)?,
            ignored_drifted: row.get(index + 4)?,
            undecided: row.get(index + 5)?,
            skipped: present(row, index + 6, |row| word(row, index + 6))?,
        })
    })
}
