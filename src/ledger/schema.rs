//! Migrations and views.

use rusqlite::{Connection, TransactionBehavior};

/// `NFRY`: marks a SQLite file as a Nightferry ledger.
pub const APPLICATION_ID: i64 = 0x4e46_5259;

/// Each migration once, in order; its place (from 1) is the ledger's version after it.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../sql/migrations/0001_ledger.sql"),
    include_str!("../../sql/migrations/0002_faults.sql"),
    include_str!("../../sql/migrations/0003_speed.sql"),
    include_str!("../../sql/migrations/0004_checks.sql"),
    include_str!("../../sql/migrations/0005_questions.sql"),
    include_str!("../../sql/migrations/0006_pause.sql"),
    include_str!("../../sql/migrations/0007_series.sql"),
    include_str!("../../sql/migrations/0008_failed_by_month.sql"),
    include_str!("../../sql/migrations/0009_bill_and_tuning.sql"),
    include_str!("../../sql/migrations/0010_rejected_by_month.sql"),
    include_str!("../../sql/migrations/0011_expectations.sql"),
    include_str!("../../sql/migrations/0012_list_paths.sql"),
    include_str!("../../sql/migrations/0013_runs_by_start.sql"),
    include_str!("../../sql/migrations/0014_mail.sql"),
    include_str!("../../sql/migrations/0015_suspects.sql"),
    include_str!("../../sql/migrations/0016_excluded.sql"),
    include_str!("../../sql/migrations/0017_destination_prefix.sql"),
    include_str!("../../sql/migrations/0018_mends.sql"),
    include_str!("../../sql/migrations/0019_begun_with.sql"),
    include_str!("../../sql/migrations/0020_spot_checks.sql"),
    include_str!("../../sql/migrations/0021_archive.sql"),
];

/// The public views, made anew with every migration.
pub const VIEWS: &[(&str, &str)] = &[
    (
        "archive_restores",
        include_str!("../../sql/views/archive_restores.sql"),
    ),
    ("books", include_str!("../../sql/views/books.sql")),
    (
        "day_summary",
        include_str!("../../sql/views/day_summary.sql"),
    ),
    (
        "excluded_requests",
        include_str!("../../sql/views/excluded_requests.sql"),
    ),
    (
        "failed_requests",
        include_str!("../../sql/views/failed_requests.sql"),
    ),
    (
        "loaded_lists",
        include_str!("../../sql/views/loaded_lists.sql"),
    ),
    ("manifests", include_str!("../../sql/views/manifests.sql")),
    ("mends", include_str!("../../sql/views/mends.sql")),
    (
        "month_close",
        include_str!("../../sql/views/month_close.sql"),
    ),
    (
        "month_summary",
        include_str!("../../sql/views/month_summary.sql"),
    ),
    (
        "object_history",
        include_str!("../../sql/views/object_history.sql"),
    ),
    (
        "open_breakers",
        include_str!("../../sql/views/open_breakers.sql"),
    ),
    ("owed_mails", include_str!("../../sql/views/owed_mails.sql")),
    (
        "paused_tasks",
        include_str!("../../sql/views/paused_tasks.sql"),
    ),
    (
        "pending_requests",
        include_str!("../../sql/views/pending_requests.sql"),
    ),
    (
        "rejected_lines",
        include_str!("../../sql/views/rejected_lines.sql"),
    ),
    (
        "request_bill",
        include_str!("../../sql/views/request_bill.sql"),
    ),
    (
        "request_bill_days",
        include_str!("../../sql/views/request_bill_days.sql"),
    ),
    (
        "request_bill_months",
        include_str!("../../sql/views/request_bill_months.sql"),
    ),
    ("requests", include_str!("../../sql/views/requests.sql")),
    (
        "run_history",
        include_str!("../../sql/views/run_history.sql"),
    ),
    ("run_tuning", include_str!("../../sql/views/run_tuning.sql")),
    (
        "spot_checks",
        include_str!("../../sql/views/spot_checks.sql"),
    ),
    (
        "spot_findings",
        include_str!("../../sql/views/spot_findings.sql"),
    ),
    (
        "suspect_objects",
        include_str!("../../sql/views/suspect_objects.sql"),
    ),
    ("throttling", include_str!("../../sql/views/throttling.sql")),
    (
        "tolerated_failures",
        include_str!("../../sql/views/tolerated_failures.sql"),
    ),
];

/// The newest version that this release knows.
#[must_use]
pub fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// What stands in the file's header: application id and version.
///
/// # Errors
/// What SQLite says, for instance that the file is no database.
pub fn header(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let application_id = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((application_id, version))
}

/// Brings an empty or older ledger to the known version, views included, in one
/// transaction. Two processes may try at once; the second finds nothing to do.
///
/// # Errors
/// What SQLite says; the ledger is then as it was.
pub fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (_, version) = header(&transaction)?;
    let done = usize::try_from(version).unwrap_or(0);
    if done < MIGRATIONS.len() {
        for migration in &MIGRATIONS[done..] {
            transaction.execute_batch(migration)?;
        }
        for (name, definition) in VIEWS {
            transaction.execute_batch(&format!("DROP VIEW IF EXISTS {name}"))?;
            transaction.execute_batch(definition)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", known_version())?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Ledger, Stretch};
    use super::*;

    /// Of a hundred names ninety were copied; ten are pending, one planned.
    const NIGHT_OF_VERSION_2: &str = include_str!("../../fixtures/ledger/night_of_version_2.sql");

    /// A ledger of the second version with that night behind it.
    fn second_version(path: &Path) -> Connection {
        of_version(2, path)
    }

    /// A ledger of that version with that night behind it.
    fn of_version(version: usize, path: &Path) -> Connection {
        let older = Connection::open(path).unwrap();
        older.execute_batch(&MIGRATIONS[..2].concat()).unwrap();
        older.execute_batch(NIGHT_OF_VERSION_2).unwrap();
        let later = MIGRATIONS[2..version].concat();
        older.execute_batch(&later).unwrap();
        older
            .pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        older.pragma_update(None, "user_version", version).unwrap();
        older
    }

    /// What the schema says of tables and indexes.
    fn tables(connection: &Connection) -> Vec<(String, Option<String>)> {
        connection
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type <> 'view' ORDER BY name")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap()
    }

    #[test]
    fn a_ledger_with_history_goes_on_in_the_present_version() {
        for version in 2..MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger.sqlite");
            drop(of_version(version, &path));
            let ledger = Ledger::open(&path, 0o600).unwrap();
            let new = Ledger::open(&folder.path().join("new.sqlite"), 0o600).unwrap();
            assert_eq!(tables(&ledger.connection), tables(&new.connection));
            has_its_history(&ledger);
        }
    }

    fn has_its_history(ledger: &Ledger) {
        assert_eq!(ledger.check().unwrap(), [""; 0]);
        let task = ledger.find_task(&"photos".parse().unwrap()).unwrap();
        let names = ledger
            .next_names(task.unwrap(), i64::MAX, &Stretch::From(""), 1000)
            .unwrap();
        assert_eq!(names.len(), 10);
        for queued in &names {
            assert_eq!(queued.last_copy.as_ref().unwrap().copy_etag.as_str(), "5e");
        }
        let planned = names[0].planned.as_ref().unwrap();
        assert_eq!(planned.source_md5_hex.as_deref(), Some("5e"));
        let shown: i64 = ledger
            .connection
            .query_row(
                "SELECT count(*) FROM object_history WHERE copy_etag = '5e'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(shown, 90);
    }

    #[test]
    fn what_was_pruned_before_its_series_was_kept_counts_by_its_day() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let older = of_version(6, &path);
        older
            .execute_batch(
                "INSERT INTO pruned_count VALUES (1, '1970-01-01', 'requested', '', 50, 0),
                                                 (1, '1970-01-01', 'synced', '', 50, 350);
                 INSERT INTO pruned_run VALUES (1, 50, 0, 0);
                 INSERT INTO pruned_task VALUES (1, '1970-02');
                 DELETE FROM attempt WHERE request <= 50;
                 DELETE FROM request WHERE request <= 50",
            )
            .unwrap();
        drop(older);
        let ledger = Ledger::open(&path, 0o600).unwrap();
        assert_eq!(ledger.check().unwrap(), [""; 0]);
        let mut series = ledger
            .connection
            .prepare("SELECT kind, slot_at / 3600000, requests, bytes FROM slot_count")
            .unwrap();
        let series: Vec<(String, i64, i64, i64)> = series
            .query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let expected = [
            ("requested", 0, 50, 0),
            ("requested", 12, 50, 0),
            ("synced", 0, 40, 280),
            ("synced", 12, 50, 350),
        ];
        assert_eq!(
            series,
            expected
                .map(|(kind, hour, requests, bytes)| { (kind.to_owned(), hour, requests, bytes) })
        );
    }

    #[test]
    fn whoever_has_an_older_ledger_open_obeys_the_checks_that_others_brought_it_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let older = second_version(&path);
        let count = |sql: &str| older.query_row(sql, [], |row| row.get::<_, i64>(0));
        assert_eq!(count("SELECT count(*) FROM attempt").unwrap(), 90);
        drop(Ledger::open(&path, 0o600).unwrap());
        let checks = "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%outcome IN%'";
        assert_eq!(count(checks).unwrap(), 0);
        older
            .execute("UPDATE attempt SET outcome = 'lost'", [])
            .unwrap_err();
        older
            .execute("UPDATE attempt SET outcome = 'ignored'", [])
            .unwrap();
    }

    #[test]
    fn the_hash_of_a_manifest_that_an_older_release_has_written_is_kept_with_its_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let older = of_version(8, &path);
        older
            .execute_batch(
                "INSERT INTO delivery (task, path, run, lines, bytes, sha256, state)
                 VALUES (1, 'manifests/n.manifest.json', 1, 9, 99, '5e', 'delivered'),
                        (1, 'journals/n/1.journal.jsonl', 1, 9, 99, 'c0', 'delivered');",
            )
            .unwrap();
        drop(older);
        let ledger = Ledger::open(&path, 0o600).unwrap();
        let manifest = ledger.connection.query_row(
            "SELECT task, run, path, sha256 FROM manifests",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        );
        let expected = ("photos", 1, "manifests/n.manifest.json", "5e");
        let (task, run, path, sha256): (String, i64, String, String) = manifest.unwrap();
        assert_eq!((&*task, run, &*path, &*sha256), expected);
    }

    #[test]
    fn a_ledger_whose_migration_broke_off_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let older = second_version(&path);
        let before = tables(&older);
        older.execute_batch("BEGIN IMMEDIATE").unwrap();
        older.execute_batch(&MIGRATIONS[2..].concat()).unwrap();
        assert_ne!(tables(&older), before);
        // The process dies: nothing is committed.
        drop(older);
        let older = Connection::open(&path).unwrap();
        assert_eq!(tables(&older), before);
        assert_eq!(header(&older).unwrap(), (APPLICATION_ID, 2));
        drop(older);
        let ledger = Ledger::open(&path, 0o600).unwrap();
        assert_eq!(ledger.check().unwrap(), [""; 0]);
    }

    #[test]
    fn a_settled_request_is_checked_without_a_table_of_words() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite"), 0o600).unwrap();
        for write in [
            "UPDATE request SET state = ?1, reason = ?2, settled_at = ?3 WHERE request = ?4",
            "INSERT INTO attempt (run, request, attempt, at, offset_minutes, outcome, verified,
                                  duration_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        ] {
            let mut explained = ledger
                .connection
                .prepare(&format!("EXPLAIN {write}"))
                .unwrap();
            let steps: Vec<String> = explained
                .raw_query()
                .mapped(|row| row.get("opcode"))
                .collect::<rusqlite::Result<_>>()
                .unwrap();
            assert!(steps.iter().any(|step| step == "HaltIfNull"), "{write}");
            assert!(!steps.iter().any(|step| step == "OpenEphemeral"), "{write}");
        }
    }

    #[test]
    fn a_ledger_of_an_older_release_is_brought_up_to_date_by_whoever_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let older = Connection::open(&path).unwrap();
        older.execute_batch(MIGRATIONS[0]).unwrap();
        older
            .pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        older.pragma_update(None, "user_version", 1).unwrap();
        drop(older);
        let ledger = Ledger::open_read_only(&path).unwrap();
        assert_eq!(
            header(&ledger.connection).unwrap(),
            (APPLICATION_ID, known_version())
        );
        for (view, _) in VIEWS {
            let query = format!("SELECT * FROM {view}");
            ledger.connection.prepare(&query).unwrap();
        }
    }
}
